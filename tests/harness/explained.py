"""How a database answers what a program asks it: its statements, their plans, and how often it writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from journey.storage.database import Database

Statement = tuple[str, Any]
"""SQL, and what is put into it."""


@contextmanager
def statements(database: Database) -> Iterator[list[Statement]]:
    """What is said to the database meanwhile."""
    said: list[Statement] = []

    def note(_connection: object, _cursor: object, statement: str, given: Any, *_: object) -> None:
        said.append((statement, given))

    sa.event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", note)


def plan(connection: sa.Connection, statement: Statement, *, may_read_all: bool = False) -> list[str]:
    """The steps by which the database answers it.

    Of few rows Postgres reads all, whatever there is. Unless it `may_read_all`, it says whether it would have to.
    """
    if connection.dialect.name == "sqlite":
        return [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement[0]}", statement[1])]
    connection.exec_driver_sql(f"SET LOCAL enable_seqscan = {'on' if may_read_all else 'off'}")
    return [row[0].strip(" ->") for row in connection.exec_driver_sql(f"EXPLAIN {statement[0]}", statement[1])]


def writes(database: Database, work: Callable[[], object]) -> int:
    """How many transactions this work has written."""
    begun: list[object] = []

    def note(connection: sa.Connection) -> None:
        if connection.get_execution_options().get("journey_writes", False):
            begun.append(connection)

    sa.event.listen(database.engine, "commit", note)
    try:
        work()
    finally:
        sa.event.remove(database.engine, "commit", note)
    return len(begun)
