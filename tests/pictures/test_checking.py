"""Untrusted bytes: pictures come in with the right pixels, and everything else is refused with the reason."""

from __future__ import annotations

import io
import os
import signal
import struct
import sys
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from journey.errors import PictureRefused
from journey.pictures import checking as images
from journey.pictures import profiles
from journey.pictures.checking import Decoder, Limits, inspect
from journey.pictures.kinds import sniff
from journey.pictures.png import write as write_png
from journey.pictures.previews import PREVIEW, PREVIEW_SIDE, THUMBNAIL, THUMBNAIL_SIDE
from tests.harness.engines import encoded, gradient
from tests.harness.standing import wait_for
from tests.harness.worker_jobs import own_pid

LIMIT = 25_000_000
FORMATS = ["PNG", "JPEG", "WEBP"]
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
GREY = profiles.grey_profile("grey", profiles.gamma(2.2))
"""A grey profile that is only a header, because nothing else of it is read."""


@dataclass(frozen=True)
class Pixels:
    """All pixels of a picture, of shape (height, width, channels), and the profile that describes them."""

    array: np.ndarray
    icc: bytes | None


def read(decoder: Decoder, path: Path, scratch: Path) -> Pixels:
    with decoder.rows(path, scratch) as rows:
        return Pixels(rows.read(0, rows.height), rows.icc)


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    decoder = Decoder(Limits(LIMIT, 100_000_000))
    decoder.start()
    yield decoder
    decoder.stop()


@pytest.fixture
def decoded(decoder: Decoder, tmp_path: Path) -> Callable[[bytes], tuple[images.Picture, Pixels]]:
    """Takes bytes in and gives what is known of the picture, and its pixels."""

    def take(data: bytes) -> tuple[images.Picture, Pixels]:
        path = tmp_path / "incoming"
        path.write_bytes(data)
        picture = decoder.check(path)
        assert picture == inspect(path, max_pixels=LIMIT)
        pixels = read(decoder, path, tmp_path)
        assert (picture.height, picture.width, picture.channels) == pixels.array.shape
        return picture, pixels

    return take


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *, depth: int = 8, colour: int = 2, data: bytes = b"", more: bytes = b"") -> bytes:
    """A PNG with any header; `data` are its rows before compression."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + more + body


def with_chunk(data: bytes, kind: bytes, content: bytes, *, late: bool = False) -> bytes:
    """A PNG with one more chunk, after its header or before its end."""
    at = len(data) - 12 if late else 33
    return data[:at] + chunk(kind, content) + data[at:]


def refusal(data: bytes, tmp_path: Path) -> str:
    path = tmp_path / "refused"
    path.write_bytes(data)
    with pytest.raises(PictureRefused) as caught:
        inspect(path, max_pixels=LIMIT)
    return str(caught.value)


def jpeg_header(width: int, height: int) -> bytes:
    data = bytearray(encoded(Image.new("RGB", (8, 8)), "JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def webp_header(kind: bytes, width: int, height: int) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = {
        b"VP8X": bytes(4) + size,
        b"VP8L": b"\x2f" + ((width - 1) | (height - 1) << 14).to_bytes(4, "little") + bytes(5),
        b"VP8 ": b"\x00\x00\x00\x9d\x01\x2a" + width.to_bytes(2, "little") + height.to_bytes(2, "little"),
    }[kind]
    content = b"WEBP" + kind + len(body).to_bytes(4, "little") + body
    return b"RIFF" + len(content).to_bytes(4, "little") + content


# What is too large

BOMBS = {
    "png header": png(50_000, 50_000),
    "png of zeros": png(9_500, 9_500, depth=1, colour=0, data=bytes(9_500 * 1_189)),
    "png side": png(2**31 - 1, 1),
    "jpeg header": jpeg_header(65_535, 65_535),
    "webp header": webp_header(b"VP8X", 16_384, 16_384),
    "lossless webp header": webp_header(b"VP8L", 16_384, 16_384),
    "lossy webp header": webp_header(b"VP8 ", 16_383, 16_383),
}


@pytest.mark.parametrize("name", BOMBS)
def test_too_many_pixels_are_refused_before_decoding(name: str, tmp_path: Path) -> None:
    """A small file that promises too many pixels is refused by its header, and the sentence says how many."""
    before = psutil.Process().memory_info().rss
    assert "megapixels; the limit is 25" in refusal(BOMBS[name], tmp_path)
    assert 20 * 2**20 > psutil.Process().memory_info().rss - before


def test_reading_a_header_decodes_nothing(tmp_path: Path) -> None:
    """Inspecting tells the size of a PNG whose pixels are missing, because it never gets to them."""
    path = tmp_path / "a.png"
    path.write_bytes(png(4_000, 3_000))
    assert (4_000, 3_000) == (inspect(path, max_pixels=LIMIT).width, inspect(path, max_pixels=LIMIT).height)


# What is broken


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("percent", [0, 1, 10, 50, 99])
def test_a_picture_cut_short_is_refused(kind: str, percent: int, decoder: Decoder, tmp_path: Path) -> None:
    """A truncated file of any format is refused, not filled up with grey."""
    whole = encoded(gradient(200, 150), kind)
    path = tmp_path / "cut"
    path.write_bytes(whole[: len(whole) * percent // 100])
    with pytest.raises(PictureRefused, match=r"cut short|empty|not a picture"):
        decoder.check(path)


def survives(data: bytes, path: Path) -> None:
    """Check that the bytes are a picture or are refused; anything else is a bug."""
    path.write_bytes(data)
    try:
        picture = images._check(path, 1_000_000)
    except PictureRefused:
        return
    assert picture.width * picture.height <= 1_000_000


def flipped(data: bytes, bits: list[float]) -> bytes:
    changed = bytearray(data)
    for place in bits:
        at = int(place * 8 * len(data))
        changed[at // 8] ^= 1 << at % 8
    return bytes(changed)


VICTIMS = {
    "PNG": encoded(gradient(40, 30).convert("P"), "PNG", transparency=3, icc_profile=SRGB, dpi=(72, 72)),
    "JPEG": encoded(gradient(40, 30), "JPEG", icc_profile=SRGB[:200], progressive=True, exif=Image.Exif()),
    "WEBP": encoded(gradient(40, 30).convert("RGBA"), "WEBP", icc_profile=SRGB[:200], exif=b"Exif\0\0" + bytes(40)),
}
flips = st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=6)


@pytest.mark.parametrize("kind", FORMATS)
def test_flipped_bits_are_a_picture_or_refused(kind: str, tmp_path: Path) -> None:
    """A few flipped bits lead to a picture within the limits or to a refusal, never to another error."""

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(flips)
    def check(bits: list[float]) -> None:
        survives(flipped(VICTIMS[kind], bits), tmp_path / "flipped")

    check()


@pytest.mark.torture
@pytest.mark.parametrize("kind", FORMATS)
def test_many_flipped_bits_are_a_picture_or_refused(kind: str, tmp_path: Path) -> None:
    """In 300 examples, flipped bits in the header or anywhere lead to a picture or to a refusal."""

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(flips, st.booleans())
    def check(bits: list[float], header: bool) -> None:
        survives(flipped(VICTIMS[kind], [bit / 8 if header else bit for bit in bits]), tmp_path / "flipped")

    check()


def with_endless_scans(size: int) -> bytes:
    """A progressive JPEG of two megabytes that repeats its shortest scan, which goes through all blocks of pixels."""
    whole = encoded(Image.new("L", (size, size), "teal"), "JPEG", progressive=True)
    scans = [b"\xff\xda" + scan for scan in whole[:-2].split(b"\xff\xda")[1:]]
    shortest = min(scans[1:], key=len)
    return whole[:-2] + shortest * (2_000_000 // len(shortest)) + whole[-2:]


def test_few_bytes_do_not_hold_the_decoder(decoder: Decoder, tmp_path: Path) -> None:
    """A small picture that asks for hours of work is refused after the time that its pixels may take."""
    path = tmp_path / "endless.jpg"
    path.write_bytes(with_endless_scans(2000))
    before = time.monotonic()
    with pytest.raises(PictureRefused, match="within the limits"):
        decoder.check(path)
    assert 60 > time.monotonic() - before


def test_a_million_segments_take_no_memory(tmp_path: Path) -> None:
    """A JPEG of 34 MB that holds nothing but empty segments is refused before they are read."""
    whole = encoded(gradient(), "JPEG")
    hostile = whole[:2] + b"\xff\xe5\0\2" * (34 * 2**18) + whole[2:]
    tracemalloc.start()
    try:
        assert "more parts than any picture" in refusal(hostile, tmp_path)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 20 * 2**20 > most


@pytest.mark.skipif(sys.platform == "win32", reason="no process can be stopped there")
def test_a_decoder_that_hangs_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When its process hangs, a picture is read by the next one, and the decoder counts as stuck until then."""
    monkeypatch.setattr(images, "_HEADER_SECONDS", 1)
    path = tmp_path / "picture.png"
    path.write_bytes(encoded(gradient()))
    decoder = Decoder(Limits(LIMIT, LIMIT))
    try:
        os.kill(decoder.apply(own_pid, path, path), signal.SIGSTOP)
        with ThreadPoolExecutor(1) as waiting:
            found = waiting.submit(decoder.check, path)
            wait_for(lambda: decoder.is_stuck)
            assert (64, 48) == (found.result(30).width, found.result().height)
        assert not decoder.is_stuck
    finally:
        decoder.stop()


def test_facts_are_found_once_in_the_box(decoder: Decoder, tmp_path: Path) -> None:
    """The header of a stored picture is read in the decoder's process, once, and again when the file is another."""
    path = tmp_path / "picture.png"
    path.write_bytes(encoded(gradient()))
    assert decoder.inspect(path) is decoder.inspect(path)
    assert inspect(path, max_pixels=LIMIT) == decoder.inspect(path)
    path.write_bytes(encoded(gradient(20, 10)))
    assert (20, 10) == (decoder.inspect(path).width, decoder.inspect(path).height)


def test_ten_megabytes_of_exif_are_no_harm(decoded: Any) -> None:
    """Metadata of any size is left out like all metadata."""
    picture, _ = decoded(with_chunk(encoded(gradient()), b"eXIf", b"MM\0*\0\0\0\x08" + bytes(10 * 2**20)))
    assert (64, 48) == (picture.width, picture.height)


def test_a_compressed_profile_cannot_unpack_to_any_size(tmp_path: Path) -> None:
    """A colour profile of about 100 KB that unpacks to 100 MB is left out with a note, and the memory stays flat."""
    packer = zlib.compressobj()
    packed = b"".join(packer.compress(bytes(2**20)) for _ in range(100)) + packer.flush()
    before = psutil.Process().memory_info().rss
    path = tmp_path / "bomb.png"
    path.write_bytes(with_chunk(encoded(gradient()), b"iCCP", b"bomb\0\0" + packed))
    assert ("Its colour profile is broken or for other colours, so it was left out.",) == inspect(
        path, max_pixels=10**6
    ).notes
    assert 50 * 2**20 > psutil.Process().memory_info().rss - before


# Other formats

OTHERS = {
    "a GIF": encoded(gradient(), "GIF"),
    "a BMP": encoded(gradient(), "BMP"),
    "a TIFF": encoded(gradient(), "TIFF"),
    "an icon": encoded(gradient(), "ICO"),
    "a PDF": b"%PDF-1.7\n",
    "a Photoshop file": b"8BPS\0\x01",
    "an SVG drawing": b'  <svg xmlns="http://www.w3.org/2000/svg"/>',
    "an XML or SVG file": b"\xef\xbb\xbf<?xml version='1.0'?>",
    "a web page": b"\n\n<!DOCTYPE html><html>",
    "a HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "an AVIF": encoded(gradient(), "AVIF") if "AVIF" in Image.SAVE else b"\0\0\0\x1cftypavif\0\0\0\0",
    "a video": b"\0\0\0\x18ftypisom\0\0\x02\0",
    "a ZIP archive": b"PK\x03\x04\x14\0",
    "a JPEG XL": b"\xff\x0a\xfa\x7f",
    "not a picture": b"RIFF\x10\0\0\0WAVEfmt ",
    "empty": b"",
}


@pytest.mark.parametrize("kind", OTHERS)
def test_other_formats_are_refused_by_their_bytes(kind: str, tmp_path: Path) -> None:
    """Whatever a file is called, its bytes decide; the sentence says what it is and what can be used."""
    said = refusal(OTHERS[kind], tmp_path)
    assert kind in said
    assert "Only PNG, JPEG and WebP" in said


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_animations_are_refused(kind: str, tmp_path: Path) -> None:
    """An animated PNG or WebP is refused as animated."""
    frames = [gradient(), gradient().rotate(90), gradient().rotate(180)]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
    assert "animated" in refusal(data, tmp_path)


def test_a_jpeg_with_a_second_picture_is_a_picture(decoded: Any) -> None:
    """A JPEG with a second picture, such as a phone's depth or gain map, is one picture and not an animation."""
    data = encoded(gradient(), "MPO", save_all=True, append_images=[gradient().convert("L")])
    assert "MPO" == Image.open(io.BytesIO(data)).format
    picture, _ = decoded(data)
    assert ("JPEG", 64, 48) == (picture.format, picture.width, picture.height)


# What comes in


def test_one_pixel_is_a_picture(decoded: Any) -> None:
    """The smallest picture comes in with its colour."""
    _, pixels = decoded(encoded(Image.new("RGB", (1, 1), (10, 20, 30))))
    assert [[[10, 20, 30]]] == pixels.array.tolist()


def exif_with(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Maker"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    exif.get_ifd(0x8769)[0x927C] = b"SECRET MAKER NOTE"
    return exif


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", FORMATS)
def test_every_orientation_comes_in_upright(kind: str, orientation: int, decoded: Any) -> None:
    """EXIF orientations 1 to 8 of every format end in the same upright picture."""
    upright = gradient()
    stored = upright if orientation == 1 else upright.transpose(
        {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[orientation]
    )  # fmt: skip
    options: dict[str, Any] = {"quality": 100, "subsampling": 0} if kind == "JPEG" else {"lossless": True}
    picture, pixels = decoded(encoded(stored, kind, exif=exif_with(orientation), **({} if kind == "PNG" else options)))
    assert (64, 48) == (picture.width, picture.height)
    assert 6 >= np.abs(pixels.array.astype(int) - np.asarray(upright)).max()


def test_orientation_behind_the_pixels_counts_as_well(decoded: Any) -> None:
    """A PNG whose EXIF comes after its pixels is turned upright as well."""
    exif = exif_with(6).tobytes().removeprefix(b"Exif\0\0")
    picture, _ = decoded(with_chunk(encoded(gradient()), b"eXIf", exif, late=True))
    assert (48, 64) == (picture.width, picture.height)


@pytest.mark.parametrize("exif", [b"", b"garbage", b"MM\0*\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff"], ids=repr)
def test_broken_exif_does_not_cost_the_picture(exif: bytes, decoded: Any) -> None:
    """A picture whose EXIF cannot be read comes in as if it had none."""
    picture, _ = decoded(encoded(gradient(), "JPEG", exif=b"Exif\0\0" + exif))
    assert (64, 48) == (picture.width, picture.height)


@pytest.mark.parametrize("kind", FORMATS)
def test_nothing_personal_gets_out(kind: str, decoder: Decoder, tmp_path: Path) -> None:
    """Position, maker notes, XMP and comments are in no preview and no result."""
    data = encoded(gradient(), kind, exif=exif_with(1), xmp=b"<x:xmpmeta>SECRET XMP</x:xmpmeta>")
    path = tmp_path / "incoming"
    path.write_bytes(with_chunk(data, b"tEXt", b"Comment\0SECRET TEXT") if kind == "PNG" else data)
    assert b"SECRET" in path.read_bytes()
    decoder.check(path)
    pixels = read(decoder, path, tmp_path)
    write_png(tmp_path / "result.png", pixels.array, icc=pixels.icc)
    for name in (PREVIEW, THUMBNAIL, "result.png"):
        written = (tmp_path / name).read_bytes()
        assert b"SECRET" not in written
        with Image.open(io.BytesIO(written)) as image:
            assert not image.getexif()
            assert {"exif", "xmp", "Comment"}.isdisjoint(image.info)


def test_cmyk_comes_in_with_the_right_colours(decoded: Any) -> None:
    """A CMYK JPEG keeps its colours instead of becoming a negative, and a note says that it was converted."""
    colours = Image.new("CMYK", (64, 48), (0, 255, 255, 0))
    picture, pixels = decoded(encoded(colours, "JPEG", quality=100))
    assert 5 >= np.abs(pixels.array.reshape(-1, 3).mean(0) - (255, 0, 0)).max()
    assert ("CMYK colours were converted to sRGB.",) == picture.notes
    assert pixels.icc is None


def test_a_broken_cmyk_profile_costs_only_itself(decoded: Any) -> None:
    """CMYK with an unusable profile is still converted, without the profile."""
    _, pixels = decoded(encoded(Image.new("CMYK", (8, 8), (255, 0, 0, 0)), "JPEG", icc_profile=b"CMYK" * 99))
    assert 5 >= np.abs(pixels.array[0, 0].astype(int) - (0, 255, 255)).max()


def test_palette_transparency_is_kept(decoded: Any) -> None:
    """A palette with one transparent colour, or with an alpha for each colour, becomes RGBA with that alpha."""
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putdata([0, 1])
    for transparency, alphas in ((1, [255, 0]), (b"\x80\xff", [128, 255])):
        _, pixels = decoded(encoded(image, transparency=transparency))
        assert [[255, 0, 0, alphas[0]], [0, 0, 255, alphas[1]]] == pixels.array[0].tolist()


def test_a_palette_without_transparency_is_rgb(decoded: Any) -> None:
    """A palette without transparency comes in as RGB, and no alpha is invented."""
    picture, _ = decoded(encoded(gradient().convert("P")))
    assert 3 == picture.channels


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_alpha_is_kept_to_the_level(kind: str, decoded: Any) -> None:
    """The colours and the alpha of RGBA come in unchanged."""
    image = gradient().convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    _, pixels = decoded(encoded(image, kind, **({"lossless": True, "exact": True} if kind == "WEBP" else {})))
    assert np.array_equal(np.asarray(image), pixels.array)


@pytest.mark.parametrize("mode", ["L", "LA", "1"])
def test_grey_stays_grey(mode: str, decoded: Any) -> None:
    """Grey with and without alpha, and black and white, keep their one colour channel."""
    image = gradient().convert("L").convert(mode)
    picture, pixels = decoded(encoded(image))
    assert {"L": 1, "LA": 2, "1": 1}[mode] == picture.channels
    assert np.array_equal(np.asarray(image.convert("L")), pixels.array[:, :, 0])


@pytest.mark.parametrize(("depth", "colour", "name"), [(1, 0, "1-bit"), (8, 0, "grey"), (16, 0, "16-bit grey")])
def test_one_transparent_grey_becomes_alpha(depth: int, colour: int, name: str, decoded: Any) -> None:
    """A grey PNG that names one value as transparent comes in as grey with alpha."""
    values = {1: b"\0\x40", 8: b"\0\0\xff", 16: b"\0\0\0\xff\xff"}[depth]
    transparent = chunk(b"tRNS", (2**depth - 1).to_bytes(2))
    _, pixels = decoded(png(2, 1, depth=depth, colour=colour, data=values, more=transparent))
    assert [[0, 255], [255, 0]] == pixels.array[0].tolist()


@pytest.mark.parametrize("depth", [8, 16])
def test_one_transparent_colour_becomes_alpha(depth: int, decoded: Any) -> None:
    """An RGB PNG that names one colour as transparent comes in as RGBA, with 16 bits as well."""
    dark, light = (b"\x12", b"\xf0") if depth == 8 else (b"\x12\x34", b"\xf0\xf0")
    row = b"\0" + 3 * dark + 3 * light
    named = 3 * light.rjust(2, b"\0")
    _, pixels = decoded(png(2, 1, depth=depth, data=row, more=chunk(b"tRNS", named)))
    assert [[18, 18, 18, 255], [240, 240, 240, 0]] == pixels.array[0].tolist()


@pytest.mark.parametrize(
    ("colour", "values", "said"),
    [
        (0, [0, 65_535, 32_768], "16-bit grey was reduced to 8 bits."),
        (2, [0, 65_535, 32_768], "16-bit colour was reduced to 8 bits."),
        (4, [32_768, 40_000], "16-bit grey was reduced to 8 bits."),
        (6, [0, 32_768, 65_535, 65_535], "16-bit colour was reduced to 8 bits."),
    ],
    ids=["grey", "rgb", "grey and alpha", "rgba"],
)
def test_sixteen_bits_are_reduced_on_purpose(colour: int, values: list[int], said: str, decoded: Any) -> None:
    """Reducing 16 bits keeps black, white and the middle where they were, and a note says what was done."""
    data = b"\0" + b"".join(value.to_bytes(2) for value in values)
    picture, pixels = decoded(png(3 if colour == 0 else 1, 1, depth=16, colour=colour, data=data))
    assert [round(value / 257) for value in values] == pixels.array.reshape(-1).tolist()
    assert (said,) == picture.notes


@pytest.mark.parametrize(("mode", "profile"), [("RGB", SRGB), ("RGBA", SRGB), ("L", GREY), ("LA", GREY)])
def test_a_fitting_profile_is_kept_byte_for_byte(mode: str, profile: bytes, decoder: Decoder, tmp_path: Path) -> None:
    """The colour profile of a picture, grey or not, comes out of the written PNG as it came in."""
    path = tmp_path / "incoming"
    path.write_bytes(encoded(gradient().convert("L").convert(mode), icc_profile=profile))
    pixels = read(decoder, path, tmp_path)
    assert profile == pixels.icc
    write_png(tmp_path / "result.png", pixels.array, icc=pixels.icc)
    with Image.open(tmp_path / "result.png") as image:
        assert (profile, mode) == (image.info["icc_profile"], image.mode)


@pytest.mark.parametrize(("mode", "profile"), [("L", SRGB), ("RGB", GREY), ("RGB", b"short")])
def test_a_profile_for_other_colours_is_left_out(mode: str, profile: bytes, decoded: Any) -> None:
    """A profile for other colours is left out, because it would make the picture's colours wrong."""
    _, pixels = decoded(encoded(gradient().convert(mode), "JPEG", icc_profile=profile))
    assert pixels.icc is None


# Previews


@pytest.mark.parametrize("size", [(64, 48), (2_049, 100), (5_000, 2), (2, 5_000), (3_000, 3_000)], ids=str)
def test_previews_are_small_and_never_larger(size: tuple[int, int], decoder: Decoder, tmp_path: Path) -> None:
    """A preview has at most 2048 px on each side and a thumbnail 320 px; a small picture is not enlarged."""
    path = tmp_path / "incoming"
    path.write_bytes(encoded(Image.new("RGB", size)))
    decoder.check(path)
    for name, side in ((PREVIEW, PREVIEW_SIDE), (THUMBNAIL, THUMBNAIL_SIDE)):
        with Image.open(tmp_path / name) as image:
            factor = min(1, side / max(size))
            assert tuple(max(1, round(edge * factor)) for edge in size) == image.size


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_previews_look_like_the_picture(mode: str, decoder: Decoder, tmp_path: Path) -> None:
    """Grey, colour and alpha survive in a preview."""
    image = gradient(400, 300).convert("L").convert(mode)
    path = tmp_path / "incoming"
    path.write_bytes(encoded(image, icc_profile=GREY if mode[0] == "L" else SRGB))
    decoder.check(path)
    with Image.open(tmp_path / THUMBNAIL) as thumbnail:
        assert ("A" in mode) >= ("A" in thumbnail.mode)
        assert (SRGB if mode[0] == "R" else None) == thumbnail.info.get("icc_profile")
        shown, meant = thumbnail.convert("RGB"), image.convert("RGB").resize(thumbnail.size)
    assert 6 > np.abs(np.asarray(shown, int) - np.asarray(meant, int)).mean()


# The box


def test_a_decoder_in_trouble_fails_only_its_picture(tmp_path: Path) -> None:
    """A decoder that is killed or takes too much memory or time fails only its picture; the next one is decoded."""
    decoder = Decoder(Limits(LIMIT, LIMIT), seconds=1)
    decoder.start()
    path = tmp_path / "good"
    path.write_bytes(encoded(gradient()))
    try:
        for fault, *arguments in ((os.abort,), (bytearray, 64 * 2**30), (pow, 7, 10**9)):
            with pytest.raises(PictureRefused, match="limits on memory and time"):
                decoder._run(fault, *arguments)
            assert 64 == decoder.check(path).width
    finally:
        decoder.stop()


def test_decoding_leaves_the_server_as_small_as_before(decoder: Decoder, tmp_path: Path) -> None:
    """Decoding large pictures does not make the server's own memory grow: the pixels are in other processes."""
    path = tmp_path / "large"
    path.write_bytes(encoded(Image.new("RGB", (3_000, 2_000), (90, 120, 40)), "JPEG"))
    decoder.check(path)
    before = psutil.Process().memory_info().rss
    for _ in range(5):
        decoder.check(path)
    assert 10 * 2**20 > psutil.Process().memory_info().rss - before


def test_sniffing_needs_32_bytes() -> None:
    """The first 32 bytes are enough to recognise every format that comes in."""
    assert FORMATS == [sniff(encoded(gradient(), kind)[:32]) for kind in FORMATS]


def test_each_step_is_judged() -> None:
    """Two steps are judged by their result and by what the second would have to take in, and the limit is named."""
    limits = Limits(100_000_000, 410_000_000)
    assert limits.problem(1024, 1536, 4, 2) is None
    assert limits.problem(1024, 1536, 4, 4) is None
    assert "16x would be 32768 × 32768 px = 1074 megapixels; the limit is 410. Choose 8x" in str(
        limits.problem(2048, 2048, 4, 4)
    )
    assert "after the first there would be 10120 × 10120 px = 102 megapixels to enlarge; the limit is 100." in str(
        limits.problem(2530, 2530, 4, 2)
    )
    assert limits.problem(2500, 2500, 4, 2) is None
