"""Whose turn it is among open entries: what there is news of comes before all that has only waited for its time.

An entry's turn is at its `due_at`, the earliest first. Where thousands are open, some are always late.
"""

from __future__ import annotations

import sqlalchemy as sa

from journey.history.tables import entries

_AHEAD = 3600.0
"""Nothing else is ever so late while the program runs."""


def call(connection: sa.Connection, which: sa.ColumnElement[bool], *, now: float) -> None:
    """It is the turn of these entries: there is news of them. Each piece of news gives another time."""
    connection.execute(entries.update().where(which).values(due_at=now - _AHEAD))


def called(now: float) -> float:
    """Whatever was due before this time is due because of news."""
    return now - _AHEAD / 2
