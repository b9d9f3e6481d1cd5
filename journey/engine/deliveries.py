"""Delivers the webhooks that the engine owes, a few at a time, so that one hanging receiver holds up no other."""

from __future__ import annotations

import logging
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from urllib.parse import urlsplit

from journey.background import Loop
from journey.engine.tasks import Delivery, Tasks
from journey.errors import JourneyError
from journey.outside.door import Door
from journey.storage.failpoints import reach

log = logging.getLogger(__name__)

RETRY_AFTER = (10.0, 30.0, 90.0)
"""Seconds before each further attempt, as JourneyAPI documents them."""

AT_ONCE = 16
AT_ONCE_PER_HOST = 2
"""Deliveries under way at once: in all, and to one receiver."""

_CHECK_SECONDS = 0.5
_ANSWER_SECONDS = 10.0


class Deliveries:
    """Delivers webhooks when they are due. `start` and `stop` run it on a thread."""

    def __init__(self, tasks: Tasks, door: Door) -> None:
        self._tasks = tasks
        self._door = door
        self._under_way: dict[str, tuple[str, Future[None]]] = {}
        self._pool: Executor | None = None
        self._loop = Loop("engine-webhooks", self._step)

    def start(self) -> None:
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="engine-webhook")
        self._loop.start()

    def stop(self) -> None:
        """A delivery under way ends by its own deadline; what was not delivered is still due after the next start."""
        self._loop.stop()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None
        # What is being sent right now is still under way after the next start; what never began is not.
        self._under_way = {name: each for name, each in self._under_way.items() if not each[1].cancelled()}

    @property
    def is_failing(self) -> bool:
        return self._loop.is_failing

    def deliver_due(self, pool: Executor) -> None:
        """Hand the webhooks that are due to the pool, a few for each receiver."""
        for task_id, url in self._tasks.due_deliveries():
            under_way = [receiver for receiver, _ in list(self._under_way.values())]
            receiver = urlsplit(url).netloc
            if len(under_way) >= AT_ONCE:
                return
            if task_id not in self._under_way and under_way.count(receiver) < AT_ONCE_PER_HOST:
                future = pool.submit(self._deliver, task_id)
                self._under_way[task_id] = receiver, future
                future.add_done_callback(partial(self._forget, task_id))

    def _step(self) -> float:
        if self._pool is not None:
            self.deliver_due(self._pool)
        return _CHECK_SECONDS

    def _deliver(self, task_id: str) -> None:
        """Make one attempt, which is counted before it is made: a disk that is full must not make it endless."""
        try:
            delivery = self._tasks.delivery(task_id)
            is_last = delivery.attempts >= len(RETRY_AFTER)
            again_after = None if is_last else RETRY_AFTER[delivery.attempts]
            until_lost = None if again_after is None else _ANSWER_SECONDS + again_after
            reach("before an attempt is stored")
            if not self._tasks.begin_delivery(delivery, again_after=until_lost):
                return
            reach("before the delivery")
            arrived = self._send(delivery)
            reach("after the delivery")
            if not is_last:
                self._tasks.end_delivery(delivery, again_after=None if arrived else again_after)
            reach("after the delivery is stored")
        except Exception:
            log.exception("the webhook of task %s failed", task_id)

    def _forget(self, task_id: str, future: Future[None]) -> None:
        if not future.cancelled():
            self._under_way.pop(task_id, None)

    def _send(self, delivery: Delivery) -> bool:
        headers = {"x-webhook-secret": delivery.secret} if delivery.secret else {}
        task = delivery.task
        try:
            answer = self._door.post_json(delivery.url, task.said(task.origin).wire(), headers, timeout=_ANSWER_SECONDS)
        except JourneyError as error:
            log.info("webhook of task %s: %s", task.task_id, type(error).__name__)
            return False
        log.info("webhook of task %s: answered %d", task.task_id, answer)
        return 200 <= answer < 300
