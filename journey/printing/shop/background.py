"""Print files made in another process, polled and stopped from this one."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from pathlib import Path
from typing import Concatenate, Generic, ParamSpec, TypeVar

from journey.errors import Stopped

P = ParamSpec("P")
T = TypeVar("T")


class PrintJob(Generic[T]):
    """Work that runs in another process, to be polled from any thread.

    The worker writes how far it is into a small hidden file beside its results; when that file is removed
    the worker stops at the next band of rows. Both sides only open, read, write and remove it, so this works
    for every executor whose workers share a disk with the caller.
    """

    def __init__(self, future: Future[T], progress_file: Path) -> None:
        self.future = future
        self._progress_file = progress_file
        self._last_read = 0.0
        future.add_done_callback(lambda _: _remove(progress_file))

    @property
    def done(self) -> bool:
        """Finished, failed or stopped: `result` answers at once."""
        return self.future.done()

    @property
    def progress(self) -> float:
        """From 0 to 1, never going back; 1 once it is done, however it ended."""
        if self.done:
            return 1.0
        # The worker removes the file a moment before its result is here.
        with suppress(OSError, ValueError):
            self._last_read = min(1.0, max(0.0, float(self._progress_file.read_text(encoding="ascii"))))
        return self._last_read

    def stop(self) -> None:
        """Ask the work to end; `result` then raises Stopped. Does nothing to work that is done."""
        _remove(self._progress_file)

    def result(self, timeout: float | None = None) -> T:
        """What the function returned; raises what it raised, or TimeoutError after `timeout` seconds."""
        return self.future.result(timeout)


def start(
    workers: Executor,
    work: Callable[Concatenate[Path, Path, P], T],
    source: Path,
    folder: Path,
    *args: P.args,
    **kwargs: P.kwargs,
) -> PrintJob[T]:
    """Run `retag`, `exact_size`, `print_set`, `proof` or `panels` in a worker process, without waiting for it.

    `start(workers, exact_size, source, folder, spec, title="fjord")`. The folder has to exist and stays the
    caller's. Only finished files are left in it, unless the process is killed: give each job a folder of its own.
    """
    progress_file = folder / f".{uuid.uuid4().hex}.progress"
    progress_file.write_text("0.0000", encoding="ascii")
    try:
        future = workers.submit(_work_in_background, work, progress_file, source, folder, args, kwargs)
    except BaseException:
        _remove(progress_file)
        raise
    return PrintJob(future, progress_file)


def _work_in_background(
    work: Callable[..., T],
    progress_file: Path,
    source: Path,
    folder: Path,
    args: tuple[object, ...],
    kwargs: dict[str, object],
) -> T:
    def report(done: int, total: int) -> None:
        # Opened without creating it: a missing file is the order to stop. Always six bytes, so that a
        # reader never sees the tail of an old number after a new one.
        try:
            with progress_file.open("r+b") as file:
                file.write(f"{done / total:.4f}".encode())
        except FileNotFoundError:
            raise Stopped("The print file was stopped.") from None

    try:
        return work(source, folder, *args, on_progress=report, should_stop=lambda: not progress_file.exists(), **kwargs)
    finally:
        _remove(progress_file)


def _remove(progress_file: Path) -> None:
    """Windows removes no open file, but nobody holds this one open for longer than a moment."""
    for _ in range(100):
        try:
            progress_file.unlink(missing_ok=True)
        except PermissionError:
            time.sleep(0.01)
        else:
            return
