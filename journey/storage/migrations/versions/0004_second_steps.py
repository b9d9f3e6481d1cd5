"""Orders of two steps: what follows an entry, and which one it follows."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("entries", sa.Column("then_type", sa.String(length=2), nullable=True))
    op.add_column("entries", sa.Column("then_network", sa.String(length=100), nullable=True))
    op.add_column("entries", sa.Column("follows", sa.String(length=32), nullable=True))
    op.create_index(op.f("ix_entries_follows"), "entries", ["follows"], unique=False)
