"""Which sign-ins are over: the same for all processes that share the database, and after a restart."""

from __future__ import annotations

import time
from collections.abc import Callable

import sqlalchemy as sa

from journey.storage.database import Transactions, metadata

KEPT_SECONDS = 40 * 86400.0
"""Longer than the 30 days for which Streamlit's cookie of a sign-in is good."""

sign_outs = sa.Table(
    "sign_outs",
    metadata,
    sa.Column("mark", sa.String(64), primary_key=True),
    sa.Column("ended_at", sa.Float, nullable=False),
)


class SignOuts:
    """The marks of sign-ins that were ended. Raises DatabaseAway."""

    def __init__(self, database: Transactions, *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def add(self, mark: str) -> None:
        """Keep a mark. Those of sign-ins that are long over by themselves go."""
        with self._database.write() as connection:
            connection.execute(sign_outs.delete().where(sign_outs.c.ended_at < self._clock() - KEPT_SECONDS))
            if connection.scalar(sa.select(sign_outs.c.mark).where(sign_outs.c.mark == mark)) is None:
                connection.execute(sign_outs.insert().values(mark=mark, ended_at=self._clock()))

    def __contains__(self, mark: str) -> bool:
        with self._database.read() as connection:
            return connection.scalar(sa.select(sign_outs.c.mark).where(sign_outs.c.mark == mark)) is not None
