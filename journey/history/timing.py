"""How long tasks usually take, learnt from the last ones."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

import sqlalchemy as sa

from journey.history.states import State
from journey.history.tables import entries
from journey.provider import Provider
from journey.storage.database import Transactions

LEARNT_FROM = 20

UsualTimes = dict[tuple[Provider, int], float]
"""Seconds from sending to the stored result, by provider and multiplier; what nobody has done yet is left out."""


def usual_times(database: Transactions, providers: Iterable[Provider]) -> UsualTimes:
    """Medians over the newest finished entries of these providers."""
    found = {(provider, scale): _median(database, provider, scale) for provider in providers for scale in (2, 4)}
    return {way: seconds for way, seconds in found.items() if seconds is not None}


def _median(database: Transactions, provider: Provider, scale: int) -> float | None:
    query = (
        sa.select(entries.c.finished_at - entries.c.submitted_at)
        .where(
            entries.c.state == State.FINISHED,
            entries.c.provider == provider,
            entries.c.type == f"{scale}x",
            entries.c.submitted_at.is_not(None),
        )
        .order_by(entries.c.created_at.desc())
        .limit(LEARNT_FROM)
    )
    with database.read() as connection:
        took = [float(seconds) for seconds in connection.scalars(query)]
    return statistics.median(took) if took else None
