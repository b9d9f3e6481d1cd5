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

    Matrix: TypeAlias = NDArray[np.float32]

_SIGMA = 4.0
"""Source pixels. How far the difference is blurred: a smaller one would undo texture as well."""
_REACH = 12
_LITTLE = 0.01
"""Levels, on average, that may be lost to black and white before it is worth the time to spread them."""
_LEAST_FREE = 0.2
"""No pixel takes more than five times the drift around it, or thin dark lines on white would turn grey."""
_FAINT = 0.1
"""Levels of drift that are left as they are."""
_THRESHOLDS = (np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], np.float32) + 0.5) / 16
"""Bayer's: the fractions above which a value is rounded up, spread as evenly as can be."""
_STEP = 4
"""Source pixels from one sample of the drift to the next. What is blurred so far has nothing finer."""


def matched(result: Pixels, source: Pixels, scale: int, overlap: int) -> Pixels:
    """A tile without its context and without its drift.

    `source` is (H, W, 3) with `overlap` pixels of context on all sides, and `result` is (scale * H, scale * W, 3).
    Returns (scale * (H - 2 * overlap), scale * (W - 2 * overlap), 3).
    """
    drift = _spread(source - _means(result, scale), scale)
    drift[np.abs(drift) < _FAINT] = 0  # flat colours stay flat
    levels = result + drift
    lost = levels - np.clip(levels, 0, 255)
    if np.abs(lost).mean() > _LITTLE:
        # What black and white cannot take goes to the pixels around them that can.
        free = np.asarray((levels > 0) & (levels < 255), np.float32)
        share = np.maximum(_spread(_means(free, scale), scale), _LEAST_FREE)
        levels += free * _spread(_means(lost, scale), scale) / share
    edge = scale * overlap
    inner = np.clip(levels[edge : levels.shape[0] - edge, edge : levels.shape[1] - edge], 0, 255)
    # Rounding would lose whatever is below half a level, so that is given to as many pixels as it is worth.
    rows, columns = (np.arange(length) % len(_THRESHOLDS) for length in inner.shape[:2])
    inner += _THRESHOLDS[rows[:, None], columns][..., None]
    whole: Pixels = inner.astype(np.uint8)
    return whole


def _spread(error: Matrix, scale: int) -> Matrix:
    """An error of source pixels, (H, W, 3), blurred and spread over the pixels of the result."""
    height, width, channels = error.shape
    samples = _sampling(height) @ error.reshape(height, width * channels)
    samples = _sampling(width) @ samples.reshape(-1, width, channels)
    rows = _spreading(width, scale) @ samples
    drift = _spreading(height, scale) @ rows.reshape(len(rows), -1)
    return drift.reshape(scale * height, scale * width, channels)


def _means(values: NDArray[Any], scale: int) -> Matrix:
    """The mean of each block of `scale` × `scale` values."""
    height, width, channels = values.shape
    kind = np.uint16 if values.dtype == np.uint8 else np.float32
    rows = values.reshape(height // scale, scale, width * channels).sum(1, dtype=kind)
    sums = rows.reshape(height // scale, width // scale, scale, channels).sum(2, dtype=kind)
    means: Matrix = sums.astype(np.float32) / scale**2
    return means


def _places(length: int) -> np.ndarray:
    """Where the drift is sampled, from one step before the first pixel to one step beyond the last."""
    return _STEP * np.arange(-1, -(-length // _STEP) + 1) + (_STEP - 1) / 2


@functools.lru_cache(maxsize=8)
def _sampling(length: int) -> Matrix:
    """(samples, length): the blurred value at each place. Beyond its edges, a tile is continued by its mirror image."""
    places = _places(length)
    weights = np.zeros((len(places), length))
    for row, place in enumerate(places):
        pixels = np.arange(int(place) - _REACH, int(place) + _REACH + 1)
        bell = np.exp(-((pixels - place) ** 2) / (2 * _SIGMA**2))
        mirrored = np.mod(pixels, 2 * length)
        np.add.at(weights[row], np.where(mirrored < length, mirrored, 2 * length - 1 - mirrored), bell / bell.sum())
    return weights.astype(np.float32)


@functools.lru_cache(maxsize=8)
def _spreading(length: int, scale: int) -> Matrix:
    """(result pixels, samples): bicubic interpolation between the samples (sharpness -0.5)."""
    places = _places(length)
    pixels = (np.arange(scale * length) + 0.5) / scale - 0.5
    apart = np.abs(pixels[:, None] - places[None, :]) / _STEP
    near = 1.5 * apart**3 - 2.5 * apart**2 + 1
    far = -0.5 * apart**3 + 2.5 * apart**2 - 4 * apart + 2
    return np.where(apart < 1, near, np.where(apart < 2, far, 0)).astype(np.float32)
