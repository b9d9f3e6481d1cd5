"""Providers that are left alone for a while, because they cannot be reached or have asked for that."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from journey.api.errors import RateLimited
from journey.errors import JourneyError
from journey.provider import Provider


@dataclass(frozen=True)
class _Hold:
    until: float = 0.0
    failures: int = 0


class Holds:
    """Until when each provider is left alone, for one kind of call. Safe to share between threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._holds: dict[Provider, _Hold] = {}
        self._holding = threading.Lock()

    def has(self, provider: Provider) -> bool:
        return self._of(provider).until > self._clock()

    def begin(self, provider: Provider, error: JourneyError) -> float:
        """Leave the whole provider alone: the next call would fail in the same way. Returns until when.

        As long as it asked for, else longer each time in a row.
        """
        asked = error.retry_after if isinstance(error, RateLimited) else None
        with self._holding:
            now, hold = self._clock(), self._of(provider)
            if hold.until > now:  # another call made at the same time has already set it
                hold = _Hold(max(hold.until, now + (asked or 0.0)), hold.failures)
            else:
                failures = hold.failures + 1
                hold = _Hold(now + (asked or backoff(failures)), failures)
            self._holds[provider] = hold
        return hold.until

    def end(self, provider: Provider) -> None:
        """A call went through."""
        self._holds.pop(provider, None)

    def end_all(self) -> None:
        self._holds.clear()

    def _of(self, provider: Provider) -> _Hold:
        return self._holds.get(provider, _Hold())


def backoff(attempts: int) -> float:
    """Seconds before another try: 2, doubling up to 300."""
    return min(300.0, 2.0 ** min(attempts, 9))
