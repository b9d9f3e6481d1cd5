"""What was spent, as pages show it: months in words, bars of a chart, lines of a spreadsheet."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Literal

from journey.history.spending import Line
from journey.views.spreadsheets import MARK, csv_lines

By = Literal["person", "certainty", "engine"]
"""What a bar of a month is stacked by."""

NOBODY = "Not signed in"
OTHERS = "Others"


def month_words(month: str) -> str:
    """`Nov 2026` for `2026-11`."""
    return f"{datetime.date(int(month[:4]), int(month[5:]), 1):%b %Y}"


@dataclass(frozen=True)
class Bar:
    """One piece of a stacked bar."""

    month: str
    name: str
    height: int


def bars(of: Iterable[Line], months: Sequence[str], by: By, *, limit: int = 8) -> list[Bar]:
    """One piece for each month and name, also where it is 0: credits, or pictures when it is by engine.

    At most `limit` names: beyond that the people with fewer credits are one.
    """
    heights: dict[tuple[str, str], int] = {}
    of = list(of)
    people = busiest(of, limit=limit)
    for line in of:
        if by == "engine":
            parts = {"JourneyAPI" if line.engine == "journeyapi" else "This machine": line.finished}
        elif by == "person":
            parts = {people[line.person]: line.charged + line.uncertain} if line.engine == "journeyapi" else {}
        else:
            parts = {"Charged": line.charged, "May have been charged": line.uncertain}
        for name, height in parts.items():
            heights[line.month, name] = heights.get((line.month, name), 0) + height
    sums = {name: sum(height for (_, each), height in heights.items() if each == name) for _, name in heights}
    names = sorted((name for name in sums if sums[name]), key=lambda name: (name == OTHERS, -sums[name], name))
    return [Bar(month, name, heights.get((month, name), 0)) for month in months for name in names]


def busiest(of: Iterable[Line], *, limit: int) -> dict[str | None, str]:
    """How each person is named in a chart with at most `limit` names: those with the most credits by their own."""
    spent: dict[str | None, int] = {}
    for line in of:
        if line.engine == "journeyapi":
            spent[line.person] = spent.get(line.person, 0) + line.charged + line.uncertain
    ranked = sorted(spent, key=lambda person: (-spent[person], person or ""))
    own = len(ranked) if len(ranked) <= limit else limit - 1
    return {person: (person or NOBODY) if place < own else OTHERS for place, person in enumerate(ranked)}


def to_csv(of: Sequence[Line]) -> bytes:
    """The lines as a table for a spreadsheet."""
    rows = [asdict(replace(line, megapixels=round(line.megapixels, 1))) for line in of]
    return MARK + csv_lines([[field.name for field in fields(Line)], *(row.values() for row in rows)])
