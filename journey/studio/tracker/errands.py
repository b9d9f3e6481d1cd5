"""Work handed to threads under a name: each name at most once at a time, and after a failure only a little later."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, wait

log = logging.getLogger(__name__)

_STUMBLE_SECONDS = 5.0


class Errands:
    """What is under way. `on_done` is called after each piece of work, on its thread."""

    def __init__(self, executor: Executor, *, on_done: Callable[[], object], clock: Callable[[], float]) -> None:
        self._executor = executor
        self._on_done = on_done
        self._clock = clock
        self._under_way: dict[str, Future[bool]] = {}
        self._not_before: dict[str, float] = {}
        self._is_closed = False

    def hand_out(self, name: str, work: Callable[[], None]) -> None:
        """Run `work` on another thread, unless the same work is still under way or has just failed."""
        if not self.takes(name):
            return
        self._under_way[name] = future = self._executor.submit(self.run, name, work)
        # Called once the future is done: before that, the next step would still find it under way.
        future.add_done_callback(lambda _: self._on_done())

    def run(self, name: str, work: Callable[[], None]) -> bool:
        """Run `work` on this thread. False when it failed, which is logged."""
        try:
            work()
        except Exception:
            log.exception("the tracker could not %s", name)
            self._not_before[name] = self._clock() + _STUMBLE_SECONDS
            return False
        self._not_before.pop(name, None)
        return True

    def takes(self, name: str) -> bool:
        """True when work of this name could begin now."""
        return not (name in self._under_way or self._is_closed or self._not_before.get(name, 0.0) > self._clock())

    def count(self, kind: str) -> int:
        """How many are under way whose names begin with `kind`."""
        return sum(name.startswith(f"{kind} ") and not future.done() for name, future in self._under_way.items())

    def sweep(self) -> None:
        """Forget what is done."""
        self._under_way = {name: future for name, future in self._under_way.items() if not future.done()}

    def forgive(self) -> None:
        """Forget what has failed: it may be tried again at once."""
        self._not_before.clear()

    def stop(self, timeout: float) -> None:
        """Hand out nothing more, and wait up to `timeout` seconds for what has begun."""
        self._is_closed = True
        deadline = time.monotonic() + timeout
        self._executor.shutdown(wait=False, cancel_futures=True)
        # A call under way may have been accepted: its answer is worth waiting for.
        begun = [future for future in list(self._under_way.values()) if not future.cancelled()]
        wait(begun, timeout=max(0.0, deadline - time.monotonic()))
