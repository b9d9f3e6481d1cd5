"""Turns at something that only a few can use at once, fair between those who ask."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Each asker has one place at a time, and askers take turns: many questions of one delay nobody else's."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: dict[str, deque[object]] = {}
        self._served: set[str] = set()
        self._changed = threading.Condition()

    @contextmanager
    def turn(self, asker: str) -> Iterator[None]:
        """Wait for a place, and have it until the end of the block."""
        ticket = object()
        with self._changed:
            self._waiting.setdefault(asker, deque()).append(ticket)
            self._changed.wait_for(lambda: self._is_next(asker, ticket))
            self._waiting[asker].popleft()
            self._free -= 1
            self._served.add(asker)
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._served.remove(asker)
                queue = self._waiting.pop(asker)
                if queue:
                    self._waiting[asker] = queue  # behind all others
                self._changed.notify_all()

    def _is_next(self, asker: str, ticket: object) -> bool:
        first = next((each for each, queue in self._waiting.items() if queue and each not in self._served), None)
        return self._free > 0 and asker == first and self._waiting[asker][0] is ticket
