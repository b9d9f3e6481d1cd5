"""What a picture is like, measured from its pixels: neutral or coloured, with traces of JPEG, drawn or not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from journey.pictures.rows import Rows, Stream, band_edges

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts: TypeAlias = NDArray[np.int64]

BLOCKS_FAINT = 1.12
BLOCKS_PLAIN = 1.45
"""Blockiness from which traces of JPEG are worth cleaning. Of 35 photographs, paintings and drawings that never were
one, none measures more than 1.04, and of small parts of them one 1.11: a regular pattern looks like blocks. Saved at
quality 92 they have a median of 1.3, at quality 80 of 1.7."""

_NEUTRAL_LEVELS = 2
"""Channels of a neutral picture are no further apart; saving as JPEG moves them by one or two."""
_BLOCK = 8
_LEAST_SIDE = 64
_EDGE = 0.34
_STRONG = 40.0
_SOFT_STEP, _FAINT_STEP, _HARD_STEP = 24, 2, 48
_DRAWN_RATIO, _DRAWN_SHARE = 0.3, 0.015
_MOST_PIXELS = 2_000_000
"""Steps are counted in bands spread over the picture, about so many pixels in all."""


@dataclass(frozen=True)
class Traits:
    """`is_neutral`: all its pixels are grey. `blockiness`: how much more often the brightness steps at the edges of
    8 × 8 blocks than elsewhere, 1 for no more. `hard_share` and `soft_share`: of all neighbouring pixels, those that
    differ by at least 48 levels, and by 3 to 23."""

    is_neutral: bool
    blockiness: float
    hard_share: float
    soft_share: float

    @property
    def is_drawn(self) -> bool:
        """True for lines and flat colours: where neighbours differ at all, they differ much.

        In photographs and paintings hard steps are at most a quarter as frequent as soft ones.
        """
        return self.hard_share >= max(_DRAWN_SHARE, _DRAWN_RATIO * self.soft_share)

    @property
    def jpeg_traces(self) -> int | None:
        """0 for faint traces of JPEG, 1 for plain ones, None for none."""
        if self.blockiness < BLOCKS_FAINT:
            return None
        return 0 if self.blockiness < BLOCKS_PLAIN else 1


def is_neutral(picture: Rows) -> bool:
    """True when all pixels are grey. Stops reading at the first band that is not."""
    return picture.channels < 3 or all(map(_is_neutral, _bands(picture)))


def of_rows(picture: Rows) -> Traits:
    """Read the whole picture, band by band."""
    return _judged(_bands(picture), picture.width, picture.height)


def of_stream(picture: Stream) -> Traits:
    """The same for a picture that comes once."""
    return _judged(picture.bands, picture.width, picture.height)


def _bands(picture: Rows) -> Iterable[np.ndarray]:
    return (picture.read(top, bottom) for top, bottom in band_edges(picture.width, picture.height))


def _judged(bands: Iterable[np.ndarray], width: int, height: int) -> Traits:
    neutral = True
    columns, rows = _Blocks(), _Blocks()
    hard = soft = neighbours = top = 0
    every = max(1, width * height // _MOST_PIXELS)
    for number, band in enumerate(bands):
        neutral = neutral and _is_neutral(band)
        if number % every == 0 and len(band) > _BLOCK:
            colours = _colours(band)
            grey = colours.mean(2, dtype=np.float32)
            columns.count(np.abs(np.diff(grey, axis=1)).T, 0)
            rows.count(np.abs(np.diff(grey, axis=0)), top)
            steps = _steps(colours)
            hard += int((steps >= _HARD_STEP).sum())
            soft += int(((steps > _FAINT_STEP) & (steps < _SOFT_STEP)).sum())
            neighbours += steps.size
        top += len(band)
    blockiness = min(columns.ratio, rows.ratio) if min(width, height) >= _LEAST_SIDE else 1.0
    return Traits(neutral, blockiness, hard / max(1, neighbours), soft / max(1, neighbours))


def _colours(band: np.ndarray) -> np.ndarray:
    return band[..., :3] if band.shape[2] >= 3 else band[..., :1]


def _is_neutral(band: np.ndarray) -> bool:
    colours = _colours(band)
    return colours.shape[2] == 1 or bool((np.ptp(colours, axis=2) <= _NEUTRAL_LEVELS).all())


def _steps(colours: np.ndarray) -> np.ndarray:
    """How much each pixel differs from its right and its lower neighbour, in the channel that differs most."""
    wide = colours.astype(np.int16)
    across = np.abs(np.diff(wide, axis=1)).max(2)[:-1]
    down = np.abs(np.diff(wide, axis=0)).max(2)[:, :-1]
    larger: np.ndarray = np.maximum(across, down)
    return larger


class _Blocks:
    """Counts lines of pixels where the brightness steps more than on both sides, by their place in a block of 8."""

    def __init__(self) -> None:
        self._found: Counts = np.zeros(_BLOCK, np.int64)
        self._seen: Counts = np.zeros(_BLOCK, np.int64)

    def count(self, steps: np.ndarray, first: int) -> None:
        """`steps` (lines, length) are those between each line and the next; the first line has the number `first`."""
        if len(steps) < 3:
            return
        middle = steps[1:-1]
        stands_out = (middle > np.maximum(steps[:-2], steps[2:]) + _EDGE) & (middle < _STRONG)
        places = (np.arange(len(middle)) + first + 1) % _BLOCK
        self._found += np.bincount(places, stands_out.sum(1), minlength=_BLOCK).astype(np.int64)
        self._seen += np.bincount(places, minlength=_BLOCK) * steps.shape[1]

    @property
    def ratio(self) -> float:
        """How often the most frequent place stands out, as a multiple of the second. JPEG marks one place only."""
        shares = self._found / np.maximum(1, self._seen)
        usual = float(np.sort(shares)[-2])
        return float(shares.max()) / usual if usual > 1e-3 else 1.0
