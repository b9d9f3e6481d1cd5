"""Stored pictures as tiles, so that any part of a large one can be seen without sending the whole.

Tiles are made when somebody looks, in a process that takes only the processor time that nobody else wants. They are
kept beside the picture, in the file that `pyramid` describes, for as long as people come back to it.
"""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Iterable
from contextlib import suppress
from typing import BinaryIO

from journey.background import Loop
from journey.errors import FileMissing, JourneyError
from journey.pictures.checking import Decoder
from journey.pictures.pyramid import Directory, Pyramid, read_directory, tile_name, version_of, write
from journey.storage.files import Files

log = logging.getLogger(__name__)
TILES = "tiles.zip"
RETRY_SECONDS = 60.0
"""How long to leave a picture alone after its tiles could not be made."""
WAITING_LIMIT = 100
"""How many pictures may wait. Beyond that, the one that was looked at the longest ago is forgotten."""
_REMEMBERED = 200
_IDLE_SECONDS = 60.0
_SEEN_SECONDS = 86_400.0
"""How often a look is noted, as the time of the file of tiles."""
_SWEPT = "tiles-swept"
_SWEEP_SECONDS = 86_400.0
NO_TILE = "There is no such tile."


def seconds_for(pixels: int) -> int:
    """The processor time that the tiles of a picture may take.

    A megapixel takes 0.04 s, and 0.33 s where all of it is transparent noise; six times that is for slower machines.
    """
    return 60 + math.ceil(2 * pixels / 1e6)


class Tiles:
    """Makes tiles, one picture at a time, and reads them. Everything here may be called from any thread."""

    def __init__(self, files: Files, decoder: Decoder) -> None:
        """`decoder` is for this work, and for what may be dropped when a picture is looked at."""
        self._files = files
        self.decoder = decoder
        self._waiting: deque[tuple[str, str]] = deque(maxlen=WAITING_LIMIT)
        self._at_work: tuple[str, str] | None = None
        self._failed: OrderedDict[str, tuple[float, str]] = OrderedDict()
        self._directories: OrderedDict[str, Directory] = OrderedDict()
        self._changed = threading.Condition()
        self._fetching = threading.Lock()
        self._is_closed = False
        self._loop = Loop("tiles", self._step)

    def look(self, key: str, file: str) -> Pyramid | None:
        """The tiles of a stored picture, if they are ready. If not, None, and they are made before all others."""
        path = self._files.nearby(key, TILES)
        if path is not None:
            with suppress(FileNotFoundError), path.open("rb") as content:
                if time.time() - path.stat().st_mtime > _SEEN_SECONDS:
                    path.touch()
                return self._directory(key, content).pyramid
        self._order(key, file)
        return None

    def sweep_is_due(self, now: float) -> bool:
        """Whether tiles are to be looked for that nobody looks at: once a day, for all processes together.

        Never in object storage, where nobody knows when they were looked at. `now` is in seconds since 1970.
        """
        if not self._files.is_local:
            return False
        try:
            return not 0 <= now - float(self._files.noted(_SWEPT) or "-inf") < _SWEEP_SECONDS
        except ValueError:
            return True  # the note was damaged

    def note_sweep(self, now: float) -> None:
        """All of them were looked through, beginning at this time."""
        self._files.note(_SWEPT, str(now))

    def drop_unseen(self, keys: Iterable[str], *, since: float) -> None:
        """Remove the tiles of these pictures that nobody has looked at since then, in seconds since 1970.

        The next look makes them again.
        """
        for key in keys:
            if path := self._files.nearby(key, TILES):
                # Somebody may have removed them in the meantime, or be reading them on Windows.
                with suppress(OSError):
                    if path.stat().st_mtime < since:
                        path.unlink()

    def problem(self, key: str) -> str | None:
        """Why no tiles could be made of this picture, as a sentence; None while they may still come."""
        with self._changed:
            failed = self._failed.get(key)
        return failed[1] if failed else None

    def tile(self, key: str, level: int, column: int, row: int) -> tuple[bytes, str]:
        """One encoded tile and its file extension, `.jpg` or `.png`. Raises FileMissing."""
        path = self._files.nearby(key, TILES)
        if path is None:
            with self._fetching:  # when many ask at once, the first fetches the file for all
                path = self._files.path(key, TILES)
        with suppress(FileNotFoundError), path.open("rb") as content:
            places = self._directory(key, content).places
            for extension in (".jpg", ".png"):
                if place := places.get(tile_name(level, column, row) + extension):
                    content.seek(place[0])
                    return content.read(place[1]), extension
        raise FileMissing(NO_TILE)

    @property
    def is_busy(self) -> bool:
        """True while tiles are being made, or are to be."""
        return bool(self._waiting) or self._at_work is not None

    def wait(self, timeout: float) -> None:
        """Wait until nothing is waiting or under way. Raises TimeoutError after `timeout` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: not self._waiting and self._at_work is None, timeout):
                raise TimeoutError

    def stop(self) -> None:
        """End the work and forget what is waiting. Nothing can be ordered afterwards. Idempotent."""
        with self._changed:
            self._is_closed = True
            self._waiting.clear()
            self._changed.notify_all()
        while True:
            self.decoder.stop()  # repeatedly, in case the work was just starting its processes
            self._loop.stop(0.1)
            if not self._loop.is_alive:
                return

    def _order(self, key: str, file: str) -> None:
        wanted = (key, file)
        with self._changed:
            failed = self._failed.get(key)
            left_alone = failed is not None and time.monotonic() - failed[0] < RETRY_SECONDS
            if self._is_closed or left_alone or wanted == self._at_work:
                return
            if wanted in self._waiting:
                if self._waiting[0] == wanted:
                    return
                self._waiting.remove(wanted)
            self._waiting.appendleft(wanted)
            self._loop.start()
            self._loop.wake()

    def _step(self) -> float:
        with self._changed:
            if not self._waiting:
                return _IDLE_SECONDS
            key, file = self._at_work = self._waiting.popleft()
        problem = self._attempt(key, file)
        with self._changed:
            self._at_work = None
            self._failed.pop(key, None)
            if problem is not None:
                self._failed[key] = time.monotonic(), problem
                while len(self._failed) > _REMEMBERED:
                    self._failed.popitem(last=False)
            self._changed.notify_all()
        return 0.0

    def _attempt(self, key: str, file: str) -> str | None:
        """Make the tiles; when that fails, return the sentence to show."""
        try:
            if not self._files.has(key, TILES):
                self._make(key, file)
        except JourneyError as error:
            return str(error)
        except OSError as error:
            log.warning("tiles cannot be stored: %s", error.strerror)
            return f"It cannot be stored: {error.strerror or 'the disk refused it'}."
        except Exception:
            if not self._is_closed:  # after `stop`, this only means that the workers are gone
                log.exception("tiles cannot be made")
            return "It could not be made."
        return None

    def _make(self, key: str, file: str) -> None:
        picture = self._files.path(key, file)
        before = version_of(picture.stat())
        with self._files.scratch() as scratch:
            self.decoder.apply(write, picture, scratch / TILES)
            if version_of(self._files.path(key, file).stat()) != before:
                raise JourneyError("The picture was replaced meanwhile.")
            self._files.add(key, scratch / TILES, beside=file)

    def _directory(self, key: str, content: BinaryIO) -> Directory:
        """Where each tile lies in an open file of tiles."""
        version = version_of(os.fstat(content.fileno()))
        with self._changed:
            known = self._directories.get(key)
        if known is None or known.version != version:
            known = read_directory(content, version)
        with self._changed:
            self._directories[key] = known
            self._directories.move_to_end(key)
            while len(self._directories) > _REMEMBERED:
                self._directories.popitem(last=False)
        return known
