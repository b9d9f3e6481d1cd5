"""The background worker that submits, polls and archives. One runs for each database.

It writes its intent before it acts: an entry is `submitting` in the database before the call, and anything
short of proof that nothing was sent leaves it `ambiguous`. Only its own /fetch changes an open entry.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from journey.client import JourneyClient
from journey.errors import (
    Ambiguous,
    AuthenticationFailed,
    FetchFailed,
    FileMissing,
    InsufficientCredits,
    InvalidRequest,
    JourneyError,
    NotSent,
    PictureRefused,
    RateLimited,
    ServerError,
    Unreachable,
    Untrusted,
)
from journey.fetching import BadStatus, Door
from journey.files import Files, file_url, key_in_url, new_key, safe_name
from journey.history import EngineName, Entry, History, State, cost
from journey.images import EXTENSIONS, Decoder, inspect
from journey.models import Task, TaskStatus, UpscaleRequest

log = logging.getLogger(__name__)

IDS_PER_POLL = 20
SUBMITS_AT_ONCE = 4
SIZE_TOLERANCE = 2
"""Pixels by which each side of a result may differ from n × the source."""

HOSTED_POLL = (2.0, 15.0)
EMBEDDED_POLL = (0.5, 0.5)
"""First and longest interval between two looks at an open task, in seconds."""

STALE_POLL = 5 * 60.0
ARCHIVE_ATTEMPTS = 6
_GONE = (403, 404, 410)
_IDLE_SECONDS = 0.5


@dataclass(frozen=True)
class Remote:
    """One API that the tracker works with."""

    client: JourneyClient
    poll: tuple[float, float]


@dataclass(frozen=True)
class _Hold:
    """An engine that cannot be reached, or asked to be left alone, until a moment."""

    until: float
    failures: int


class Tracker:
    """Steps entries towards their end. `step()` does what is due; `start()` and `stop()` run it on a thread.

    `origin_for` gives the address below which an engine reaches our own files, or None when it cannot.
    `webhook_for` gives (url, secret) of our receiver for an entry, or None when webhooks are not possible.
    """

    def __init__(
        self,
        history: History,
        remotes: Mapping[EngineName, Remote],
        files: Files,
        decoder: Decoder,
        door: Door,
        *,
        own_origins: Sequence[str],
        origin_for: Callable[[EngineName], str | None],
        webhook_for: Callable[[Entry], tuple[str, str] | None] = lambda _: None,
        may_spend: Callable[[Entry], str | None] = lambda _: None,
        max_bytes: int,
        clock: Callable[[], float] = time.time,
        executor: Executor | None = None,
    ) -> None:
        self._history = history
        self._remotes = remotes
        self._files = files
        self._decoder = decoder
        self._door = door
        self._own_origins = own_origins
        self._origin_for = origin_for
        self._webhook_for = webhook_for
        self._may_spend = may_spend
        self._max_bytes = max_bytes
        self._clock = clock
        # Calls that may take long run here, so that one slow answer does not hold up the others.
        self._executor = executor or ThreadPoolExecutor(max_workers=SUBMITS_AT_ONCE + 4, thread_name_prefix="tracker")
        self._at_work: dict[str, Future[None]] = {}
        self._holds: dict[EngineName, _Hold] = {}
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.failures_in_a_row = 0
        self.last_step_at: float | None = None

    def start(self) -> None:
        """Take up what an earlier run left, and begin. Only the process with the worker lock may call this."""
        self._stopping.clear()
        self._history.recover()
        # What paused a queue may be mended by the new settings; if not, the first refusal pauses it again.
        for engine in self._history.paused():
            self._history.resume(engine)
        self._thread = threading.Thread(target=self._loop, name="tracker", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Claim nothing more, and wait for calls under way (at most `timeout` seconds). Idempotent."""
        self._stopping.set()
        self._wanted.set()
        deadline = time.monotonic() + timeout
        if self._thread:
            self._thread.join(timeout)
            self._thread = None
        # A call under way may have been accepted: its answer is worth waiting for.
        wait(list(self._at_work.values()), timeout=max(0.0, deadline - time.monotonic()))
        self._executor.shutdown(wait=False, cancel_futures=True)

    def wake(self) -> None:
        """Look at once: something was queued or hinted at."""
        self._wanted.set()

    @property
    def is_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def step(self) -> None:
        """Hand out everything that is due now."""
        self._at_work = {key: future for key, future in self._at_work.items() if not future.done()}
        paused = self._history.paused()
        for engine, remote in self._remotes.items():
            if engine not in paused and self._hold(engine).until <= self._clock():
                self._submit_due(engine)
            self._poll_due(engine, remote)
        for entry in self._history.due(State.ARCHIVING, limit=20):
            self._hand_out(f"archive {entry.id}", partial(self._archive, entry))
        self.last_step_at = self._clock()

    def _loop(self) -> None:
        while not self._stopping.is_set():
            self._wanted.clear()
            try:
                self.step()
                self.failures_in_a_row = 0
            except Exception:
                self.failures_in_a_row += 1
                log.exception("the tracker stumbled")
                self._stopping.wait(min(30.0, 2.0**self.failures_in_a_row))
                continue
            self._wanted.wait(self._until_next())

    def _until_next(self) -> float:
        try:
            due_at = self._history.next_due()
        except sa.exc.SQLAlchemyError:
            return _IDLE_SECONDS
        if due_at is None:
            return _IDLE_SECONDS
        return min(_IDLE_SECONDS, max(0.02, due_at - self._clock()))

    def _hand_out(self, key: str, work: Callable[[], None]) -> None:
        """Run on another thread, unless the same thing is still under way."""
        if key in self._at_work or self._stopping.is_set():
            return

        def safely() -> None:
            try:
                work()
            except Exception:
                log.exception("the tracker could not %s", key)
            finally:
                self._wanted.set()

        self._at_work[key] = self._executor.submit(safely)

    # Submitting

    def _submit_due(self, engine: EngineName) -> None:
        under_way = sum(key.startswith("submit ") for key in self._at_work)
        for entry in self._history.due(State.QUEUED, limit=max(0, SUBMITS_AT_ONCE - under_way), engine=engine):
            self._hand_out(f"submit {entry.id}", partial(self._submit, entry))

    def _submit(self, entry: Entry) -> None:
        remote = self._remotes[entry.engine]
        if reason := self._may_spend(entry):
            self._history.pause(entry.engine, reason)
            return
        try:
            request = self._request(entry)
        except JourneyError as error:
            if self._history.move(entry.id, State.SUBMITTING):
                self._history.move(entry.id, State.FAILED, error=str(error), words="Not sent.")
            return
        if self._history.move(entry.id, State.SUBMITTING) is None:
            return
        try:
            task_id = remote.client.upscale(request)
        except (AuthenticationFailed, InsufficientCredits, Untrusted) as error:
            self._history.pause(entry.engine, str(error))
            self._history.move(entry.id, State.QUEUED, words=str(error), note=str(error), due_at=self._clock())
        except (NotSent, RateLimited) as error:
            due_at = self._hold_back(entry.engine, error)
            self._history.move(entry.id, State.QUEUED, words=str(error), note=str(error), due_at=due_at)
        except InvalidRequest as error:
            self._history.move(entry.id, State.FAILED, error=str(error), words="Refused.")
        except (Ambiguous, ServerError) as error:
            self._history.lose(entry, str(error), answer=error.answer)
        except Exception as error:
            # Whatever it was, it is no proof that nothing was sent.
            log.exception("entry %s while submitting", entry.id)
            self._history.lose(entry, f"The call ended unexpectedly ({type(error).__name__}).")
        else:
            self._holds.pop(entry.engine, None)
            self._history.move(
                entry.id,
                State.OPEN,
                task_id=task_id,
                task_status=TaskStatus.PENDING,
                credits=cost(entry),
                due_at=self._clock() + remote.poll[0],
                note=None,
            )
            self._history.forget_webhook_secret(entry.id)

    def _request(self, entry: Entry) -> UpscaleRequest:
        fields: dict[str, str | None] = {
            "type": entry.type,
            "parent_task_id": entry.parent_task_id,
            "index": entry.index,
            "image_url": None if entry.parent_task_id else self._image_url(entry),
        }
        if entry.engine == "embedded":
            fields["model"] = entry.model
        if entry.webhook_url:
            fields["webhook_url"] = entry.webhook_url
            fields["webhook_secret"] = self._history.webhook_secret(entry.id)
        elif ours := self._webhook_for(entry):
            fields["webhook_url"], fields["webhook_secret"] = ours
        return UpscaleRequest.checked({name: value for name, value in fields.items() if value is not None})

    def _image_url(self, entry: Entry) -> str | None:
        """The address of the source: our own copy where the engine can reach it, so that it gets what was checked."""
        own = entry.source_key and entry.source_file
        if own and (entry.engine == "embedded" or not entry.image_url):
            origin = self._origin_for(entry.engine)
            if origin is None:
                raise InvalidRequest(
                    "JourneyAPI cannot reach pictures on this machine. "
                    "Set JOURNEY_PUBLIC_URL, give a public image URL, or use the engine on this machine."
                )
            return file_url(origin, str(entry.source_key), str(entry.source_file))
        return entry.image_url

    def _hold(self, engine: EngineName) -> _Hold:
        return self._holds.get(engine, _Hold(until=0.0, failures=0))

    def _hold_back(self, engine: EngineName, error: NotSent | RateLimited) -> float:
        """Leave the whole engine alone for a while: the next entry would meet the same."""
        failures = self._hold(engine).failures + 1
        asked = error.retry_after if isinstance(error, RateLimited) else None
        until = self._clock() + (asked or _backoff(failures))
        self._holds[engine] = _Hold(until, failures)
        return until

    # Polling

    def _poll_due(self, engine: EngineName, remote: Remote) -> None:
        due = self._history.due(State.OPEN, limit=IDS_PER_POLL, engine=engine)
        if due:
            self._hand_out(f"poll {engine}", partial(self._poll, engine, remote, due))

    def _poll(self, engine: EngineName, remote: Remote, due: Sequence[Entry]) -> None:
        tasks: dict[str, Task] = {}
        try:
            found = remote.client.fetch_many([entry.task_id for entry in due if entry.task_id])
            tasks = {task.task_id: task for task in found}
        except (AuthenticationFailed, Untrusted) as error:
            self._history.pause(engine, str(error))
        except JourneyError as error:
            log.info("polling %s: %s", engine, type(error).__name__)
        for entry in due:
            self._observed(entry, tasks.get(entry.task_id or ""), remote)

    def _observed(self, entry: Entry, task: Task | None, remote: Remote) -> None:
        now = self._clock()
        changed = task is not None and self._history.observe(entry.id, task)
        if task is not None and task.status is TaskStatus.FAILED:
            self._history.move(entry.id, State.FAILED, error=task.error or "The task failed without a reason.")
            return
        url = task.picture(entry.index) if task is not None else None
        if task is not None and task.status is TaskStatus.FINISHED and url:
            self._history.move(
                entry.id,
                State.ARCHIVING,
                result_url=url,
                result_key=self._result_key(entry, url),
                result_model=task.model,
                percentage=100,
                due_at=now,
            )
            return
        self._history.postpone(entry.id, now + self._interval(entry, remote, now, changed=changed))

    def _interval(self, entry: Entry, remote: Remote, now: float, *, changed: bool) -> float:
        first, longest = remote.poll
        if entry.is_stale(now) and not changed:
            return STALE_POLL
        # Grows with the age of the task: a third of the time since it was sent, within the bounds.
        age = now - (entry.submitted_at or entry.created_at)
        spread = random.uniform(0.9, 1.1)  # noqa: S311  so that many entries do not fall due together
        return min(longest, max(first, age / 3)) * spread

    def _result_key(self, entry: Entry, url: str) -> str:
        """Where the result is kept: the embedded engine's stays where it is, another gets one key for all tries."""
        own = key_in_url(url, self._own_origins)
        return own[0] if own else entry.result_key or new_key()

    # Archiving

    def _archive(self, entry: Entry) -> None:
        url = entry.result_url or ""
        try:
            if own := key_in_url(url, self._own_origins):
                self._adopt(entry, *own)
            else:
                self._download(entry, url)
        except BadStatus as error:
            self._look_again(entry, error, gone=error.status in _GONE)
        except (Unreachable, FetchFailed) as error:
            self._look_again(entry, error)
        except OSError as error:
            log.warning("entry %s: the result cannot be stored: %s", entry.id, error.strerror)
            self._history.postpone(
                entry.id, self._clock() + 60, note=f"The result cannot be stored: {error.strerror}. It is tried again."
            )
        except (PictureRefused, FileMissing, InvalidRequest) as error:
            self._history.move(entry.id, State.FAILED, error=f"The result cannot be used: {error}")

    def _adopt(self, entry: Entry, key: str, name: str) -> None:
        """A result of the embedded engine lies in `files` already; only its header is read."""
        path = self._files.path(key, name)
        picture = inspect(path, max_pixels=self._decoder.max_output_pixels)
        self._finish(entry, key, name, picture.width, picture.height, path.stat().st_size)

    def _download(self, entry: Entry, url: str) -> None:
        with self._files.folder() as folder:
            path = folder / "result"
            with path.open("wb") as file:
                self._door.get(url, max_bytes=max(self._max_bytes, 4 * self._decoder.max_output_pixels), into=file)
            picture = self._decoder.check(path, max_pixels=self._decoder.max_output_pixels)
            name = safe_name(Path(entry.name).stem, EXTENSIONS[picture.format], suffix=f"_{entry.type}")
            path.rename(folder / name)
            size = (folder / name).stat().st_size
            key = self._files.keep(folder, key=entry.result_key)
        self._finish(entry, key, name, picture.width, picture.height, size)

    def _finish(self, entry: Entry, key: str, name: str, width: int, height: int, size: int) -> None:
        self._history.move(
            entry.id,
            State.FINISHED,
            result_key=key,
            result_file=name,
            result_width=width,
            result_height=height,
            result_bytes=size,
            note=_difference(entry, width, height),
        )

    def _look_again(self, entry: Entry, error: JourneyError, *, gone: bool = False) -> None:
        """Try the download later; when the address is gone, ask the task for a new one. Give up in the end."""
        tries = entry.archive_attempts + 1
        if tries >= ARCHIVE_ATTEMPTS:
            self._history.move(
                entry.id,
                State.FAILED,
                error=f"The result could not be downloaded after {tries} tries: {error} It was at {entry.result_url}",
            )
            return
        due_at = self._clock() + _backoff(tries)
        if gone:
            self._history.move(entry.id, State.OPEN, words=str(error), archive_attempts=tries, due_at=due_at)
        else:
            self._history.postpone(entry.id, due_at, note=str(error), archive_attempts=tries)


def _difference(entry: Entry, width: int, height: int) -> str | None:
    """What to say when a result is a picture, but not n × the source."""
    if entry.source_width is None or entry.source_height is None:
        return None
    wanted = entry.source_width * entry.scale, entry.source_height * entry.scale
    if abs(width - wanted[0]) <= SIZE_TOLERANCE and abs(height - wanted[1]) <= SIZE_TOLERANCE:
        return None
    return f"The result has {width} × {height} px; {wanted[0]} × {wanted[1]} px were expected. It is kept as it came."


def _backoff(attempts: int) -> float:
    """Seconds before another try: 2 doubling to 300."""
    return min(300.0, 2.0 ** (attempts + 1))
