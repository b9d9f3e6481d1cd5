"""Writes a layout as a PNG, TIFF, JPEG or PDF, a band of rows at a time."""

from __future__ import annotations

import math
import struct
import uuid
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from journey import printing
from journey.pictures import png
from journey.pictures.copying import density
from journey.pictures.rows import FileRows, to_array
from journey.printing import FileFormat, Paper
from journey.printing.shop.colours import coloured, flat
from journey.printing.shop.jpeg import write_jpeg
from journey.printing.shop.layout import Layout
from journey.printing.shop.pdf import page_notes, write_pdf
from journey.printing.shop.progress import Work
from journey.printing.shop.sheet import Sheet, deflated
from journey.printing.shop.source import Source
from journey.printing.shop.specs import FORMATS, PrintFile, service_warnings
from journey.printing.shop.tiff import write_tiff

_BAND_PIXELS = 1_000_000
_READ_PIXELS = 4_000_000
"""The most pixels of a band, and about as many of the source that are read for it."""

_MARGINS: Mapping[str, float | tuple[float, ...]] = {
    "L": 255,
    "RGB": (255, 255, 255),
    "LA": (255, 0),
    "RGBA": (255, 255, 255, 0),
}


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A file that appears under its name once it is complete, or not at all."""
    part = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_sheet(
    picture: Source,
    layout: Layout,
    target: Path,
    file_format: FileFormat,
    dpi: float,
    work: Work,
    *,
    paper: Paper | None = None,
    bleed_mm: float = 0,
    flatten: bool = False,
) -> PrintFile:
    """Write one file. A PDF needs the paper, and the bleed that is in the layout."""
    is_transparent = FORMATS[file_format].is_transparent and not flatten
    sheet = sheet_for(picture, layout, dpi, paper, bleed_mm, is_transparent=is_transparent)
    with new_file(target) as file:
        WRITERS[file_format](file, bands(picture, layout, work, is_transparent=is_transparent), sheet)
    size = target.stat().st_size
    return PrintFile(
        path=target,
        format=file_format,
        width=layout.size[0],
        height=layout.size[1],
        dpi=dpi,
        size=size,
        profile="source" if picture.rows.icc else "sRGB",
        notes=(*(page_notes(sheet) if file_format == "PDF" else ()), *service_warnings(size, file_format)),
    )


def sheet_for(
    picture: Source, layout: Layout, dpi: float, paper: Paper | None, bleed_mm: float, *, is_transparent: bool
) -> Sheet:
    """What a file with this layout says about its pixels."""
    mode, icc = ready(picture, is_transparent=is_transparent)
    trim = printing.turn(paper, *layout.size) if paper else None
    return Sheet(layout.size, mode, icc, dpi, trim, bleed_mm)


@contextmanager
def whole_print(picture: Source, layout: Layout, folder: Path, work: Work) -> Iterator[Source]:
    """The pixels of the whole print in a hidden file, which is removed in the end, for what reads them more than once.

    White takes the place of transparency.
    """
    path = folder / f".{uuid.uuid4().hex}.pixels"
    mode, icc = ready(picture, is_transparent=False)
    try:
        with path.open("wb") as file:
            for band in bands(picture, layout, work, is_transparent=False):
                file.write(to_array(band).data)
        yield Source(FileRows(path, *layout.size, len(mode), icc), is_opaque=True)
    finally:
        path.unlink(missing_ok=True)


def ready(picture: Source, *, is_transparent: bool) -> tuple[str, bytes]:
    """Mode and colour profile of the bands of this picture."""
    first = _read(picture, 0, 1, is_transparent=is_transparent)
    return first.mode, first.info["icc_profile"]


def bands(picture: Source, layout: Layout, work: Work, *, is_transparent: bool) -> Iterator[Image.Image]:
    """A file's pixels from top to bottom, as pictures of its full width; white instead of transparent if wanted.

    Each band is resampled while the one before is being used.
    """
    return _ahead(_bands(partial(_read, picture, is_transparent=is_transparent), picture.size, layout, work))


def strip(picture: Source, layout: Layout, start: int, end: int, *, is_transparent: bool) -> Image.Image:
    """These rows of a file's pixels."""
    read = partial(_read, picture, is_transparent=is_transparent)
    return _band(read, picture.size[1], layout, read(0, 1).mode, start, end)


def _read(picture: Source, top: int, bottom: int, *, is_transparent: bool) -> Image.Image:
    rows = picture.read(top, bottom)
    return coloured(rows if is_transparent else flat(rows))


def _bands(
    read: Callable[[int, int], Image.Image], size: tuple[int, int], layout: Layout, work: Work
) -> Iterator[Image.Image]:
    """The same, without reading ahead. `read` gives rows of the source, and `size` is that of the source."""
    height, rows = layout.size[1], band_height(layout, size)
    mode = read(0, 1).mode
    for start in range(0, height, rows):
        end = min(height, start + rows)
        yield _band(read, size[1], layout, mode, start, end)
        work.advance(end - start)


def band_height(layout: Layout, size: tuple[int, int]) -> int:
    """How many rows of the file a band has; `size` is that of the source."""
    width, height = layout.size
    most = max(width * height / _BAND_PIXELS, layout.scale * height * size[0] / _READ_PIXELS)
    return math.ceil(height / math.ceil(most))


def _band(
    read: Callable[[int, int], Image.Image], height: int, layout: Layout, mode: str, start: int, end: int
) -> Image.Image:
    """The rows of the file from `start` to `end`; `height` is that of the source."""
    placed, (left, top, right, bottom) = layout.placed, layout.part
    exact = (right - left, bottom - top) == (placed.width, placed.height)
    first, last = max(start, placed.top), min(end, placed.bottom)
    resized = None
    if first < last:
        part = (left, top + layout.scale * (first - placed.top), right, top + layout.scale * (last - placed.top))
        resized = _part(read, height, part, (placed.width, last - first), exact=exact)
        if resized.size == (layout.size[0], end - start):
            return resized
    band = Image.new(mode, (layout.size[0], end - start), _MARGINS[mode])
    if resized is not None:
        band.paste(resized, (placed.left, first - start))
    return band


def _part(
    read: Callable[[int, int], Image.Image],
    height: int,
    part: tuple[float, float, float, float],
    size: tuple[int, int],
    *,
    exact: bool,
) -> Image.Image:
    """A part of the source, resampled to this size unless it is exact: then it is taken pixel for pixel."""
    left, top, right, bottom = part
    if exact:
        return read(round(top), round(bottom)).crop((round(left), 0, round(right), round(bottom) - round(top)))
    # Lanczos looks three pixels of the larger side beyond the edges, and one is for rounding.
    beyond = 3 * max(1, (bottom - top) / size[1]) + 1
    first, last = max(0, math.floor(top - beyond)), min(height, math.ceil(bottom + beyond))
    rows = read(first, last)
    # Colours are weighed by their transparency. Each direction has a call of its own, because Pillow would pick their
    # order by the sizes, which differ between bands, and with it how values are rounded.
    weighed = rows.convert({"LA": "La", "RGBA": "RGBa"}.get(rows.mode, rows.mode))
    across = weighed.resize((size[0], rows.height), Image.Resampling.LANCZOS, box=(left, 0, right, rows.height))
    down = across.resize(size, Image.Resampling.LANCZOS, box=(0, top - first, size[0], bottom - first))
    return down.convert(rows.mode)


def _ahead(bands: Iterator[Image.Image]) -> Iterator[Image.Image]:
    """The same bands, each one resampled while the one before is being encoded."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, bands, None)
        while (band := coming.result()) is not None:
            coming = thread.submit(next, bands, None)
            yield band


def _write_png(file: BinaryIO, bands: Iterator[Image.Image], sheet: Sheet) -> None:
    colour = {"L": 0, "RGB": 2, "LA": 4, "RGBA": 6}[sheet.mode]
    file.write(png.SIGNATURE)
    png.write_chunk(file, b"IHDR", struct.pack(">IIBBBBB", *sheet.size, 8, colour, 0, 0, 0))
    png.write_chunk(file, b"iCCP", b"ICC profile\x00\x00" + zlib.compress(sheet.icc))
    png.write_chunk(file, b"pHYs", density(sheet.dpi))
    for piece in deflated(bands):
        png.write_chunk(file, b"IDAT", piece)
    png.write_chunk(file, b"IEND", b"")


WRITERS: Mapping[FileFormat, Callable[[BinaryIO, Iterator[Image.Image], Sheet], None]] = {
    "PNG": _write_png,
    "TIFF": write_tiff,
    "JPEG": write_jpeg,
    "PDF": write_pdf,
}
"""What writes each format, given the file, its pixels in bands from top to bottom, and what to say about them."""
