"""Files as phones, cameras, editors and chats write them come in with the pixels that browsers show."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from journey.errors import PictureRefused
from journey.pictures import profiles
from journey.pictures.checking import Picture, inspect
from journey.pictures.decoding import decoded
from journey.pictures.kinds import ENDINGS, sniff
from journey.pictures.previews import PREVIEW, write
from journey.pictures.reading import read
from journey.pictures.rows import to_array
from journey.pictures.streaming import stream

FIELD = Path(__file__).parent / "field"
LIMIT = 10**7
SCENE = np.asarray(Image.open(FIELD / "scene.png").convert("RGB"))


def pixels(path: Path) -> np.ndarray:
    """The picture as it comes in: read by rows where its file allows that."""
    return stream(path, LIMIT, lambda picture: np.concatenate(list(picture.bands)))


def in_srgb(path: Path, x: int, y: int) -> tuple[int, ...]:
    """One pixel of the picture in sRGB, by its profile."""
    image = decoded(path, LIMIT)
    if profile := image.info.get("icc_profile"):
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        image = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB") or image
    found = image.convert("RGB").getpixel((x, y))
    assert isinstance(found, tuple)
    return found


def notes(name: str) -> str:
    return " ".join(inspect(FIELD / name, max_pixels=LIMIT).notes)


@pytest.mark.parametrize(
    "name", ["03_a_tEXt.png", "03_c_pHYs.png", "04_a_zTXt.png", "04_b_iTXt.png", "09_truncated.png",
             "09_cmyk_space.png", "09_prtr.png", "32_no_iend.png"],
)  # fmt: skip
def test_broken_side_matter_costs_no_pixel(name: str) -> None:
    """A wrong checksum, an endless text, a broken profile or a missing end beside sound pixels changes none of them."""
    assert np.array_equal(SCENE, pixels(FIELD / name))
    assert np.array_equal(SCENE, to_array(decoded(FIELD / name, LIMIT)))


@pytest.mark.parametrize("kind", [b"IHDR", b"IDAT", b"PLTE"])
def test_broken_pixels_are_refused(kind: bytes, tmp_path: Path) -> None:
    """A wrong checksum of what decides the pixels is refused."""
    file = io.BytesIO()
    Image.open(FIELD / "scene.png").convert("P").save(file, "PNG")
    data = bytearray(file.getvalue())
    at = data.index(kind)
    length = int.from_bytes(data[at - 4 : at])
    data[at + 4 + length] ^= 0xFF
    (tmp_path / "broken.png").write_bytes(data)
    with pytest.raises(PictureRefused, match="damaged"):
        pixels(tmp_path / "broken.png")


@pytest.mark.parametrize(
    "name", ["01_a.jfif", "01_b.jpe", "05_b_trailer_mp4.jpg", "05_c_mpo.jpg", "09_truncated.jpg", "09_link.jpg",
             "09_cmyk_space.jpg", "29_twice.jpg", "30_before_dqt.jpg", "14_ultrahdr.jpg"],
)  # fmt: skip
def test_jpegs_of_any_upbringing_come_in(name: str) -> None:
    """Trailers, second pictures, stray bytes and odd profiles leave the picture as it is, up to the loss of a JPEG."""
    assert np.abs(SCENE.astype(int) - pixels(FIELD / name)).mean() < 3


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("07_a_linear.png", 188),
        ("07_b_045455.png", 128),
        ("07_c_mac18.png", 146),
        ("07_d_srgb_and_linear.png", 128),
        ("08_c_srgb.png", 128),
        ("35_grey_linear.png", 188),
    ],
)
def test_the_curve_of_a_file_is_heard(name: str, wanted: int, tmp_path: Path) -> None:
    """Grey 128 comes in as browsers show it: by gAMA, unless an sRGB chunk or a profile says it better."""
    assert all(abs(wanted - value) <= 1 for value in in_srgb(FIELD / name, 56, 10))
    stream(FIELD / name, LIMIT, lambda picture: write(picture, tmp_path))
    with Image.open(tmp_path / PREVIEW) as preview:
        assert all(abs(wanted - value) <= 2 for value in preview.convert("RGB").getpixel((56, 10)))


def test_wide_colours_are_kept(tmp_path: Path) -> None:
    """Display P3, said by cICP, keeps its pixels and gets a profile; an ICC profile beside it counts less."""
    for name in ("08_a_p3.png", "08_d_p3_and_icc.png"):
        reading = read(FIELD / name, LIMIT)
        assert "cICP" == reading.said_by
        assert profiles.is_usable(reading.profile, 3)
    p3 = reading.profile
    assert p3
    red = Image.new("RGB", (1, 1), (128, 40, 40))
    shown = ImageCms.profileToProfile(
        red, ImageCms.ImageCmsProfile(io.BytesIO(p3)), ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    assert shown
    assert all(abs(a - b) <= 2 for a, b in zip((139, 30, 36), np.asarray(shown)[0, 0].tolist(), strict=True))


@pytest.mark.parametrize("transfer", [16, 18])
def test_hdr_is_refused_with_a_sentence(transfer: int, tmp_path: Path) -> None:
    """A picture for HDR screens is not printed as if it were an ordinary one."""
    path = tmp_path / "hdr.png"
    path.write_bytes(with_chunk((FIELD / "scene.png").read_bytes(), b"cICP", bytes((9, transfer, 0, 1))))
    with pytest.raises(PictureRefused, match="is HDR"):
        inspect(path, max_pixels=LIMIT)


@pytest.mark.parametrize(
    ("name", "is_kept"),
    [("09_v4.jpg", True), ("09_prtr.png", True), ("29_twice.jpg", True), ("09_truncated.jpg", False),
     ("09_link.jpg", False), ("09_cmyk_space.jpg", False), ("09_truncated.png", False),
     ("34_cmyk_rgbprofile.jpg", False)],
)  # fmt: skip
def test_a_profile_is_used_only_when_it_can_be(name: str, is_kept: bool) -> None:
    """It has to open, to be complete, and to be for colours of this kind; otherwise it is left out with a note."""
    reading = read(FIELD / name, LIMIT)
    assert is_kept == (reading.colours.profile is not None)
    assert is_kept == ("was left out" not in notes(name))


def test_adobe_rgb_said_by_exif_alone_is_heard(tmp_path: Path) -> None:
    """A camera's R03 means Adobe RGB."""
    exif = Image.Exif()
    exif.get_ifd(0x8769).update({0xA001: 0xFFFF, 0xA005: {1: "R03"}})
    Image.new("RGB", (16, 16), (200, 40, 40)).save(tmp_path / "a.jpg", exif=exif, quality=100, subsampling=0)
    assert all(abs(a - b) <= 8 for a, b in zip((233, 35, 35), in_srgb(tmp_path / "a.jpg", 8, 8), strict=True))


@pytest.mark.parametrize("name", ["10_jpeg_6.jpg", "10_png_6.png", "10_webp_6.webp"])
def test_what_exif_turns_is_turned(name: str) -> None:
    """EXIF's orientation counts in all kinds."""
    assert (6, False) == (read(FIELD / name, LIMIT).orientation, read(FIELD / name, LIMIT).is_upright)


def test_what_only_xmp_turns_is_not() -> None:
    """Browsers do not turn a picture for XMP, so it is upright as it is."""
    assert read(FIELD / "10_xmponly_6.jpg", LIMIT).is_upright


def test_all_bits_of_a_transparent_colour_count() -> None:
    """Of 16-bit colours that differ in their lower bits alone, only the one that is named is transparent."""
    found = pixels(FIELD / "11_rgb16_key.png")
    assert (255, 0) == (found[30, 10, 3], found[10, 10, 3])


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"\x00\x00\x00\x18ftypheim", "a HEIC"),
        (b"\x00\x00\x00\x18ftypheis", "a HEIC"),
        (b"\x00\x00\x00\x18ftypcrx ", "a raw file"),
        (b"\x00\x00\x00\x18ftypavif", "an AVIF"),
        (b"\x00\x00\x00\x18ftypisom", "a video"),
        (b"II*\x00\x10\x00\x00\x00CR\x02", "a raw file"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"hello", "not a picture"),
    ],
)
def test_what_is_refused_is_named_with_the_next_step(head: bytes, said: str) -> None:
    """The sentence says what it is, what can be used, and what to do."""
    with pytest.raises(
        PictureRefused, match=f"This is {said}\\. Only PNG, JPEG and WebP pictures can be used\\. [A-Z]"
    ):
        sniff(head)


def test_a_twelve_bit_jpeg_sends_nobody_in_circles() -> None:
    """It is not called damaged, because downloading it again changes nothing."""
    with pytest.raises(PictureRefused, match="12 bits a colour"):
        inspect(FIELD / "12_12bit.jpg", max_pixels=LIMIT)


def test_a_gain_map_is_left_out_with_a_note() -> None:
    """The ordinary part of an HDR photo comes in, and people hear that the rest is left out."""
    assert "HDR part is left out" in notes("14_ultrahdr.jpg")


def test_all_usual_endings_are_known() -> None:
    """JPEG has many."""
    assert {"jpg", "jpeg", "jpe", "jfif", "png", "webp"} <= set(ENDINGS)


def test_our_srgb_is_read_by_old_software() -> None:
    """The profile for pictures without one is ICC version 2, small, and changes no colour."""
    assert (2, True) == (profiles.srgb()[8], profiles.is_usable(profiles.srgb(), 3))
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, axis=2))
    same = ImageCms.profileToProfile(
        ramp, ImageCms.ImageCmsProfile(io.BytesIO(profiles.srgb())), ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    assert same
    assert np.abs(np.asarray(ramp).astype(int) - np.asarray(same)).max() <= 1


def with_chunk(png: bytes, kind: bytes, data: bytes, *, at: int = 33, checksum: int = 0) -> bytes:
    """The PNG with one more chunk, behind its header or elsewhere; `checksum` is by how much its own is wrong."""
    crc = zlib.crc32(kind + data) ^ checksum
    return png[:at] + struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc) + png[at:]


def test_a_reading_costs_no_decoding() -> None:
    """What is said of a picture agrees with what comes out of it, for every file of the collection."""
    for path in sorted(FIELD.iterdir()):
        if path.name == "12_12bit.jpg":
            continue
        reading = read(path, LIMIT)
        made = decoded(path, LIMIT)
        assert (reading.upright_size, reading.mode) == (made.size, made.mode)
        assert Picture(reading.kind, *reading.upright_size, len(reading.mode), reading.notes) == inspect(
            path, max_pixels=LIMIT
        )
