"""Sign-ins that are over, for all processes and across restarts."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "sign_outs",
        sa.Column("mark", sa.String(length=64), primary_key=True),
        sa.Column("ended_at", sa.Float(), nullable=False),
    )
