"""Asks about open entries, many in one call, at intervals that grow with their age."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial

from journey.api.client import JourneyClient
from journey.api.errors import NO_REASON, AuthenticationFailed, TaskNotFound, Untrusted
from journey.api.models import MOST_IDS, Task, TaskStatus
from journey.errors import InvalidRequest, JourneyError
from journey.history import Entry, History, State
from journey.provider import Provider
from journey.storage.failpoints import reach
from journey.storage.files import new_key
from journey.storage.stored import Origins
from journey.studio.tracker.errands import Errands

log = logging.getLogger(__name__)

STALE_POLL = 5 * 60.0
"""Seconds between two looks at a task that has shown no change for half an hour."""


class Polling:
    """Asks what has become of open entries, and moves on those whose task has ended.

    `archive` is called with each entry whose result is already among our files.
    """

    def __init__(
        self,
        history: History,
        errands: Errands,
        *,
        origins: Origins,
        archive: Callable[[Entry], object],
        clock: Callable[[], float],
    ) -> None:
        self._history = history
        self._errands = errands
        self._origins = origins
        self._archive = archive
        self._clock = clock

    def hand_out(self, provider: Provider, client: JourneyClient) -> None:
        """Hand out one question to this provider, if an entry is due."""
        if self._history.due(State.OPEN, limit=1, provider=provider):
            # One call asks about many: entries that would be due a moment later are included.
            due = self._history.due(State.OPEN, limit=MOST_IDS, provider=provider, ahead=provider.poll[0])
            self._errands.hand_out(f"poll {provider}", partial(self._poll, provider, client, due))

    def _poll(self, provider: Provider, client: JourneyClient, due: Sequence[Entry]) -> None:
        tasks: dict[str, Task] = {}
        try:
            tasks = {task.task_id: task for task in _ask(client, due)}
        except (AuthenticationFailed, Untrusted) as error:
            self._history.pauses.begin(provider, str(error))
        except JourneyError as error:
            log.info("polling %s: %s", provider, type(error).__name__)
        reach("during polling")
        for entry in due:
            self._observe(entry, tasks.get(entry.task_id or ""))

    def _observe(self, entry: Entry, task: Task | None) -> None:
        now = self._clock()
        changed = task is not None and self._history.observe(entry.id, task)
        if task is not None and task.status is TaskStatus.FAILED:
            self._history.move(entry.id, State.FAILED, error=task.error or NO_REASON)
            return
        url = task.picture(entry.index) if task is not None else None
        if task is not None and task.status is TaskStatus.FINISHED and url:
            # A result that is already here stays where it is; any other gets one key for all tries.
            own = self._origins.stored(url, by=entry.provider)
            archiving = self._history.move(
                entry.id,
                State.ARCHIVING,
                result_url=url,
                result_key=own.key if own else entry.result_key or new_key(),
                result_model=task.model or entry.result_model,
                percentage=100,
                due_at=now,
            )
            reach("after archiving is stored")
            if archiving and own:
                self._archive(archiving)
            return
        # A hint that came while the answer was on its way is about something newer, and stays.
        self._history.postpone(entry.id, now + _interval(entry, now, changed=changed), was_due_at=entry.due_at)


def _interval(entry: Entry, now: float, *, changed: bool) -> float:
    """Seconds until the next look: a third of the time since it was sent, within the provider's bounds."""
    if entry.is_stale(now) and not changed:
        return STALE_POLL
    first, longest = entry.provider.poll
    age = now - (entry.submitted_at or entry.created_at)
    return min(longest, max(first, age / 3))


def _ask(client: JourneyClient, entries: Sequence[Entry]) -> list[Task]:
    """What the API says about these tasks; some may be missing."""
    ids = [entry.task_id for entry in entries if entry.task_id]
    try:
        return client.fetch_many(ids)
    except InvalidRequest:
        if len(ids) == 1:
            raise
    # One id that the API does not accept must not hide the others.
    found = []
    for task_id in ids:
        try:
            found.append(client.fetch(task_id))
        except (InvalidRequest, TaskNotFound):
            continue
        except JourneyError:
            break
    return found
