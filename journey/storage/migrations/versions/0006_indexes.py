"""Indexes that keep every question about entries as cheap at a million of them as at a thousand."""

import logging
import time

from alembic import op

revision = "0006"
down_revision = "0005"

log = logging.getLogger(__name__)

_PIXELS = "CAST(result_width AS BIGINT) * result_height"
_DROPPED = ("ix_entries_created_at", "entries_spent", "entries_person")
_INDEXES = {
    "entries_newest": "(created_at, id)",
    "entries_state": "(state, created_at, id)",
    "entries_moved": "(state, changed_at)",
    "entries_person": "(person, created_at, id)",
    "entries_way": "(engine, type, state, created_at, id)",
    "entries_by_name": "(lower(name), created_at DESC, id DESC)",
    "entries_by_size": f"(coalesce({_PIXELS}, -1), created_at, id)",
    "entries_by_cost": "(credits, created_at, id)",
    "entries_by_time": "(coalesce(finished_at - created_at, -1), created_at, id)",
    "entries_kept": "(finished_at) WHERE result_key IS NOT NULL",
}


def upgrade() -> None:
    is_postgres = op.get_bind().dialect.name != "sqlite"
    if is_postgres:
        op.execute("SET LOCAL maintenance_work_mem = '256MB'")
    for name in _DROPPED:
        op.execute(f"DROP INDEX {name}")
    begun = time.monotonic()
    for number, (name, columns) in enumerate(_INDEXES.items(), 1):
        op.execute(f"CREATE INDEX {name} ON entries {columns}")
        if time.monotonic() - begun > 1:
            log.warning("upgrade of the database: %d of %d indexes are made", number, len(_INDEXES))
    if is_postgres:
        # Postgres knows nothing of what an expression comes to until it has looked, and by itself it looks only once
        # rows have changed.
        op.execute("ANALYZE entries")
