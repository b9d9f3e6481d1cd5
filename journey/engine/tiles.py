"""One tile of a picture, from its pixels and their surroundings to those of the result: what workers do."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from PIL import Image

from journey.engine import tone
from journey.engine.networks.network import FAITHFUL, Network
from journey.engine.networks.recipes import Recipe
from journey.engine.networks.running import run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels: TypeAlias = NDArray[np.uint8]

FILL_RADII = (1, 2, 4, 8, 16)
"""Pixels. How far colours reach into transparent parts, nearest first."""


def context(recipe: Recipe, channels: int) -> int:
    """How many pixels around a tile are needed, for a picture of so many channels."""
    return recipe.overlap + (0 if channels in (1, 3) else FILL_RADII[-1])


def upscale_tile(recipe: Recipe, scale: int, window: Pixels, wanted: tuple[int, int]) -> Pixels:
    """Enlarge one tile with its context, of 1 to 4 channels.

    Returns the tile without its context, and of it the first `wanted` (rows, columns) times `scale`.
    """
    whole = _upscaled(recipe, scale, window)
    return np.ascontiguousarray(whole[: scale * wanted[0], : scale * wanted[1]])


def _upscaled(recipe: Recipe, scale: int, window: Pixels) -> Pixels:
    channels = window.shape[2]
    if channels in (1, 3):
        return _enlarged(recipe, scale, window)
    fill = FILL_RADII[-1]
    alpha = window[fill:-fill, fill:-fill, -1:]
    edge = context(recipe, channels)
    inner = window[edge:-edge, edge:-edge]
    if not alpha.any():
        return inner.repeat(scale, 0).repeat(scale, 1)
    colours = _filled(window[..., :-1], window[..., -1:])[fill:-fill, fill:-fill]
    return np.concatenate((_enlarged(recipe, scale, colours), _enlarged_alpha(recipe, scale, alpha)), 2)


def _enlarged(recipe: Recipe, scale: int, window: Pixels) -> Pixels:
    is_grey = window.shape[2] == 1
    source = window.repeat(3, 2) if is_grey else window
    large = _blended(recipe, scale, source)
    margin = recipe.margin
    seen = source[margin : source.shape[0] - margin, margin : source.shape[1] - margin]
    colours = tone.matched(large, seen, scale, recipe.overlap - margin)
    if not is_grey and not recipe.is_neutral:
        return colours
    grey: Pixels = np.rint(colours.mean(2, keepdims=True, dtype=np.float32)).astype(np.uint8)
    return grey if is_grey else grey.repeat(3, 2)


def _blended(recipe: Recipe, scale: int, source: Pixels) -> Pixels:
    """What the networks make of a window, with its context but without the margin of the cleaner."""
    margin = recipe.margin
    seen = source[margin : source.shape[0] - margin, margin : source.shape[1] - margin]
    clean = run(recipe.cleaner, source) if recipe.cleaner else seen
    # Detail has learnt from damaged pictures, and wants them as they are.
    made = [
        reduced(run(network, clean if _is_faithful(network) else seen), network, scale) for network in recipe.networks
    ]
    if len(made) == 1:
        return made[0]
    strong, soft = (each.astype(np.uint16) for each in made)
    mixed: Pixels = ((strong * recipe.strength + soft * (100 - recipe.strength) + 50) // 100).astype(np.uint8)
    return mixed


def _is_faithful(network: Network) -> bool:
    return network.name == FAITHFUL.name


def reduced(large: Pixels, network: Network, scale: int) -> Pixels:
    """A result of the network, reduced to `scale` times its source. Raises InvalidRequest where that cannot be."""
    divisor = network.divisor(scale)
    if divisor == 1:
        return large
    if network.halving == "bicubic" and divisor == 2:
        return _halved(np.pad(large, ((1, 1), (1, 1), (0, 0)), "edge"))
    return np.asarray(Image.fromarray(np.ascontiguousarray(large)).reduce(divisor))


def _halved(large: Pixels) -> Pixels:
    """Half as many pixels across and down, by bicubic interpolation; the outer pixel of `large` is context only.

    Halfway between pixels, the four weights are -3, 19, 19 and -3 of 32 (sharpness -0.75).
    """
    wide = large.astype(np.int16)
    rows = 19 * (wide[1:-1:2] + wide[2::2]) - 3 * (wide[:-2:2] + wide[3::2])
    columns = 19 * (rows[:, 1:-1:2].astype(np.int32) + rows[:, 2::2]) - 3 * (
        rows[:, :-2:2].astype(np.int32) + rows[:, 3::2]
    )
    halved: Pixels = np.clip((columns + 512) >> 10, 0, 255).astype(np.uint8)
    return halved


def _enlarged_alpha(recipe: Recipe, scale: int, alpha: Pixels) -> Pixels:
    """Alpha as the network draws it, so that its edges are as sharp as those of the colours.

    Each value is kept between the least and the greatest around its source pixel,
    so that what was transparent or opaque all around stays exactly so.
    """
    overlap = recipe.overlap
    height, width, _ = alpha.shape
    rows, columns = height - 2 * overlap, width - 2 * overlap
    around = np.stack(
        [
            alpha[overlap + down : overlap + down + rows, overlap + across : overlap + across + columns]
            for down in (-1, 0, 1)
            for across in (-1, 0, 1)
        ]
    )
    least: Pixels = around.min(0).repeat(scale, 0).repeat(scale, 1)
    greatest: Pixels = around.max(0).repeat(scale, 0).repeat(scale, 1)
    if np.array_equal(least, greatest):
        return least
    bounded: Pixels = np.clip(_enlarged(recipe, scale, alpha), least, greatest)
    return bounded


def _filled(colours: Pixels, alpha: Pixels) -> Pixels:
    """Give transparent pixels the colours of the visible ones nearby.

    What is stored under full transparency is often plain black or white, which the network would smear
    into the visible edge as a fringe.
    """
    missing = alpha[..., 0] == 0
    if not missing.any():
        return colours
    weights = alpha.astype(np.float64)
    weighted = colours * weights
    filled = colours.copy()
    for radius in FILL_RADII:
        if not missing.any():
            break
        total = _box_sums(weights, radius)
        found = missing & (total[..., 0] > 0)
        filled[found] = np.rint(_box_sums(weighted, radius)[found] / total[found])
        missing &= ~found
    return filled


def _box_sums(values: NDArray[np.float64], radius: int) -> NDArray[np.float64]:
    """Sums over the square of 2 * radius + 1 pixels round each pixel, as far as it lies inside.

    Exact: the values are whole numbers far below 2**53.
    """
    for axis in (0, 1):
        padding = [(0, 0)] * 3
        padding[axis] = (radius + 1, radius)
        sums = np.pad(values, padding).cumsum(axis)
        length = values.shape[axis]
        side = 2 * radius + 1
        values = sums.take(range(side, side + length), axis) - sums.take(range(length), axis)
    return values
