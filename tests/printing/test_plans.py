"""Plans for print: pixels, DPI, grades, crops and verdicts."""

import math
import pickle
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from journey import printing
from journey.printing import GRADES, PAPERS, SCREENS, Fit, Paper, Plan, Unit, custom_paper, plan

# No deadline: shared machines are slow now and then, and the promises are not about speed.
quick = settings(max_examples=100, deadline=None, derandomize=True, database=None)

pixels = st.integers(1, 20_000)
units = st.sampled_from(["in", "cm", "mm"])
named_papers = st.sampled_from(list(PAPERS.values()))
custom_papers = st.builds(custom_paper, st.floats(5, 90), st.floats(5, 90), units)
papers = named_papers | custom_papers
dpis = st.integers(50, 1200) | st.floats(50, 1200)
fits = st.sampled_from(["crop", "contain"])

PAPER_TABLE = {
    "A6": ((1240, 1748), (620, 874)),
    "A5": ((1748, 2480), (874, 1240)),
    "A4": ((2480, 3508), (1240, 1754)),
    "A3": ((3508, 4961), (1754, 2480)),
    "A2": ((4961, 7016), (2480, 3508)),
    "A1": ((7016, 9933), (3508, 4967)),
    "A0": ((9933, 14043), (4967, 7022)),
    "Letter": ((2550, 3300), (1275, 1650)),
    "Legal": ((2550, 4200), (1275, 2100)),
    "Tabloid": ((3300, 5100), (1650, 2550)),
    "4x6": ((1200, 1800), (600, 900)),
    "5x7": ((1500, 2100), (750, 1050)),
    "8x10": ((2400, 3000), (1200, 1500)),
    "11x14": ((3300, 4200), (1650, 2100)),
    "12x18": ((3600, 5400), (1800, 2700)),
    "16x20": ((4800, 6000), (2400, 3000)),
    "18x24": ((5400, 7200), (2700, 3600)),
    "20x30": ((6000, 9000), (3000, 4500)),
    "24x36": ((7200, 10800), (3600, 5400)),
    "8x8": ((2400, 2400), (1200, 1200)),
    "10x10": ((3000, 3000), (1500, 1500)),
    "12x12": ((3600, 3600), (1800, 1800)),
    "16x16": ((4800, 4800), (2400, 2400)),
}


def square(inches: float) -> Paper:
    return custom_paper(inches, inches, "in")


@pytest.mark.parametrize("name", PAPER_TABLE)
def test_pixels_of_every_paper(name: str) -> None:
    """Every paper needs the pixels of the published table, at 300 and at 150 DPI."""
    assert PAPER_TABLE[name] == (
        printing.pixels_needed(PAPERS[name], dpi=300),
        printing.pixels_needed(PAPERS[name], 150),
    )


def test_papers_are_complete_and_in_families() -> None:
    """The list holds exactly the papers of the table, family by family, each under its own name."""
    assert list(PAPER_TABLE) == list(PAPERS) == [paper.name for paper in PAPERS.values()]
    assert ("ISO A", "US office", "photo and poster", "square") == printing.FAMILIES


def test_bleed_grows_the_paper_on_every_side() -> None:
    """A4 with 3 mm bleed is a sheet of 216 × 303 mm."""
    assert (2551, 3579) == printing.pixels_needed(PAPERS["A4"], bleed_mm=3)
    assert printing.pixels_needed(custom_paper(216, 303, "mm")) == printing.pixels_needed(PAPERS["A4"], bleed_mm=3.0)


def test_half_pixels_are_rounded_up() -> None:
    """4.25 in at 150 DPI are 637.5 pixels, and 638 are needed, in whatever unit the size is given."""
    assert (638, 638) == printing.pixels_needed(square(4.25), dpi=150)
    assert (638, 638) == printing.pixels_needed(custom_paper(107.95, 107.95, "mm"), dpi=150)


def test_print_size_of_the_guide() -> None:
    """4096 pixels at 300 DPI print 13.65 in wide."""
    size = printing.print_size(4096, 4096, dpi=300)
    assert pytest.approx(13.653, abs=0.001) == size.width_in == size.height_in


def test_print_size_in_words() -> None:
    """Sizes read as people write them, in inches, centimetres and millimetres."""
    assert "13.7 × 20.5 in" == printing.print_size(4096, 6144).text()
    assert "34.7 × 52 cm" == printing.print_size(4096, 6144).text("cm")
    assert "347 × 520 mm" == printing.print_size(4096, 6144).text("mm")
    assert "8 × 10 in" == printing.print_size(2400, 3000).text("in")
    assert "300 × 400 in" == printing.print_size(300, 400, dpi=1).text()
    assert "0.03 × 0.07 in" == printing.print_size(10, 20).text()


def test_labels() -> None:
    """A paper is called by its name and size, once."""
    assert "A3 · 297 × 420 mm" == PAPERS["A3"].label
    assert "Letter · 8.5 × 11 in" == PAPERS["Letter"].label
    assert "8 × 10 in" == PAPERS["8x10"].label
    assert "10 × 20.25 cm" == custom_paper(10, 20.25, "cm").label
    assert "4K · 3840 × 2160 px" == SCREENS["4K"].label


@pytest.mark.parametrize(
    ("size", "paper", "dpi", "word", "recommended"),
    [
        ((1024, 1024), PAPERS["A3"], 247.7, "good", None),
        ((1024, 1536), PAPERS["A3"], 350.3, "excellent", 4),
        ((1024, 1024), PAPERS["24x36"], 113.8, "poor", None),
        ((1024, 1024), square(24), 170.7, "acceptable", None),
        ((1024, 1024), PAPERS["16x16"], 256.0, "good", None),
        ((1024, 1024), PAPERS["8x8"], 512.0, "excellent", 4),
        ((1024, 1024), PAPERS["10x10"], 409.6, "excellent", 4),
        ((1024, 1024), PAPERS["12x12"], 341.3, "excellent", 4),
        ((2048, 2048), PAPERS["8x10"], 819.2, "excellent", 2),
        ((2048, 2048), PAPERS["12x12"], 682.7, "excellent", 2),
        ((2048, 2048), PAPERS["16x16"], 512.0, "excellent", 4),
        ((2048, 2048), square(24), 341.3, "excellent", 4),
        ((2048, 2048), square(30), 273.1, "good", None),
        ((256, 256), PAPERS["A3"], 61.9, "too low", None),
    ],
)
def test_what_4x_reaches(size: tuple[int, int], paper: Paper, dpi: float, word: str, recommended: int | None) -> None:
    """4x of a picture reaches a known DPI and grade, and the smallest multiplier that is enough is recommended."""
    width, height = size
    found = plan(width, height, paper, dpi=300)
    assert (pytest.approx(dpi, abs=0.05), word, recommended) == (
        found.reached.dpi,
        found.reached.grade.word,
        found.recommended,
    )
    assert printing.effective_dpi(width * 4, height * 4, paper) == found.reached.dpi


@pytest.mark.parametrize(
    ("side", "inches", "factor"),
    [(1024, 8, 2.34), (1024, 10, 2.93), (1024, 12, 3.52), (1024, 16, 4.69), (1024, 24, 7.03), (2048, 30, 4.39)],
)
def test_factor_needed(side: int, inches: float, factor: float) -> None:
    """The enlargement that a square paper needs is told, even when it is beyond 4x."""
    assert factor == round(plan(side, side, square(inches)).factor_needed, 2)


def test_the_long_axis_decides_contain() -> None:
    """Contain is judged on the axis that touches the paper's edges, crop on the other."""
    assert pytest.approx(371.6, abs=0.05) == printing.effective_dpi(4096, 6144, PAPERS["A3"], fit="contain")
    assert pytest.approx(350.3, abs=0.05) == printing.effective_dpi(4096, 6144, PAPERS["A3"], fit="crop")


def test_contain_needs_the_pixels_of_the_deciding_side_only() -> None:
    """A panorama as wide as the paper is enough for contain, and one that is 3 pixels narrower is not."""
    assert 1 == plan(3508, 500, PAPERS["A4"], fit="contain").recommended
    assert 1 == plan(3506, 500, PAPERS["A4"], fit="contain").recommended
    assert 2 == plan(3505, 500, PAPERS["A4"], fit="contain").recommended
    assert 8 > plan(3508, 500, PAPERS["A4"]).factor_needed > 4


def test_two_pixels_short_are_enough_and_three_are_not() -> None:
    """The table's own sizes, and up to two pixels less on a side, pass and are graded excellent."""
    assert (1, "excellent") == _first(plan(2480, 3508, PAPERS["A4"]))
    assert (1, "excellent") == _first(plan(4960, 7016, PAPERS["A2"]))
    assert (1, "excellent") == _first(plan(2478, 3506, PAPERS["A4"]))
    assert (2, "good") == _first(plan(2477, 3508, PAPERS["A4"]))
    assert (2, "good") == _first(plan(2480, 3505, PAPERS["A4"]))


def _first(found: Plan) -> tuple[int | None, str]:
    return found.recommended, found.options[1].grade.word


def test_verdicts() -> None:
    """The verdict is a sentence that says what to do, or how far 4x gets."""
    assert "4x is enough: 350 DPI, excellent, sharp in the hand." == plan(1024, 1536, PAPERS["A3"]).verdict
    assert "2x is enough: 175 DPI, acceptable, on a wall." == plan(1024, 1536, PAPERS["A3"], dpi=150).verdict
    assert (
        "8x is enough, in two steps: 512 DPI, excellent, sharp in the hand."
        == plan(1024, 1024, PAPERS["16x16"]).verdict
    )
    assert (
        "Out of reach: needs 28.12x; 16x gives 171 DPI, acceptable, sharp from 51 cm."
        == plan(1024, 1024, square(96)).verdict
    )
    assert (
        "Out of reach: needs 4.69x; 4x gives 256 DPI, good, sharp from 34 cm."
        == replace(plan(1024, 1024, PAPERS["16x16"]), further=()).verdict
    )
    assert "No upscale needed: 300 DPI, excellent, sharp in the hand." == plan(2480, 3508, PAPERS["A4"]).verdict
    assert plan(9000, 9000, PAPERS["8x8"]).verdict.endswith("That is larger than needed.")


def test_verdict_never_contradicts_its_numbers() -> None:
    """A picture just short of enough is neither rounded up to 300 DPI nor down to a factor of 4."""
    assert (
        "Out of reach: needs just over 4x; 4x gives 299 DPI, good, sharp from 29 cm."
        == replace(plan(1199, 1199, PAPERS["16x16"]), further=()).verdict
    )
    assert "needs just over 16x" in plan(1000, 1000, square(53.347)).verdict


@pytest.mark.parametrize(
    ("size", "paper", "needs", "further", "way", "dpi"),
    [
        ((1024, 1536), PAPERS["24x36"], 7.03, (8,), 8, 341),
        ((1024, 1024), PAPERS["16x16"], 4.69, (8,), 8, 512),
        ((2048, 2048), square(30), 4.39, (8,), 8, 546),
        ((1024, 1024), square(40), 11.72, (8, 16), 16, 410),
        ((1024, 1024), square(96), 28.12, (8, 16), None, 171),
        ((1024, 1536), PAPERS["A3"], 3.43, (), None, 350),
    ],
)
def test_beyond_4x(
    size: tuple[int, int], paper: Paper, needs: float, further: tuple[int, ...], way: int | None, dpi: int
) -> None:
    """Where 4x is not enough the plan goes on to 8x and 16x, only as far as they help, and says which is enough."""
    found = plan(*size, paper)
    assert (needs, further) == (round(found.factor_needed, 2), tuple(option.multiplier for option in found.further))
    assert (way, dpi) == (found.way and found.way.multiplier, found.chosen.dpi_shown)
    assert {1, 2, 4} == set(found.options)
    assert found.recommended in (1, 2, 4, None)


def test_every_multiplier_is_reached_by_what_one_upscale_can_do() -> None:
    """The steps of a multiplier are upscales of 2x and 4x that multiply to it; no step is lost."""
    assert {*printing.MULTIPLIERS, *printing.FURTHER} - {1} == set(printing.STEPS)
    assert all(math.prod(steps) == multiplier for multiplier, steps in printing.STEPS.items())


@quick
@given(pixels, pixels, papers, dpis, fits)
def test_the_way_is_the_smallest_that_is_enough(width: int, height: int, paper: Paper, dpi: float, fit: Fit) -> None:
    """A way beyond 4x is offered exactly when 4x is not enough and 16x is; it is never larger than it has to be."""
    found = plan(width, height, paper, dpi, fit=fit)
    assert (found.recommended is None) == bool(found.further)
    assert all(not option.enough for option in found.further[:-1])
    if found.way is not None:
        assert found.way == found.further[-1] == found.chosen


def test_larger_than_needed_begins_above_600() -> None:
    """600 DPI are not yet larger than needed, 601 are, and both stay excellent."""
    assert [False, True] == [plan(side, side, square(10)).options[1].larger_than_needed for side in (6000, 6010)]


@pytest.mark.parametrize(
    ("dpi", "word"),
    [
        (600, "excellent"),
        (300, "excellent"),
        (299.9994, "excellent"),
        (299.9, "good"),
        (200, "good"),
        (199, "acceptable"),
        (150, "acceptable"),
        (149, "poor"),
        (100, "poor"),
        (99, "too low"),
        (1, "too low"),
    ],
)
def test_grade_of_a_dpi(dpi: float, word: str) -> None:
    """Grades begin at 300, 200, 150 and 100, and what a PNG makes of 300 DPI is still excellent."""
    assert word == printing.grade_of(dpi).word


def test_grades_meet() -> None:
    """Each grade ends where the better one begins, so every DPI has exactly one."""
    assert [grade.from_dpi for grade in GRADES[:-1]] == [grade.below_dpi for grade in GRADES[1:]]
    assert (math.inf, 0) == (GRADES[0].below_dpi, GRADES[-1].from_dpi)


def test_paper_turns_with_the_picture() -> None:
    """A wide picture turns the paper to landscape and a tall one to portrait, unless an orientation is given."""
    landscape = plan(1536, 1024, PAPERS["A3"])
    assert (420, 297) == (landscape.paper.width, landscape.paper.height)
    assert (4961, 3508) == landscape.needed
    assert (1754, 2480) == plan(1024, 1536, PAPERS["A3"].turned(), dpi=150).needed
    assert (3508, 4961) == plan(1536, 1024, PAPERS["A3"], orientation="portrait").needed
    assert (4961, 3508) == plan(1024, 1024, PAPERS["A3"], orientation="landscape").needed


def test_square_pictures_leave_the_paper_as_it_lies() -> None:
    """A square picture does not turn a paper, even one that somebody made landscape."""
    assert (6000, 3000) == plan(1024, 1024, custom_paper(20, 10, "in")).needed


def test_crop_box_keeps_one_axis_whole() -> None:
    """A crop cuts one axis only, in the middle unless told otherwise."""
    assert (256, 0, 768, 1024) == printing.crop_box(1024, 1024, 0.5)
    assert (0, 0, 512, 1024) == printing.crop_box(1024, 1024, 0.5, position=0)
    assert (0, 512, 1024, 1024) == printing.crop_box(1024, 1024, 2, position=1)
    assert (0, 0, 1024, 1024) == printing.crop_box(1024, 1024, 1)
    assert (0, 0, 1, 1) == printing.crop_box(1, 1, 1000)


def test_plan_crops_each_option_in_its_own_pixels() -> None:
    """The box of an option has the shape of paper and bleed, in the pixels of that option."""
    options = plan(1024, 1024, PAPERS["8x10"], position=0).options
    assert [(0, 0, 819, 1024), (0, 0, 1638, 2048), (0, 0, 3277, 4096)] == [options[m].crop for m in (1, 2, 4)]
    bled = plan(1024, 1024, PAPERS["8x10"], bleed_mm=25.4).options[4].crop
    assert (3413, 4096) == (bled.width, bled.height)
    assert (0, 0, 1024, 1024) == plan(1024, 1024, PAPERS["8x10"], fit="contain").options[1].crop


def test_printed_size() -> None:
    """A cropped print is as large as paper and bleed; a contained one keeps the picture's shape inside the paper."""
    cropped = plan(1000, 1000, square(10), bleed_mm=25.4).options[1].printed
    assert "12 × 12 in" == cropped.text()
    assert "8 × 8 in" == plan(1000, 1000, PAPERS["8x10"], fit="contain").options[1].printed.text()


def test_viewing_distance_both_ways() -> None:
    """One arc-minute links DPI and distance; the critical eye needs twice the DPI."""
    assert [291, 175, 87, 44] == [round(printing.dpi_for_distance(cm)) for cm in (30, 50, 100, 200)]
    assert 51 == round(printing.sharp_from_cm(171))
    assert 51 == round(plan(1024, 1024, square(24)).reached.sharp_from_cm)
    assert 17464 / 30 == printing.dpi_for_distance(30, critical=True)
    assert pytest.approx(30) == printing.sharp_from_cm(printing.dpi_for_distance(30, critical=True), critical=True)


def test_usual_distance_follows_the_diagonal() -> None:
    """The usual distance is 1.5 to 2 times the diagonal of the print."""
    assert (pytest.approx(75), pytest.approx(100)) == printing.usual_distance_cm(custom_paper(30, 40, "cm"))
    assert (pytest.approx(75), pytest.approx(100)) == printing.usual_distance_cm(
        printing.PrintSize(30 / 2.54, 40 / 2.54)
    )
    assert plan(9, 9, PAPERS["A3"]).usual_distance_cm == printing.usual_distance_cm(PAPERS["A3"])


def test_distances_in_words() -> None:
    """Short distances read in centimetres, longer ones in metres."""
    assert ["34 cm", "99 cm", "1 m", "1.5 m", "12 m"] == [
        printing.distance_text(cm) for cm in (34.1, 99.4, 99.6, 150, 1200)
    ]


def test_papers_a_picture_can_serve() -> None:
    """4x of 1024 × 1536 serves everything up to A3 and tabloid at 300 DPI, and nothing larger."""
    names = [paper.name for paper in printing.papers_for(1024, 1536, multiplier=4)]
    assert {"A3", "Tabloid", "12x12", "12x18"} <= set(names)
    assert not {"A2", "16x20", "16x16"} & set(names)
    assert () == printing.papers_for(100, 100)
    assert set(names) < {paper.name for paper in printing.papers_for(1024, 1536, dpi=150, multiplier=4)}


def test_2x_is_always_recommended_for_screens_at_most() -> None:
    """For a screen 2x is the most that is recommended, and what 4K needs pixel for pixel is told beside it."""
    hd, uhd = (printing.screen_plan(1024, 1024, SCREENS[name]) for name in ("Full HD", "4K"))
    assert (2, 2) == (hd.recommended, hd.pixel_for_pixel)
    assert (2, 4, 3.75) == (uhd.recommended, uhd.pixel_for_pixel, uhd.factor_needed)
    assert "2x is enough on a screen: 2048 × 2048 px. 4K pixel for pixel needs 3.75x: use 4x." == uhd.verdict
    assert "out of reach" in printing.screen_plan(500, 500, SCREENS["4K"]).verdict
    assert "out of reach" in printing.screen_plan(1, 1, SCREENS["Full HD"], fit="contain").verdict


def test_a_picture_that_fills_the_screen_needs_nothing() -> None:
    """A picture with the screen's pixels needs no upscale; for a tall one the screen is turned upright."""
    assert 1 == printing.screen_plan(1080, 1920, SCREENS["Full HD"]).recommended
    assert 2 == printing.screen_plan(1080, 1920, SCREENS["Full HD"], orientation="landscape").recommended
    assert 1 == printing.screen_plan(1920, 800, SCREENS["Full HD"], fit="contain").recommended


A4 = PAPERS["A4"]
BAD_NUMBERS = [0, -1, math.nan, math.inf, -math.inf, 10**400, None, "300", "abc", True, 1j, [300]]


@pytest.mark.parametrize("bad", [*BAD_NUMBERS, 10**9, 0.5, 1024.5])
@pytest.mark.parametrize(
    "use",
    [
        lambda bad: printing.print_size(bad, 100),
        lambda bad: printing.print_size(100, bad),
        lambda bad: printing.effective_dpi(bad, 100, A4),
        lambda bad: printing.crop_box(100, bad, 1),
        lambda bad: printing.papers_for(bad, 100),
        lambda bad: printing.screen_plan(100, bad, SCREENS["4K"]),
        lambda bad: plan(100, bad, A4),
    ],
)
def test_unusable_pixels_are_refused(use: Callable[[Any], object], bad: Any) -> None:
    """Only whole numbers of pixels from 1 to a million are accepted, and the sentence says so."""
    with pytest.raises(
        ValueError, match=r"^The (width|height) must be a whole number of pixels from 1 to 1,000,000\.$"
    ):
        use(bad)


@pytest.mark.parametrize("bad", [*BAD_NUMBERS, 0.5, 10_001])
@pytest.mark.parametrize(
    "use",
    [
        lambda bad: printing.print_size(100, 100, dpi=bad),
        lambda bad: printing.pixels_needed(A4, dpi=bad),
        lambda bad: plan(100, 100, A4, dpi=bad),
        lambda bad: printing.papers_for(100, 100, dpi=bad),
    ],
)
def test_unusable_dpi_is_refused(use: Callable[[Any], object], bad: Any) -> None:
    """A DPI outside 1 to 10,000 is refused, and the sentence names the limits."""
    with pytest.raises(ValueError, match=r"^The DPI must be a number from 1 to 10,000\.$"):
        use(bad)


@pytest.mark.parametrize("bad", [*BAD_NUMBERS, 10**9])
@pytest.mark.parametrize("unit", ["in", "cm", "mm"])
def test_unusable_papers_are_refused(bad: Any, unit: Unit) -> None:
    """No paper is smaller than a millimetre or larger than 100 metres."""
    with pytest.raises(ValueError, match=rf"^The paper's width must be a number from [\d.]+ to [\d,]+ {unit}\.$"):
        custom_paper(bad, 10, unit)
    with pytest.raises(ValueError, match=r"^The paper's height must be"):
        replace(custom_paper(10, 10, unit), height=bad)


@pytest.mark.parametrize("unit", ["in", "cm", "mm"])
def test_the_limits_named_are_allowed(unit: Unit) -> None:
    """The smallest and the largest side that the sentence names make a paper, about as large in every unit."""
    low, high = printing.PAPER_LIMITS[unit]
    smallest, largest = custom_paper(low, high, unit).size.in_unit("mm")
    assert (pytest.approx(1, abs=0.02), pytest.approx(100_000, rel=0.02)) == (smallest, largest)
    assert plan(1, 1_000_000, custom_paper(low, high, unit)).needed[0] == 12


@pytest.mark.parametrize("bad", [bad for bad in BAD_NUMBERS if bad != 0] + [1001])
@pytest.mark.parametrize("fit", ["crop", "contain"])
def test_unusable_bleed_is_refused(bad: Any, fit: Fit) -> None:
    """A bleed must be a number of millimetres that is not negative."""
    with pytest.raises(ValueError, match=r"^The bleed must be a number of millimetres"):
        plan(100, 100, A4, fit=fit, bleed_mm=bad)
    with pytest.raises(ValueError, match=r"^The bleed must be a number of millimetres"):
        printing.pixels_needed(A4, bleed_mm=bad)


def test_bleed_has_to_fit() -> None:
    """A bleed as large as the paper is refused, and so is any bleed where margins are left."""
    with pytest.raises(ValueError, match=r"^The bleed must be smaller than the paper \(A4 · 210 × 297 mm\)\.$"):
        plan(100, 100, A4, bleed_mm=210)
    for refused in (plan, printing.effective_dpi):
        with pytest.raises(ValueError, match="contain leaves margins"):
            refused(100, 100, A4, fit="contain", bleed_mm=3)


@pytest.mark.parametrize("bad", [None, "", "Crop", "inch", 3, 8, []])
def test_unknown_words_are_refused(bad: Any) -> None:
    """Units, fits, orientations and multipliers come from short lists, which the sentence names."""
    with pytest.raises(ValueError, match="must be in, cm or mm"):
        custom_paper(10, 10, bad)
    with pytest.raises(ValueError, match="must be in, cm or mm"):
        printing.print_size(10, 10).text(bad)
    with pytest.raises(ValueError, match="must be crop or contain"):
        plan(10, 10, A4, fit=bad)
    with pytest.raises(ValueError, match="must be auto, portrait or landscape"):
        plan(10, 10, A4, orientation=bad)
    with pytest.raises(ValueError, match="must be 1, 2 or 4"):
        printing.papers_for(10, 10, multiplier=bad)


@pytest.mark.parametrize("bad", BAD_NUMBERS)
def test_unusable_distances_ratios_and_positions_are_refused(bad: Any) -> None:
    """Distances, ratios and positions that cannot be used are refused with a sentence."""
    for use in (printing.sharp_from_cm, printing.dpi_for_distance, printing.grade_of):
        with pytest.raises(ValueError, match=r"^The (DPI|viewing distance) must be a number above 0\.$"):
            use(bad)
    with pytest.raises(ValueError, match=r"^The ratio of width to height must be a positive number\.$"):
        printing.crop_box(10, 10, bad)
    if bad != 0:
        with pytest.raises(ValueError, match=r"^The position of the crop must be a number from 0 to 1\.$"):
            printing.crop_box(10, 10, 1, position=bad)


def test_whole_numbers_may_come_as_floats() -> None:
    """A number field that hands out 1024.0 means 1024."""
    assert plan(1024, 1536, A4) == plan(1024.0, 1536.0, A4, dpi=300.0, bleed_mm=0.0)


def test_plans_survive_a_cache() -> None:
    """A plan can be pickled, as page caches do."""
    found = plan(1024, 1536, A4)
    assert found == pickle.loads(pickle.dumps(found))


@quick
@given(pixels, pixels, dpis)
def test_inches_times_dpi_are_the_pixels(width: int, height: int, dpi: float) -> None:
    """Nothing is lost between pixels and inches."""
    size = printing.print_size(width, height, dpi)
    assert (pytest.approx(width), pytest.approx(height)) == (size.width_in * dpi, size.height_in * dpi)


@quick
@given(named_papers, st.integers(1, 1200), st.integers(0, 100).map(lambda tenths: Fraction(tenths, 10)))
def test_pixels_needed_agree_with_exact_fractions(paper: Paper, dpi: float, bleed: Fraction) -> None:
    """Rounding is right to the last pixel, and half a pixel is rounded up."""
    per_inch = {"in": Fraction(1), "mm": Fraction(127, 5)}[paper.unit]
    exact = [(Fraction(side) / per_inch + 2 * bleed / Fraction(127, 5)) * dpi for side in (paper.width, paper.height)]
    expected = tuple(max(1, math.floor(side + Fraction(1, 2))) for side in exact)
    assert expected == printing.pixels_needed(paper, dpi, float(bleed))


@quick
@given(pixels, pixels, papers, dpis, fits)
def test_a_larger_multiplier_is_never_worse(width: int, height: int, paper: Paper, dpi: float, fit: Fit) -> None:
    """More pixels never lower the grade, and what is enough stays enough."""
    options = [plan(width, height, paper, dpi, fit=fit).options[m] for m in (1, 2, 4)]
    ranks = [GRADES.index(option.grade) for option in options]
    enough = [option.enough for option in options]
    assert sorted(ranks, reverse=True) == ranks
    assert sorted(enough) == enough


@quick
@given(pixels, pixels, papers, dpis, fits)
def test_grades_and_dpi_agree(width: int, height: int, paper: Paper, dpi: float, fit: Fit) -> None:
    """The grade is that of the DPI; only the tolerance of two pixels may raise it."""
    for option in plan(width, height, paper, dpi, fit=fit).options.values():
        slack = 3 / min(paper.size.width_in, paper.size.height_in)
        assert option.grade.from_dpi - slack <= option.dpi < option.grade.below_dpi
        assert option.dpi_shown < option.grade.below_dpi


@quick
@given(pixels, pixels, papers, dpis)
def test_plan_agrees_with_pixels_needed(width: int, height: int, paper: Paper, dpi: float) -> None:
    """The recommended multiplier is the smallest whose sides are at most two pixels short of what is needed."""
    found = plan(width, height, paper, dpi, bleed_mm=3)
    needed = printing.pixels_needed(found.paper, dpi, bleed_mm=3)
    enough = [m for m in (1, 2, 4) if m * width >= needed[0] - 2 and m * height >= needed[1] - 2]
    assert (needed, next(iter(enough), None)) == (found.needed, found.recommended)


@quick
@given(pixels, pixels, st.floats(0.01, 100), st.floats(0, 1))
def test_crop_box_lies_inside_and_has_the_ratio(width: int, height: int, ratio: float, position: float) -> None:
    """The box is inside the picture, keeps one axis whole and misses the ratio by half a pixel at most."""
    box = printing.crop_box(width, height, ratio, position)
    assert 0 <= box.left < box.right <= width
    assert 0 <= box.top < box.bottom <= height
    assert width == box.width or height == box.height
    assume(min(box.width, box.height) > 1)
    assert abs(box.width - box.height * ratio) <= 0.51 or abs(box.height - box.width / ratio) <= 0.51


@quick
@given(pixels, pixels, papers, dpis, fits)
def test_a_quarter_turn_changes_nothing(width: int, height: int, paper: Paper, dpi: float, fit: Fit) -> None:
    """Picture and paper turned together give the same verdict, whichever way the paper was turned before."""
    assume(width != height)
    upright, lying = plan(width, height, paper, dpi, fit=fit), plan(height, width, paper, dpi, fit=fit)
    assert upright == plan(width, height, paper.turned(), dpi, fit=fit)
    assert upright.needed == lying.needed[::-1]
    assert (upright.recommended, upright.factor_needed) == (lying.recommended, lying.factor_needed)
    assert [o.dpi for o in upright.options.values()] == [o.dpi for o in lying.options.values()]
    assert upright.verdict == lying.verdict
