"""Print files, read back by Pillow and by independent tools (exiftool, ImageMagick, libtiff, poppler)."""

import codecs
import contextlib
import csv
import io
import json
import os
import shutil
import struct
import subprocess
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps

from journey.errors import PictureRefused, Stopped
from journey.pictures import profiles
from journey.pictures.decoding import decoded
from journey.pictures.profiles import is_usable, srgb
from journey.printing import PAPERS, custom_paper, shop
from journey.printing.shop import FileFormat, PrintFile, PrintJob, PrintSpec, exact_size, print_set, proof, retag, start
from journey.processes import WorkerDied, Workers

A4, A6 = PAPERS["A4"], PAPERS["A6"]
SMALL = custom_paper(3, 2, "in")
"""At 100 DPI: 300 × 200 px."""
FORMATS: tuple[FileFormat, ...] = ("PNG", "TIFF", "JPEG", "PDF")
SECRET = b"SECRET-PLACE"


def tool(name: str, *args: str | Path) -> str:
    """What a program prints. Where the program is missing, the test is skipped; in CI it fails."""
    if shutil.which(name) is None:
        missing = f"{name} is not installed (Debian: libimage-exiftool-perl imagemagick libtiff-tools poppler-utils)"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return subprocess.run([name, *map(str, args)], capture_output=True, text=True, check=True, timeout=60).stdout


def noise(width: int, height: int, channels: int = 3, seed: int = 1) -> Image.Image:
    """Soft blobs: neither flat nor pure noise."""
    shape = (height // 4 + 2, width // 4 + 2, channels)
    rough = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    return Image.fromarray(rough[:, :, 0] if channels == 1 else rough).resize((width, height), Image.Resampling.BICUBIC)


FIELD = Path(__file__).parents[1] / "pictures" / "field"


def profile(space: str = "sRGB") -> bytes:
    """A profile that is not the one we would add."""
    if space == "GRAY":
        return profiles.grey_profile("grey", profiles.gamma(2.2))
    made = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    made[24:36] = b"\x07\xcf" + bytes(10)  # of the year 1999
    return bytes(made)


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def largest_difference(a: np.ndarray, b: np.ndarray) -> int:
    return int(np.abs(a.astype(int) - b.astype(int)).max())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "out"
    made.mkdir()
    return made


@pytest.fixture(scope="module")
def a4(tmp_path_factory: pytest.TempPathFactory) -> dict[FileFormat, PrintFile]:
    """A4 with 3 mm of bleed at 300 DPI in every format, from a picture with a profile of its own."""
    place = tmp_path_factory.mktemp("a4")
    source = place / "source.png"
    noise(150, 210).save(source, icc_profile=profile())
    formats: tuple[FileFormat, ...] = ("PNG", "TIFF", "JPEG", "PDF")
    return {each: exact_size(source, place, PrintSpec(A4, format=each, bleed_mm=3), title="Fjord") for each in formats}


# Exact size


@pytest.mark.parametrize(("file_format", "dpi"), [("PNG", 299.9994), ("TIFF", 300), ("JPEG", 300)])
def test_exiftool_reads_size_and_dpi(a4: dict[FileFormat, PrintFile], file_format: FileFormat, dpi: float) -> None:
    """A4 with 3 mm bleed at 300 DPI has 2551 × 3579 px, and each format states its DPI in its own way."""
    (read,) = json.loads(tool("exiftool", "-json", "-n", a4[file_format].path))
    per_inch = {"PNG": 0.0254, "TIFF": 1, "JPEG": 1}[file_format]
    density = read["PixelsPerUnitX" if file_format == "PNG" else "XResolution"]
    assert (read["ImageWidth"], read["ImageHeight"]) == (2551, 3579)
    assert density * per_inch == pytest.approx(dpi, abs=1e-6)


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "JPEG"])
def test_imagemagick_reads_size_and_dpi(a4: dict[FileFormat, PrintFile], file_format: FileFormat) -> None:
    """ImageMagick reads the same pixels and density."""
    said = tool("identify", "-units", "PixelsPerInch", "-format", "%w %h %x %y", a4[file_format].path).split()
    assert [2551, 3579] == [int(side) for side in said[:2]]
    assert [300, 300] == pytest.approx([float(density) for density in said[2:]], abs=0.01)


def test_tiffinfo_reads_lzw_with_a_predictor(a4: dict[FileFormat, PrintFile]) -> None:
    """libtiff reads the size, 300 pixels per inch, LZW and the profile."""
    said = tool("tiffinfo", a4["TIFF"].path)
    for line in (
        "Image Width: 2551 Image Length: 3579",
        "Resolution: 300, 300 pixels/inch",
        "Compression Scheme: LZW",
        "Predictor: horizontal differencing",
        f"ICC Profile: <present>, {len(profile())} bytes",
    ):
        assert line in said


def test_pdf_page_is_the_paper_with_bleed(a4: dict[FileFormat, PrintFile]) -> None:
    """The page is 216 × 303 mm, the trim of 210 × 297 mm is in its middle, and the bleed reaches the edge."""
    boxes = {
        line.split(":")[0]: [float(each) / 72 * 25.4 for each in line.split(":")[1].split()]
        for line in tool("pdfinfo", "-box", a4["PDF"].path).splitlines()
        if "Box:" in line
    }
    assert [0, 0, 216, 303] == pytest.approx(boxes["MediaBox"], abs=0.005)
    assert [0, 0, 216, 303] == pytest.approx(boxes["BleedBox"], abs=0.005)
    assert [3, 3, 213, 300] == pytest.approx(boxes["TrimBox"], abs=0.005)


def test_pdf_and_tiff_hold_the_pixels_of_the_png(tmp_path: Path, folder: Path) -> None:
    """Three of the formats are lossless, so they hold the same pixels; JPEG at 95 comes close."""
    noise(150, 210).save(tmp_path / "s.png")
    made = {each: exact_size(tmp_path / "s.png", folder, PrintSpec(A6, 150, each)).path for each in FORMATS}
    tool("pdfimages", "-png", made["PDF"], tmp_path / "page")
    png = pixels(made["PNG"])
    assert np.array_equal(png, pixels(made["TIFF"]))
    assert np.array_equal(png, pixels(tmp_path / "page-000.png"))
    assert np.abs(png.astype(int) - pixels(made["JPEG"])).mean() < 2


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "JPEG", "PDF"])
def test_profile_is_kept_byte_for_byte(a4: dict[FileFormat, PrintFile], file_format: FileFormat) -> None:
    """The ICC profile of every file is the source's own."""
    assert a4[file_format].profile == "source"
    if file_format == "PDF":
        assert profile() in a4["PDF"].path.read_bytes()
    else:
        with Image.open(a4[file_format].path) as image:
            assert profile() == image.info["icc_profile"]


def test_jpeg_keeps_the_full_colour_resolution(a4: dict[FileFormat, PrintFile]) -> None:
    """A JPEG keeps its full colour resolution (4:4:4)."""
    assert "1x1,1x1,1x1" == tool("identify", "-format", "%[jpeg:sampling-factor]", a4["JPEG"].path)


def test_bands_leave_no_seams(tmp_path: Path, folder: Path) -> None:
    """Resampling band by band gives the same as resampling all at once, to within one level."""
    # Half the contrast: where an overshoot is clipped, the order of the two axes would show as well.
    source = noise(300, 420).point(lambda level: 64 + level // 2)
    source.save(tmp_path / "s.png")
    spec = PrintSpec(PAPERS["A5"], 300, "PNG", bleed_mm=3)
    plan = spec.on(*source.size)
    whole = source.resize(plan.needed, Image.Resampling.LANCZOS, box=plan.options[1].crop)
    made = exact_size(tmp_path / "s.png", folder, spec)
    assert largest_difference(np.asarray(whole), pixels(made.path)) <= 1


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "JPEG", "PDF"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_untagged_pictures_are_tagged_srgb(tmp_path: Path, folder: Path, file_format: FileFormat, mode: str) -> None:
    """A picture without a profile, even a grey one, becomes sRGB with three channels."""
    noise(60, 40).convert(mode).save(tmp_path / "s.png")
    made = exact_size(tmp_path / "s.png", folder, PrintSpec(SMALL, 100, file_format))
    assert "sRGB" == made.profile
    if file_format == "PDF":
        assert b"/ICCBased" in made.path.read_bytes()
        return
    with Image.open(made.path) as image:
        tagged = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        assert ("RGB", True) == (image.mode, "sRGB" in ImageCms.getProfileDescription(tagged))


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "JPEG", "PDF"])
def test_grey_with_a_grey_profile_stays_grey(tmp_path: Path, folder: Path, file_format: FileFormat) -> None:
    """A grey picture keeps its grey profile and its one channel."""
    noise(60, 40, 1).save(tmp_path / "s.png", icc_profile=profile("GRAY"))
    made = exact_size(tmp_path / "s.png", folder, PrintSpec(SMALL, 100, file_format))
    if file_format == "PDF":
        assert "gray" in tool("pdfimages", "-list", made.path) or "icc" in tool("pdfimages", "-list", made.path)
        assert profile("GRAY") in made.path.read_bytes()
        return
    with Image.open(made.path) as image:
        assert ("L", profile("GRAY")) == (image.mode, image.info["icc_profile"])


@pytest.mark.parametrize(("file_format", "mode"), [("PNG", "RGBA"), ("TIFF", "RGBA"), ("JPEG", "RGB")])
def test_transparency_is_kept_or_becomes_white(
    tmp_path: Path, folder: Path, file_format: FileFormat, mode: str
) -> None:
    """PNG and TIFF keep the alpha channel; a JPEG is white there, and no colour of transparent pixels leaks."""
    picture = Image.new("RGBA", (60, 40), (255, 0, 0, 0))
    picture.paste((0, 0, 255, 255), (0, 0, 30, 40))
    picture.save(tmp_path / "s.png")
    made = exact_size(tmp_path / "s.png", folder, PrintSpec(SMALL, 100, file_format))
    with Image.open(made.path) as image:
        assert mode == image.mode
        solid, clear = image.getpixel((30, 100)), image.getpixel((270, 100))
        edge = np.asarray(image.convert("RGBA"))[100, 140:160]
    assert isinstance(solid, tuple)
    assert isinstance(clear, tuple)
    assert (0, 0, 255) == pytest.approx(solid[:3], abs=3)
    assert (0 if mode == "RGBA" else 255) == clear[-1]
    if mode == "RGBA":
        assert (edge[edge[:, 3] > 8][:, 0] <= 8).all(), "red of transparent pixels leaked"


def test_tiff_says_what_kind_of_transparency_it_has(tmp_path: Path, folder: Path) -> None:
    """A TIFF declares its fourth channel as alpha that the colours are not multiplied by."""
    noise(60, 40, 4).save(tmp_path / "s.png")
    said = tool("tiffinfo", exact_size(tmp_path / "s.png", folder, PrintSpec(SMALL, 100, "TIFF")).path)
    assert "Extra Samples: 1<unassoc-alpha>" in said


def test_pdf_shows_white_where_the_picture_is_transparent(tmp_path: Path, folder: Path) -> None:
    """A PDF is flattened on white."""
    Image.new("RGBA", (60, 40), (255, 0, 0, 0)).save(tmp_path / "s.png")
    made = exact_size(tmp_path / "s.png", folder, PrintSpec(SMALL, 100, "PDF"))
    tool("pdfimages", "-png", made.path, folder / "page")
    assert (pixels(folder / "page-000.png") == 255).all()


def test_contain_shows_all_of_the_picture_on_white(tmp_path: Path, folder: Path) -> None:
    """A square picture on 3 × 2 in has white margins left and right and is not cut."""
    Image.new("RGB", (50, 50), (10, 20, 30)).save(tmp_path / "s.png")
    made = exact_size(tmp_path / "s.png", folder, PrintSpec(SMALL, 100, "PNG", fit="contain"))
    array = pixels(made.path)
    assert (200, 300, 3) == array.shape
    assert (array[:, :50] == 255).all()
    assert (array[:, 250:] == 255).all()
    assert (array[:, 50:250] == (10, 20, 30)).all()


@pytest.mark.parametrize(("position", "shade"), [(0, 0), (0.5, 128), (1, 255)])
def test_crop_follows_its_position(tmp_path: Path, folder: Path, position: float, shade: int) -> None:
    """Position 0 keeps the left end of a wide picture, and 1 the right end."""
    strip = np.repeat(np.array([0, 128, 255], np.uint8), 30)[None].repeat(20, 0)
    Image.fromarray(np.stack([strip] * 3, -1)).save(tmp_path / "s.png")
    spec = PrintSpec(custom_paper(2, 2, "in"), 100, "PNG", position=position)
    array = pixels(exact_size(tmp_path / "s.png", folder, spec).path)
    assert shade == round(float(np.median(array)))


@pytest.mark.parametrize("file_format", ["PNG", "PDF"])
def test_paper_turns_with_the_picture(tmp_path: Path, folder: Path, file_format: FileFormat) -> None:
    """A wide picture makes a wide file, and a wide page."""
    noise(90, 60).save(tmp_path / "s.png")
    made = exact_size(tmp_path / "s.png", folder, PrintSpec(A6, 72, file_format))
    assert (420, 298) == (made.width, made.height)
    if file_format == "PDF":
        assert "Page size:       419.528 x 297.638 pts" in tool("pdfinfo", made.path)


def test_exif_turn_is_applied(tmp_path: Path, folder: Path) -> None:
    """A photograph stored on its side is printed upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    noise(90, 60).save(tmp_path / "s.jpg", exif=exif)
    made = exact_size(tmp_path / "s.jpg", folder, PrintSpec(A6, 72, "PNG"))
    assert (298, 420) == (made.width, made.height)


def test_equal_work_makes_equal_files(tmp_path: Path, folder: Path) -> None:
    """The same work makes the same bytes: no date and nothing random goes into a file."""
    noise(30, 20).save(tmp_path / "s.png")
    spec = PrintSpec(SMALL, 100, "TIFF")
    first = exact_size(tmp_path / "s.png", folder, spec).path.read_bytes()
    assert first == exact_size(tmp_path / "s.png", folder, spec).path.read_bytes()


def test_a_picture_that_is_too_small_is_told(tmp_path: Path, folder: Path) -> None:
    """A file that was resampled to 300 DPI still tells how few DPI the picture itself has."""
    noise(60, 40).save(tmp_path / "s.png")
    made = exact_size(tmp_path / "s.png", folder, PrintSpec(SMALL, 300, "PNG"))
    assert (20, "too low") == (made.effective_dpi, made.grade)
    assert "20 DPI on this paper" in made.notes[0]


@pytest.mark.parametrize("size", [(1, 1), (2000, 1), (1, 2000)])
@pytest.mark.parametrize("fit", ["crop", "contain"])
def test_extreme_pictures_still_make_a_file(tmp_path: Path, folder: Path, size: tuple[int, int], fit: str) -> None:
    """Pictures of one pixel, or one pixel thin, still fill or fit the paper."""
    Image.new("RGB", size, "navy").save(tmp_path / "s.png")
    spec = PrintSpec(SMALL, 100, "PNG", fit=fit)  # type: ignore[arg-type]
    made = exact_size(tmp_path / "s.png", folder, spec)
    assert {300, 200} == {made.width, made.height}
    assert (pixels(made.path) == (0, 0, 128)).all(-1).any()


# Keep pixels


def png_with_extras(path: Path, image: Image.Image, **options: object) -> None:
    """A PNG with text, a place, a date and bytes after its end."""
    plain = io.BytesIO()
    image.save(plain, "PNG", **options)
    data = plain.getvalue()
    extras = b""
    for kind, text in (
        (b"tEXt", b"Comment\x00" + SECRET),
        (b"eXIf", b"MM\x00*\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00" + SECRET),
        (b"tIME", b"\x07\xd0\x01\x01\x00\x00\x00"),
        (b"pHYs", struct.pack(">IIB", 2835, 2835, 1)),
        (b"prVt", SECRET),
    ):
        extras += struct.pack(">I", len(text)) + kind + text + struct.pack(">I", zlib.crc32(kind + text))
    path.write_bytes(data[:33] + extras + data[33:] + SECRET)


PNG_KINDS: dict[str, Callable[[], tuple[Image.Image, dict[str, object]]]] = {
    "rgb": lambda: (noise(64, 48), {}),
    "rgba": lambda: (noise(64, 48, 4), {"icc_profile": profile()}),
    "grey": lambda: (noise(64, 48, 1), {}),
    "1 bit": lambda: (noise(64, 48, 1).convert("1"), {}),
    "palette with transparency": lambda: (noise(64, 48).quantize(16), {"transparency": 3}),
    "16 bit grey": lambda: (Image.fromarray(np.arange(64 * 48, dtype=np.uint16).reshape(48, 64) * 20), {}),
}


@pytest.mark.parametrize("kind", PNG_KINDS)
def test_retagged_png_keeps_every_pixel_and_nothing_else(tmp_path: Path, folder: Path, kind: str) -> None:
    """Every pixel, the transparency and the profile are kept, and no text, place, date or tail comes along."""
    image, options = PNG_KINDS[kind]()
    png_with_extras(tmp_path / "s.png", image, **options)
    made = retag(tmp_path / "s.png", folder, dpi=300)
    assert SECRET not in made.path.read_bytes()
    assert np.array_equal(pixels(tmp_path / "s.png"), pixels(made.path))
    with Image.open(made.path) as after, Image.open(tmp_path / "s.png") as before:
        assert before.mode == after.mode
        assert before.info.get("transparency") == after.info.get("transparency")
        assert options.get("icc_profile") == after.info.get("icc_profile")
        assert 299.9994 == pytest.approx(after.info["dpi"][0], abs=1e-4)
    read = json.loads(tool("exiftool", "-json", "-n", "-G1", made.path))[0]
    assert 11811 == read["PNG-pHYs:PixelsPerUnitX"]
    assert not [name for name in read if "Comment" in name or name.startswith(("PNG:Mod", "IFD", "GPS"))]


def jpeg_with_extras(path: Path, image: Image.Image, **options: object) -> None:
    """A JPEG with a place, XMP, a comment, Photoshop's resources and a second picture after its end."""
    exif = Image.Exif()
    exif[0x010F] = SECRET.decode()
    exif.get_ifd(0x8825)[29] = SECRET.decode()
    plain = io.BytesIO()
    image.save(plain, "JPEG", exif=exif, comment=SECRET, xmp=b"<x>" + SECRET + b"</x>", **options)
    data = plain.getvalue()
    resources = b"Photoshop 3.0\x00" + SECRET
    path.write_bytes(
        data[:2] + b"\xff\xed" + struct.pack(">H", len(resources) + 2) + resources + data[2:] + b"\xff\xd8" + SECRET
    )


JPEG_KINDS: dict[str, Callable[[], tuple[Image.Image, dict[str, object]]]] = {
    "rgb": lambda: (noise(64, 48), {}),
    "progressive": lambda: (noise(64, 48), {"progressive": True, "subsampling": 0}),
    "restart markers": lambda: (noise(64, 48), {"restart_marker_rows": 1}),
    "grey": lambda: (noise(64, 48, 1), {}),
    "with a long profile": lambda: (noise(64, 48), {"icc_profile": profile() + bytes(70_000)}),
    "cmyk": lambda: (noise(64, 48).convert("CMYK"), {}),
    "rgb without ycc": lambda: (noise(64, 48), {"keep_rgb": True}),
}


@pytest.mark.parametrize("kind", JPEG_KINDS)
def test_retagged_jpeg_keeps_every_pixel_and_nothing_else(tmp_path: Path, folder: Path, kind: str) -> None:
    """Every pixel and the profile are kept, and no place, comment, XMP or tail comes along."""
    image, options = JPEG_KINDS[kind]()
    jpeg_with_extras(tmp_path / "s.jpg", image, **options)
    made = retag(tmp_path / "s.jpg", folder, dpi=240)
    assert SECRET not in made.path.read_bytes()
    assert np.array_equal(pixels(tmp_path / "s.jpg"), pixels(made.path))
    with Image.open(made.path) as after, Image.open(tmp_path / "s.jpg") as before:
        assert before.mode == after.mode
        assert 240 == pytest.approx(after.info["dpi"][0])
        if "icc_profile" in options:
            assert options["icc_profile"] == after.info["icc_profile"]
        else:
            assert (image.mode == "RGB") == ("icc_profile" in after.info)
    (read,) = json.loads(tool("exiftool", "-json", made.path))
    assert (240, 240, "inches") == (read["XResolution"], read["YResolution"], read["ResolutionUnit"])
    assert not {"Make", "Comment", "XMPToolkit", "GPSDateStamp"} & set(read)


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("extension", [".png", ".jpg"])
def test_turned_pictures_come_out_upright(tmp_path: Path, folder: Path, extension: str, turn: int) -> None:
    """A tag that turns the picture is applied and removed; only a JPEG that is really turned is encoded anew."""
    exif = Image.Exif()
    exif[0x0112] = turn
    source = tmp_path / f"s{extension}"
    noise(64, 48).save(source, exif=exif)
    made = retag(source, folder)
    with Image.open(source) as image:
        upright = np.asarray(ImageOps.exif_transpose(image))
    assert upright.shape[:2] == (made.height, made.width)
    with Image.open(made.path) as after:
        assert 0x0112 not in after.getexif()
    assert largest_difference(upright, pixels(made.path)) <= (0 if extension == ".png" or turn == 1 else 12)


def test_webp_becomes_a_png_with_the_same_pixels(tmp_path: Path, folder: Path) -> None:
    """WebP has no place for DPI, so its pixels and its profile go into a PNG."""
    noise(64, 48, 4).save(tmp_path / "s.webp", lossless=True, exact=True, icc_profile=profile())
    made = retag(tmp_path / "s.webp", folder, title="a")
    assert ("a_300dpi.png", "source") == (made.path.name, made.profile)
    before, after = pixels(tmp_path / "s.webp"), pixels(made.path)
    seen = before[..., 3] > 0
    assert np.array_equal(before[seen], after[seen])
    assert np.array_equal(before[..., 3], after[..., 3])


def test_retagging_a_large_png_is_quick(tmp_path: Path, folder: Path) -> None:
    """A PNG of 4096 × 4096 takes less than 0.2 s of processor time."""
    tile = np.asarray(noise(512, 512))
    Image.fromarray(np.tile(tile, (8, 8, 1))).save(tmp_path / "s.png", compress_level=1)
    started = time.process_time()
    retag(tmp_path / "s.png", folder)
    assert time.process_time() - started < 0.2


def test_a_picture_beyond_pillows_own_limit_is_retagged(tmp_path: Path, folder: Path) -> None:
    """The only limit on pixels is ours: 182 megapixels of JPEG get their DPI like any other picture."""
    Image.new("L", (14_000, 13_000), 128).save(tmp_path / "s.jpg", quality=20)
    made = retag(tmp_path / "s.jpg", folder, dpi=300)
    assert (14_000, 13_000) == (made.width, made.height)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(extension=st.sampled_from([".png", ".jpg"]), data=st.data())
def test_damaged_files_are_refused_or_copied(tmp_path: Path, folder: Path, extension: str, data: st.DataObject) -> None:
    """A cut or changed file ends in a sentence or in a print file, never in anything else."""
    whole = io.BytesIO()
    noise(40, 30).save(whole, "PNG" if extension == ".png" else "JPEG", icc_profile=profile())
    broken = bytearray(whole.getvalue()[: data.draw(st.integers(12, len(whole.getvalue())))])
    for at in data.draw(st.lists(st.integers(8, len(broken) - 1), max_size=4)):
        broken[at] ^= data.draw(st.integers(1, 255))
    source = tmp_path / f"broken{extension}"
    source.write_bytes(broken)
    with contextlib.suppress(PictureRefused):
        retag(source, folder).path.unlink()
    assert [] == list(folder.iterdir())


@pytest.mark.parametrize("change", ["flipped", "cut"])
def test_a_png_with_a_wrong_checksum_is_refused(tmp_path: Path, folder: Path, change: str) -> None:
    """A PNG with a wrong checksum or a missing end is refused, so that no damage reaches the print shop."""
    noise(64, 48).save(tmp_path / "s.png")
    data = bytearray((tmp_path / "s.png").read_bytes())
    if change == "cut":
        del data[-200:]
    else:
        data[data.index(b"IDAT") + 200] ^= 1
    (tmp_path / "s.png").write_bytes(data)
    with pytest.raises(PictureRefused, match="damaged or cut short"):
        retag(tmp_path / "s.png", folder)
    assert [] == list(folder.iterdir())


# Sets and proofs


def test_print_set_is_a_zip_with_a_manifest(tmp_path: Path, folder: Path) -> None:
    """Each file is what exact_size makes, stored uncompressed, and the manifest describes it truly."""
    noise(600, 420).save(tmp_path / "s.png")
    specs = [
        PrintSpec(A6, 100, "TIFF", bleed_mm=3),
        PrintSpec(A6, 100, "TIFF", bleed_mm=3, position=0),
        PrintSpec(SMALL, 150, "JPEG", fit="contain"),
    ]
    seen: list[tuple[int, int]] = []
    made = print_set(tmp_path / "s.png", folder, specs, title="Fjord", on_progress=lambda *at: seen.append(at))
    names = ["fjord_A6_100dpi_bleed3mm.tif", "fjord_A6_100dpi_bleed3mm-2.tif", "fjord_3x2in_150dpi_contain.jpg"]
    assert names == [file.path.name for file in made.files]
    assert ["fjord_print_set.zip"] == [path.name for path in folder.iterdir()]
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1] == sum(file.height for file in made.files)
    with zipfile.ZipFile(made.path) as archive:
        assert [*names, "manifest.csv", "manifest.txt"] == archive.namelist()
        assert {zipfile.ZIP_STORED} == {archive.getinfo(name).compress_type for name in names}
        alone = exact_size(tmp_path / "s.png", folder, specs[0]).path.read_bytes()
        assert alone == archive.read(names[0])
        assert archive.read("manifest.csv").startswith(codecs.BOM_UTF8)  # or Excel would show × as rubbish
        rows = list(csv.DictReader(io.StringIO(archive.read("manifest.csv").decode("utf-8-sig"))))
        text = archive.read("manifest.txt").decode()
    for row, file in zip(rows, made.files, strict=True):
        assert (file.path.name, str(file.width), str(file.height)) == (row["file"], row["width_px"], row["height_px"])
        assert row["file"] in text
    # 600 px on 154 mm with bleed are 98.96 DPI, 420 px on 111 mm 96.1.
    assert ("3", "100", "96.1", "too low", "sRGB") == tuple(
        rows[0][key] for key in ("bleed_mm", "dpi", "effective_dpi", "grade", "profile")
    )


def test_proof_is_a_cut_of_the_final_print(tmp_path: Path, folder: Path) -> None:
    """The proof holds the same pixels as the final file, at its DPI, around the only detail of the picture."""
    array = np.full((900, 900, 3), 90, np.uint8)
    array[600:700, 150:250] = np.random.default_rng(2).integers(0, 256, (100, 100, 3))
    Image.fromarray(array).save(tmp_path / "s.png")
    spec = PrintSpec(PAPERS["16x16"], 60, "PNG", bleed_mm=3)
    print_pixels = pixels(exact_size(tmp_path / "s.png", folder, spec).path)
    made = proof(tmp_path / "s.png", folder, spec, title="Fjord")
    cut = pixels(made.path)
    assert "fjord_16x16_60dpi_proof_10x15cm.png" == made.path.name
    assert (354, 236, 3) == cut.shape
    rows, columns = np.nonzero((np.abs(cut.astype(int) - 90) > 20).any(-1))
    all_rows, all_columns = np.nonzero((np.abs(print_pixels.astype(int) - 90) > 20).any(-1))
    assert len(all_rows) == pytest.approx(len(rows), rel=0.01), "all of the detail is on the proof"
    top, left = all_rows.min() - rows.min(), all_columns.min() - columns.min()
    assert largest_difference(print_pixels[top : top + 354, left : left + 236], cut) <= 1


def test_proof_of_a_print_smaller_than_its_paper_lies_in_the_middle(tmp_path: Path, folder: Path) -> None:
    """A print smaller than the paper of the proof is not enlarged: it is surrounded by white."""
    Image.new("RGB", (60, 40), "navy").save(tmp_path / "s.png")
    array = pixels(proof(tmp_path / "s.png", folder, PrintSpec(SMALL, 100, "PNG")).path)
    assert (394, 591, 3) == array.shape
    rows, columns = np.nonzero((array == (0, 0, 128)).all(-1))
    assert (200, 300) == (np.ptp(rows) + 1, np.ptp(columns) + 1)
    assert (array[0] == 255).all()


def test_proof_of_an_even_picture_is_its_middle(tmp_path: Path, folder: Path) -> None:
    """Where no part has more detail than another, the middle is taken."""
    ramp = np.arange(900) * 200 // 900 + np.random.default_rng(3).integers(0, 56, (900, 900))
    Image.fromarray(ramp.astype(np.uint8)).convert("RGB").save(tmp_path / "s.png")
    array = pixels(proof(tmp_path / "s.png", folder, PrintSpec(PAPERS["16x16"], 60, "PNG")).path)
    assert 128 == pytest.approx(float(np.median(array)), abs=10)


def test_proof_of_a_pdf_has_the_page_of_its_paper(tmp_path: Path, folder: Path) -> None:
    """The page of the proof is 10 × 15 cm, so that a home printer at 100 % prints the true size."""
    noise(90, 60).save(tmp_path / "s.png")
    made = proof(tmp_path / "s.png", folder, PrintSpec(A4, 100, "PDF", bleed_mm=3))
    assert "Page size:       425.197 x 283.465 pts" in tool("pdfinfo", made.path)


# Names, limits, nonsense


@pytest.mark.parametrize(
    ("title", "spec", "name"),
    [
        ("fjord", PrintSpec(PAPERS["A3"], bleed_mm=3), "fjord_A3_300dpi_bleed3mm.tif"),
        ("Fjörd at dawn!", PrintSpec(A4, 150, "PDF"), "fjord-at-dawn_A4_150dpi.pdf"),
        ("Hill 1.5.JPEG", PrintSpec(A4), "hill-1-5_A4_300dpi.tif"),
        ("../../etc/passwd", PrintSpec(PAPERS["8x10"], format="PNG"), "etc-passwd_8x10_300dpi.png"),
        ("", PrintSpec(custom_paper(30, 40.5, "cm"), 100, fit="contain"), "picture_30x40.5cm_100dpi_contain.tif"),
        ("\u202egpj\x00", PrintSpec(A4, orientation="landscape"), "gpj_A4_300dpi_landscape.tif"),
    ],
)
def test_names_say_what_is_inside(title: str, spec: PrintSpec, name: str) -> None:
    """A name holds paper, DPI and bleed, and no title can make it a path."""
    assert name == shop.file_name(title, spec)


def test_names_stay_short() -> None:
    """A title of 300 characters still makes a name of at most 80."""
    assert len(shop.file_name("x" * 300, PrintSpec(A4, bleed_mm=3))) <= 80


@pytest.mark.parametrize(
    ("megabytes", "file_format", "services"),
    [
        (200, "PNG", []),
        (201, "PNG", ["Printful"]),
        (301, "JPEG", ["Printful", "Prodigi"]),
        (301, "PDF", ["Printful"]),
        (1001, "PDF", ["Printful", "Prodigi"]),
    ],
)
def test_files_above_the_limits_of_services_carry_a_warning(
    megabytes: int, file_format: FileFormat, services: list[str]
) -> None:
    """A file of more than 200 MB for Printful, 300 MB for Prodigi, or 1 GB as a PDF for Prodigi, carries a warning."""
    said = " ".join(shop.service_warnings(megabytes * 1_000_000, file_format))
    assert services == [name for name in ("Printful", "Prodigi") if name in said]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: PrintSpec(A4, 0), "DPI must be"),
        (lambda: PrintSpec(A4, "300"), "DPI must be"),  # type: ignore[arg-type]
        (lambda: PrintSpec(A4, float("nan")), "DPI must be"),
        (lambda: PrintSpec(A4, bleed_mm=-1), "bleed must be"),
        (lambda: PrintSpec(A4, bleed_mm=300), "smaller than the paper"),
        (lambda: PrintSpec(A4, bleed_mm=3, fit="contain"), "nothing to bleed"),
        (lambda: PrintSpec(A4, position=2), "position"),
        (lambda: PrintSpec(A4, fit="stretch"), "fit must be"),  # type: ignore[arg-type]
        (lambda: PrintSpec(A4, orientation="up"), "orientation must be"),  # type: ignore[arg-type]
        (lambda: PrintSpec(A4, format="BMP"), "format must be"),  # type: ignore[arg-type]
        (lambda: PrintSpec("A4"), "Choose a paper"),  # type: ignore[arg-type]
        (lambda: PrintSpec(custom_paper(0, 5, "mm")), "paper's width"),
        (lambda: PrintSpec(PAPERS["A0"], 1200), "megapixels"),
        (lambda: PrintSpec(custom_paper(1, 4000, "in"), 30, "JPEG"), "JPEG has at most"),
    ],
)
def test_nonsense_is_told_in_a_sentence(make: Callable[[], PrintSpec], words: str) -> None:
    """What cannot be printed is refused before any work, with what to do."""
    with pytest.raises(ValueError, match=words) as refused:
        make()
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize("count", [0, shop.SET_LIMIT + 1])
def test_sets_have_a_sensible_number_of_files(folder: Path, count: int) -> None:
    """A set of no files, or of more than the limit, is refused."""
    with pytest.raises(ValueError, match="print set has 1 to 30 files"):
        print_set(folder / "s.png", folder, [PrintSpec(A4)] * count)


@pytest.mark.parametrize("dpi", [0, -1, float("inf"), "x"])
def test_retagging_with_a_senseless_dpi_is_refused(folder: Path, dpi: float) -> None:
    """A DPI that cannot be used for a plan cannot be used for retagging either."""
    with pytest.raises(ValueError, match="DPI must be"):
        retag(folder / "s.png", folder, dpi=dpi)


def test_what_is_no_picture_is_refused(tmp_path: Path, folder: Path) -> None:
    """A file is judged by its bytes and not by its name."""
    (tmp_path / "s.png").write_bytes(b"%PDF-1.7")
    for work in (
        lambda: retag(tmp_path / "s.png", folder),
        lambda: exact_size(tmp_path / "s.png", folder, PrintSpec(A4)),
    ):
        with pytest.raises(PictureRefused, match="This is a PDF"):
            work()


# Progress and stopping


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "JPEG", "PDF"])
def test_progress_moves_and_ends_at_the_total(tmp_path: Path, folder: Path, file_format: FileFormat) -> None:
    """Progress goes up from 0 and reaches the total, so that a page can draw a bar."""
    noise(60, 40).save(tmp_path / "s.png")
    seen: list[tuple[int, int]] = []
    spec = PrintSpec(A6, 300, file_format)
    made = exact_size(tmp_path / "s.png", folder, spec, on_progress=lambda *at: seen.append(at))
    assert (0, made.height) == seen[0]
    assert (made.height, made.height) == seen[-1]
    assert len(set(seen)) >= 3
    assert seen == sorted(seen)


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "JPEG", "PDF"])
def test_stopped_work_leaves_nothing(tmp_path: Path, folder: Path, file_format: FileFormat) -> None:
    """should_stop ends the work between two bands, and no half-written file is left."""
    noise(60, 40).save(tmp_path / "s.png")
    seen: list[int] = []
    with pytest.raises(Stopped):
        exact_size(
            tmp_path / "s.png",
            folder,
            PrintSpec(A6, 300, file_format),
            on_progress=lambda done, total: seen.append(done),
            should_stop=lambda: any(seen),
        )
    assert [] == list(folder.iterdir())


def test_a_set_that_fails_half_way_leaves_nothing(tmp_path: Path, folder: Path) -> None:
    """An error in the second file, such as a full disk, removes the first one and the ZIP as well."""
    noise(60, 40).save(tmp_path / "s.png")

    def full(done: int, total: int) -> None:
        if done > 250:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        print_set(tmp_path / "s.png", folder, [PrintSpec(SMALL, 100)] * 2, on_progress=full)
    assert [] == list(folder.iterdir())


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers(1) as pool:
        pool.start()
        yield pool


LONG = PrintSpec(PAPERS["A2"], 300, "PNG")


def until_it_moves(job: "shop.PrintJob[PrintFile]") -> None:
    deadline = time.monotonic() + 60
    while not 0 < job.progress < 1 and not job.done and time.monotonic() < deadline:
        wait([job.future], timeout=0.01)
    assert not job.done


def test_work_in_another_process_can_be_polled(tmp_path: Path, folder: Path, workers: Workers) -> None:
    """start returns at once; progress moves while the caller is free, and the result comes back."""
    noise(60, 40).save(tmp_path / "s.png")
    job = start(workers, exact_size, tmp_path / "s.png", folder, LONG, title="fjord")
    seen = [job.progress]
    while not job.done:
        wait([job.future], timeout=0.005)
        seen.append(job.progress)
    made = job.result(timeout=0)
    assert (0, 1) == (seen[0], seen[-1])
    assert seen == sorted(seen)
    assert len(set(seen)) >= 3
    assert [made.path] == list(folder.iterdir())
    assert (7016, 4961) == (made.width, made.height)


def test_progress_never_goes_back(folder: Path) -> None:
    """Between the worker's end and the arrival of its result, progress stays where it was."""
    progress_file = folder / ".a.progress"
    progress_file.write_text("0.9714")
    future: Future[None] = Future()
    job = PrintJob(future, progress_file)
    assert 0.9714 == job.progress
    progress_file.unlink()
    assert 0.9714 == job.progress
    future.set_result(None)
    assert 1 == job.progress


@pytest.mark.parametrize("when", ["at once", "half way"])
def test_work_in_another_process_can_be_stopped(tmp_path: Path, folder: Path, workers: Workers, when: str) -> None:
    """stop ends the work at the next band, and nothing is left."""
    noise(60, 40).save(tmp_path / "s.png")
    job = start(workers, exact_size, tmp_path / "s.png", folder, LONG)
    if when == "half way":
        until_it_moves(job)
    job.stop()
    with pytest.raises(Stopped):
        job.result(timeout=60)
    assert [] == list(folder.iterdir())
    assert 1 == job.progress


def test_errors_of_another_process_arrive(folder: Path, workers: Workers) -> None:
    """result raises what the work raised."""
    job = start(workers, retag, folder / "missing.png", folder)
    with pytest.raises(FileNotFoundError):
        job.result(timeout=60)
    assert [] == list(folder.iterdir())


def test_a_killed_worker_leaves_no_progress_file(tmp_path: Path, folder: Path) -> None:
    """When the worker dies, result raises, and no progress file is left that a poll would trust."""
    noise(60, 40).save(tmp_path / "s.png")
    pool = Workers(1)
    pool.start()
    try:
        job = start(pool, exact_size, tmp_path / "s.png", folder, LONG)
        until_it_moves(job)
    finally:
        pool.stop()
    with pytest.raises(WorkerDied):
        job.result(timeout=60)
    assert job.done
    assert [] == [path for path in folder.iterdir() if path.suffix == ".progress"]


@pytest.mark.parametrize("file_format", ["TIFF", "PNG"])
def test_transparency_is_said_and_can_be_flattened(file_format: FileFormat, tmp_path: Path) -> None:
    """A file with transparency says that many shops do not take it; flattened it has none."""
    source = FIELD / "17_disc_black.png"
    clear = exact_size(source, tmp_path, PrintSpec(custom_paper(1, 1, "in"), 96, file_format))
    assert any("transparent" in note for note in clear.notes)
    flat = exact_size(
        source, tmp_path, PrintSpec(custom_paper(1, 1, "in"), 96, file_format, flatten=True), title="flat"
    )
    assert not any("transparent" in note for note in flat.notes)
    with Image.open(flat.path) as image:
        assert ("RGB", (255, 255, 255)) == (image.mode, image.getpixel((0, 0)))


@pytest.mark.parametrize("name", ["29_twice.jpg", "30_before_dqt.jpg", "32_no_iend.png", "10_xmponly_6.jpg"])
def test_odd_files_keep_their_pixels(name: str, tmp_path: Path) -> None:
    """Stray bytes, a missing end, a profile twice and a turn that nobody shows: the pixels are copied whole."""
    made = retag(FIELD / name, tmp_path)
    assert np.array_equal(np.asarray(decoded(FIELD / name, 10**7)), np.asarray(decoded(made.path, 10**7)))
    assert not any("turned" in note for note in made.notes)
    data = made.path.read_bytes()
    assert data.endswith((b"IEND\xaeB`\x82", b"\xff\xd9"))
    with Image.open(made.path) as image:
        assert is_usable(image.info.get("icc_profile") or srgb(), 3)
    assert data.count(b"ICC_PROFILE") <= 1


@pytest.mark.parametrize(
    ("name", "space"), [("08_a_p3.png", "cICP"), ("07_a_linear.png", "gAMA"), ("34_cmyk_rgbprofile.jpg", None)]
)
def test_a_copy_says_its_colours(name: str, space: str | None, tmp_path: Path) -> None:
    """A copy keeps the way in which its source says its colours, with a profile beside it."""
    made = retag(FIELD / name, tmp_path)
    data = made.path.read_bytes()
    assert b"ICC_PROFILE" not in data
    if space:
        assert space.encode() in data
        with Image.open(made.path) as image:
            assert is_usable(image.info["icc_profile"], 3)


@pytest.mark.parametrize("way", ["copied", "made"])
def test_a_fraction_of_a_dpi_is_written_whole(way: str, tmp_path: Path) -> None:
    """In a JPEG of 150.5 DPI the number in the file, its name and the note agree, so 593 px read as 100 mm."""
    noise(593, 40).save(tmp_path / "a.jpg")
    if way == "copied":
        made = retag(tmp_path / "a.jpg", tmp_path, dpi=150.5)
        assert any("150.5 DPI" in note for note in made.notes)
    else:
        made = exact_size(
            tmp_path / "a.jpg", tmp_path, PrintSpec(custom_paper(100, 10, "mm"), 150.5, "JPEG"), title="b"
        )
    assert "150.5dpi" in made.path.name
    with Image.open(made.path) as image:
        dpi = float(image.info["dpi"][0])
    assert abs(100 - 593 / dpi * 25.4) < 0.1


@pytest.mark.parametrize(("name", "version"), [("09_v4.jpg", b"%PDF-1.7"), ("scene.png", b"%PDF-1.6")])
def test_a_pdf_says_the_version_that_its_profile_needs(name: str, version: bytes, tmp_path: Path) -> None:
    """ICC 4.2 and later are allowed from PDF 1.7 on; our own sRGB is version 2."""
    made = exact_size(FIELD / name, tmp_path, PrintSpec(custom_paper(1, 1, "in"), 96, "PDF"))
    assert made.path.read_bytes().startswith(version)
