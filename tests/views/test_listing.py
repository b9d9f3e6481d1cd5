"""Addresses of lists: the list shows what they say, and nonsense in them is named."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest

from journey.history import LIVE, Filter, Found, Order, State
from journey.provider import THIS_MACHINE
from journey.storage.disk_use import Room
from journey.views.listing import Listing, from_address, matches, room_words, where_it_looked

FULL = Listing(
    text="koi pond",
    groups=("under-way", "failed"),
    provider=THIS_MACHINE,
    multiplier="4x",
    person="ann@example.com",
    tag="Album & co",
    batch="b1",
    paper="A3",
    dpi="200",
    since=datetime.date(2026, 3, 1),
    until=datetime.date(2026, 3, 29),
    order=Order.NAME,
    page=7,
)


def test_an_address_leads_back_to_its_list() -> None:
    """Everything that was chosen is in the address, usual values are not, and the address restores the list."""
    assert (FULL, []) == from_address(FULL.address())
    assert {
        "q",
        "state",
        "engine",
        "scale",
        "person",
        "tag",
        "batch",
        "ready",
        "at",
        "from",
        "to",
        "sort",
        "page",
    } == set(FULL.address())
    assert {} == Listing().address()
    assert (Listing(), []) == from_address({"task": "abc", "theme": "dark"})
    assert (9, True, False) == (FULL.filters, replace(Listing(), text="x").leaves_out, Listing(page=2).leaves_out)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("state", "finished,sleepy", "the state “sleepy”"),
        ("engine", "steam", "the provider “steam”"),
        ("scale", "8x", "the multiplier “8x”"),
        ("ready", "A99", "the paper “A99”"),
        ("sort", "up", "the order “up”"),
        ("from", "yesterday", "not a date such as"),
        ("to", "2026-02-30", "not a date such as"),
        ("to", "9999-12-31", "not a date such as"),
    ],
)
def test_nonsense_in_an_address_is_told_and_left_out(name: str, value: str, told: str) -> None:
    """What makes no sense is named in a sentence, and the rest of the address holds."""
    listing, problems = from_address({name: value, "q": "koi", "page": "-3"})
    assert ("koi", 1) == (listing.text, listing.page)
    assert 1 == len(problems)
    assert told in problems[0]
    assert listing.filters == (1 if name == "state" else 0)


@pytest.mark.parametrize("page", ["0", "-1", "1e9", "9999999999", "²", "", "x" * 5_000])
def test_a_page_is_a_number(page: str) -> None:
    """A page number that makes no sense means the first page."""
    assert 1 == from_address({"page": page})[0].page


def test_a_listing_becomes_a_filter() -> None:
    """Groups become states, a paper becomes pixels, and both days are whole days where the reader is."""
    made = FULL.filter("Europe/Berlin")
    assert set(LIVE | {State.FAILED}) == set(made.states)
    start = datetime.datetime(2026, 2, 28, 23, tzinfo=datetime.UTC).timestamp()
    end = datetime.datetime(2026, 3, 29, 22, tzinfo=datetime.UTC).timestamp()  # the clocks went forward that day
    assert (start, end) == (made.since, made.until)
    assert (THIS_MACHINE, "4x", "Album & co", "b1") == (made.provider, made.type, made.tag, made.batch)
    assert made.fills is not None
    assert made.fills[0] == pytest.approx(11.69 * 200, abs=10)
    assert Filter(states=frozenset()) == Listing().filter("No/Such_Zone")
    with pytest.raises(ValueError, match="DPI"):
        replace(FULL, dpi="sharp").filter(None)


def test_the_room_is_told_by_what_it_is_for() -> None:
    """How much results, originals and looks take is told with the total, once that is counted."""
    assert "Stored results: 1 KB." == room_words(1_000, None, None, None, None)
    told = room_words(1_000, Room(10_000, results=4_000, sources=3_000, looks=2_000), 1_800_000_000.0, "UTC", 30)
    for words in ("with previews: 10 KB", "4 KB of them for results", "3 KB for originals", "2 KB are print files"):
        assert words in told
    assert "Results are removed 30 days after they are finished, unless another task enlarges them" in told


def test_digits_of_other_keyboards_are_read_in_a_link() -> None:
    """Full-width digits mean the same in a list's address as plain ones."""
    typed = {"page": "２", "scale": "４x", "from": "２０２６-１１-２２", "ready": "A３", "at": "１５０"}
    plain = {"page": "2", "scale": "4x", "from": "2026-11-22", "ready": "A3", "at": "150"}
    (listing, problems), (expected, _) = from_address(typed), from_address(plain)
    assert [] == problems
    assert (expected.filter(None), expected.page) == (listing.filter(None), listing.page)


def test_how_many_match_is_said_as_far_as_it_is_known() -> None:
    """A count says when it stopped at a limit, and a search in a part of the tasks says in which."""
    assert "1 task" == matches(Found([], 1), 1, leaves_out=False)
    assert "3 of 20 tasks" == matches(Found([], 3), 20, leaves_out=True)
    many = Found([], 10_000, is_more=True, newest=20_000)
    assert "more than 10,000 of 1,000,000 tasks" == matches(many, 1_000_000, leaves_out=True)
    assert "in the newest 20,000 tasks" in str(where_it_looked(many))
    assert where_it_looked(Found([], 3)) is None
