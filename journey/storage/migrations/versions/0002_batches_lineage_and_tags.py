"""What was queued together, where a picture came from, and what people write about it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("entries", sa.Column("batch", sa.String(length=32), nullable=True))
    op.add_column("entries", sa.Column("came_from", sa.String(length=200), nullable=True))
    op.add_column("entries", sa.Column("came_from_index", sa.String(length=1), nullable=True))
    op.add_column("entries", sa.Column("comment", sa.Text(), nullable=True))
    op.create_index(op.f("ix_entries_batch"), "entries", ["batch"], unique=False)
    op.create_index(op.f("ix_entries_came_from"), "entries", ["came_from"], unique=False)
    op.create_table(
        "tags",
        sa.Column("entry_id", sa.String(length=32), nullable=False),
        sa.Column("tag", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("entry_id", "tag"),
    )
    op.create_index(op.f("ix_tags_tag"), "tags", ["tag"], unique=False)
    op.create_table("removals", sa.Column("key", sa.String(length=64), nullable=False), sa.PrimaryKeyConstraint("key"))
    op.create_table(
        "deleted_calls",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("engine", sa.String(length=16), nullable=False),
        sa.Column("person", sa.String(length=320), nullable=True),
        sa.Column("task_status", sa.String(length=16), nullable=True),
        sa.Column("credits", sa.Integer(), nullable=False),
        sa.Column("result_width", sa.Integer(), nullable=True),
        sa.Column("result_height", sa.Integer(), nullable=True),
        sa.Column("submitted_at", sa.Float(), nullable=False),
        sa.Column("changed_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_deleted_calls_submitted_at"), "deleted_calls", ["submitted_at"], unique=False)
    op.create_index("entries_spent", "entries", ["submitted_at", "credits", "changed_at"], unique=False)
    # No longer needed: entries_state_due begins with the state as well.
    op.drop_index(op.f("ix_entries_state"), "entries")
    op.create_index(op.f("ix_entries_source_key"), "entries", ["source_key"], unique=False)
    op.create_index(op.f("ix_entries_result_key"), "entries", ["result_key"], unique=False)
    listed = ["created_at", "id", "state", "engine", "type", "person", "batch", "name", "task_id", "credits"]
    listed += ["finished_at", "result_key", "result_width", "result_height", "result_bytes"]
    op.create_index("entries_person", "entries", ["person", "created_at"], unique=False)
    op.create_index("entries_list", "entries", listed, unique=False)
    commented = sa.text("comment IS NOT NULL")
    op.create_index("entries_commented", "entries", ["id"], sqlite_where=commented, postgresql_where=commented)
