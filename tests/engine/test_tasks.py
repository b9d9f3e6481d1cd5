"""The table of tasks: its limits, its samples, and what it has learnt about speed."""

from __future__ import annotations

import pytest

from journey.api.errors import RateLimited
from journey.api.models import TaskStatus
from journey.engine.tasks import QUEUE_LIMIT, Tasks, engine_tasks
from journey.errors import Stopped
from journey.storage.stored import StoredFile
from tests.engine.conftest import Bench


def test_a_full_queue_is_said_with_a_time(bench: Bench) -> None:
    """A full queue refuses another task and says when to try again."""
    first = bench.order()
    with bench.database.write() as connection:
        row = dict(bench.row(first)._mapping)
        rows = [row | {"task_id": f"t{number}"} for number in range(QUEUE_LIMIT - 1)]
        connection.execute(engine_tasks.insert(), rows)
    with pytest.raises(RateLimited) as caught:
        bench.order()
    assert 30 == caught.value.retry_after
    bench.queue.work_next()
    assert bench.order()


def test_measured_speed_is_the_median_of_real_pictures(bench: Bench) -> None:
    """The measured speed is a median in which small pictures do not count; without a record there is no speed."""
    assert bench.tasks.measured_speed("fast", 2) is None
    for seconds in (1.0, 2.0, 10.0):
        task_id = bench.order()
        bench.queue.work_next()
        bench.change(task_id, source_pixels=1_000_000, seconds=seconds)
    bench.order()
    bench.queue.work_next()
    assert 500_000 == bench.tasks.measured_speed("fast", 2)
    assert bench.tasks.measured_speed("fast", 4) is None


def test_samples_are_added_once(bench: Bench) -> None:
    """A sample task is added only at the first start."""
    for model in ("first", "second"):
        bench.tasks.add_finished("sample", model=model, pictures=[StoredFile("0" * 32, "a.png")])
    assert "first" == bench.state("sample")["model"]


def test_every_move_is_told_once_it_is_stored(bench: Bench) -> None:
    """A task that starts, progresses or ends is told at once, as it then is; what a task over refuses is no move."""
    told: list[tuple[str, str, str | None]] = []

    def note(task_id: str) -> None:
        seen = bench.state(task_id)
        told.append((task_id, seen["status"], seen.get("percentage")))

    tasks = Tasks(bench.database, on_move=note, clock=bench.clock)
    task_id = bench.order()
    tasks.note(task_id, status=TaskStatus.STARTING)
    tasks.note(task_id, status=TaskStatus.PROCESSING, percentage=40)
    assert tasks.finish(task_id, StoredFile("0" * 32, "a.png"), source_pixels=1, seconds=1.0)
    with pytest.raises(Stopped):
        tasks.note(task_id, percentage=50)
    assert not tasks.fail(task_id, "Cancelled")
    assert [(task_id, "starting", "0"), (task_id, "processing", "40"), (task_id, "finished", "100")] == told
