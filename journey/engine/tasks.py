"""The tasks of the embedded engine: their table, and what may be read and changed in it.

Everything that a restart needs is here. A task that was interrupted is done again under the same result key, so that
there is only one result.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from journey.api.errors import RateLimited
from journey.api.models import TaskStatus
from journey.engine.wire import TaskSaid
from journey.errors import Stopped
from journey.storage.database import Transactions, metadata
from journey.storage.stored import StoredFile
from journey.storage.uses import Claim, User

QUEUE_LIMIT = 200
"""Tasks that may wait or run at once; more are answered with 429."""

_SPEED_SAMPLES = 5
_SPEED_FROM_PIXELS = 250_000
"""A smaller picture measures the overhead, not the speed."""

engine_tasks = sa.Table(
    "engine_tasks",
    metadata,
    sa.Column("task_id", sa.String(64), primary_key=True),
    sa.Column("owner", sa.String(64)),
    sa.Column("type", sa.String(2), nullable=False),
    sa.Column("model", sa.String(100), nullable=False),
    sa.Column("network", sa.String(100), nullable=False),
    sa.Column("image_url", sa.Text),
    sa.Column("parent_task_id", sa.String(200)),
    sa.Column("index", sa.String(1)),
    sa.Column("source_key", sa.String(64)),
    sa.Column("source_file", sa.String(200)),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("status", sa.String(16), nullable=False, index=True),
    sa.Column("percentage", sa.Integer, nullable=False),
    sa.Column("error", sa.Text),
    sa.Column("result_key", sa.String(64), nullable=False, index=True),
    sa.Column("pictures", sa.Text, nullable=False),
    sa.Column("composed", sa.Text),
    sa.Column("source_pixels", sa.Integer),
    sa.Column("seconds", sa.Float),
    sa.Column("webhook_url", sa.Text),
    sa.Column("webhook_secret", sa.Text),
    sa.Column("webhook_attempts", sa.Integer, nullable=False),
    sa.Column("webhook_due_at", sa.Float, index=True),
    sa.Column("created_at", sa.Float, nullable=False, index=True),
    sa.Column("finished_at", sa.Float),
)

engine_totals = sa.Table(
    "engine_totals",
    metadata,
    sa.Column("owner", sa.String(64), primary_key=True),
    sa.Column("finished", sa.Integer, nullable=False),
)
"""How many tasks of each owner have finished, with those that are no longer kept: counting rows takes ever longer."""

# The numbers are spelled out, so that no plan that was made without them misses the index.
_IS_MEASURE = sa.and_(
    engine_tasks.c.seconds > sa.literal_column("0"),
    engine_tasks.c.source_pixels >= sa.literal_column(str(_SPEED_FROM_PIXELS)),
)
sa.Index(
    "engine_tasks_measures",
    engine_tasks.c.network,
    engine_tasks.c.type,
    engine_tasks.c.finished_at,
    sqlite_where=_IS_MEASURE,
    postgresql_where=_IS_MEASURE,
)

ACTIVE = (TaskStatus.PENDING, TaskStatus.STARTING, TaskStatus.PROCESSING)
"""What a task is until it is over."""

CLAIMS = (
    Claim(User.TASK, engine_tasks.c.result_key),
    Claim(User.TASK, engine_tasks.c.source_key, engine_tasks.c.status.in_(ACTIVE)),
)
"""A task uses its result until that is given up, and its source until the task is over, whichever key ordered it."""

# Built once, because every poll of every caller uses it. The owner is compared afterwards: a database that has an index
# for owners as well takes the wrong one of the two when asked for many ids, and reads all that the owner ever ordered.
_CHOSEN = sa.select(engine_tasks).where(engine_tasks.c.task_id.in_(sa.bindparam("task_ids", expanding=True)))


@dataclass(frozen=True)
class EngineTask:
    """One row of the table. For a grid, `composed` is the whole and `pictures` are its parts."""

    task_id: str
    owner: str | None
    type: str
    model: str
    network: str
    status: TaskStatus
    percentage: int
    error: str | None
    image_url: str | None
    source: StoredFile | None
    result_key: str
    pictures: tuple[StoredFile, ...]
    composed: StoredFile | None
    origin: str
    created_at: float

    @property
    def scale(self) -> int:
        """The multiplier as a number: 2 or 4."""
        return int(self.type[0])

    def said(self, origin: str) -> TaskSaid:
        """The task as the API reports it; the addresses of pictures begin with `origin`."""
        task = TaskSaid(
            task_id=self.task_id,
            task_type="imagine" if self.composed else f"upscale-{self.type}",
            model=self.model,
            status=self.status,
        )
        if self.status is TaskStatus.FAILED:
            return task.model_copy(update={"error": self.error or "The task failed."})
        fields: dict[str, object] = {"percentage": str(self.percentage)}
        if self.status is TaskStatus.FINISHED:
            urls = [picture.url(origin) for picture in self.pictures]
            if self.composed:
                fields |= {"original_image_url": self.composed.url(origin), "image_urls": urls}
            else:
                fields["image_url"] = urls[0]
        return task.model_copy(update=fields)


@dataclass(frozen=True)
class Delivery:
    """A webhook that is due. `attempts` counts those already made."""

    task: EngineTask
    url: str
    secret: str | None
    attempts: int


class Tasks:
    """Reads and writes tasks. `on_move` is told the id of each that starts, progresses or ends."""

    def __init__(
        self,
        database: Transactions,
        *,
        on_move: Callable[[str], object] = lambda _: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._on_move = on_move
        self._clock = clock

    def get(self, task_ids: Sequence[str], *, owner: str) -> list[EngineTask]:
        """The tasks among these that this owner may see, in the order asked."""
        with self._database.read() as connection:
            rows = connection.execute(_CHOSEN, {"task_ids": list(task_ids)})
            found = {row.task_id: _task_of(row) for row in rows if row.owner in (owner, None)}
        return [found[task_id] for task_id in dict.fromkeys(task_ids) if task_id in found]

    def finished_count(self, *, owner: str) -> int:
        """How many tasks of this owner have ever finished."""
        query = sa.select(engine_totals.c.finished).where(engine_totals.c.owner == owner)
        with self._database.read() as connection:
            return int(connection.scalar(query) or 0)

    def measured_speed(self, network: str, scale: int, *, since: float = 0.0) -> float | None:
        """Source pixels per second, from start to stored result: the median of the last few such tasks, or None.

        Only tasks that ended after `since`, in seconds since 1970, are counted.
        """
        query = (
            sa.select(engine_tasks.c.source_pixels, engine_tasks.c.seconds)
            .where(
                engine_tasks.c.network == network,
                engine_tasks.c.type == f"{scale}x",
                _IS_MEASURE,
                engine_tasks.c.finished_at > since,
            )
            .order_by(engine_tasks.c.finished_at.desc())
            .limit(_SPEED_SAMPLES)
        )
        with self._database.read() as connection:
            speeds = [row.source_pixels / row.seconds for row in connection.execute(query)]
        return statistics.median(speeds) if speeds else None

    def add(self, task_id: str, *, source: StoredFile | None, **values: Any) -> None:
        """Queue a task, unless it is known. Raises RateLimited when the queue is full."""
        with self._database.write() as connection:
            if connection.scalar(sa.select(engine_tasks.c.task_id).where(engine_tasks.c.task_id == task_id)):
                return
            waiting = sa.select(sa.func.count()).where(engine_tasks.c.status.in_(ACTIVE))
            if (connection.scalar(waiting) or 0) >= QUEUE_LIMIT:
                raise RateLimited("The queue is full. Try again later.", retry_after=30)
            connection.execute(
                engine_tasks.insert().values(
                    task_id=task_id,
                    source_key=source.key if source else None,
                    source_file=source.file if source else None,
                    status=TaskStatus.PENDING,
                    percentage=0,
                    pictures="[]",
                    webhook_attempts=0,
                    created_at=self._clock(),
                    **values,
                )
            )

    def add_finished(
        self, task_id: str, *, model: str, pictures: Sequence[StoredFile], composed: StoredFile | None = None
    ) -> None:
        """Add a finished task that every key can see (for the samples). Does nothing when it exists."""
        with self._database.write() as connection:
            if connection.scalar(sa.select(engine_tasks.c.task_id).where(engine_tasks.c.task_id == task_id)):
                return
            connection.execute(
                engine_tasks.insert().values(
                    task_id=task_id,
                    owner=None,
                    type="2x",
                    model=model,
                    network=model,
                    origin="",
                    status=TaskStatus.FINISHED,
                    percentage=100,
                    result_key=pictures[0].key,
                    pictures=_to_json(pictures),
                    composed=_to_json([composed]) if composed else None,
                    webhook_attempts=0,
                    created_at=self._clock(),
                    finished_at=self._clock(),
                )
            )

    def oldest_active(self, *, besides: Collection[str] = ()) -> EngineTask | None:
        """The oldest task that is not over, and is not one of those `besides`.

        What is marked as running besides them was interrupted, and is older than all that wait.
        """
        query = (
            sa.select(engine_tasks)
            .where(engine_tasks.c.status.in_(ACTIVE))
            .order_by(engine_tasks.c.created_at, engine_tasks.c.task_id)
            .limit(1 + len(besides))
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return next((_task_of(row) for row in rows if row.task_id not in besides), None)

    def note(self, task_id: str, **values: Any) -> None:
        """Change a task that is not over. Raises Stopped when it is over, because somebody cancelled it."""
        with self._database.write() as connection:
            changed = connection.execute(engine_tasks.update().where(*_not_over(task_id)).values(**values)).rowcount
        if not changed:
            raise Stopped("The task was cancelled.")
        self._on_move(task_id)

    def fail(self, task_id: str, error: str, *, owner: str | None = None) -> bool:
        """End a task as failed, once: False when it is over already (or is not this owner's)."""
        return self._end(task_id, owner, status=TaskStatus.FAILED, error=error)

    def finish(self, task_id: str, result: StoredFile, *, source_pixels: int, seconds: float) -> bool:
        """End a task with its result, once: False when it is over already."""
        return self._end(
            task_id,
            None,
            status=TaskStatus.FINISHED,
            percentage=100,
            pictures=_to_json([result]),
            source_pixels=source_pixels,
            seconds=seconds,
        )

    def give_up_results(self, task_ids: Collection[str]) -> set[str]:
        """Let go of the results of these tasks, as far as they are over. Returns the keys of those that were stored."""
        chosen = sa.and_(engine_tasks.c.task_id.in_(task_ids), engine_tasks.c.status.not_in(ACTIVE))
        stored = sa.select(engine_tasks.c.result_key).where(chosen, engine_tasks.c.status == TaskStatus.FINISHED)
        with self._database.write() as connection:
            keys = {str(key) for key in connection.scalars(stored) if key}
            connection.execute(engine_tasks.update().where(chosen).values(result_key=""))
        return keys

    def _end(self, task_id: str, owner: str | None, **values: Any) -> bool:
        now = self._clock()
        conditions = [*_not_over(task_id), *([engine_tasks.c.owner == owner] if owner else [])]
        due_at = sa.case((engine_tasks.c.webhook_url.is_not(None), now), else_=None)
        ending = engine_tasks.update().where(*conditions).values(finished_at=now, webhook_due_at=due_at, **values)
        with self._database.write() as connection:
            ended = connection.execute(ending).rowcount
            if ended and values["status"] is TaskStatus.FINISHED:
                _count(connection, task_id)
        if ended:
            self._on_move(task_id)
        return bool(ended)

    def due_deliveries(self) -> list[tuple[str, str]]:
        """Task id and address of each webhook whose time has come, the longest waiting first."""
        due = (
            sa.select(engine_tasks.c.task_id, engine_tasks.c.webhook_url)
            .where(engine_tasks.c.webhook_due_at <= self._clock())
            .order_by(engine_tasks.c.webhook_due_at)
        )
        with self._database.read() as connection:
            return [(str(row.task_id), str(row.webhook_url)) for row in connection.execute(due)]

    def delivery(self, task_id: str) -> Delivery:
        """The webhook of a task that has one."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(engine_tasks).where(engine_tasks.c.task_id == task_id)).one()
        return Delivery(_task_of(row), row.webhook_url, row.webhook_secret, row.webhook_attempts)

    def begin_delivery(self, delivery: Delivery, *, again_after: float | None) -> bool:
        """Count an attempt before it is made. False when it must not be made, because another process has begun it.

        Unless `end_delivery` says more, the next attempt comes after `again_after` seconds; None: this is the last one,
        and the secret is erased.
        """
        is_due = engine_tasks.c.webhook_due_at <= self._clock()
        counted = {"webhook_attempts": delivery.attempts + 1}
        return self._next_delivery(delivery.task, delivery.attempts, again_after, is_due, **counted)

    def end_delivery(self, delivery: Delivery, *, again_after: float | None) -> None:
        """Note when the attempt after this one, which has been counted, is to come; None: never."""
        self._next_delivery(delivery.task, delivery.attempts + 1, again_after)

    def _next_delivery(
        self, task: EngineTask, attempts: int, after: float | None, *where: sa.ColumnElement[bool], **values: Any
    ) -> bool:
        due_at = None if after is None else self._clock() + after
        erased = {"webhook_secret": None} if after is None else {}
        # Not if it has gone on without us.
        where = engine_tasks.c.task_id == task.task_id, engine_tasks.c.webhook_attempts == attempts, *where
        changing = engine_tasks.update().where(*where).values(webhook_due_at=due_at, **erased, **values)
        with self._database.write() as connection:
            return bool(connection.execute(changing).rowcount)


def _count(connection: sa.Connection, task_id: str) -> None:
    """Count a task that has just finished among those of its owner."""
    owner = connection.scalar(sa.select(engine_tasks.c.owner).where(engine_tasks.c.task_id == task_id))
    known = engine_totals.update().where(engine_totals.c.owner == owner)
    if owner and not connection.execute(known.values(finished=engine_totals.c.finished + 1)).rowcount:
        connection.execute(engine_totals.insert().values(owner=owner, finished=1))


def _not_over(task_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return engine_tasks.c.task_id == task_id, engine_tasks.c.status.in_(ACTIVE)


def _to_json(pictures: Sequence[StoredFile]) -> str:
    return json.dumps([[picture.key, picture.file] for picture in pictures])


def _from_json(text: str | None) -> tuple[StoredFile, ...]:
    return tuple(StoredFile(key, file) for key, file in json.loads(text or "[]"))


def _task_of(row: sa.Row[Any]) -> EngineTask:
    composed = _from_json(row.composed)
    return EngineTask(
        task_id=row.task_id,
        owner=row.owner,
        type=row.type,
        model=row.model,
        network=row.network,
        status=TaskStatus(row.status),
        percentage=row.percentage,
        error=row.error,
        image_url=row.image_url,
        source=StoredFile(row.source_key, row.source_file) if row.source_key else None,
        result_key=row.result_key,
        pictures=_from_json(row.pictures),
        composed=composed[0] if composed else None,
        origin=row.origin,
        created_at=row.created_at,
    )
