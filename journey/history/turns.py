"""Whose turn it is among open entries: what there is news of comes before all that has only waited for its time.

An entry's turn is at its `due_at`, the earliest first. Where thousands are open, some are always late.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from journey.api.models import Task
from journey.history.entries import Entry
from journey.history.states import State
from journey.history.tables import entries, storable

_AHEAD = 3600.0
"""Nothing else is ever so late while the program runs."""


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
