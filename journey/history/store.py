"""The history itself: entries are added here, and moved from state to state."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from journey.api.models import Task, TaskStatus, usable_id
from journey.errors import InvalidRequest
from journey.history import turns
from journey.history.entries import Entry, Moment, NewEntry
from journey.history.finding import Lists
from journey.history.joining import joined
from journey.history.kinship import is_pair, twin
from journey.history.labels import Labels
from journey.history.moving import moved_to
from journey.history.named import hint_later, hinted, keep, keep_hint, other_task
from journey.history.pauses import Pauses
from journey.history.reopening import reopen
from journey.history.states import LIVE, OVER, State
from journey.history.steps import second_step
from journey.history.tables import (
    COLUMNS,
    ERROR_LIMIT,
    entries,
    entry_of,
    fit,
    moment_of,
    one,
    result_columns,
    row_of,
    storable,
    timeline,
)
from journey.history.turns import Look, call, furthest, is_news
from journey.provider import Provider
from journey.storage.database import Transactions
from journey.storage.stored import StoredPicture

_HINTED = "A webhook named the task."
_ENDED = "The program ended while the call was being sent, so it is not known whether it was accepted."
_MARK = timeline.insert()
_GET = sa.select(*COLUMNS).where(entries.c.id == sa.bindparam("entry_id"))
_BY_TOKEN = sa.select(*COLUMNS).where(entries.c.webhook_token == sa.bindparam("token"))
# What is said all the time is put together once: that costs more than the answer.


class History:
    """Entries, one at a time. Every change of state goes through `move`, which refuses to go backwards.

    `lists` finds many, `labels` holds what people write about them, and `pauses` holds a provider's queue back.
    `on_end` is told the id of each entry that ends, or that a person has to decide about, once that is stored.
    """

    def __init__(
        self,
        database: Transactions,
        *,
        on_end: Callable[[str], object] = lambda _: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._on_end = on_end
        self._clock = clock
        self.lists = Lists(database)
        self.labels = Labels(database)
        self.pauses = Pauses(database, clock=clock)

    def get(self, entry_id: str) -> Entry | None:
        with self._database.read() as connection:
            return _found(connection, _GET, entry_id=entry_id)

    def by_webhook_token(self, token: str) -> Entry | None:
        with self._database.read() as connection:
            return _found(connection, _BY_TOKEN, token=token)

    def timeline(self, entry_id: str) -> list[Moment]:
        """What happened to an entry, in order."""
        query = sa.select(timeline).where(timeline.c.entry_id == entry_id).order_by(timeline.c.id)
        with self._database.read() as connection:
            return [moment_of(row) for row in connection.execute(query)]

    def add(self, new: NewEntry) -> Entry:
        """Queue a new entry.

        When one with the same fingerprint is under way or undecided, or finished but only seconds old, that one is
        returned instead: a double click, a second tab or the browser's Back button must not pay twice. It takes over
        the new one's webhook as long as it is not sent.
        """
        with self._database.write() as connection:
            return self._add(connection, new)

    def twin_of(self, fingerprint: str) -> Entry | None:
        """The entry that an order with this fingerprint would join; None when it would be a new one."""
        with self._database.read() as connection:
            return twin(connection, fingerprint, self._clock())

    def _add(self, connection: sa.Connection, new: NewEntry) -> Entry:
        now = self._clock()
        entry_id = secrets.token_hex(8)
        if new.fingerprint and (known := twin(connection, new.fingerprint, now)):
            return joined(connection, known, new, now=now)
        # The second step of a picture in a batch waits for its turn, like everything in a batch.
        waits = new.follows and new.batch and not is_pair(new.batch)
        connection.execute(
            entries.insert().values(
                **row_of(new),
                id=entry_id,
                state=State.QUEUED,
                webhook_token=secrets.token_urlsafe(24),
                credits=0,
                attempts=0,
                archive_attempts=0,
                created_at=now,
                changed_at=now,
                due_at=None if waits else now,
            )
        )
        self._mark(connection, entry_id, State.QUEUED, None)
        return self._get(connection, entry_id)

    def due(self, state: State, *, limit: int, provider: Provider | None = None, ahead: float = 0.0) -> list[Entry]:
        """Entries in this state that are due now or within `ahead` seconds, those due first at the top."""
        with self._database.read() as connection:
            return turns.due(connection, state, by=self._clock() + ahead, most=limit, provider=provider)

    def first_due(self) -> dict[State, float]:
        """The earliest time at which an entry of each state is due; a state of which none is, is missing."""
        with self._database.read() as connection:
            return turns.first_due(connection)

    def next_due(self, after: float) -> float | None:
        """The earliest time after this one at which `due` will have something new, or None."""
        with self._database.read() as connection:
            return turns.next_due(connection, after)

    def move(
        self,
        entry_id: str,
        to: State,
        *,
        words: str | None = None,
        only_from: State | None = None,
        attempt: int | None = None,
        was_due_at: float | None = None,
        result: StoredPicture | None = None,
        **changes: Any,
    ) -> Entry | None:
        """Move an entry to this state, with these `changes`. None when no way leads there from where it is by now.

        `attempt` is `Entry.attempts` as it was when the change was decided on: what came of one call must not
        touch an entry that has been sent again since. `was_due_at` is its time as it was then: whoever has given it
        another one since knows more. Credits are counted here: a call's credits count as soon
        as it is about to be sent, and no longer once it is proved that it was not accepted. When the first step of an
        order is finished, its second step is queued in the same transaction, so that no crash loses or doubles it.
        """
        only = {"attempts": attempt, "due_at": was_due_at}
        with self._database.write() as connection:
            moved = self._move(connection, entry_id, to, words, only_from, only, changes, result)
        return self._told(moved)

    def _move(
        self,
        connection: sa.Connection,
        entry_id: str,
        to: State,
        words: str | None,
        only_from: State | None,
        only: dict[str, Any],
        changes: dict[str, Any],
        result: StoredPicture | None = None,
    ) -> Entry | None:
        now, changes = self._clock(), storable(changes)
        if result is not None:
            changes |= result_columns(result)
        moved = moved_to(connection, entry_id, to, only_from=only_from, only=only, changes=changes, now=now)
        if moved is None:
            return None
        self._mark(connection, entry_id, to, words)
        now_there, named = moved
        if named and (to in OVER or to is State.OPEN) and keep_hint(connection, now_there, now=now):
            now_there = self._get(connection, entry_id)
        if to is State.FINISHED and (then := second_step(connection, now_there)):
            self._add(connection, then)
        return now_there

    def postpone(self, entry_id: str, due_at: float, **changes: Any) -> None:
        """Set when the entry is looked at next, and in `note` why it waits. Changes no state."""
        where = [entries.c.id == entry_id, entries.c.state.not_in(OVER)]
        with self._database.write() as connection:
            connection.execute(entries.update().where(*where).values(due_at=due_at, **storable(changes)))

    def look_later(self, looks: Sequence[Look]) -> None:
        """Set when open entries are looked at next. One that has been made due by news since stays as it is."""
        with self._database.write() as connection:
            turns.later(connection, looks)

    def keep_task(self, entry_id: str, task_id: str, *, words: str) -> None:
        """A task of this entry turned up that it does not watch: keep its id, with these words. Changes no state."""
        with self._database.write() as connection:
            if entry := _found(connection, _GET, entry_id=entry_id):
                keep(connection, entry, task_id, words, now=self._clock())

    def lose(self, entry_id: str, error: str, *, attempt: int | None = None, answer: str | None = None) -> Entry | None:
        """The call may have been accepted: `ambiguous`, or `open` if a webhook has named its task by now."""
        with self._database.write() as connection:
            only, changes = {"attempts": attempt}, {"error": error, "answer": answer}
            lost = self._move(connection, entry_id, State.AMBIGUOUS, error, State.SUBMITTING, only, changes)
            if lost is None:
                return None
            if task_id := hinted(connection, lost):
                return self._bind(connection, entry_id, task_id, _HINTED)
        return self._told(lost)

    def hint(self, entry: Entry, task_id: str) -> None:
        """A verified webhook named this task. It makes an open entry due now and heals an ambiguous one.

        A task that the entry does not watch may have been paid for as well, so its id is kept whatever state the entry
        is in. `entry` may have been read a moment ago: it is read again before anything changes.
        """
        with self._database.write() as connection:
            now = _found(connection, _GET, entry_id=entry.id)
            if now is None:
                return
            if now.state is State.AMBIGUOUS:
                self._bind(connection, entry.id, task_id, _HINTED)
            elif now.state in (State.SUBMITTING, State.QUEUED):
                if hinted(connection, now) not in (None, task_id):
                    keep_hint(connection, now, now=self._clock())
                hint_later(connection, now, task_id)
            elif now.state is State.OPEN and now.task_id == task_id:
                call(connection, entries.c.id == entry.id, now=self._clock())
            else:
                keep(connection, now, task_id, other_task(task_id), now=self._clock())

    def bind(self, entry_id: str, task_id: str, *, words: str) -> Entry | None:
        """An ambiguous entry's task id turned up: watch that task. Raises InvalidRequest if it cannot be a task id."""
        if not usable_id(task_id):
            raise InvalidRequest("This cannot be a task ID. Copy the whole ID and try again.")
        with self._database.write() as connection:
            return self._bind(connection, entry_id, task_id, words)

    def _bind(self, connection: sa.Connection, entry_id: str, task_id: str, words: str) -> Entry | None:
        changes = {"task_id": task_id, "task_status": TaskStatus.PENDING, "error": None}
        return self._move(connection, entry_id, State.OPEN, words, State.AMBIGUOUS, {}, changes)

    def send_again(self, entry_id: str) -> Entry | None:
        """Send an ambiguous entry again, as a person decided. Its credits may be charged twice."""
        return self.move(entry_id, State.QUEUED, words="Sent again by a person.", only_from=State.AMBIGUOUS, error=None)

    def fetch_again(self, entry_id: str) -> Entry | None:
        """Ask once more for the result of a task that ended here without one. Nothing is sent or charged.

        None when the entry is no longer one that `can_be_fetched_again`.
        """
        with self._database.write() as connection:
            if not reopen(connection, entry_id, now=self._clock()):
                return None
            self._mark(connection, entry_id, State.OPEN, "Fetched again by a person.")
            return self._get(connection, entry_id)

    def finish_by_hand(self, entry_id: str, result: StoredPicture, *, note: str | None) -> Entry | None:
        """Keep a result that a person fetched. None when the entry is none that `lacks_result` by now."""
        words = "A person uploaded its result."
        with self._database.write() as connection:
            reopen(connection, entry_id, now=self._clock())
            self._move(connection, entry_id, State.ARCHIVING, words, State.OPEN, {}, {})
            done = self._move(connection, entry_id, State.FINISHED, words, State.ARCHIVING, {}, {"note": note}, result)
        return self._told(done)

    def beginning(self, entry: Entry) -> Entry:
        """The entry with which its order began: the first step of a second one, else the entry itself."""
        return (self.get(entry.follows) if entry.follows else None) or entry

    def go_on(self, first_id: str) -> Entry | None:
        """Queue the second step of an order once more, unless it is under way or finished; returns it either way.

        None when nothing follows this entry, or when its result is no longer stored.
        """
        with self._database.write() as connection:
            first = _found(connection, _GET, entry_id=first_id)
            if first is None or (following := second_step(connection, first)) is None:
                return None
            done = sa.and_(entries.c.follows == first_id, entries.c.state == State.FINISHED)
            return one(connection, done) or self._add(connection, following)

    def end_after_first_step(self, entry_id: str) -> bool:
        """Let nothing follow an entry that is about to be finished. False when it has been finished by now."""
        with self._database.write() as connection:
            ended = connection.execute(
                entries.update()
                .where(entries.c.id == entry_id, entries.c.then_type.is_not(None), entries.c.state.in_(LIVE))
                .values(then_type=None, then_network=None)
            )
            if ended.rowcount:
                self._mark(connection, entry_id, self._get(connection, entry_id).state, "Nothing is to follow it.")
            return bool(ended.rowcount)

    def join(self, entry_id: str, batch: str) -> None:
        """Make an entry that was queued alone part of this batch."""
        with self._database.write() as connection:
            connection.execute(
                entries.update().where(entries.c.id == entry_id, entries.c.batch.is_(None)).values(batch=batch)
            )

    def observe(self, entry_id: str, task: Task) -> bool:
        """Note what the API said about an open task. True when it is news. The percentage never falls."""
        with self._database.write() as connection:
            entry = _found(connection, _GET, entry_id=entry_id)
            if entry is None or entry.state is not State.OPEN:
                return False
            if not is_news(entry, task):
                return False
            connection.execute(
                entries.update()
                .where(entries.c.id == entry_id)
                .values(
                    percentage=furthest(entry, task),
                    task_status=task.status,
                    changed_at=self._clock(),
                    **storable({"result_model": task.model or entry.result_model}),
                )
            )
            return True

    def webhook_secret(self, entry_id: str) -> str | None:
        """The secret that a person typed in, while it is still kept."""
        with self._database.read() as connection:
            value = connection.scalar(sa.select(entries.c.webhook_secret).where(entries.c.id == entry_id))
        return None if value is None else str(value)

    def recover(self) -> None:
        """After a crash: what was being sent may have been accepted; what was being archived is archived again.

        A provider here knows which calls it has accepted, so they are made again, and nobody has to decide.
        """
        for entry in self.lists.latest(limit=10_000, states=[State.SUBMITTING, State.AMBIGUOUS]):
            if entry.provider.is_here:
                self.move(entry.id, State.QUEUED, words="Asked for again after a restart.", error=None)
            elif entry.state is State.SUBMITTING:
                self.lose(entry.id, _ENDED)
        for entry in self.lists.latest(limit=10_000, states=[State.ARCHIVING]):
            self.move(entry.id, State.OPEN, words="Continued after a restart.", only_from=State.ARCHIVING)
        self.hasten()

    def hasten(self) -> None:
        """Make everything due now: times that a wrong clock has set mean nothing."""
        now = self._clock()
        with self._database.write() as connection:
            connection.execute(
                entries.update().where(entries.c.state.in_(LIVE), entries.c.due_at > now).values(due_at=now)
            )

    def hasten_task(self, task_id: str) -> None:
        """Make the open entry of this task due now, before all others."""
        with self._database.write() as connection:
            call(connection, sa.and_(entries.c.task_id == task_id, entries.c.state == State.OPEN), now=self._clock())

    def _told(self, moved: Entry | None) -> Entry | None:
        if moved is not None and moved.state not in LIVE:
            self._on_end(moved.id)
        return moved

    def _get(self, connection: sa.Connection, entry_id: str) -> Entry:
        return entry_of(connection.execute(_GET, {"entry_id": entry_id}).one())

    def _mark(self, connection: sa.Connection, entry_id: str, state: State, words: str | None) -> None:
        said = {"entry_id": entry_id, "at": self._clock(), "state": state, "words": fit(words, ERROR_LIMIT)}
        connection.execute(_MARK, said)


def _found(connection: sa.Connection, query: sa.Select[Any], **which: str) -> Entry | None:
    row = connection.execute(query, which).first()
    return None if row is None else entry_of(row)
