"""The engine's queue: what may be ordered, and the threads that do it.

Tasks begin in the order in which they came, each on a thread of its own. The tiles of one picture use every core, so
the next one waits until the last of them are at the workers: see `under_way`.
"""

from __future__ import annotations

import logging
import threading
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
from journey.engine.under_way import UnderWay
from journey.errors import (
    DatabaseAway,
    FileMissing,
    InvalidRequest,
    JourneyError,
    PictureRefused,
    Stopped,
    WorkersAway,
    passing,
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
_STOP_SECONDS = 5.0
_NICE = 10
"""Encoding a result must not slow down the pages of the same process."""

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
        on_left: Callable[[int], object],
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
    """Takes orders with `submit` and `cancel`; `start` and `stop` are for the threads that do them.

    `places` is how many tiles keep the workers busy. A second task begins only where there are more than one.
    """

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
        places: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
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
        self._under_way = UnderWay(places, clock=clock)
        self._threads: set[threading.Thread] = set()
        self._away: Exception | None = None
        self._loop = Loop("engine-queue", self._step, prepare=lambda: lower_priority(_NICE))

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
        """Stop working; after the next start, the interrupted tasks are done first. Idempotent."""
        deadline = time.monotonic() + _STOP_SECONDS
        self._loop.stop(_STOP_SECONDS)
        for thread in tuple(self._threads):
            thread.join(max(0.0, deadline - time.monotonic()))

    @property
    def is_failing(self) -> bool:
        return self._loop.is_failing

    @property
    def trouble(self) -> str | None:
        """Why no task gets on, in words, where that is something that passes."""
        error = self._loop.trouble
        if isinstance(error, WorkersAway):
            return str(error)
        return None if error is None else passing(error)

    def _step(self) -> float:
        """Begin the next task when there is room for it."""
        away, self._away = self._away, None
        if away:
            raise away
        if self._loop.failures_in_a_row:
            # One alone, and on this thread, so that the pauses grow until it is done.
            return 0.0 if self.work_next() else _IDLE_SECONDS
        task = self._begun()
        if task is None:
            return _IDLE_SECONDS
        thread = threading.Thread(target=self._do_aside, args=(task,), name="engine-task", daemon=True)
        self._threads.add(thread)
        try:
            thread.start()
        except RuntimeError:  # there is no thread left
            self._threads.discard(thread)
            self._under_way.end(task.task_id)
            raise
        return 0.0

    def _do_aside(self, task: EngineTask) -> None:
        lower_priority(_NICE)
        try:
            self._do(task)
        except Exception as error:  # noqa: BLE001 - the loop logs it, and waits before it goes on
            self._away = error
        finally:
            self._threads.discard(threading.current_thread())
            self._loop.wake()

    def work_next(self) -> bool:
        """Do the oldest task that is neither over nor under way, on this thread.

        False when there is none, when there is no room for it, or when asked to stop.
        """
        task = self._begun()
        return task is not None and self._do(task)

    def _begun(self) -> EngineTask | None:
        """The next task, which is under way from now on."""
        if not self._under_way.has_room:
            return None
        under_way = self._under_way.task_ids
        task = self._tasks.oldest_active(besides=under_way)
        if task:
            self._stop_asked &= under_way | {task.task_id}  # others were cancelled while they waited
            self._under_way.begin(task.task_id)
        return task

    def _do(self, task: EngineTask) -> bool:
        """Do a task that is under way. False when asked to stop."""
        try:
            problem = self._problem(task)
            if self._loop.is_stopping:
                return False  # whatever failed did so because everything around it is being stopped
            if problem:
                self._tasks.fail(task.task_id, problem)
            return True
        finally:
            self._stop_asked.discard(task.task_id)
            self._under_way.end(task.task_id)

    def _problem(self, task: EngineTask) -> str | None:
        """Work on a task, and say why it has failed, if it has."""
        try:
            self._work(task)
        except Stopped:
            return None
        except (DatabaseAway, WorkersAway):
            raise  # these are no reason to fail the task
        except JourneyError as error:
            return str(error)
        except OSError as error:
            if passing(error):
                raise  # nor is a full disk
            log.exception("task %s failed", task.task_id)
            return f"The engine could not read or write a file: {error.strerror or type(error).__name__}."
        except Exception:
            log.exception("task %s failed", task.task_id)
            return "The engine had an unexpected problem. The log has the details."
        return None

    def _work(self, task: EngineTask) -> None:
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
                on_left=lambda tiles: self._leave(task, tiles),
            )
            result = StoredFile(task.result_key, safe_name(_stem(task), ".png", suffix=f"_{task.type}"))
            _write_result(bands, folder / result.file, picture, task.scale)
            self._files.keep(folder, key=result.key)
        seconds = self._under_way.seconds(task.task_id)
        pixels = picture.width * picture.height
        reach("before the engine stores an end")
        if not self._tasks.finish(task.task_id, result, source_pixels=pixels, seconds=seconds):
            self._files.delete(result.key)  # it was cancelled meanwhile
        reach("after the engine stores an end")

    def _leave(self, task: EngineTask, tiles: int) -> None:
        """So many tiles of the task are left, so there may be room for the next one."""
        if self._under_way.leave(task.task_id, tiles):
            self._loop.wake()

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
