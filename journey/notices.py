"""What people are told without asking: how many tasks are under way, and which of theirs have ended."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from journey.history import LIVE, Entry, entries
from journey.lineage import is_pair
from journey.storage.database import Database

MOST_COUNTED = 1_000


def under_way(database: Database, *, person: str | None = None) -> list[str]:
    """Ids of the entries that go on by themselves, at most 1,000: this person's, or everybody's."""
    query = sa.select(entries.c.id).where(entries.c.state.in_(sorted(LIVE))).limit(MOST_COUNTED)
    if person is not None:
        query = query.where(entries.c.person == person)
    with database.read() as connection:
        return [str(entry_id) for entry_id in connection.scalars(query)]


def ended(awaited: Iterable[Entry]) -> list[list[Entry]]:
    """Those that go on no more, each for itself; those of a batch together, once the last of them has ended."""
    groups: dict[str, list[Entry]] = {}
    for entry in awaited:
        alone = entry.batch is None or is_pair(entry.batch)
        groups.setdefault(entry.id if alone else str(entry.batch), []).append(entry)
    return [group for group in groups.values() if all(entry.state not in LIVE for entry in group)]
