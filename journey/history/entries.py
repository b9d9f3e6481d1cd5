"""What one entry is: what was asked for, how far it is, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from journey.api.models import TaskStatus
from journey.history.states import FETCHED_AGAIN, State
from journey.provider import Provider
from journey.storage.stored import StoredPicture

STALE_AFTER = 30 * 60
"""Seconds without any change of status or percentage after which an open entry is marked stale."""


@dataclass(frozen=True, kw_only=True)
class _Wish:
    """What was asked for.

    `network` is the one that people chose, None where there is nothing to choose. `came_from` is the task whose picture
    (`came_from_index` of a grid) this one enlarges, whichever provider made it; `batch` is the same for all that were
    queued together.
    """

    provider: Provider
    type: Literal["2x", "4x"]
    name: str
    network: str | None = None
    person: str | None = None
    image_url: str | None = None
    parent_task_id: str | None = None
    index: str | None = None
    source: StoredPicture | None = None
    webhook_url: str | None = None
    batch: str | None = None
    came_from: str | None = None
    came_from_index: str | None = None

    @property
    def scale(self) -> int:
        """The multiplier as a number: 2 or 4."""
        return int(self.type[0])


@dataclass(frozen=True, kw_only=True)
class NewEntry(_Wish):
    """What is added. `fingerprint` is the same for the same picture, settings and person: see `History.add`."""

    fingerprint: str | None = None
    webhook_secret: str | None = None


@dataclass(frozen=True, kw_only=True)
class Entry(_Wish):
    """Times are seconds since 1970 (UTC), sizes are pixels, `credits` is what all its calls cost or may have cost.

    `result` is there while the result is stored; `result_size` and `result_bytes` stay when its file has been removed.
    `result_key` is where a result is kept or is going to be. `result_model` is what the API called the network that it
    used, and `comment` is what people wrote about it.
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
    result: StoredPicture | None = None
    result_size: tuple[int, int] | None = None
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
    def enlarged_by(self) -> str | None:
        """The network, by the name that people chose it by, else as the API calls it. May be text from outside."""
        return self.network or self.result_model

    @property
    def source_size(self) -> tuple[int, int] | None:
        """Width and height of the source in pixels, where they are known."""
        return self.source.size if self.source else None

    @property
    def shown(self) -> StoredPicture | None:
        """The picture that stands for it in lists: its result once there is one."""
        return self.result or self.source

    def is_stale(self, now: float) -> bool:
        """True for an open task that has shown no change for 30 minutes. One that waits its turn here never is."""
        waits_here = self.provider.is_here and self.task_status is TaskStatus.PENDING
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
