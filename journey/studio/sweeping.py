"""Removes what is too old, once an hour, and tiles that nobody looks at, once a day: a little at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from journey.errors import counted
from journey.pictures.tiles import Tiles
from journey.studio.removal import Removal

EVERY_SECONDS = 3600.0
PAUSE_SECONDS = 0.05
"""At least, between two pieces: for others, who may be waiting for the database."""

SHARE = 0.1
"""Of a processor, at most: with a million entries there is much to go through, and nobody waits for it."""

TILES_SECONDS = 7 * 86_400.0
"""How long tiles are kept that nobody looks at: they are a fifth of what a picture takes, and are soon made again."""
_OVER = object()


class Sweeping:
    """A sweep that is under way, or the time of the last one. `keep_days` is the age at which pictures are removed."""

    def __init__(
        self,
        removal: Removal,
        *,
        tiles: Tiles | None = None,
        keep_days: int | None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._removal = removal
        self._tiles = tiles
        self._keep_days = keep_days
        self._clock = clock
        self._under_way: Iterator[object] | None = None
        self._ended_at: float | None = None

    def step(self) -> float:
        """Do one piece, if it is time for that. Returns the seconds until the next one."""
        now = time.monotonic()
        if self._under_way is None:
            if self._ended_at is not None and now - self._ended_at < EVERY_SECONDS:
                return EVERY_SECONDS - (now - self._ended_at)
            self._under_way = self._begin()
        # A sweep that fails is over, and the next step begins another.
        sweep, self._under_way = self._under_way, None
        if next(sweep, _OVER) is _OVER:
            self._ended_at = now
            return EVERY_SECONDS
        self._under_way = sweep
        took = time.monotonic() - now
        return max(PAUSE_SECONDS, took / SHARE - took)

    def _begin(self) -> Iterator[object]:
        now, days = self._clock(), self._keep_days
        before = None if days is None else now - days * 86_400
        yield from self._removal.sweep(before, note=f"The result was removed after {counted(days or 0, 'day')}.")
        if self._tiles and self._tiles.sweep_is_due(now):
            keys: set[str] = set()
            for keys in self._removal.pictures_before(now - TILES_SECONDS):
                self._tiles.drop_unseen(keys, since=now - TILES_SECONDS)
                yield None
            if keys:  # with nothing to go through, there is nothing to spare the next time
                self._tiles.note_sweep(now)
