"""Forgetting tasks that are long over: by age, and by number.

What a task made goes with it, unless something else uses it. An entry keeps its own result; callers of the API fetch
theirs while the engine still knows the task.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

import sqlalchemy as sa

from journey.engine.tasks import ACTIVE, Tasks, engine_tasks
from journey.storage.database import Transactions, Within

PIECE = 100
"""Tasks that go in one transaction, which others wait for: some hundredths of a second."""

Watched = Callable[[Transactions, Collection[str]], set[str]]
"""Those of these tasks whose end somebody still waits for."""

Doom = Callable[[Transactions, Collection[str]], None]
"""Notes the keys of files that are to go as soon as nothing uses them."""


def give_up(database: Transactions, task_ids: Collection[str]) -> set[str]:
    """Let go of the results of these tasks, as far as they are over. Returns the keys of those that were stored."""
    return Tasks(database).give_up_results(task_ids)


def prune(database: Transactions, before: float | None, *, keep: int, watched: Watched, doom: Doom) -> Iterator[int]:
    """Forget tasks that were ordered before this moment and those beyond the newest `keep`, some at each step.

    Says how many each time; the keys of their results are noted for removal in the same transaction. A task stays as
    long as it is under way, its webhook is due, or somebody waits for it. Samples stay.
    """
    until = max(_added_before(database, keep), before or 0.0)
    at, last = 0.0, ""
    while True:
        old = (
            sa.select(engine_tasks.c.task_id, engine_tasks.c.result_key, engine_tasks.c.created_at)
            .where(
                engine_tasks.c.created_at >= at,
                engine_tasks.c.created_at < until,
                sa.or_(engine_tasks.c.created_at > at, engine_tasks.c.task_id > last),
                engine_tasks.c.owner.is_not(None),
                engine_tasks.c.webhook_due_at.is_(None),
                # An expression, because an index of states would find almost all tasks.
                (engine_tasks.c.status + "").not_in(ACTIVE),
            )
            .order_by(engine_tasks.c.created_at, engine_tasks.c.task_id)
            .limit(PIECE)
        )
        with database.write() as connection:
            found = connection.execute(old).all()
            if not found:
                return
            spared = watched(Within(connection), [row.task_id for row in found])
            gone = [row for row in found if row.task_id not in spared]
            connection.execute(engine_tasks.delete().where(engine_tasks.c.task_id.in_([row.task_id for row in gone])))
            doom(Within(connection), {str(row.result_key) for row in gone if row.result_key})
        at, last = found[-1].created_at, found[-1].task_id
        yield len(gone)


def _added_before(database: Transactions, keep: int) -> float:
    """When the oldest of the newest `keep` tasks was ordered; 0 when there are not so many."""
    query = sa.select(engine_tasks.c.created_at).order_by(engine_tasks.c.created_at.desc()).offset(keep - 1).limit(1)
    with database.read() as connection:
        return float(connection.scalar(query) or 0.0)
