"""Folders for work in hand, each of which says which process it belongs to.

A process holds the lock on a file of its own for as long as it lives, and the name of each of its folders begins with
the name of that file. The operating system gives the lock back when the process ends, however it ends, and no other
process can come into it by chance, as one can come into the number of a dead process.
"""

from __future__ import annotations

import logging
import secrets
import shutil
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, SoftFileLock, Timeout

log = logging.getLogger(__name__)


class NoLocks(Exception):
    """The folder is on a share that does not lock files."""


class PrivateFolders:
    """Makes folders in these places. `owners` is a folder beside them, with the lock file of each process."""

    def __init__(self, *places: Path, owners: Path) -> None:
        self._places = places
        self._owners = owners
        self._name = secrets.token_hex(8)
        self._lock: FileLock | None = None
        self._owning = threading.Lock()
        self._is_told = False
        self._left: set[Path] = set()

    @contextmanager
    def within(self, place: Path) -> Iterator[Path]:
        """A folder in this place, which is always removed at the end."""
        with suppress(NoLocks):
            self._own()
        place.mkdir(parents=True, exist_ok=True)
        path = Path(tempfile.mkdtemp(dir=place, prefix=f"{self._name}-"))
        try:
            yield path
        finally:
            # Windows keeps a folder while a file in it is open or mapped; so those from before are tried again.
            self._left.add(path)
            for each in tuple(self._left):
                shutil.rmtree(each, ignore_errors=True)
                if not each.exists():
                    self._left.discard(each)

    def sweep(self) -> None:
        """Remove the folders of processes that have ended, and none of those that are alive.

        Where files cannot be locked nobody can tell one from the other: nothing is removed, and the log says so.
        """
        try:
            self._own()
            # Before the locks: the lock of whoever makes a folder after this one is held by then.
            folders = [folder for place in self._places if place.is_dir() for folder in place.iterdir()]
            dead = {folder.name.partition("-")[0] for folder in folders} - {self._name}
            for file in list(self._owners.iterdir()):
                if file.name != self._name and not self._has_ended(file):
                    dead.discard(file.name)
        except NoLocks:
            return
        for folder in folders:
            if folder.name.partition("-")[0] in dead:
                shutil.rmtree(folder, ignore_errors=True)

    def _own(self) -> None:
        """Hold the lock of this process. Raises NoLocks."""
        with self._owning:
            if self._lock is None:
                self._owners.mkdir(parents=True, exist_ok=True)
                self._lock = self._locked(self._owners / self._name)

    def _has_ended(self, file: Path) -> bool:
        """True when nobody holds the lock on this file any more; then the file goes."""
        try:
            lock = self._locked(file)
        except Timeout:
            return False
        lock.release()
        with suppress(OSError):
            file.unlink(missing_ok=True)
        return True

    def _locked(self, file: Path) -> FileLock:
        """The lock on this file, held. Raises Timeout when another process holds it, or NoLocks."""
        lock = FileLock(file, thread_local=False)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the log below says it in our words
                lock.acquire(blocking=False)
        except Timeout:
            raise
        except (OSError, NotImplementedError) as error:
            raise self._no_locks() from error
        if isinstance(lock, SoftFileLock):  # a file that only exists outlives its process
            lock.release()
            raise self._no_locks()
        return lock

    def _no_locks(self) -> NoLocks:
        if not self._is_told:
            self._is_told = True
            log.warning(
                "Files in %s cannot be locked, as on some network shares. What processes leave half-written when they "
                "are killed stays there: remove it by hand while the studio is stopped.",
                self._owners.parent,
            )
        return NoLocks()
