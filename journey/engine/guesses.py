"""Wrong keys, slowed down: right ones are never kept waiting, whoever else is guessing."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

FREE_A_MINUTE = 10
"""Wrong keys that are answered at once: people mistype, and programs keep an old one for a while."""
PAUSE_SECONDS = 2.0
WAITING_LIMIT = 32
"""Wrong keys that wait for their answer at the same time. All others are told to come back later."""


class Guesses:
    """Counts wrong keys, of everybody together: behind a proxy all callers have one address."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._recent: deque[float] = deque(maxlen=FREE_A_MINUTE)
        self._waiting = 0

    async def note(self) -> bool:
        """A wrong key has come. Returns when it may be answered; False when too many wait for that already."""
        is_many = len(self._recent) == FREE_A_MINUTE and self._clock() - self._recent[0] < 60
        self._recent.append(self._clock())
        if not is_many:
            return True
        if self._waiting >= WAITING_LIMIT:
            return False
        self._waiting += 1
        try:
            await self._sleep(PAUSE_SECONDS)
        finally:
            self._waiting -= 1
        return True
