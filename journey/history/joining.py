"""An order that is placed again while the first is under way: it joins that entry, with the webhook that it brings."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from journey.history.entries import Entry, NewEntry
from journey.history.states import State
from journey.history.tables import entries, storable, timeline


def can_take_webhook(entry: Entry) -> bool:
    """True while its call is not made. A second step names our own file, and nobody outside has to hear of it."""
    return entry.state is State.QUEUED and entry.follows is None


def joined(connection: sa.Connection, known: Entry, new: NewEntry, *, now: float) -> Entry:
    """The entry that a second order means. It has the webhook of that order from now on, while that is possible."""
    if not new.webhook_url or not can_take_webhook(known):
        return known
    changes: dict[str, str | None] = {}
    if new.webhook_secret or new.webhook_url != known.webhook_url:
        changes = storable({"webhook_url": new.webhook_url, "webhook_secret": new.webhook_secret})
        connection.execute(entries.update().where(entries.c.id == known.id).values(**changes))
    if new.webhook_url != known.webhook_url:
        words = "A second order replaced its webhook." if known.webhook_url else "A second order gave it a webhook."
        connection.execute(timeline.insert().values(entry_id=known.id, at=now, state=known.state, words=words))
    return replace(known, webhook_url=changes.get("webhook_url", known.webhook_url))
