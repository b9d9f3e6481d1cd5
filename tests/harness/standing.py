"""Stand-ins for what a test wants to hold still: time, threads and processes."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from journey.pictures.checking import Decoder
from journey.testing import StandIn

T = TypeVar("T")


class Clock:
    """Time that stands still until it is moved. `sleep` moves it, and remembers by how much."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


class Inline(Executor):
    """Runs the work at once, on the thread that submits it. `before` is called first, with the job's number."""

    def __init__(self, before: Callable[[int], None] = lambda _: None) -> None:
        self.jobs = 0
        self.before = before

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()
        self.jobs += 1
        try:
            self.before(self.jobs)
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class DecoderHere(Decoder):
    """The decoder without its processes, which have tests of their own."""

    def _run(self, work: Callable[..., T], *args: object, asker: str = "", seconds: float | None = None) -> T:
        return work(*args)


@contextmanager
def refusing(api: StandIn) -> Iterator[None]:
    """Nobody listens there until the end of the block; meanwhile no server of another test gets its port."""
    api.stop()
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", urlsplit(api.origin).port))
        try:
            yield
        finally:
            held.close()
            api.start()


def wait_for(condition: Callable[[], object], *, seconds: float = 60) -> None:
    """Wait for background work, at most this many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the background work did not get there in time"
        time.sleep(0.02)


def outcome(work: Coroutine[Any, Any, T]) -> T:
    """Run it to its end in a thread of its own: where a browser was driven, this one has a loop that runs already."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def wait_for_server(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait until a program that was started as a server on a loopback port answers; when it ends, its log says why."""

    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", port)) == 0

    wait_for(answers)
