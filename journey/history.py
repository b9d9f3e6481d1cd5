"""The entries table: what people asked for, how far it is, and what came of it.

An entry moves along these ways and no others:

    queued -> submitting -> open -> archiving -> finished
                 |            ├-> failed          ├-> open (the result was gone: ask the task again), failed
                 |            |                   └-> abandoned (by a person)
                 |            └-> abandoned, stopped (by a person)
                 ├-> failed     refused by the API
                 ├-> queued     proved not to be sent
                 └-> ambiguous -> open (its task id turned up), queued or abandoned (a person decided)
    queued -> cancelled (by a person)
    failed or abandoned, with a task id -> open (a person has its result fetched again; nothing is sent or charged)
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Literal

import sqlalchemy as sa

from journey.database import Database, metadata
from journey.errors import InvalidRequest
from journey.models import CREDITS_PER_UPSCALE, URL_LIMIT, Task, TaskStatus, usable_id

EngineName = Literal["journeyapi", "embedded"]

STALE_AFTER = 30 * 60
"""Seconds without any change of status or percentage after which an open entry is marked stale."""

DOUBLE_CLICK_SECONDS = 10.0

ERROR_LIMIT = 2_000
ANSWER_LIMIT = 4_096
COMMENT_LIMIT = 4_000
"""Characters kept of an error, of an answer that was not understood and of what people write."""

TAG_LIMIT = 40
SEARCH_LIMIT = 200
SEARCH_WORDS = 8
"""Characters and words that are looked at of what people search for."""

_TEXT_LIMITS = {"error": ERROR_LIMIT, "note": ERROR_LIMIT, "answer": ANSWER_LIMIT, "comment": COMMENT_LIMIT}
_HINTED = "A webhook told the task ID."


class State(StrEnum):
    QUEUED = "queued"
    SUBMITTING = "submitting"
    AMBIGUOUS = "ambiguous"
    OPEN = "open"
    ARCHIVING = "archiving"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ABANDONED = "abandoned"
    STOPPED = "stopped"

    @property
    def over(self) -> bool:
        """True when nothing more will happen by itself and nobody has to decide."""
        return self in OVER


OVER = frozenset({State.FINISHED, State.FAILED, State.CANCELLED, State.ABANDONED, State.STOPPED})
LIVE = frozenset({State.QUEUED, State.SUBMITTING, State.OPEN, State.ARCHIVING})

_WAYS: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.SUBMITTING, State.CANCELLED}),
    State.SUBMITTING: frozenset({State.OPEN, State.QUEUED, State.FAILED, State.AMBIGUOUS}),
    State.AMBIGUOUS: frozenset({State.OPEN, State.QUEUED, State.ABANDONED}),
    State.OPEN: frozenset({State.ARCHIVING, State.FAILED, State.ABANDONED, State.STOPPED}),
    State.ARCHIVING: frozenset({State.FINISHED, State.FAILED, State.OPEN, State.ABANDONED}),
    **{state: frozenset() for state in OVER},
}
_FETCHED_AGAIN = frozenset({State.FAILED, State.ABANDONED})

entries = sa.Table(
    "entries",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("fingerprint", sa.String(64), index=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("engine", sa.String(16), nullable=False),
    sa.Column("type", sa.String(2), nullable=False),
    sa.Column("model", sa.String(100)),
    sa.Column("person", sa.String(320)),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("image_url", sa.Text),
    sa.Column("parent_task_id", sa.String(200)),
    sa.Column("index", sa.String(1)),
    sa.Column("source_key", sa.String(64), index=True),
    sa.Column("source_file", sa.String(200)),
    sa.Column("source_width", sa.Integer),
    sa.Column("source_height", sa.Integer),
    sa.Column("webhook_url", sa.Text),
    sa.Column("webhook_secret", sa.Text),
    sa.Column("webhook_token", sa.String(64), unique=True),
    sa.Column("task_id", sa.String(200), index=True),
    sa.Column("task_status", sa.String(16)),
    sa.Column("percentage", sa.Integer),
    sa.Column("credits", sa.Integer, nullable=False),
    sa.Column("hinted_task_id", sa.String(200)),
    sa.Column("result_url", sa.Text),
    sa.Column("result_key", sa.String(64), index=True),
    sa.Column("result_file", sa.String(200)),
    sa.Column("result_width", sa.Integer),
    sa.Column("result_height", sa.Integer),
    sa.Column("result_bytes", sa.BigInteger),
    sa.Column("result_model", sa.String(100)),
    sa.Column("error", sa.Text),
    sa.Column("answer", sa.Text),
    sa.Column("note", sa.Text),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("archive_attempts", sa.Integer, nullable=False),
    sa.Column("due_at", sa.Float),
    sa.Column("created_at", sa.Float, nullable=False, index=True),
    sa.Column("submitted_at", sa.Float),
    sa.Column("changed_at", sa.Float, nullable=False),
    sa.Column("finished_at", sa.Float),
    sa.Column("batch", sa.String(32), index=True),
    sa.Column("came_from", sa.String(200), index=True),
    sa.Column("came_from_index", sa.String(1)),
    sa.Column("comment", sa.Text),
    sa.Index("entries_state_due", "state", "due_at"),
    sa.Index("entries_spent", "submitted_at", "credits", "changed_at"),
    sa.Index("entries_person", "person", "created_at"),
)

# All that a list is filtered and sorted by: a sixth of the table, so that the database can answer from it alone.
# Postgres can index rows of up to 2,704 bytes: no text without a limit belongs in here.
sa.Index(
    "entries_list",
    *(
        entries.c[name]
        for name in (
            "created_at",
            "id",
            "state",
            "engine",
            "type",
            "person",
            "batch",
            "name",
            "task_id",
            "credits",
            "finished_at",
            "result_key",
            "result_width",
            "result_height",
            "result_bytes",
        )
    ),
)
_HAS_COMMENT = entries.c.comment.is_not(None)
sa.Index("entries_commented", entries.c.id, sqlite_where=_HAS_COMMENT, postgresql_where=_HAS_COMMENT)

timeline = sa.Table(
    "timeline",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("entry_id", sa.String(32), sa.ForeignKey("entries.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("words", sa.Text),
)

tags = sa.Table(
    "tags",
    metadata,
    sa.Column("entry_id", sa.String(32), sa.ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("tag", sa.String(40), primary_key=True, index=True),
)

deleted_calls = sa.Table(
    "deleted_calls",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("engine", sa.String(16), nullable=False),
    sa.Column("person", sa.String(320)),
    sa.Column("task_status", sa.String(16)),
    sa.Column("credits", sa.Integer, nullable=False),
    sa.Column("result_width", sa.Integer),
    sa.Column("result_height", sa.Integer),
    sa.Column("submitted_at", sa.Float, nullable=False, index=True),
    sa.Column("changed_at", sa.Float, nullable=False),
)
"""What deleted entries had cost, under the names of `entries`: deleting a task does not give its credits back."""

removals = sa.Table("removals", metadata, sa.Column("key", sa.String(64), primary_key=True))
"""Keys of files whose entries are deleted. Written with the deletion, so that a crash leaves no file behind."""

pauses = sa.Table(
    "pauses",
    metadata,
    sa.Column("engine", sa.String(16), primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("since", sa.Float, nullable=False),
)


@dataclass(frozen=True, kw_only=True)
class _Wish:
    """What was asked for."""

    engine: EngineName
    type: Literal["2x", "4x"]
    name: str
    model: str | None = None
    person: str | None = None
    image_url: str | None = None
    parent_task_id: str | None = None
    index: str | None = None
    source_key: str | None = None
    source_file: str | None = None
    source_width: int | None = None
    source_height: int | None = None
    webhook_url: str | None = None
    batch: str | None = None
    came_from: str | None = None
    came_from_index: str | None = None


@dataclass(frozen=True, kw_only=True)
class NewEntry(_Wish):
    """What a page adds. `fingerprint` is the same for the same picture, settings and person: see `History.add`."""

    fingerprint: str | None = None
    webhook_secret: str | None = None


@dataclass(frozen=True, kw_only=True)
class Entry(_Wish):
    """Times are seconds since 1970 (UTC), sizes are pixels, `credits` is what all its calls cost or may have cost.

    `came_from` is the task whose picture (`came_from_index` of a grid) this one enlarges, whichever engine made it;
    `batch` is the same for all that were queued together, and `comment` is what people wrote about it.
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
    result_file: str | None = None
    result_width: int | None = None
    result_height: int | None = None
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
    def scale(self) -> int:
        return int(self.type[0])

    def is_stale(self, now: float) -> bool:
        """True for an open task that has shown no change for 30 minutes. One that waits its turn here never is."""
        waits_here = self.engine == "embedded" and self.task_status is TaskStatus.PENDING
        return self.state is State.OPEN and not waits_here and now - self.changed_at > STALE_AFTER

    @property
    def can_be_fetched_again(self) -> bool:
        """True when it ended without a result, and the API may still have one."""
        return self.state in _FETCHED_AGAIN and bool(self.task_id)


class Order(StrEnum):
    """How a list is sorted. Equal ones come with the newest first."""

    NEWEST = "newest"
    OLDEST = "oldest"
    LARGEST = "largest"
    NAME = "name"
    DEAREST = "dearest"
    LONGEST = "longest"


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which entries are meant; a field that is left out lets all through.

    `text` is looked for word by word, without regard to case, in name, task id, entry id, person, tags and comment.
    `fills` are pixels that a stored result has to have, either way round. `since` (included) and `until` (not
    included) are times of adding, in seconds since 1970.
    """

    text: str = ""
    states: Collection[State] = ()
    engine: EngineName | None = None
    type: Literal["2x", "4x"] | None = None
    person: str | None = None
    tag: str | None = None
    batch: str | None = None
    came_from: str | None = None
    fills: tuple[int, int] | None = None
    since: float | None = None
    until: float | None = None


EVERYTHING = Filter()


@dataclass(frozen=True)
class Found:
    """One page of what a filter matches, and how many it matches in all. `tags` are those of these entries, by id."""

    entries: Sequence[Entry]
    total: int
    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Moment:
    """One line of an entry's time line."""

    at: float
    state: State
    words: str | None


_COLUMNS = [entries.c[field.name] for field in fields(Entry)]
_COST = sa.case((entries.c.engine == "journeyapi", CREDITS_PER_UPSCALE), else_=0)
"""Credits of one call: 2 at JourneyAPI, nothing on this machine."""


_TOOK = sa.func.coalesce(entries.c.finished_at - entries.c.created_at, -1)
_PIXELS = sa.func.coalesce(sa.cast(entries.c.result_width, sa.BigInteger) * entries.c.result_height, -1)
_NEWEST = (entries.c.created_at.desc(), entries.c.id)
_ORDERS: dict[Order, tuple[sa.ColumnElement[Any], ...]] = {
    Order.NEWEST: _NEWEST,
    Order.OLDEST: (entries.c.created_at, entries.c.id),
    Order.LARGEST: (_PIXELS.desc(), *_NEWEST),
    Order.NAME: (sa.func.lower(entries.c.name), *_NEWEST),
    Order.DEAREST: (entries.c.credits.desc(), *_NEWEST),
    Order.LONGEST: (_TOOK.desc(), *_NEWEST),
}


class History:
    """Reads and writes entries. Every change of state goes through `move`, which refuses to go backwards."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def add(self, new: NewEntry) -> Entry:
        """Queue a new entry.

        When one with the same fingerprint is under way, undecided or only seconds old, that one is given back
        instead: a double click, a second tab or the browser's Back button must not pay twice.
        """
        now = self._clock()
        values = _storable({field.name: getattr(new, field.name) for field in fields(new)})
        entry_id = secrets.token_hex(8)
        with self._database.write() as connection:
            if new.fingerprint and (known := self._twin(connection, new.fingerprint, now)):
                return known
            connection.execute(
                entries.insert().values(
                    **values,
                    id=entry_id,
                    state=State.QUEUED,
                    webhook_token=secrets.token_urlsafe(24),
                    credits=0,
                    attempts=0,
                    archive_attempts=0,
                    created_at=now,
                    changed_at=now,
                    due_at=now,
                )
            )
            self._mark(connection, entry_id, State.QUEUED, None)
            return self._get(connection, entry_id)

    def get(self, entry_id: str) -> Entry | None:
        with self._database.read() as connection:
            return self._one(connection, entries.c.id == entry_id)

    def by_webhook_token(self, token: str) -> Entry | None:
        with self._database.read() as connection:
            return self._one(connection, entries.c.webhook_token == token)

    def latest(
        self,
        *,
        limit: int = 50,
        offset: int = 0,
        states: Iterable[State] = (),
        person: str | None = None,
        fills: tuple[int, int] | None = None,
    ) -> list[Entry]:
        """The newest entries first; with `fills`, only stored results of so many pixels, either way round."""
        wanted = Filter(states=list(states), person=person, fills=fills)
        with self._database.read() as connection:
            return self._by_ids(connection, self._ids(connection, wanted, Order.NEWEST, limit, offset))

    def count(self, *, states: Iterable[State] = (), fills: tuple[int, int] | None = None) -> int:
        with self._database.read() as connection:
            return self._count(connection, Filter(states=list(states), fills=fills))

    def search(
        self, wanted: Filter = EVERYTHING, *, order: Order = Order.NEWEST, limit: int = 50, offset: int = 0
    ) -> Found:
        """One page of the entries that match."""
        with self._database.read() as connection:
            ids = self._ids(connection, wanted, order, limit, offset)
            # A page that is not full, or a first one that is, need no counting of what lies before them.
            total = offset + len(ids) if 0 < len(ids) < limit or offset == len(ids) == 0 else None
            return Found(
                self._by_ids(connection, ids),
                self._count(connection, wanted) if total is None else total,
                self._tags_of(connection, ids),
            )

    def ids(self, wanted: Filter = EVERYTHING, *, order: Order = Order.NEWEST) -> list[str]:
        """The ids of all entries that match."""
        with self._database.read() as connection:
            return self._ids(connection, wanted, order, None, 0)

    def by_ids(self, ids: Sequence[str]) -> Found:
        """These entries in this order; those that are gone are left out."""
        with self._database.read() as connection:
            found = self._by_ids(connection, ids)
            return Found(found, len(found), self._tags_of(connection, ids))

    def persons(self) -> list[str]:
        """Everybody who added an entry, in the order of the alphabet."""
        # From one person to the next: there are few of them in many entries.
        first = sa.select(sa.func.min(entries.c.person).label("person")).cte("persons", recursive=True)
        after = sa.select(sa.func.min(entries.c.person)).where(entries.c.person > first.c.person)
        each = first.union_all(sa.select(after.scalar_subquery()).where(first.c.person.is_not(None)))
        with self._database.read() as connection:
            found = connection.scalars(sa.select(each.c.person).where(each.c.person.is_not(None)))
            return [str(person) for person in found]

    def pulse(self) -> tuple[int, ...]:
        """Numbers that change whenever an entry is added, deleted or moves on; the first one counts all entries."""
        with self._database.read() as connection:
            last = connection.scalar(sa.select(sa.func.max(timeline.c.id)))
            news = connection.scalar(sa.select(sa.func.max(entries.c.changed_at)).where(entries.c.state.in_(LIVE)))
            return self._count(connection, EVERYTHING), last or 0, int(1000 * (news or 0.0))

    def result_bytes(self) -> int:
        """The size of all results that are stored, without their previews."""
        query = sa.select(sa.func.coalesce(sa.func.sum(entries.c.result_bytes), 0)).where(
            entries.c.result_key.is_not(None)
        )
        with self._database.read() as connection:
            return int(connection.scalar(query) or 0)

    def _ids(
        self, connection: sa.Connection, wanted: Filter, order: Order, limit: int | None, offset: int
    ) -> list[str]:
        # Ids first: they come from an index, and whole rows are read only for what is shown.
        query = sa.select(entries.c.id).where(*self._where(wanted)).order_by(*_ORDERS[order])
        return [str(found) for found in connection.scalars(query.limit(limit).offset(offset or None))]

    def _by_ids(self, connection: sa.Connection, ids: Sequence[str]) -> list[Entry]:
        rows = connection.execute(sa.select(*_COLUMNS).where(entries.c.id.in_(ids)))
        known = {entry.id: entry for entry in map(_entry, rows)}
        return [known[each] for each in ids if each in known]

    def _count(self, connection: sa.Connection, wanted: Filter) -> int:
        query = sa.select(sa.func.count()).select_from(entries).where(*self._where(wanted))
        return int(connection.scalar(query) or 0)

    def _where(self, wanted: Filter) -> list[sa.ColumnElement[bool]]:
        found: list[sa.ColumnElement[bool]] = []
        if wanted.states:
            # As an expression, or SQLite would look up and sort all entries in a state that most are in;
            # and so for a person who added most of them.
            found.append((entries.c.state + "").in_(wanted.states))
        for column, value in (
            (entries.c.engine, wanted.engine),
            (entries.c.type, wanted.type),
            (entries.c.person + "", wanted.person),
            (entries.c.batch, wanted.batch),
            (entries.c.came_from, wanted.came_from),
        ):
            if value is not None:
                found.append(column == value)
        if wanted.tag is not None:
            found.append(entries.c.id.in_(sa.select(tags.c.entry_id).where(tags.c.tag == wanted.tag)))
        if wanted.fills is not None:
            found.append(_fills(*wanted.fills))
        if wanted.since is not None:
            found.append(entries.c.created_at >= wanted.since)
        if wanted.until is not None:
            found.append(entries.c.created_at < wanted.until)
        found += [self._has(word) for word in wanted.text[:SEARCH_LIMIT].split()[:SEARCH_WORDS]]
        return found

    def _has(self, word: str) -> sa.ColumnElement[bool]:
        """The word is somewhere in what people know an entry by."""

        word = _fit(word, SEARCH_LIMIT) or ""
        spellings = {word} if word.isascii() else {word, word.lower(), word.upper(), word.title()}
        patterns = [f"%{_literally(each)}%" for each in sorted(spellings)]
        # SQLite's LIKE knows upper and lower case, of ASCII letters only; so does ILIKE in a Postgres without a locale.
        like = "like" if self._database.is_sqlite else "ilike"

        def within(column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
            return sa.or_(*(getattr(column, like)(pattern, escape="/") for pattern in patterns))

        commented = sa.select(entries.c.id).where(_HAS_COMMENT, within(entries.c.comment))
        tagged = sa.select(tags.c.entry_id).where(within(tags.c.tag))
        listed = (entries.c.name, entries.c.task_id, entries.c.person, entries.c.id)
        return sa.or_(*map(within, listed), entries.c.id.in_(commented), entries.c.id.in_(tagged))

    def timeline(self, entry_id: str) -> list[Moment]:
        query = sa.select(timeline).where(timeline.c.entry_id == entry_id).order_by(timeline.c.id)
        with self._database.read() as connection:
            return [Moment(row.at, State(row.state), row.words) for row in connection.execute(query)]

    def due(self, state: State, *, limit: int, engine: EngineName | None = None, ahead: float = 0.0) -> list[Entry]:
        """Entries in this state whose time has come or comes within `ahead` seconds, the longest waiting first."""
        query = (
            sa.select(*_COLUMNS)
            .where(entries.c.state == state, entries.c.due_at <= self._clock() + ahead)
            .order_by(entries.c.due_at, entries.c.created_at, entries.c.id)
            .limit(limit)
        )
        if engine:
            query = query.where(entries.c.engine == engine)
        with self._database.read() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def next_due(self, after: float) -> float | None:
        """The earliest time after this one at which `due` will have something new, or None."""
        query = sa.select(sa.func.min(entries.c.due_at)).where(entries.c.state.in_(LIVE), entries.c.due_at > after)
        with self._database.read() as connection:
            value = connection.scalar(query)
        return None if value is None else float(value)

    def move(
        self,
        entry_id: str,
        to: State,
        *,
        words: str | None = None,
        only_from: State | None = None,
        attempt: int | None = None,
        **changes: Any,
    ) -> Entry | None:
        """Change the state, and with it `changes`, if a way leads there. None when the entry is elsewhere by now.

        `attempt` is `Entry.attempts` as it was when the change was decided on: what came of one call must not
        touch an entry that has been sent again since. Credits are counted here: those of a call from the moment
        it is going to be sent, until it is proved that it was not accepted.
        """
        with self._database.write() as connection:
            return self._move(connection, entry_id, to, words, only_from, attempt, changes)

    def _move(
        self,
        connection: sa.Connection,
        entry_id: str,
        to: State,
        words: str | None,
        only_from: State | None,
        attempt: int | None,
        changes: dict[str, Any],
    ) -> Entry | None:
        now = self._clock()
        origins = [state for state, targets in _WAYS.items() if to in targets and only_from in (None, state)]
        where = [entries.c.id == entry_id, entries.c.state.in_(origins)]
        if attempt is not None:
            where.append(entries.c.attempts == attempt)
        moves_by_itself = to in LIVE and to is not State.SUBMITTING
        values: dict[str, Any] = {"state": to, "changed_at": now, "due_at": now if moves_by_itself else None}
        if to is State.SUBMITTING:
            values |= {"submitted_at": now, "attempts": entries.c.attempts + 1, "credits": entries.c.credits + _COST}
        if to in (State.QUEUED, State.FAILED):
            not_accepted = entries.c.state == State.SUBMITTING
            values["credits"] = entries.c.credits - sa.case((not_accepted, _COST), else_=0)
        if to in OVER:
            values["finished_at"] = now
        if to in OVER or to is State.OPEN:
            values["webhook_secret"] = None
        moved = connection.execute(entries.update().where(*where).values(**values | _storable(changes)))
        if moved.rowcount != 1:
            return None
        self._mark(connection, entry_id, to, words)
        return self._get(connection, entry_id)

    def postpone(self, entry_id: str, due_at: float, **changes: Any) -> None:
        """Set when the entry is looked at next (and `note`, why it waits). Changes no state."""
        with self._database.write() as connection:
            connection.execute(
                entries.update()
                .where(entries.c.id == entry_id, entries.c.state.not_in(OVER))
                .values(due_at=due_at, **_storable(changes))
            )

    def remark(self, entry_id: str, words: str) -> None:
        """Add words to the time line. Changes no state."""
        with self._database.write() as connection:
            if entry := self._one(connection, entries.c.id == entry_id):
                self._mark(connection, entry_id, entry.state, words)

    def lose(self, entry_id: str, error: str, *, attempt: int | None = None, answer: str | None = None) -> Entry | None:
        """The call may have been accepted: `ambiguous`, or `open` when a webhook has told the task id meanwhile."""
        with self._database.write() as connection:
            changes = {"error": error, "answer": answer}
            lost = self._move(connection, entry_id, State.AMBIGUOUS, error, State.SUBMITTING, attempt, changes)
            if lost is None:
                return None
            hinted = connection.scalar(sa.select(entries.c.hinted_task_id).where(entries.c.id == entry_id))
            return self._bind(connection, entry_id, str(hinted), _HINTED) if hinted else lost

    def hint(self, entry: Entry, task_id: str) -> None:
        """A verified webhook named this task. It makes an open entry due now and heals an ambiguous one.

        `entry` is as it was read a moment ago.
        """
        if entry.state in OVER or (entry.state is State.OPEN and (entry.due_at or 0) <= self._clock()):
            return  # most are late or repeated, and need not wait for other writers
        with self._database.write() as connection:
            now = self._get(connection, entry.id)
            update = entries.update().where(entries.c.id == entry.id)
            if now.state is State.OPEN:
                if now.task_id == task_id:
                    connection.execute(update.values(due_at=self._clock()))
            elif now.state in (State.SUBMITTING, State.QUEUED):
                connection.execute(update.values(hinted_task_id=task_id))
            elif now.state is State.AMBIGUOUS:
                self._bind(connection, entry.id, task_id, _HINTED)

    def bind(self, entry_id: str, task_id: str, *, words: str) -> Entry | None:
        """An ambiguous entry's task id turned up: watch that task. Raises InvalidRequest when it can be no task id."""
        if not usable_id(task_id):
            raise InvalidRequest("This cannot be a task ID. Copy the whole ID and try again.")
        with self._database.write() as connection:
            return self._bind(connection, entry_id, task_id, words)

    def _bind(self, connection: sa.Connection, entry_id: str, task_id: str, words: str) -> Entry | None:
        changes = {"task_id": task_id, "task_status": TaskStatus.PENDING, "error": None}
        return self._move(connection, entry_id, State.OPEN, words, State.AMBIGUOUS, None, changes)

    def send_again(self, entry_id: str) -> Entry | None:
        """A person's decision for an ambiguous entry: it may cost its credits twice."""
        return self.move(entry_id, State.QUEUED, words="Sent again by a person.", only_from=State.AMBIGUOUS, error=None)

    def fetch_again(self, entry_id: str) -> Entry | None:
        """A person wants another look at a task that ended here without a result. Nothing is sent or charged.

        None when the entry is not `can_be_fetched_again` any more.
        """
        with self._database.write() as connection:
            fetched = connection.execute(
                entries.update()
                .where(entries.c.id == entry_id, entries.c.state.in_(_FETCHED_AGAIN), entries.c.task_id.is_not(None))
                .values(
                    state=State.OPEN,
                    changed_at=self._clock(),
                    due_at=self._clock(),
                    finished_at=None,
                    error=None,
                    note=None,
                    archive_attempts=0,
                )
            )
            if fetched.rowcount != 1:
                return None
            self._mark(connection, entry_id, State.OPEN, "Fetched again, by a person.")
            return self._get(connection, entry_id)

    def known_tags(self) -> list[str]:
        """All tags in use, in the order of the alphabet."""
        with self._database.read() as connection:
            return self._known_tags(connection)

    def tags_of(self, ids: Sequence[str]) -> dict[str, list[str]]:
        """The tags of these entries, by id; those without any are left out."""
        with self._database.read() as connection:
            return self._tags_of(connection, ids)

    def tag(self, ids: Sequence[str], tag: str) -> str:
        """Give these entries a tag; as it is spelled from now on. Raises InvalidRequest when it can be no tag.

        Tags that differ in upper and lower case only are the same tag: it keeps the spelling it had first.
        """
        with self._database.write() as connection:
            spelled = self._spelled(connection, [tag])
            self._tag(connection, ids, spelled)
        return spelled[0]

    def untag(self, ids: Sequence[str], tag: str) -> None:
        with self._database.write() as connection:
            connection.execute(tags.delete().where(tags.c.entry_id.in_(ids), tags.c.tag == tag))

    def describe(self, entry_id: str, *, tags_now: Sequence[str], comment: str) -> None:
        """Replace the tags and the comment of an entry. Raises InvalidRequest, with nothing changed."""
        if len(comment) > COMMENT_LIMIT:
            raise InvalidRequest(f"A comment has up to {COMMENT_LIMIT:,} characters; this one has {len(comment):,}.")
        with self._database.write() as connection:
            spelled = self._spelled(connection, tags_now)
            if self._one(connection, entries.c.id == entry_id) is None:
                raise InvalidRequest("This task has been deleted meanwhile.")
            connection.execute(tags.delete().where(tags.c.entry_id == entry_id, tags.c.tag.not_in(spelled)))
            self._tag(connection, [entry_id], spelled)
            connection.execute(
                entries.update()
                .where(entries.c.id == entry_id)
                .values(**_storable({"comment": comment.strip() or None}))
            )

    def _tag(self, connection: sa.Connection, ids: Sequence[str], spelled: Sequence[str]) -> None:
        there = connection.execute(
            sa.select(tags.c.entry_id, tags.c.tag).where(tags.c.entry_id.in_(ids), tags.c.tag.in_(spelled))
        )
        has = {(row.entry_id, row.tag) for row in there}
        known = connection.scalars(sa.select(entries.c.id).where(entries.c.id.in_(ids)))
        new = [{"entry_id": each, "tag": tag} for each in known for tag in spelled if (each, tag) not in has]
        if new:
            connection.execute(tags.insert(), new)

    def _spelled(self, connection: sa.Connection, wanted: Sequence[str]) -> list[str]:
        """These tags as they are spelled already, each once. Raises InvalidRequest."""
        known = {tag.casefold(): tag for tag in self._known_tags(connection)}
        spelled = []
        for tag in wanted:
            clean = " ".join("".join(char if char.isprintable() else " " for char in tag).split())
            if not 0 < len(clean) <= TAG_LIMIT:
                raise InvalidRequest(f"A tag has 1 to {TAG_LIMIT} characters.")
            spelled.append(known.setdefault(clean.casefold(), clean))
        return list(dict.fromkeys(spelled))

    def _known_tags(self, connection: sa.Connection) -> list[str]:
        return sorted(map(str, connection.scalars(sa.select(tags.c.tag).distinct())), key=str.casefold)

    def _tags_of(self, connection: sa.Connection, ids: Sequence[str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        rows = connection.execute(sa.select(tags).where(tags.c.entry_id.in_(ids))).all()
        for row in sorted(rows, key=lambda row: row.tag.casefold()):
            found.setdefault(row.entry_id, []).append(row.tag)
        return found

    def delete(self, ids: Sequence[str], *, also: Collection[str] = ()) -> list[Entry]:
        """Delete those of these entries that are over, and give them back as they were.

        The keys of their files, and those of `also`, are noted for `doomed`; nobody has removed the files yet.
        What they had cost stays in `deleted_calls`.
        """
        with self._database.write() as connection:
            query = sa.select(*_COLUMNS).where(entries.c.id.in_(ids), entries.c.state.in_(OVER))
            gone = [_entry(row) for row in connection.execute(query)]
            chosen = entries.c.id.in_([entry.id for entry in gone])
            names = deleted_calls.c.keys()
            paid = sa.select(*(entries.c[name] for name in names)).where(chosen, entries.c.submitted_at.is_not(None))
            connection.execute(deleted_calls.insert().from_select(names, paid))
            connection.execute(entries.delete().where(chosen))
            keys = {key for entry in gone for key in (entry.source_key, entry.result_key) if key} | set(also)
            keys -= set(connection.scalars(sa.select(removals.c.key).where(removals.c.key.in_(keys))))
            if keys:
                connection.execute(removals.insert(), [{"key": key} for key in sorted(keys)])
        return gone

    def doomed(self) -> list[str]:
        """Keys of deleted entries' files that no other entry uses, as its source or its result."""
        used = sa.exists().where(sa.or_(entries.c.source_key == removals.c.key, entries.c.result_key == removals.c.key))
        with self._database.write() as connection:
            connection.execute(removals.delete().where(used))
            return [str(key) for key in connection.scalars(sa.select(removals.c.key))]

    def buried(self, keys: Collection[str]) -> None:
        """The files of these keys are removed."""
        with self._database.write() as connection:
            connection.execute(removals.delete().where(removals.c.key.in_(keys)))

    def observe(self, entry_id: str, task: Task) -> bool:
        """Note what the API said of an open task. True when that is news. The percentage never falls."""
        with self._database.write() as connection:
            entry = self._one(connection, entries.c.id == entry_id)
            if entry is None or entry.state is not State.OPEN:
                return False
            percentage = max(
                (value for value in (entry.percentage, task.percentage) if value is not None), default=None
            )
            if (percentage, task.status) == (entry.percentage, entry.task_status):
                return False
            connection.execute(
                entries.update()
                .where(entries.c.id == entry_id)
                .values(
                    percentage=percentage,
                    task_status=task.status,
                    changed_at=self._clock(),
                    **_storable({"result_model": task.model or entry.result_model}),
                )
            )
            return True

    def webhook_secret(self, entry_id: str) -> str | None:
        """The secret that a person typed in, while it is still kept."""
        with self._database.read() as connection:
            value = connection.scalar(sa.select(entries.c.webhook_secret).where(entries.c.id == entry_id))
        return None if value is None else str(value)

    def note_source(self, entry_id: str, *, width: int, height: int, key: str, file: str) -> None:
        """Remember the source picture of an entry that came by task id."""
        with self._database.write() as connection:
            connection.execute(
                entries.update()
                .where(entries.c.id == entry_id)
                .values(source_width=width, source_height=height, source_key=key, source_file=file)
            )

    def credits_since(self, moment: float) -> int:
        """Credits of calls that were, or may have been, accepted since then."""
        with self._database.read() as connection:
            return sum(
                int(connection.scalar(sa.select(sa.func.sum(of.c.credits)).where(of.c.submitted_at >= moment)) or 0)
                for of in (entries, deleted_calls)
            )

    def results_before(self, moment: float, *, limit: int = 1_000) -> list[Entry]:
        """Finished entries of before then whose result is still stored, and is no source of what is under way."""
        other = entries.alias()
        needed = sa.exists().where(other.c.source_key == entries.c.result_key, other.c.state.not_in(OVER))
        query = (
            sa.select(*_COLUMNS)
            .where(entries.c.finished_at < moment, entries.c.state == State.FINISHED, entries.c.result_key.is_not(None))
            .where(~needed)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def forget_result(self, entry_id: str, note: str) -> None:
        """The result's files are gone; the entry stays."""
        with self._database.write() as connection:
            connection.execute(
                entries.update().where(entries.c.id == entry_id).values(result_key=None, result_file=None, note=note)
            )

    def recover(self) -> None:
        """After a crash: what was being sent may have been accepted; what was being archived is archived again."""
        for entry in self.latest(limit=10_000, states=[State.SUBMITTING]):
            self.lose(
                entry.id, "The program ended while the call was being sent, so it is not known whether it was accepted."
            )
        for entry in self.latest(limit=10_000, states=[State.ARCHIVING]):
            self.move(entry.id, State.OPEN, words="Continued after a restart.", only_from=State.ARCHIVING)
        self.hasten()

    def hasten(self) -> None:
        """Look at everything now: times that were set by a clock that was wrong mean nothing."""
        now = self._clock()
        with self._database.write() as connection:
            connection.execute(
                entries.update().where(entries.c.state.in_(LIVE), entries.c.due_at > now).values(due_at=now)
            )

    def hasten_task(self, task_id: str) -> None:
        """Look at the open entry of this task now."""
        with self._database.write() as connection:
            connection.execute(
                entries.update()
                .where(entries.c.task_id == task_id, entries.c.state == State.OPEN)
                .values(due_at=self._clock())
            )

    def pause(self, engine: EngineName, reason: str) -> None:
        """Stop submitting to this engine until a person resumes it. The first reason stays."""
        with self._database.write() as connection:
            if connection.scalar(sa.select(pauses.c.engine).where(pauses.c.engine == engine)) is None:
                connection.execute(
                    pauses.insert().values(engine=engine, reason=_fit(reason, ERROR_LIMIT), since=self._clock())
                )

    def resume(self, engine: EngineName) -> None:
        with self._database.write() as connection:
            connection.execute(pauses.delete().where(pauses.c.engine == engine))

    def paused(self) -> dict[EngineName, str]:
        """The engines whose queue is paused, and why."""
        with self._database.read() as connection:
            return {row.engine: row.reason for row in connection.execute(sa.select(pauses))}

    def _twin(self, connection: sa.Connection, fingerprint: str, now: float) -> Entry | None:
        undecided = entries.c.state.in_(LIVE | {State.AMBIGUOUS})
        recent = sa.and_(entries.c.created_at > now - DOUBLE_CLICK_SECONDS, entries.c.state == State.FINISHED)
        query = (
            sa.select(*_COLUMNS)
            .where(entries.c.fingerprint == fingerprint, sa.or_(undecided, recent))
            .order_by(entries.c.created_at.desc())
            .limit(1)
        )
        row = connection.execute(query).one_or_none()
        return None if row is None else _entry(row)

    def _one(self, connection: sa.Connection, where: sa.ColumnElement[bool]) -> Entry | None:
        row = connection.execute(sa.select(*_COLUMNS).where(where)).one_or_none()
        return None if row is None else _entry(row)

    def _get(self, connection: sa.Connection, entry_id: str) -> Entry:
        return _entry(connection.execute(sa.select(*_COLUMNS).where(entries.c.id == entry_id)).one())

    def _mark(self, connection: sa.Connection, entry_id: str, state: State, words: str | None) -> None:
        connection.execute(
            timeline.insert().values(entry_id=entry_id, at=self._clock(), state=state, words=_fit(words, ERROR_LIMIT))
        )


def _entry(row: Sequence[Any]) -> Entry:
    values: dict[str, Any] = dict(row._mapping)  # type: ignore[attr-defined]  # the documented way to a row's names
    values["state"] = State(values["state"])
    values["task_status"] = TaskStatus(values["task_status"]) if values["task_status"] else None
    return Entry(**values)


def _literally(word: str) -> str:
    """A pattern for LIKE that means these characters."""
    return re.sub("([/%_])", r"/\1", word)


def _fills(width: int, height: int) -> sa.ColumnElement[bool]:
    wide, high = entries.c.result_width, entries.c.result_height
    either_way = sa.or_(
        sa.and_(wide >= width, high >= height),
        sa.and_(wide >= height, high >= width),
    )
    return sa.and_(entries.c.result_key.is_not(None), either_way)


def _storable(changes: dict[str, Any]) -> dict[str, Any]:
    """Text as both databases can hold it; SQLite alone would take any length and any character."""
    return {
        name: _fit(value, _TEXT_LIMITS.get(name) or entries.c[name].type.length or URL_LIMIT)  # type: ignore[attr-defined]  # only text columns hold text
        if isinstance(value, str)
        else value
        for name, value in changes.items()
    }


def _fit(text: str | None, limit: int) -> str | None:
    """No NUL, no lone surrogate, not longer than the limit."""
    if text is None:
        return None
    return text[:limit].encode("utf-8", "replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")
