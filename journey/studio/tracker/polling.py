"""Asks about open entries, many in one call, at intervals that grow with their age."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial

from journey.api.client import JourneyClient
from journey.api.errors import NO_REASON, AuthenticationFailed, RateLimited, TaskNotFound, Untrusted
from journey.api.models import MOST_IDS, Task, TaskStatus
from journey.errors import InvalidRequest, JourneyError
from journey.history import Entry, History, State
from journey.provider import Provider
from journey.storage.failpoints import reach
from journey.storage.files import new_key
from journey.storage.stored import Origins
from journey.studio.tracker.errands import Errands
from journey.studio.tracker.holds import Holds

log = logging.getLogger(__name__)

STALE_POLL = 5 * 60.0
"""Seconds between two looks at a task that has shown no change for half an hour."""

PICTURE_SECONDS = 60.0
"""How long a finished task may be without a picture: its address may be told a moment later."""


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
        self._holds = Holds(clock)

    def hand_out(self, provider: Provider, client: JourneyClient) -> None:
        """Hand out one question to this provider, if an entry is due and the provider may be asked."""
        if not self._holds.has(provider) and self._history.due(State.OPEN, limit=1, provider=provider):
            # One call asks about many: entries that would be due a moment later are included.
            due = self._history.due(State.OPEN, limit=MOST_IDS, provider=provider, ahead=provider.poll[0])
            self._errands.hand_out(f"poll {provider}", partial(self._poll, provider, client, due))

    def let_go(self) -> None:
        """Forget that providers were to be left alone."""
        self._holds.end_all()

    def _poll(self, provider: Provider, client: JourneyClient, due: Sequence[Entry]) -> None:
        said = _ask(client, due)
        held_until = 0.0
        for error in {each for each in said.values() if isinstance(each, JourneyError)}:
            log.info("polling %s: %s", provider, type(error).__name__)
            if isinstance(error, RateLimited):
                held_until = self._holds.begin(provider, error)
            if isinstance(error, AuthenticationFailed | Untrusted):
                self._history.pauses.begin(provider, str(error))
        if not held_until:
            self._holds.end(provider)
        reach("during polling")
        for entry in due:
            self._observe(entry, said.get(entry.task_id or ""), held_until)

    def _observe(self, entry: Entry, said: Task | JourneyError | None, held_until: float) -> None:
        """Note what was said about an entry, and move it on if that is its end."""
        now, label, changed = self._clock(), entry.provider.label, False
        note: str | None = str(said) if said else f"{label} says nothing about this task."
        if isinstance(said, Task):
            changed = self._history.observe(entry.id, said)
            if said.status.over and self._moved_on(entry, said, has_waited=_has_waited(entry, now, changed=changed)):
                return
            note = f"{label} says that it is finished, but not yet where." if said.status.over else None
        # A hint that came while the answer was on its way is about something newer, and stays.
        due_at = max(now + _interval(entry, now, changed=changed), held_until)
        changes = {"note": note} if note or entry.note else {}
        self._history.postpone(entry.id, due_at, was_due_at=entry.due_at, **changes)

    def _moved_on(self, entry: Entry, task: Task, *, has_waited: bool) -> bool:
        """End an entry whose task is over, in the API's own words, or have its picture archived.

        False for a picture that is still to come.
        """
        url, reason = task.picture(entry.index), task.error or NO_REASON
        if task.status is TaskStatus.FINISHED:
            if url:
                self._archive_result(entry, task, url)
                return True
            if not task.error and not has_waited:
                return False
            which = f"picture {entry.index}" if task.is_grid and entry.index else "a picture"
            reason = f"{entry.provider.label} says that the task is finished, but named no address of {which}."
            reason += f" {task.error}" if task.error else ""
        self._history.move(entry.id, State.FAILED, error=reason)
        return True

    def _archive_result(self, entry: Entry, task: Task, url: str) -> None:
        # A result that is already here stays where it is; any other gets one key for all tries.
        own = self._origins.stored(url, by=entry.provider)
        archiving = self._history.move(
            entry.id,
            State.ARCHIVING,
            result_url=url,
            result_key=own.key if own else entry.result_key or new_key(),
            result_model=task.model or entry.result_model,
            percentage=100,
            due_at=self._clock(),
        )
        reach("after archiving is stored")
        if archiving and own:
            self._archive(archiving)


def _has_waited(entry: Entry, now: float, *, changed: bool) -> bool:
    """True when the task has been over for so long that its picture will not be named any more."""
    return not changed and now - entry.changed_at >= PICTURE_SECONDS


def _interval(entry: Entry, now: float, *, changed: bool) -> float:
    """Seconds until the next look: a third of the time since it was sent, within the provider's bounds."""
    if entry.is_stale(now) and not changed:
        return STALE_POLL
    first, longest = entry.provider.poll
    age = now - (entry.submitted_at or entry.created_at)
    return min(longest, max(first, age / 3))


def _ask(client: JourneyClient, entries: Sequence[Entry]) -> dict[str, Task | JourneyError]:
    """What the API says about these tasks, or why it says nothing; some may be missing."""
    ids = [entry.task_id for entry in entries if entry.task_id]
    try:
        return {task.task_id: task for task in client.fetch_many(ids)}
    except InvalidRequest as error:
        if len(ids) == 1:
            return {ids[0]: error}
    except JourneyError as error:
        return dict.fromkeys(ids, error)
    # One id that the API does not accept must not hide the others.
    said: dict[str, Task | JourneyError] = {}
    for task_id in ids:
        try:
            said[task_id] = client.fetch(task_id)
        except (InvalidRequest, TaskNotFound) as error:
            said[task_id] = error
        except JourneyError as error:
            return dict.fromkeys(ids, error) | said
    return said
