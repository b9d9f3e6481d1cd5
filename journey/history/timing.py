"""How long a task at JourneyAPI usually takes, learnt from the last ones."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable

import sqlalchemy as sa

from journey.history import EngineName, State, entries
from journey.storage.database import Database

LEARNT_FROM = 20
BELIEVED_SECONDS = 60.0


class UsualTimes:
    """Medians over the newest finished entries, worked out anew after a minute."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[tuple[EngineName, int], tuple[float, float | None]] = {}

    def seconds(self, engine: EngineName, scale: int) -> float | None:
        """From sending to the stored result, in seconds; None while no such task has finished."""
        with self._lock:
            now = self._clock()
            known = self._known.get((engine, scale))
            if known is None or now - known[0] > BELIEVED_SECONDS:
                known = self._known[engine, scale] = now, self._median(engine, scale)
            return known[1]

    def _median(self, engine: EngineName, scale: int) -> float | None:
        query = (
            sa.select(entries.c.finished_at - entries.c.submitted_at)
            .where(
                # As an expression, or SQLite would look up and sort all that are finished.
                (entries.c.state + "") == State.FINISHED,
                entries.c.engine == engine,
                entries.c.type == f"{scale}x",
                entries.c.submitted_at.is_not(None),
            )
            .order_by(entries.c.created_at.desc())
            .limit(LEARNT_FROM)
        )
        with self._database.read() as connection:
            took = [float(seconds) for seconds in connection.scalars(query)]
        return statistics.median(took) if took else None
