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
from journey.history.together import Group
from journey.history.turns import Look, called, is_news
from journey.provider import Provider
from journey.storage.failpoints import reach
from journey.storage.files import new_key
from journey.storage.stored import Origins
from journey.studio.tracker.errands import Errands
from journey.studio.tracker.holds import Holds

log = logging.getLogger(__name__)

POLLS_AT_ONCE = 2
"""Questions under way at each provider: one about what there is news of, and one about what has waited for its time."""

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
        group: Group,
        errands: Errands,
        *,
        origins: Origins,
        archive: Callable[[Entry], object],
        clock: Callable[[], float],
    ) -> None:
        self._history = history
        self._group = group
        self._errands = errands
        self._origins = origins
        self._archive = archive
        self._clock = clock
        self._holds = Holds(clock)

    def hand_out(self, provider: Provider, client: JourneyClient) -> None:
        """Hand out questions to this provider, if entries are due and the provider may be asked.

        What there is news of is asked about at once, by itself: it waits for no answer about the others.
        """
        if self._holds.has(provider):
            return
        ask, now = partial(self._poll, provider, client), self._clock()
        urgent, usual = f"poll {provider} at once", f"poll {provider}"
        news = self._history.due(State.OPEN, limit=MOST_IDS, provider=provider, ahead=called(now) - now)
        if news:
            self._errands.hand_out(urgent, partial(ask, news))
        if self._errands.takes(usual):
            # One call asks about many: entries that would be due a moment later are included.
            some = MOST_IDS + len(news)
            due = self._history.due(State.OPEN, limit=some, provider=provider, ahead=provider.poll[0])
            due = [entry for entry in due if (entry.due_at or 0.0) > called(now)][:MOST_IDS]
            if due and (due[0].due_at or 0.0) <= now:
                self._errands.hand_out(usual, partial(ask, due))

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

        def observe_all(history: History) -> list[Entry]:
            seen = [self._observe(history, each, said.get(each.task_id or ""), held_until) for each in due]
            history.look_later([each for each in seen if isinstance(each, Look)])
            return [each for each in seen if isinstance(each, Entry) and each.state is State.ARCHIVING]

        moved = self._group.store(observe_all)
        if moved:
            reach("after archiving is stored")
        for entry in moved:
            if self._origins.stored(entry.result_url or "", by=entry.provider):
                self._archive(entry)

    def _observe(
        self, history: History, entry: Entry, said: Task | JourneyError | None, held_until: float
    ) -> Entry | Look:
        """Note what was said about an entry, and move it on if that is its end. Returns it, or when to look again."""
        now, label, changed = self._clock(), entry.provider.label, False
        note: str | None = str(said) if said else f"{label} says nothing about this task."
        if isinstance(said, Task):
            changed = is_news(entry, said) and history.observe(entry.id, said)
            has_waited = _has_waited(entry, now, changed=changed)
            if said.status.over and (moved := self._moved_on(history, entry, said, has_waited=has_waited)):
                return moved
            note = f"{label} says that it is finished, but not yet where." if said.status.over else None
        return Look(entry, max(now + _interval(entry, now, changed=changed), held_until), note)

    def _moved_on(self, history: History, entry: Entry, task: Task, *, has_waited: bool) -> Entry | None:
        """End an entry whose task is over, in the API's own words, or have its picture archived.

        None for a picture that is still to come.
        """
        url, reason = task.picture(entry.index), task.error or NO_REASON
        if task.status is TaskStatus.FINISHED:
            if url:
                return self._to_archive(history, entry, task, url) or entry
            if not task.error and not has_waited:
                return None
            which = f"picture {entry.index}" if task.is_grid and entry.index else "a picture"
            reason = f"{entry.provider.label} says that the task is finished, but named no address of {which}."
            reason += f" {task.error}" if task.error else ""
        return history.move(entry.id, State.FAILED, error=reason) or entry

    def _to_archive(self, history: History, entry: Entry, task: Task, url: str) -> Entry | None:
        # A result that is already here stays where it is; any other gets one key for all tries.
        own = self._origins.stored(url, by=entry.provider)
        return history.move(
            entry.id,
            State.ARCHIVING,
            result_url=url,
            result_key=own.key if own else entry.result_key or new_key(),
            result_model=task.model or entry.result_model,
            percentage=100,
            due_at=self._clock(),
        )


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
