"""What was spent, as pages and spreadsheets show it."""

from __future__ import annotations

import csv
import io

import pytest

from journey.history.spending import Line
from journey.provider import JOURNEYAPI, THIS_MACHINE
from journey.views.spending import NOBODY, OTHERS, By, bars, busiest, to_csv

ANNA, BEN = "anna@example.com", "ben@example.com"
DOUBT = "May have been charged"


@pytest.mark.parametrize(
    ("by", "told"),
    [
        ("person", [("10", ANNA, 0), ("10", BEN, 2), ("11", ANNA, 6), ("11", BEN, 0)]),
        ("certainty", [("10", "Charged", 2), ("10", DOUBT, 0), ("11", "Charged", 4), ("11", DOUBT, 2)]),
        (
            "provider",
            [("10", "This machine", 7), ("10", "JourneyAPI", 1), ("11", "This machine", 0), ("11", "JourneyAPI", 2)],
        ),
    ],
)
def test_a_chart_stacks_each_month_by_what_is_asked_for(by: By, told: list[tuple[str, str, int]]) -> None:
    """Credits by person or certainty, pictures by provider: the most come first, and what has nothing is a bar of 0."""
    lines = [
        Line(month="2026-11", person=ANNA, provider=JOURNEYAPI, finished=2, charged=4, unknown=2),
        Line(month="2026-10", person=BEN, provider=JOURNEYAPI, finished=1, charged=2),
        Line(month="2026-10", person="carl@example.com", provider=THIS_MACHINE, finished=7),
    ]
    made = bars(lines, ["2026-10", "2026-11"], by)
    assert told == [(bar.month[5:], bar.name, bar.height) for bar in made]


def test_a_chart_names_those_with_the_most_credits() -> None:
    """With more people than colours, those with the fewest credits are taken together."""
    lines = [
        Line(month="2026-11", person=None if number == 0 else f"p{number}", provider=JOURNEYAPI, charged=2 * number + 2)
        for number in range(5)
    ]
    assert {"p4": "p4", "p3": "p3", "p2": OTHERS, "p1": OTHERS, None: OTHERS} == busiest(lines, limit=3)
    assert NOBODY == busiest(lines, limit=5)[None]


def test_no_cell_of_the_table_is_a_formula() -> None:
    """A person's address that a spreadsheet would take for a formula becomes text, and numbers stay numbers."""
    bad = ["=1+1@example.com", "+a@example.com", "-a@example.com", "@example.com", "\tx@example.com", 'a"b@example.com']
    lines = [Line(month="2026-11", person=person, provider=JOURNEYAPI, charged=2, unknown=2) for person in bad]
    rows = list(csv.DictReader(io.StringIO(to_csv(lines).decode("utf-8-sig"), newline="")))
    assert [f"'{person}" for person in bad[:5]] + bad[5:] == [row["person"] for row in rows]
    assert {("2026-11", "journeyapi", "2", "2")} == {
        (row["month"], row["engine"], row["charged"], row["unknown"]) for row in rows
    }
