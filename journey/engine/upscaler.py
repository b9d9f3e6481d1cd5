"""From a picture to overlapping tiles, through the network, and back to rows, on any `Executor`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from journey.engine.networks.network import Network
from journey.engine.networks.running import run
from journey.errors import JourneyError, Stopped
from journey.pictures.rows import Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels: TypeAlias = NDArray[np.uint8]

AHEAD = 3
"""Tiles handed to the executor before the first comes back: one in work, and others so that no worker waits for one."""

TRIES = 3
STOP_CHECK_SECONDS = 0.1

FILL_RADII = (1, 2, 4, 8, 16)
"""Pixels. How far colours reach into transparent parts, nearest first."""


@dataclass(frozen=True)
class _Tile:
    """The rows and columns of the source that one tile is responsible for, and the number of its band of tiles."""

    band: int
    top: int
    bottom: int
    left: int
    right: int


def upscale(
    picture: Rows,
    network: Network,
    scale: int,
    *,
    workers: Executor,
    on_progress: Callable[[int, int], None],
    should_stop: Callable[[], bool],
    ahead: int = AHEAD,
) -> Iterator[Pixels]:
    """Enlarge a picture exactly `scale` times, and give the result by bands of rows, from top to bottom.

    Bands are (any, scale * width, channels) uint8, with the channels of the picture; alpha is straight. Only as many
    are held as the tiles under way belong to. `on_progress(done, total)` counts finished tiles, from (0, total) to
    (total, total). `should_stop` is asked several times a second. `workers` have at most `ahead` tiles at a time.

    Raises InvalidRequest at once when the network cannot do the scale. While the bands are taken, raises Stopped when
    asked to stop or when the workers were stopped, and JourneyError when a tile brings down its worker three times.
    """
    network.divisor(scale)
    tiles = _tiles(picture, network)
    submit = _submitter(picture, network, scale, workers)
    return _bands(tiles, submit, scale, on_progress=on_progress, should_stop=should_stop, ahead=ahead)


def tile_count(width: int, height: int, network: Network) -> int:
    """How many tiles a picture of this size in pixels is cut into."""
    down, across = _tile_size(width, height, network)
    return -(-height // down) * -(-width // across)


def _bands(
    tiles: Sequence[_Tile],
    submit: Callable[[_Tile], Future[Pixels]],
    scale: int,
    *,
    on_progress: Callable[[int, int], None],
    should_stop: Callable[[], bool],
    ahead: int,
) -> Iterator[Pixels]:
    waiting = deque(tiles)
    missing = dict.fromkeys((tile.band for tile in tiles), 0)
    for tile in tiles:
        missing[tile.band] += 1
    failures = dict.fromkeys(tiles, 0)
    running: dict[Future[Pixels], _Tile] = {}
    bands: dict[int, Pixels] = {}
    width = scale * tiles[-1].right
    following = done = 0
    on_progress(done, len(tiles))
    try:
        while done < len(tiles):
            while waiting and len(running) < ahead:
                tile = waiting.popleft()
                running[submit(tile)] = tile
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
                if tile.band not in bands:
                    bands[tile.band] = np.empty((len(part), width, part.shape[2]), np.uint8)
                bands[tile.band][:, scale * tile.left : scale * tile.right] = part
                missing[tile.band] -= 1
                done += 1
                on_progress(done, len(tiles))
            while missing.get(following) == 0:
                yield bands.pop(following)
                following += 1
    finally:
        for future in running:
            future.cancel()


def _submitter(picture: Rows, network: Network, scale: int, workers: Executor) -> Callable[[_Tile], Future[Pixels]]:
    """What hands a tile to the workers. The rows of one band of tiles are read once."""
    border = network.overlap + (0 if picture.channels in (1, 3) else FILL_RADII[-1])
    down, across = _tile_size(picture.width, picture.height, network)
    beyond = -picture.width % across
    read: tuple[int, Pixels] | None = None

    def submit(tile: _Tile) -> Future[Pixels]:
        nonlocal read
        if read is None or read[0] != tile.band:
            read = tile.band, _strip(picture, tile.top, down, border, beyond)
        window = read[1][:, tile.left : tile.left + across + 2 * border]
        wanted = (tile.bottom - tile.top, tile.right - tile.left)
        try:
            return workers.submit(upscale_tile, network, scale, window, wanted)
        except BrokenExecutor as error:
            raise JourneyError(f"The upscale was given up, because no worker can take it. {error}") from error
        except RuntimeError:  # what every executor raises after its shutdown
            raise Stopped("The workers were stopped.") from None

    return submit


def _tile_size(width: int, height: int, network: Network) -> tuple[int, int]:
    """Rows and columns of the source that each tile covers; those at the right and bottom may reach beyond it."""
    down, across = network.window(height, width)
    return down - 2 * network.overlap, across - 2 * network.overlap


def _tiles(picture: Rows, network: Network) -> list[_Tile]:
    down, across = _tile_size(picture.width, picture.height, network)
    return [
        _Tile(band, top, min(top + down, picture.height), left, min(left + across, picture.width))
        for band, top in enumerate(range(0, picture.height, down))
        for left in range(0, picture.width, across)
    ]


def _strip(picture: Rows, top: int, rows: int, border: int, beyond: int) -> Pixels:
    """The rows of a band of tiles, with `border` pixels of context on all sides.

    Beyond the picture, where tiles reach `beyond` pixels further to the right, its outermost pixels are repeated.
    """
    first, last = top - border, top + rows + border
    inside = picture.read(max(first, 0), min(last, picture.height))
    outside = ((max(-first, 0), max(last - picture.height, 0)), (border, border + beyond), (0, 0))
    return np.pad(inside, outside, "edge")


def upscale_tile(network: Network, scale: int, window: Pixels, wanted: tuple[int, int]) -> Pixels:
    """Enlarge one tile with its context, of 1 to 4 channels, in a worker.

    Returns the tile without its context, and of it the first `wanted` (rows, columns) times `scale`.
    """
    whole = _upscaled(network, scale, window)
    return np.ascontiguousarray(whole[: scale * wanted[0], : scale * wanted[1]])


def _upscaled(network: Network, scale: int, window: Pixels) -> Pixels:
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
        return run(network, scale, tile)
    colours = run(network, scale, tile.repeat(3, 2))
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
