"""The segments of a JPEG: copied without decoding, and written."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from journey.errors import PictureRefused
from journey.pictures.rows import BAND_PIXELS, Strips, to_array, to_image
from journey.printing.shop.colours import srgb
from journey.printing.shop.progress import Work
from journey.printing.shop.sheet import Sheet
from journey.printing.shop.specs import Profile

JPEG_QUALITY = 95
_JOINT_ROWS = 64
"""A restart marker stands after each 8 rows of pixels, and they are numbered 0 to 7: the last is due after so many."""

_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_DHT, _DAC, _SOI, _EOI, _SOS, _DQT, _DNL, _DRI = 0xC4, 0xCC, 0xD8, 0xD9, 0xDA, 0xDB, 0xDC, 0xDD
_LAST_RESTART = 0xD7
_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
_KEPT = _SOF | {_DHT, _DAC, _SOS, _DQT, _DNL, _DRI}
_ICC_MARK = b"ICC_PROFILE\x00"
_ADOBE_LENGTH = 12
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
_DAMAGED = "The JPEG is damaged or cut short. Save or download it again and try once more."


@dataclass(frozen=True)
class _Segment:
    """`data` is what follows the length; `scan` holds the coded pixels that follow a start of scan."""

    marker: int
    data: bytes
    scan: bytes = b""


def _jpeg_segments(jpeg: bytes) -> Iterator[_Segment]:
    """Every segment up to the end of the picture; what some cameras add after it is ignored."""
    at = 2
    while at < len(jpeg):
        if jpeg[at] != 0xFF:
            raise PictureRefused(_DAMAGED)
        while jpeg[at : at + 1] == b"\xff":
            at += 1
        marker = jpeg[at : at + 1]
        if not marker or marker[0] == _EOI:
            return
        at += 1
        if marker[0] == 0x01 or 0xD0 <= marker[0] <= _SOI:  # markers without a length
            continue
        length = int.from_bytes(jpeg[at : at + 2], "big")
        end = at + length
        if length < 2 or end > len(jpeg):
            raise PictureRefused(_DAMAGED)
        data = jpeg[at + 2 : end]
        at = end
        if marker[0] == _SOS:
            found = _NEXT_MARKER.search(jpeg, end)
            at = found.start() if found else len(jpeg)
        yield _Segment(marker[0], data, jpeg[end:at])


def copy_jpeg(source: Path, target: BinaryIO, dpi: float, work: Work) -> tuple[int, int, Profile]:
    segments = list(_jpeg_segments(source.read_bytes()))
    work.check()
    frame = next((each.data for each in segments if each.marker in _SOF and len(each.data) >= 6), None)
    if frame is None or not any(each.marker == _SOS for each in segments):
        raise PictureRefused(_DAMAGED)
    height, width, components = struct.unpack(">HHB", frame[1:6])
    profiles = [each for each in segments if each.marker == _APP2 and each.data.startswith(_ICC_MARK)]
    adobe = [each for each in segments if each.marker == _APP14 and each.data.startswith(b"Adobe")][:1]
    is_jfif = any(each.marker == _APP0 and each.data.startswith(b"JFIF\x00") for each in segments)
    described: Profile = "source"
    if not profiles:
        described = "sRGB" if components == 3 else "none"
        profiles = [_Segment(_APP2, _ICC_MARK + b"\x01\x01" + srgb())] if components == 3 else []

    out = [_density_segment(dpi, jfif=is_jfif or _is_plain(frame, adobe))]
    out += profiles
    out += [_Segment(_APP14, each.data[:_ADOBE_LENGTH]) for each in adobe]
    out += [each for each in segments if each.marker in _KEPT]
    target.write(bytes((0xFF, _SOI)))
    target.writelines(_marked(each) for each in out)
    target.write(bytes((0xFF, _EOI)))
    return width, height, described


def write_jpeg(file: BinaryIO, bands: Iterator[Image.Image], sheet: Sheet) -> None:
    """Every piece of 64 rows, or of a multiple, is a JPEG that Pillow makes; a restart marker joins two of them.

    After such a marker nothing depends on the rows before it, so the pixels are those of a JPEG made at once.
    """
    width, height = sheet.size
    side = max(1, BAND_PIXELS // width // _JOINT_ROWS) * _JOINT_ROWS
    strips = Strips(width, height, len(sheet.mode), side)
    whole_dpi = round(sheet.dpi)
    for band in bands:
        for number, strip in strips.of(to_array(band)):
            piece = io.BytesIO()
            to_image(strip).save(
                piece,
                "JPEG",
                quality=JPEG_QUALITY,
                subsampling=0,
                dpi=(whole_dpi, whole_dpi),
                icc_profile=None if number else sheet.icc,
                restart_marker_rows=1,
            )
            segments = list(_jpeg_segments(piece.getvalue()))
            if number:
                file.write(bytes((0xFF, _LAST_RESTART)) + segments[-1].scan)
            else:
                file.write(bytes((0xFF, _SOI)))
                file.writelines(_marked(_of_height(each, height)) for each in segments)
    file.write(bytes((0xFF, _EOI)))


def _of_height(segment: _Segment, height: int) -> _Segment:
    """The same segment, but a frame says that the picture has so many rows."""
    if segment.marker not in _SOF:
        return segment
    return replace(segment, data=segment.data[:1] + struct.pack(">H", height) + segment.data[3:])


def _marked(segment: _Segment) -> bytes:
    return struct.pack(">BBH", 0xFF, segment.marker, len(segment.data) + 2) + segment.data + segment.scan


def _is_plain(frame: bytes, adobe: Sequence[_Segment]) -> bool:
    """Whether the colours keep their meaning after a JFIF header, which says grey or YCbCr."""
    components = frame[5]
    if components == 1:
        return True
    if components != 3:
        return False
    if adobe:
        return adobe[0].data[_ADOBE_LENGTH - 1 : _ADOBE_LENGTH] == b"\x01"
    return bytes(frame[6:15:3]) != b"RGB"


def _density_segment(dpi: float, *, jfif: bool) -> _Segment:
    """The DPI in a JFIF header, or in an EXIF one that holds nothing else."""
    if jfif:
        return _Segment(_APP0, struct.pack(">5sHBHHBB", b"JFIF", 0x0101, 1, round(dpi), round(dpi), 0, 0))
    entries = (
        struct.pack(">HHII", 0x011A, 5, 1, 50),  # XResolution, at 50
        struct.pack(">HHII", 0x011B, 5, 1, 58),  # YResolution, at 58
        struct.pack(">HHIHH", 0x0128, 3, 1, 2, 0),  # ResolutionUnit: inches
    )
    resolution = struct.pack(">II", round(dpi * 1000), 1000)
    return _Segment(
        _APP1,
        b"Exif\x00\x00MM\x00*"
        + struct.pack(">IH", 8, len(entries))
        + b"".join(entries)
        + struct.pack(">I", 0)
        + resolution * 2,
    )
