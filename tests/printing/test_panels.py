"""A large print cut into panels: golden counts, and what holds for every cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from journey.printing import PAPERS, Cut, Paper, custom_paper, cut_into_panels, pixels_needed
from journey.printing.panels import MARKS_MM

A4 = PAPERS["A4"]


@pytest.mark.parametrize(
    ("print_paper", "dpi", "cut", "count", "lies"),
    [
        # 190 × 277 mm of picture on each A4, of which the overlap counts once: (700 - 10) / 180, (800 - 10) / 267.
        (custom_paper(700, 800, "mm"), 300, Cut(A4), (3, 4), "portrait"),
        (PAPERS["A0"], 300, Cut(A4), (5, 5), "portrait"),
        # Turned: (420 - 10) / 267 and (594 - 10) / 180 make 4 × 2, where 3 × 3 would be needed upright.
        (PAPERS["A2"], 300, Cut(A4), (4, 2), "landscape"),
        (PAPERS["A0"], 300, Cut(PAPERS["A3"]), (5, 3), "landscape"),
        (custom_paper(6000, 2000, "mm"), 100, Cut(custom_paper(1000, 2050, "mm"), overlap_mm=20), (1, 7), "portrait"),
        (PAPERS["A6"], 300, Cut(A4), (1, 1), "portrait"),
    ],
)
def test_the_fewest_sheets_are_taken(
    print_paper: Paper, dpi: float, cut: Cut, count: tuple[int, int], lies: str
) -> None:
    """Rows and columns of known prints, with the sheets turned where that saves some."""
    cut_up = cut_into_panels(*pixels_needed(print_paper, dpi), dpi, cut)
    assert count == (cut_up.rows, cut_up.columns)
    assert lies == ("portrait" if cut_up.sheet.width < cut_up.sheet.height else "landscape")
    assert count[0] * count[1] == len(cut_up.each)


def test_panels_have_whole_pixels_and_the_overlap_that_was_asked_for() -> None:
    """700 mm at 300 DPI are 8,268 px: four panels of 2,155 or 2,156 px that overlap by 118 px (10 mm)."""
    cut_up = cut_into_panels(8268, 9449, 300, Cut(A4))
    first_row = [panel.box for panel in cut_up.each if panel.row == 1]
    assert [(0, 2155), (2037, 4193), (4075, 6230), (6112, 8268)] == [(box.left, box.right) for box in first_row]
    assert 118 == cut_up.overlap


@given(
    size=st.tuples(st.integers(1, 3000), st.integers(1, 3000)),
    dpi=st.sampled_from([20, 72, 99.5]),
    sheet=st.tuples(st.integers(40, 300), st.integers(40, 300)),
    overlap=st.integers(0, 25),
    margin=st.integers(0, 6),
)
def test_every_cut_covers_the_print_and_fits_its_sheets(
    size: tuple[int, int], dpi: float, sheet: tuple[int, int], overlap: int, margin: int
) -> None:
    """Panels come row by row, each has room on its sheet, neighbours overlap as asked, and no pixel is left out."""
    cut = Cut(custom_paper(*sheet, "mm"), overlap, margin)
    try:
        cut_up = cut_into_panels(*size, dpi, cut)
    except ValueError:
        assume(False)
    rooms = [(side - 2 * (margin + MARKS_MM)) / 25.4 * dpi + 1e-6 for side in cut_up.sheet.size.in_unit("mm")]
    seen = np.zeros(size[::-1], bool)
    at = {(panel.row, panel.column): panel.box for panel in cut_up.each}
    assert sorted(at) == list(at)
    for (row, column), box in at.items():
        assert 0 < box.width <= rooms[0]
        assert 0 < box.height <= rooms[1]
        seen[box.top : box.bottom, box.left : box.right] = True
        if right := at.get((row, column + 1)):
            assert cut_up.overlap == box.right - right.left
        if below := at.get((row + 1, column)):
            assert cut_up.overlap == box.bottom - below.top
    assert seen.all()


@pytest.mark.parametrize(
    ("cut", "words"),
    [
        (lambda: Cut(A4, overlap_mm=-1), "overlap must be"),
        (lambda: Cut(A4, margin_mm=float("nan")), "printer's margin must be"),
        (lambda: Cut("A4"), "Choose a sheet"),  # type: ignore[arg-type]
        (lambda: cut_into_panels(9933, 14043, 300, Cut(PAPERS["A6"], overlap_mm=90)), "no room for a picture"),
        (lambda: cut_into_panels(9933, 14043, 300, Cut(PAPERS["A6"], overlap_mm=80)), "Choose a larger sheet"),
    ],
)
def test_a_cut_that_cannot_be_is_told_in_a_sentence(cut: object, words: str) -> None:
    """A sheet without room, too many sheets and numbers that mean nothing are refused, with what to do."""
    with pytest.raises(ValueError, match=words) as refused:
        cut()  # type: ignore[operator]
    assert str(refused.value).endswith(".")
