"""Orders of two steps: when the first is finished, its result is enlarged once more, here and for free.

Both steps are entries of their own. They share the fingerprint, which says what was ordered, and the batch; `follows`
leads from the second to the first.
"""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from journey.history.entries import Entry, NewEntry
from journey.history.tables import wishes_of
from journey.provider import HERE


def second_step(connection: sa.Connection, first: Entry) -> NewEntry | None:
    """What follows this entry, ready to be queued; None when nothing does, or when its result is not stored."""
    if first.then_type is None or first.result is None:
        return None
    (asked,) = wishes_of(connection, [first.id])
    return replace(
        asked,
        provider=HERE,
        type=first.then_type,
        network=first.then_network,
        source=first.result,
        came_from=first.task_id,
        came_from_index=None,
        follows=first.id,
        then_type=None,
        then_network=None,
        # The call of a second step names our own file, and nobody outside has to hear of it.
        image_url=None,
        parent_task_id=None,
        index=None,
        webhook_url=None,
        webhook_secret=None,
    )
