"""Colours, however a file says them, are in previews, results and print files what a browser shows for the source."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page

from journey.pictures import png
from journey.pictures.previews import PREVIEW, write
from journey.pictures.profiles import srgb
from journey.pictures.rows import Stream
from journey.pictures.streaming import stream
from journey.printing import custom_paper
from journey.printing.shop import FORMATS, PrintSpec, exact_size, retag

pytestmark = pytest.mark.browser
FIELD = Path(__file__).parents[1] / "pictures" / "field"
LIMIT = 10**7
PLACES = ((56, 10), (80, 50), (20, 50))
SIDE = 9
"""What is looked at: the mean of a square of so many pixels around each place, because previews are lossy."""
NAMES = ("07_a_linear.png", "07_b_045455.png", "07_c_mac18.png", "07_d_srgb_and_linear.png", "08_a_p3.png",
         "08_c_srgb.png", "08_d_p3_and_icc.png", "09_v4.jpg", "09_truncated.jpg", "09_prtr.png", "14_ultrahdr.jpg",
         "35_grey_linear.png")  # fmt: skip
_SHOWN = """async ([source, places, side]) => {
    const image = new Image();
    image.src = source;
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), {width: image.width, height: image.height});
    const context = canvas.getContext("2d", {colorSpace: "srgb"});
    context.drawImage(image, 0, 0);
    return places.map(([x, y]) => {
        const data = context.getImageData(x - (side >> 1), y - (side >> 1), side, side).data;
        return [0, 1, 2].map((channel) => {
            let sum = 0;
            for (let at = channel; at < data.length; at += 4) sum += data[at];
            return sum / (side * side);
        });
    });
}"""

Colours = list[list[float]]


@pytest.fixture
def shown(page: Page) -> Callable[[Path], Colours]:
    """What Chromium shows of a picture at PLACES, as sRGB."""
    page.goto("about:blank")

    def of(path: Path) -> Colours:
        kind = {".jpg": "jpeg", ".webp": "webp"}.get(path.suffix, "png")
        source = f"data:image/{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
        return list(page.evaluate(_SHOWN, [source, PLACES, SIDE]))

    return of


def read_by_others(path: Path, folder: Path) -> Colours:
    """The same by ImageMagick and its colour engine, after poppler for a PDF."""
    if path.suffix == ".pdf":
        subprocess.run(["pdftoppm", "-r", "100", "-png", "-singlefile", str(path), str(folder / "page")], check=True)
        path = folder / "page.png"
    (folder / "srgb.icc").write_bytes(srgb())
    made = folder / "read.png"
    command = ["convert", str(path), "-profile", str(folder / "srgb.icc"), "-strip", "-depth", "8", f"PNG24:{made}"]
    subprocess.run(command, check=True, capture_output=True)
    with Image.open(made) as image:
        pixels = np.asarray(image.convert("RGB"))
    half = SIDE // 2
    squares = (pixels[y - half : y + half + 1, x - half : x + half + 1] for x, y in PLACES)
    return [square.mean((0, 1)).tolist() for square in squares]


def result(picture: Stream, path: Path) -> None:
    """The picture as a result is written: its pixels with its profile."""
    png.write(path, np.concatenate(list(picture.bands)), icc=picture.icc)


def furthest(one: Colours, other: Colours) -> float:
    return float(np.abs(np.array(one) - np.array(other)).max())


@pytest.mark.parametrize("name", NAMES)
def test_colours_are_those_that_a_browser_shows(name: str, shown: Callable[[Path], Colours], tmp_path: Path) -> None:
    """Preview, result, the copy with its pixels and each kind of print file agree with the source within 3 levels."""
    source = FIELD / name
    wanted = shown(source)
    stream(source, LIMIT, lambda picture: write(picture, tmp_path))
    stream(source, LIMIT, lambda picture: result(picture, tmp_path / "result.png"))
    assert furthest(wanted, shown(tmp_path / PREVIEW)) <= 3
    assert furthest(wanted, shown(tmp_path / "result.png")) <= 3
    copy = retag(source, tmp_path).path
    assert max(furthest(wanted, shown(copy)), furthest(wanted, read_by_others(copy, tmp_path))) <= 3
    with Image.open(source) as image:
        width, height = image.size
    for file_format in FORMATS:
        spec = PrintSpec(custom_paper(width / 100, height / 100, "in"), 100, file_format)
        made = exact_size(source, tmp_path, spec, title=file_format).path
        assert furthest(wanted, read_by_others(made, tmp_path)) <= 3, file_format
