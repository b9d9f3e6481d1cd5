"""Deleting entries, results and looks together with their files, as soon as nothing else uses those.

Entries are deleted first, and the keys of their files are noted in the same step; then the files are deleted. So the
next `bury` finishes what a crash interrupts, and removes what something else was still using.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

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

_AT_ONCE = 500
"""Keys that are looked into at once."""

Prune = Callable[[float | None], Iterable[object]]
"""Forgets tasks of the engine here that were ordered before this moment, some at each step, and notes their files."""


class Removal:
    """Deletes entries, and the files that nothing uses."""

    def __init__(
        self,
        deletions: Deletions,
        files: Files,
        looked: Looked,
        uses: Uses,
        *,
        prune: Prune = lambda _: (),
    ) -> None:
        self._deletions = deletions
        self._files = files
        self._looked = looked
        self._uses = uses
        self._prune = prune

    def delete(self, ids: Sequence[str]) -> list[Entry]:
        """Delete the entries among these that are over, and their files. Returns the entries as they were."""
        gone = self._deletions.delete(ids)
        reach("before files are removed")
        self.bury()
        return gone

    def bury(self) -> None:
        """Remove the files that were noted, now or before a crash, as far as nothing uses them."""
        last = ""
        while doomed := self._deletions.doomed(after=last, limit=_AT_ONCE):
            settled = self._settled(doomed)
            reach("after files are removed")
            self._deletions.buried(settled)
            last = doomed[-1]

    def sweep(self, before: float | None, *, note: str) -> Iterator[None]:
        """Remove what is too old, some at each step, so that nobody waits long for the database.

        Entries that ended before this moment lose their results, and get this note, and their sources, unless another
        entry needs them; the entries stay. None: they lose nothing. Tasks of the engine here go as `prune` says.
        """
        for some in self._deletions.added_before(before) if before else ():
            self._forget(before or 0.0, [entry.id for entry in some], note)
            self.bury()
            yield
        for _ in self._prune(before):
            self.bury()
            yield
        self.remove_unqueued()
        self.bury()

    def pictures_before(self, moment: float) -> Iterator[set[str]]:
        """The keys of the pictures of all entries that were added before then, some at a time."""
        for some in self._deletions.added_before(moment):
            yield set().union(*(entry.keys for entry in some))

    def _forget(self, before: float, ids: Collection[str], note: str) -> None:
        if results := self._deletions.results_before(before, ids):
            self._deletions.forget_results(results, note)
        if sources := self._deletions.sources_before(before, ids):
            self._deletions.forget_sources([each for each in sources if each.source and each.source.key not in _KEPT])

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
