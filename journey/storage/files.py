"""Where pictures are kept.

A key (128 random bits) names a small folder: the picture, its preview and its thumbnail. The folder appears
whole or not at all. Whoever knows the key may read the folder, so keys are never shown to strangers.
"""

from __future__ import annotations

import errno
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from journey.errors import CannotStart, FileMissing, JourneyError
from journey.storage.failpoints import reach
from journey.storage.private_folders import PrivateFolders
from journey.storage.stored import KEY, NAME


def new_key() -> str:
    """An unguessable key: 128 random bits as 32 hexadecimal digits."""
    return secrets.token_hex(16)


def storage_at(place: str | Path) -> tuple[Any, str]:
    """The file system of a folder or an address, and the path in it. Raises ImportError or ValueError.

    It remembers no listings: what is there is also changed by other processes.
    """
    url = str(place)
    if "://" not in url:
        # Not for fsspec to take apart: `::` and `%` are letters of a folder's name like any other.
        return LocalFileSystem(), url
    storage, root = fsspec.core.url_to_fs(url, use_listings_cache=False)
    return storage, str(root)


class Files:
    """A folder, or object storage at an fsspec address such as `s3://bucket/prefix`."""

    def __init__(self, place: str | Path, *, work_dir: Path) -> None:
        self._work = work_dir
        try:
            self._fs, self._root = storage_at(place)
        except (ImportError, ValueError) as error:
            raise CannotStart(f"JOURNEY_FILES_URL: {error}") from error
        self.is_local = "local" in self._fs.protocol
        """It is a folder, and not object storage."""
        self._folders = PrivateFolders(self._incoming, self._scratch, owners=self._incoming.with_name("owners"))

    def start(self) -> None:
        """Make the folders and remove what dead processes left half-written. Only the worker's process calls this.

        Raises CannotStart when nothing can be written there.
        """
        try:
            self._incoming.mkdir(parents=True, exist_ok=True)
            self._folders.sweep()
        except OSError as error:
            raise CannotStart(f"The folder for pictures cannot be written to: {error.strerror or error}.") from error
        try:
            self.check()
        except OSError as error:
            raise CannotStart(f"JOURNEY_FILES_URL: nothing can be stored there: {error.strerror or error}.") from error

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """A private folder. Write a picture and its previews into it, then `keep` it. Always removed at the end."""
        with self._folders.within(self._incoming) as path:
            yield path

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A private folder. Make files from a stored picture in it, then `add` them. Always removed at the end."""
        with self._folders.within(self._scratch) as path:
            yield path

    def keep(self, folder: Path, *, key: str | None = None) -> str:
        """Store all files of the folder under a key, at once, and return the key. What was under it is replaced.

        Do not use the folder afterwards. While files are replaced, a name that both sets have can always be read.
        """
        is_new, key = key is None, key or new_key()
        if not KEY.fullmatch(key):
            raise ValueError("a key has 32 hexadecimal digits")
        if self.is_local:
            target = self._local(key)
            target.parent.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o755)
            reach("before the rename")
            try:
                folder.rename(target)
            except OSError:
                if not target.is_dir():
                    raise
                _replace_files(folder, target)
        else:
            # The smallest first, so that the picture comes last: whoever finds it finds its previews as well.
            names = [file.name for file in sorted(folder.iterdir(), key=lambda each: each.stat().st_size)]
            with asking():
                for name in names:
                    self._fs.put_file(str(folder / name), self._remote(key, name))
                for name in set() if is_new else self._remote_names(key) - set(names):
                    self._fs.rm_file(self._remote(key, name))
            shutil.rmtree(self._cached(key), ignore_errors=True)
        reach("after the rename")
        return key

    def add(self, key: str, path: Path, *, beside: str) -> None:
        """Move a file made from the picture `beside` into the folder of that picture, at once and under its own name.

        Raises FileMissing, and adds nothing, when that picture is gone. The file should come from `scratch`.
        """
        picture = self.path(key, beside)
        if self.is_local:
            try:
                path.replace(picture.with_name(path.name))
            except FileNotFoundError:
                raise FileMissing("There is no such file.") from None
        else:
            with asking():
                self._fs.put_file(str(path), self._remote(key, path.name))
                # Checked last, so that nothing is left behind if the picture is just being removed.
                if not self._fs.exists(self._remote(key, beside)):
                    self._fs.rm_file(self._remote(key, path.name))
                    raise FileMissing("There is no such file.")
            with suppress(FileNotFoundError):  # no longer in the cache: it will be fetched again
                path.replace(picture.with_name(path.name))

    def path(self, key: str, name: str) -> Path:
        """A local path to read the file from. Raises FileMissing. For object storage it is a cached copy."""
        if not KEY.fullmatch(key) or not NAME.fullmatch(name):
            raise FileMissing("There is no such file.")
        if self.is_local:
            path = self._local(key) / name
            if not path.is_file():
                raise FileMissing("There is no such file.")
            return path
        cached = self._cached(key) / name
        if not cached.is_file():
            with self.folder() as folder:
                try:
                    with asking():
                        self._fs.get_file(self._remote(key, name), str(folder / name))
                except FileNotFoundError:
                    raise FileMissing("There is no such file.") from None
                cached.parent.mkdir(parents=True, exist_ok=True)
                try:
                    (folder / name).replace(cached)
                except OSError:
                    # Somebody else was faster, and it is being read already: Windows replaces no open file.
                    if not cached.is_file():
                        raise
        return cached

    def nearby(self, key: str, name: str) -> Path | None:
        """The path if the file is at hand without asking object storage, else None."""
        if not KEY.fullmatch(key) or not NAME.fullmatch(name):
            return None
        path = (self._local(key) if self.is_local else self._cached(key)) / name
        return path if path.is_file() else None

    def has(self, key: str, name: str) -> bool:
        try:
            self.path(key, name)
        except FileMissing:
            return False
        return True

    def let_go(self, key: str) -> None:
        """Remove the local copies of what object storage has under a key."""
        if not self.is_local and KEY.fullmatch(key):
            shutil.rmtree(self._cached(key), ignore_errors=True)

    def note(self, name: str, text: str) -> None:
        """Keep a text of ours under this name beside all pictures, for all processes; it is replaced at once."""
        if not self.is_local:
            with asking():
                self._fs.pipe_file(self._remote(name), text.encode())
            return
        with self.scratch() as folder:
            (folder / name).write_text(text)
            (folder / name).replace(Path(self._root) / name)

    def noted(self, name: str) -> str | None:
        """What was kept under this name; None when nothing was."""
        try:
            with asking():
                return bytes(self._fs.cat_file(self._remote(name))).decode()
        except FileNotFoundError:
            return None

    def delete(self, key: str) -> None:
        """Remove everything under a key. An unknown key is not an error.

        Raises OSError, and removes nothing, when that is not possible now: Windows keeps what somebody is reading.
        """
        if not KEY.fullmatch(key):
            return
        if self.is_local:
            # Moved out of the way first, so that nothing can be added to what is being removed.
            with suppress(FileNotFoundError), self.scratch() as grave:
                self._local(key).rename(grave / key)
        else:
            shutil.rmtree(self._cached(key), ignore_errors=True)
            # Another process may be removing it as well.
            with suppress(FileNotFoundError), asking():
                if self._fs.exists(self._remote(key)):
                    self._fs.rm(self._remote(key), recursive=True)

    def check(self) -> None:
        """Raises OSError when nothing can be written."""
        with self.folder() as folder:
            (folder / "probe").write_bytes(b"ok")
            if not self.is_local:
                probe = self._remote(f"probe-{new_key()}")
                with asking():
                    self._fs.put_file(str(folder / "probe"), probe)
                    self._fs.rm_file(probe)

    @property
    def _incoming(self) -> Path:
        # Beside the final place, so that a finished folder can be renamed into it.
        return (Path(self._root) if self.is_local else self._work) / "incoming"

    @property
    def _scratch(self) -> Path:
        return self._incoming.with_name("scratch")

    def _local(self, key: str) -> Path:
        return Path(self._root) / key[:2] / key

    def _cached(self, key: str) -> Path:
        return self._work / "cache" / key

    def _remote(self, *parts: str) -> str:
        return "/".join((self._root.rstrip("/"), *parts))

    def _remote_names(self, key: str) -> set[str]:
        return {str(path).rsplit("/", 1)[-1] for path in self._fs.ls(self._remote(key), detail=False, refresh=True)}


@contextmanager
def asking() -> Iterator[None]:
    """Object storage that is away or refuses is an OSError, as a full disk is, whatever its library raises."""
    try:
        yield
    except Exception as error:
        if isinstance(error, JourneyError | FileNotFoundError) or getattr(error, "strerror", None):
            raise
        raise OSError(errno.EIO, str(error) or type(error).__name__) from error


def _replace_files(source: Path, target: Path) -> None:
    names = {file.name for file in source.iterdir()}
    for name in names:
        (source / name).replace(target / name)
    for file in target.iterdir():
        if file.name not in names:
            file.unlink()
    source.rmdir()
