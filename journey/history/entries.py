"""What one entry is: what was asked for, how far it is, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from journey.api.models import TaskStatus
from journey.history.states import FETCHED_AGAIN, State

EngineName = Literal["journeyapi", "embedded"]

STALE_AFTER = 30 * 60
"""Seconds without any change of status or percentage after which an open entry is marked stale."""


@dataclass(frozen=True, kw_only=True)
class _Wish:
    """What was asked for."""

    engine: EngineName
    type: Literal["2x", "4x"]
    name: str
    model: str | None = None
    person: str | None = None
    image_url: str | None = None
    parent_task_id: str | None = None
    index: str | None = None
    source_key: str | None = None
    source_file: str | None = None
    source_width: int | None = None
    source_height: int | None = None
    webhook_url: str | None = None
    batch: str | None = None
    came_from: str | None = None
    came_from_index: str | None = None


@dataclass(frozen=True, kw_only=True)
class NewEntry(_Wish):
    """What a page adds. `fingerprint` is the same for the same picture, settings and person: see `History.add`."""

    fingerprint: str | None = None
    webhook_secret: str | None = None


@dataclass(frozen=True, kw_only=True)
class Entry(_Wish):
    """Times are seconds since 1970 (UTC), sizes are pixels, `credits` is what all its calls cost or may have cost.

    `came_from` is the task whose picture (`came_from_index` of a grid) this one enlarges, whichever engine made it;
    `batch` is the same for all that were queued together, and `comment` is what people wrote about it.
    """

    id: str
    state: State
    credits: int
    attempts: int
    archive_attempts: int
    created_at: float
    changed_at: float
    webhook_token: str | None = None
    task_id: str | None = None
    task_status: TaskStatus | None = None
    percentage: int | None = None
    result_url: str | None = None
    result_key: str | None = None
    result_file: str | None = None
    result_width: int | None = None
    result_height: int | None = None
    result_bytes: int | None = None
    result_model: str | None = None
    error: str | None = None
    answer: str | None = None
    note: str | None = None
    due_at: float | None = None
    submitted_at: float | None = None
    finished_at: float | None = None
    comment: str | None = None

    @property
    def scale(self) -> int:
        return int(self.type[0])

    @property
    def network(self) -> str | None:
        """Which network it is enlarged with, by the name people chose it by. May be text from outside."""
        return self.model or self.result_model

    def is_stale(self, now: float) -> bool:
        """True for an open task that has shown no change for 30 minutes. One that waits its turn here never is."""
        waits_here = self.engine == "embedded" and self.task_status is TaskStatus.PENDING
        return self.state is State.OPEN and not waits_here and now - self.changed_at > STALE_AFTER

    @property
    def can_be_fetched_again(self) -> bool:
        """True when it ended without a result, and the API may still have one."""
        return self.state in FETCHED_AGAIN and bool(self.task_id)


@dataclass(frozen=True)
class Moment:
    """One line of an entry's time line."""

    at: float
    state: State
    words: str | None
