"""The first schema: entries, their timeline, paused queues and the tasks of the engine."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "engine_tasks",
        sa.Column("task_id", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("type", sa.String(length=2), nullable=False),
        sa.Column("model", sa.String(length=100), nullable=False),
        sa.Column("network", sa.String(length=100), nullable=False),
        sa.Column("image_url", sa.Text(), nullable=True),
        sa.Column("parent_task_id", sa.String(length=200), nullable=True),
        sa.Column("index", sa.String(length=1), nullable=True),
        sa.Column("source_key", sa.String(length=64), nullable=True),
        sa.Column("source_file", sa.String(length=200), nullable=True),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("percentage", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("result_key", sa.String(length=64), nullable=False),
        sa.Column("pictures", sa.Text(), nullable=False),
        sa.Column("composed", sa.Text(), nullable=True),
        sa.Column("source_pixels", sa.Integer(), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("webhook_url", sa.Text(), nullable=True),
        sa.Column("webhook_secret", sa.Text(), nullable=True),
        sa.Column("webhook_attempts", sa.Integer(), nullable=False),
        sa.Column("webhook_due_at", sa.Float(), nullable=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("finished_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("task_id"),
    )
    op.create_index(op.f("ix_engine_tasks_created_at"), "engine_tasks", ["created_at"], unique=False)
    op.create_index(op.f("ix_engine_tasks_owner"), "engine_tasks", ["owner"], unique=False)
    op.create_index(op.f("ix_engine_tasks_status"), "engine_tasks", ["status"], unique=False)
    op.create_index(op.f("ix_engine_tasks_webhook_due_at"), "engine_tasks", ["webhook_due_at"], unique=False)
    op.create_table(
        "entries",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("engine", sa.String(length=16), nullable=False),
        sa.Column("type", sa.String(length=2), nullable=False),
        sa.Column("model", sa.String(length=100), nullable=True),
        sa.Column("person", sa.String(length=320), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("image_url", sa.Text(), nullable=True),
        sa.Column("parent_task_id", sa.String(length=200), nullable=True),
        sa.Column("index", sa.String(length=1), nullable=True),
        sa.Column("source_key", sa.String(length=64), nullable=True),
        sa.Column("source_file", sa.String(length=200), nullable=True),
        sa.Column("source_width", sa.Integer(), nullable=True),
        sa.Column("source_height", sa.Integer(), nullable=True),
        sa.Column("webhook_url", sa.Text(), nullable=True),
        sa.Column("webhook_secret", sa.Text(), nullable=True),
        sa.Column("webhook_token", sa.String(length=64), nullable=True),
        sa.Column("task_id", sa.String(length=200), nullable=True),
        sa.Column("task_status", sa.String(length=16), nullable=True),
        sa.Column("percentage", sa.Integer(), nullable=True),
        sa.Column("credits", sa.Integer(), nullable=False),
        sa.Column("hinted_task_id", sa.String(length=200), nullable=True),
        sa.Column("result_url", sa.Text(), nullable=True),
        sa.Column("result_key", sa.String(length=64), nullable=True),
        sa.Column("result_file", sa.String(length=200), nullable=True),
        sa.Column("result_width", sa.Integer(), nullable=True),
        sa.Column("result_height", sa.Integer(), nullable=True),
        sa.Column("result_bytes", sa.BigInteger(), nullable=True),
        sa.Column("result_model", sa.String(length=100), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("archive_attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("submitted_at", sa.Float(), nullable=True),
        sa.Column("changed_at", sa.Float(), nullable=False),
        sa.Column("finished_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("webhook_token"),
    )
    op.create_index("entries_state_due", "entries", ["state", "due_at"], unique=False)
    op.create_index(op.f("ix_entries_created_at"), "entries", ["created_at"], unique=False)
    op.create_index(op.f("ix_entries_fingerprint"), "entries", ["fingerprint"], unique=False)
    op.create_index(op.f("ix_entries_state"), "entries", ["state"], unique=False)
    op.create_index(op.f("ix_entries_task_id"), "entries", ["task_id"], unique=False)
    op.create_table(
        "pauses",
        sa.Column("engine", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("engine"),
    )
    op.create_table(
        "timeline",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("words", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_timeline_entry_id"), "timeline", ["entry_id"], unique=False)
