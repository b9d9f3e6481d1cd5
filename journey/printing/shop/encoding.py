"""Writes a layout as a PNG, TIFF, JPEG or PDF, a band of rows at a time."""

from __future__ import annotations

import math
import struct
import uuid
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from journey import printing
from journey.pictures import png
from journey.printing import Box, Paper
from journey.printing.shop.colours import coloured, flat
from journey.printing.shop.layout import Layout
from journey.printing.shop.pdf import write_pdf
from journey.printing.shop.png import density
from journey.printing.shop.progress import Work
from journey.printing.shop.sheet import Sheet, deflated
from journey.printing.shop.specs import FORMATS, FileFormat, PrintFile, service_warnings
from journey.printing.shop.tiff import write_tiff

JPEG_QUALITY = 95
_BAND_PIXELS = 1_000_000


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
    picture: Image.Image,
    layout: Layout,
    target: Path,
    file_format: FileFormat,
    dpi: float,
    work: Work,
    *,
    paper: Paper | None = None,
    bleed_mm: float = 0,
) -> PrintFile:
    """Write one file. `picture` is L, LA, RGB or RGBA. A PDF needs the paper, and the bleed that is in the layout."""
    ready, profile = coloured(picture if FORMATS[file_format].is_transparent else flat(picture))
    trim = printing.turn(paper, *layout.size) if paper else None
    sheet = Sheet(layout.size, ready.mode, ready.info["icc_profile"], dpi, trim, bleed_mm)
    bands = _ahead(_bands(ready, layout, work))
    with new_file(target) as file:
        WRITERS[file_format](file, bands, sheet)
    size = target.stat().st_size
    return PrintFile(
        path=target,
        format=file_format,
        width=layout.size[0],
        height=layout.size[1],
        dpi=dpi,
        size=size,
        profile=profile,
        notes=service_warnings(size, file_format),
    )


def _bands(picture: Image.Image, layout: Layout, work: Work) -> Iterator[Image.Image]:
    """The file's pixels from top to bottom, as pictures of its full width."""
    width, height = layout.size
    placed = layout.placed
    left, top, right, bottom = layout.part
    exact = (right - left, bottom - top) == (placed.width, placed.height)
    # Pillow would weigh colours by their transparency itself, but for the whole picture in each call.
    weighed = {"LA": "La", "RGBA": "RGBa"}.get(picture.mode, picture.mode)
    source = picture if exact or weighed == picture.mode else picture.convert(weighed)
    margins: dict[str, float | tuple[float, ...]] = {
        "L": 255,
        "RGB": (255,) * 3,
        "LA": (255, 0),
        "RGBA": (255, 255, 255, 0),
    }
    margin = margins[picture.mode]
    # Bands have equal heights, because Pillow picks the order of its two passes by the size of a band.
    rows = math.ceil(height / math.ceil(width * height / _BAND_PIXELS))
    for start in range(0, height, rows):
        end = min(height, start + rows)
        first, last = max(start, placed.top), min(end, placed.bottom)
        whole = placed.width == width and (first, last) == (start, end)
        band = None if whole else Image.new(picture.mode, (width, end - start), margin)
        if first < last:
            part = (
                left,
                top + (bottom - top) * ((first - placed.top) / placed.height),
                right,
                top + (bottom - top) * ((last - placed.top) / placed.height),
            )
            if exact:  # pixel for pixel
                resized = source.crop(Box(*map(round, part)))
            else:
                resized = source.resize((placed.width, last - first), Image.Resampling.LANCZOS, box=part)
            if resized.mode != picture.mode:
                resized = resized.convert(picture.mode)
            if band is None:
                band = resized
            else:
                band.paste(resized, (placed.left, first - start))
        assert band is not None  # noqa: S101 - for the type checker: a whole band always has rows to resize
        yield band
        work.advance(end - start)


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


def _write_jpeg(file: BinaryIO, bands: Iterator[Image.Image], sheet: Sheet) -> None:
    whole = Image.new(sheet.mode, sheet.size)
    top = 0
    for band in bands:
        whole.paste(band, (0, top))
        top += band.height
    whole_dpi = round(sheet.dpi)
    whole.save(file, "JPEG", quality=JPEG_QUALITY, subsampling=0, dpi=(whole_dpi, whole_dpi), icc_profile=sheet.icc)


WRITERS: Mapping[FileFormat, Callable[[BinaryIO, Iterator[Image.Image], Sheet], None]] = {
    "PNG": _write_png,
    "TIFF": write_tiff,
    "JPEG": _write_jpeg,
    "PDF": write_pdf,
}
"""What writes each format, given the file, its pixels in bands from top to bottom, and what to say about them."""
