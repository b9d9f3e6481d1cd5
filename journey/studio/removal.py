"""Deleting entries together with their files.

The entries go first, and with them the keys of their files are noted; then the files go. So what a crash interrupts
is finished by the next `bury`, and no file is left that nobody knows.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from journey.api.client import JourneyClient
from journey.errors import JourneyError
from journey.history import Entry, History
from journey.pictures import gallery
from journey.storage.files import Files, key_in_url

log = logging.getLogger(__name__)

_KEPT = frozenset(map(gallery.key_of, gallery.PICTURES))
"""The samples are everybody's."""


def delete(history: History, files: Files, ids: Sequence[str], *, embedded: JourneyClient | None = None) -> list[Entry]:
    """Delete those of these entries that are over, and the files that no other entry uses; gives what was deleted.

    `embedded` is asked for results that the engine on this machine made for entries which never got them.
    """
    without_result = [entry for entry in history.by_ids(ids).entries if entry.state.over and not entry.result_key]
    gone = history.delete(ids, also=_unclaimed(without_result, embedded))
    bury(history, files)
    return gone


def bury(history: History, files: Files) -> None:
    """Remove the files of entries that were deleted, now or before a crash."""
    doomed = history.doomed()
    for key in doomed:
        if key not in _KEPT:
            files.delete(key)
    history.buried(doomed)


def _unclaimed(entries: Sequence[Entry], embedded: JourneyClient | None) -> set[str]:
    """Keys of results that lie here although their entries ended without them."""
    asked = [entry.task_id for entry in entries if entry.engine == "embedded" and entry.task_id]
    if embedded is None or not asked:
        return set()
    try:
        urls = [task.picture() for task in embedded.fetch_many(asked)]
    except JourneyError as error:
        log.warning("results of deleted tasks may be left: %s", type(error).__name__)
        return set()
    # Its pictures are kept here, whatever port its addresses were made for.
    return {own[0] for url in urls if url and (own := key_in_url(url, [url]))}
