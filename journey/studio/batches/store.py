"""The batches table, and what is done with all entries of a batch at once.

An entry of a batch waits as `queued` without a due time. The tracker never takes it up like this, and a restart does
not change it. `feed` makes a few entries due at a time, so a pause stops what has not been sent yet, and a large batch
leaves the provider free for what others queue in the meantime.
"""

from __future__ import annotations

import itertools
import secrets
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from journey.history import LIVE, STALE_AFTER, UNDECIDED, Entry, History, NewEntry, State
from journey.history.tables import COLUMNS, entries, entry_of, wishes_of
from journey.storage.database import Transactions, Within, metadata

NAME_LIMIT = 80
PAUSED_NOTE = "Its batch is paused."

batches = sa.Table(
    "batches",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("name", sa.String(NAME_LIMIT), nullable=False),
    sa.Column("person", sa.String(320)),
    sa.Column("created_at", sa.Float, nullable=False, index=True),
    sa.Column("held", sa.Boolean, nullable=False),
    sa.Column("elsewhere", sa.Integer, nullable=False),
    sa.Column("download_key", sa.String(32), nullable=False, unique=True),
)

_SENT = sa.or_(
    sa.and_(entries.c.state == State.QUEUED, entries.c.due_at.is_not(None)),
    entries.c.state == State.SUBMITTING,
)


@dataclass(frozen=True)
class Batch:
    """What was queued together. `name` is untrusted text; `held` means paused.

    `elsewhere` counts the pictures that another batch was already enlarging. `download_key` opens all results, so it
    belongs only in the download link.
    """

    id: str
    name: str
    person: str | None
    created_at: float
    held: bool
    elsewhere: int
    download_key: str


@dataclass(frozen=True)
class Item:
    """The latest try of one picture. `waits` is True until it is its turn to be sent."""

    entry: Entry
    waits: bool
    tries: int


@dataclass(frozen=True)
class Progress:
    """A batch in numbers. `fraction` is from 0 to 1."""

    total: int
    finished: int
    failed: int
    undecided: int
    ended: int
    under_way: int
    waiting: int
    fraction: float

    @property
    def over(self) -> bool:
        """True when nothing more happens by itself."""
        return self.under_way + self.waiting == 0


class Batches:
    """Reads and writes batches. Entries change their state only by the rules of `History`."""

    def __init__(self, database: Transactions, *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def queue(self, batch_id: str, wanted: Sequence[NewEntry], *, name: str, person: str | None = None) -> Batch:
        """Queue all of these as one batch, or none. The same id once more changes nothing: a double click queues once.

        A picture that is already under way is not queued twice: one that was queued alone joins this batch, one of
        another batch stays there.
        """
        with self._database.write() as connection:
            if known := self._get(connection, batch_id):
                return known
            history = self._history(connection)
            added = [history.add(replace(new, batch=batch_id)) for new in wanted]
            alone = [entry.id for entry in added if entry.batch is None]
            for entry_id in alone:
                history.join(entry_id, batch_id)
            connection.execute(
                batches.insert().values(
                    id=batch_id,
                    name=name[:NAME_LIMIT],
                    person=person,
                    created_at=self._clock(),
                    held=False,
                    elsewhere=sum(entry.batch not in (None, batch_id) for entry in added),
                    download_key=secrets.token_hex(16),
                )
            )
            mine = [entry.id for entry in added if entry.batch == batch_id]
            self._put_in_line(connection, entries.c.id.in_(mine))
            self._feed(connection)
            made = self._get(connection, batch_id)
        assert made is not None  # noqa: S101  it was inserted in this transaction
        return made

    def get(self, batch_id: str) -> Batch | None:
        with self._database.read() as connection:
            return self._get(connection, batch_id)

    def by_download_key(self, key: str) -> Batch | None:
        with self._database.read() as connection:
            row = connection.execute(sa.select(batches).where(batches.c.download_key == key)).one_or_none()
        return None if row is None else Batch(**row._mapping)

    def latest(self, *, limit: int = 5) -> list[tuple[Batch, Progress]]:
        """The newest batches, and how far each has got."""
        newest = sa.select(batches).order_by(batches.c.created_at.desc(), batches.c.id).limit(limit)
        with self._database.read() as connection:
            found = [Batch(**row._mapping) for row in connection.execute(newest)]
            tries = (
                sa.select(
                    entries.c.batch,
                    entries.c.state,
                    entries.c.due_at.is_(None).label("undated"),
                    sa.func.row_number()
                    .over(
                        partition_by=(entries.c.batch, sa.func.coalesce(entries.c.fingerprint, entries.c.id)),
                        order_by=entries.c.created_at.desc(),
                    )
                    .label("age"),
                )
                .where(entries.c.batch.in_([batch.id for batch in found]))
                .subquery()
            )
            counts: dict[str, Counter[tuple[State, bool]]] = {batch.id: Counter() for batch in found}
            grouped = sa.select(tries.c.batch, tries.c.state, tries.c.undated, sa.func.count()).where(tries.c.age == 1)
            for batch_id, state, undated, number in connection.execute(
                grouped.group_by(tries.c.batch, tries.c.state, tries.c.undated)
            ):
                counts[batch_id][State(state), state == State.QUEUED and bool(undated)] += number
        return [(batch, _counted(counts[batch.id])) for batch in found]

    def items(self, batch_id: str) -> list[Item]:
        """The pictures of the batch in the order in which they were given."""
        with self._database.read() as connection:
            return self._items(connection, entries.c.batch == batch_id)

    def pause(self, batch_id: str) -> None:
        """Send nothing more of this batch until it is resumed. What has been sent goes on."""
        with self._database.write() as connection:
            connection.execute(batches.update().where(batches.c.id == batch_id).values(held=True))
            self._hold(connection)

    def resume(self, batch_id: str) -> None:
        with self._database.write() as connection:
            connection.execute(batches.update().where(batches.c.id == batch_id).values(held=False))
            connection.execute(
                entries.update()
                .where(entries.c.batch == batch_id, entries.c.state == State.QUEUED, entries.c.note == PAUSED_NOTE)
                .values(note=None)
            )
            self._feed(connection)

    def cancel_waiting(self, batch_id: str) -> int:
        """Cancel what has not been sent yet. Returns how many entries that was."""
        with self._database.write() as connection:
            history = self._history(connection)
            not_sent = entries.c.state.in_([State.QUEUED, State.ASKING])
            queued = sa.select(entries.c.id).where(entries.c.batch == batch_id, not_sent)
            return sum(
                history.move(entry_id, State.CANCELLED, words="Cancelled with its batch.") is not None
                for entry_id in list(connection.scalars(queued))
            )

    def retry(self, batch_id: str) -> int:
        """Queue once more what failed, in the same batch. Returns how many. What is undecided stays as it is."""
        with self._database.write() as connection:
            history = self._history(connection)
            failed = [
                item.entry.id
                for item in self._items(connection, entries.c.batch == batch_id)
                if item.entry.state is State.FAILED
            ]
            added = [history.add(new) for new in wishes_of(connection, failed)]
            # What somebody has queued elsewhere in the meantime goes on there.
            again = [entry.id for entry in added if entry.batch == batch_id]
            self._put_in_line(connection, entries.c.id.in_(again))
            self._feed(connection)
            return len(again)

    def feed(self) -> None:
        """Make the next entries of each batch due, and hold back what returned to the queue in a paused one.

        The process that works the queues calls this every few seconds.
        """
        loose = sa.and_(entries.c.due_at.is_not(None), batches.c.held)
        next_up = sa.and_(entries.c.due_at.is_(None), sa.not_(batches.c.held))
        query = (
            sa.select(entries.c.id)
            .join(batches, batches.c.id == entries.c.batch)
            .where(entries.c.state == State.QUEUED, sa.or_(loose, next_up))
            .limit(1)
        )
        with self._database.read() as connection:
            idle = connection.execute(query).first() is None
        if idle:
            return
        with self._database.write() as connection:
            self._hold(connection)
            self._feed(connection)

    def _feed(self, connection: sa.Connection) -> None:
        now = self._clock()
        waits = sa.and_(entries.c.state == State.QUEUED, entries.c.due_at.is_(None))
        in_line = (
            sa.select(entries.c.batch, entries.c.provider)
            .join(batches, batches.c.id == entries.c.batch)
            .where(waits, sa.not_(batches.c.held))
            .distinct()
        )
        moving = sa.and_(entries.c.state == State.OPEN, entries.c.changed_at > now - STALE_AFTER)
        for batch_id, provider in connection.execute(in_line).all():
            mine = sa.and_(entries.c.batch == batch_id, entries.c.provider == provider)
            busy = connection.scalar(sa.select(sa.func.count()).where(mine, sa.or_(_SENT, moving))) or 0
            following = (
                sa.select(entries.c.id)
                .where(mine, waits)
                .order_by(entries.c.created_at, entries.c.id)
                .limit(max(0, provider.ahead - busy))
            )
            chosen = list(connection.scalars(following))
            connection.execute(entries.update().where(entries.c.id.in_(chosen)).values(due_at=now))

    def _hold(self, connection: sa.Connection) -> None:
        held = sa.select(batches.c.id).where(batches.c.held)
        connection.execute(
            entries.update()
            .where(entries.c.state == State.QUEUED, entries.c.batch.in_(held))
            .values(due_at=None, note=PAUSED_NOTE)
        )

    def _put_in_line(self, connection: sa.Connection, which: sa.ColumnElement[bool]) -> None:
        connection.execute(entries.update().where(which, entries.c.state == State.QUEUED).values(due_at=None))

    def _get(self, connection: sa.Connection, batch_id: str) -> Batch | None:
        row = connection.execute(sa.select(batches).where(batches.c.id == batch_id)).one_or_none()
        return None if row is None else Batch(**row._mapping)

    def _items(self, connection: sa.Connection, which: sa.ColumnElement[bool]) -> list[Item]:
        query = sa.select(*COLUMNS, entries.c.fingerprint).where(which).order_by(entries.c.created_at)
        found: dict[tuple[object, ...], Item] = {}
        for row in connection.execute(query):
            key = row.batch, row.fingerprint or row.id
            entry = entry_of(row)
            # The two steps of an order are the same picture, and each is tried on its own.
            before = found.get(key)
            tries = before.tries if before and before.entry.step == entry.step else 0
            found[key] = Item(entry, entry.state is State.QUEUED and entry.due_at is None, tries + 1)
        return list(found.values())

    def _history(self, connection: sa.Connection) -> History:
        """The history, writing within this transaction: a whole batch changes at once, by the usual rules.

        Its clock moves on each time it is read, so that entries keep the order in which they were added.
        """
        now, ticks = self._clock(), itertools.count()
        return History(Within(connection), clock=lambda: now + next(ticks) / 1e6)


def progress(items: Sequence[Item]) -> Progress:
    """How far a batch is."""
    part = sum(min(99, item.entry.percentage or 0) / 100 for item in items if item.entry.state in LIVE)
    return _counted(Counter((item.entry.state, item.waits) for item in items), part)


def _counted(counts: Counter[tuple[State, bool]], part: float = 0.0) -> Progress:
    """From the numbers in each state (and whether they wait); `part` is the progress of those under way in pictures."""
    total, live, waiting = counts.total(), 0, 0
    states: Counter[State] = Counter()
    for (state, waits), number in counts.items():
        states[state] += number
        live += number if state in LIVE else 0
        waiting += number if waits else 0
    return Progress(
        total=total,
        finished=states[State.FINISHED],
        failed=states[State.FAILED],
        undecided=sum(states[state] for state in UNDECIDED),
        ended=states[State.CANCELLED] + states[State.ABANDONED] + states[State.STOPPED],
        under_way=live - waiting,
        waiting=waiting,
        fraction=(total - live + part) / total if total else 1.0,
    )


def seconds_left(items: Sequence[Item], now: float) -> float | None:
    """Seconds to go at the pace so far, each picture counted by its pixels; None before the first is finished."""
    done = [item.entry for item in items if item.entry.state is State.FINISHED]
    begun = [entry.submitted_at for entry in done if entry.submitted_at]
    live = [item.entry for item in items if item.entry.state in LIVE]
    if not begun or not live:
        return None
    pace = sum(map(_work, done)) / max(0.1, max(entry.finished_at or now for entry in done) - min(begun))
    left = sum(_work(entry) * (1 - min(99, entry.percentage or 0) / 100) for entry in live)
    return left / pace if pace else None


def _work(entry: Entry) -> float:
    """Source pixels, plus what each picture takes whatever its size."""
    width, height = entry.source.size if entry.source else (1024, 1024)
    return width * height + 50_000
