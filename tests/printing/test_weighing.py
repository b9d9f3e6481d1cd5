"""The size of a print file, told before it is made; and the JPEG that fits a size."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from journey.printing import PAPERS, FileFormat, Paper, Product
from journey.printing.shop import LEAST_QUALITY, PrintSpec, exact_size, print_set, told_sizes
from journey.printing.shop.weighing import highest_that_fits

A5 = PAPERS["A5"]
FORMATS: tuple[FileFormat, ...] = ("TIFF", "PNG", "JPEG", "PDF")


def photo() -> Image.Image:
    """A sky above a shore: smooth at the top, full of detail and grain at the bottom."""
    dice = np.random.default_rng(3)
    rows, columns = np.mgrid[0:1240, 0:874]
    land = np.clip((rows - 700) / 200, 0, 1)[..., None]
    waves = 60 * np.sin(rows / 7 + 9 * np.sin(columns / 40))[..., None] * (1, 0.8, 0.6)
    grain = dice.normal(0, 3, (1240, 874, 3)) * (1 + 5 * land)
    sky = 120 + 90 * (rows / 1240)[..., None] * (0.7, 0.9, 1.1)
    return Image.fromarray(np.clip(sky + land * waves + grain, 0, 255).astype(np.uint8))


def drawing() -> Image.Image:
    """Black ink on white: most of it empty, with lines and words in one corner and a frame."""
    page = Image.new("RGB", (1748, 2480), "white")
    pen = ImageDraw.Draw(page)
    pen.rectangle((40, 40, 1708, 2440), outline="black", width=6)
    for turn in range(60):
        angle = turn / 60 * math.tau
        pen.line((600, 700, 600 + 480 * math.cos(angle), 700 + 480 * math.sin(angle)), fill="black", width=3)
    for line in range(12):
        pen.text((160, 1500 + 60 * line), "The quick brown fox jumps over it", "navy", ImageFont.load_default(44))
    return page


def cut_out() -> Image.Image:
    """A disc of soft colour on nothing."""
    disc = photo().convert("RGBA")
    mask = Image.new("L", disc.size, 0)
    ImageDraw.Draw(mask).ellipse((100, 200, 780, 1040), fill=255)
    disc.putalpha(mask)
    return disc


PICTURES: dict[str, Callable[[], Image.Image]] = {
    "photo": photo,
    "drawing": drawing,
    "flat": lambda: Image.new("RGB", (874, 1240), (40, 180, 60)),
    "cut out": cut_out,
    "small": lambda: photo().resize((120, 90)),
}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pictures")
    made = {name: folder / f"{name}.png" for name in PICTURES}
    for name, path in made.items():
        PICTURES[name]().save(path)
    return made


@pytest.mark.parametrize("name", PICTURES)
def test_what_is_told_is_what_is_made(pictures: dict[str, Path], name: str, tmp_path: Path) -> None:
    """Before a file is made its size is told, within a fifth, in every format, for all kinds of pictures."""
    specs = [PrintSpec(A5, 300, each, bleed_mm=3) for each in FORMATS]
    specs.append(PrintSpec(PAPERS["8x10"], 150, "JPEG", fit="contain"))
    told = told_sizes(pictures[name], tmp_path, specs)
    made = [exact_size(pictures[name], tmp_path, spec).size for spec in specs]
    off = {f"{spec.format} {spec.fit}": each.size / size for spec, each, size in zip(specs, told, made, strict=True)}
    assert {} == {what: round(ratio, 2) for what, ratio in off.items() if not 0.8 <= ratio <= 1.2}
    assert len(specs) == len(list(tmp_path.iterdir()))


def test_a_jpeg_has_the_highest_quality_that_fits(pictures: dict[str, Path], tmp_path: Path) -> None:
    """At most so many MB is kept and made use of, and the file says what was lowered."""
    whole = exact_size(pictures["photo"], tmp_path, PrintSpec(A5, 300, "JPEG", bleed_mm=3))
    limit = round(0.6 * whole.size / 1e6, 2)
    spec = PrintSpec(A5, 300, "JPEG", bleed_mm=3, at_most_mb=limit)
    (told,) = told_sizes(pictures["photo"], tmp_path, [spec])
    made = exact_size(pictures["photo"], tmp_path, spec)
    assert made.path.stat().st_size == made.size <= limit * 1e6
    assert made.quality is not None
    assert LEAST_QUALITY <= made.quality < 95
    assert f"The quality is {made.quality} of 100, so that the file has at most {limit:g} MB." in made.notes
    assert made.quality == pytest.approx(told.quality, abs=3)
    with Image.open(made.path) as image:
        image.load()
        assert ((1819, 2551), (300, 300)) == (image.size, image.info["dpi"])
    assert made.size > 0.9 * limit * 1e6
    assert [] == [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("limit", range(50, 1200, 50))
@pytest.mark.parametrize("bias", [0.8, 1.0, 1.25])
def test_the_highest_quality_is_found_in_few_encodings(limit: int, bias: float) -> None:
    """However far off what is told is, the result is the highest that fits, and it takes few files to know that."""
    written: list[int] = []

    def size(quality: int) -> int:
        return round(40 * 1.035 ** (quality - 20))

    def make(quality: int) -> int:
        written.append(quality)
        return size(quality)

    found = highest_that_fits(lambda quality: round(bias * size(quality) + quality / 9), make, limit)
    fitting = [quality for quality in range(LEAST_QUALITY, 96) if size(quality) <= limit]
    assert max(fitting, default=None) == found
    assert len(written) <= 4


def test_a_file_that_fits_already_has_full_quality(pictures: dict[str, Path], tmp_path: Path) -> None:
    """A limit that is no limit changes no pixel and says nothing."""
    plain = exact_size(pictures["small"], tmp_path, PrintSpec(A5, 100, "JPEG")).path.read_bytes()
    made = exact_size(pictures["small"], tmp_path, PrintSpec(A5, 100, "JPEG", at_most_mb=200))
    assert (plain, 95) == (made.path.read_bytes(), made.quality)
    assert not any("quality" in note.lower() for note in made.notes)


def test_a_limit_that_no_quality_reaches_is_a_sentence(pictures: dict[str, Path], tmp_path: Path) -> None:
    """Too small a limit is refused before and while a file is made, with the DPI at which it would fit."""
    spec = PrintSpec(A5, 300, "JPEG", at_most_mb=0.2)
    (told,) = told_sizes(pictures["photo"], tmp_path, [spec])
    with pytest.raises(ValueError, match=r"Even at quality 60 of 100.*more than 0.2 MB. At \d+ DPI it would fit"):
        exact_size(pictures["photo"], tmp_path, spec)
    assert told.problem is not None
    assert [] == list(tmp_path.iterdir())
    dpi = int(told.problem.split("At ")[1].split()[0])
    assert exact_size(pictures["photo"], tmp_path, PrintSpec(A5, dpi, "JPEG", at_most_mb=0.2)).size <= 200_000


def test_only_a_jpeg_can_be_made_to_fit() -> None:
    """What keeps every pixel cannot be made smaller, and that is said before anything is made."""
    with pytest.raises(ValueError, match="Only a JPEG can be made to fit a size"):
        PrintSpec(A5, 300, "TIFF", at_most_mb=20)
    with pytest.raises(ValueError, match="The most MB must be a number"):
        PrintSpec(A5, 300, "JPEG", at_most_mb=0)


def test_a_file_too_large_for_its_shop_is_told(pictures: dict[str, Path], tmp_path: Path) -> None:
    """A product's largest file is held against what was made, each file of a set by itself."""
    card = Paper("Card", 148, 210, "mm", "own papers", Product("Card", largest_mb=0.5))
    made = print_set(pictures["photo"], tmp_path, [PrintSpec(card, 200), PrintSpec(card, 200, "JPEG", at_most_mb=0.5)])
    large, small = made.files
    assert any(note.startswith("Card takes files of up to 0.5 MB, and this one has") for note in large.notes)
    assert not any("Card takes" in note for note in small.notes)
