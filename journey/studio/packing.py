"""Keeps results in fewer bytes: packs their files anew, one at a time, while nobody needs this machine.

How far it has come is noted beside the pictures, as the place of the last result that was tried. So finding the next
one costs the same however many there are, none is tried twice, and another process goes on from there. A crash between
the new file and that note leaves a whole file, which is then tried once more and found small enough.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Protocol

from journey.background import Loop
from journey.errors import FileMissing, PictureRefused, Stopped
from journey.history.results import Kept, next_result, note_bytes
from journey.pictures.checking import Decoder
from journey.pictures.previews import PREVIEW
from journey.pictures.repacking import STOP
from journey.storage.database import Transactions
from journey.storage.files import Files

log = logging.getLogger(__name__)

SETTLED_SECONDS = 600.0
"""How old a result has to be. Whoever waited for it has it by then, and no clock of another process is so far behind
that one could still end before this."""
BUSY_SECONDS = 5.0
IDLE_SECONDS = 600.0
_WATCH_SECONDS = 0.2
_UNTIL = "packed-until"


class Other(Protocol):
    """Somebody else who works on this machine."""

    @property
    def is_busy(self) -> bool: ...


class Packing:
    """Packs results anew. While one of `others` is busy it rests, and drops at once what is under way."""

    def __init__(
        self,
        database: Transactions,
        files: Files,
        decoder: Decoder,
        others: Sequence[Other],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._files = files
        self._decoder = decoder
        self._others = others
        self._clock = clock
        self._loop = Loop("packing", self.step)

    def start(self) -> None:
        """Begin, in the process that works the queues."""
        self._loop.start()

    @property
    def is_at_work(self) -> bool:
        """True between `start` and `stop`."""
        return self._loop.is_alive

    def stop(self) -> None:
        """Drop what is under way. Idempotent."""
        self._loop.stop()

    def step(self) -> float:
        """Try the next result, if the machine is idle. Returns the seconds until the next step."""
        if self._is_busy():
            return BUSY_SECONDS
        try:
            kept = next_result(self._database, after=self._until(), before=self._clock() - SETTLED_SECONDS)
            if kept is None:
                return IDLE_SECONDS
            self._try(kept)
            if not self._loop.is_stopping:  # else it may have ended for that reason
                self._files.note(_UNTIL, json.dumps([kept.ended_at, kept.id]))
        except Stopped:
            return BUSY_SECONDS
        except OSError as error:
            log.info("results stay as they are for now: %s", error.strerror or type(error).__name__)
            return IDLE_SECONDS
        return 0.0

    def _is_busy(self) -> bool:
        return any(other.is_busy for other in self._others)

    def _until(self) -> tuple[float, str]:
        try:
            at, entry_id = json.loads(self._files.noted(_UNTIL) or "")
            return float(at), str(entry_id)
        except (TypeError, ValueError):
            return 0.0, ""  # nothing was noted, or it was damaged: what is small already is soon passed over

    def _try(self, kept: Kept) -> None:
        """Put a smaller file in the place of a result. Raises Stopped or OSError when it is to be tried again."""
        key, name = kept.file.key, kept.file.file
        if not name.endswith(".png"):
            return
        was_near = self._files.nearby(key, name) is not None
        try:
            path = self._files.path(key, name)
            with self._files.scratch() as scratch:
                if self._repacked(path, scratch / name):
                    # Beside its preview: it is not to come back if it is being removed.
                    self._files.add(key, scratch / name, beside=PREVIEW)
            note_bytes(self._database, kept.file, path.stat().st_size)
        except (FileMissing, FileNotFoundError):
            pass  # it was removed
        except PictureRefused as error:
            log.info("a result stays as it is: %s", error)
        except ValueError:
            log.exception("a result stays as it is")
        finally:
            if not was_near:
                self._files.let_go(key)

    def _repacked(self, path: Path, target: Path) -> bool:
        with ThreadPoolExecutor(1, "packing") as one:
            job = one.submit(self._decoder.repack, path, target)
            while not wait([job], _WATCH_SECONDS).done:
                if self._loop.is_stopping or self._is_busy():
                    target.with_name(STOP).touch()
        is_smaller = job.result()
        if self._is_busy():  # whoever has begun to read the file finds it unchanged at the end
            raise Stopped("There is other work.")
        return is_smaller
