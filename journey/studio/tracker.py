"""The background worker that submits, polls and archives. One runs for each database.

It writes its intent before it acts: an entry is `submitting` in the database before the call, and anything
short of proof that nothing was sent leaves it `ambiguous`. Only its own /fetch changes an open entry.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from journey.api.client import JourneyClient
from journey.api.errors import (
    Ambiguous,
    AuthenticationFailed,
    InsufficientCredits,
    NotSent,
    RateLimited,
    ServerError,
    TaskNotFound,
    Untrusted,
    WrongAddress,
)
from journey.api.models import Task, TaskStatus, UpscaleRequest
from journey.errors import (
    DatabaseAway,
    FetchFailed,
    FileMissing,
    InvalidRequest,
    JourneyError,
    PictureRefused,
    Unreachable,
)
from journey.history import EngineName, Entry, History, State
from journey.outside.door import BadStatus, CutShort, Door
from journey.pictures.checking import Decoder, inspect
from journey.storage.files import Files, file_url, key_in_url, new_key, safe_name

log = logging.getLogger(__name__)

IDS_PER_POLL = 20
SUBMITS_AT_ONCE = 4
"""For each engine, so that a slow one does not hold up the other."""
ARCHIVES_AT_ONCE = 4
SIZE_TOLERANCE = 2
"""Pixels by which each side of a result may differ from n × the source."""

HOSTED_POLL = (2.0, 15.0)
EMBEDDED_POLL = (0.5, 0.5)
"""First and longest interval between two looks at an open task, in seconds."""

STALE_POLL = 5 * 60.0
ARCHIVE_ATTEMPTS = 6
"""Downloads of a result that brought something else than a picture, within about a minute."""
PATIENT_ATTEMPTS = 300
"""Downloads of a result that brought nothing, within about a day: it is paid for, and networks come back."""
STORE_AGAIN_SECONDS = 60.0

_GONE = (403, 404, 410)
_IDLE_SECONDS = 0.5
_STUMBLE_SECONDS = 5.0


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
        threads = len(remotes) * (SUBMITS_AT_ONCE + 1) + ARCHIVES_AT_ONCE
        self._executor = executor or ThreadPoolExecutor(max_workers=threads, thread_name_prefix="tracker")
        self._at_work: dict[str, Future[None]] = {}
        self._not_before: dict[str, float] = {}
        self._holds: dict[EngineName, _Hold] = {}
        self._holding = threading.Lock()
        self._spending = threading.Lock()
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
        self._executor.shutdown(wait=False, cancel_futures=True)
        # A call under way may have been accepted: its answer is worth waiting for.
        begun = [future for future in list(self._at_work.values()) if not future.cancelled()]
        wait(begun, timeout=max(0.0, deadline - time.monotonic()))

    def wake(self) -> None:
        """Look at once: something was queued or hinted at."""
        self._wanted.set()

    @property
    def is_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def step(self) -> None:
        """Hand out everything that is due now."""
        now = self._clock()
        if self.last_step_at is not None and now < self.last_step_at:
            # The clock was set back: nothing may wait for a time that is an hour away again.
            self._history.hasten()
            self._holds.clear()
            self._not_before.clear()
        self._at_work = {key: future for key, future in self._at_work.items() if not future.done()}
        paused = self._history.paused()
        for engine, remote in self._remotes.items():
            if not self._is_held(engine, paused):
                self._submit_due(engine, remote)
            self._poll_due(engine, remote)
        self._archive_due()
        self.last_step_at = now

    def _loop(self) -> None:
        while not self._stopping.is_set():
            self._wanted.clear()
            try:
                self.step()
                self.failures_in_a_row = 0
            except Exception:
                self.failures_in_a_row += 1
                log.exception("the tracker stumbled")
                self._stopping.wait(_restart_pause(self.failures_in_a_row))
                continue
            self._wanted.wait(self._until_next())

    def _until_next(self) -> float:
        # What was due at the step but is held up (a pause, a call under way) must not make this a busy loop.
        seen = self.last_step_at or 0.0
        try:
            due_at = self._history.next_due(after=seen)
        except DatabaseAway:
            return _IDLE_SECONDS
        return _IDLE_SECONDS if due_at is None else min(_IDLE_SECONDS, max(0.02, due_at - self._clock()))

    def _hand_out(self, key: str, work: Callable[[], None]) -> None:
        """Run on another thread, unless the same thing is still under way or has just stumbled."""
        if key in self._at_work or self._stopping.is_set() or self._not_before.get(key, 0.0) > self._clock():
            return

        def safely() -> None:
            try:
                work()
            except Exception:
                log.exception("the tracker could not %s", key)
                self._not_before[key] = self._clock() + _STUMBLE_SECONDS
            else:
                self._not_before.pop(key, None)

        self._at_work[key] = future = self._executor.submit(safely)
        # Not before the future is done, or the next step would still find it under way.
        future.add_done_callback(lambda _: self._wanted.set())

    def _under_way(self, kind: str) -> int:
        return sum(key.startswith(f"{kind} ") and not future.done() for key, future in self._at_work.items())

    # Submitting

    def _submit_due(self, engine: EngineName, remote: Remote) -> None:
        free = SUBMITS_AT_ONCE - self._under_way(f"submit to {engine}")
        for entry in self._history.due(State.QUEUED, limit=max(0, free), engine=engine):
            self._hand_out(f"submit to {engine} {entry.id}", partial(self._submit, remote, entry))

    def _submit(self, remote: Remote, entry: Entry) -> None:
        try:
            request = self._request(entry)
        except JourneyError as error:
            if self._history.move(entry.id, State.SUBMITTING):
                self._history.move(entry.id, State.FAILED, error=str(error), words="Not sent.")
            return
        # One at a time: each sees what those before it are about to spend.
        with self._spending:
            # Another of those handed out together may have met a refusal since.
            if self._stopping.is_set() or self._is_held(entry.engine, self._history.paused()):
                return
            if reason := self._may_spend(entry):
                self._history.pause(entry.engine, reason)
                return
            sending = self._history.move(entry.id, State.SUBMITTING)
        if sending is not None:
            self._record(entry.id, self._send(remote, sending, request))

    def _send(self, remote: Remote, entry: Entry, request: UpscaleRequest) -> Callable[[], object]:
        """Make the call, once. What is returned writes down what came of it."""
        back = partial(self._history.move, entry.id, only_from=State.SUBMITTING, attempt=entry.attempts)
        lose = partial(self._history.lose, entry.id, attempt=entry.attempts)
        try:
            task_id = remote.client.upscale(request)
        except (AuthenticationFailed, InsufficientCredits, Untrusted, WrongAddress) as error:
            # The pause comes first, so that the entry is not taken up again in between.
            return partial(
                _in_turn,
                partial(self._history.pause, entry.engine, str(error)),
                partial(back, State.QUEUED, words=str(error), note=str(error)),
            )
        except (NotSent, RateLimited) as error:
            due_at = self._hold_back(entry.engine, error)
            return partial(back, State.QUEUED, words=str(error), note=str(error), due_at=due_at)
        except InvalidRequest as error:
            return partial(back, State.FAILED, words="Refused.", error=str(error))
        except (Ambiguous, ServerError) as error:
            return partial(lose, str(error), answer=error.answer)
        except Exception as error:
            # Whatever it was, it is no proof that nothing was sent.
            log.exception("entry %s while submitting", entry.id)
            return partial(lose, f"The call ended unexpectedly ({type(error).__name__}).")
        log.info("entry %s is task %s", entry.id, task_id)
        return partial(self._accepted, remote, entry, task_id)

    def _accepted(self, remote: Remote, entry: Entry, task_id: str) -> None:
        self._holds.pop(entry.engine, None)
        # It is ambiguous when another process took over the queue in the middle of this call.
        for state in (State.SUBMITTING, State.AMBIGUOUS):
            if self._history.move(
                entry.id,
                State.OPEN,
                only_from=state,
                attempt=entry.attempts,
                task_id=task_id,
                task_status=TaskStatus.PENDING,
                due_at=self._clock() + remote.poll[0],
                note=None,
                error=None,
            ):
                return
        self._history.remark(entry.id, f"An earlier call turned out to be accepted, as task {task_id}.")

    def _record(self, entry_id: str, note: Callable[[], object]) -> None:
        """Write down what came of a call, however long the database is away: a lost task id is a lost payment."""
        for tries in itertools.count():
            try:
                note()
            except DatabaseAway:
                log.warning("entry %s: what came of its call cannot be stored yet", entry_id)
                if self._stopping.wait(min(30.0, 0.1 * 2.0**tries)):
                    note()
                    return
            else:
                return

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

    def _is_held(self, engine: EngineName, paused: Mapping[EngineName, str]) -> bool:
        return engine in paused or self._hold(engine).until > self._clock()

    def _hold(self, engine: EngineName) -> _Hold:
        return self._holds.get(engine, _Hold(until=0.0, failures=0))

    def _hold_back(self, engine: EngineName, error: NotSent | RateLimited) -> float:
        """Leave the whole engine alone for a while: the next entry would meet the same."""
        asked = error.retry_after if isinstance(error, RateLimited) else None
        with self._holding:
            now, hold = self._clock(), self._hold(engine)
            if hold.until > now:  # another of the calls made at the same time has told already
                hold = _Hold(max(hold.until, now + (asked or 0.0)), hold.failures)
            else:
                failures = hold.failures + 1
                hold = _Hold(now + (asked or _backoff(failures)), failures)
            self._holds[engine] = hold
        return hold.until

    # Polling

    def _poll_due(self, engine: EngineName, remote: Remote) -> None:
        if self._history.due(State.OPEN, limit=1, engine=engine):
            # One call asks for many: those that would be due a moment later come along.
            due = self._history.due(State.OPEN, limit=IDS_PER_POLL, engine=engine, ahead=remote.poll[0])
            self._hand_out(f"poll {engine}", partial(self._poll, engine, remote, due))

    def _poll(self, engine: EngineName, remote: Remote, due: Sequence[Entry]) -> None:
        tasks: dict[str, Task] = {}
        try:
            tasks = {task.task_id: task for task in _ask(remote.client, due)}
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
                result_model=task.model or entry.result_model,
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
        return min(longest, max(first, age / 3))

    def _result_key(self, entry: Entry, url: str) -> str:
        """Where the result is kept: the embedded engine's stays where it is, another gets one key for all tries."""
        own = self._own_file(entry, url)
        return own[0] if own else entry.result_key or new_key()

    def _own_file(self, entry: Entry, url: str) -> tuple[str, str] | None:
        """Key and name of a result that is stored here already.

        The embedded engine's always is: its address may still name the port of an earlier start.
        """
        return key_in_url(url, [*self._own_origins, url] if entry.engine == "embedded" else self._own_origins)

    # Archiving

    def _archive_due(self) -> None:
        for entry in self._history.due(State.ARCHIVING, limit=20):
            if self._under_way("archive") < ARCHIVES_AT_ONCE:
                self._hand_out(f"archive {entry.id}", partial(self._archive, entry))

    def _archive(self, entry: Entry) -> None:
        url = entry.result_url or ""
        try:
            if own := self._own_file(entry, url):
                self._adopt(entry, *own)
            else:
                self._door.check(url)
                self._download(entry, url)
        except BadStatus as error:
            self._look_again(entry, error, gone=error.status in _GONE)
        except (Unreachable, CutShort) as error:
            self._look_again(entry, error)
        except (FileMissing, InvalidRequest) as error:
            self._give_up(entry, f"The result cannot be used: {error}")
        except (FetchFailed, PictureRefused) as error:
            # A fault of the connection has a cause and may pass; a whole answer that is no picture has none.
            broken = isinstance(error, FetchFailed) and error.__cause__ is not None
            self._look_again(entry, error, attempts=PATIENT_ATTEMPTS if broken else ARCHIVE_ATTEMPTS)
        except Exception as error:
            # A full disk, object storage that is away, or a fault of ours: the picture is paid for, so it is kept at.
            log.warning("entry %s: the result cannot be stored", entry.id, exc_info=True)
            reason = getattr(error, "strerror", None) or type(error).__name__
            self._history.postpone(
                entry.id,
                self._clock() + STORE_AGAIN_SECONDS,
                note=f"The result cannot be stored: {reason}. It is tried again.",
            )

    def _adopt(self, entry: Entry, key: str, name: str) -> None:
        """A result of the embedded engine lies in `files` already; only its header is read."""
        path = self._files.path(key, name)
        picture = inspect(path, max_pixels=self._decoder.limits.output)
        self._finish(entry, key, name, picture.width, picture.height, path.stat().st_size)

    def _download(self, entry: Entry, url: str) -> None:
        with self._files.folder() as folder:
            path = folder / "result"
            with path.open("wb") as file:
                self._door.get(url, max_bytes=max(self._max_bytes, 4 * self._decoder.limits.output), into=file)
            picture = self._decoder.check(path, max_pixels=self._decoder.limits.output)
            name = safe_name(Path(entry.name).stem, picture.extension, suffix=f"_{entry.type}")
            path.rename(folder / name)
            size = (folder / name).stat().st_size
            key = self._files.keep(folder, key=entry.result_key)
        if self._finish(entry, key, name, picture.width, picture.height, size):
            return
        now = self._history.get(entry.id)
        if now is None or now.state is State.ABANDONED:
            self._files.delete(key)  # nobody would ever find it

    def _finish(self, entry: Entry, key: str, name: str, width: int, height: int, size: int) -> Entry | None:
        return self._history.move(
            entry.id,
            State.FINISHED,
            result_key=key,
            result_file=name,
            result_width=width,
            result_height=height,
            result_bytes=size,
            note=_difference(entry, width, height),
        )

    def _look_again(
        self, entry: Entry, error: JourneyError, *, gone: bool = False, attempts: int = PATIENT_ATTEMPTS
    ) -> None:
        """Try the download later; when the address is gone, ask the task for a new one. Give up in the end."""
        tries = entry.archive_attempts + 1
        if tries >= attempts:
            self._give_up(entry, f"The result could not be used after {tries} tries: {error}")
            return
        due_at = self._clock() + _backoff(tries)
        changes: dict[str, Any] = {"due_at": due_at, "archive_attempts": tries, "note": str(error)}
        if gone:
            self._history.move(entry.id, State.OPEN, only_from=State.ARCHIVING, words=str(error), **changes)
        else:
            self._history.postpone(entry.id, **changes)

    def _give_up(self, entry: Entry, reason: str) -> None:
        # With the address: it is paid for, and a person may still get it there.
        where = f" It was at {entry.result_url}" if entry.result_url else ""
        self._history.move(entry.id, State.FAILED, only_from=State.ARCHIVING, error=reason + where)


def _ask(client: JourneyClient, entries: Sequence[Entry]) -> list[Task]:
    """What the API says about these tasks; some may be missing."""
    ids = [entry.task_id for entry in entries if entry.task_id]
    try:
        return client.fetch_many(ids)
    except InvalidRequest:
        if len(ids) == 1:
            raise
    # One id that the API does not take must not hide the others.
    found = []
    for task_id in ids:
        try:
            found.append(client.fetch(task_id))
        except (InvalidRequest, TaskNotFound):
            continue
        except JourneyError:
            break
    return found


def _in_turn(*works: Callable[[], object]) -> None:
    for work in works:
        work()


def _restart_pause(failures: int) -> float:
    """Seconds before the loop goes on after it failed so often in a row: 2 doubling to 30."""
    return min(30.0, 2.0 ** min(failures, 5))


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
    return min(300.0, 2.0 ** min(attempts, 9))
