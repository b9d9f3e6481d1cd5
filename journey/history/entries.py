"""What one entry is: what was asked for, how far it has got, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from journey.api import networks
from journey.api.models import TaskStatus
from journey.history.states import FETCHED_AGAIN, State
from journey.provider import Provider
from journey.storage.stored import StoredPicture

STALE_AFTER = 30 * 60
"""Seconds without any change of status or percentage after which an open entry is marked stale."""


@dataclass(frozen=True, kw_only=True)
class _Wish:
    """What was asked for.

    `network` is the one that a person chose; None where there is no choice. `came_from` is the task whose picture this
    entry enlarges, whichever provider made it; `came_from_index` says which picture of a grid. Entries that were queued
    together have the same `batch`.

    An order of two steps begins with an entry that says what follows: `then_type`, and `then_network` where a person
    chose one. The second step is an entry as well, and `follows` is the id of the first.
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
    then_type: Literal["2x", "4x"] | None = None
    then_network: str | None = None
    follows: str | None = None

    @property
    def scale(self) -> int:
        """The multiplier as a number: 2 or 4."""
        return int(self.type[0])

    @property
    def order_scale(self) -> int:
        """The multiplier of this entry and of what follows it: 2, 4, 8 or 16."""
        return self.scale * int(self.then_type[0]) if self.then_type else self.scale

    @property
    def step(self) -> Literal[1, 2] | None:
        """Which step of an order of two steps this is; None when it is all of an order."""
        return 1 if self.then_type else 2 if self.follows else None


@dataclass(frozen=True, kw_only=True)
class NewEntry(_Wish):
    """An entry to be added. `fingerprint` is the same for the same picture, settings and person: see `History.add`."""

    fingerprint: str | None = None
    webhook_secret: str | None = None


@dataclass(frozen=True, kw_only=True)
class Entry(_Wish):
    """Times are seconds since 1970 (UTC), sizes are pixels, `credits` counts what its calls cost or may have cost.

    `source` and `result` are set while they are stored; `source_size`, `result_size` and `result_bytes` stay when the
    files are removed.
    `result_key` is the key under which the result is kept or will be kept. `result_model` is the API's name for the
    network that it used; `comment` is what people wrote about the entry.
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
    source_size: tuple[int, int] | None = None
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
        """The network: the name that a person chose, else the API's name for it. May be text from outside."""
        return networks.shown(self.network) if self.network else self.result_model

    @property
    def shown(self) -> StoredPicture | None:
        """The picture that lists show for it: its result once there is one, else its source."""
        return self.result or self.source

    def is_stale(self, now: float) -> bool:
        """True for an open task that has shown no change for 30 minutes. One that waits for its turn here never is."""
        waits_here = self.provider.is_here and self.task_status is TaskStatus.PENDING
        return self.state is State.OPEN and not waits_here and now - self.changed_at > STALE_AFTER

    @property
    def can_be_fetched_again(self) -> bool:
        """True when it ended without a result, and the API may still have one."""
        return self.state in FETCHED_AGAIN and bool(self.task_id)

    @property
    def lacks_result(self) -> bool:
        """True when the API has named a result that could not be fetched: a person may get it at `result_url`."""
        waits = self.state in (State.OPEN, State.ARCHIVING) and self.archive_attempts > 0
        return bool(self.task_id and self.result_url) and (waits or self.state in FETCHED_AGAIN)


@dataclass(frozen=True)
class Moment:
    """One step in an entry's timeline."""

    at: float
    state: State
    words: str | None
