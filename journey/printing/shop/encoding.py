"""A layout becomes a PNG, TIFF, JPEG or PDF, a band of rows at a time."""

from __future__ import annotations

import io
import math
import struct
import uuid
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, TiffImagePlugin

from journey import printing
from journey.pictures import png
from journey.printing import MM_PER_INCH, Box, Paper
from journey.printing.shop.colours import coloured, flat
from journey.printing.shop.layout import Layout
from journey.printing.shop.png import density
from journey.printing.shop.progress import Work
from journey.printing.shop.specs import FileFormat, PrintFile, service_warnings

JPEG_QUALITY = 95
POINTS_PER_INCH = 72
"""PDF measures in points."""

_BAND_PIXELS = 1_000_000


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A file that appears under its name when it is complete, or not at all."""
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
    """`picture` is L, LA, RGB or RGBA. A PDF needs the paper, and the bleed that the layout includes."""
    ready, profile = coloured(picture if file_format in ("PNG", "TIFF") else flat(picture))
    sheet = _Sheet(layout.size, ready.mode, ready.info["icc_profile"], dpi)
    bands = _ahead(_bands(ready, layout, work))
    with new_file(target) as file:
        if file_format == "PNG":
            _write_png(file, bands, sheet)
        elif file_format == "TIFF":
            _write_tiff(file, bands, sheet)
        elif file_format == "JPEG":
            _write_jpeg(file, bands, sheet)
        else:
            assert paper is not None  # noqa: S101 - for the type checker: whoever asks for a PDF has a paper
            _write_pdf(file, bands, sheet, printing.turn(paper, *layout.size), bleed_mm)
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


@dataclass(frozen=True)
class _Sheet:
    """What a file says about its pixels, which are 8 bits deep in each channel of `mode`."""

    size: tuple[int, int]
    mode: str
    icc: bytes
    dpi: float


def _bands(picture: Image.Image, layout: Layout, work: Work) -> Iterator[Image.Image]:
    """The file's pixels from top to bottom, as pictures of its full width."""
    width, height = layout.size
    placed = layout.placed
    left, top, right, bottom = layout.part
    exact = (right - left, bottom - top) == (placed.width, placed.height)
    # Pillow would weigh colours by their transparency itself, but over the whole picture in each call.
    weighed = {"LA": "La", "RGBA": "RGBa"}.get(picture.mode, picture.mode)
    source = picture if exact or weighed == picture.mode else picture.convert(weighed)
    margins: dict[str, float | tuple[float, ...]] = {
        "L": 255,
        "RGB": (255,) * 3,
        "LA": (255, 0),
        "RGBA": (255, 255, 255, 0),
    }
    margin = margins[picture.mode]
    # Of equal height, because Pillow picks the order of its two passes by the size of a band.
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


def _write_png(file: BinaryIO, bands: Iterator[Image.Image], sheet: _Sheet) -> None:
    colour = {"L": 0, "RGB": 2, "LA": 4, "RGBA": 6}[sheet.mode]
    file.write(png.SIGNATURE)
    png.write_chunk(file, b"IHDR", struct.pack(">IIBBBBB", *sheet.size, 8, colour, 0, 0, 0))
    png.write_chunk(file, b"iCCP", b"ICC profile\x00\x00" + zlib.compress(sheet.icc))
    png.write_chunk(file, b"pHYs", density(sheet.dpi))
    for piece in _deflated(bands):
        png.write_chunk(file, b"IDAT", piece)
    png.write_chunk(file, b"IEND", b"")


def _deflated(bands: Iterator[Image.Image]) -> Iterator[bytes]:
    """Rows as PNG and PDF store them: each predicted from its neighbours by Paeth's filter, then deflated.

    Runs and Huffman codes only (Z_RLE): for filtered photographs that is both faster and smaller than
    searching for repetitions.
    """
    deflate = zlib.compressobj(1, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
    above: np.ndarray | None = None
    for band in bands:
        array = np.asarray(band)
        rows = array.reshape(array.shape[0], -1).astype(np.int16)
        channels = len(band.getbands())
        filtered = np.empty((rows.shape[0], rows.shape[1] + 1), np.uint8)
        filtered[:, 0] = 4
        filtered[:, 1:] = _paeth(rows, np.zeros_like(rows[0]) if above is None else above, channels)
        above = rows[-1]
        yield deflate.compress(filtered.data)
    yield deflate.flush()


def _paeth(rows: np.ndarray, above: np.ndarray, channels: int) -> np.ndarray:
    """What is left of int16 rows after the prediction of the PNG specification (filter type 4)."""
    b = np.vstack([above[np.newaxis], rows[:-1]])
    a, c = np.zeros_like(rows), np.zeros_like(rows)
    a[:, channels:] = rows[:, :-channels]
    c[:, channels:] = b[:, :-channels]
    to_a, to_b = np.abs(b - c), np.abs(a - c)
    to_c = np.abs(a + b - 2 * c)
    predicted = np.where((to_a <= to_b) & (to_a <= to_c), a, np.where(to_b <= to_c, b, c))
    return (rows - predicted).astype(np.uint8)


def _write_tiff(file: BinaryIO, bands: Iterator[Image.Image], sheet: _Sheet) -> None:
    """Every band becomes one LZW strip; Pillow makes the strip, and the directory follows at the end."""
    file.write(b"II*\x00\x00\x00\x00\x00")
    offsets, counts, rows_per_strip = [], [], 0
    for band in bands:
        rows_per_strip = rows_per_strip or band.height
        alone = io.BytesIO()
        band.save(
            alone, "TIFF", compression="tiff_lzw", tiffinfo={_TIFF_PREDICTOR: 2, _TIFF_ROWS_PER_STRIP: band.height}
        )
        alone.seek(0)
        with Image.open(alone, formats=("TIFF",)) as strip:
            assert isinstance(strip, TiffImagePlugin.TiffImageFile)  # noqa: S101 - for the type checker
            (offset,), (count,) = strip.tag_v2[_TIFF_OFFSETS], strip.tag_v2[_TIFF_COUNTS]
        offsets.append(file.tell())
        counts.append(count)
        file.write(alone.getbuffer()[offset : offset + count])
        file.write(b"\x00" * (count % 2))  # offsets are even

    at = file.tell()
    resolution = round(sheet.dpi * 1000), 1000
    file.write(
        _tiff_directory(
            at,
            (256, "I", sheet.size[:1]),
            (257, "I", sheet.size[1:]),
            (258, "H", (8,) * len(sheet.mode)),
            (259, "H", (5,)),  # LZW
            (262, "H", (2 if sheet.mode.startswith("RGB") else 1,)),
            (_TIFF_OFFSETS, "I", offsets),
            (277, "H", (len(sheet.mode),)),
            (_TIFF_ROWS_PER_STRIP, "I", (rows_per_strip,)),
            (_TIFF_COUNTS, "I", counts),
            (282, "Q", resolution),
            (283, "Q", resolution),
            (284, "H", (1,)),  # the channels of a pixel lie together
            (296, "H", (2,)),  # inches
            (_TIFF_PREDICTOR, "H", (2,)),
            *([(338, "H", (2,))] if sheet.mode.endswith("A") else []),  # colours not multiplied with the alpha
            (34675, "B", sheet.icc),
        )
    )
    file.seek(4)
    file.write(struct.pack("<I", at))


_TIFF_OFFSETS, _TIFF_ROWS_PER_STRIP, _TIFF_COUNTS, _TIFF_PREDICTOR = 273, 278, 279, 317
_TIFF_TYPES = {"H": (3, "H", 1), "I": (4, "I", 1), "Q": (5, "I", 2), "B": (7, "B", 1)}
"""SHORT, LONG, RATIONAL (two numbers each) and UNDEFINED: number of the type, how to pack it, numbers per value."""


def _tiff_directory(at: int, *entries: tuple[int, str, Sequence[int]]) -> bytes:
    """Little-endian, to be written at this offset; values longer than four bytes follow it. Entries go up by tag."""
    head = struct.pack("<H", len(entries))
    values = b""
    values_at = at + 2 + 12 * len(entries) + 4
    for tag, kind, numbers in entries:
        type_number, code, per_value = _TIFF_TYPES[kind]
        packed = struct.pack(f"<{len(numbers)}{code}", *numbers)
        head += struct.pack("<HHI", tag, type_number, len(numbers) // per_value)
        if len(packed) <= 4:
            head += packed.ljust(4, b"\x00")
        else:
            head += struct.pack("<I", values_at + len(values))
            values += packed + b"\x00" * (len(packed) % 2)
    return head + struct.pack("<I", 0) + values


def _write_jpeg(file: BinaryIO, bands: Iterator[Image.Image], sheet: _Sheet) -> None:
    whole = Image.new(sheet.mode, sheet.size)
    top = 0
    for band in bands:
        whole.paste(band, (0, top))
        top += band.height
    whole_dpi = round(sheet.dpi)
    whole.save(file, "JPEG", quality=JPEG_QUALITY, subsampling=0, dpi=(whole_dpi, whole_dpi), icc_profile=sheet.icc)


def _write_pdf(file: BinaryIO, bands: Iterator[Image.Image], sheet: _Sheet, paper: Paper, bleed_mm: float) -> None:
    """One page with one lossless picture from edge to edge, its boxes set for the trim."""
    # Loaded here, because most programs that import this module never write a PDF.
    from pypdf import PdfWriter
    from pypdf.generic import ArrayObject, DictionaryObject, NameObject, NumberObject, RectangleObject, StreamObject

    colours = NumberObject(len(sheet.mode))
    writer = PdfWriter()
    profile = StreamObject()
    profile.set_data(sheet.icc)
    profile.update({NameObject("/N"): colours})
    picture = StreamObject()
    picture.set_data(b"".join(_deflated(bands)))
    picture.update(
        {
            NameObject("/Type"): NameObject("/XObject"),
            NameObject("/Subtype"): NameObject("/Image"),
            NameObject("/Width"): NumberObject(sheet.size[0]),
            NameObject("/Height"): NumberObject(sheet.size[1]),
            NameObject("/BitsPerComponent"): NumberObject(8),
            NameObject("/ColorSpace"): ArrayObject([NameObject("/ICCBased"), writer._add_object(profile)]),
            NameObject("/Filter"): NameObject("/FlateDecode"),
            NameObject("/DecodeParms"): DictionaryObject(
                {
                    NameObject("/Predictor"): NumberObject(15),
                    NameObject("/Colors"): colours,
                    NameObject("/BitsPerComponent"): NumberObject(8),
                    NameObject("/Columns"): NumberObject(sheet.size[0]),
                }
            ),
        }
    )
    bleed = bleed_mm / MM_PER_INCH * POINTS_PER_INCH
    across, down = paper.size.width_in * POINTS_PER_INCH + 2 * bleed, paper.size.height_in * POINTS_PER_INCH + 2 * bleed
    drawing = StreamObject()
    drawing.set_data(f"{across:.4f} 0 0 {down:.4f} 0 0 cm /Picture Do".encode())
    page = writer.add_blank_page(across, down)
    page.bleedbox = RectangleObject((0, 0, across, down))
    page.trimbox = RectangleObject((bleed, bleed, across - bleed, down - bleed))
    page[NameObject("/Contents")] = writer._add_object(drawing)
    page[NameObject("/Resources")] = DictionaryObject(
        {NameObject("/XObject"): DictionaryObject({NameObject("/Picture"): writer._add_object(picture)})}
    )
    writer.write(file)
