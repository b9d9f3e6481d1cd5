"""Stored results in the order in which they came, one at a time: for what is done to each of them once."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from journey.history.tables import HAS_RESULT, entries
from journey.storage.database import Transactions
from journey.storage.stored import StoredFile


@dataclass(frozen=True)
class Kept:
    """A result that is stored, and its place in the order: when its entry ended, and the id of that."""

    ended_at: float
    id: str
    file: StoredFile


def next_result(database: Transactions, *, after: tuple[float, str], before: float) -> Kept | None:
    """The next result after this place whose entry ended before then, in seconds since 1970; None when there is none.

    It is found by an index, however many there are.
    """
    ended_at = entries.c.finished_at
    query = (
        sa.select(ended_at, entries.c.id, entries.c.result_key, entries.c.result_file)
        .where(
            HAS_RESULT,
            entries.c.result_file.is_not(None),
            ended_at >= after[0],
            ended_at < before,
            sa.or_(ended_at > after[0], entries.c.id > after[1]),
        )
        .order_by(ended_at, entries.c.id)
        .limit(1)
    )
    with database.read() as connection:
        row = connection.execute(query).first()
    return None if row is None else Kept(row.finished_at, row.id, StoredFile(row.result_key, row.result_file))


def note_bytes(database: Transactions, file: StoredFile, size: int) -> None:
    """The file of a result has so many bytes now; so it has for each entry that has that result."""
    of_it = sa.and_(entries.c.result_key == file.key, entries.c.result_file == file.file)
    with database.write() as connection:
        connection.execute(entries.update().where(of_it).values(result_bytes=size))
