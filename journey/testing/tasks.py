"""A task as the stand-in knows it, and the documented answer about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

GRID_ID = "85h8-grid-0b1c-finished"
SINGLE_ID = "85h8-single-0b1c-finished"

Steps = tuple[tuple[str, str | None], ...]

STEPS: Steps = (
    ("staged", None),
    ("pending", "0"),
    ("starting", "0"),
    ("processing", "0"),
    ("processing", "50"),
    ("processing", "100"),
    ("finished", None),
)
"""Status and percentage at each step in the life of a task."""


@dataclass(frozen=True)
class Fate:
    """What becomes of a task besides the usual, as its order asked for it."""

    error: str | None = None
    """Fails with these words instead of finishing."""
    status: str | None = None
    """Is told in place of every status word but those of failure."""
    is_stuck: bool = False
    """Is at 50 percent and stays there."""
    is_omitted: bool = False
    """Is left out of the answers to /fetch-many."""
    is_expired: bool = False
    """Has a result address that does not answer any more."""
    webhook_delay: float = 0.0
    """Seconds between the end and the webhook, at speed 1."""
    webhook_copies: int = 1
    """How often each webhook is sent: 0 is never."""


@dataclass
class StandInTask:
    """A task. `scale` is 1 for one that upscales nothing; `begun` and `seconds` are for a clock that moves it."""

    task_id: str
    task_type: str
    key: str = ""
    order: Mapping[str, Any] = field(default_factory=dict)
    source: bytes = b""
    scale: int = 1
    grid: bool = False
    step: int = 0
    held: bool = False
    error: str | None = None
    fate: Fate = Fate()
    begun: float = 0.0
    seconds: float = 0.0
    size: tuple[int, int] | None = None
    """Width and height of the result in pixels, when they are not `scale` times the source's."""
    holes: Mapping[str, Any] = field(default_factory=dict)
    """What stands in a grid's places that have no picture, by their index."""

    def is_over(self, steps: Steps) -> bool:
        """True when it will not change any more by itself."""
        return self.error is not None or (self.step >= len(steps) - 1 and not self.fate.is_stuck)

    def is_finished(self, steps: Steps) -> bool:
        """True when it is over and has a result."""
        return self.is_over(steps) and self.error is None and self.fate.error is None

    def said(self, steps: Steps, origin: str) -> dict[str, Any]:
        """The documented answer about it, with addresses at `origin`."""
        status, percentage = ("processing", "50") if self.fate.is_stuck else steps[min(self.step, len(steps) - 1)]
        common = {"task_id": self.task_id, "task_type": self.task_type, "model": "midjourney"}
        is_over = self.is_over(steps)
        if is_over and (error := self.error or self.fate.error) is not None:
            return {**common, "status": "failed", "error": error}
        common["status"] = self.fate.status or status
        if not is_over:
            return common if percentage is None else {**common, "percentage": percentage}
        cdn = f"{origin}/cdn/{self.task_id}"
        if self.grid:
            return {
                **common,
                "percentage": "100",
                "original_image_url": f"{cdn}.png",
                "image_urls": [self.holes.get(str(place + 1), f"{cdn}_{place}.png") for place in range(4)],
            }
        if self.fate.status:  # by itself, a word that nobody knows would not mean that this is the end
            common["percentage"] = "100"
        return {**common, "image_url": f"{cdn}.png"}
