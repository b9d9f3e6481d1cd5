"""Deletes entries and results in such a way that a crash leaves no file behind that nobody knows of."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from journey.history.entries import Entry
from journey.history.states import OVER, State
from journey.history.tables import COLUMNS, deleted_calls, entries, entry_of, removals
from journey.storage.database import Transactions


class Deletions:
    """Deletes rows, and remembers which files are to go until they are gone."""

    def __init__(self, database: Transactions) -> None:
        self._database = database

    def delete(self, ids: Sequence[str], *, also: Collection[str] = ()) -> list[Entry]:
        """Delete the entries among these that are over, and return them as they were.

        The keys of their files, and those in `also`, are noted for `doomed`; the files themselves are not removed yet.
        What the entries cost stays in `deleted_calls`.
        """
        with self._database.write() as connection:
            query = sa.select(*COLUMNS).where(entries.c.id.in_(ids), entries.c.state.in_(OVER))
            gone = [entry_of(row) for row in connection.execute(query)]
            chosen = entries.c.id.in_([entry.id for entry in gone])
            names = deleted_calls.c.keys()
            paid = sa.select(*(entries.c[name] for name in names)).where(chosen, entries.c.submitted_at.is_not(None))
            connection.execute(deleted_calls.insert().from_select(names, paid))
            connection.execute(entries.delete().where(chosen))
            keys = {entry.source.key for entry in gone if entry.source} | set(also)
            keys |= {entry.result_key for entry in gone if entry.result_key}
            keys -= set(connection.scalars(sa.select(removals.c.key).where(removals.c.key.in_(keys))))
            if keys:
                connection.execute(removals.insert(), [{"key": key} for key in sorted(keys)])
        return gone

    def doomed(self) -> list[str]:
        """Keys of deleted entries' files that no other entry uses as its source or its result. Forgets the others."""
        used = sa.exists().where(sa.or_(entries.c.source_key == removals.c.key, entries.c.result_key == removals.c.key))
        with self._database.write() as connection:
            connection.execute(removals.delete().where(used))
            return [str(key) for key in connection.scalars(sa.select(removals.c.key))]

    def buried(self, keys: Collection[str]) -> None:
        """Note that the files under these keys have been removed."""
        with self._database.write() as connection:
            connection.execute(removals.delete().where(removals.c.key.in_(keys)))

    def results_before(self, moment: float, *, limit: int = 1_000) -> list[Entry]:
        """Entries that finished before then with a result still stored, unless one that is not over enlarges it."""
        other = entries.alias()
        needed = sa.exists().where(other.c.source_key == entries.c.result_key, other.c.state.not_in(OVER))
        query = (
            sa.select(*COLUMNS)
            .where(entries.c.finished_at < moment, entries.c.state == State.FINISHED, entries.c.result_key.is_not(None))
            .where(~needed)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [entry_of(row) for row in connection.execute(query)]

    def forget_result(self, entry_id: str, note: str) -> None:
        """Note that the result's files are gone; the entry stays."""
        with self._database.write() as connection:
            connection.execute(
                entries.update().where(entries.c.id == entry_id).values(result_key=None, result_file=None, note=note)
            )
