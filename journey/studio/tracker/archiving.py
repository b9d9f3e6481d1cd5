"""Fetches, checks and keeps the results of finished tasks: an entry is finished only when our copy is stored."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from journey.errors import DatabaseAway, FileMissing, InvalidRequest, JourneyError
from journey.history import Entry, History, State
from journey.history.together import Group
from journey.outside.door import BadStatus, Door
from journey.pictures.checking import Decoder
from journey.storage.failpoints import reach
from journey.storage.files import Files
from journey.storage.stored import Origins, StoredFile, StoredPicture
from journey.studio.results import difference, keep
from journey.studio.tracker.errands import Errands
from journey.studio.tracker.holds import backoff

log = logging.getLogger(__name__)

ARCHIVES_AT_ONCE = 4
ATTEMPTS = 300
"""Tries with growing pauses: about a day in all, because the result is paid for, and what is in the way may go away."""
STORE_AGAIN_SECONDS = 60.0

_GONE = (403, 404, 410)


class Archiving:
    """Fetches results and keeps them."""

    def __init__(
        self,
        history: History,
        group: Group,
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
        self._group = group
        self._errands = errands
        self._files = files
        self._decoder = decoder
        self._door = door
        self._origins = origins
        self._max_bytes = max_bytes
        self._clock = clock

    def hand_out(self) -> None:
        """Hand out the results whose turn it is, a few at a time."""
        if self._errands.count("archive") == ARCHIVES_AT_ONCE:
            return
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
        except FileMissing as error:
            self._give_up(entry, f"The result cannot be used: {error}")
        except JourneyError as error:
            # The task may have a new address by now when this one is gone, or is none that we may go to.
            gone = isinstance(error, InvalidRequest) or (isinstance(error, BadStatus) and error.status in _GONE)
            wait = error.retry_after if isinstance(error, BadStatus) else None
            self._look_again(entry, str(error), wait=wait or 0.0, ask_anew=gone)
        except (OSError, DatabaseAway) as error:
            # A full disk, or object storage that is away. It is mended here, so the tries are not counted.
            why = getattr(error, "strerror", None) or type(error).__name__
            reason = f"The result cannot be stored: {why}. It will be tried again."
            self._warn(entry, reason)
            self._history.postpone(entry.id, self._clock() + STORE_AGAIN_SECONDS, note=reason)
        except Exception as error:  # noqa: BLE001  a bug of ours: the picture is paid for, and people can hand it in
            reason = f"The result cannot be read ({type(error).__name__}). It will be tried again."
            self._warn(entry, reason)
            self._look_again(entry, reason)

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
            result = keep(folder, path, entry, self._files, self._decoder, key=entry.result_key)
        if self._finish(entry, result):
            return
        now = self._history.get(entry.id)
        if now is None or now.state is State.ABANDONED or (now.result and now.result.key != result.key):
            self._files.delete(result.key)  # nobody would ever find it

    def _finish(self, entry: Entry, result: StoredPicture) -> Entry | None:
        reach("before the end is stored")
        note = difference(entry, result)
        finished = self._group.store(lambda history: history.move(entry.id, State.FINISHED, result=result, note=note))
        reach("after the end is stored")
        return finished

    def _look_again(self, entry: Entry, reason: str, *, wait: float = 0.0, ask_anew: bool = False) -> None:
        """Try the download again after at least `wait` seconds; now and then, ask the task for a new address first.

        Gives up after a day.
        """
        tries = entry.archive_attempts + 1
        if tries >= ATTEMPTS:
            self._give_up(entry, f"The result could not be fetched in {tries} tries: {reason}")
            return
        changes: dict[str, Any] = {
            "due_at": self._clock() + max(wait, backoff(tries)),
            "archive_attempts": tries,
            "note": reason,
        }
        # Rarer each time (the 1st try, the 2nd, the 4th, the 8th), because each of these steps is in the timeline.
        if ask_anew and tries.bit_count() == 1:
            self._history.move(entry.id, State.OPEN, only_from=State.ARCHIVING, words=reason, **changes)
        else:
            self._history.postpone(entry.id, **changes)

    def _give_up(self, entry: Entry, reason: str) -> None:
        self._history.move(entry.id, State.FAILED, only_from=State.ARCHIVING, error=reason)

    def _warn(self, entry: Entry, reason: str) -> None:
        """Log the error under way, once: the same trace every minute would hide all others."""
        if entry.note != reason:
            log.warning("entry %s: %s", entry.id, reason, exc_info=True)
