"""Which two pictures an address names, how they are looked at, and why a picture cannot be shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from journey.history import Entry, State
from journey.provider import THIS_MACHINE
from journey.storage.stored import StoredPicture
from journey.views.comparison import (
    LARGEST_ZOOM,
    Pair,
    Side,
    View,
    address,
    asked_pair,
    asked_view,
    close_look,
    options,
    own_parameters,
    own_sides,
    pair_of,
    shapes_differ,
    side_of,
    sides,
)

NOW = 1_800_000_000.0
ORIGINAL, RESULT = StoredPicture("s" * 32, "hill.png", 100, 50), StoredPicture("r" * 32, "hill_4x.png", 400, 200)
FINISHED = Entry(
    id="a1",
    state=State.FINISHED,
    provider=THIS_MACHINE,
    type="4x",
    name="hill.png",
    credits=0,
    attempts=1,
    archive_attempts=0,
    created_at=NOW,
    changed_at=NOW,
    finished_at=NOW,
    source=ORIGINAL,
    result=RESULT,
    result_model="fast",
)


@pytest.mark.parametrize(
    ("parameters", "pair"),
    [
        ({}, Pair()),
        ({"task": "a"}, Pair("a.original", "a")),
        ({"left": "a", "right": "b.original"}, Pair("a", "b.original")),
        ({"left": "a.original"}, Pair("a.original", "a")),
        ({"right": "b"}, Pair("b.original", "b")),
        ({"task": "c", "left": "a", "right": "b"}, Pair("a", "b")),
        ({"task": "", "left": ""}, Pair()),
    ],
)
def test_an_address_names_two_pictures(parameters: dict[str, str], pair: Pair) -> None:
    """`task` means its original against its result; `left` and `right` name any two, and one alone is completed."""
    assert pair == asked_pair(parameters)


finite = st.floats(0, 1).map(lambda value: round(value, 5))
views = st.builds(
    View,
    view=st.sampled_from(["slider", "side", "difference"]),
    at=st.integers(0, 200).map(lambda value: value / 2),
    zoom=st.floats(0.01, LARGEST_ZOOM).map(lambda value: round(value, 5)),
    x=finite,
    y=finite,
)


@given(views, st.sampled_from([Pair("a.original", "a"), Pair("a", "b"), Pair("a.original", "b.original")]))
def test_an_address_leads_back_to_the_same_view(view: View, pair: Pair) -> None:
    """The pair and the view that are written into the address are read from it again."""
    parameters = address(pair, view)
    assert (pair, view) == (asked_pair(parameters), asked_view(parameters))
    assert list(parameters.items()) == list(own_parameters({"utm": "x"} | parameters).items())


def test_the_usual_view_makes_a_short_address() -> None:
    """Only what differs from the usual view is in the address."""
    assert {"task": "a"} == address(Pair("a.original", "a"), View())
    assert {"left": "a", "right": "b", "view": "side"} == address(Pair("a", "b"), View("side"))


@pytest.mark.parametrize(
    ("name", "text", "field", "expected"),
    [
        ("view", "<script>", "view", "slider"),
        ("at", "1e999", "at", 50.0),
        ("at", "-3", "at", 0.0),
        ("zoom", "fit", "zoom", None),
        ("zoom", "0", "zoom", None),
        ("zoom", "nan", "zoom", None),
        ("zoom", "1e9", "zoom", LARGEST_ZOOM),
        ("x", "7", "x", 1.0),
        ("y", "north", "y", 0.5),
    ],
)
def test_nonsense_in_an_address_is_as_usual(name: str, text: str, field: str, expected: object) -> None:
    """A value that cannot be understood becomes the usual one, and one out of bounds the nearest possible."""
    assert expected == getattr(asked_view({name: text}), field)


@pytest.mark.parametrize(
    ("name", "entry", "said"),
    [
        ("a1", None, "There is no task with this address"),
        ("a1", replace(FINISHED, state=State.QUEUED, result=None), "is not finished yet (waiting to be sent)"),
        ("a1", replace(FINISHED, state=State.FAILED, result=None), "has no result (failed)"),
        ("a1", replace(FINISHED, result=None), "is no longer stored"),
        ("a1.original", replace(FINISHED, source=None), "The original of “hill.png” is not stored here"),
    ],
)
def test_what_cannot_be_shown_has_a_sentence(name: str, entry: Entry | None, said: str) -> None:
    """Unknown, unfinished, failed and removed pictures each have a sentence of their own."""
    found = side_of(name, entry, NOW)
    assert isinstance(found, str)
    assert said in found


def test_an_original_is_listed_once() -> None:
    """Each result is followed by its original, and an original that several tasks share is listed once."""
    again = replace(FINISHED, id="a2", result=replace(RESULT, key="q" * 32))
    removed = replace(FINISHED, id="a3", result=None, source=replace(ORIGINAL, key="t" * 32))
    assert ["a1", "a1.original", "a2", "a3.original"] == list(sides([FINISHED, again, removed], NOW))


def test_a_side_says_what_it_is() -> None:
    """A picture can be recognised by its name, its network and its pixels."""
    result, original = sides([FINISHED], NOW).values()
    assert {
        "a1": "hill.png · 4x · fast · 400 × 200 px · 15 Jan 2027, 08:00",
        "a1.original": "hill.png · Original · 100 × 50 px",
    } == options(sides([FINISHED], NOW), None)
    assert ("a1", "a1.original") == (result.name, original.name)
    assert "4x result" == Side(replace(FINISHED, result_model=None), False, RESULT).label


def test_two_that_look_the_same_can_be_told_apart() -> None:
    """The same picture made twice within a minute has two different lines."""
    lines = options(sides([FINISHED, replace(FINISHED, id="b2")], NOW), None)
    assert len(lines) == len(set(lines.values())) == 3
    assert lines["b2"].endswith(" · b2")


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [((100, 50), (400, 200), False), ((333, 500), (1331, 2000), False), ((100, 100), (100, 102), True)],
)
def test_rounding_does_not_make_another_shape(left: tuple[int, int], right: tuple[int, int], expected: bool) -> None:
    """Results may be off by a pixel or two; a crop is another shape."""
    assert expected is shapes_differ(left, right)


def test_an_entry_has_two_sides_when_both_are_stored() -> None:
    """Original and result have the names that the link of the entry means; without one of them there is no pair."""
    both = own_sides(FINISHED, FINISHED)
    assert both is not None
    assert pair_of(FINISHED, FINISHED) == Pair(both[0].name, both[1].name) == asked_pair({"task": FINISHED.id})
    assert (ORIGINAL, RESULT) == (both[0].picture, both[1].picture)
    assert own_sides(FINISHED, replace(FINISHED, source=None)) is None
    assert own_sides(replace(FINISHED, result=None), FINISHED) is None


def test_a_close_look_is_at_100_percent_where_there_is_most_to_see(tmp_path: Path) -> None:
    """The place is found on the preview and holds for the whole picture, and an address can say it."""
    preview = Image.new("RGB", (1000, 500), "white")
    preview.paste(Image.effect_noise((160, 120), 90).convert("RGB"), (620, 90))
    preview.save(tmp_path / "preview.webp")
    view = close_look(tmp_path / "preview.webp", (4000, 2000))
    assert ("slider", 50.0, 1.0) == (view.view, view.at, view.zoom)
    assert (0.7, 0.3) == pytest.approx((view.x, view.y), abs=0.005)
    assert view == asked_view(address(pair_of(FINISHED, FINISHED), view))


def test_without_a_readable_preview_the_middle_is_looked_at(tmp_path: Path) -> None:
    """A damaged preview takes nobody's result away."""
    (tmp_path / "preview.webp").write_bytes(b"RIFF")
    assert View(zoom=1.0) == close_look(tmp_path / "preview.webp", (4000, 2000))
