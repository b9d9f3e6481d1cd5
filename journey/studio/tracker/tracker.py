"""Moves entries towards their end: hands out what is due to threads, one thing at a time for each entry."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor

from journey.api.client import JourneyClient
from journey.background import Loop
from journey.errors import DatabaseAway
from journey.history import Entry, History, State
from journey.history.together import Group
from journey.outside.door import Door
from journey.pictures.checking import Decoder
from journey.provider import Provider
from journey.storage.files import Files
from journey.storage.stored import Origins
from journey.studio.tracker.archiving import ARCHIVES_AT_ONCE, Archiving
from journey.studio.tracker.errands import Errands
from journey.studio.tracker.polling import POLLS_AT_ONCE, Polling
from journey.studio.tracker.sending import sendable
from journey.studio.tracker.submitting import SUBMITS_AT_ONCE, MaySpend, Submitting

_IDLE_SECONDS = 0.5
_LEAST_SECONDS = 0.1
"""Between two steps for no other reason than that time has passed: among thousands of open tasks one is always due."""
_BREATH_SECONDS = 0.01
"""Between two steps, however much happens: a step looks at everything, and so costs more than most of what wakes it."""


class Tracker:
    """`step()` does what is due; `start()` and `stop()` run it on a thread.

    `webhook_for` gives (url, secret) of our receiver for an entry, or None when webhooks are not possible.
    """

    def __init__(
        self,
        history: History,
        clients: Mapping[Provider, JourneyClient],
        files: Files,
        decoder: Decoder,
        door: Door,
        *,
        origins: Origins,
        webhook_for: Callable[[Entry], tuple[str, str] | None] = lambda _: None,
        may_spend: MaySpend = lambda *_: None,
        max_bytes: int,
        clock: Callable[[], float] = time.time,
        executor: Executor | None = None,
    ) -> None:
        self._history = history
        self._clients = clients
        self._clock = clock
        self._loop = Loop("tracker", self._timed_step)
        # Calls that may take a long time run on threads, so that one slow answer does not hold up the others.
        threads = len(clients) * (SUBMITS_AT_ONCE + POLLS_AT_ONCE) + ARCHIVES_AT_ONCE
        self._errands = Errands(
            executor or ThreadPoolExecutor(max_workers=threads, thread_name_prefix="tracker"),
            on_done=self._loop.wake,
            clock=clock,
        )
        # What is to be stored at the same time shares a transaction, whatever it is about.
        group = Group(history)
        self._submitting = Submitting(
            history,
            group,
            self._errands,
            self._loop,
            origins=origins,
            sendable=sendable(files, decoder),
            webhook_for=webhook_for,
            may_spend=may_spend,
            clock=clock,
        )
        self._archiving = Archiving(
            history, group, self._errands, files, decoder, door, origins=origins, max_bytes=max_bytes, clock=clock
        )
        self._polling = Polling(
            history, group, self._errands, origins=origins, archive=self._archiving.archive_at_hand, clock=clock
        )
        self._moved: set[str] = set()
        self.last_step_at: float | None = None
        self._latest = clock()
        """The time at which something may last have been made due."""

    def start(self) -> None:
        """Take up what an earlier run left, and begin. Only the process with the worker lock may call this."""
        self._history.recover()
        # New settings may have mended what paused a queue; if not, the first refusal pauses it again.
        for provider in self._history.pauses.reasons():
            self._history.pauses.end(provider)
        self._loop.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Take up nothing more, and wait at most `timeout` seconds for calls under way. Idempotent."""
        deadline = time.monotonic() + timeout
        self._loop.stop(timeout)
        self._errands.stop(max(0.0, deadline - time.monotonic()))

    def wake(self) -> None:
        """Look at once: something was queued or hinted at."""
        self._loop.wake()

    def task_moved(self, task_id: str) -> None:
        """Ask about this task at once. Any thread may call it, and nothing is written on that thread."""
        self._moved.add(task_id)
        self._loop.wake()

    def is_silent(self, seconds: float) -> bool:
        """True when it is not running, keeps failing, or has not taken a step for so many seconds."""
        now = self._clock()
        return self._loop.is_failing or now - (self.last_step_at or now) > seconds

    def step(self) -> None:
        """Hand out everything that is due now."""
        now = self._clock()
        if now < self._latest:
            # The clock was set back: nothing may wait for a time that is now an hour away once more.
            self._history.hasten()
            self._submitting.let_go()
            self._polling.let_go()
            self._errands.forgive()
        self._errands.sweep()
        while self._moved:
            self._history.hasten_task(self._moved.pop())
        due = {state for state, at in self._history.first_due().items() if at <= now}
        if State.QUEUED in due:
            paused = self._history.pauses.reasons()
            for provider, client in self._clients.items():
                self._submitting.hand_out(provider, client, paused)
        if State.OPEN in due:
            for provider, client in self._clients.items():
                self._polling.hand_out(provider, client)
        if State.ARCHIVING in due:
            self._archiving.hand_out()
        self.last_step_at = self._latest = now

    def _timed_step(self) -> float:
        """Take a step. Returns the seconds until the next one may have something to do."""
        self.step()
        self._loop.rest(_BREATH_SECONDS)
        try:
            # What was due at the step but is held up (a pause, a call under way) must not make this a busy loop.
            due_at = self._history.next_due(after=self.last_step_at or 0.0)
        except DatabaseAway:
            return _IDLE_SECONDS
        return _IDLE_SECONDS if due_at is None else min(_IDLE_SECONDS, max(_LEAST_SECONDS, due_at - self._clock()))
