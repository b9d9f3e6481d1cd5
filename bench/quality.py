"""How close enlarged pictures come to the originals that they were reduced from."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import mean

import numpy as np
from PIL import Image

from bench.amounts import Amount
from bench.fidelity import decibels
from bench.ours import bands, one_worker
from bench.pictures import Original, originals
from bench.table import Line
from journey.engine.networks.finding import find_networks
from journey.engine.networks.recipes import Recipe, decided, recipe
from journey.pictures.rows import ArrayRows
from journey.processes import Workers

SCALE = 4
LANCZOS = "Lanczos"
UNCLEANED = "faithful without cleaning"
QUALITY = 80
_WINDOW = 7
"""Pixels a side of the square in which SSIM compares, as scikit-image has it."""


def lines(amount: Amount) -> Iterator[Line]:
    """PSNR of each way beside Lanczos, clean and from JPEG; SSIM is in the remarks."""
    kind, pictures = originals(amount.originals)
    with one_worker() as workers:
        for source, name in ((_reduced, "clean"), (_as_jpeg, f"JPEG quality {QUALITY}")):
            made = {way: [enlarge(source(each)) for each in pictures] for way, enlarge in _ways(workers).items()}
            yield from _lines(name, kind, pictures, made)


def _lines(
    name: str, kind: str, pictures: Sequence[Original], made: Mapping[str, Sequence[np.ndarray]]
) -> Iterator[Line]:
    groups = {kind: list(range(len(pictures)))} | {
        word: [at for at, each in enumerate(pictures) if each.is_photograph is flag]
        for word, flag in (("photographs", True), ("art", False))
    }
    for group, places in groups.items():
        psnr = {
            way: mean(decibels(made[way][at].astype(np.int16) - pictures[at].pixels) for at in places) for way in made
        }
        for way, results in made.items():
            if way != LANCZOS and places:
                alike, plain = (
                    mean(ssim(each[at], pictures[at].pixels) for at in places) for each in (results, made[LANCZOS])
                )
                what = f"{way} 4x, {name}, {len(places)} {group}"
                yield Line(what, psnr[way], "dB", LANCZOS, psnr[LANCZOS], note=f"SSIM {alike:.3f}, Lanczos {plain:.3f}")


def _ways(workers: Workers) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Every way to enlarge, by name. Only JPEG needs cleaning, so without it is shown for itself."""
    networks = find_networks().networks

    def by(chosen: Recipe, *, clean: bool = True) -> Callable[[np.ndarray], np.ndarray]:
        def enlarge(picture: np.ndarray) -> np.ndarray:
            made = decided(chosen, ArrayRows(picture))
            return np.concatenate(list(bands(picture, made if clean else replace(made, cleaner=None), workers)))

        return enlarge

    names = [name for name in ("fast", "detail", "faithful") if name in networks]
    ways = {LANCZOS: _lanczos} | {name: by(recipe(name, networks)) for name in names}
    if "faithful" in networks:
        ways |= {"detail at 50 %": by(recipe("detail-50", networks))}
        ways |= {UNCLEANED: by(recipe("faithful", networks), clean=False)}
    return ways


def _lanczos(picture: np.ndarray) -> np.ndarray:
    size = picture.shape[1] * SCALE, picture.shape[0] * SCALE
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


def _reduced(original: Original) -> np.ndarray:
    height, width, _ = original.pixels.shape
    small = Image.fromarray(original.pixels).resize((width // SCALE, height // SCALE), Image.Resampling.BICUBIC)
    return np.asarray(small)


def _as_jpeg(original: Original) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(_reduced(original)).save(file, "JPEG", quality=QUALITY)
    return np.asarray(Image.open(file))


def ssim(one: np.ndarray, other: np.ndarray) -> float:
    """How alike two pictures are, 1 for the same: means, contrasts and structure in squares of 7 pixels.

    The formula and its constants are those of Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment" (2004).
    """
    first, second = one.astype(np.float64), other.astype(np.float64)
    mean_one, mean_other = _means(first), _means(second)
    both = _means(first * second) - mean_one * mean_other
    alone = _means(first**2) - mean_one**2 + _means(second**2) - mean_other**2
    light, contrast = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    map_of = (2 * mean_one * mean_other + light) * (2 * both + contrast)
    return float((map_of / ((mean_one**2 + mean_other**2 + light) * (alone + contrast))).mean())


def _means(values: np.ndarray) -> np.ndarray:
    for axis in (0, 1):
        sums = np.insert(values.cumsum(axis), 0, 0, axis)
        length = values.shape[axis]
        last, first = np.arange(_WINDOW, length + 1), np.arange(length + 1 - _WINDOW)
        values = (sums.take(last, axis) - sums.take(first, axis)) / _WINDOW
    return values
