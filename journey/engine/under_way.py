"""The tasks that are worked on at this moment: whether there are places for the tiles of another, and whose time it is.

Tiles of one task fill the workers until few are left. Then the next task is begun, so that no worker waits while the
last tiles are made and the result is written.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class _Share:
    """What one task has: tiles that are left, unknown until its picture was read, and seconds."""

    tiles: float = math.inf
    seconds: float = 0.0


class UnderWay:
    """Told by several threads how far each task is. `places` is how many tiles keep all workers busy, at this moment.

    Memory stays that of one large picture: a task has the places alone until the last of its tiles is at the workers.
    """

    def __init__(self, places: Callable[[], int], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._places = places
        self._clock = clock
        self._lock = threading.Lock()
        self._shares: dict[str, _Share] = {}
        self._shared_at = clock()

    @property
    def task_ids(self) -> frozenset[str]:
        with self._lock:
            return frozenset(self._shares)

    @property
    def has_room(self) -> bool:
        """True when another task may begin. One without tiles still counts, because it holds what it writes."""
        with self._lock:
            tiles = sum(max(1, share.tiles) for share in self._shares.values())
        return not tiles or tiles < self._places()

    def begin(self, task_id: str) -> None:
        with self._lock:
            self._share_time()
            self._shares[task_id] = _Share()

    def leave(self, task_id: str, tiles: int) -> bool:
        """So many tiles of the task are left. True when that is news."""
        with self._lock:
            share = self._shares[task_id]
            is_news = share.tiles != tiles
            share.tiles = tiles
        return is_news

    def seconds(self, task_id: str) -> float:
        """The task's part of the time: all of it while it was alone, half of it while there were two.

        So the seconds of all tasks are those that the engine worked, and speeds from them are the engine's.
        """
        with self._lock:
            self._share_time()
            return self._shares[task_id].seconds

    def end(self, task_id: str) -> None:
        with self._lock:
            self._share_time()
            del self._shares[task_id]

    def _share_time(self) -> None:
        now = self._clock()
        for share in self._shares.values():
            share.seconds += (now - self._shared_at) / len(self._shares)
        self._shared_at = now
