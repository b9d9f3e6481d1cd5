"""Pictures copied without decoding: their pixels and their colours, and nothing else that was in the file."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

from journey.errors import PictureRefused
from journey.pictures import png
from journey.pictures.chunks import Chunk, chunks
from journey.pictures.decoding import decoded
from journey.pictures.kinds import FormatName
from journey.pictures.png import SIGNATURE, write_chunk
from journey.pictures.profiles import srgb
from journey.pictures.reading import DAMAGED, Reading, read
from journey.pictures.rows import to_array
from journey.pictures.segments import (
    APP0,
    APP1,
    APP14,
    EOI,
    FRAMES,
    SOI,
    SOS,
    Segment,
    marked,
    profile_segments,
    segments,
)

SENT_PNG, SENT_JPEG = "to-send.png", "to-send.jpg"
"""What the file for a service elsewhere is called."""
_PIECE = 1 << 20
_PIXELS = frozenset((b"IHDR", b"PLTE", b"IDAT", b"tRNS"))
_CURVES = frozenset((b"gAMA", b"cHRM", b"cICP"))
"""Kept as they are, where nothing better describes the pixels."""
_DHT, _DAC, _DQT, _DNL, _DRI = 0xC4, 0xCC, 0xDB, 0xDC, 0xDD
_KEPT = FRAMES | {_DHT, _DAC, SOS, _DQT, _DNL, _DRI}
_ADOBE_LENGTH = 12
_METRE_PER_INCH = 0.0254

Step = Callable[[], object]


class Copy(Protocol):
    """Copies what shows the picture, with the colours that `reading` found and this DPI, or none."""

    def __call__(
        self, source: Path, target: BinaryIO, reading: Reading, *, dpi: float | None = None, on_step: Step = ...
    ) -> None: ...


def only_the_picture(path: Path, max_pixels: int, folder: Path) -> str:
    """Write a picture upright, with its colours and nothing else, and return the name of the file.

    A PNG or JPEG that is not turned is copied without loss. A turned JPEG becomes one of quality 95 in all its colours,
    and all else a PNG. Raises PictureRefused.
    """
    reading = read(path, max_pixels)
    name = SENT_JPEG if reading.kind == "JPEG" else SENT_PNG
    if reading.is_upright and reading.colours.levels is None and (copy := COPIES.get(reading.kind)):
        with (folder / name).open("wb") as file:
            copy(path, file, reading)
    elif name == SENT_JPEG:
        image = decoded(path, max_pixels)
        image.save(folder / name, quality=95, subsampling=0, icc_profile=image.info.get("icc_profile") or srgb())
    else:
        image = decoded(path, max_pixels)
        png.write(folder / name, to_array(image), icc=image.info.get("icc_profile"))
    return name


def copy_png(
    source: Path, target: BinaryIO, reading: Reading, *, dpi: float | None = None, on_step: Step = lambda: None
) -> None:
    """Copy what shows the picture, with the colours that `reading` found and this DPI, or none."""
    has_pixels = False
    target.write(SIGNATURE)
    with source.open("rb") as file:
        for chunk in chunks(file):
            if chunk.kind not in _PIXELS and not (chunk.kind in _CURVES and _describes(chunk.kind, reading)):
                continue
            on_step()
            _copy_chunk(file, target, chunk)
            has_pixels = has_pixels or chunk.kind == b"IDAT"
            if chunk.kind == b"IHDR":
                if dpi is not None:
                    write_chunk(target, b"pHYs", density(dpi))
                _write_colours(target, reading)
    if not has_pixels:
        raise PictureRefused(DAMAGED)
    write_chunk(target, b"IEND", b"")


def _describes(kind: bytes, reading: Reading) -> bool:
    """Whether this chunk is the way in which the file says its colours."""
    if kind == b"cICP":
        return reading.said_by == "cICP"
    return reading.said_by == "gAMA"


def _write_colours(target: BinaryIO, reading: Reading) -> None:
    """A profile, also for readers that know no cICP and no gAMA; sRGB where the file says nothing else."""
    if profile := reading.colours.of_a_copy:
        write_chunk(target, b"iCCP", b"ICC profile\x00\x00" + zlib.compress(profile))
    else:
        write_chunk(target, b"sRGB", b"\x00")


def _copy_chunk(source: BinaryIO, target: BinaryIO, chunk: Chunk) -> None:
    """Copy a chunk byte for byte. Raises PictureRefused when it is cut short or its checksum is wrong."""
    target.write(struct.pack(">I", chunk.length))
    source.seek(chunk.at - 4)
    checksum, left = 0, chunk.length + 4
    while left:
        piece = source.read(min(left, _PIECE))
        if not piece:
            raise PictureRefused(DAMAGED)
        checksum = zlib.crc32(piece, checksum)
        target.write(piece)
        left -= len(piece)
    said = source.read(4)
    if said != struct.pack(">I", checksum):
        raise PictureRefused(DAMAGED)
    target.write(said)


def density(dpi: float) -> bytes:
    """What a PNG says of its resolution: whole pixels per metre."""
    per_metre = round(dpi / _METRE_PER_INCH)
    return struct.pack(">IIB", per_metre, per_metre, 1)


def copy_jpeg(
    source: Path, target: BinaryIO, reading: Reading, *, dpi: float | None = None, on_step: Step = lambda: None
) -> None:
    """Copy what shows the picture, with the colours that `reading` found and this DPI, or none."""
    found = list(segments(source.read_bytes()))
    on_step()
    frame = next((each.data for each in found if each.marker in FRAMES and len(each.data) >= 6), None)
    if frame is None or not any(each.marker == SOS for each in found):
        raise PictureRefused(DAMAGED)
    adobe = [each for each in found if each.marker == APP14 and each.data.startswith(b"Adobe")][:1]
    is_jfif = any(each.marker == APP0 and each.data.startswith(b"JFIF\x00") for each in found)
    profile = reading.colours.of_a_copy or (srgb() if frame[5] == 3 else None)

    out = [] if dpi is None else density_segments(dpi, jfif=is_jfif or _is_plain(frame, adobe))
    out += profile_segments(profile) if profile else []
    out += [Segment(APP14, each.data[:_ADOBE_LENGTH]) for each in adobe]
    out += [each for each in found if each.marker in _KEPT]
    target.write(bytes((0xFF, SOI)))
    target.writelines(marked(each) for each in out)
    target.write(bytes((0xFF, EOI)))


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


def density_segments(dpi: float, *, jfif: bool) -> list[Segment]:
    """The DPI in a JFIF header, which counts in whole numbers, or else in an EXIF one that holds nothing else."""
    is_whole = jfif and float(dpi).is_integer()
    unit, density = (1, round(dpi)) if is_whole else (0, 1)
    header = [Segment(APP0, struct.pack(">5sHBHHBB", b"JFIF", 0x0101, unit, density, density, 0, 0))] if jfif else []
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


COPIES: Mapping[FormatName, Copy] = {"PNG": copy_png, "JPEG": copy_jpeg}
"""The kinds of picture that can be copied without decoding."""
