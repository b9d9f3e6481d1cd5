"""What goes on behind the pages: a value that is kept fresh, a few that are remembered, a loop that survives errors."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")

LONGEST_PAUSE = 30.0


class Latest(dict[K, V]):
    """Remembers at most `most` values, of all threads: the one that was set longest ago makes room for a new one."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most
        self._setting = threading.Lock()

    def __setitem__(self, key: K, value: V) -> None:
        with self._setting:
            self.pop(key, None)
            super().__setitem__(key, value)
            while len(self) > self._most:
                del self[next(iter(self))]


class Fresh(Generic[T]):
    """A value that takes a while to find out, asked for in the background so that nobody waits for it.

    `ask` may fail: the last value then stays, and `ask` is tried again `seconds` later. `run` hands the question to a
    thread.
    """

    def __init__(
        self,
        name: str,
        ask: Callable[[], T],
        *,
        seconds: float,
        clock: Callable[[], float] = time.time,
        run: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        self._name = name
        self._ask = ask
        self._seconds = seconds
        self._clock = clock
        self._run = run or (lambda work: threading.Thread(target=work, name=name, daemon=True).start())
        self._asking = threading.Lock()
        self._asked_at: float | None = None
        self._known: T | None = None
        self.told_at: float | None = None
        """When the value was last found out, in seconds since 1970; None while it is not known."""

    def look(self) -> T | None:
        """The last value, or None before the first. If it is too old, a new one is asked for in the background."""
        known, asked_at = self._known, self._asked_at
        # A clock that was set back makes it old as well.
        is_old = asked_at is None or not 0 <= self._clock() - asked_at <= self._seconds
        if is_old and self._asking.acquire(blocking=False):
            self._asked_at = self._clock()
            try:
                self._run(self._find_out)
            except RuntimeError as error:  # there is no thread left
                self._asking.release()
                log.warning("%s: cannot be asked for (%s)", self._name, error)
        return known

    def _find_out(self) -> None:
        try:
            self._known = self._ask()
            self.told_at = self._clock()
        except Exception as error:
            log.info("%s: not known (%s)", self._name, type(error).__name__, exc_info=True)
        finally:
            self._asking.release()


class Loop:
    """A step that is run again and again, on a thread of its own.

    `step` does what is due and returns the seconds until it should run again; `wake` runs it at once. A step
    that fails is logged, and tried again after 2 seconds, then 4, up to 30. `prepare` runs first, on that thread.
    """

    def __init__(self, name: str, step: Callable[[], float], *, prepare: Callable[[], object] = lambda: None) -> None:
        self._name = name
        self._step = step
        self._prepare = prepare
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.failures_in_a_row = 0
        self.trouble: Exception | None = None
        """What the last step failed of."""

    def start(self) -> None:
        """Begin, or go on after a stop. A second call changes nothing."""
        if self.is_alive:
            return
        self._stopping.clear()
        self._thread = threading.Thread(target=self._go_on, name=self._name, daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Begin no further step, and wait up to `timeout` seconds for the one under way. Idempotent."""
        self._stopping.set()
        self._wanted.set()
        if self._thread:
            self._thread.join(timeout)
            if not self._thread.is_alive():
                self._thread = None

    def wake(self) -> None:
        """Run the step at once: there is something to do."""
        self._wanted.set()

    def rest(self, seconds: float) -> bool:
        """Wait on any thread for `seconds`, or until the loop is stopped. True when it is being stopped."""
        return self._stopping.wait(seconds)

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    @property
    def is_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    @property
    def is_failing(self) -> bool:
        """True when it is not running, or has failed three times in a row."""
        return not self.is_alive or self.failures_in_a_row >= 3

    def _go_on(self) -> None:
        self._prepare()
        while not self._stopping.is_set():
            self._wanted.clear()
            try:
                pause = self._step()
                self.failures_in_a_row, self.trouble = 0, None
            except Exception as error:
                self.failures_in_a_row, self.trouble = self.failures_in_a_row + 1, error
                log.exception("%s stumbled", self._name)
                self._stopping.wait(pause_after(self.failures_in_a_row))
                continue
            if pause > 0:
                self._wanted.wait(pause)


def pause_after(failures: int) -> float:
    """Seconds before a step that has failed this many times in a row is tried again: 2, 4, … 30."""
    return min(LONGEST_PAUSE, 2.0 ** min(failures, 5))
