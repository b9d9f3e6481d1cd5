"""An order that is placed again while the first is under way: it joins that entry, with what it brings.

That is a webhook, as long as the call is not made, and a new link for an entry that asks what to do about its old one.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from journey.history.entries import Entry, NewEntry
from journey.history.states import State
from journey.history.tables import entries, one, storable, timeline

_NOT_SENT = frozenset({State.QUEUED, State.ASKING})


def can_take_webhook(entry: Entry) -> bool:
    """True while its call is not made. A second step names our own file, and nobody outside has to hear of it."""
    return entry.state in _NOT_SENT and entry.follows is None


def joined(connection: sa.Connection, known: Entry, new: NewEntry, *, now: float) -> Entry:
    """The entry that a second order means, with what that order brings, where this is still possible."""
    changes: dict[str, Any] = {}
    words: list[str] = []
    if new.webhook_url and can_take_webhook(known):
        is_other = new.webhook_url != known.webhook_url
        if is_other:
            words.append(f"A second order {'replaced its' if known.webhook_url else 'gave it a'} webhook.")
        if is_other or new.webhook_secret:
            changes |= {"webhook_url": new.webhook_url, "webhook_secret": new.webhook_secret}
    if known.state is State.ASKING and new.image_url != known.image_url:
        words.append("A second order gave it a new link.")
        changes |= {"image_url": new.image_url, "state": State.QUEUED, "due_at": now, "error": None}
    if changes:
        connection.execute(entries.update().where(entries.c.id == known.id).values(**storable(changes)))
    for each in words:
        state = changes.get("state", known.state)
        connection.execute(timeline.insert().values(entry_id=known.id, at=now, state=state, words=each))
    return one(connection, entries.c.id == known.id) or known
