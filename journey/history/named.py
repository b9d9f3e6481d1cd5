"""Task ids that turn up otherwise than in the answer to the call that is waited for.

An entry watches one task. It may have been sent twice, though, and each call may have been paid for: what names another
task is kept in the timeline, where a person finds it.
"""

from __future__ import annotations

import sqlalchemy as sa

from journey.history.entries import Entry
from journey.history.tables import ERROR_LIMIT, entries, fit, timeline


def keep(connection: sa.Connection, entry: Entry, task_id: str, words: str, *, now: float) -> None:
    """Keep the id of a task of this entry, once; `words` are for the timeline and contain it.

    An entry that ended without a task has this one from now on, so that a person can have its result fetched.
    """
    if task_id == entry.task_id:
        return
    kept = sa.select(timeline.c.id).where(timeline.c.entry_id == entry.id, timeline.c.words == words)
    if connection.execute(kept.limit(1)).first():
        return
    if entry.task_id is None and entry.state.over:
        connection.execute(entries.update().where(entries.c.id == entry.id).values(task_id=task_id))
    said = {"at": now, "state": entry.state, "words": fit(words, ERROR_LIMIT)}
    connection.execute(timeline.insert().values(entry_id=entry.id, **said))


def keep_hint(connection: sa.Connection, entry: Entry, *, now: float) -> bool:
    """Keep what a webhook named while the entry was being sent, now that it is known which task the entry watches.

    False when none had named any.
    """
    if task_id := hinted(connection, entry):
        hint_later(connection, entry, None)
        keep(connection, entry, task_id, other_task(task_id), now=now)
    return task_id is not None


def hinted(connection: sa.Connection, entry: Entry) -> str | None:
    """The task that a webhook named while it was not yet known which one the entry watches."""
    value = connection.scalar(sa.select(entries.c.hinted_task_id).where(entries.c.id == entry.id))
    return None if value is None else str(value)


def hint_later(connection: sa.Connection, entry: Entry, task_id: str | None) -> None:
    """Note a webhook's task until it is known which one the entry watches."""
    connection.execute(entries.update().where(entries.c.id == entry.id).values(hinted_task_id=task_id))


def other_task(task_id: str) -> str:
    """What the timeline says when a webhook names a task that the entry does not watch."""
    return f"A webhook named another task of it: {task_id}."
