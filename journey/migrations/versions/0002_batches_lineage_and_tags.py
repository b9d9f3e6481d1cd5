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
