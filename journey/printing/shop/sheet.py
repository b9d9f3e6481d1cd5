"""What all writers of print files share: what a file says about its pixels, and how rows are packed."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from journey.printing import Paper

JPEG_QUALITY = 95
"""Of 100. What is lost at 95 is not seen in the hand."""


@dataclass(frozen=True)
class Sheet:
    """What a file says about its pixels, which are 8 bits deep in each channel of `mode`.

    `trim` is the paper after cutting, the way it lies. Only a PDF needs it and the bleed, and only a JPEG the quality.
    """

    size: tuple[int, int]
    mode: str
    icc: bytes
    dpi: float
    trim: Paper | None = None
    bleed_mm: float = 0
    quality: int = JPEG_QUALITY


def deflated(bands: Iterator[Image.Image]) -> Iterator[bytes]:
    """Rows as PNG and PDF store them: each predicted from its neighbours by Paeth's filter, then deflated.

    Runs and Huffman codes only (Z_RLE): for filtered photographs that is both faster and smaller than
    searching for repetitions.
    """
    deflate = zlib.compressobj(1, zlib.DEFLATED, 15, 9, zlib.Z_RLE)
    above: np.ndarray | None = None
    for band in bands:
        array = np.asarray(band)
        rows = array.reshape(array.shape[0], -1).astype(np.int16)
        channels = len(band.getbands())
        filtered = np.empty((rows.shape[0], rows.shape[1] + 1), np.uint8)
        filtered[:, 0] = 4
        filtered[:, 1:] = _paeth(rows, np.zeros_like(rows[0]) if above is None else above, channels)
        above = rows[-1]
        yield deflate.compress(filtered.data)
    yield deflate.flush()


def _paeth(rows: np.ndarray, above: np.ndarray, channels: int) -> np.ndarray:
    """What is left of int16 rows after the prediction of the PNG specification (filter type 4)."""
    b = np.vstack([above[np.newaxis], rows[:-1]])
    a, c = np.zeros_like(rows), np.zeros_like(rows)
    a[:, channels:] = rows[:, :-channels]
    c[:, channels:] = b[:, :-channels]
    to_a, to_b = np.abs(b - c), np.abs(a - c)
    to_c = np.abs(a + b - 2 * c)
    predicted = np.where((to_a <= to_b) & (to_a <= to_c), a, np.where(to_b <= to_c, b, c))
    return (rows - predicted).astype(np.uint8)
