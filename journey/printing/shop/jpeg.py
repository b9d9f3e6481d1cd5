"""JPEG, written piece by piece."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from PIL import Image

from journey.pictures.copying import density_segments
from journey.pictures.rows import BAND_PIXELS, Strips, to_array, to_image
from journey.pictures.segments import APP0, EOI, FRAMES, SOI, Segment, marked, segments
from journey.printing.shop.sheet import Sheet

_JOINT_ROWS = 64
"""A restart marker stands after each 8 rows of pixels, and they are numbered 0 to 7: the last is due after so many."""
_LAST_RESTART = 0xD7


def write_jpeg(file: BinaryIO, bands: Iterator[Image.Image], sheet: Sheet) -> None:
    """Every piece of 64 rows, or of a multiple, is a JPEG that Pillow makes; a restart marker joins two of them.

    After such a marker nothing depends on the rows before it, so the pixels are those of a JPEG made at once.
    """
    width, height = sheet.size
    side = max(1, BAND_PIXELS // width // _JOINT_ROWS) * _JOINT_ROWS
    strips = Strips(width, height, len(sheet.mode), side)
    for band in bands:
        for number, strip in strips.of(to_array(band)):
            piece = io.BytesIO()
            to_image(strip).save(
                piece,
                "JPEG",
                quality=sheet.quality,
                subsampling=0,
                icc_profile=None if number else sheet.icc,
                restart_marker_rows=1,
            )
            found = list(segments(piece.getvalue()))
            if number:
                file.write(bytes((0xFF, _LAST_RESTART)) + found[-1].scan)
            else:
                found = [*density_segments(sheet.dpi, jfif=True), *(each for each in found if each.marker != APP0)]
                file.write(bytes((0xFF, SOI)))
                file.writelines(marked(_of_height(each, height)) for each in found)
    file.write(bytes((0xFF, EOI)))


def _of_height(segment: Segment, height: int) -> Segment:
    """The same segment, but a frame says that the picture has so many rows."""
    if segment.marker not in FRAMES:
        return segment
    return replace(segment, data=segment.data[:1] + struct.pack(">H", height) + segment.data[3:])
