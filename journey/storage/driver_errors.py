"""What the drivers of databases raise, in our words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from journey.errors import MESSAGE_LIMIT, DatabaseAway, DiskFull

_POSTGRES_DISK_FULL = "53100"
"""Its SQLSTATE."""


@contextmanager
def away() -> Iterator[None]:
    """Turn an error of the database into DatabaseAway. The program's own mistakes pass through unchanged."""
    try:
        yield
    except (sa.exc.IntegrityError, sa.exc.ProgrammingError, sa.exc.DataError, sa.exc.NotSupportedError):
        raise
    except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
        cause = getattr(error, "orig", None) or error
        raise (DiskFull if _is_disk_full(cause) else DatabaseAway)(line(cause)) from error


def _is_disk_full(cause: Exception) -> bool:
    """Both drivers have a code for it."""
    full = getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return full or getattr(cause, "sqlstate", None) == _POSTGRES_DISK_FULL


def line(reason: object) -> str:
    """What a driver says, as the middle of a sentence."""
    return " ".join(str(reason).split()).rstrip(".")[:MESSAGE_LIMIT]
