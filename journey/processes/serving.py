"""The worker's side: one process that runs a job after another, and ends when its parent is gone."""

from __future__ import annotations

import contextlib
import math
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO

from journey.errors import JourneyError

if sys.platform != "win32":
    import resource

LOWEST = 19
"""The niceness of work that must not slow down anybody's page, however many cores it could fill."""

_LENGTH_BYTES = 8
"""What a message begins with: its length."""


_is_limited = False


class WorkerDied(JourneyError, BrokenExecutor):
    """The process that ran the job was killed or went over a limit. Other jobs are not affected."""


class WorkerHung(WorkerDied):
    """The process was ended because its job took longer by the clock than it may."""


def serve(pipe: BinaryIO) -> None:
    """The life of a worker process: orders first, then one job after another until the parent hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Whatever a library prints must not get between the answers, nor may it read a job.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    jobs: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(pipe, jobs), daemon=True).start()
    nice, memory_bytes, cpu_seconds, initializer, initargs = pickle.loads(jobs.get())  # noqa: S301 - from our parent
    if hasattr(os, "nice"):
        os.nice(nice)
    if sys.platform == "linux" and nice == LOWEST:
        # With niceness alone, another process that wakes up would still wait some milliseconds for its turn.
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    outcome = _attempt(_begin, (memory_bytes, initializer, initargs), {})
    if outcome[0] == "failed":
        outcome = ("left", outcome[1])
    while _answer(answers, outcome):
        try:
            job = pickle.loads(jobs.get())  # noqa: S301 - from our parent
        except Exception as error:  # noqa: BLE001 - a function that cannot be imported here: the caller must hear of it
            outcome = ("failed", error)
            continue
        _limit_processor_time(cpu_seconds)
        outcome = _attempt(*job)


def _listen(pipe: BinaryIO, jobs: SimpleQueue[bytes]) -> None:
    """Take each message off the pipe as it comes. When the pipe ends, the parent is gone: so does this process, even
    in the middle of a job."""
    try:
        while length := int.from_bytes(pipe.read(_LENGTH_BYTES)):
            jobs.put(pipe.read(length))
    finally:
        os._exit(1)


def _begin(memory_bytes: int | None, initializer: Callable[..., object] | None, initargs: tuple[object, ...]) -> None:
    if sys.platform != "win32":
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if memory_bytes is not None:
            # Some systems know the limit but refuse to set it; the work itself does not depend on it.
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, resource.RLIM_INFINITY))
    if initializer is not None:
        initializer(*initargs)


def _limit_processor_time(seconds: int | None) -> None:
    global _is_limited  # noqa: PLW0603  a worker process has one job at a time
    _is_limited = seconds is not None
    if seconds is not None and sys.platform != "win32":
        with contextlib.suppress(ValueError, OSError):
            used = math.ceil(time.process_time())
            _, most = resource.getrlimit(resource.RLIMIT_CPU)
            resource.setrlimit(resource.RLIMIT_CPU, (used + seconds, most))


def allow_processor_time(seconds: float) -> None:
    """Let the job of this process take so many seconds of processor time from now on, where its jobs are limited.

    For a job that knows better how long it may take once it has begun. Outside a worker nothing happens.
    """
    if _is_limited:
        _limit_processor_time(math.ceil(seconds))


def _attempt(fn: Callable[..., object], args: tuple[object, ...], kwargs: dict[str, object]) -> tuple[str, object]:
    try:
        return "done", fn(*args, **kwargs)
    except MemoryError:
        return "left", WorkerDied("The work needs more memory than is allowed.")
    except Exception as error:  # noqa: BLE001 - every error of a job belongs to its caller
        return "failed", error.with_traceback(None)


def _answer(answers: BinaryIO, outcome: tuple[str, object]) -> bool:
    """Send an outcome; False when the process has to end: its start failed, memory is short or nobody listens."""
    try:
        try:
            message = pickle.dumps(outcome, protocol=pickle.HIGHEST_PROTOCOL)
            pickle.loads(message) if outcome[0] != "done" else None  # noqa: S301 - some errors can be pickled but not unpickled
        except MemoryError:
            outcome = ("left", WorkerDied("The work needs more memory than is allowed."))
            message = pickle.dumps(outcome)
        except Exception:  # noqa: BLE001 - a value or an error that cannot be pickled
            kind = "left" if outcome[0] == "left" else "failed"
            outcome = (kind, RuntimeError(f"the outcome cannot be sent back: {outcome[1]!r:.300}"))
            message = pickle.dumps(outcome)
        send(answers, message)
    except OSError:
        return False
    return outcome[0] != "left"


def send(pipe: BinaryIO, message: bytes) -> None:
    pipe.write(message)
    pipe.flush()


def send_message(pipe: BinaryIO, message: bytes) -> None:
    pipe.write(len(message).to_bytes(_LENGTH_BYTES))
    send(pipe, message)
