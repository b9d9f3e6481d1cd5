"""Untrusted bytes become checked pictures here.

Only the kinds in `kinds` are accepted. A picture's size is read and checked before anything is decoded, and decoding
happens in a separate process with limits on memory and time.
"""

from __future__ import annotations

import logging
import math
import uuid
from collections.abc import Callable
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

from journey.background import Latest
from journey.errors import PictureRefused
from journey.pictures import previews
from journey.pictures.copying import only_the_picture
from journey.pictures.kinds import KINDS, FormatName
from journey.pictures.reading import read, too_many_pixels
from journey.pictures.repacking import repack
from journey.pictures.rows import FileRows, Stream
from journey.pictures.streaming import stream, write_rows
from journey.processes import PATIENCE, Turns, WorkerHung, Workers, allow_processor_time

log = logging.getLogger(__name__)

T = TypeVar("T")
_BASE_SECONDS = 30
_SECONDS_PER_MEGAPIXEL = 0.5
"""Processor time for one picture. A PNG takes 0.02 s per megapixel and a lossless WebP, the slowest kind, 0.08 s on a
server of 2021; six times as much is for slower machines."""
_HEADER_SECONDS = 5
"""Processor time for the header of a picture, and what its pixels have on top of the time for each. Few bytes can ask
for hours: a JPEG of a thousand scans goes through its pixels a thousand times."""
_LOOKED_AT_ONCE = 2
"""Pictures that are decoded at once to look at them. With one of each visitor at most, a second never waits long."""
_REMEMBERED = 1_000
"""Pictures whose facts are kept in memory."""
_BASE_BYTES = 1024**3
_BYTES_PER_PIXEL = 12
"""Address space of a decoder: the interpreter and its libraries (0.3 GB), and what a picture takes that cannot be
decoded row by row. A progressive JPEG takes up to 10 bytes for each pixel, for coefficients and colours.
A WebP takes 17, and has at most 268 megapixels, for which the limit of a result of 410 is enough."""


@dataclass(frozen=True)
class Picture:
    """What is known about a picture. Width and height are in pixels, upright (any EXIF turn applied).

    `channels` is 1 (grey), 2 (grey and alpha), 3 (RGB) or 4 (RGBA). `notes` are sentences about what was
    converted on the way in.
    """

    format: FormatName
    width: int
    height: int
    channels: int
    notes: tuple[str, ...] = ()

    @property
    def extension(self) -> str:
        """What its file name ends in, with the dot."""
        return KINDS[self.format].extension


@dataclass(frozen=True)
class Limits:
    """The most pixels that a source may have, and a result."""

    input: int
    output: int

    def problem(self, width: int, height: int, *steps: int) -> str | None:
        """Why a picture of this size in pixels cannot be enlarged by these steps, one after the other, as a sentence.

        Each step takes the result of the one before it, so that has to be within the limit of a source. None when it
        can be done; without steps the picture alone is judged.
        """
        scale = math.prod(steps)
        across, down = width * scale, height * scale
        if across * down > self.output:
            remedy = f"{scale // 2}x or a smaller picture" if scale > 2 else "a smaller picture"
            return (
                f"{scale}x would be {across} × {down} px = {across * down / 1e6:.0f} megapixels; "
                f"the limit is {self.output / 1e6:g}. Choose {remedy}."
            )
        between = math.prod(steps[:-1])
        if between > 1 and width * height <= self.input < width * height * between**2:
            across, down = width * between, height * between
            return (
                f"{scale}x takes two steps, and after the first there would be {across} × {down} px = "
                f"{across * down / 1e6:.0f} megapixels to enlarge; the limit is {self.input / 1e6:g}. "
                "Choose 4x or a smaller picture."
            )
        return too_many_pixels(width, height, self.input)


def inspect(path: Path, *, max_pixels: int) -> Picture:
    """Read the header only. Raises PictureRefused for another format, an animation or too many pixels."""
    reading = read(path, max_pixels)
    return Picture(reading.kind, *reading.upright_size, len(reading.mode), reading.notes)


class Decoder:
    """A small pool of processes that decode untrusted pictures. When one dies, only its own picture fails.

    Whoever asks has one process at a time, and askers take turns.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        workers: int = 1,
        nice: int = 5,
        seconds: int | None = None,
    ) -> None:
        """`seconds` is the processor time for one picture; by default it is enough to decode the largest."""
        self.limits = limits
        pixels = max(limits.input, limits.output)
        self._turns = Turns(workers)
        self._facts: Latest[tuple[Path, int, int, int], Picture] = Latest(_REMEMBERED)
        self._is_stopped = False
        self._workers = Workers(
            workers,
            nice=nice,
            memory_bytes=_BASE_BYTES + _BYTES_PER_PIXEL * pixels,
            cpu_seconds=seconds or _BASE_SECONDS + math.ceil(_SECONDS_PER_MEGAPIXEL * pixels / 1e6),
        )

    def start(self) -> None:
        """Start the processes. Without it, the first picture does."""
        self._is_stopped = False
        self._workers.start()

    def stop(self) -> None:
        self._is_stopped = True
        self._workers.stop()

    @property
    def is_stuck(self) -> bool:
        """True when a process hangs. It will be ended, and others wait until then."""
        return self._workers.is_stuck

    def inspect(self, path: Path, *, max_pixels: int | None = None) -> Picture:
        """What the header of a file that is kept says, found out once. Raises PictureRefused."""
        known = path.stat()
        key = (path, known.st_size, known.st_mtime_ns, max_pixels or self.limits.output)
        if key not in self._facts:
            self._facts[key] = self._inspected(path, key[-1])
        return self._facts[key]

    def check(self, path: Path, *, max_pixels: int | None = None, asker: str = "") -> Picture:
        """Decode the whole picture and write PREVIEW and THUMBNAIL beside it. Raises PictureRefused."""
        return self._in_time(_check, path, max_pixels or self.limits.input, asker=asker)

    def rows(self, path: Path, scratch: Path, *, max_pixels: int | None = None) -> FileRows:
        """Decode to a file in `scratch`, a folder of the caller's, and read rows from it. Raises PictureRefused.

        The file has as many bytes as the picture has pixels and channels; closing the rows removes it.
        """
        return self._in_time(write_rows, path, max_pixels or self.limits.input, scratch / "pixels")

    def only_the_picture(self, path: Path, folder: Path) -> str:
        """Write what may leave this machine: see `copying.only_the_picture`. Raises PictureRefused."""
        return self._run(only_the_picture, path, self.limits.input, folder)

    def repack(self, path: Path, target: Path) -> bool:
        """Write a result in fewer bytes: see `repacking.repack`. Raises PictureRefused, Stopped and OSError."""
        return self._run(repack, path, self.limits.output, target)

    def apply(self, work: Callable[[Stream, Path], T], path: Path, target: Path) -> T:
        """Run `work(picture, target)` in the process that decodes the picture.

        The picture may have as many pixels as a result. `work` has to be importable; it may be called twice, and then
        begins again. Raises PictureRefused, and whatever `work` raises.
        """
        outcome: T = self._run(_apply, work, path, self.limits.output, target)
        return outcome

    def _in_time(self, work: Callable[..., T], path: Path, max_pixels: int, *args: object, asker: str = "") -> T:
        """Run work that may take as long as the pixels of its picture, whatever else its bytes ask for."""
        picture = self._inspected(path, max_pixels, asker)
        seconds = _HEADER_SECONDS + _SECONDS_PER_MEGAPIXEL * picture.width * picture.height / 1e6
        return self._run(work, path, max_pixels, *args, asker=asker, seconds=seconds)

    def _attempted(self, seconds: float | None, work: Callable[..., T], *args: object) -> T:
        if seconds is None:
            return self._workers.submit(work, *args).result()
        return self._workers.submit_within(PATIENCE * seconds, _limited, seconds, work, *args).result()

    def _inspected(self, path: Path, max_pixels: int, asker: str = "") -> Picture:
        return self._run(_inspect, path, max_pixels, asker=asker, seconds=_HEADER_SECONDS)

    def _run(self, work: Callable[..., T], *args: object, asker: str = "", seconds: float | None = None) -> T:
        """`seconds` is the processor time that this job may take, where it is less than for the largest picture."""
        try:
            if not self._is_stopped:
                self._workers.start()
            # Without an asker, all are strangers to each other.
            with self._turns.turn(asker or uuid.uuid4().hex):
                try:
                    return self._attempted(seconds, work, *args)
                except WorkerHung:  # that says nothing of the picture, which has its processor time for that
                    return self._attempted(seconds, work, *args)
        except BrokenExecutor as error:
            log.warning("a picture was given up: %s", error)
            raise PictureRefused(
                "The picture could not be decoded within the limits on memory and time. "
                "Save it again, or make it smaller."
            ) from error


@dataclass(frozen=True)
class Decoders:
    """What is looked at keeps nothing waiting that was ordered, and what is paid for waits for nothing else."""

    looking: Decoder
    ordered: Decoder
    archiving: Decoder

    @classmethod
    def within(cls, limits: Limits) -> Self:
        return cls(Decoder(limits, workers=_LOOKED_AT_ONCE), Decoder(limits), Decoder(limits))

    def start(self) -> None:
        """Start all but the last, which most studios never need."""
        self.looking.start()
        self.ordered.start()

    def stop(self) -> None:
        for decoder in (self.looking, self.ordered, self.archiving):
            decoder.stop()

    @property
    def is_stuck(self) -> bool:
        return self.looking.is_stuck or self.ordered.is_stuck or self.archiving.is_stuck


def _limited(seconds: float, work: Callable[..., T], *args: object) -> T:
    allow_processor_time(seconds)
    return work(*args)


def _inspect(path: Path, max_pixels: int) -> Picture:
    return inspect(path, max_pixels=max_pixels)


def _check(path: Path, max_pixels: int) -> Picture:
    picture = inspect(path, max_pixels=max_pixels)
    stream(path, max_pixels, lambda rows: previews.write(rows, path.parent))
    return picture


def _apply(work: Callable[[Stream, Path], T], path: Path, max_pixels: int, target: Path) -> T:
    return stream(path, max_pixels, lambda picture: work(picture, target))
