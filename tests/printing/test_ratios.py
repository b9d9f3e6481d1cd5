"""Sets by ratio, as sellers deliver them."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from journey.printing import PAPERS, RATIOS, cut_away, largest, plan
from journey.printing.shop import PrintSpec, print_set, ratio_specs

SHAPES = {"2:3": 2 / 3, "3:4": 3 / 4, "4:5": 4 / 5, "11:14": 11 / 14, "ISO A": 2**-0.5, "square": 1}
WANTED = PrintSpec(PAPERS["A4"], 300, "JPEG")


def test_every_paper_of_a_ratio_has_its_shape() -> None:
    """The papers of a ratio differ in size only, and the smallest comes first."""
    assert list(SHAPES) == [ratio.name for ratio in RATIOS]
    for ratio in RATIOS:
        shapes = [paper.size.width_in / paper.size.height_in for paper in ratio.papers]
        assert [pytest.approx(SHAPES[ratio.name], abs=0.004)] * len(shapes) == shapes
        assert sorted(ratio.papers, key=lambda paper: paper.size.width_in) == list(ratio.papers)


@pytest.mark.parametrize(
    ("size", "papers"),
    [
        ((4096, 6144), ["12x18", "12x16", "12x15", "11x14", "A3", "12x12"]),
        ((6144, 4096), ["12x18", "12x16", "12x15", "11x14", "A3", "12x12"]),
        ((8192, 12288), ["24x36", "24x32", "24x30", "22x28", "A1", "24x24"]),
        ((1024, 1024), []),
        ((2048, 2048), ["4x6", "4x5", "A6", "5x5"]),
    ],
)
def test_each_ratio_has_the_largest_paper_that_the_picture_fills(size: tuple[int, int], papers: list[str]) -> None:
    """Of each ratio it is the largest at this DPI, for upright and wide pictures; what is out of reach is left out."""
    specs = ratio_specs(*size, WANTED)
    assert papers == [spec.paper.name for spec in specs.values()]
    for ratio in RATIOS:
        sizes = [paper.name for paper in ratio.papers]
        first = sizes.index(specs[ratio.name].paper.name) + 1 if ratio.name in specs else 0
        larger = ratio.papers[first:]
        assert not any(plan(*size, each, 300).options[1].enough for each in larger)


def test_what_a_crop_costs_is_said() -> None:
    """A square cut of a 2:3 picture loses a third of its height, and one of its own shape loses nothing."""
    by_name = {ratio.name: ratio for ratio in RATIOS}
    square, own = largest(by_name["square"], 4096, 6144, 300), largest(by_name["2:3"], 4096, 6144, 300)
    assert square is not None
    assert own is not None
    assert ("33 % of the height is cut away.", "Nothing is cut away.") == (cut_away(square), cut_away(own))


def test_a_set_is_one_archive_with_a_name_for_each_ratio(tmp_path: Path) -> None:
    """The ZIP has a file for each ratio, cropped where the position says, and says of each what was cut away."""
    gradient = np.linspace(0, 255, 900).astype(np.uint8)[:, None].repeat(600, 1)
    Image.fromarray(np.stack([gradient] * 3, -1)).save(tmp_path / "koi.png")
    wanted = PrintSpec(PAPERS["A4"], 30, "JPEG", position=0, at_most_mb=0.05)
    made = print_set(tmp_path / "koi.png", tmp_path, [*ratio_specs(600, 900, wanted).values()], title="koi.png")
    with zipfile.ZipFile(made.path) as archive:
        assert [
            "koi_2x3_20x30_30dpi.jpg",
            "koi_3x4_18x24_30dpi.jpg",
            "koi_4x5_16x20_30dpi.jpg",
            "koi_11x14_11x14_30dpi.jpg",
            "koi_ISO_A2_30dpi.jpg",
            "koi_square_20x20_30dpi.jpg",
            "manifest.csv",
            "manifest.txt",
        ] == archive.namelist()
        with Image.open(archive.open("koi_square_20x20_30dpi.jpg")) as square:
            assert (600, 600) == square.size
            shade = square.convert("L").getpixel((300, 599))
        rows = list(csv.DictReader(io.StringIO(archive.read("manifest.csv").decode("utf-8-sig"))))
        assert all(info.file_size <= 50_000 for info in archive.infolist())
    assert 255 * 600 / 900 == pytest.approx(shade, abs=3)  # the upper end was kept
    assert "33 % of the height is cut away." in rows[5]["notes"]
    assert ["koi.png", "koi_print_set.zip"] == sorted(path.name for path in tmp_path.iterdir())
