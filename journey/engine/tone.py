"""Takes the slow drift of colours out of what a network made.

Networks keep edges and invent texture, but let brightness and colours wander by some levels. What a result differs from
its source by, looked at from afar, is subtracted again.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journey.engine.networks.network import Pixels

    Matrix: TypeAlias = NDArray[np.float64]

_SIGMA = 4.0
"""Source pixels. How far the difference is blurred: a smaller one would undo texture as well."""
_BLUR = 12
_STEP = 4
"""Source pixels from one sample of the drift to the next. What is blurred so far has nothing finer."""
REACH = _BLUR + 2 * _STEP
"""Source pixels around a place that its drift depends on."""
_BITS = 12
"""Weights are whole numbers of this many bits. With them every sum is exact, in whatever order it is computed, so the
drift of a place is the same in every tile that sees all around it."""
_FINE = 256
"""Samples of the drift are rounded to this part of a level."""
_LEAST_FREE = 0.2
"""No pixel takes more than five times the drift around it, or thin dark lines on white would turn grey."""
_FAINT = 0.1
"""Levels of drift that are left as they are."""
_THRESHOLDS = (np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) + 0.5) / 16
"""Bayer's: the fractions above which a value is rounded up, spread as evenly as can be."""


def matched(result: Pixels, source: Pixels, scale: int, overlap: int) -> Pixels:
    """A tile without its context and without its drift.

    `source` is (H, W, 3) with `overlap` pixels of context on all sides, and `result` is (scale * H, scale * W, 3).
    Returns (scale * (H - 2 * overlap), scale * (W - 2 * overlap), 3).
    """
    drift = _spread(source * np.float64(scale**2) - _sums(result, scale), scale)
    drift[np.abs(drift) < _FAINT] = 0  # flat colours stay flat
    # What black and white cannot take goes to the pixels around them that can.
    for limit, is_beyond in ((255, drift > 0), (0, drift < 0)):
        full = result == limit
        if full.any():
            free = np.maximum(1 - _spread(_sums(full, scale).astype(np.float64), scale), _LEAST_FREE)
            np.divide(drift, free, out=drift, where=is_beyond)
    edge = scale * overlap
    inner = (slice(edge, result.shape[0] - edge), slice(edge, result.shape[1] - edge))
    levels = np.clip(result[inner] + drift[inner], 0, 255)
    # Rounding would lose whatever is below half a level, so that is given to as many pixels as it is worth.
    rows, columns = (np.arange(length) % len(_THRESHOLDS) for length in levels.shape[:2])
    levels += _THRESHOLDS[rows[:, None], columns][..., None]
    whole: Pixels = levels.astype(np.uint8)
    return whole


def _spread(sums: Matrix, scale: int) -> Matrix:
    """What blocks of `scale` × `scale` result pixels sum up to, (H, W, 3), as a mean for each, blurred and spread."""
    height, width, channels = sums.shape
    samples = _sampling(height) @ sums.reshape(height, width * channels)
    samples = _sampling(width) @ samples.reshape(-1, width, channels)
    samples = np.rint(samples * (_FINE / (scale * 2**_BITS) ** 2))
    rows = _spreading(width, scale) @ samples
    spread = _spreading(height, scale) @ rows.reshape(len(rows), -1)
    drift: Matrix = spread.reshape(scale * height, scale * width, channels) / (_FINE * 4**_BITS)
    return drift


def _sums(values: NDArray[Any], scale: int) -> NDArray[Any]:
    """The sum of each block of `scale` × `scale` values, which are at most 255."""
    height, width, channels = values.shape
    rows = values.reshape(height // scale, scale, width * channels).sum(1, dtype=np.uint16)
    sums: NDArray[Any] = rows.reshape(height // scale, width // scale, scale, channels).sum(2, dtype=np.uint16)
    return sums


def _places(length: int) -> np.ndarray:
    """Where the drift is sampled, from one step before the first pixel to one step beyond the last."""
    return _STEP * np.arange(-1, -(-length // _STEP) + 1) + (_STEP - 1) / 2


@functools.lru_cache(maxsize=8)
def _sampling(length: int) -> Matrix:
    """(samples, length): the blurred value at each place. Beyond its edges, a tile is continued by its mirror image."""
    places = _places(length)
    around = np.arange(-_BLUR, _BLUR) + 0.5
    bell = np.exp(-(around**2) / (2 * _SIGMA**2))
    whole = np.rint(bell / bell.sum() * 2**_BITS)
    whole[_BLUR - 1 : _BLUR + 1] += (2**_BITS - whole.sum()) / 2
    weights = np.zeros((len(places), length))
    for row, place in enumerate(places):
        mirrored = np.mod((place + around).astype(np.int64), 2 * length)
        np.add.at(weights[row], np.where(mirrored < length, mirrored, 2 * length - 1 - mirrored), whole)
    return weights


@functools.lru_cache(maxsize=8)
def _spreading(length: int, scale: int) -> Matrix:
    """(result pixels, samples): bicubic interpolation between the samples (sharpness -0.5)."""
    places = _places(length)
    pixels = (np.arange(scale * length) + 0.5) / scale - 0.5
    apart = np.abs(pixels[:, None] - places[None, :]) / _STEP
    near = 1.5 * apart**3 - 2.5 * apart**2 + 1
    far = -0.5 * apart**3 + 2.5 * apart**2 - 4 * apart + 2
    weights: Matrix = np.rint(np.where(apart < 1, near, np.where(apart < 2, far, 0)) * 2**_BITS)
    return weights
