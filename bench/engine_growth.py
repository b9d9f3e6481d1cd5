"""What the engine's own tasks cost as they grow in number: the questions that its callers and the studio ask of them.

    python -m bench.engine_growth [--rows 10000,100000,1000000] [postgresql://…]

Medians in milliseconds. Without an address it is a new SQLite file; with one, an empty Postgres database.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from journey.engine import tasks as engine_tasks
from journey.engine.pruning import prune
from journey.engine.server import owner_of
from journey.engine.tasks import Tasks
from journey.history.deletions import doom, watched
from journey.storage.database import Database
from journey.storage.looked import Looked
from journey.storage.uses import Uses

OWNER = owner_of("the key of the studio here")
STARTED = 1_600_000_000.0
ASKED_AT_ONCE = 20
REMOVED_AT_ONCE = 500
MOST_FORGOTTEN = 20_000
RUNS = 15

# One statement for both databases, which make rows far faster than a driver can hand them over. A twentieth failed; one
# in fifty was ordered with another key.
FILL = """
INSERT INTO engine_tasks (task_id, owner, type, model, network, source_key, source_file, origin, status, percentage,
    error, result_key, pictures, source_pixels, seconds, webhook_attempts, created_at, finished_at)
WITH RECURSIVE numbers(n) AS (
    SELECT CAST(:first AS INTEGER) UNION ALL SELECT n + 1 FROM numbers WHERE n < CAST(:last AS INTEGER)
)
SELECT md5('task ' || n), CASE WHEN n % 50 = 0 THEN 'another' ELSE CAST(:owner AS VARCHAR(64)) END,
    CASE WHEN n % 2 = 0 THEN '2x' ELSE '4x' END,
    'realesr-animevideov3', CASE WHEN n % 10 = 0 THEN 'detail' ELSE 'fast' END,
    md5('source ' || n), 'fjord.png', 'http://127.0.0.1:8501', CASE WHEN n % 20 = 0 THEN 'failed' ELSE 'finished' END,
    100, CASE WHEN n % 20 = 0 THEN 'The task failed.' END, md5('result ' || n),
    '[["' || md5('result ' || n) || '", "fjord_4x.png"]]', CASE WHEN n % 20 > 0 THEN 1572864 END,
    CASE WHEN n % 20 > 0 THEN 5.5 END, 0, CAST(:started AS FLOAT) + 7.0 * n, CAST(:started AS FLOAT) + 7.0 * n + 6
FROM numbers
"""
TOTAL = """
INSERT INTO engine_totals (owner, finished)
SELECT owner, count(*) FROM engine_tasks WHERE status = 'finished' GROUP BY owner
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", nargs="?", help="an empty Postgres database")
    parser.add_argument("--rows", default="10000,100000,1000000")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = Database(chosen.address or Path(folder) / "journey.db")
        database.upgrade()
        there = 0
        for rows in map(int, chosen.rows.split(",")):
            fill(database, there, rows)
            there = rows
            asked = questions(database, rows, Looked(folder))
            medians = {name: milliseconds(ask) for name, ask in asked.items()}
            print(f"{rows:>9,}  " + "; ".join(f"{name} {each:.2f}" for name, each in medians.items()), flush=True)
        say_how_it_forgets(database, keep=there - min(there // 2, MOST_FORGOTTEN))
        database.close()


def say_how_it_forgets(database: Database, *, keep: int) -> None:
    """How fast old tasks go, and how long others wait for the database meanwhile."""
    steps, started, gone = [], time.perf_counter(), 0
    for count in prune(database, None, keep=keep, watched=watched, doom=doom):
        steps.append(1000 * (time.perf_counter() - started))
        started, gone = time.perf_counter(), gone + count
    print(
        f"{gone:,} tasks forgotten, {1000 * gone / sum(steps):,.0f} in a second; "
        f"a step takes {statistics.median(steps):.1f} ms, the longest {max(steps):.1f}"
    )


def fill(database: Database, there: int, rows: int) -> None:
    """Go on from so many rows until there are `rows`."""
    with filling(database) as connection:
        connection.execute(sa.text(FILL), {"first": there + 1, "last": rows, "owner": OWNER, "started": STARTED})
        connection.execute(sa.text("DELETE FROM engine_totals"))
        connection.execute(sa.text(TOTAL))
    if not database.is_sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            # As the server does in time, but not while something is measured.
            connection.execute(sa.text("VACUUM ANALYZE engine_tasks"))
            connection.execute(sa.text("CHECKPOINT"))


@contextmanager
def filling(database: Database) -> Iterator[sa.Connection]:
    with database.write() as connection:
        if database.is_sqlite:
            driver = connection.connection.driver_connection
            driver.create_function("md5", 1, lambda text: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest())  # type: ignore[union-attr]  # it is one of sqlite3
        yield connection


def questions(
    database: Database, rows: int, looked: Looked, *, files: int = REMOVED_AT_ONCE
) -> dict[str, Callable[[], object]]:
    """What is asked, by name. Everything that is asked about lies evenly between the oldest and the newest."""
    tasks = Tasks(database)
    asked = spread("task", rows, ASKED_AT_ONCE)
    uses = Uses(database, looked, engine_tasks.CLAIMS)
    removed = spread("result", rows, files)
    return {
        "nothing": database.check,
        f"/fetch-many of {ASKED_AT_ONCE}": lambda: tasks.get(asked, owner=OWNER),
        "measured speed": lambda: tasks.measured_speed("fast", 4),
        "measured speed of a network without tasks": lambda: tasks.measured_speed("faithful", 4),
        "/account": lambda: tasks.finished_count(owner=OWNER),
        "the next task": tasks.oldest_active,
        "webhooks that are due": tasks.due_deliveries,
        f"who uses {files} files": lambda: uses.of(removed),
    }


def spread(what: str, rows: int, count: int) -> Sequence[str]:
    numbers = (1 + (rows - 1) * place // (count - 1) for place in range(count))
    return [hashlib.md5(f"{what} {number}".encode(), usedforsecurity=False).hexdigest() for number in numbers]


def milliseconds(ask: Callable[[], object]) -> float:
    """The median of some runs after a first one, which fills caches."""
    ask()
    spent = []
    for _ in range(RUNS):
        started = time.perf_counter()
        ask()
        spent.append(1000 * (time.perf_counter() - started))
    return statistics.median(spent)


if __name__ == "__main__":
    main()
