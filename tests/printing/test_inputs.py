"""What people type or put into links, read as numbers and papers."""

from __future__ import annotations

import re

import pytest

from journey import printing
from journey.printing import Unit
from journey.printing.inputs import (
    CUSTOM,
    Length,
    cut,
    dpi,
    free_axis,
    millimetres,
    number,
    served,
    target,
    target_label,
    targets,
    whole,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("1024", 1024), (" 1 024 ", 1024), ("1,024", 1024), ("29.7", 29.7), ("29,7", 29.7), ("-5", -5), ("1e9", 1e9)),
        *(
            ("１０２４", 1024),
            ("２９．７", 29.7),
            ("١٠٢٤", 1024),
            ("٢٩٫٧", 29.7),
            ("१०२४", 1024),
            ("１，０２４", 1024),
            ("−5", -5),
        ),
        *(("1.189,5", 1189.5), ("1,189.5", 1189.5), ("1'189", 1189), ("1’189,5", 1189.5), ("1\u202f189", 1189)),
        *(("1.189.000", 1_189_000), ("1,00,000", 100_000), ("0,125", 0.125), ("0.125", 0.125), ("1.189", 1.189)),
        *(("8½", 8.5), ("8 1/2", 8.5), ("8-1/2", 8.5), ("¾", 0.75), ("1/4", 0.25), ("11 ¾", 11.75)),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, value: float) -> None:
    """Spaces, thousands and a decimal comma are understood."""
    assert value == number(text, "width")


@pytest.mark.parametrize(
    "text", ["abc", "10^9", "nan", "inf", "1_000", "10²", "0x10", "12px", "--1", "1,2,3", "1/0", "½½", "1.2.3", "一"]
)
def test_what_is_no_number_is_told_with_its_name(text: str) -> None:
    """What is not a number is refused with a sentence that names the field."""
    with pytest.raises(ValueError, match="The width must be a number"):
        number(text, "width")


def test_an_empty_field_and_half_a_pixel_are_told() -> None:
    """An empty field is not taken for zero, and pixels must be whole."""
    with pytest.raises(ValueError, match="Enter the width"):
        number("  ", "width")
    with pytest.raises(ValueError, match="whole number of pixels"):
        whole("10.5", "width")


@pytest.mark.parametrize(
    ("width", "height", "unit", "size"),
    [
        ("8,268", "11,693", "in", (8.268, 11.693)),
        ("29,704", "42,016", "cm", (29.704, 42.016)),
        ("841", "1,189", "mm", (841, 1189)),
        ("6,000", "2,000", "mm", (6000, 2000)),
        ("297,000", "420,000", "mm", (297, 420)),
        ("8½", "11", "in", (8.5, 11)),
    ],
)
def test_a_comma_is_decimal_where_it_can_only_be_that(
    width: str, height: str, unit: printing.Unit, size: tuple[float, float]
) -> None:
    """A comma before three digits stands between thousands, unless that makes a paper of dozens of metres."""
    for paper in (
        target(CUSTOM, width, height, unit),
        cut(CUSTOM, width, height, unit, overlap="10", margin="0").sheet,
    ):
        assert size == (paper.width, paper.height)


def test_commas_of_small_numbers_are_decimal() -> None:
    """A bleed of 3,175 mm is an eighth of an inch, and 1,200 DPI are a resolution."""
    assert (3.175, 1200, 150.5) == (millimetres("3,175", "bleed"), dpi("1,200"), dpi("150,500"))


@pytest.mark.parametrize(
    ("typed", "value"), [("1.024", 1024), ("１.０２４", 1024), ("1,024", 1024), ("1.024.000", 1_024_000)]
)
def test_pixels_have_no_decimals(typed: str, value: int) -> None:
    """In whole pixels, a point before three digits stands between thousands."""
    assert value == whole(typed, "width")


@pytest.mark.parametrize(
    ("height", "asked"), [("1.189", "Did you mean 1189 mm?"), ("1,189.0", ""), ("1", "Is the unit right?"), ("5", "")]
)
def test_a_paper_of_a_millimetre_is_asked_about(height: str, asked: str) -> None:
    """A side that is hardly meant gets a question, with the number that was likely meant."""
    if not asked:
        assert target(CUSTOM, "841", height, "mm").height in (1189, 5)
        return
    with pytest.raises(ValueError, match=re.escape(asked)):
        target(CUSTOM, "841", height, "mm")


def test_every_target_has_a_label_and_can_be_aimed_at() -> None:
    """Papers, screens and a custom size all come out as something to plan for."""
    names = targets(printing.PAPERS)
    assert len(set(map(target_label, names))) == len(names)
    for name in names:
        assert target(name, "30", "40", "cm").width > 0
    assert (30, "cm") == (target(CUSTOM, "30", "40", "cm").width, target(CUSTOM, "30", "40", "cm").unit)  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="There is no paper named “B9”"):
        target("B9")


@pytest.mark.parametrize(
    ("size", "fit", "axis"),
    [((1024, 1024), "crop", "across"), ((500, 1000), "crop", "down"), ((1024, 1024), "contain", None)],
)
def test_a_crop_has_one_free_axis(size: tuple[int, int], fit: printing.Fit, axis: str | None) -> None:
    """The overhang of a crop lies along one axis; contain cuts nothing."""
    assert axis == free_axis(printing.plan(*size, printing.PAPERS["A3"], fit=fit))


def test_a_paper_is_named_with_its_smallest_multiplier() -> None:
    """A paper is named only once, with the smallest multiplier that fills it."""
    assert "now A6; at 4x A5, A4" == served({1: ["A6"], 2: ["A6"], 4: ["A6", "A5", "A4"]})
    assert "none" in served({1: [], 2: [], 4: []})


@pytest.mark.parametrize(
    ("typed", "unit", "shown"),
    [
        ("11.69", "in", {"mm": "296.93", "cm": "29.693"}),
        ("16.54", "in", {"mm": "420.12", "cm": "42.012"}),
        ("29,7", "cm", {"mm": "297", "in": "11.693"}),
        ("100.01", "mm", {"in": "3.937", "cm": "10.001"}),
        ("1,000", "mm", {"in": "39.37", "cm": "100"}),
        ("0.04", "in", {"mm": "1.02", "cm": "0.102"}),
        ("wide", "cm", {"mm": "wide", "in": "wide"}),
        ("", "cm", {"mm": "", "in": ""}),
    ],
)
def test_a_length_stays_when_its_unit_changes(typed: str, unit: Unit, shown: dict[Unit, str]) -> None:
    """Its number changes with the unit, through others as well, and changes back to exactly what was typed."""
    length = Length.of(typed, unit)
    for other, text in shown.items():
        length = Length.of(length.shown, length.shown_in, length).into(other)
        assert text == length.shown
    assert typed == length.into(unit).shown


def test_what_is_typed_anew_is_a_new_length() -> None:
    """Only what was not touched changes back to what was typed first."""
    length = Length.of("11.69", "in").into("mm")
    assert "10" == Length.of("254", "mm", length).into("in").shown
    assert "11.69" == Length.of("296.93", "mm", length).into("in").shown
