"""Those whose turn it is: asked for many at once, and given out one at a time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

from journey.history import Entry

ASKED_FOR = 32
"""Entries in one question: a third of a second's work of a queue that is drained as fast as can be."""


class Line:
    """Entries that wait, first come first. Safe to share between threads.

    `ask` gives up to so many that are due, and `takes` tells which of them can begin now. An entry that was taken is
    given to nobody else until it is `done`. It may have changed since it was asked for: whoever takes it looks again.
    """

    def __init__(self, ask: Callable[[int], Sequence[Entry]], takes: Callable[[Entry], bool]) -> None:
        self._ask = ask
        self._takes = takes
        self._waiting: deque[Entry] = deque()
        self._taken: set[str] = set()
        self._is_more = True
        self._guard = threading.Lock()

    def fill(self) -> int:
        """Ask who comes next, unless that is known. Returns how many wait. Raises what the question raises."""
        with self._guard:
            self._fill()
            return len(self._waiting)

    def take(self) -> Entry | None:
        """The next one; None when nobody waits, as far as the last question knew."""
        with self._guard:
            if self._is_more:
                self._fill()
            if not self._waiting:
                return None
            entry = self._waiting.popleft()
            self._taken.add(entry.id)
            return entry

    def done(self, entry: Entry) -> None:
        """It may be given out again, if it is due again."""
        with self._guard:
            self._taken.discard(entry.id)

    def clear(self) -> None:
        """Forget who waits: by the time it goes on, others may come first."""
        with self._guard:
            self._waiting.clear()

    def _fill(self) -> None:
        if not self._waiting:
            most = ASKED_FOR + len(self._taken)
            due = self._ask(most)
            self._is_more = len(due) == most
            self._waiting.extend(entry for entry in due if entry.id not in self._taken and self._takes(entry))
