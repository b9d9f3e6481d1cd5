"""Holds the worker lock of a database, or takes it when it is free, and does the work that comes with it.

The process that holds it works the queues, feeds batches and removes what is too old. The others serve pages and
routes.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from journey.background import Loop
from journey.history import History
from journey.history.spending import month_start
from journey.pictures.tiles import Tiles
from journey.storage.database import WorkerLock
from journey.studio.batches.store import Batches
from journey.studio.removal import Removal
from journey.studio.sweeping import Sweeping

LOCK_SECONDS = 2.0
"""How often a process without the worker lock tries to take over."""


class Upkeep:
    """Looks after the worker lock, and keeps everything in order while this process holds it.

    `work` starts work on the queues and `rest` ends it. `keep_days` is the age at which files are removed; None means
    never. With `has_budget`, pauses of paid providers end with the month, so that a used-up budget does not last.
    """

    def __init__(
        self,
        lock: WorkerLock,
        history: History,
        batches: Batches,
        tiles: Tiles,
        removal: Removal,
        *,
        work: Callable[[], object],
        rest: Callable[[], object],
        keep_days: int | None,
        has_budget: bool,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._lock = lock
        self._history = history
        self._batches = batches
        self._work = work
        self._rest = rest
        self._sweeping = Sweeping(removal, tiles=tiles, keep_days=keep_days, clock=clock)
        self._has_budget = has_budget
        self._clock = clock
        self.is_worker = False
        self._loop = Loop("upkeep", self._step)
        index = history.lists.index
        self._indexing = Loop("search index", index.step, prepare=index.prepare)

    def start(self) -> None:
        """Take the lock if it is free, before anything else happens, and look after it from now on."""
        self._take_over()
        self._loop.start()

    def stop(self) -> None:
        """Stop working, and release the lock. Idempotent."""
        self._loop.stop(LOCK_SECONDS + 1)
        self._end_work()
        self._lock.release()

    def _step(self) -> float:
        if self.is_worker and not self._lock.still_held():
            self._end_work()  # another process may work the queues now
        self._take_over()
        if self.is_worker:
            self._begin_month()
            self._batches.feed()
            return min(LOCK_SECONDS, self._sweeping.step())
        return LOCK_SECONDS

    def _take_over(self) -> None:
        if not self.is_worker and self._lock.acquire():
            self._work()
            self._indexing.start()
            self.is_worker = True

    def _end_work(self) -> None:
        if self.is_worker:
            self.is_worker = False
            self._indexing.stop()
            self._rest()

    def _begin_month(self) -> None:
        """End the pauses of last month, if there is a budget. What was paused for another reason pauses again."""
        if self._has_budget:
            for provider in self._history.pauses.begun_before(month_start(self._clock())):
                if provider.is_paid:
                    self._history.pauses.end(provider)
