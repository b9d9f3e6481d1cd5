"""How far the work is, and when to stop it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from journey.errors import Stopped

Progress = Callable[[int, int], object]
"""Called with (done, total), in rows of pixels."""
ShouldStop = Callable[[], bool]


@dataclass
class Work:
    """Counts rows, and raises Stopped between two of them."""

    on_progress: Progress | None
    should_stop: ShouldStop | None
    total: int = 0
    done: int = 0

    def begin(self, total: int) -> None:
        self.total = total
        self.advance(0)

    def advance(self, steps: int) -> None:
        self.done += steps
        if self.on_progress is not None:
            self.on_progress(self.done, self.total)
        self.check()

    def check(self) -> None:
        if self.should_stop is not None and self.should_stop():
            raise Stopped("The print file was stopped.")
