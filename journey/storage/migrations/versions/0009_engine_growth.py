"""What the engine asks of its tasks, in a time that does not grow with their number."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    totals = op.create_table(
        "engine_totals",
        sa.Column("owner", sa.String(length=64), primary_key=True),
        sa.Column("finished", sa.Integer(), nullable=False),
    )
    tasks = sa.table("engine_tasks", sa.column("owner"), sa.column("status"))
    finished = (
        sa.select(tasks.c.owner, sa.func.count())
        .where(tasks.c.status == "finished", tasks.c.owner.is_not(None))
        .group_by(tasks.c.owner)
    )
    op.execute(totals.insert().from_select(["owner", "finished"], finished))
    op.create_index(op.f("ix_engine_tasks_result_key"), "engine_tasks", ["result_key"], unique=False)
    measures = sa.text("seconds > 0 AND source_pixels >= 250000")
    op.create_index(
        "engine_tasks_measures",
        "engine_tasks",
        ["network", "type", "finished_at"],
        unique=False,
        sqlite_where=measures,
        postgresql_where=measures,
    )
    op.drop_index(op.f("ix_engine_tasks_owner"), table_name="engine_tasks")
