"""The engine's queue: what may be ordered, and the one thread that does it.

The thread does one task at a time, the oldest that is not over: the tiles of one picture already use every core.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from journey.api.errors import TaskNotFound
from journey.api.models import TaskStatus, UpscaleRequest
from journey.background import Loop
from journey.engine.networks.network import Network
from journey.engine.networks.recipes import Recipe, decided, recipe
from journey.engine.tasks import EngineTask, Tasks
from journey.errors import (
    DatabaseAway,
    FileMissing,
    InvalidRequest,
    JourneyError,
    PictureRefused,
    Stopped,
    WorkersAway,
)
from journey.outside.door import Door
from journey.pictures import png, previews
from journey.pictures.checking import Decoder
from journey.pictures.rows import Rows
from journey.processes import lower_priority
from journey.storage.failpoints import reach
from journey.storage.files import Files, new_key
from journey.storage.names import safe_name
from journey.storage.stored import Origins, StoredFile

log = logging.getLogger(__name__)

_PROGRESS_SECONDS = 0.5
_IDLE_SECONDS = 1.0

_REFERENCES = uuid.UUID("5b0cc7a2-6c0e-4a3c-9d3e-6f1d0b7f1a52")
"""The namespace of task ids that are made from a caller's reference."""


class Upscale(Protocol):
    """How a picture is enlarged, by bands of rows; `upscaler.upscale` with its workers already given."""

    def __call__(
        self,
        picture: Rows,
        recipe: Recipe,
        scale: int,
        /,
        *,
        on_progress: Callable[[int, int], None],
        should_stop: Callable[[], bool],
    ) -> Iterator[np.ndarray]: ...


@dataclass(frozen=True)
class Choice:
    """The networks that callers may name, and the name that stands for those who name none."""

    networks: Mapping[str, Network]
    default: str

    def named(self, name: str | None) -> Recipe:
        """What this name stands for, or the default. Raises InvalidRequest when there is no such network."""
        return recipe(name or self.default, self.networks)


class Queue:
    """Takes orders with `submit` and `cancel`; `start` and `stop` are for the thread that does them."""

    def __init__(
        self,
        tasks: Tasks,
        files: Files,
        decoder: Decoder,
        door: Door,
        upscale: Upscale,
        networks: Choice,
        *,
        origins: Origins,
        max_bytes: int,
    ) -> None:
        self._tasks = tasks
        self._files = files
        self._decoder = decoder
        self._door = door
        self._upscale = upscale
        self._networks = networks
        self._origins = origins
        self._max_bytes = max_bytes
        self._stop_asked: set[str] = set()
        # Encoding a result must not slow down the pages of the same process.
        self._loop = Loop("engine-queue", self._step, prepare=lambda: lower_priority(10))

    # What callers ask for

    def submit(self, request: UpscaleRequest, *, owner: str, origin: str) -> str:
        """Queue a task and return its id. `origin` is the address that the caller used.

        An order with a reference is queued once: made again after a crash, it leads to the task that it made before.
        Raises InvalidRequest, or RateLimited when the queue is full.
        """
        task_id = str(uuid.uuid5(_REFERENCES, f"{owner} {request.reference}") if request.reference else uuid.uuid4())
        if request.reference and self._tasks.get([task_id], owner=owner):
            return task_id
        chosen = self._networks.named(request.model)
        source = self._source(request, owner, origin)
        if request.webhook_url:
            _checked("webhook_url", lambda url: self._door.check(url, https_only=True), request.webhook_url)
        reach("before the engine stores a task")
        self._tasks.add(
            task_id,
            source=source,
            owner=owner,
            type=request.type,
            network=chosen.name,
            model=chosen.model,
            image_url=None if source else request.image_url,
            parent_task_id=request.parent_task_id,
            index=request.index,
            origin=self._origins.public or origin,
            result_key=new_key(),
            webhook_url=request.webhook_url,
            webhook_secret=request.webhook_secret if request.webhook_url else None,
        )
        reach("after the engine stores a task")
        self._loop.wake()
        return task_id

    def cancel(self, task_id: str, *, owner: str) -> None:
        """End a pending or running task as failed; one that is over stays as it is. Raises TaskNotFound."""
        if not self._tasks.get([task_id], owner=owner):
            raise TaskNotFound("Task not found")
        self._stop_asked.add(task_id)
        if not self._tasks.fail(task_id, "Cancelled", owner=owner):
            self._stop_asked.discard(task_id)

    def _source(self, request: UpscaleRequest, owner: str, origin: str) -> StoredFile | None:
        """The stored picture that is meant, or None when it has to be fetched from `image_url`."""
        if request.parent_task_id:
            return self._parent_picture(request, owner)
        url = request.image_url or ""
        if own := replace(self._origins, local=(*self._origins.local, origin)).stored(url):
            return self._judged(own, request, "image_url", gone="there is no such picture")
        _checked("image_url", self._door.check, url)
        return None

    def _parent_picture(self, request: UpscaleRequest, owner: str) -> StoredFile:
        found = self._tasks.get([request.parent_task_id or ""], owner=owner)
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
        return self._judged(picture, request, "parent_task_id", gone="that task's picture is no longer stored")

    def _judged(self, picture: StoredFile, request: UpscaleRequest, field: str, *, gone: str) -> StoredFile:
        """Refuse what is gone or would be too large before anything is queued; the header is enough to tell."""
        limits = self._decoder.limits
        try:
            known = self._decoder.inspect(self._files.path(picture.key, picture.file), max_pixels=limits.input)
        except FileMissing as error:
            raise InvalidRequest(f"{field}: {gone}") from error
        except PictureRefused as error:
            raise InvalidRequest(f"{field}: {error}") from error
        if problem := limits.problem(known.width, known.height, request.scale):
            raise InvalidRequest(f"{field}: {problem}")
        return picture

    # The work behind it

    def start(self) -> None:
        """Start working. Only the process that holds the worker lock may call this."""
        self._loop.start()

    def stop(self) -> None:
        """Stop working; after the next start, the interrupted task is done first. Idempotent."""
        self._loop.stop()

    @property
    def is_failing(self) -> bool:
        return self._loop.is_failing

    def _step(self) -> float:
        return 0.0 if self.work_next() else _IDLE_SECONDS

    def work_next(self) -> bool:
        """Do the oldest task that is not over. False when there is none, or when asked to stop."""
        task = self._tasks.oldest_active()
        if task is None:
            return False
        self._stop_asked &= {task.task_id}  # others were cancelled while they waited
        problem: str | None = None
        try:
            self._work(task)
        except Stopped:
            pass
        except (DatabaseAway, WorkersAway):
            raise  # these are no reason to fail the task
        except JourneyError as error:
            problem = str(error)
        except OSError as error:
            log.exception("task %s failed", task.task_id)
            problem = f"The engine could not read or write a file: {error.strerror or type(error).__name__}."
        except Exception:
            log.exception("task %s failed", task.task_id)
            problem = "The engine had an unexpected problem. The log has the details."
        finally:
            self._stop_asked.discard(task.task_id)
        if self._loop.is_stopping:
            return False  # whatever failed did so because everything around it is being stopped
        if problem:
            self._tasks.fail(task.task_id, problem)
        return True

    def _work(self, task: EngineTask) -> None:
        started = time.monotonic()
        if task.status is TaskStatus.PENDING:
            self._tasks.note(task.task_id, status=TaskStatus.STARTING)
        with self._files.folder() as scratch, self._files.folder() as folder:
            picture = self._decoder.rows(self._fetched(task, scratch), scratch)
            if problem := self._decoder.limits.problem(picture.width, picture.height, task.scale):
                raise PictureRefused(problem)
            chosen = decided(self._networks.named(task.network), picture)
            self._tasks.note(task.task_id, status=TaskStatus.PROCESSING, model=chosen.model)
            bands = self._upscale(
                picture,
                chosen,
                task.scale,
                on_progress=self._progress(task),
                should_stop=lambda: self._loop.is_stopping or task.task_id in self._stop_asked,
            )
            result = StoredFile(task.result_key, safe_name(_stem(task), ".png", suffix=f"_{task.type}"))
            _write_result(bands, folder / result.file, picture, task.scale)
            self._files.keep(folder, key=result.key)
        seconds = time.monotonic() - started
        pixels = picture.width * picture.height
        reach("before the engine stores an end")
        if not self._tasks.finish(task.task_id, result, source_pixels=pixels, seconds=seconds):
            self._files.delete(result.key)  # it was cancelled meanwhile
        reach("after the engine stores an end")

    def _fetched(self, task: EngineTask, scratch: Path) -> Path:
        """The source as a local file."""
        try:
            if task.source:
                return self._files.path(task.source.key, task.source.file)
        except FileMissing as error:
            raise PictureRefused("The picture is no longer stored here. Send it again.") from error
        path = scratch / "source"
        with path.open("wb") as file:
            self._door.get(task.image_url or "", max_bytes=self._max_bytes, into=file)
        return path

    def _progress(self, task: EngineTask) -> Callable[[int, int], None]:
        shown = task.percentage
        noted_at = 0.0

        def note(done: int, total: int) -> None:
            nonlocal shown, noted_at
            reach("after a tile")
            # 100 is for a stored result; a task that is done again shows nothing below what it had shown before.
            percentage = min(99, 100 * done // total)
            now = time.monotonic()
            if percentage > shown and now - noted_at >= _PROGRESS_SECONDS:
                shown, noted_at = percentage, now
                # A busy database costs a number on the screen, not the work done so far.
                with suppress(DatabaseAway):
                    self._tasks.note(task.task_id, percentage=percentage)

        return note


def _checked(field: str, check: Callable[[str], object], url: str) -> None:
    try:
        check(url)
    except JourneyError as error:
        raise InvalidRequest(f"{field}: {error}") from error


def _write_result(bands: Iterator[np.ndarray], path: Path, source: Rows, scale: int) -> None:
    """The PNG and its previews, row by row while the network still works on what is below."""
    shape = scale * source.width, scale * source.height, source.channels
    with (
        png.Writer(path, *shape, icc=source.icc) as result,
        previews.Writer(path.parent, *shape, icc=source.icc) as small,
    ):
        for band in bands:
            result.add(band)
            small.add(band)


def _stem(task: EngineTask) -> str:
    name = task.source.file if task.source else (task.image_url or "").split("?")[0].rsplit("/", 1)[-1]
    return Path(name).stem
