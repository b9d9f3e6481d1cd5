"""Whatever lies beside the pixels in a file changes none of them, and is in nothing that is made or sent."""

from __future__ import annotations

import io
import itertools
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from journey.pictures.copying import only_the_picture
from journey.pictures.decoding import decoded
from journey.pictures.previews import PREVIEW, THUMBNAIL, write_previews
from journey.pictures.profiles import srgb
from journey.pictures.rows import to_array
from journey.pictures.streaming import stream
from journey.printing import custom_paper
from journey.printing.shop import PrintSpec, exact_size, retag

FIELD = Path(__file__).parent / "field"
LIMIT = 10**7
SECRET = b"SECRET-PLACE"
SCENE = Image.open(FIELD / "scene.png").convert("RGB")
PAPER = custom_paper(96, 64, "mm")

KNOWN = (b"VP8 ", b"VP8L", b"VP8X", b"ICCP", b"EXIF", b"XMP ")
Side = tuple[bytes, bytes, int]
"""The name of a part, what is in it, and a number that says how it is odd."""


def encoded(kind: str, **more: object) -> bytes:
    file = io.BytesIO()
    SCENE.save(file, kind, **more)
    return file.getvalue()


PLAIN_PNG, PLAIN_JPEG = encoded("PNG"), encoded("JPEG", quality=95)
PLAIN_WEBP = encoded("WEBP", lossless=True)
LOSSY_WEBP = encoded("WEBP", quality=90)


def png(side: list[Side], order: int) -> bytes:
    """Chunks behind the header or behind the pixels, some with a wrong checksum, or without an end."""
    before, after = [], []
    for kind, data, odd in side:
        checksum = zlib.crc32(kind + data) ^ (odd % 3 == 0)
        chunk = struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)
        (after if odd % 2 else before).append(chunk)
    head, pixels, end = PLAIN_PNG[:33], PLAIN_PNG[33:-12], PLAIN_PNG[-12:]
    return head + b"".join(before) + pixels + b"".join(after) + (end if order % 4 else b"")


def jpeg(side: list[Side], order: int) -> bytes:
    """Segments before the tables, with fill bytes and stray bytes between them."""
    more = b""
    for kind, data, odd in side:
        stray = b"\xff" * (odd % 3) if odd % 5 or not more else b"\x00"
        more += stray + b"\xff" + kind + struct.pack(">H", len(data) + 2) + data
    return PLAIN_JPEG[:2] + more + PLAIN_JPEG[2:]


def webp(side: list[Side], order: int) -> bytes:
    """Chunks in any order around the image, odd ones padded with anything or not at all, and a size that is wrong."""
    plain = LOSSY_WEBP if order % 2 else PLAIN_WEBP
    length = struct.unpack("<I", plain[16:20])[0]
    parts = list(side)
    parts.insert(order % (len(parts) + 1), (plain[12:16], plain[20 : 20 + length], 0))
    if side or order % 3:
        flags = 0x2C if order % 5 else 0
        size = (SCENE.width - 1).to_bytes(3, "little") + (SCENE.height - 1).to_bytes(3, "little")
        parts.insert(0 if order % 7 else order % (len(parts) + 1), (b"VP8X", bytes((flags, 0, 0, 0)) + size, 0))
    body = b"WEBP"
    for (kind, data, odd), (following, _, _) in itertools.pairwise([*parts, (b"VP8 ", b"", 0)]):
        body += kind + struct.pack("<I", len(data)) + data
        if len(data) % 2:
            # Where a chunk begins that nobody knows, nobody can tell that the padding is missing.
            body += (b"\x00", b"\xff", b"" if following in KNOWN else b"\x00")[odd % 3]
    wrong = (0, 0, 0, 1, 7, 400)[order % 6]
    return b"RIFF" + struct.pack("<I", len(body) + wrong) + body


CONTENT = st.one_of(
    st.binary(max_size=120).map(lambda data: data + SECRET),
    st.just(b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00" + SECRET),
    st.just(b"comment\x00\x00" + zlib.compress(SECRET * 4000)),
)
BUILDERS: dict[str, tuple[Callable[[list[Side], int], bytes], tuple[bytes, ...]]] = {
    ".png": (png, (b"tEXt", b"zTXt", b"iTXt", b"pHYs", b"tIME", b"hIST", b"sPLT", b"eXIf", b"iCCP", b"prVt", b"caBX")),
    ".jpg": (jpeg, (b"\xe1", b"\xe2", b"\xe3", b"\xed", b"\xef", b"\xfe")),
    ".webp": (webp, (b"EXIF", b"XMP ", b"ICCP", b"ABCD", b"junk", b"prVt")),
}
USUAL = {
    ".png": (b"iCCP", b"sRGB\x00\x00" + zlib.compress(srgb())),
    ".jpg": (b"\xe2", b"ICC_PROFILE\x00\x01\x01" + srgb()),
    ".webp": (b"ICCP", srgb()),
}
"""A part that is needed: a profile."""


@pytest.mark.parametrize("ending", BUILDERS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), trailer=st.binary(max_size=200), order=st.integers(0, 839), has_profile=st.booleans())
def test_random_side_matter_changes_no_pixel_and_goes_nowhere(
    ending: str,
    data: st.DataObject,
    trailer: bytes,
    order: int,
    has_profile: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Pixels are equal, whole or by rows; preview, print files and what is sent hold no word of the side matter."""
    build, names = BUILDERS[ending]
    side = data.draw(st.lists(st.tuples(st.sampled_from(names), CONTENT, st.integers(0, 29)), max_size=5))
    if has_profile:
        side.insert(order % (len(side) + 1), (*USUAL[ending], 1 + 3 * (order % 2)))
    folder = tmp_path_factory.mktemp("side")
    path = folder / f"a{ending}"
    path.write_bytes(build(side, order) + (trailer + SECRET if trailer else b""))

    expected = io.BytesIO(PLAIN_JPEG if ending == ".jpg" else LOSSY_WEBP if order % 2 else PLAIN_WEBP)
    scene = np.asarray(SCENE if ending == ".png" else Image.open(expected).convert("RGB"))
    assert np.array_equal(scene, to_array(decoded(path, LIMIT)))
    assert np.array_equal(scene, stream(path, LIMIT, lambda picture: np.concatenate(list(picture.bands))))

    made = folder / "made"
    made.mkdir()
    sent = made / only_the_picture(path, LIMIT, made)
    assert np.array_equal(scene, to_array(decoded(sent, LIMIT)))
    kept = retag(path, made, title="kept").path
    assert np.array_equal(scene, to_array(decoded(kept, LIMIT)))
    exact_size(path, made, PrintSpec(PAPER, 25.4, "TIFF"), title="exact")
    exact_size(path, made, PrintSpec(PAPER, 25.4, "PDF"), title="exact")
    write_previews(decoded(path, LIMIT), made)
    assert {PREVIEW, THUMBNAIL, sent.name, kept.name} <= {each.name for each in made.iterdir()}
    assert [] == [each.name for each in made.iterdir() if SECRET in each.read_bytes()]
