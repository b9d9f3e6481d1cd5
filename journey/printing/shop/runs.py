"""Print files made in the background for people who watch a page, and kept for a day.

One worker process makes them one at a time, at low priority, so that no page ever waits for one.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from journey.errors import JourneyError, Stopped
from journey.printing import shop
from journey.printing.shop import PrintFile, PrintJob, PrintSet, PrintSpec, Told
from journey.processes import Workers
from journey.storage.files import Files, new_key
from journey.storage.looked import Looked
from journey.storage.stored import StoredFile

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T", PrintFile, PrintSet)

WAITING_LIMIT = 20
WORKER_BYTES = 3 * 1024**3
MAKING_SECONDS = 1800.0
"""After how long a print file that is not finished is given up. A banner takes a minute."""


@dataclass(frozen=True)
class Made:
    """A stored print file, or a ZIP of them. `size` is in bytes; `notes` are sentences to read before ordering."""

    stored: StoredFile
    size: int
    files: tuple[PrintFile, ...]
    notes: tuple[str, ...]


class PrintRun:
    """One print file (or set) on its way, to be polled from any thread."""

    def __init__(self, job: PrintJob[PrintFile] | PrintJob[PrintSet], stored: Future[Made]) -> None:
        self._job = job
        self._stored = stored

    @property
    def waiting(self) -> bool:
        """True while others are being made first."""
        return not (self.done or self._job.future.running() or self._job.done)

    @property
    def progress(self) -> float:
        """From 0 to 1. It is 1 only when the file can be downloaded, or when there will be none."""
        return 1.0 if self.done else min(0.99, self._job.progress)

    @property
    def done(self) -> bool:
        return self._stored.done()

    def stop(self) -> None:
        """Ask it to end. Does nothing once it is done."""
        if not self._job.future.cancel():
            self._job.stop()

    @property
    def made(self) -> Made | None:
        """What was made; None while it is under way, and when it failed or was stopped."""
        return self._stored.result() if self.done and self._stored.exception() is None else None

    @property
    def problem(self) -> str | None:
        """Why it failed or was stopped, as a sentence for people; None otherwise."""
        return _sentence(self._stored.exception()) if self.done else None

    @property
    def stopped(self) -> bool:
        """True when it ended because a person asked it to."""
        return self.done and isinstance(self._stored.exception(), (Stopped, CancelledError))

    def wait(self, timeout: float) -> None:
        """Wait until it is done. Raises TimeoutError after `timeout` seconds."""
        try:
            self._stored.exception(timeout)
        except CancelledError:
            return


class PrintRuns:
    """Makes print files from stored pictures, and stores them as well, each under a key of its own.

    They count as looked at when they are made, so that they are removed a day later, unless somebody enlarges one.
    """

    def __init__(self, files: Files, looked: Looked, *, workers: Workers | None = None) -> None:
        self._files = files
        self._looked = looked
        self._workers = workers or Workers(1, nice=10, memory_bytes=WORKER_BYTES, seconds=MAKING_SECONDS)
        self._open: list[PrintRun] = []
        self._telling: list[PrintJob[tuple[Told, ...]]] = []

    def make(
        self,
        work: Callable[Concatenate[Path, Path, P], T],
        stored: StoredFile,
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> PrintRun:
        """Begin `retag`, `exact_size`, `print_set`, `proof` or `panels` for a stored picture, without waiting for it.

        The worker process is started by the first call. Raises FileMissing when the picture is gone,
        JourneyError when too many are waiting, and OSError when nothing can be written.
        """
        self._open = [run for run in self._open if not run.done]
        if len(self._open) >= WAITING_LIMIT:
            raise JourneyError("Many print files are being made right now. Try again in a minute.")
        job, folder, end = self._begin(work, stored, *args, **kwargs)
        outcome: Future[Made] = Future()
        job.future.add_done_callback(lambda made: self._store(made, outcome, folder, end))
        run = PrintRun(job, outcome)
        self._open.append(run)
        return run

    def tell(self, stored: StoredFile, specs: Sequence[PrintSpec]) -> PrintJob[tuple[Told, ...]] | None:
        """Begin to find out how large these files would be, without waiting for it; None when much is waiting.

        Raises FileMissing when the picture is gone, and OSError when nothing can be written.
        """
        self._telling = [job for job in self._telling if not job.done]
        if len(self._telling) >= WAITING_LIMIT:
            return None
        job, _, end = self._begin(shop.told_sizes, stored, specs)
        job.future.add_done_callback(lambda _: end.close())
        self._telling.append(job)
        return job

    def _begin(
        self, work: Callable[Concatenate[Path, Path, P], R], stored: StoredFile, /, *args: P.args, **kwargs: P.kwargs
    ) -> tuple[PrintJob[R], Path, ExitStack]:
        """The work in the worker, its folder, and what removes that."""
        source = self._files.path(stored.key, stored.file)
        self._looked.note([stored.key])  # nobody removes the picture meanwhile
        self._workers.start()
        with ExitStack() as on_error:
            folder = on_error.enter_context(self._files.folder())
            job = shop.start(self._workers, work, source, folder, *args, **kwargs)
            return job, folder, on_error.pop_all()

    @property
    def is_busy(self) -> bool:
        """True while a print file is being made."""
        return not all(run.done for run in self._open)

    def stop(self) -> None:
        """End the worker; what is under way fails. A later `make` starts it again."""
        self._workers.stop()

    def _store(
        self,
        made: Future[T],
        stored: Future[Made],
        folder: Path,
        end: ExitStack,
    ) -> None:
        """Runs once for each job, in a thread of the workers or in the one that cancelled the job."""
        try:
            with end:
                result = made.result()
                for stray in folder.iterdir():
                    if stray != result.path:
                        stray.unlink()
                key = new_key()
                self._looked.note([key])
                self._files.keep(folder, key=key)
            stored.set_result(_made(key, result))
        except BaseException as error:  # noqa: BLE001 - whoever is watching must hear of any failure
            stored.set_exception(error)


def _made(key: str, result: PrintFile | PrintSet) -> Made:
    if isinstance(result, PrintFile):
        return Made(StoredFile(key, result.path.name), result.size, (result,), result.notes)
    notes = tuple(f"{file.path.name}: {note}" for file in result.files for note in file.notes)
    return Made(StoredFile(key, result.path.name), result.size, result.files, notes)


def _sentence(error: BaseException | None) -> str | None:
    if error is None:
        return None
    if isinstance(error, CancelledError):
        return "The print file was stopped."
    if isinstance(error, (JourneyError, ValueError)):
        return str(error)
    if isinstance(error, OSError):
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return "The disk is full, so the print file could not be written. Make room, or choose a smaller one."
        return f"The print file could not be written: {error.strerror or 'the disk refused it'}."
    log.error("a print file failed", exc_info=error)
    return "The print file could not be made. Try again, or choose a lower DPI or a smaller paper."
