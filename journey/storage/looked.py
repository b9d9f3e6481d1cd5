"""When pictures were last looked at that nobody may have queued: noted beside the pictures, for all processes.

A picture is noted before it is stored, so that a crash leaves none behind that nobody knows of. Print files are noted
as well: they are made to be fetched within a day.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from pathlib import Path

from journey.background import Latest
from journey.storage.files import asking, storage_at
from journey.storage.stored import KEY

LOOK_SECONDS = 24 * 3600.0
"""How long a look keeps a picture."""
_AGAIN_SECONDS = 3600.0
"""How often a tab that goes on showing a picture has that noted: less than it costs, far more often than needed."""
_REMEMBERED = 10_000


class Looked:
    """The notes, in a folder of this folder or storage. Methods raise OSError when it cannot be reached."""

    def __init__(self, place: str | Path, *, clock: Callable[[], float] = time.time) -> None:
        self._storage, root = storage_at(place)
        self._is_local = "local" in self._storage.protocol
        self._folder = f"{root.rstrip('/')}/looks"
        self._clock = clock
        self._noted: Latest[str, float] = Latest(_REMEMBERED)

    def note(self, keys: Iterable[str]) -> None:
        """Somebody looks at these now."""
        now = self._clock()
        for key in {key for key in keys if KEY.fullmatch(key)}:
            if 0 <= now - self._noted.get(key, 0.0) < _AGAIN_SECONDS:
                continue
            if self._is_local:
                Path(self._folder).mkdir(parents=True, exist_ok=True)
            with asking():
                self._storage.pipe_file(f"{self._folder}/{key}", repr(now).encode())
            self._noted[key] = now

    def recent(self, keys: Collection[str]) -> set[str]:
        """Those of these that were looked at within a day."""
        since = self._clock() - LOOK_SECONDS
        return {key for key in self._names() & set(keys) if (at := self._at(key)) is not None and at >= since}

    def old(self) -> set[str]:
        """What was last looked at more than a day ago."""
        since = self._clock() - LOOK_SECONDS
        return {key for key in self._names() if (at := self._at(key)) is not None and at < since}

    def forget(self, keys: Iterable[str]) -> None:
        """These are gone, or something else looks after them now."""
        for key in keys:
            self._noted.pop(key, None)
            with suppress(FileNotFoundError), asking():
                self._storage.rm_file(f"{self._folder}/{key}")

    def adopt(self, folder: Path) -> None:
        """Note the print files of earlier versions, which kept a record of them in this folder."""
        for mark in folder.iterdir() if folder.is_dir() else ():
            self.note([mark.name])
            mark.unlink(missing_ok=True)

    def _names(self) -> set[str]:
        try:
            with asking():
                listed = self._storage.ls(self._folder, detail=False)
        except FileNotFoundError:
            return set()
        return {name for path in listed if KEY.fullmatch(name := str(path).rsplit("/", 1)[-1])}

    def _at(self, key: str) -> float | None:
        try:
            with asking():
                return float(self._storage.cat_file(f"{self._folder}/{key}"))
        except FileNotFoundError:
            return None
        except ValueError:
            return self._clock()  # it is being written right now
