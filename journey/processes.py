"""Worker processes that are safe inside a threaded server, and how many processors there are for them.

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
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor, wait
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO, ParamSpec, TypeVar

from journey.errors import JourneyError

if sys.platform != "win32":
    import resource

P = ParamSpec("P")
T = TypeVar("T")

LOWEST = 19
"""The niceness of work that must not slow down anybody's page, however many cores it could fill."""

# The search path comes first, so that a worker finds what its parent finds.
_BOOT = (
    "import os, pickle, sys; jobs = os.fdopen(os.dup(0), 'rb'); sys.path[:] = pickle.load(jobs); "
    "from journey.processes import _serve; _serve(jobs)"
)
_LENGTH_BYTES = 8
"""What a message begins with: its length."""

# Every worker is meant to fill one core: native libraries must not add threads and arenas of their own.
_ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
}


class WorkerDied(JourneyError, BrokenExecutor):
    """The process that ran the job was killed or went over a limit. Other jobs are not affected."""


class Workers(Executor):
    """A pool of `count` worker processes; an ordinary `concurrent.futures.Executor` once it is started.

    `nice` is added to the niceness of each worker; a worker at LOWEST gets only what no other process wants.
    Windows has no niceness: there, any above 0 is a priority below normal.
    `memory_bytes` limits its address space (libraries included, so leave a few hundred MB for them) and
    `cpu_seconds` the processor time of each single job; both are skipped where the system has no such limits.
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
        initializer: Callable[..., object] | None = None,
        initargs: tuple[object, ...] = (),
    ) -> None:
        if count < 1:
            raise ValueError("at least one worker process is needed")
        self.count = count
        self._nice = nice
        self._orders = (nice, memory_bytes, cpu_seconds, initializer, initargs)
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

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run `fn` in a worker. Raises RuntimeError when the pool is not started."""
        with self._lock:
            if self._threads is None:
                raise RuntimeError("these workers are not started")
            return self._threads.submit(self._run, self._idle, fn, args, kwargs)

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
        self, idle: SimpleQueue[_Worker], fn: Callable[..., T], args: tuple[object, ...], kwargs: dict[str, object]
    ) -> T:
        worker = idle.get()
        try:
            return worker.call(fn, args, kwargs)
        finally:
            idle.put(worker)


class _Worker:
    """The parent's side of one process. Used by one thread at a time, except for `dismiss`."""

    def __init__(self, nice: int, orders: tuple[object, ...]) -> None:
        self._nice = nice
        self._orders = orders
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
            _send_message(_stdin(self._process), pickle.dumps(self._orders))

    def greet(self) -> None:
        """Wait until the process has run its initializer; raises what that raised."""
        if self._process is None:
            self.launch()
        if not self._greeted:
            self._receive()
            self._greeted = True

    def call(self, fn: Callable[..., T], args: tuple[object, ...], kwargs: dict[str, object]) -> T:
        job = pickle.dumps((fn, args, kwargs), protocol=pickle.HIGHEST_PROTOCOL)
        if self._process is not None and self._process.poll() is not None:
            self.reap()  # it died between two jobs: no reason to fail this one
        self.greet()
        assert self._process is not None  # noqa: S101 - for the type checker: greet launches
        with contextlib.suppress(OSError):  # `_receive` says why
            _send_message(_stdin(self._process), job)
        return self._receive()  # type: ignore[return-value]

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
            raise WorkerDied(self._reason(code)) from error
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
        return f"A worker process ended unexpectedly (exit code {code})."


def _stdin(process: subprocess.Popen[bytes]) -> BinaryIO:
    assert process.stdin is not None  # noqa: S101 - for the type checker: it is always a pipe
    return process.stdin  # type: ignore[return-value]


def _stdout(process: subprocess.Popen[bytes]) -> BinaryIO:
    assert process.stdout is not None  # noqa: S101 - for the type checker: it is always a pipe
    return process.stdout  # type: ignore[return-value]


def _send(pipe: BinaryIO, message: bytes) -> None:
    pipe.write(message)
    pipe.flush()


def _send_message(pipe: BinaryIO, message: bytes) -> None:
    pipe.write(len(message).to_bytes(_LENGTH_BYTES))
    _send(pipe, message)


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


def _serve(pipe: BinaryIO) -> None:
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
    if seconds is not None and sys.platform != "win32":
        with contextlib.suppress(ValueError, OSError):
            used = math.ceil(time.process_time())
            _, most = resource.getrlimit(resource.RLIMIT_CPU)
            resource.setrlimit(resource.RLIMIT_CPU, (used + seconds, most))


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
        _send(answers, message)
    except OSError:
        return False
    return outcome[0] != "left"


def lower_priority(nice: int) -> None:
    """Make the calling thread give way to others. Only on Linux: elsewhere a thread has no niceness of its own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)


def usable_cores(cgroups: Path = Path("/sys/fs/cgroup"), membership: Path = Path("/proc/self/cgroup")) -> int:
    """How many threads can work at the same time: as many as this process has processors, or its container's share
    of them where that is less, rounded up.

    `cgroups` is where Linux shows the limits of groups, and `membership` where it says which groups this process is in.
    """
    known = os.cpu_count() or 1
    if sys.platform == "linux":
        known = len(os.sched_getaffinity(0))
    return min([known, *(max(1, math.ceil(share)) for share in _shares(cgroups, membership))])


def _shares(cgroups: Path, membership: Path) -> Iterator[float]:
    """How many processors each group around this process may keep busy, where that is limited."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        # In version 2 there is one line, and it names no controllers.
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = cgroups / controllers
        own = top / path.lstrip("/")
        # A container sees its own group at the top, whatever its path says.
        for group in (own, *own.parents):
            if group.is_relative_to(top) and (share := _share(group)) is not None:
                yield share


def _share(group: Path) -> float | None:
    for names in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):  # version 2, version 1
        with contextlib.suppress(OSError, ValueError):  # no such file, or no limit: `max`
            quota, period = map(int, " ".join((group / name).read_text() for name in names).split())
            if quota > 0 and period > 0:
                return quota / period
    return None
