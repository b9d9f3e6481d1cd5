"""Tasks that ended here without their result, and are taken up once more by a person."""

from __future__ import annotations

import sqlalchemy as sa

from journey.history.states import FETCHED_AGAIN, State
from journey.history.tables import entries


def reopen(connection: sa.Connection, entry_id: str, *, now: float) -> bool:
    """Let an entry that `can_be_fetched_again` be open once more; False, with nothing changed, for any other."""
    reopened = connection.execute(
        entries.update()
        .where(entries.c.id == entry_id, entries.c.state.in_(FETCHED_AGAIN), entries.c.task_id.is_not(None))
        .values(
            state=State.OPEN,
            changed_at=now,
            due_at=now,
            finished_at=None,
            error=None,
            note=None,
            archive_attempts=0,
        )
    )
    return reopened.rowcount == 1
