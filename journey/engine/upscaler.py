"""From a picture to overlapping tiles, through the network, and back to a picture, on any `Executor`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from journey.engine.networks import ncnn_networks as networks
from journey.engine.networks.network import Network
from journey.errors import JourneyError, Stopped

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels: TypeAlias = NDArray[np.uint8]

AHEAD = 8
"""Tiles handed to the executor before the first comes back: limits memory, and keeps up to four workers busy."""

TRIES = 3
STOP_CHECK_SECONDS = 0.1

FILL_RADII = (1, 2, 4, 8, 16)
"""Pixels. How far colours reach into transparent parts, nearest first."""

MEGAPIXELS_PER_SECOND = {"fast": 0.1, "detail": 0.0015}


@dataclass(frozen=True)
class _Tile:
    """The rows and columns of the source that one tile is responsible for."""

    top: int
    bottom: int
    left: int
    right: int


def upscale(
    picture: Pixels,
    network: Network,
    scale: int,
    *,
    workers: Executor,
    on_progress: Callable[[int, int], None],
    should_stop: Callable[[], bool],
    ahead: int = AHEAD,
) -> Pixels:
    """Enlarge a picture exactly `scale` times.

    `picture` is (H, W, C) uint8 with C = 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGB, straight alpha); so is the
    result. `on_progress(done, total)` counts finished tiles, from (0, total) to (total, total). `should_stop` is
    asked several times a second. `workers` have at most `ahead` tiles at a time: give twice the number of workers.

    Raises Stopped when asked to stop or when the workers were stopped, InvalidRequest when the network cannot do
    the scale, ValueError for an array of another kind, and JourneyError when a tile brings down its worker three times.
    """
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] not in (1, 2, 3, 4) or not picture.size:
        raise ValueError("a picture is a (height, width, 1 to 4) array of uint8 without an empty side")
    network.variant(scale)
    height, width, channels = picture.shape
    opaque = channels in (2, 4) and bool((picture[..., -1] == 255).all())
    source = picture[..., :-1] if opaque else picture
    border = network.overlap + (0 if opaque or channels in (1, 3) else FILL_RADII[-1])
    result = np.empty((scale * height, scale * width, channels), np.uint8)
    if opaque:
        result[..., -1] = 255

    tiles = _tiles(height, width, network.tile)
    waiting = deque(tiles)
    failures = dict.fromkeys(tiles, 0)
    running: dict[Future[Pixels], _Tile] = {}
    done = 0
    on_progress(done, len(tiles))
    try:
        while done < len(tiles):
            while waiting and len(running) < ahead:
                tile = waiting.popleft()
                running[_submit(workers, network, scale, _window(source, tile, border))] = tile
            finished, _ = wait(running, STOP_CHECK_SECONDS, FIRST_COMPLETED)
            if should_stop():
                raise Stopped("The upscale was stopped.")
            for future in finished:
                tile = running.pop(future)
                try:
                    part = future.result()
                except CancelledError:
                    raise Stopped("The workers were stopped.") from None
                except BrokenExecutor as error:
                    failures[tile] += 1
                    if failures[tile] == TRIES:
                        raise JourneyError(
                            f"The upscale was given up: a worker process ended {TRIES} times at the same place. {error}"
                        ) from error
                    waiting.appendleft(tile)
                    continue
                rows = slice(scale * tile.top, scale * tile.bottom)
                columns = slice(scale * tile.left, scale * tile.right)
                result[rows, columns, : part.shape[2]] = part
                done += 1
                on_progress(done, len(tiles))
    finally:
        for future in running:
            future.cancel()
    return result


def estimate_seconds(width: int, height: int, network_name: str, scale: int, workers: int) -> float:
    """About how long `upscale` takes for a picture of this size, by `workers` processes with a core each.

    From runs on single cores of an AVX2 server processor (EPYC, third generation, 2.4 GHz): 0.10 source
    megapixels a second for fast and 0.0015 for detail, at 2x and 4x alike (both compute the same features).
    Networks from a folder are assumed to be as slow as detail.
    """
    if scale not in (2, 4):
        raise ValueError("the scale is 2 or 4")
    speed = MEGAPIXELS_PER_SECOND.get(network_name, MEGAPIXELS_PER_SECOND["detail"])
    return width * height / 1e6 / (speed * max(1, workers))


def _submit(workers: Executor, network: Network, scale: int, window: Pixels) -> Future[Pixels]:
    try:
        return workers.submit(upscale_tile, network, scale, window)
    except BrokenExecutor as error:
        raise JourneyError(f"The upscale was given up: the worker processes cannot be started. {error}") from error
    except RuntimeError:  # what every executor raises after its shutdown
        raise Stopped("The workers were stopped.") from None


def _tiles(height: int, width: int, largest: tuple[int, int]) -> list[_Tile]:
    """Tiles of nearly the same size: a thin last one would cost almost as much as a full one."""
    return [
        _Tile(top, bottom, left, right)
        for top, bottom in pairwise(_cuts(height, largest[0]))
        for left, right in pairwise(_cuts(width, largest[1]))
    ]


def _cuts(length: int, largest: int) -> Iterator[int]:
    count = -(-length // largest)
    return (length * part // count for part in range(count + 1))


def _window(source: Pixels, tile: _Tile, border: int) -> Pixels:
    """The tile with `border` pixels of context; beyond the picture its outermost pixels are repeated."""
    height, width, _ = source.shape
    top, bottom, left, right = tile.top - border, tile.bottom + border, tile.left - border, tile.right + border
    inside = source[max(top, 0) : bottom, max(left, 0) : right]
    outside = ((max(-top, 0), max(bottom - height, 0)), (max(-left, 0), max(right - width, 0)), (0, 0))
    return np.pad(inside, outside, "edge")


def upscale_tile(network: Network, scale: int, window: Pixels) -> Pixels:
    """Enlarge one tile with its context, of 1 to 4 channels, in a worker. Returns the tile without its context."""
    channels = window.shape[2]
    if channels in (1, 3):
        return _enlarged(network, scale, window)
    fill = FILL_RADII[-1]
    context = network.overlap + fill
    alpha = window[fill:-fill, fill:-fill, -1:]
    inner = window[context:-context, context:-context]
    if not alpha.any():
        return inner.repeat(scale, 0).repeat(scale, 1)
    colours = _filled(window[..., :-1], window[..., -1:])[fill:-fill, fill:-fill]
    return np.concatenate((_enlarged(network, scale, colours), _enlarged_alpha(network, scale, alpha)), 2)


def _enlarged(network: Network, scale: int, tile: Pixels) -> Pixels:
    if tile.shape[2] == 3:
        return networks.run(network, scale, tile)
    colours = networks.run(network, scale, tile.repeat(3, 2))
    grey: Pixels = np.rint(colours.mean(2, keepdims=True, dtype=np.float32)).astype(np.uint8)
    return grey


def _enlarged_alpha(network: Network, scale: int, alpha: Pixels) -> Pixels:
    """Alpha as the network draws it, so that its edges are as sharp as those of the colours.

    Each value is kept between the least and the greatest around its source pixel,
    so that what was transparent or opaque all around stays exactly so.
    """
    overlap = network.overlap
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
    bounded: Pixels = np.clip(_enlarged(network, scale, alpha), least, greatest)
    return bounded


def _filled(colours: Pixels, alpha: Pixels) -> Pixels:
    """Give transparent pixels the colours of the visible ones nearby.

    What is stored under full transparency is often plain black or white, which the network would smear
    into the visible edge as a fringe.
    """
    weights = alpha.astype(np.float64)
    weighted = colours * weights
    filled = colours.copy()
    missing = alpha[..., 0] == 0
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
