"""Several tasks at once: the next one is begun while there are places for its tiles, and nothing else is different."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
from PIL import Image

from journey.engine.networks.network import FAST, Hardware
from journey.engine.queue import Queue
from journey.engine.upscaler import upscale
from journey.errors import WorkersAway
from journey.pictures.checking import Decoder
from tests.engine.conftest import ME, Bench
from tests.harness.engines import gradient
from tests.harness.standing import Inline, wait_for

T = TypeVar("T")

SMALL_TILES = replace(FAST, tile=(16, 16), hardware=Hardware("cpu", "f32"))
PLACES = 4


class Away(WorkersAway, BrokenExecutor):
    """What a cluster raises whose scheduler does not answer."""


class Held(Executor):
    """Workers that do nothing until they are told to: `scales` says whose tiles came, in their order."""

    def __init__(self) -> None:
        self.scales: list[int] = []
        self.away: Away | None = None
        self._jobs: list[tuple[Future[Any], Callable[[], Any]]] = []
        self._lock = threading.Lock()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        if self.away:
            raise self.away
        future: Future[T] = Future()
        with self._lock:
            self.scales.append(args[1])
            self._jobs.append((future, partial(fn, *args, **kwargs)))
        return future

    @property
    def waiting(self) -> int:
        """Tiles that are there to be made, without those that were cancelled."""
        with self._lock:
            return sum(not future.cancelled() for future, _ in self._jobs)

    def work(self, error: Exception | None = None) -> None:
        """Make the tile that has waited longest, or fail to."""
        with self._lock:
            future, job = self._jobs.pop(0)
        if future.set_running_or_notify_cancel():
            future.set_exception(error) if error else future.set_result(job())


class Engine(Bench):
    """The parts with the real upscaler, which hands its tiles to `workers`."""

    workers: Executor

    def another_queue(self) -> Queue:
        return self.queue_for(
            lambda *order, **more: upscale(*order, workers=self.workers, ahead=PLACES, **more),
            SMALL_TILES,
            places=lambda: PLACES,
        )

    def result(self, task_id: str) -> np.ndarray:
        key, name = self.state(task_id)["image_url"].split("/")[-2:]
        with Image.open(self.files.path(key, name)) as image:
            return np.asarray(image)

    def alone(self, source: str) -> np.ndarray:
        """What the same order comes to when it is the only one, and each tile is made at once."""
        self.workers = Inline()
        task_id = self.order(image_url=source)
        assert self.another_queue().work_next()
        return self.result(task_id)

    def states(self, *task_ids: str) -> list[str]:
        return [self.state(task_id)["status"] for task_id in task_ids]


@pytest.fixture
def engine(tmp_path: Path, decoder: Decoder) -> Iterator[Engine]:
    engine = Engine(tmp_path, decoder)
    engine.workers = Held()
    yield engine
    engine.queue.stop()
    assert [] == list((tmp_path / "files" / "incoming").iterdir())
    engine.database.close()


@contextmanager
def working(engine: Engine) -> Iterator[Held]:
    assert isinstance(engine.workers, Held)
    engine.queue.start()
    yield engine.workers
    engine.queue.stop()


def test_small_tasks_are_under_way_at_once(engine: Engine) -> None:
    """While places are free the next task begins, as many as there are places; each result is that of a task alone."""
    sources = [engine.store(gradient(16, side)) for side in (16, 15, 14, 13, 12)]
    several = [engine.order(image_url=source) for source in sources]
    with working(engine) as held:
        wait_for(lambda: held.waiting == PLACES)
        assert ["processing"] * PLACES + ["pending"] == engine.states(*several)
        for _ in several:
            wait_for(lambda: held.waiting)
            held.work()
        wait_for(lambda: engine.states(*several) == ["finished"] * len(several))
    for source, task_id in zip(sources, several, strict=True):
        assert np.array_equal(engine.alone(source), engine.result(task_id))


def test_a_large_task_has_the_places_until_its_last_tiles(engine: Engine) -> None:
    """All tiles of a large picture are handed over before any of the next one, which begins beside the last of them."""
    large = engine.order(type="2x", image_url=engine.store(gradient(60, 60)))
    small = engine.order(type="4x")
    with working(engine) as held:
        for left in range(16, 0, -1):
            wait_for(lambda: held.waiting)
            if left >= PLACES:
                assert ["processing", "pending"] == engine.states(large, small)
            else:
                wait_for(lambda: 4 in held.scales)
            held.work()
        held.work()
        wait_for(lambda: engine.states(large, small) == ["finished"] * 2)
    assert [2] * 16 + [4] == held.scales


def test_a_stop_of_one_leaves_the_other(engine: Engine) -> None:
    """Of two tasks under way the first is cancelled: it fails, its tile is not made, and the other one finishes."""
    first, second = engine.order(type="2x"), engine.order(type="4x")
    before = engine.stored_keys()
    with working(engine) as held:
        wait_for(lambda: held.waiting == 2)
        engine.queue.cancel(first, owner=ME)
        wait_for(lambda: held.waiting == 1)
        assert ["failed", "processing"] == engine.states(first, second)
        held.work()
        held.work()
        wait_for(lambda: engine.states(second) == ["finished"])
    assert before | {engine.row(second).result_key} == engine.stored_keys()


def test_a_failure_of_one_leaves_the_other(engine: Engine) -> None:
    """Of two tasks under way the first has a tile that cannot be made: it alone fails, with a sentence."""
    first, second = engine.order(), engine.order()
    with working(engine) as held:
        wait_for(lambda: held.waiting == 2)
        held.work(ZeroDivisionError())
        held.work()
        wait_for(lambda: engine.states(first, second) == ["failed", "finished"])
    assert "unexpected problem" in engine.state(first)["error"]


def test_workers_that_are_away_fail_none_of_several(engine: Engine) -> None:
    """When the workers are away under two tasks, both are done again, each once, when they are back."""
    both = engine.order(), engine.order()
    with working(engine) as held:
        wait_for(lambda: held.waiting == 2)
        held.away = Away("No scheduler answers.")
        held.work(held.away)
        held.work(held.away)
        wait_for(lambda: engine.queue._loop.failures_in_a_row)
        assert ["processing"] * 2 == engine.states(*both)
        held.away = None
        for _ in both:
            wait_for(lambda: held.waiting)
            held.work()
        wait_for(lambda: engine.states(*both) == ["finished"] * 2)
        assert not engine.queue.is_failing


def test_speed_is_that_of_the_engine(bench: Bench) -> None:
    """Two tasks that share the time have half of it each, so neither of them makes the engine look slow."""
    first, second = bench.order(), bench.order()
    bench.places = 2

    def work(step: int) -> None:
        bench.clock.now += 1
        if step == 4 and bench.enlarge.runs == 1:
            bench.queue.work_next()

    bench.enlarge.at_step = work
    assert bench.queue.work_next()
    assert (7.5, 2.5) == (bench.row(first).seconds, bench.row(second).seconds)
