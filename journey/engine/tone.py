"""Takes the slow drift of colours out of what a network made.

Networks keep edges and invent texture, but let brightness and colours wander by some levels. What a result differs from
its source by, looked at from afar, is subtracted again.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journey.engine.networks.network import Pixels

    Matrix: TypeAlias = NDArray[np.float32]

_Number = TypeVar("_Number", bound=np.generic)

_SIGMA = 4.0
"""Source pixels. How far the difference is blurred: a smaller one would undo texture as well."""
_BLUR = 12
_STEP = 4
"""Source pixels from one sample of the drift to the next. What is blurred so far has nothing finer."""
REACH = _BLUR + 2 * _STEP
"""Source pixels around a place that its drift depends on."""
_WEIGHTS = 2**8
_LEVEL = 2**7
"""Weights are whole numbers that add up to _WEIGHTS, and what they weigh is rounded to this part of a level. Every sum
then stays below 2**24 and is exact, in whatever order it is computed, so that the drift of a place is the same in every
tile that sees all around it."""
_AROUND = 2
"""Source pixels around one that have to be like it for it to count as flat."""
_LEAST_FREE = 0.2
"""No pixel takes more than five times the drift around it, or thin dark lines on white would turn grey."""
_FAINT = 0.1
"""Levels. What rounding leaves undone rather than speckle a flat colour."""
_BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]])
_ROUNDING = (_FAINT + (1 - 2 * _FAINT) * (_BAYER + 0.5) / 16).astype(np.float32)
"""What is added before the fraction is dropped: a value is rounded up at as many places as it is worth, spread as
evenly as can be."""


def matched(result: Pixels, source: Pixels, scale: int, overlap: int) -> Pixels:
    """A tile without its context and without its drift.

    `source` is (H, W, 3) with `overlap` pixels of context on all sides, and `result` is (scale * H, scale * W, 3).
    Returns (scale * (H - 2 * overlap), scale * (W - 2 * overlap), 3).
    """
    unseen = max(0, overlap - REACH) // _STEP * _STEP
    source, result = _without_edge(source, unseen), _without_edge(result, scale * unseen)
    edge = overlap - unseen
    sums = _sums(result, scale)
    drift = _spread(source * np.float32(scale**2) - sums, scale, edge)
    inner = _without_edge(result, scale * edge)
    # What black and white cannot take goes to the pixels around them that can.
    for limit, is_beyond in ((255, np.greater), (0, np.less)):
        full = result == limit
        if full.any():
            free = np.maximum(1 - _spread(_sums(full, scale), scale, edge), np.float32(_LEAST_FREE))
            np.divide(drift, free, out=drift, where=is_beyond(drift, 0))
    levels = inner.astype(np.float32)
    # Networks give flat colours a pattern of some levels.
    if (is_flat := _is_flat(_without_edge(source, edge - _AROUND))).any():
        means = _without_edge(sums, edge) / np.float32(scale**2)
        np.copyto(levels, _enlarged(means, scale), where=_enlarged(is_flat, scale))
    levels += drift
    levels += _rounding(*inner.shape)
    np.clip(levels, 0, 255, out=levels)
    whole: Pixels = levels.astype(np.uint8)
    return whole


def _is_flat(source: Pixels) -> NDArray[np.bool_]:
    """(H, W, 1): where a pixel is like all those around it. `source` has _AROUND more of them on all sides."""
    shifts = range(2 * _AROUND + 1)
    height, width, _ = source.shape

    def over_squares(choose: np.ufunc) -> Pixels:
        rows = functools.reduce(choose, (source[row : height - 2 * _AROUND + row] for row in shifts))
        chosen: Pixels = functools.reduce(choose, (rows[:, column : width - 2 * _AROUND + column] for column in shifts))
        return chosen

    is_flat: NDArray[np.bool_] = (over_squares(np.maximum) == over_squares(np.minimum)).all(2, keepdims=True)
    return is_flat


def _spread(sums: NDArray[Any], scale: int, edge: int) -> Matrix:
    """What blocks of `scale` × `scale` result pixels sum up to, (H, W, 3), as a mean for each, blurred and spread.

    `edge` blocks on all sides are context only.
    """
    height, width, channels = sums.shape
    # In whole levels, then in parts of a level, each of them as large as can still be weighed without losing a bit.
    down = _sampling(height) @ sums.reshape(height, width * channels).astype(np.float32)
    down = np.rint(down * np.float32(_LEVEL / (_WEIGHTS * scale**2)))
    samples = np.rint(_sampling(width) @ down.reshape(-1, width, channels) / _WEIGHTS)
    rows = np.rint(_spreading(width, scale, edge) @ samples / _WEIGHTS)
    spread: Matrix = _spreading(height, scale, edge) @ rows.reshape(len(rows), -1)
    spread *= np.float32(1 / (_WEIGHTS * _LEVEL))
    return spread.reshape(len(spread), -1, channels)


def _without_edge(values: NDArray[Any], edge: int) -> NDArray[Any]:
    return values[edge : len(values) - edge, edge : values.shape[1] - edge]


def _sums(values: NDArray[Any], scale: int) -> NDArray[np.int16]:
    """The sum of each block of `scale` × `scale` values, which are at most 255."""
    # Adding slices is three times as fast as a sum over an axis.
    rows = functools.reduce(np.add, (values[row::scale].astype(np.int16) for row in range(scale)))
    sums: NDArray[np.int16] = functools.reduce(np.add, (rows[:, column::scale] for column in range(scale)))
    return sums


def _enlarged(values: NDArray[_Number], scale: int) -> NDArray[_Number]:
    return values.repeat(scale, 0).repeat(scale, 1)


def _places(length: int) -> np.ndarray:
    """Where the drift is sampled, from one step before the first pixel to one step beyond the last."""
    return _STEP * np.arange(-1, -(-length // _STEP) + 1) + (_STEP - 1) / 2


@functools.lru_cache(maxsize=8)
def _sampling(length: int) -> Matrix:
    """(samples, length): the blurred value at each place. Beyond its edges, a tile is continued by its mirror image."""
    places = _places(length)
    around = np.arange(-_BLUR, _BLUR) + 0.5
    bell = np.exp(-(around**2) / (2 * _SIGMA**2))
    whole = np.rint(bell / bell.sum() * _WEIGHTS)
    whole[_BLUR - 1 : _BLUR + 1] += (_WEIGHTS - whole.sum()) / 2
    weights = np.zeros((len(places), length), np.float32)
    for row, place in enumerate(places):
        mirrored = np.mod((place + around).astype(np.int64), 2 * length)
        np.add.at(weights[row], np.where(mirrored < length, mirrored, 2 * length - 1 - mirrored), whole)
    return weights


@functools.lru_cache(maxsize=8)
def _spreading(length: int, scale: int, edge: int) -> Matrix:
    """(result pixels without the edge, samples): bicubic interpolation between the samples (sharpness -0.5)."""
    pixels = (np.arange(scale * edge, scale * (length - edge)) + 0.5) / scale - 0.5
    apart = np.abs(pixels[:, None] - _places(length)[None, :]) / _STEP
    near = 1.5 * apart**3 - 2.5 * apart**2 + 1
    far = -0.5 * apart**3 + 2.5 * apart**2 - 4 * apart + 2
    weights: Matrix = np.rint(np.where(apart < 1, near, np.where(apart < 2, far, 0)) * _WEIGHTS).astype(np.float32)
    return weights


@functools.lru_cache(maxsize=2)
def _rounding(rows: int, columns: int, channels: int) -> Matrix:
    down, across = (np.arange(length) % len(_ROUNDING) for length in (rows, columns))
    return _ROUNDING[down[:, None], across][..., None].repeat(channels, 2)
