"""Webhooks of the stand-in, with the documented retries."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from journey.background import Loop
from journey.errors import JourneyError, Unreachable
from journey.outside.door import Door
from journey.testing.calls import is_here

RETRY_AFTER = (10.0, 30.0, 90.0)
"""Seconds before each further attempt at speed 1, as JourneyAPI documents them."""
_ANSWER_SECONDS = 10.0
_CHECK_SECONDS = 0.02


@dataclass(frozen=True)
class Delivery:
    """One attempt to deliver a webhook. `status` is that of the answer, None when there was none."""

    task_id: str
    status: int | None

    @property
    def has_arrived(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True)
class Webhook:
    """What is to be sent, and where."""

    task_id: str
    url: str
    secret: str | None
    payload: Mapping[str, Any]


def send(door: Door, webhook: Webhook) -> int:
    """POST it once, and return the status of the answer. Raises JourneyError when there was none.

    A receiver beyond this machine does not answer: a test must not call anybody.
    """
    if not is_here(webhook.url):
        raise Unreachable("The stand-in calls receivers on this machine only.")
    headers = {"x-webhook-secret": webhook.secret} if webhook.secret is not None else {}
    return door.post_json(webhook.url, webhook.payload, headers, timeout=_ANSWER_SECONDS)


class Webhooks:
    """Sends what is due, and again what did not arrive. `start` and `stop` run it; `deliveries` tells all."""

    def __init__(self, door: Door, clock: Callable[[], float], *, speed: float, ended: Callable[[], object]) -> None:
        self.deliveries: list[Delivery] = []
        self._door = door
        self._clock = clock
        self._speed = speed
        self._ended = ended
        self._due: list[tuple[float, int, Webhook]] = []
        self._lock = threading.Lock()
        self._pool: Executor | None = None
        self._loop = Loop("stand-in-webhooks", self._step)

    def start(self) -> None:
        self._pool = ThreadPoolExecutor(8, thread_name_prefix="stand-in-webhook")
        self._loop.start()

    def stop(self) -> None:
        self._loop.stop()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def plan(self, webhook: Webhook, *, delay: float = 0.0, attempt: int = 0) -> None:
        """Send it after this many seconds of speed 1."""
        with self._lock:
            self._due.append((self._clock() + delay / self._speed, attempt, webhook))

    def send_due(self, pool: Executor) -> None:
        """Ask which tasks have ended, and hand to the pool what is due."""
        self._ended()
        now = self._clock()
        with self._lock:
            due = [each for each in self._due if each[0] <= now]
            self._due = [each for each in self._due if each[0] > now]
        for _, attempt, webhook in due:
            pool.submit(self._attempt, webhook, attempt)

    def _attempt(self, webhook: Webhook, attempt: int) -> None:
        try:
            made = Delivery(webhook.task_id, send(self._door, webhook))
        except JourneyError:
            made = Delivery(webhook.task_id, None)
        with self._lock:
            self.deliveries.append(made)
        if not made.has_arrived and attempt < len(RETRY_AFTER):
            self.plan(webhook, delay=RETRY_AFTER[attempt], attempt=attempt + 1)

    def _step(self) -> float:
        if self._pool is not None:
            self.send_due(self._pool)
        return _CHECK_SECONDS
