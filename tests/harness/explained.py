"""How a database does what a program asks of it: the plans of a call's statements, and its transactions that write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from journey.storage.database import Database

_LONGEST_STEP = 200


def plans(database: Database, ask: Callable[[], object]) -> str:
    """What the database says it will do for each SELECT of this call, a line for each step."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, given: Any, *_: object) -> None:
        if statement.lstrip().startswith("SELECT"):
            asked.append((statement, given))

    sa.event.listen(database.engine, "before_cursor_execute", note)
    try:
        ask()
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", note)
    assert asked, "it asked nothing"
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
    with database.read() as connection:
        rows = [row for each, given in asked for row in connection.exec_driver_sql(explain + each, given)]
    return "\n".join(str(row[-1])[:_LONGEST_STEP] for row in rows)


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
