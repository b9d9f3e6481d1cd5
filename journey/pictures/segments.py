"""The segments of a JPEG, found without decoding a pixel."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from journey.errors import PictureRefused

FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Starts of a frame: they say the precision, the size and the components."""
PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
"""Those of a picture that comes in several rounds, all rows in each."""
SOI, EOI, SOS, APP0, APP1, APP2, APP14 = 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xE2, 0xEE
ICC_MARK = b"ICC_PROFILE\x00"
DAMAGED = "The JPEG is damaged or cut short. Save or download it again and try once more."

_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
_MARKER = re.compile(rb"\xff+([^\x00\xff])", re.DOTALL)


@dataclass(frozen=True)
class Segment:
    """`data` is what follows the length; `scan` holds the coded pixels that follow a start of scan."""

    marker: int
    data: bytes
    scan: bytes = b""


def segments(jpeg: bytes, *, with_scans: bool = True) -> Iterator[Segment]:
    """Every segment up to the end of the picture; without scans, up to the first start of one.

    Stray bytes between two are skipped, as all readers do, and what some cameras add after the picture is ignored.
    Raises PictureRefused when one is cut short.
    """
    at = 2
    while found := _MARKER.search(jpeg, at):
        marker = found[1][0]
        at = found.end()
        if marker == EOI:
            return
        if marker == 0x01 or 0xD0 <= marker <= SOI:  # markers without a length
            continue
        length = int.from_bytes(jpeg[at : at + 2])
        end = at + length
        if length < 2 or end > len(jpeg):
            raise PictureRefused(DAMAGED)
        data = jpeg[at + 2 : end]
        at = end
        if marker == SOS and not with_scans:
            yield Segment(marker, data)
            return
        if marker == SOS:
            after = _AFTER_SCAN.search(jpeg, end)
            at = after.start() if after else len(jpeg)
        yield Segment(marker, data, jpeg[end:at])


def profile_in(found: Iterable[Segment]) -> bytes | None:
    """The first whole profile in these segments; None when there is none, or when a part of it is missing."""
    parts: dict[int, bytes] = {}
    count = 0
    for each in found:
        if each.marker != APP2 or not each.data.startswith(ICC_MARK) or len(each.data) < len(ICC_MARK) + 2:
            continue
        number, of = each.data[len(ICC_MARK)], each.data[len(ICC_MARK) + 1]
        count = count or of
        # Some programs write a profile a second time; the first of each part counts.
        parts.setdefault(number, each.data[len(ICC_MARK) + 2 :])
    whole = [parts.get(number) for number in range(1, count + 1)]
    return b"".join(part for part in whole if part) if whole and all(whole) else None


def profile_segments(profile: bytes) -> list[Segment]:
    """A profile as the segments that hold it."""
    most = 65_519
    pieces = [profile[at : at + most] for at in range(0, len(profile), most)]
    return [
        Segment(APP2, ICC_MARK + bytes((number, len(pieces))) + piece) for number, piece in enumerate(pieces, start=1)
    ]


def marked(segment: Segment) -> bytes:
    """A segment as it stands in a file."""
    return struct.pack(">BBH", 0xFF, segment.marker, len(segment.data) + 2) + segment.data + segment.scan
