"""The segments of a JPEG: copied without decoding, and written."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from journey.errors import PictureRefused
from journey.pictures.profiles import srgb
from journey.pictures.reading import Reading
from journey.pictures.rows import BAND_PIXELS, Strips, to_array, to_image
from journey.pictures.segments import (
    APP1,
    APP14,
    DAMAGED,
    EOI,
    FRAMES,
    SOI,
    SOS,
    Segment,
    profile_segments,
    segments,
)
from journey.printing.shop.progress import Work
from journey.printing.shop.sheet import Sheet

JPEG_QUALITY = 95
_JOINT_ROWS = 64
"""A restart marker stands after each 8 rows of pixels, and they are numbered 0 to 7: the last is due after so many."""

_DHT, _DAC, _DQT, _DNL, _DRI = 0xC4, 0xCC, 0xDB, 0xDC, 0xDD
_LAST_RESTART = 0xD7
_APP0 = 0xE0
_KEPT = FRAMES | {_DHT, _DAC, SOS, _DQT, _DNL, _DRI}
_ADOBE_LENGTH = 12


def copy_jpeg(source: Path, target: BinaryIO, dpi: float | None, reading: Reading, work: Work) -> None:
    """Copy what shows the picture, with the colours that `reading` found and this DPI, or none."""
    found = list(segments(source.read_bytes()))
    work.check()
    frame = next((each.data for each in found if each.marker in FRAMES and len(each.data) >= 6), None)
    if frame is None or not any(each.marker == SOS for each in found):
        raise PictureRefused(DAMAGED)
    adobe = [each for each in found if each.marker == APP14 and each.data.startswith(b"Adobe")][:1]
    is_jfif = any(each.marker == _APP0 and each.data.startswith(b"JFIF\x00") for each in found)
    profile = reading.colours.of_a_copy or (srgb() if frame[5] == 3 else None)

    out = [] if dpi is None else _density_segments(dpi, jfif=is_jfif or _is_plain(frame, adobe))
    out += profile_segments(profile) if profile else []
    out += [Segment(APP14, each.data[:_ADOBE_LENGTH]) for each in adobe]
    out += [each for each in found if each.marker in _KEPT]
    target.write(bytes((0xFF, SOI)))
    target.writelines(_marked(each) for each in out)
    target.write(bytes((0xFF, EOI)))


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
                quality=JPEG_QUALITY,
                subsampling=0,
                icc_profile=None if number else sheet.icc,
                restart_marker_rows=1,
            )
            found = list(segments(piece.getvalue()))
            if number:
                file.write(bytes((0xFF, _LAST_RESTART)) + found[-1].scan)
            else:
                found = [*_density_segments(sheet.dpi, jfif=True), *(each for each in found if each.marker != _APP0)]
                file.write(bytes((0xFF, SOI)))
                file.writelines(_marked(_of_height(each, height)) for each in found)
    file.write(bytes((0xFF, EOI)))


def _of_height(segment: Segment, height: int) -> Segment:
    """The same segment, but a frame says that the picture has so many rows."""
    if segment.marker not in FRAMES:
        return segment
    return replace(segment, data=segment.data[:1] + struct.pack(">H", height) + segment.data[3:])


def _marked(segment: Segment) -> bytes:
    return struct.pack(">BBH", 0xFF, segment.marker, len(segment.data) + 2) + segment.data + segment.scan


def _is_plain(frame: bytes, adobe: Sequence[Segment]) -> bool:
    """Whether the colours keep their meaning after a JFIF header, which says grey or YCbCr."""
    components = frame[5]
    if components == 1:
        return True
    if components != 3:
        return False
    if adobe:
        return adobe[0].data[_ADOBE_LENGTH - 1 : _ADOBE_LENGTH] == b"\x01"
    return bytes(frame[6:15:3]) != b"RGB"


def _density_segments(dpi: float, *, jfif: bool) -> list[Segment]:
    """The DPI in a JFIF header, which counts in whole numbers, or else in an EXIF one that holds nothing else."""
    is_whole = jfif and float(dpi).is_integer()
    unit, density = (1, round(dpi)) if is_whole else (0, 1)
    header = [Segment(_APP0, struct.pack(">5sHBHHBB", b"JFIF", 0x0101, unit, density, density, 0, 0))] if jfif else []
    return header if is_whole else [*header, _exif_density(dpi)]


def _exif_density(dpi: float) -> Segment:
    entries = (
        struct.pack(">HHII", 0x011A, 5, 1, 50),  # XResolution, at 50
        struct.pack(">HHII", 0x011B, 5, 1, 58),  # YResolution, at 58
        struct.pack(">HHIHH", 0x0128, 3, 1, 2, 0),  # ResolutionUnit: inches
    )
    resolution = struct.pack(">II", round(dpi * 1000), 1000)
    return Segment(
        APP1,
        b"Exif\x00\x00MM\x00*"
        + struct.pack(">IH", 8, len(entries))
        + b"".join(entries)
        + struct.pack(">I", 0)
        + resolution * 2,
    )
