"""What was paid for: credits by month, person and provider, and how much of the month's budget is left.

A month is a calendar month in UTC. A call counts in the month in which it was sent, in the budget as well.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from journey.errors import counted
from journey.history.counting import spent
from journey.provider import CHEAPEST, Provider
from journey.storage.database import Transactions


@dataclass(frozen=True)
class Budget:
    """The credits of one month. `spent` counts calls that were accepted, may have been, or are being sent."""

    limit: int
    spent: int

    @property
    def left(self) -> int:
        """Credits; never below 0."""
        return max(0, self.limit - self.spent)

    @property
    def is_used_up(self) -> bool:
        """True when one more upscale would go over it."""
        return self.spent + CHEAPEST.credits > self.limit

    @property
    def share(self) -> float:
        """How much of it is spent, 0.0 to 1.0."""
        return min(1.0, self.spent / self.limit) if self.limit else 1.0

    @property
    def sentence(self) -> str:
        """Why nothing more is sent once it is used up, and what to do."""
        return (
            f"This month's budget of {counted(self.limit, 'credit')} is used up ({self.spent:,} spent). "
            "Raise JOURNEY_MONTHLY_CREDITS and restart, or wait for the next month."
        )


@dataclass(frozen=True, kw_only=True)
class Line:
    """What one provider did for one person in one month (`2026-11`).

    `charged`, `after_failure` and `unknown` are credits. `charged`: the provider accepted the call. `after_failure`: it
    did, but the task failed, and the credits may have been given back. `unknown`: it is not known whether it accepted
    the call, or the call is still being sent. `megapixels` counts the pixels of the finished pictures.
    """

    month: str
    person: str | None
    provider: Provider
    finished: int = 0
    megapixels: float = 0.0
    charged: int = 0
    after_failure: int = 0
    unknown: int = 0

    @property
    def uncertain(self) -> int:
        """Credits that may have been charged."""
        return self.after_failure + self.unknown

    @property
    def would_have_cost(self) -> int:
        """Credits that the cheapest paid provider would have charged for what this machine made."""
        return self.finished * CHEAPEST.credits if self.provider.is_here else 0


def month_start(moment: float, *, back: int = 0) -> float:
    """When the month (UTC) of this moment began, or the month `back` months earlier. Seconds since 1970."""
    day = datetime.datetime.fromtimestamp(moment, datetime.UTC)
    months = day.year * 12 + day.month - 1 - back
    return datetime.datetime(months // 12, months % 12 + 1, 1, tzinfo=datetime.UTC).timestamp()


def month_name(moment: float) -> str:
    """The month (UTC) of this moment as in `Line.month`: `2026-11`."""
    return f"{datetime.datetime.fromtimestamp(moment, datetime.UTC):%Y-%m}"


def months_until(first: str, last: str) -> list[str]:
    """Every month from the first to the last, both included."""
    numbers = [int(year) * 12 + int(month) - 1 for year, _, month in (each.partition("-") for each in (first, last))]
    return [f"{number // 12:04}-{number % 12 + 1:02}" for number in range(numbers[0], numbers[1] + 1)]


class Spending:
    """What was sent, from the sums that the database keeps by month."""

    def __init__(self, database: Transactions, *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def lines(self) -> list[Line]:
        """Everything that was ever sent, the newest month first."""
        with self._database.read() as connection:
            lines = [_line(row) for row in connection.execute(sa.select(spent))]
        worth = [line for line in lines if line.finished or line.charged or line.uncertain]
        return sorted(worth, key=lambda line: (_backwards(line.month), -line.provider.credits, line.person or ""))

    def budget(self, limit: int) -> Budget:
        """This month's budget. What is being sent counts as spent."""
        return Budget(limit, self.credits_since(month_start(self._clock())))

    def credits_since(self, moment: float) -> int:
        """Credits of calls that were, or may have been, accepted, from the first day of this moment's month on."""
        query = sa.select(sa.func.sum(spent.c.credits)).where(spent.c.month >= month_name(moment))
        with self._database.read() as connection:
            return int(connection.scalar(query) or 0)


def _line(row: sa.Row[*tuple[Any, ...]]) -> Line:
    price = row.provider.credits
    return Line(
        month=row.month,
        person=row.person or None,
        provider=row.provider,
        finished=row.finished,
        megapixels=row.pixels / 1_000_000,
        charged=price * (row.accepted - row.failed_there),
        after_failure=price * row.failed_there,
        unknown=row.credits - price * row.accepted,
    )


def _backwards(month: str) -> int:
    return -int(month.replace("-", ""))
