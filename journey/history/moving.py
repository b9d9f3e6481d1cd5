"""The statement by which an entry moves to another state, put together once for each kind of move.

Putting a statement together costs more than having a database run it, and entries move several times each.
"""

from __future__ import annotations

import functools
from typing import Any

import sqlalchemy as sa

from journey.history.entries import Entry
from journey.history.states import LIVE, OVER, WAYS, State
from journey.history.tables import COLUMNS, entries, entry_of
from journey.provider import PROVIDERS

_COST = sa.case(
    *((entries.c.provider == provider, provider.credits) for provider in PROVIDERS.values() if provider.is_paid),
    else_=0,
)
"""What one call to the entry's provider costs, in credits."""


def moved_to(
    connection: sa.Connection,
    entry_id: str,
    to: State,
    *,
    only_from: State | None,
    only: dict[str, Any],
    changes: dict[str, Any],
    now: float,
) -> tuple[Entry, str | None] | None:
    """Move an entry, and return it with the task that a webhook has named meanwhile. None when no way leads there.

    It moves only when its columns have the values of `only`, whose Nones count for nothing, and takes on `changes`.
    """
    moves_by_itself = to in LIVE and to is not State.SUBMITTING
    values: dict[str, Any] = {"state": to, "changed_at": now, "due_at": now if moves_by_itself else None}
    if to is State.SUBMITTING:
        values["submitted_at"] = now
    if to in OVER:
        values["finished_at"] = now
    if to in OVER or to is State.OPEN:
        values["webhook_secret"] = None
    only = {name: value for name, value in only.items() if value is not None}
    conditions = {"moved_id": entry_id} | {f"only_{name}": value for name, value in only.items()}
    row = connection.execute(_statement(to, only_from, tuple(only)), conditions | values | changes).first()
    return None if row is None else (entry_of(row), row.hinted_task_id)


@functools.cache
def _statement(to: State, only_from: State | None, only: tuple[str, ...]) -> sa.sql.dml.ReturningUpdate[Any]:
    origins = [state for state, targets in WAYS.items() if to in targets and only_from in (None, state)]
    changes: dict[str, Any] = {}
    if to is State.SUBMITTING:
        changes = {"attempts": entries.c.attempts + 1, "credits": entries.c.credits + _COST}
    if to in (State.QUEUED, State.FAILED):
        not_accepted = entries.c.state == State.SUBMITTING
        changes = {"credits": entries.c.credits - sa.case((not_accepted, _COST), else_=0)}
    return (
        entries.update()
        .where(
            entries.c.id == sa.bindparam("moved_id"),
            entries.c.state.in_(origins),
            *(entries.c[name] == sa.bindparam(f"only_{name}") for name in only),
        )
        .values(changes)
        .returning(*COLUMNS, entries.c.hinted_task_id)
    )
