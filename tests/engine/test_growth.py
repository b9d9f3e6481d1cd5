"""What callers and the studio ask of the engine's tasks costs the same however many there are."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from bench.engine_growth import OWNER, fill, questions
from journey.engine.tasks import Tasks
from journey.storage.database import Database
from journey.storage.looked import Looked
from journey.storage.stored import StoredFile
from tests.engine.conftest import Bench
from tests.harness.explained import plan, statements

ROWS = 20_000
"""Enough for Postgres to prefer an index to reading them all."""


def test_no_question_reads_all_tasks(database: Database, tmp_path: Path) -> None:
    """Each question finds its rows by an index, in both databases, and the newest measures are not found by sorting."""
    fill(database, 0, ROWS)
    for name, ask in questions(database, ROWS, Looked(tmp_path), files=20).items():
        with statements(database) as said:
            ask()
        asked = [each for each in said if each[0].lstrip().startswith("SELECT")]
        with database.read() as connection:
            steps = "\n".join(step for each in asked for step in plan(connection, each, may_read_all=True))
        assert steps, f"{name} asks nothing"
        read_all = "SCAN engine_tasks" in steps or "Seq Scan on engine_tasks" in steps
        sorted_all = name.startswith("measured") and ("TEMP B-TREE" in steps or "Sort Key" in steps)
        assert not read_all | sorted_all, f"{name}: {steps[:2000]}"


def test_what_finished_is_counted_for_each_owner(bench: Bench) -> None:
    """`total_images` counts what each key had finished and nothing else: no failure, no sample, and nothing twice."""
    first, second = bench.order(), bench.order()
    bench.tasks.add_finished("sample", model="fast", pictures=[StoredFile("0" * 32, "a.png")])
    result = StoredFile("1" * 32, "a.png")
    assert bench.tasks.finish(first, result, source_pixels=1, seconds=1.0)
    assert not bench.tasks.finish(first, result, source_pixels=1, seconds=1.0)
    assert bench.tasks.fail(second, "Cancelled")
    owner = bench.row(first).owner
    assert (1, 0) == (bench.tasks.finished_count(owner=owner), bench.tasks.finished_count(owner="another"))


def test_an_upgrade_counts_what_had_finished(tmp_path: Path) -> None:
    """Tasks that an earlier version finished are in `total_images`, and those that failed are not."""
    database = Database(tmp_path / "journey.db")
    database.upgrade()
    fill(database, 0, 100)
    counted = Tasks(database).finished_count(owner=OWNER)
    with database.write() as connection:
        connection.execute(sa.text("DROP TABLE engine_totals"))
        connection.execute(sa.text("DROP INDEX ix_engine_tasks_result_key"))
        connection.execute(sa.text("DROP INDEX engine_tasks_measures"))
        connection.execute(sa.text("CREATE INDEX ix_engine_tasks_owner ON engine_tasks (owner)"))
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0008'"))
    database.upgrade()
    assert (94, 94) == (counted, Tasks(database).finished_count(owner=OWNER))
    database.close()
