"""What was paid for, by month, person and engine, and the month's budget."""

from __future__ import annotations

import datetime

import pytest

from journey.spending import Budget, month_start


def at(text: str) -> float:
    """Seconds since 1970 of a moment in UTC."""
    return datetime.datetime.fromisoformat(f"{text}+00:00").timestamp()


@pytest.mark.parametrize(
    ("spent", "left", "used_up"), [(0, 5, False), (2, 3, False), (3, 2, False), (4, 1, True), (8, 0, True)]
)
def test_a_budget_is_used_up_when_the_next_upscale_would_go_over_it(spent: int, left: int, used_up: bool) -> None:
    """One credit that is left buys nothing, and what is left is never negative."""
    budget = Budget(5, spent)
    assert (left, used_up) == (budget.left, budget.is_used_up)


@pytest.mark.parametrize(
    ("moment", "back", "start"),
    [
        ("2026-11-22T16:00", 0, "2026-11-01"),
        ("2026-11-01T00:00", 0, "2026-11-01"),
        ("2026-10-31T23:59:59", 0, "2026-10-01"),
        ("2026-01-15T12:00", 1, "2025-12-01"),
        ("2026-11-22T16:00", 11, "2025-12-01"),
    ],
)
def test_a_month_begins_at_midnight_of_its_first_day_in_utc(moment: str, back: int, start: str) -> None:
    """Also over the turn of the year, whatever the zone of this machine."""
    assert at(start) == month_start(at(moment), back=back)
