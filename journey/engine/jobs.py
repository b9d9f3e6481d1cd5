"""The embedded engine's task table, its queue and its webhook deliveries.

One thread takes the oldest task that is not over and works it to its end; the tiles of one picture already use
every core. Everything a restart needs is in the table: a task that was being worked on is worked on again, under
the same result key, so that there is one result.
"""

from __future__ import annotations

import json
import logging
import os
import statistics
import sys
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import numpy as np
import sqlalchemy as sa

from journey.api.errors import RateLimited, TaskNotFound
from journey.api.models import TaskStatus, UpscaleRequest
from journey.errors import DatabaseAway, FileMissing, InvalidRequest, JourneyError, PictureRefused, Stopped
from journey.outside.door import Door
from journey.pictures import png
from journey.pictures.checking import Decoder, inspect
from journey.pictures.decoding import Pixels, to_image, too_many_pixels
from journey.pictures.previews import write_previews
from journey.storage.database import Database, metadata
from journey.storage.files import Files, file_url, key_in_url, new_key, safe_name

log = logging.getLogger(__name__)

QUEUE_LIMIT = 200
"""Tasks that may wait or run at once; more are answered 429."""

WEBHOOK_DELAYS = (10.0, 30.0, 90.0)
"""Seconds before each retry of a webhook delivery, as JourneyAPI documents them."""

DELIVERIES = 16
"""Webhook deliveries under way at once."""

DELIVERIES_PER_HOST = 2
"""Of these, to one receiver: one that hangs keeps nobody else waiting."""

_PROGRESS_SECONDS = 0.2
_IDLE_SECONDS = 1.0
_DELIVERY_CHECK_SECONDS = 0.5
_DELIVERY_SECONDS = 10.0
_SPEED_SAMPLES = 5

engine_tasks = sa.Table(
    "engine_tasks",
    metadata,
    sa.Column("task_id", sa.String(64), primary_key=True),
    sa.Column("owner", sa.String(64), index=True),
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
    sa.Column("result_key", sa.String(64), nullable=False),
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

_ACTIVE = (TaskStatus.PENDING, TaskStatus.STARTING, TaskStatus.PROCESSING)


# Built once, because every poll of every caller asks it.
_SEEN = sa.select(engine_tasks).where(
    engine_tasks.c.task_id.in_(sa.bindparam("task_ids", expanding=True)),
    sa.or_(engine_tasks.c.owner == sa.bindparam("owner"), engine_tasks.c.owner.is_(None)),
)


@dataclass(frozen=True)
class StoredPicture:
    """A picture in `files`: the key of its folder and its name there."""

    key: str
    file: str


@dataclass(frozen=True)
class Job:
    """One row of the table."""

    task_id: str
    owner: str | None
    type: str
    model: str
    network: str
    status: TaskStatus
    percentage: int
    error: str | None
    image_url: str | None
    source: StoredPicture | None
    result_key: str
    pictures: tuple[StoredPicture, ...]
    composed: StoredPicture | None
    origin: str
    created_at: float

    @property
    def scale(self) -> int:
        return int(self.type[0])

    def wire(self, origin: str) -> dict[str, Any]:
        """The task as the API says it; pictures are addressed below `origin`."""
        said: dict[str, Any] = {
            "task_id": self.task_id,
            "task_type": f"upscale-{self.type}" if self.composed is None else "imagine",
            "model": self.model,
            "status": self.status.value,
        }
        if self.status is TaskStatus.FAILED:
            return {**said, "error": self.error or "The task failed."}
        said["percentage"] = str(self.percentage)
        if self.status is TaskStatus.FINISHED:
            urls = [file_url(origin, picture.key, picture.file) for picture in self.pictures]
            if self.composed is not None:
                said["original_image_url"] = file_url(origin, self.composed.key, self.composed.file)
                said["image_urls"] = urls
            else:
                said["image_url"] = urls[0]
        return said


class Upscale(Protocol):
    """How a picture is enlarged; `upscaler.upscale` with its network and workers already given."""

    def __call__(
        self,
        picture: np.ndarray,
        network: str,
        scale: int,
        *,
        on_progress: Callable[[int, int], None],
        should_stop: Callable[[], bool],
    ) -> np.ndarray: ...


class Jobs:
    """The queue as an object: `submit`, `get`, `cancel`, and `start`/`stop` for the work behind it."""

    def __init__(
        self,
        database: Database,
        files: Files,
        decoder: Decoder,
        door: Door,
        upscale: Upscale,
        *,
        models: dict[str, str],
        default_network: str,
        own_origins: Sequence[str] = (),
        public_url: str | None = None,
        max_bytes: int,
        on_end: Callable[[str], object] = lambda _: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._files = files
        self._decoder = decoder
        self._door = door
        self._on_end = on_end
        self._upscale = upscale
        self._models = models
        self._default_network = default_network
        self._own_origins = own_origins
        self._public_url = public_url
        self._max_bytes = max_bytes
        self._clock = clock
        self._news = threading.Event()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._stop_asked: set[str] = set()
        self._delivering: dict[str, str] = {}
        self.failures_in_a_row = 0

    # What callers ask for

    def submit(self, request: UpscaleRequest, *, owner: str, origin: str) -> str:
        """Queue a task and give its id. Raises InvalidRequest, or RateLimited when the queue is full."""
        network = self._network(request.model)
        source = self._source(request, owner, origin)
        if request.webhook_url:
            _checked("webhook_url", lambda url: self._door.check(url, https_only=True), request.webhook_url)
        secret = request.webhook_secret if request.webhook_url else None
        if secret and not (secret.isascii() and secret.isprintable()):
            raise InvalidRequest("webhook_secret: must be printable ASCII, because it is sent as a header")
        task_id = str(uuid.uuid4())
        with self._database.write() as connection:
            waiting = sa.select(sa.func.count()).where(engine_tasks.c.status.in_(_ACTIVE))
            if (connection.scalar(waiting) or 0) >= QUEUE_LIMIT:
                raise RateLimited("The queue is full. Try again later.", retry_after=30)
            connection.execute(
                engine_tasks.insert().values(
                    task_id=task_id,
                    owner=owner,
                    type=request.type,
                    network=network,
                    model=self._models[network],
                    image_url=None if source else request.image_url,
                    parent_task_id=request.parent_task_id,
                    index=request.index,
                    source_key=source.key if source else None,
                    source_file=source.file if source else None,
                    origin=self._public_url or origin,
                    status=TaskStatus.PENDING,
                    percentage=0,
                    result_key=new_key(),
                    pictures="[]",
                    webhook_url=request.webhook_url,
                    webhook_secret=secret,
                    webhook_attempts=0,
                    created_at=self._clock(),
                )
            )
        self._news.set()
        return task_id

    def get(self, task_ids: Sequence[str], *, owner: str) -> list[Job]:
        """The tasks among these that this owner may see, in the order asked."""
        with self._database.read() as connection:
            rows = connection.execute(_SEEN, {"task_ids": list(task_ids), "owner": owner})
            found = {row.task_id: _job(row) for row in rows}
        return [found[task_id] for task_id in dict.fromkeys(task_ids) if task_id in found]

    def cancel(self, task_id: str, *, owner: str) -> None:
        """End a pending or running task as failed; one that is over stays as it is. Raises TaskNotFound."""
        if not self.get([task_id], owner=owner):
            raise TaskNotFound("Task not found")
        self._stop_asked.add(task_id)
        if not self._end(task_id, TaskStatus.FAILED, owner=owner, error="Cancelled"):
            self._stop_asked.discard(task_id)

    def finished_count(self, *, owner: str) -> int:
        query = sa.select(sa.func.count()).where(
            engine_tasks.c.owner == owner, engine_tasks.c.status == TaskStatus.FINISHED
        )
        with self._database.read() as connection:
            return int(connection.scalar(query) or 0)

    def measured_speed(self, network: str, scale: int) -> float | None:
        """Source pixels per second of the last few such tasks, from start to stored result. None: no record."""
        query = (
            sa.select(engine_tasks.c.source_pixels, engine_tasks.c.seconds)
            .where(
                engine_tasks.c.network == network,
                engine_tasks.c.type == f"{scale}x",
                engine_tasks.c.seconds > 0,
                # A very small picture measures the overhead, not the speed.
                engine_tasks.c.source_pixels >= 250_000,
            )
            .order_by(engine_tasks.c.finished_at.desc())
            .limit(_SPEED_SAMPLES)
        )
        with self._database.read() as connection:
            speeds = [row.source_pixels / row.seconds for row in connection.execute(query)]
        return statistics.median(speeds) if speeds else None

    def add_finished(
        self,
        task_id: str,
        *,
        model: str,
        pictures: Sequence[StoredPicture],
        composed: StoredPicture | None = None,
    ) -> None:
        """Put a finished task there that every key can see (the samples). Does nothing when it exists."""
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
                    pictures=_pictures_json(pictures),
                    composed=_pictures_json([composed]) if composed else None,
                    webhook_attempts=0,
                    created_at=self._clock(),
                    finished_at=self._clock(),
                )
            )

    # The work behind it

    def start(self) -> None:
        """Begin to work the queue. Only the process that holds the worker lock may call this."""
        self._stopping.clear()
        self._threads = [
            threading.Thread(target=self._loop, args=(self.work_next,), name="engine-queue", daemon=True),
            threading.Thread(target=self._deliver_loop, name="engine-webhooks", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Stop working; the next start goes on with the task at hand. Idempotent."""
        self._stopping.set()
        self._news.set()
        for thread in self._threads:
            thread.join(timeout)
        self._threads = []

    @property
    def is_working(self) -> bool:
        return bool(self._threads) and all(thread.is_alive() for thread in self._threads)

    def work_next(self) -> bool:
        """Work the oldest task that is not over to its end. False when there is none, or when asked to stop."""
        # Only one thread works, so one that is marked as running was interrupted: it is the oldest, and comes first.
        query = (
            sa.select(engine_tasks)
            .where(engine_tasks.c.status.in_(_ACTIVE))
            .order_by(engine_tasks.c.created_at, engine_tasks.c.task_id)
            .limit(1)
        )
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return False
        job = _job(row)
        problem: str | None = None
        try:
            self._work(job)
        except Stopped:
            pass
        except DatabaseAway:
            raise  # the database is locked or away: that is no reason to fail the task
        except JourneyError as error:
            problem = str(error)
        except OSError as error:
            log.exception("task %s", job.task_id)
            problem = f"The engine could not read or write a file: {error.strerror or type(error).__name__}."
        except Exception:
            log.exception("task %s", job.task_id)
            problem = "The engine had an unexpected problem. The log has the details."
        finally:
            self._stop_asked.discard(job.task_id)
        if self._stopping.is_set():
            return False  # what failed, failed because everything around it is being stopped
        if problem:
            self._end(job.task_id, TaskStatus.FAILED, error=problem)
        return True

    def deliver_due(self, pool: Executor) -> None:
        """Hand the webhook deliveries whose time has come to the pool, a few for each receiver."""
        due = (
            sa.select(engine_tasks.c.task_id, engine_tasks.c.webhook_url)
            .where(engine_tasks.c.webhook_due_at <= self._clock())
            .order_by(engine_tasks.c.webhook_due_at)
        )
        with self._database.read() as connection:
            rows = connection.execute(due).all()
        for task_id, url in rows:
            under_way = list(self._delivering.values())
            receiver = urlsplit(url).netloc
            if len(under_way) >= DELIVERIES:
                return
            if task_id not in self._delivering and under_way.count(receiver) < DELIVERIES_PER_HOST:
                self._delivering[task_id] = receiver
                pool.submit(self._deliver, task_id)

    def _loop(self, step: Callable[[], bool]) -> None:
        _lower_priority()
        while not self._stopping.is_set():
            self._news.clear()
            try:
                busy = step()
                self.failures_in_a_row = 0
            except Exception:
                self.failures_in_a_row += 1
                log.exception("the engine's queue")
                self._stopping.wait(min(30.0, 2.0**self.failures_in_a_row))
                continue
            if not busy:
                self._news.wait(_IDLE_SECONDS)

    def _deliver_loop(self) -> None:
        pool = ThreadPoolExecutor(max_workers=DELIVERIES, thread_name_prefix="engine-webhook")
        while not self._stopping.wait(_DELIVERY_CHECK_SECONDS):
            try:
                self.deliver_due(pool)
            except Exception:
                log.exception("the engine's webhooks")
        # What is under way ends by its own deadline; what was not delivered is still due after the next start.
        pool.shutdown(wait=False, cancel_futures=True)
        self._delivering.clear()

    def _work(self, job: Job) -> None:
        started = time.monotonic()
        if job.status is TaskStatus.PENDING:
            self._note(job.task_id, status=TaskStatus.STARTING)
        with self._files.folder() as scratch, self._files.folder() as folder:
            pixels = self._decoder.pixels(self._fetched(job, scratch), scratch)
            height, width, _ = pixels.array.shape
            limit = self._decoder.limits.output
            if too_many_pixels(width * job.scale, height * job.scale, limit):
                raise PictureRefused(
                    f"{job.type} of {width} × {height} px would have "
                    f"{width * height * job.scale**2 / 1e6:.0f} megapixels; up to {limit / 1e6:g} are possible."
                )
            self._note(job.task_id, status=TaskStatus.PROCESSING)
            array = self._upscale(
                pixels.array,
                job.network,
                job.scale,
                on_progress=self._progress(job),
                should_stop=lambda: self._stopping.is_set() or job.task_id in self._stop_asked,
            )
            result = StoredPicture(job.result_key, safe_name(_stem(job), ".png", suffix=f"_{job.type}"))
            _write_result(Pixels(array, pixels.icc), folder, result.file)
            self._files.keep(folder, key=result.key)
        is_wanted = self._end(
            job.task_id,
            TaskStatus.FINISHED,
            percentage=100,
            pictures=_pictures_json([result]),
            source_pixels=width * height,
            seconds=time.monotonic() - started,
        )
        if not is_wanted:
            self._files.delete(result.key)

    def _fetched(self, job: Job, scratch: Path) -> Path:
        """The source as a local file."""
        try:
            if job.source:
                return self._files.path(job.source.key, job.source.file)
        except FileMissing as error:
            raise PictureRefused("The picture is no longer stored here. Send it again.") from error
        path = scratch / "source"
        with path.open("wb") as file:
            self._door.get(job.image_url or "", max_bytes=self._max_bytes, into=file)
        return path

    def _progress(self, job: Job) -> Callable[[int, int], None]:
        shown = job.percentage
        noted_at = 0.0

        def note(done: int, total: int) -> None:
            nonlocal shown, noted_at
            # 100 is for a stored result; a repeated task goes on from the percentage it had shown.
            percentage = min(99, 100 * done // total)
            now = time.monotonic()
            if percentage > shown and now - noted_at >= _PROGRESS_SECONDS:
                shown, noted_at = percentage, now
                # A busy database costs a number on the screen, not the work done so far.
                with suppress(DatabaseAway):
                    self._note(job.task_id, percentage=percentage)

        return note

    def _note(self, task_id: str, **values: Any) -> None:
        """Change a task that is not over. Raises Stopped when it is: somebody cancelled it."""
        with self._database.write() as connection:
            changed = connection.execute(engine_tasks.update().where(*_not_over(task_id)).values(**values)).rowcount
        if not changed:
            raise Stopped("The task was cancelled.")

    def _end(self, task_id: str, status: TaskStatus, *, owner: str | None = None, **values: Any) -> bool:
        """Bring a task to its end, once: False when it is over already (or is not this owner's)."""
        now = self._clock()
        conditions = [*_not_over(task_id), *([engine_tasks.c.owner == owner] if owner else [])]
        with self._database.write() as connection:
            ended = connection.execute(
                engine_tasks.update()
                .where(*conditions)
                .values(
                    status=status,
                    finished_at=now,
                    webhook_due_at=sa.case((engine_tasks.c.webhook_url.is_not(None), now), else_=None),
                    **values,
                )
            ).rowcount
        if ended:
            self._on_end(task_id)
        return bool(ended)

    def _deliver(self, task_id: str) -> None:
        try:
            with self._database.read() as connection:
                row = connection.execute(sa.select(engine_tasks).where(engine_tasks.c.task_id == task_id)).one()
            delivered = self._delivered(_job(row), row.webhook_url, row.webhook_secret)
            if delivered or row.webhook_attempts >= len(WEBHOOK_DELAYS):
                # The secret has had its last use.
                values: dict[str, Any] = {"webhook_due_at": None, "webhook_secret": None}
            else:
                values = {"webhook_due_at": self._clock() + WEBHOOK_DELAYS[row.webhook_attempts]}
            with self._database.write() as connection:
                connection.execute(
                    engine_tasks.update()
                    .where(engine_tasks.c.task_id == task_id)
                    .values(webhook_attempts=row.webhook_attempts + 1, **values)
                )
        except Exception:
            log.exception("the webhook of task %s", task_id)
        finally:
            self._delivering.pop(task_id, None)

    def _delivered(self, job: Job, url: str, secret: str | None) -> bool:
        headers = {"x-webhook-secret": secret} if secret else {}
        try:
            answer = self._door.post_json(url, job.wire(job.origin), headers, timeout=_DELIVERY_SECONDS)
        except JourneyError as error:
            log.info("webhook of task %s: %s", job.task_id, type(error).__name__)
            return False
        log.info("webhook of task %s: answered %d", job.task_id, answer)
        return 200 <= answer < 300

    def _network(self, name: str | None) -> str:
        name = name or self._default_network
        if name not in self._models:
            raise InvalidRequest(f"model: must be one of {', '.join(sorted(self._models))}")
        return name

    def _source(self, request: UpscaleRequest, owner: str, origin: str) -> StoredPicture | None:
        """The stored picture that is meant, or None when it has to be fetched from `image_url`."""
        if request.parent_task_id:
            return self._parent_picture(request, owner)
        url = request.image_url or ""
        if own := key_in_url(url, [*self._own_origins, origin]):
            if not self._files.has(*own):
                raise InvalidRequest("image_url: there is no such picture")
            return self._sized(StoredPicture(*own), request, "image_url")
        _checked("image_url", self._door.check, url)
        return None

    def _parent_picture(self, request: UpscaleRequest, owner: str) -> StoredPicture:
        found = self.get([request.parent_task_id or ""], owner=owner)
        if not found:
            raise InvalidRequest("parent_task_id: there is no such task")
        parent = found[0]
        if parent.status is TaskStatus.FAILED:
            raise InvalidRequest("parent_task_id: that task failed, so it has no picture")
        if parent.status is not TaskStatus.FINISHED:
            raise InvalidRequest("parent_task_id: that task is not finished yet")
        if len(parent.pictures) == 1:
            picture = parent.pictures[0]
        elif request.index is None:
            raise InvalidRequest('index: the parent is a grid; say which picture, "1" to "4"')
        else:
            picture = parent.pictures[int(request.index) - 1]
        if not self._files.has(picture.key, picture.file):
            raise InvalidRequest("parent_task_id: that task's picture is no longer stored")
        return self._sized(picture, request, "parent_task_id")

    def _sized(self, picture: StoredPicture, request: UpscaleRequest, field: str) -> StoredPicture:
        """Refuse what would be too large while nothing is queued yet; the header is enough to know."""
        try:
            known = inspect(self._files.path(picture.key, picture.file), max_pixels=self._decoder.limits.input)
        except PictureRefused as error:
            raise InvalidRequest(f"{field}: {error}") from error
        width, height = known.width * request.scale, known.height * request.scale
        if too_many_pixels(width, height, self._decoder.limits.output):
            raise InvalidRequest(
                f"{field}: {request.type} would be {width} × {height} px; "
                f"up to {self._decoder.limits.output / 1e6:g} megapixels are possible"
            )
        return picture


def _checked(field: str, check: Callable[[str], None], url: str) -> None:
    try:
        check(url)
    except JourneyError as error:
        raise InvalidRequest(f"{field}: {error}") from error


def _not_over(task_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return engine_tasks.c.task_id == task_id, engine_tasks.c.status.in_(_ACTIVE)


def _write_result(pixels: Pixels, folder: Path, name: str) -> None:
    """The PNG and its previews, on two threads: both let go of the interpreter while they encode."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        previews = pool.submit(lambda: write_previews(to_image(pixels), folder))
        png.write(folder / name, pixels.array, icc=pixels.icc)
        previews.result()


def _stem(job: Job) -> str:
    name = job.source.file if job.source else (job.image_url or "").split("?")[0].rsplit("/", 1)[-1]
    return Path(name).stem


def _pictures_json(pictures: Sequence[StoredPicture]) -> str:
    return json.dumps([[picture.key, picture.file] for picture in pictures])


def _pictures(text: str | None) -> tuple[StoredPicture, ...]:
    return tuple(StoredPicture(key, file) for key, file in json.loads(text or "[]"))


def _job(row: sa.Row[Any]) -> Job:
    composed = _pictures(row.composed)
    return Job(
        task_id=row.task_id,
        owner=row.owner,
        type=row.type,
        model=row.model,
        network=row.network,
        status=TaskStatus(row.status),
        percentage=row.percentage,
        error=row.error,
        image_url=row.image_url,
        source=StoredPicture(row.source_key, row.source_file) if row.source_key else None,
        result_key=row.result_key,
        pictures=_pictures(row.pictures),
        composed=composed[0] if composed else None,
        origin=row.origin,
        created_at=row.created_at,
    )


def _lower_priority() -> None:
    """Encoding a result must not slow down the pages of the same process. Linux gives each thread its own niceness."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
