"""How large a print file will be, told from some of its rows; and the JPEG that fits a size."""

from __future__ import annotations

import io
import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

from PIL import Image

from journey.printing import FileFormat
from journey.printing.shop.encoding import WRITERS, band_height, bands, new_file, sheet_for, strip, whole_print
from journey.printing.shop.jpeg import write_jpeg
from journey.printing.shop.layout import Layout, layout_for
from journey.printing.shop.progress import Progress, ShouldStop, Work
from journey.printing.shop.sheet import JPEG_QUALITY, Sheet
from journey.printing.shop.source import Source, decoded
from journey.printing.shop.specs import PrintFile, PrintSpec

LEAST_QUALITY = 60
"""Below it, the blocks of a JPEG show on paper."""
USUAL_ENCODINGS = 3
"""How often a JPEG is written until it is known which quality fits."""

_STRIP_ROWS = 16
"""Two rows of a JPEG's blocks."""
_MOST_STRIPS, _FEWEST_STRIPS = 48, 8
_SAMPLE_PIXELS = 5_000_000
_TOLD_WITHIN = 1.2
"""What is told may be off by a fifth."""


@dataclass(frozen=True)
class Told:
    """How many bytes a file will have, about. `quality` is that of a JPEG, `problem` says why it cannot be made."""

    size: int
    quality: int | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Sample:
    """Rows from all over a print, in bands as high as those of the file; `sheet` describes the whole print."""

    bands: tuple[Image.Image, ...]
    sheet: Sheet

    def size(self, file_format: FileFormat, quality: int = JPEG_QUALITY) -> int:
        """The bytes of the whole file: those of a file of the sample, and as many more for each row that is missing."""
        sampled = self._written(file_format, self.bands, quality)
        rows, height = sum(each.height for each in self.bands), self.sheet.size[1]
        if rows == height:
            return sampled
        # What a file says besides its pixels is in both sizes, so it does not count for the rows.
        of_one_row = self._written(file_format, [self.bands[0].crop((0, 0, self.sheet.size[0], 1))], quality)
        return round(sampled + (sampled - of_one_row) / (rows - 1) * (height - rows))

    def _written(self, file_format: FileFormat, bands: Sequence[Image.Image], quality: int) -> int:
        file = io.BytesIO()
        size = self.sheet.size[0], sum(each.height for each in bands)
        WRITERS[file_format](file, iter(bands), replace(self.sheet, size=size, quality=quality))
        return len(file.getbuffer())


def told_sizes(
    source: Path,
    folder: Path,
    specs: Sequence[PrintSpec],
    *,
    on_progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> tuple[Told, ...]:
    """How large `exact_size` would make each of these files, within a fifth; nothing is made."""
    work = Work(on_progress, should_stop)
    with decoded(source, folder, work) as picture:
        work.begin(len(specs))
        told = []
        for spec in specs:
            told.append(_told(sampled(picture, layout_for(picture, spec), spec), spec))
            work.advance(1)
        return tuple(told)


def _told(sample: Sample, spec: PrintSpec) -> Told:
    if spec.at_most_mb is None:
        return Told(sample.size(spec.format), JPEG_QUALITY if spec.format == "JPEG" else None)
    told = cache(partial(sample.size, "JPEG"))
    quality = _highest(told, limit_of(spec), LEAST_QUALITY - 1, JPEG_QUALITY + 1)
    if quality is None:
        return Told(told(LEAST_QUALITY), LEAST_QUALITY, too_large(told(LEAST_QUALITY), spec))
    return Told(told(quality), quality)


def sampled(picture: Source, layout: Layout, spec: PrintSpec) -> Sample:
    """Strips of the print from top to bottom, evenly spaced, put together to bands; all rows of a small print."""
    width, height = layout.size
    rows = band_height(layout, picture.size)
    count = max(_FEWEST_STRIPS, min(_MOST_STRIPS, _SAMPLE_PIXELS // (width * _STRIP_ROWS)))
    # Whole bands, because what is flat is packed the better the longer a band is.
    whole = max(1, round(count * _STRIP_ROWS / rows))
    count = math.ceil(whole * rows / _STRIP_ROWS)
    taken = partial(strip, picture, layout, is_transparent=spec.is_transparent)
    if height <= count * _STRIP_ROWS:
        parts = tuple(taken(top, min(height, top + rows)) for top in range(0, height, rows))
    else:
        tops = [int((each + 0.5) * height / count - _STRIP_ROWS / 2) for each in range(count)]
        parts = tuple(
            _joined(
                [taken(top, top + _STRIP_ROWS) for top in tops[count * each // whole : count * (each + 1) // whole]]
            )
            for each in range(whole)
        )
    sheet = sheet_for(picture, layout, spec.dpi, spec.paper, spec.bleed_mm, is_transparent=spec.is_transparent)
    return Sample(parts, sheet)


def _joined(strips: Sequence[Image.Image]) -> Image.Image:
    """One below the other."""
    joined = Image.new(strips[0].mode, (strips[0].width, sum(each.height for each in strips)))
    for place, each in enumerate(strips):
        joined.paste(each, (0, place * _STRIP_ROWS))
    return joined


def write_within(picture: Source, layout: Layout, target: Path, spec: PrintSpec, work: Work) -> PrintFile:
    """The JPEG of the highest quality that has no more bytes than the spec allows.

    Raises ValueError with a sentence when even the least quality has more.
    """
    limit = limit_of(spec)
    sample = sampled(picture, layout, spec)
    told = cache(partial(sample.size, "JPEG"))
    if told(LEAST_QUALITY) > limit * _TOLD_WITHIN:
        raise ValueError(too_large(told(LEAST_QUALITY), spec))
    made: dict[int, int] = {}
    with (
        tempfile.TemporaryDirectory(dir=target.parent, prefix=".") as scratch,
        whole_print(picture, layout, target.parent, work) as whole,
    ):
        trial, best = Path(scratch) / "trial", Path(scratch) / "best"

        def make(quality: int) -> int:
            with new_file(trial) as file:
                pixels = bands(whole, layout.of_itself(), work, is_transparent=False)
                write_jpeg(file, pixels, replace(sample.sheet, quality=quality))
            made[quality] = trial.stat().st_size
            if made[quality] <= limit:
                trial.replace(best)
            return made[quality]

        quality = highest_that_fits(told, make, limit)
        if quality is None:
            raise ValueError(too_large(made[LEAST_QUALITY], spec))
        best.replace(target)
    lowered = f"The quality is {quality} of 100, so that the file has at most {spec.at_most_mb:g} MB."
    return PrintFile(
        path=target,
        format="JPEG",
        width=layout.size[0],
        height=layout.size[1],
        dpi=spec.dpi,
        size=made[quality],
        profile="source" if picture.rows.icc else "sRGB",
        quality=quality,
        notes=(lowered,) if quality < JPEG_QUALITY else (),
    )


def highest_that_fits(told: Callable[[int], int], make: Callable[[int], int], limit: int) -> int | None:
    """The highest quality whose file has at most `limit` bytes; None when the least has more.

    `make` writes a file and returns its bytes. What is told only says which to write next: a file that fits is there in
    the end, and one more step of quality has been seen not to fit.
    """
    low, high = LEAST_QUALITY - 1, JPEG_QUALITY + 1
    off = 1.0
    while high - low > 1:
        quality = _highest(told, limit / off, low, high) or low + 1
        size = make(quality)
        off = size / told(quality)
        low, high = (quality, high) if size <= limit else (low, quality)
    return low if low >= LEAST_QUALITY else None


def _highest(told: Callable[[int], int], limit: float, low: int, high: int) -> int | None:
    """The highest quality between these two, without them, that is told to fit; None when none is."""
    found = None
    while high - low > 1:
        middle = (low + high) // 2
        if told(middle) <= limit:
            low = found = middle
        else:
            high = middle
    return found


def limit_of(spec: PrintSpec) -> int:
    """The most bytes."""
    assert spec.at_most_mb is not None  # noqa: S101 - for the type checker: asked only of what has to fit
    return int(spec.at_most_mb * 1e6)


def too_large(size: int, spec: PrintSpec) -> str:
    """What to do when `size` bytes at the least quality are too many."""
    dpi = int(spec.dpi * (limit_of(spec) / size) ** 0.5 * 0.95)
    instead = f"At {dpi} DPI it would fit; or" if dpi > 0 else "For a file that fits,"
    return (
        f"Even at quality {LEAST_QUALITY} of 100, this JPEG has about {size / 1e6:.3g} MB, more than "
        f"{spec.at_most_mb:g} MB. {instead} choose a smaller paper, or allow more MB."
    )
