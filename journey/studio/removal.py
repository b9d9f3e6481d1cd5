"""Deleting entries together with their files.

The entries are deleted first, and the keys of their files are noted in the same step; then the files are deleted.
So the next `bury` finishes what a crash interrupts, and no file is left behind that nobody knows of.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from journey.api.client import JourneyClient
from journey.errors import JourneyError
from journey.history import Entry
from journey.history.deletions import Deletions
from journey.history.finding import Lists
from journey.pictures import gallery
from journey.provider import Provider
from journey.storage.failpoints import reach
from journey.storage.files import Files
from journey.storage.stored import Origins

log = logging.getLogger(__name__)

_KEPT = frozenset(gallery.stored(name).key for name in gallery.PICTURES)
"""Keys of the samples, which belong to everybody."""


class Removal:
    """Deletes entries, and the files that nothing else uses."""

    def __init__(
        self,
        lists: Lists,
        deletions: Deletions,
        files: Files,
        clients: Mapping[Provider, JourneyClient],
        *,
        origins: Origins,
    ) -> None:
        self._lists = lists
        self._deletions = deletions
        self._files = files
        self._clients = clients
        self._origins = origins

    def delete(self, ids: Sequence[str]) -> list[Entry]:
        """Delete the entries among these that are over, and their files. Returns the entries as they were."""
        found = self._lists.by_ids(ids).entries
        gone = self._deletions.delete(ids, also=self._unclaimed([entry for entry in found if not entry.result_key]))
        reach("before files are removed")
        self.bury()
        return gone

    def bury(self) -> None:
        """Remove the files of entries that were deleted, now or before a crash."""
        gone = [key for key in self._deletions.doomed() if key in _KEPT or self._removed(key)]
        reach("after files are removed")
        self._deletions.buried(gone)

    def remove_results_before(self, moment: float, *, note: str) -> None:
        """Remove the result files of entries that finished before this moment; the entries stay, with this note."""
        for entry in self._deletions.results_before(moment):
            if self._removed(str(entry.result_key)):
                self._deletions.forget_result(entry.id, note)

    def _removed(self, key: str) -> bool:
        """Remove files. False when they cannot be removed now; the next time they are tried again."""
        try:
            self._files.delete(key)
        except OSError as error:
            log.info("files stay for now: %s", error.strerror or type(error).__name__)
            return False
        return True

    def _unclaimed(self, entries: Sequence[Entry]) -> set[str]:
        """Keys of results that lie here although their entries ended without them."""
        keys: set[str] = set()
        for provider, client in self._clients.items():
            asked = [
                entry.task_id
                for entry in entries
                if entry.state.over and entry.provider == provider and provider.is_here and entry.task_id
            ]
            if not asked:
                continue
            try:
                urls = [task.picture() for task in client.fetch_many(asked)]
            except JourneyError as error:
                log.warning("results of deleted tasks may be left behind: %s", type(error).__name__)
                continue
            stored = [self._origins.stored(url, by=provider) for url in urls if url]
            keys |= {own.key for own in stored if own}
        return keys
