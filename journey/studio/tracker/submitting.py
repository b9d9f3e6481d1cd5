"""Turns queued entries into calls: the intent is written down, the call is made once, its outcome is written down."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from journey.api.client import JourneyClient
from journey.api.errors import (
    Ambiguous,
    AuthenticationFailed,
    GatewayRefused,
    InsufficientCredits,
    NotSent,
    RateLimited,
    ServerError,
    Untrusted,
    WrongAddress,
)
from journey.api.models import TaskStatus, UpscaleRequest
from journey.background import Loop
from journey.errors import DatabaseAway, InvalidRequest, JourneyError
from journey.history import Entry, History, State
from journey.history.states import MEANT
from journey.history.together import Group, transactions
from journey.outside.expiring import expires_at
from journey.provider import Provider
from journey.storage.database import Transactions
from journey.storage.failpoints import reach
from journey.storage.stored import Origins
from journey.studio.tracker.errands import Errands
from journey.studio.tracker.holds import Holds, backoff
from journey.studio.tracker.lines import Line
from journey.studio.tracker.sending import Sendable

log = logging.getLogger(__name__)

LINK_SECONDS = 30.0
"""How long a link has to be good from now on, so that it can still be fetched."""

SUBMITS_AT_ONCE = 8
"""Calls under way at each provider, so that a slow one does not hold up another."""

Outcome = Callable[[History], Entry | None]
"""Writes down what came of a call, and returns the entry as it then is; None when it has gone another way."""

MaySpend = Callable[[Entry, Transactions], str | None]
"""Says why an entry must not be sent now, as the database is within these transactions; None when it may be."""


class Submitting:
    """Sends what is due. `loop` says when everything is being stopped."""

    def __init__(
        self,
        history: History,
        group: Group,
        errands: Errands,
        loop: Loop,
        *,
        origins: Origins,
        sendable: Sendable,
        webhook_for: Callable[[Entry], tuple[str, str] | None],
        may_spend: MaySpend,
        clock: Callable[[], float],
    ) -> None:
        self._history = history
        self._group = group
        self._errands = errands
        self._loop = loop
        self._origins = origins
        self._sendable = sendable
        self._webhook_for = webhook_for
        self._may_spend = may_spend
        self._clock = clock
        self._holds = Holds(clock)
        self._numbers = itertools.count(1)
        self._lines: dict[Provider, Line] = {}
        self._paused: set[Provider] = set()
        self._refusing: set[Provider] = set()
        """Providers whose queue is paused, and those that have refused the key or the purse since the last step."""

    def hand_out(self, provider: Provider, client: JourneyClient, paused: Mapping[Provider, str]) -> None:
        """Hand out the entries whose turn it is at this provider, unless its queue is paused or held."""
        line = self._lines.setdefault(
            provider,
            Line(
                lambda most: self._history.due(State.QUEUED, limit=most, provider=provider),
                takes=lambda entry: self._errands.takes(f"submit {entry.id}"),
            ),
        )
        self._paused = set(paused)
        self._refusing.discard(provider)
        if self._is_held(provider):
            line.clear()
            return
        kind = f"submit to {provider}"
        if free := SUBMITS_AT_ONCE - self._errands.count(kind):
            for _ in range(min(free, line.fill())):
                self._errands.hand_out(f"{kind} {next(self._numbers)}", partial(self._send_in_turn, client, line))

    def let_go(self) -> None:
        """Forget that providers were to be left alone."""
        self._holds.end_all()

    def _send_in_turn(self, client: JourneyClient, line: Line) -> None:
        """Send one entry after another, as long as some wait and their provider may be called."""
        while entry := line.take():
            try:
                went_well = self._errands.run(f"submit {entry.id}", partial(self._submit, client, entry))
            finally:
                line.done(entry)
            if not went_well or self._loop.is_stopping or self._is_held(entry.provider):
                return

    def _submit(self, client: JourneyClient, entry: Entry) -> None:
        if reason := self._expired(entry):
            self._history.move(entry.id, State.ASKING, only_from=State.QUEUED, words=reason, error=reason)
            return
        try:
            request = self._request(entry)
        except JourneyError as error:
            if _claim(self._history, entry):
                self._history.move(entry.id, State.FAILED, error=str(error), words="Not sent.")
            return
        sending = self._group.store(partial(self._claimed, entry))
        if sending is None:
            return
        reach("after submitting is stored")
        if sending.webhook_url != entry.webhook_url:
            # A second order gave it another webhook after the request was made.
            self._write_down(entry.id, _back(sending, State.QUEUED, words="Its webhook has changed."))
            return
        if self._loop.is_stopping or self._is_refused(entry.provider):
            # Of those that were claimed with it, one was refused before this one's call began.
            self._write_down(entry.id, _back(sending, State.QUEUED, words="Not sent after all."))
            return
        stored = self._write_down(entry.id, self._send(client, sending, request))
        if stored and stored.state is State.OPEN:
            reach("after the task id is stored")

    def _claimed(self, entry: Entry, history: History) -> Entry | None:
        """The entry as it is about to be sent; None when it must not be."""
        # Another entry that was handed out with this one may have been refused since, or is about to spend the rest.
        if self._loop.is_stopping or self._is_held(entry.provider):
            return None
        if entry.provider in history.pauses.reasons():
            self._paused.add(entry.provider)
            return None
        if reason := self._may_spend(entry, transactions(history)):
            history.pauses.begin(entry.provider, reason)
            self._paused.add(entry.provider)
            return None
        reach("before submitting is stored")
        return _claim(history, entry)

    def _send(self, client: JourneyClient, entry: Entry, request: UpscaleRequest) -> Outcome:
        """Make the call, once. Returns what writes down what came of it."""
        back = partial(_back, entry)
        try:
            task_id = client.upscale(request)
            reach("after the call")
        except (AuthenticationFailed, InsufficientCredits, Untrusted, WrongAddress) as error:
            self._refusing.add(entry.provider)
            return partial(_paused, str(error), back(State.QUEUED, words=str(error), note=str(error)), entry.provider)
        except (NotSent, RateLimited, GatewayRefused) as error:
            due_at = self._holds.begin(entry.provider, error)
            return back(State.QUEUED, words=str(error), note=str(error), due_at=due_at)
        except InvalidRequest as error:
            return back(State.FAILED, words="Refused.", error=str(error))
        except (Ambiguous, ServerError) as error:
            said, answer = str(error), error.answer
        except Exception as error:
            # Whatever it was, it does not prove that nothing was sent.
            log.exception("entry %s while submitting", entry.id)
            said, answer = f"The call ended unexpectedly ({type(error).__name__}).", None
        else:
            log.info("entry %s is task %s", entry.id, task_id)
            self._holds.end(entry.provider)
            return partial(self._accepted, entry, task_id)
        if entry.provider.is_here:
            # The call names the entry, so made once more it leads to the same task.
            due_at = self._clock() + backoff(entry.attempts)
            return back(State.QUEUED, words=said, note=said, due_at=due_at)
        return lambda history: history.lose(entry.id, said, attempt=entry.attempts, answer=answer)

    def _accepted(self, entry: Entry, task_id: str, history: History) -> Entry | None:
        # What this machine said about the task before its id was stored found no entry, so it is asked at once.
        pause = 0.0 if entry.provider.is_here else entry.provider.poll[0]
        # The entry is ambiguous if another process took over the queue in the middle of this call.
        for state in (State.SUBMITTING, State.AMBIGUOUS):
            if stored := history.move(
                entry.id,
                State.OPEN,
                only_from=state,
                attempt=entry.attempts,
                task_id=task_id,
                task_status=TaskStatus.PENDING,
                due_at=self._clock() + pause,
                note=None,
                error=None,
            ):
                return stored
        words = f"An earlier call turned out to have been accepted, as task {task_id}."
        history.keep_task(entry.id, task_id, words=words)
        return None

    def _write_down(self, entry_id: str, outcome: Outcome) -> Entry | None:
        """Write down an outcome, however long the database is away: a lost task id is a lost payment."""
        for tries in itertools.count():
            try:
                return self._group.store(outcome)
            except DatabaseAway:
                log.warning("entry %s: what came of its call cannot be stored yet", entry_id)
                if self._loop.rest(min(30.0, 0.1 * 2.0**tries)):
                    break
        return self._group.store(outcome)

    def _request(self, entry: Entry) -> UpscaleRequest:
        fields: dict[str, str | None] = {
            "type": entry.type,
            "parent_task_id": entry.parent_task_id,
            "index": entry.index,
            "image_url": None if entry.parent_task_id else self._image_url(entry),
            "model": entry.network if entry.provider.has_networks else None,
            "reference": entry.id if entry.provider.is_here else None,
        }
        if entry.webhook_url:
            fields["webhook_url"] = entry.webhook_url
            fields["webhook_secret"] = self._history.webhook_secret(entry.id)
        elif ours := self._webhook_for(entry):
            fields["webhook_url"], fields["webhook_secret"] = ours
        return UpscaleRequest.checked({name: value for name, value in fields.items() if value is not None})

    def _expired(self, entry: Entry) -> str | None:
        """Why a person is asked before this entry is sent: only a link that has expired would be sent. None otherwise.

        What a person has sent all the same was meant, and is not asked about again.
        """
        if entry.provider.is_here or entry.parent_task_id or not entry.image_url:
            return None
        end = self._end_of_link(entry)
        if end is None or (entry.source and self._origins.for_provider(entry.provider)):
            return None
        if any(moment.words == MEANT for moment in self._history.timeline(entry.id)):
            return None
        return (
            f"The link of this picture expired on {end.day} {end:%B %Y}, so {entry.provider.label} could probably not "
            "fetch it. Nothing was sent or charged. Run it on this machine, order it again with a new link, or send it "
            "all the same."
        )

    def _end_of_link(self, entry: Entry) -> datetime | None:
        """When the link of an entry has expired, or is about to; None while it is good."""
        end = expires_at(entry.image_url or "")
        return end if end and end.timestamp() <= self._clock() + LINK_SECONDS else None

    def _image_url(self, entry: Entry) -> str | None:
        """The address of the source: our own copy here, for uploads and for links that have expired, else the link."""
        origin = self._origins.for_provider(entry.provider)
        has_link = entry.image_url and not (origin and self._end_of_link(entry))
        if entry.source and (entry.provider.is_here or not has_link):
            if origin is None:
                raise InvalidRequest(
                    f"{entry.provider.label} cannot reach pictures on this machine. "
                    "Set JOURNEY_PUBLIC_URL, give a public image URL, or use this machine."
                )
            sent = entry.source if entry.provider.is_here else self._sendable(entry.source)
            return sent.url(origin)
        return entry.image_url

    def _is_held(self, provider: Provider) -> bool:
        return provider in self._paused or self._is_refused(provider)

    def _is_refused(self, provider: Provider) -> bool:
        """True when an answer of the provider says that the next call would fail as well."""
        return provider in self._refusing or self._holds.has(provider)


def _claim(history: History, entry: Entry) -> Entry | None:
    """Moves an entry on that is about to be sent, unless it has been sent, stopped or held back since it was read."""
    return history.move(entry.id, State.SUBMITTING, attempt=entry.attempts, was_due_at=entry.due_at)


def _back(entry: Entry, to: State, **changes: Any) -> Outcome:
    """Moves an entry on that was being sent, unless it has been sent again since."""
    return lambda history: history.move(entry.id, to, only_from=State.SUBMITTING, attempt=entry.attempts, **changes)


def _paused(reason: str, then: Outcome, provider: Provider, history: History) -> Entry | None:
    """Pauses the queue before anything else, so that the entry is not taken up again in between."""
    history.pauses.begin(provider, reason)
    return then(history)
