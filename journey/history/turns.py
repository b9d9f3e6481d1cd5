"""Whose turn it is. Of open entries, what there is news of comes before all that has only waited for its time.

An entry's turn is at its `due_at`, the earliest first. Where thousands are open, some are always late.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from journey.api.models import Task
from journey.history.entries import Entry
from journey.history.states import LIVE, State
from journey.history.tables import COLUMNS, entries, entry_of, storable
from journey.provider import Provider

_AHEAD = 3600.0
"""Nothing else is ever so late while the program runs."""

_DUE = (
    sa.select(*COLUMNS)
    .where(entries.c.state == sa.bindparam("state"), entries.c.due_at <= sa.bindparam("by"))
    .order_by(entries.c.due_at, entries.c.created_at, entries.c.id)
    .limit(sa.bindparam("most"))
)
_DUE_THERE = _DUE.where(entries.c.provider == sa.bindparam("provider"))
# State by state: for several at once, a database reads all their times.
_FIRST_DUE = sa.union_all(
    *(
        sa.select(sa.literal(state.value), sa.func.min(entries.c.due_at)).where(
            # Thousands of a batch may wait without a time.
            entries.c.due_at.is_not(None),
            entries.c.state == state,
        )
        for state in sorted(LIVE)
    )
)
_NEXT_DUE = sa.union_all(
    *(
        sa.select(sa.func.min(entries.c.due_at)).where(
            entries.c.due_at > sa.bindparam("after"), entries.c.state == state
        )
        for state in sorted(LIVE)
    )
)
# Asked all the time, so put together once: that costs more than the answers.


def due(connection: sa.Connection, state: State, *, by: float, most: int, provider: Provider | None) -> list[Entry]:
    """Entries in this state whose turn comes by this time, at most so many, the earliest first."""
    which = {"state": state, "by": by, "most": most, "provider": provider}
    return [entry_of(row) for row in connection.execute(_DUE_THERE if provider else _DUE, which)]


def first_due(connection: sa.Connection) -> dict[State, float]:
    """The earliest turn in each state that has any."""
    return {State(state): at for state, at in connection.execute(_FIRST_DUE) if at is not None}


def next_due(connection: sa.Connection, after: float) -> float | None:
    """The earliest turn after this time."""
    return min(filter(None, connection.scalars(_NEXT_DUE, {"after": after})), default=None)


def call(connection: sa.Connection, which: sa.ColumnElement[bool], *, now: float) -> None:
    """It is the turn of these entries: there is news of them. Each piece of news gives another time."""
    connection.execute(entries.update().where(which).values(due_at=now - _AHEAD))


def called(now: float) -> float:
    """Whatever was due before this time is due because of news."""
    return now - _AHEAD / 2


def is_news(entry: Entry, task: Task) -> bool:
    """True when the API says of the task what the entry does not know yet."""
    return (furthest(entry, task), task.status) != (entry.percentage, entry.task_status)


def furthest(entry: Entry, task: Task) -> int | None:
    """The percentage that the entry has now: it never falls."""
    return max((value for value in (entry.percentage, task.percentage) if value is not None), default=None)


@dataclass(frozen=True)
class Look:
    """When an open entry is looked at next, and in `note` why it waits. `entry` is as it was when this was decided."""

    entry: Entry
    due_at: float
    note: str | None = None


_LATER = (
    entries.update()
    .where(
        entries.c.id == sa.bindparam("entry_id"),
        entries.c.state == State.OPEN,
        entries.c.due_at == sa.bindparam("was_due_at"),
    )
    .values(due_at=sa.bindparam("is_due_at"), note=sa.bindparam("is_noted"))
)


def later(connection: sa.Connection, looks: Sequence[Look]) -> None:
    """Their turn is later, unless there has been news since: that is about something newer, and stays."""
    rows = [
        {
            "entry_id": look.entry.id,
            "was_due_at": look.entry.due_at,
            "is_due_at": look.due_at,
            "is_noted": storable({"note": look.note})["note"],
        }
        for look in looks
    ]
    if rows:
        connection.execute(_LATER, rows)
