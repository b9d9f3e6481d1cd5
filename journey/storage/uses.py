"""Who uses a stored file: the one register, which every removal asks.

Each table whose rows name files says so with claims. A batch uses what its entries use, and a print file under way
counts as a look at its picture.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from journey.storage.database import Transactions
from journey.storage.looked import Looked

_AT_ONCE = 500
"""Keys in one query; SQLite takes some thousands."""


class User(StrEnum):
    """What can use a file: an entry as its result or its source, a task of the engine here, a person who looks."""

    RESULT = "result"
    SOURCE = "source"
    TASK = "task"
    LOOK = "look"

    @property
    def is_entry(self) -> bool:
        return self in (User.RESULT, User.SOURCE)


@dataclass(frozen=True)
class Claim:
    """A column with keys of files. The rows for which `holds` is true use them; all do if it is None."""

    user: User
    column: sa.ColumnElement[Any]
    holds: sa.ColumnElement[bool] | None = None


class Uses:
    """Answers who uses a file, from the tables and the looks."""

    def __init__(self, database: Transactions, looked: Looked, claims: Sequence[Claim]) -> None:
        self._database = database
        self._looked = looked
        self._claims = claims

    def of(self, keys: Collection[str]) -> dict[str, set[User]]:
        """Who uses the files under these keys; a key that nobody uses is left out.

        Raises DatabaseAway, or OSError when the storage cannot be reached.
        """
        found: dict[str, set[User]] = {}
        if not keys:
            return found
        for some in _batches(sorted(keys)):
            # Each for itself: a long transaction would keep SQLite's writers waiting.
            with self._database.read() as connection:
                for claim in self._claims:
                    query = sa.select(claim.column).where(claim.column.in_(some)).distinct()
                    if claim.holds is not None:
                        query = query.where(claim.holds)
                    for key in connection.scalars(query):
                        found.setdefault(str(key), set()).add(claim.user)
        for key in self._looked.recent(keys):
            found.setdefault(key, set()).add(User.LOOK)
        return found


def _batches(keys: Sequence[str]) -> list[Sequence[str]]:
    return [keys[start : start + _AT_ONCE] for start in range(0, len(keys), _AT_ONCE)]
