"""What was spent, as pages show it: months in words, bars of a chart, lines of a spreadsheet."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from journey.history.spending import Budget, Line
from journey.provider import CHEAPEST, Provider
from journey.storage.spreadsheets import MARK, csv_lines
from journey.views.words import counted, moment

By = Literal["person", "certainty", "provider"]
"""What the bar of a month is stacked by."""

WAYS: dict[By, str] = {
    "person": "Credits by person",
    "certainty": "Credits by certainty",
    "provider": "Pictures by provider",
}

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
    """One piece for each month and name, even where it is 0: credits, or pictures when stacked by provider.

    There are at most `limit` names: beyond that, the people with the fewest credits share one.
    """
    heights: dict[tuple[str, str], int] = {}
    of = list(of)
    people = busiest(of, limit=limit)
    for line in of:
        if by == "provider":
            parts = {line.provider.label: line.finished}
        elif by == "person":
            parts = {people[line.person]: line.charged + line.uncertain} if line.provider.is_paid else {}
        else:
            parts = {"Charged": line.charged, "May have been charged": line.uncertain}
        for name, height in parts.items():
            heights[line.month, name] = heights.get((line.month, name), 0) + height
    sums = {name: sum(height for (_, each), height in heights.items() if each == name) for _, name in heights}
    names = sorted((name for name in sums if sums[name]), key=lambda name: (name == OTHERS, -sums[name], name))
    return [Bar(month, name, heights.get((month, name), 0)) for month in months for name in names]


def busiest(of: Iterable[Line], *, limit: int) -> dict[str | None, str]:
    """The name of each person in a chart of at most `limit` names; the people with the fewest credits share one."""
    spent: dict[str | None, int] = {}
    for line in of:
        if line.provider.is_paid:
            spent[line.person] = spent.get(line.person, 0) + line.charged + line.uncertain
    ranked = sorted(spent, key=lambda person: (-spent[person], person or ""))
    own = len(ranked) if len(ranked) <= limit else limit - 1
    return {person: (person or NOBODY) if place < own else OTHERS for place, person in enumerate(ranked)}


def to_csv(of: Sequence[Line]) -> bytes:
    """The lines as CSV for a spreadsheet. The column of the provider has always been called `engine`."""
    names = ("month", "person", "engine", "finished", "megapixels", "charged", "after_failure", "unknown")
    rows = [
        (
            line.month,
            line.person,
            line.provider.name,
            line.finished,
            round(line.megapixels, 1),
            line.charged,
            line.after_failure,
            line.unknown,
        )
        for line in of
    ]
    return MARK + csv_lines([names, *rows])


def month_figures(of_month: Sequence[Line]) -> list[tuple[str, int, str]]:
    """The credits of a month: a label, the number, and what it means."""
    charged, uncertain = sum(line.charged for line in of_month), sum(line.uncertain for line in of_month)
    return [
        ("Credits this month", charged, "Charged for calls that were accepted."),
        (
            "May have been charged",
            uncertain,
            "Tasks that failed after they were accepted, and calls in doubt. They count towards the budget.",
        ),
    ]


def balance_words(provider: Provider, told_at: float | None, timezone: str | None) -> str:
    """How fresh the balance is."""
    if told_at is None:
        return f"The balance at {provider.label} is not known yet."
    return f"Balance at {provider.label} on {moment(told_at, timezone)}."


def budget_words(budget: Budget, month: str) -> str:
    """How much of a month's budget is used, as Markdown."""
    return (
        f"Budget for {month_words(month)}: {budget.spent:,} of {counted(budget.limit, 'credit')} used, "
        f"**{budget.left:,} left**"
    )


def budget_meaning(budget: Budget, paid: Sequence[Provider], *, goes_on_here: bool) -> str:
    """What happens when the budget is used up."""
    for_whom = f" for {' and '.join(provider.label for provider in paid)}" if paid else ""
    return (
        ("It is used up: new" if budget.is_used_up else "When it is used up, new")
        + f" tasks{for_whom} wait, and nothing is lost. They go on next month, or once JOURNEY_MONTHLY_CREDITS is "
        "raised and the studio restarted." + (" This machine goes on working for free." if goes_on_here else "")
    )


def nothing_sent(*, has_paid: bool) -> str:
    """What an empty page says."""
    if has_paid:
        return "Nothing has been sent yet. Upscale a picture, and its cost will be listed here."
    return (
        "Nothing has been sent yet, and nothing costs anything: without JOURNEY_API_KEY, all work is done on this "
        "machine, for free. Upscale a picture, and it will be counted here."
    )


def explained(shown: Sequence[Line]) -> list[str]:
    """What is uncertain, and what was free, as Markdown."""
    said = []
    if after_failure := sum(line.after_failure for line in shown):
        tasks = sum(line.after_failure // line.provider.credits for line in shown if line.after_failure)
        said.append(
            f":material/error: **{counted(after_failure, 'credit')}** for {counted(tasks, 'task')} "
            "that failed after they were accepted. Credits are charged when a call is accepted; your account with the "
            "provider shows whether they were given back."
        )
    if unknown := sum(line.unknown for line in shown):
        calls = sum(line.unknown // line.provider.credits for line in shown if line.unknown)
        said.append(
            f":material/help: **{counted(unknown, 'credit')}** for {counted(calls, 'call')} in doubt. The "
            "answer was lost or is still to come, so these credits may have been charged. Tasks that need your "
            "decision are in History."
        )
    free = [line for line in shown if line.provider.is_here]
    if pictures := sum(line.finished for line in free):
        would_have_cost = sum(line.would_have_cost for line in free)
        said.append(
            f":material/memory: This machine made **{counted(pictures, 'picture')}** "
            f"({sum(line.megapixels for line in free):,.0f} megapixels) for free. {CHEAPEST.label} would have "
            f"charged {counted(would_have_cost, 'credit')}."
        )
    return said


def row(line: Line) -> dict[str, object]:
    """One line of the table."""
    return {
        "Month": month_words(line.month),
        "Who": line.person or NOBODY,
        "Provider": line.provider.label,
        "Pictures": line.finished,
        "Megapixels": line.megapixels,
        "Charged": line.charged,
        "May have been charged": line.uncertain,
    }
