"""The drawing of a plan, checked by its pixels."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from journey import printing
from journey.printing.drawing import SIDE, draw, draw_paper, geometry, safe_area

A3 = printing.PAPERS["A3"]
RED, BLUE = (220, 30, 30, 255), (30, 30, 220, 255)


def drawn(plan: printing.Plan, picture: Image.Image | None = None, **more: object) -> Image.Image:
    return Image.open(io.BytesIO(draw(plan, picture, **more)))  # type: ignore[arg-type]


def halves(width: int, height: int) -> Image.Image:
    """Red on the left, blue on the right."""
    picture = Image.new("RGBA", (width, height), RED)
    picture.paste(BLUE, (width // 2, 0, width, height))
    return picture


def middle(box: tuple[float, float, float, float]) -> tuple[int, int]:
    return round((box[0] + box[2]) / 2), round((box[1] + box[3]) / 2)


@pytest.mark.parametrize("size", [(1024, 1024), (1024, 1536), (4000, 500), (1, 900)])
@pytest.mark.parametrize("fit", ["crop", "contain"])
def test_a_drawing_is_to_scale_and_no_larger_than_agreed(size: tuple[int, int], fit: printing.Fit) -> None:
    """Paper and picture keep their shape, and the drawing stays within its limit, whatever the picture."""
    plan = printing.plan(*size, A3, fit=fit)
    at = geometry(plan)
    assert max(at.size) <= SIDE
    left, top, right, bottom = at.trim
    assert plan.paper.width / plan.paper.height == pytest.approx((right - left) / (bottom - top), rel=1e-6)
    left, top, right, bottom = at.picture
    assert size[0] / size[1] == pytest.approx((right - left) / (bottom - top), rel=0.05)


def test_what_is_cut_away_is_faded_and_the_rest_is_not() -> None:
    """Outside the paper the picture is faded; on the paper it is as it is."""
    plan = printing.plan(2000, 1000, printing.PAPERS["8x8"])
    at = geometry(plan)
    picture = drawn(plan, halves(200, 100), guides=False)
    outside = round((at.picture[0] + at.sheet[0]) / 2), middle(at.sheet)[1]
    inside = round(at.sheet[0] + 20), middle(at.sheet)[1]
    assert RED[:3] == picture.getpixel(outside)[:3]
    assert 40 < picture.getpixel(outside)[3] < 110
    assert RED == picture.getpixel(inside)
    assert (0, 0, 0, 0) == picture.getpixel((0, 0))


@pytest.mark.parametrize(("position", "colour"), [(0.0, RED), (1.0, BLUE)])
def test_the_crop_moves_with_its_position(position: float, colour: tuple[int, ...]) -> None:
    """At 0 the left of a wide picture is on the paper, at 1 its right."""
    plan = printing.plan(3000, 1000, printing.PAPERS["8x8"], position=position)
    assert colour == drawn(plan, halves(300, 100), guides=False).getpixel(middle(geometry(plan).sheet))


def test_contain_leaves_white_margins() -> None:
    """All of the picture is on the paper, and the rest of the paper is white."""
    plan = printing.plan(1000, 500, printing.PAPERS["8x8"], fit="contain")
    at = geometry(plan)
    picture = drawn(plan, halves(100, 50), guides=False)
    assert (255, 255, 255, 255) == picture.getpixel((middle(at.sheet)[0], round(at.sheet[1]) + 10))
    assert RED == picture.getpixel((round(at.picture[0]) + 5, middle(at.picture)[1]))


def test_bleed_is_drawn_to_scale_outside_the_trim_line() -> None:
    """A bleed of 3 mm is drawn to scale and tinted, and what lies inside the trim line is not tinted."""
    plan = printing.plan(1024, 1536, A3, bleed_mm=3)
    at = geometry(plan)
    assert 3 / 25.4 * at.scale == pytest.approx(at.trim[0] - at.sheet[0])
    white = Image.new("RGB", (20, 30), "white")
    edge = round((at.sheet[0] + at.trim[0]) / 2), middle(at.sheet)[1]
    red, green, _, _ = drawn(plan, white).getpixel(edge)
    assert red > green + 50
    inside = middle(at.trim)
    assert (255, 255, 255, 255) == drawn(plan, white).getpixel(inside)


def test_a_tiny_paper_has_no_safe_area() -> None:
    """Where 4 mm on each side would leave nothing, no dashes are drawn."""
    assert geometry(printing.plan(100, 100, printing.custom_paper(10, 15, "mm"))).safe is None
    assert geometry(printing.plan(100, 100, A3)).safe is not None


def test_without_a_picture_the_shape_is_still_shown() -> None:
    """Without a picture, a neutral one with something on it is drawn."""
    plan = printing.plan(1024, 1024, A3)
    sheet = tuple(map(round, geometry(plan).sheet))
    colours = drawn(plan, guides=False).crop(sheet).getcolors(maxcolors=100)  # type: ignore[arg-type]
    assert len(colours) > 3


@pytest.mark.parametrize("unit", ["mm", "in"])
@pytest.mark.parametrize("paper", [A3, A3.turned(), printing.PAPERS["8x8"], printing.custom_paper(30, 4000, "mm")])
def test_an_empty_paper_is_to_scale(paper: printing.Paper, unit: printing.Unit) -> None:
    """A paper alone is drawn white, in its own shape and orientation, with its bleed around it."""
    picture = Image.open(io.BytesIO(draw_paper(paper, bleed_mm=10, unit=unit, side=600)))
    assert max(picture.size) <= 600
    trim = edges_of((15, 139, 139, 255), picture)
    scale = (trim[3] - trim[1]) / paper.size.in_unit("mm")[1]
    assert paper.size.in_unit("mm")[0] * scale == pytest.approx(trim[2] - trim[0], abs=2)
    across, down = (trim[0] + trim[2]) // 2, (trim[1] + trim[3]) // 2
    red, green, _, alpha = picture.getpixel((across, round(trim[1] - 5 * scale)))
    assert (True, 255) == (red > green + 50, alpha)
    if safe_area(paper) and trim[2] - trim[0] > 20:
        assert (255, 255, 255, 255) == picture.getpixel((across, down))


def test_the_words_on_an_empty_paper_can_be_read_or_are_not_there() -> None:
    """The words stand on a sheet, but not on a strip that is too thin for them."""
    for paper, is_there in ((A3, True), (printing.custom_paper(30, 4000, "mm"), False)):
        plain, worded = (draw_paper(paper, words=words) for words in ("", "3508 × 4961 px"))
        assert is_there == (plain != worded)


def edges_of(colour: tuple[int, ...], picture: Image.Image) -> tuple[int, int, int, int]:
    """The box around all pixels of a colour."""
    down, across = np.nonzero((np.asarray(picture) == colour).all(axis=2))
    return int(across.min()), int(down.min()), int(across.max()) + 1, int(down.max()) + 1


def test_cuts_are_drawn_where_the_sheets_overlap() -> None:
    """What two sheets share is lighter; the rest of the print is the picture as it is."""
    plan = printing.plan(400, 566, printing.PAPERS["A2"], 100)
    panels = printing.cut_into_panels(*plan.needed, plan.dpi, printing.Cut(printing.PAPERS["A4"], overlap_mm=20))
    picture = drawn(plan, Image.new("RGBA", (40, 57), RED), guides=False, panels=panels)
    left, top, right, bottom = geometry(plan).sheet
    across, down = (right - left) / plan.needed[0], (bottom - top) / plan.needed[1]
    for panel in panels.each:
        alone = left + (panel.box.left + panel.box.right) / 2 * across, top + middle(panel.box)[1] * down
        assert RED == picture.getpixel((round(alone[0]), round(alone[1])))
    for neighbour in panels.each[1 : panels.columns]:
        shared = round(left + (neighbour.box.left + panels.overlap / 2) * across)
        assert picture.getpixel((shared, round(top + 30)))[1] > 100
