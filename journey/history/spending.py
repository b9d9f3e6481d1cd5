"""What was paid for: credits by month, person and provider, and how much of the month's budget is left.

A month is a calendar month in UTC. A call counts in the month in which it was sent, in the budget as well.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from journey.api.models import TaskStatus
from journey.errors import counted
from journey.history.states import State
from journey.history.tables import deleted_calls, entries
from journey.provider import CHEAPEST, PROVIDERS, Provider
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
    """What was sent, summed up by the database. Past months are summed up again only when something in them has
    changed: with 100,000 entries, that takes longer than a page may take.
    """

    def __init__(self, database: Transactions, *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._known: tuple[object, list[Line]] = (None, [])

    def lines(self) -> list[Line]:
        """Everything that was ever sent, the newest month first."""
        start = month_start(self._clock())
        with self._database.read() as connection:
            seen = (start, *_mark(connection, entries, start), *_mark(connection, deleted_calls, start))
            known, past = self._known
            if known != seen:
                past = self._all_lines(connection, lambda sent: sent < start)
                self._known = seen, past
            return self._all_lines(connection, lambda sent: sent >= start) + past

    def budget(self, limit: int) -> Budget:
        """This month's budget. What is being sent counts as spent."""
        return Budget(limit, self.credits_since(month_start(self._clock())))

    def credits_since(self, moment: float) -> int:
        """Credits of calls sent since then that were, or may have been, accepted."""
        with self._database.read() as connection:
            return sum(
                int(connection.scalar(sa.select(sa.func.sum(of.c.credits)).where(of.c.submitted_at >= moment)) or 0)
                for of in (entries, deleted_calls)
            )

    def _all_lines(
        self, connection: sa.Connection, when: Callable[[sa.ColumnElement[float]], sa.ColumnElement[bool]]
    ) -> list[Line]:
        lines: dict[tuple[str, str | None, Provider], Line] = {}
        for table in (entries, deleted_calls):
            for line in self._lines(connection, table, when(table.c.submitted_at)):
                key = line.month, line.person, line.provider
                lines[key] = _together(lines[key], line) if key in lines else line
        worth = [line for line in lines.values() if line.finished or line.charged or line.uncertain]
        return sorted(worth, key=lambda line: (_backwards(line.month), -line.provider.credits, line.person or ""))

    def _lines(self, connection: sa.Connection, calls: sa.Table, where: sa.ColumnElement[bool]) -> list[Line]:
        # Every accepted task has a status, whether the answer or a webhook named it, and it sorts faster than the id.
        status = calls.c.task_status
        paid = calls.c.provider.in_([each for each in PROVIDERS.values() if each.is_paid])
        accepted = sa.and_(paid, status.is_not(None))
        failed_there = sa.and_(accepted, calls.c.state == State.FAILED, status != TaskStatus.FINISHED)
        finished = calls.c.state == State.FINISHED
        pixels = sa.case((finished, calls.c.result_width * calls.c.result_height), else_=0)
        month = _month(self._database, calls.c.submitted_at)
        query = (
            sa.select(
                month,
                calls.c.person,
                calls.c.provider,
                _count(finished).label("finished"),
                sa.func.sum(pixels).label("pixels"),
                sa.func.sum(calls.c.credits).label("credits"),
                _count(accepted).label("accepted"),
                _count(failed_there).label("failed_there"),
            )
            .where(where)
            .group_by(month, calls.c.person, calls.c.provider)
        )
        return [
            Line(
                month=row.month,
                person=row.person,
                provider=row.provider,
                finished=int(row.finished),
                megapixels=int(row.pixels or 0) / 1_000_000,
                charged=row.provider.credits * int(row.accepted - row.failed_there),
                after_failure=row.provider.credits * int(row.failed_there),
                unknown=int(row.credits) - row.provider.credits * int(row.accepted),
            )
            for row in connection.execute(query)
        ]


def _mark(connection: sa.Connection, calls: sa.Table, until: float) -> tuple[Any, ...]:
    """A value that changes whenever something changes among the calls sent before then."""
    changed = calls.c.changed_at
    query = sa.select(sa.func.count(), sa.func.max(changed), sa.func.sum(changed)).where(calls.c.submitted_at < until)
    return tuple(connection.execute(query).one())


def _together(one: Line, other: Line) -> Line:
    numbers = ("finished", "megapixels", "charged", "after_failure", "unknown")
    return replace(one, **{name: getattr(one, name) + getattr(other, name) for name in numbers})


def _month(database: Transactions, sent: sa.ColumnElement[float]) -> sa.Label[str]:
    if database.is_sqlite:
        # Whole seconds: strftime would round the last half millisecond of a month into the next one.
        return sa.func.strftime("%Y-%m", sa.cast(sent, sa.BigInteger), "unixepoch").label("month")
    return sa.func.to_char(sa.func.timezone("UTC", sa.func.to_timestamp(sent)), "YYYY-MM").label("month")


def _count(where: sa.ColumnElement[bool]) -> sa.Function[int]:
    return sa.func.sum(sa.case((where, 1), else_=0))


def _backwards(month: str) -> int:
    return -int(month.replace("-", ""))
