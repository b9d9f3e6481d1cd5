"""Queues that wait for a person, because a key was refused or the credits are used up."""

from __future__ import annotations

import time
from collections.abc import Callable

import sqlalchemy as sa

from journey.history.tables import ERROR_LIMIT, fit, pauses
from journey.provider import Provider
from journey.storage.database import Transactions

_REASONS = sa.select(pauses.c.provider, pauses.c.reason)


class Pauses:
    """The providers to which nothing is sent for now, and why."""

    def __init__(self, database: Transactions, *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def begin(self, provider: Provider, reason: str) -> None:
        """Send nothing to this provider until `end`. The first reason stays."""
        with self._database.write() as connection:
            if connection.scalar(sa.select(pauses.c.provider).where(pauses.c.provider == provider)) is None:
                connection.execute(
                    pauses.insert().values(provider=provider, reason=fit(reason, ERROR_LIMIT), since=self._clock())
                )

    def end(self, provider: Provider) -> None:
        with self._database.write() as connection:
            connection.execute(pauses.delete().where(pauses.c.provider == provider))

    def reasons(self) -> dict[Provider, str]:
        """The providers whose queue is paused, and why."""
        with self._database.read() as connection:
            return {row.provider: row.reason for row in connection.execute(_REASONS)}

    def begun_before(self, moment: float) -> list[Provider]:
        """The providers whose queue has been paused since before this moment."""
        with self._database.read() as connection:
            return list(connection.scalars(sa.select(pauses.c.provider).where(pauses.c.since < moment)))
