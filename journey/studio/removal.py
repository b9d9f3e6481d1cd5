"""Deleting entries, results and looks together with their files, as soon as nothing else uses those.

Entries are deleted first, and the keys of their files are noted in the same step; then the files are deleted. So the
next `bury` finishes what a crash interrupts, and removes what something else was still using.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from journey.history import Entry
from journey.history.deletions import Deletions
from journey.pictures import gallery
from journey.storage.failpoints import reach
from journey.storage.files import Files
from journey.storage.looked import Looked
from journey.storage.uses import Uses

log = logging.getLogger(__name__)

_KEPT = frozenset(gallery.stored(name).key for name in gallery.PICTURES)
"""Keys of the samples, which belong to everybody."""


class Removal:
    """Deletes entries, and the files that nothing uses."""

    def __init__(self, deletions: Deletions, files: Files, looked: Looked, uses: Uses) -> None:
        self._deletions = deletions
        self._files = files
        self._looked = looked
        self._uses = uses

    def delete(self, ids: Sequence[str]) -> list[Entry]:
        """Delete the entries among these that are over, and their files. Returns the entries as they were."""
        gone = self._deletions.delete(ids)
        reach("before files are removed")
        self.bury()
        return gone

    def bury(self) -> None:
        """Remove the files that were noted, now or before a crash, as far as nothing uses them."""
        settled = self._settled(self._deletions.doomed())
        reach("after files are removed")
        self._deletions.buried(settled)

    def remove_results_before(self, moment: float, *, note: str) -> None:
        """Remove the result files of entries that finished before this moment; the entries stay, with this note."""
        self._deletions.forget_results(self._deletions.results_before(moment), note)
        self.bury()

    def remove_unqueued(self) -> None:
        """Remove what was last looked at more than a day ago and was never queued."""
        try:
            self._looked.forget(self._settled(self._looked.old()))
        except OSError as error:
            log.info("pictures that nobody queued stay for now: %s", error.strerror or type(error).__name__)

    def _settled(self, keys: Collection[str]) -> list[str]:
        """Remove what nothing uses. Returns the keys about which nothing is left to do: an entry that uses one has it
        noted when it is deleted itself."""
        try:
            used = self._uses.of(keys)
        except OSError as error:
            log.info("files stay for now: %s", error.strerror or type(error).__name__)
            return []
        return [
            key
            for key in keys
            if key in _KEPT
            or any(user.is_entry for user in used.get(key, ()))
            or (key not in used and self._removed(key))
        ]

    def _removed(self, key: str) -> bool:
        """Remove files. False when they cannot be removed now; the next time they are tried again."""
        try:
            self._files.delete(key)
        except OSError as error:
            log.info("files stay for now: %s", error.strerror or type(error).__name__)
            return False
        return True
