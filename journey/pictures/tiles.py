"""Stored pictures as tiles, so that any part of a large one can be looked at without sending the whole.

Level 0 holds the pixels as they are, each further level half as many across and down, and the last one fits
into one tile. All tiles of a picture are one file beside it, because many small files are slow in object storage.
They are made in the background, in a process that takes only the time nobody else wants.
"""

from __future__ import annotations

import io
import json
import logging
import os
import threading
import time
import zipfile
from collections import OrderedDict, deque
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from PIL import Image, ImageCms

from journey.errors import FileMissing, JourneyError
from journey.pictures.checking import Decoder
from journey.storage.files import Files

log = logging.getLogger(__name__)

TILES = "tiles.zip"
TILE_SIDE = 512
SECONDS = 300
"""Processor time that one picture may take; 100 megapixels take about 10 s."""

RETRY_SECONDS = 60.0
"""How long a picture of which no tiles could be made is left alone."""
WAITING_LIMIT = 100
"""Pictures that wait. Beyond that, those that nobody looks at have to wait until somebody does."""

_QUALITY = 95
_ICC_LIMIT = 16 * 1024
"""Bytes of a colour profile. Each tile carries it; with a longer one the colours are converted to sRGB instead."""
_ABOUT = "about.json"
_REMEMBERED = 200
NO_TILE = "There is no such tile."


@dataclass(frozen=True)
class Pyramid:
    """The tiles of one picture: its size in pixels, and how many levels there are."""

    width: int
    height: int
    levels: int


@dataclass(frozen=True)
class _Directory:
    """Where each tile lies in one version of a file of tiles: `places` is {name: (offset, size)}."""

    version: tuple[int, ...]
    pyramid: Pyramid
    places: dict[str, tuple[int, int]]


class Tiles:
    """Makes tiles, one picture after the other, and reads them. Everything here may be called from any thread."""

    def __init__(self, files: Files, decoder: Decoder) -> None:
        """`decoder` is for this work alone: nobody else's picture should have to wait behind it."""
        self._files = files
        self._decoder = decoder
        self._waiting: deque[tuple[str, str]] = deque()
        self._at_work: tuple[str, str] | None = None
        self._failed: OrderedDict[str, tuple[float, str]] = OrderedDict()
        self._directories: OrderedDict[str, _Directory] = OrderedDict()
        self._changed = threading.Condition()
        self._fetching = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopping = False

    def look(self, key: str, file: str) -> Pyramid | None:
        """The tiles of a stored picture if they are at hand. If not, None, and they are prepared before all others."""
        path = self._files.nearby(key, TILES)
        if path is not None:
            with suppress(FileNotFoundError), path.open("rb") as content:
                return self._directory(key, content).pyramid
        self._order(key, file, first=True)
        return None

    def prepare(self, key: str, file: str) -> None:
        """Make the tiles of a stored picture when there is nothing more urgent."""
        if self._files.nearby(key, TILES) is None:
            self._order(key, file, first=False)

    def problem(self, key: str) -> str | None:
        """Why no tiles could be made of this picture, as a sentence; None while they may still come."""
        with self._changed:
            failed = self._failed.get(key)
        return failed[1] if failed else None

    def tile(self, key: str, level: int, column: int, row: int) -> tuple[bytes, str]:
        """One encoded tile, and the ending of files of its kind. Raises FileMissing."""
        path = self._files.nearby(key, TILES)
        if path is None:
            with self._fetching:  # the first of many that ask at the same time
                path = self._files.path(key, TILES)
        with suppress(FileNotFoundError), path.open("rb") as content:
            places = self._directory(key, content).places
            for extension in (".jpg", ".png"):
                if place := places.get(_name(level, column, row) + extension):
                    content.seek(place[0])
                    return content.read(place[1]), extension
        raise FileMissing(NO_TILE)

    def wait(self, timeout: float) -> None:
        """Until nothing is waiting or under way. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: not self._waiting and self._at_work is None, timeout):
                raise TimeoutError

    def stop(self) -> None:
        """End the work; what waits is forgotten. Nothing can be ordered afterwards. Idempotent."""
        with self._changed:
            self._stopping = True
            self._waiting.clear()
            self._changed.notify_all()
        thread = self._thread
        while thread is not None and thread.is_alive():
            self._decoder.stop()  # again, when it was just being started
            thread.join(0.1)
        self._decoder.stop()

    def _order(self, key: str, file: str, *, first: bool) -> None:
        wanted = (key, file)
        with self._changed:
            failed = self._failed.get(key)
            left_alone = failed is not None and time.monotonic() - failed[0] < RETRY_SECONDS
            if self._stopping or left_alone or wanted == self._at_work:
                return
            if wanted in self._waiting:
                if not first or self._waiting[0] == wanted:
                    return
                self._waiting.remove(wanted)
            if first:
                self._waiting.appendleft(wanted)
            elif len(self._waiting) < WAITING_LIMIT:
                self._waiting.append(wanted)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="tiles", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._stopping)
                if self._stopping:
                    return
                key, file = self._at_work = self._waiting.popleft()
            problem = self._attempt(key, file)
            with self._changed:
                self._at_work = None
                self._failed.pop(key, None)
                if problem is not None:
                    self._failed[key] = time.monotonic(), problem
                    while len(self._failed) > _REMEMBERED:
                        self._failed.popitem(last=False)
                self._changed.notify_all()

    def _attempt(self, key: str, file: str) -> str | None:
        """The sentence to show when it did not work."""
        try:
            if not self._files.has(key, TILES):
                self._make(key, file)
        except JourneyError as error:
            return str(error)
        except OSError as error:
            log.warning("tiles cannot be stored: %s", error.strerror)
            return f"It cannot be stored: {error.strerror or 'the disk refused it'}."
        except Exception:
            if not self._stopping:  # the workers were stopped under it
                log.exception("tiles cannot be made")
            return "It could not be made."
        return None

    def _make(self, key: str, file: str) -> None:
        self._decoder.start()
        picture = self._files.path(key, file)
        before = _version(picture.stat())
        with self._files.scratch() as scratch:
            self._decoder.apply(write, picture, scratch / TILES)
            if _version(self._files.path(key, file).stat()) != before:
                raise JourneyError("The picture was replaced meanwhile.")
            self._files.add(key, scratch / TILES, beside=file)

    def _directory(self, key: str, content: BinaryIO) -> _Directory:
        """What is in an opened file of tiles."""
        version = _version(os.fstat(content.fileno()))
        with self._changed:
            known = self._directories.get(key)
        if known is None or known.version != version:
            known = _read_directory(content, version)
        with self._changed:
            self._directories[key] = known
            self._directories.move_to_end(key)
            while len(self._directories) > _REMEMBERED:
                self._directories.popitem(last=False)
        return known


def levels(width: int, height: int) -> int:
    """How many levels a picture of so many pixels has."""
    count = 1
    while max(width, height) > TILE_SIDE:
        width, height, count = -(-width // 2), -(-height // 2), count + 1
    return count


def write(picture: Image.Image, target: Path) -> None:
    """Write all tiles of an upright 8-bit picture (L, LA, RGB or RGBA).

    JPEG of quality 95 with all its colour, PNG where something is transparent; grey stays grey. Besides the
    picture this needs a third of its memory.
    """
    encode = _Encoder(picture.info.get("icc_profile"), picture.mode)
    about = Pyramid(picture.width, picture.height, levels(*picture.size))
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_ABOUT, json.dumps(asdict(about)))
        for level in range(about.levels):
            half = Image.new(picture.mode, (-(-picture.width // 2), -(-picture.height // 2)))
            # In strips: what turns a whole picture into another one would need its memory twice.
            for row in range(-(-picture.height // TILE_SIDE)):
                top = row * TILE_SIDE
                strip = picture.crop((0, top, picture.width, min(top + TILE_SIDE, picture.height)))
                for column in range(-(-picture.width // TILE_SIDE)):
                    left = column * TILE_SIDE
                    tile = strip.crop((left, 0, min(left + TILE_SIDE, picture.width), strip.height))
                    extension, content = encode(tile)
                    archive.writestr(_name(level, column, row) + extension, content)
                half.paste(strip.reduce(2), (0, top // 2))
            picture = half


class _Encoder:
    """A tile as (extension, bytes), with the colours of the whole picture."""

    def __init__(self, icc: bytes | None, mode: str) -> None:
        self._icc = icc
        self._transform: ImageCms.ImageCmsTransform | None = None
        if icc is not None and len(icc) > _ICC_LIMIT:
            self._icc = None
            if mode in ("RGB", "RGBA"):
                try:
                    source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
                    self._transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, mode)
                except (ImageCms.PyCMSError, OSError):
                    pass  # a broken profile describes no colours

    def __call__(self, tile: Image.Image) -> tuple[str, bytes]:
        tile.info = {}
        if self._transform is not None:
            tile = ImageCms.applyTransform(tile, self._transform) or tile
        buffer = io.BytesIO()
        if tile.mode in ("LA", "RGBA"):
            if tile.getchannel("A").getextrema() != (255, 255):
                tile.save(buffer, "PNG", compress_level=1, icc_profile=self._icc)
                return ".png", buffer.getvalue()
            tile = tile.convert(tile.mode[:-1])
        tile.save(buffer, "JPEG", quality=_QUALITY, subsampling=0, icc_profile=self._icc)
        return ".jpg", buffer.getvalue()


def _name(level: int, column: int, row: int) -> str:
    return f"{level}/{column}_{row}"


def _version(status: os.stat_result) -> tuple[int, ...]:
    """Another one whenever the file was replaced."""
    return status.st_ino, status.st_mtime_ns, status.st_size


def _read_directory(content: BinaryIO, version: tuple[int, ...]) -> _Directory:
    with zipfile.ZipFile(content) as archive:
        about = Pyramid(**json.loads(archive.read(_ABOUT)))
        # Behind a local header of 30 bytes and the name: these archives have no other fields.
        places = {
            each.filename: (each.header_offset + 30 + len(each.filename), each.file_size) for each in archive.infolist()
        }
    return _Directory(version, about, places)
