"""TIFF, strip by strip."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from PIL import Image, TiffImagePlugin

from journey.printing.shop.sheet import Sheet


def write_tiff(file: BinaryIO, bands: Iterator[Image.Image], sheet: Sheet) -> None:
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
            *([(338, "H", (2,))] if sheet.mode.endswith("A") else []),  # colours are not multiplied by alpha
            (34675, "B", sheet.icc),
        )
    )
    file.seek(4)
    file.write(struct.pack("<I", at))


_TIFF_OFFSETS, _TIFF_ROWS_PER_STRIP, _TIFF_COUNTS, _TIFF_PREDICTOR = 273, 278, 279, 317
_TIFF_TYPES = {"H": (3, "H", 1), "I": (4, "I", 1), "Q": (5, "I", 2), "B": (7, "B", 1)}
"""SHORT, LONG, RATIONAL (two numbers each) and UNDEFINED: number of the type, how to pack it, numbers per value."""


def _tiff_directory(at: int, *entries: tuple[int, str, Sequence[int]]) -> bytes:
    """Little-endian, to be written at this offset; values of over four bytes follow it. Entries must go up by tag."""
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
