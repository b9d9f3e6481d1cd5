"""What was paid for: credits by month, person and engine, and how much of the month's budget is left.

A month is a calendar month in UTC. A call counts in the month in which it was sent, for the budget as well.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from journey.models import CREDITS_PER_UPSCALE


@dataclass(frozen=True)
class Budget:
    """The credits of one month. `spent` are those of calls that were, or may have been, accepted or are being sent."""

    limit: int
    spent: int

    @property
    def left(self) -> int:
        """Credits; never below 0."""
        return max(0, self.limit - self.spent)

    @property
    def is_used_up(self) -> bool:
        """True when one more upscale would go over it."""
        return self.spent + CREDITS_PER_UPSCALE > self.limit

    @property
    def sentence(self) -> str:
        """Why nothing more is sent once it is used up, and what to do."""
        return (
            f"This month's budget of {self.limit:,} credits is used up ({self.spent:,} spent). "
            "Raise JOURNEY_MONTHLY_CREDITS and restart, or wait for the next month."
        )


def month_start(moment: float, *, back: int = 0) -> float:
    """When the month (UTC) of this moment began, or the one so many months before it. Seconds since 1970."""
    day = datetime.datetime.fromtimestamp(moment, datetime.UTC)
    months = day.year * 12 + day.month - 1 - back
    return datetime.datetime(months // 12, months % 12 + 1, 1, tzinfo=datetime.UTC).timestamp()
