"""How much room the stored pictures take."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import fsspec

log = logging.getLogger(__name__)

FRESH_SECONDS = 15 * 60.0
"""How long a count is good for: counting a hundred thousand pictures takes seconds."""


@dataclass(frozen=True)
class Counted:
    """Bytes of all files, and when they were counted (seconds since 1970)."""

    size: int
    at: float


class DiskUse:
    """The size of a folder, or of object storage by its fsspec address. Counted in the background; nobody waits."""

    def __init__(self, url: str, *, clock: Callable[[], float] = time.time) -> None:
        self._url = url
        self._clock = clock
        self._counted: Counted | None = None
        self._counting = threading.Lock()

    def look(self) -> Counted | None:
        """The last count, or None before the first; begins another one when that is too old."""
        known = self._counted
        if (known is None or self._clock() - known.at > FRESH_SECONDS) and self._counting.acquire(blocking=False):
            threading.Thread(target=self._count, name="disk-use", daemon=True).start()
        return known

    def _count(self) -> None:
        try:
            self._counted = Counted(_size(self._url), self._clock())
        except Exception:
            log.exception("the size of the stored pictures")
        finally:
            self._counting.release()


def _size(url: str) -> int:
    storage, root = fsspec.core.url_to_fs(url)
    if "local" not in storage.protocol:
        return int(storage.du(root))
    total = 0
    for folder, _, names in os.walk(root):
        for name in names:
            with suppress(FileNotFoundError):  # deleted meanwhile
                total += (Path(folder) / name).stat().st_size
    return total
