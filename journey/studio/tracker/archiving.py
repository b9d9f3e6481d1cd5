"""Fetches, checks and keeps the results of finished tasks: an entry is finished only when our copy is stored."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from journey.errors import FetchFailed, FileMissing, InvalidRequest, JourneyError, PictureRefused, Unreachable
from journey.history import Entry, History, State
from journey.outside.door import BadStatus, CutShort, Door
from journey.pictures.checking import Decoder
from journey.storage.failpoints import reach
from journey.storage.files import Files
from journey.storage.names import safe_name
from journey.storage.stored import Origins, StoredFile, StoredPicture
from journey.studio.tracker.errands import Errands
from journey.studio.tracker.submitting import backoff

log = logging.getLogger(__name__)

ARCHIVES_AT_ONCE = 4
SIZE_TOLERANCE = 2
"""Pixels by which each side of a result may differ from n × the source."""

ATTEMPTS = 6
"""Tries when downloads bring something other than a picture: about a minute in all."""
PATIENT_ATTEMPTS = 300
"""Tries when downloads bring nothing: about a day in all, because the result is paid for and connections come back."""
STORE_AGAIN_SECONDS = 60.0

_GONE = (403, 404, 410)


class Archiving:
    """Fetches results and keeps them."""

    def __init__(
        self,
        history: History,
        errands: Errands,
        files: Files,
        decoder: Decoder,
        door: Door,
        *,
        origins: Origins,
        max_bytes: int,
        clock: Callable[[], float],
    ) -> None:
        self._history = history
        self._errands = errands
        self._files = files
        self._decoder = decoder
        self._door = door
        self._origins = origins
        self._max_bytes = max_bytes
        self._clock = clock

    def hand_out(self) -> None:
        """Hand out the results whose turn it is, a few at a time."""
        for entry in self._history.due(State.ARCHIVING, limit=20):
            if self._errands.count("archive") < ARCHIVES_AT_ONCE:
                self._errands.hand_out(f"archive {entry.id}", partial(self.archive, entry))

    def archive_at_hand(self, entry: Entry) -> None:
        """Keep a result at once if it is on this disk, where that takes a moment; any other waits for its turn."""
        own = self._origins.stored(entry.result_url or "", by=entry.provider)
        if own and self._files.nearby(own.key, own.file):
            self.archive(entry)

    def archive(self, entry: Entry) -> None:
        """Keep the result of an entry, or write down why that did not work."""
        url = entry.result_url or ""
        try:
            if own := self._origins.stored(url, by=entry.provider):
                self._adopt(entry, own)
            else:
                self._door.check(url)
                self._download(entry, url)
        except BadStatus as error:
            self._look_again(entry, error, gone=error.status in _GONE)
        except (Unreachable, CutShort) as error:
            self._look_again(entry, error)
        except (FileMissing, InvalidRequest) as error:
            self._give_up(entry, f"The result cannot be used: {error}")
        except (FetchFailed, PictureRefused) as error:
            # An error of the connection has a cause, and may pass; a complete answer that is not a picture has none.
            broken = isinstance(error, FetchFailed) and error.__cause__ is not None
            self._look_again(entry, error, attempts=PATIENT_ATTEMPTS if broken else ATTEMPTS)
        except Exception as error:
            # A full disk, object storage that is away, or a bug of ours: the picture is paid for, so we keep trying.
            log.warning("entry %s: the result cannot be stored", entry.id, exc_info=True)
            reason = getattr(error, "strerror", None) or type(error).__name__
            self._history.postpone(
                entry.id,
                self._clock() + STORE_AGAIN_SECONDS,
                note=f"The result cannot be stored: {reason}. It will be tried again.",
            )

    def _adopt(self, entry: Entry, own: StoredFile) -> None:
        """Take a result that is already in `files`; only its header is read."""
        path = self._files.path(own.key, own.file)
        picture = self._decoder.inspect(path)
        self._finish(entry, StoredPicture(own.key, own.file, picture.width, picture.height, path.stat().st_size))

    def _download(self, entry: Entry, url: str) -> None:
        with self._files.folder() as folder:
            path = folder / "result"
            reach("before the download")
            with path.open("wb") as file:
                self._door.get(url, max_bytes=max(self._max_bytes, 4 * self._decoder.limits.output), into=file)
            reach("after the download")
            picture = self._decoder.check(path, max_pixels=self._decoder.limits.output)
            name = safe_name(Path(entry.name).stem, picture.extension, suffix=f"_{entry.type}")
            path.rename(folder / name)
            size = (folder / name).stat().st_size
            key = self._files.keep(folder, key=entry.result_key)
        if self._finish(entry, StoredPicture(key, name, picture.width, picture.height, size)):
            return
        now = self._history.get(entry.id)
        if now is None or now.state is State.ABANDONED:
            self._files.delete(key)  # nobody would ever find it

    def _finish(self, entry: Entry, result: StoredPicture) -> Entry | None:
        reach("before the end is stored")
        finished = self._history.move(entry.id, State.FINISHED, result=result, note=_difference(entry, result))
        reach("after the end is stored")
        return finished

    def _look_again(
        self, entry: Entry, error: JourneyError, *, gone: bool = False, attempts: int = PATIENT_ATTEMPTS
    ) -> None:
        """Try the download again later; if the address is gone, ask the task for a new one. Give up in the end."""
        tries = entry.archive_attempts + 1
        if tries >= attempts:
            self._give_up(entry, f"The result could not be used after {tries} tries: {error}")
            return
        due_at = self._clock() + backoff(tries)
        changes: dict[str, Any] = {"due_at": due_at, "archive_attempts": tries, "note": str(error)}
        if gone:
            self._history.move(entry.id, State.OPEN, only_from=State.ARCHIVING, words=str(error), **changes)
        else:
            self._history.postpone(entry.id, **changes)

    def _give_up(self, entry: Entry, reason: str) -> None:
        # The address is added because the result is paid for, and a person may still get it there.
        where = f" It was at {entry.result_url}" if entry.result_url else ""
        self._history.move(entry.id, State.FAILED, only_from=State.ARCHIVING, error=reason + where)


def _difference(entry: Entry, result: StoredPicture) -> str | None:
    """What to say when a result is not n × the size of its source; None when it is."""
    if entry.source is None:
        return None
    wanted = [side * entry.scale for side in entry.source.size]
    if all(abs(side - want) <= SIZE_TOLERANCE for side, want in zip(result.size, wanted, strict=True)):
        return None
    return (
        f"The result is {result.width} × {result.height} px; {wanted[0]} × {wanted[1]} px were expected. "
        "It is kept as it is."
    )
