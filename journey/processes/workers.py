"""The parent's side: a pool of worker processes.

Each worker is a fresh interpreter that talks through two pipes. It never sees the parent's
`__main__` (a server swaps that for its page scripts, and importing it again costs memory), it
is out of reach of Ctrl-C, and it ends by itself when the parent is gone.
"""

from __future__ import annotations

import contextlib
import math
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO, ParamSpec, TypeVar

from journey.processes.serving import LOWEST, WorkerDied, WorkerHung, send_message

P = ParamSpec("P")
T = TypeVar("T")

PATIENCE = 4
"""How many times the processor time a job may take by the clock: other work may have the processors."""
STUCK_SECONDS = 120.0
"""After how long a job counts as stuck. The slowest that are made of purpose take half of that."""

# The search path comes first, so that a worker finds what its parent finds.
_BOOT = (
    "import os, pickle, sys; jobs = os.fdopen(os.dup(0), 'rb'); sys.path[:] = pickle.load(jobs); "
    "from journey.processes.serving import serve; serve(jobs)"
)

# Native libraries must not add threads and arenas of their own: a worker that wants threads says how many.
_ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
}


class Workers(Executor):
    """A pool of `count` worker processes; an ordinary `concurrent.futures.Executor` once it is started.

    `nice` is added to the niceness of each worker; a worker at LOWEST gets only what no other process wants.
    Windows has no niceness: there, any above 0 is a priority below normal.
    `memory_bytes` limits its address space (libraries included, so leave a few hundred MB for them) and
    `cpu_seconds` the processor time of each single job; both are skipped where the system has no such limits.
    `seconds` is how long a job may take by the clock, which also ends one that hangs: four times the processor time,
    unless it is given.
    `initializer(*initargs)` runs once in each worker before its first job. Functions, arguments and results
    are pickled, and functions have to be importable.

    A job whose worker dies fails with WorkerDied, no other job notices, and the next job starts a new worker.
    """

    def __init__(
        self,
        count: int,
        *,
        nice: int = 0,
        memory_bytes: int | None = None,
        cpu_seconds: int | None = None,
        seconds: float | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: tuple[object, ...] = (),
    ) -> None:
        if count < 1:
            raise ValueError("at least one worker process is needed")
        self.count = count
        self._nice = nice
        self._orders = (nice, memory_bytes, cpu_seconds, initializer, initargs)
        self._seconds = seconds or (PATIENCE * cpu_seconds if cpu_seconds else None)
        self._lock = threading.Lock()
        self._threads: ThreadPoolExecutor | None = None
        self._workers: list[_Worker] = []
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        self._greetings: list[Future[None]] = []

    def start(self) -> None:
        """Start the processes without waiting for them. A second call changes nothing."""
        with self._lock:
            if self._threads is not None:
                return
            idle: SimpleQueue[_Worker] = SimpleQueue()
            self._workers = [_Worker(self._nice, self._orders) for _ in range(self.count)]
            for worker in self._workers:
                worker.launch()
                idle.put(worker)
            self._idle = idle
            self._threads = ThreadPoolExecutor(self.count, thread_name_prefix="journey-worker")
            self._greetings = [self._threads.submit(self._greet, idle) for _ in range(self.count)]

    def ready(self, timeout: float | None = None) -> bool:
        """Wait up to `timeout` seconds (None: as long as it takes) and say whether all workers are warmed up."""
        greetings = list(self._greetings)
        done, _ = wait(greetings, timeout)
        return bool(greetings) and all(one in done and not one.cancelled() and not one.exception() for one in greetings)

    @property
    def is_stuck(self) -> bool:
        """True when a job has taken far longer than jobs do, and may be hanging. It will be ended in time."""
        return any(worker.is_stuck for worker in self._workers)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run `fn` in a worker. Raises RuntimeError when the pool is not started."""
        return self._submit(self._seconds, fn, args, kwargs)

    def submit_within(self, seconds: float, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """The same for a job that may take so many seconds by the clock."""
        return self._submit(seconds, fn, args, kwargs)

    def _submit(
        self, seconds: float | None, fn: Callable[..., T], args: tuple[object, ...], kwargs: dict[str, object]
    ) -> Future[T]:
        with self._lock:
            if self._threads is None:
                raise RuntimeError("these workers are not started")
            return self._threads.submit(self._run, self._idle, seconds, fn, args, kwargs)

    def stop(self) -> None:
        """End the processes now: waiting jobs are cancelled, running ones fail. A second call changes nothing."""
        with self._lock:
            threads, self._threads = self._threads, None
            workers, self._workers = self._workers, []
            self._greetings = []
        if threads is None:
            return
        threads.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            worker.dismiss()
        threads.shutdown(wait=True)
        for worker in workers:
            worker.reap()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """As for any Executor: finish what was submitted, then stop. `stop` does not wait for jobs."""
        with self._lock:
            threads = self._threads
        if threads is not None and wait:
            threads.shutdown(wait=True, cancel_futures=cancel_futures)
        self.stop()

    # There are as many threads as workers, so a thread never has to wait for an idle worker.

    def _greet(self, idle: SimpleQueue[_Worker]) -> None:
        worker = idle.get()
        try:
            worker.greet()
        finally:
            idle.put(worker)

    def _run(
        self,
        idle: SimpleQueue[_Worker],
        seconds: float | None,
        fn: Callable[..., T],
        args: tuple[object, ...],
        kwargs: dict[str, object],
    ) -> T:
        worker = idle.get()
        try:
            return worker.call(seconds, fn, args, kwargs)
        finally:
            idle.put(worker)


class _Worker:
    """The parent's side of one process. Used by one thread at a time, except for `dismiss`."""

    def __init__(self, nice: int, orders: tuple[object, ...]) -> None:
        self._nice = nice
        self._orders = orders
        self._stuck_at = math.inf
        self._is_late = False
        self._process: subprocess.Popen[bytes] | None = None
        self._greeted = False
        self._dismissed = False
        self._lock = threading.Lock()

    def launch(self) -> None:
        with self._lock:
            if self._dismissed:
                raise WorkerDied("The worker processes were stopped.")
            self._greeted = False
            self._process = subprocess.Popen(
                [sys.executable, "-c", _BOOT],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | _ONE_THREAD,
                # A Ctrl-C in the terminal is for the parent only.
                process_group=None if sys.platform == "win32" else 0,
                creationflags=_windows_flags(self._nice),
            )
        with contextlib.suppress(OSError):  # it died at once: `greet` will say so
            _stdin(self._process).write(pickle.dumps([path or str(Path.cwd()) for path in sys.path]))
            send_message(_stdin(self._process), pickle.dumps(self._orders))

    def greet(self) -> None:
        """Wait until the process has run its initializer; raises what that raised."""
        if self._process is None:
            self.launch()
        if not self._greeted:
            self._receive()
            self._greeted = True

    def call(
        self, seconds: float | None, fn: Callable[..., T], args: tuple[object, ...], kwargs: dict[str, object]
    ) -> T:
        job = pickle.dumps((fn, args, kwargs), protocol=pickle.HIGHEST_PROTOCOL)
        if self._process is not None and self._process.poll() is not None:
            self.reap()  # it died between two jobs: no reason to fail this one
        self.greet()
        assert self._process is not None  # noqa: S101 - for the type checker: greet launches
        with self._on_time(self._process, seconds):
            with contextlib.suppress(OSError):  # `_receive` says why
                send_message(_stdin(self._process), job)
            return self._receive()  # type: ignore[return-value]

    @property
    def is_stuck(self) -> bool:
        return time.monotonic() > self._stuck_at

    @contextlib.contextmanager
    def _on_time(self, process: subprocess.Popen[bytes], seconds: float | None) -> Iterator[None]:
        """Kill the process if the job takes longer than it may. Even one that was stopped can be killed."""

        def kill() -> None:
            self._is_late = True
            process.kill()

        self._is_late = False
        self._stuck_at = time.monotonic() + min((seconds or math.inf) / 2, STUCK_SECONDS)
        timer = threading.Timer(seconds, kill) if seconds else None
        if timer:
            timer.daemon = True
            timer.start()
        try:
            yield
        finally:
            self._stuck_at = math.inf
            if timer:
                timer.cancel()

    def dismiss(self) -> None:
        """Kill the process, from any thread; whoever waits for its answer gets WorkerDied."""
        with self._lock:
            self._dismissed = True
            if self._process is not None:
                self._process.kill()

    def reap(self) -> int | None:
        """Make sure that the process is gone, and return its exit code."""
        process, self._process = self._process, None
        if process is None:
            return None
        process.kill()
        with contextlib.suppress(OSError):
            _stdin(process).close()
        _stdout(process).close()
        return process.wait()

    def _receive(self) -> object:
        assert self._process is not None  # noqa: S101 - for the type checker: callers launch first
        try:
            outcome, value = pickle.load(_stdout(self._process))  # noqa: S301 - written by our own worker
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            code = self._process.poll() if self._dismissed else _exit_code(self._process)
            self.reap()
            raise (WorkerHung if self._is_late else WorkerDied)(self._reason(code)) from error
        if outcome == "done":
            return value
        if outcome == "left":  # that was its last message: it has ended
            self.reap()
        raise value

    def _reason(self, code: int | None) -> str:
        if self._dismissed:
            return "The worker processes were stopped."
        if sys.platform != "win32" and code == -signal.SIGXCPU:
            return "The work took more processor time than is allowed."
        if self._is_late:
            return "The work took longer than is allowed."
        return f"A worker process ended unexpectedly (exit code {code})."


def _stdin(process: subprocess.Popen[bytes]) -> BinaryIO:
    assert process.stdin is not None  # noqa: S101 - for the type checker: it is always a pipe
    return process.stdin  # type: ignore[return-value]


def _stdout(process: subprocess.Popen[bytes]) -> BinaryIO:
    assert process.stdout is not None  # noqa: S101 - for the type checker: it is always a pipe
    return process.stdout  # type: ignore[return-value]


def _windows_flags(nice: int) -> int:
    """What a process on Windows is started with: its priority, and out of reach of Ctrl-C. Elsewhere nothing."""
    if sys.platform != "win32":
        return 0
    if nice == LOWEST:
        return subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.IDLE_PRIORITY_CLASS
    return subprocess.CREATE_NEW_PROCESS_GROUP | (subprocess.BELOW_NORMAL_PRIORITY_CLASS if nice > 0 else 0)


def _exit_code(process: subprocess.Popen[bytes]) -> int | None:
    """Wait for the exit code: the pipe closes a moment before the process is gone. None after 1 s without one."""
    try:
        return process.wait(timeout=1)
    except subprocess.TimeoutExpired:
        return None
