"""From a picture to overlapping tiles, through the network, and back to rows, on any `Executor`."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from journey.engine.networks.recipes import Recipe
from journey.engine.tiles import context, upscale_tile
from journey.errors import JourneyError, Stopped, WorkersAway
from journey.pictures.rows import Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels: TypeAlias = NDArray[np.uint8]

AHEAD = 3
"""Tiles handed to the executor before the first comes back: one in work, and others so that no worker waits for one."""

TRIES = 3
STOP_CHECK_SECONDS = 0.1


class Box(NamedTuple):
    """A part of a picture, in its pixels; right and bottom lie just outside."""

    left: int
    top: int
    right: int
    bottom: int


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
    recipe: Recipe,
    scale: int,
    *,
    workers: Executor,
    on_progress: Callable[[int, int], None],
    should_stop: Callable[[], bool],
    on_left: Callable[[int], object] = lambda tiles: None,
    ahead: int = AHEAD,
) -> Iterator[Pixels]:
    """Enlarge a picture exactly `scale` times, and give the result by bands of rows, from top to bottom.

    Bands are (any, scale * width, channels) uint8, with the channels of the picture; alpha is straight. Only as many
    are held as the tiles under way belong to. `on_progress(done, total)` counts finished tiles, from (0, total) to
    (total, total). `should_stop` is asked several times a second. `workers` have at most `ahead` tiles at a time.
    `on_left(tiles)` is told again and again how many the workers have yet to do, and after the last one how many are
    held until their rows are taken. Fewer than `ahead` are all at the workers.

    Raises InvalidRequest at once when a network cannot do the scale. While the bands are taken, raises Stopped when
    asked to stop or when the workers were stopped, WorkersAway when they do not answer, and JourneyError when a tile
    brings down its worker three times.
    """
    for network in recipe.networks:
        network.divisor(scale)
    tiles = _tiles(picture, recipe)
    submit = _submitter(picture, recipe, scale, workers)
    return _bands(tiles, submit, scale, on_progress=on_progress, should_stop=should_stop, on_left=on_left, ahead=ahead)


def piece(picture: Rows, recipe: Recipe, scale: int, box: Box, *, workers: Executor) -> Pixels:
    """What the whole upscale has in the place of `box`, pixel for pixel: the tiles that touch it, cut to it.

    Returns (scale * height, scale * width, channels) of the box. Raises what `upscale` raises.
    """
    submit = _submitter(picture, recipe, scale, workers)
    touched = [
        tile
        for tile in _tiles(picture, recipe)
        if tile.left < box.right and tile.right > box.left and tile.top < box.bottom and tile.bottom > box.top
    ]
    top, left = min(tile.top for tile in touched), min(tile.left for tile in touched)
    bottom, right = max(tile.bottom for tile in touched), max(tile.right for tile in touched)
    made = np.empty((scale * (bottom - top), scale * (right - left), picture.channels), np.uint8)
    for tile, future in [(tile, submit(tile)) for tile in touched]:
        try:
            part = future.result()
        except CancelledError:
            raise Stopped("The workers were stopped.") from None
        down, across = scale * (tile.top - top), scale * (tile.left - left)
        made[down : down + part.shape[0], across : across + part.shape[1]] = part
    return made[
        scale * (box.top - top) : scale * (box.bottom - top), scale * (box.left - left) : scale * (box.right - left)
    ]


def tile_around(x: int, y: int, width: int, height: int, recipe: Recipe) -> Box:
    """The tile of a picture of this size that holds the pixel (x, y)."""
    down, across = _tile_size(width, height, recipe)
    top, left = y // down * down, x // across * across
    return Box(left, top, min(left + across, width), min(top + down, height))


def tiles_to_fill(workers: int) -> int:
    """How many tiles so many workers are to have: two for each, so that none waits for its next one."""
    return max(AHEAD, 2 * workers)


def tile_count(width: int, height: int, recipe: Recipe) -> int:
    """How many tiles a picture of this size in pixels is cut into."""
    down, across = _tile_size(width, height, recipe)
    return -(-height // down) * -(-width // across)


def _bands(
    tiles: Sequence[_Tile],
    submit: Callable[[_Tile], Future[Pixels]],
    scale: int,
    *,
    on_progress: Callable[[int, int], None],
    should_stop: Callable[[], bool],
    on_left: Callable[[int], object],
    ahead: int,
) -> Iterator[Pixels]:
    waiting = deque(tiles)
    in_band = Counter(tile.band for tile in tiles)
    missing = Counter(in_band)
    failures = dict.fromkeys(tiles, 0)
    running: dict[Future[Pixels], _Tile] = {}
    bands: dict[int, Pixels] = {}
    width = scale * tiles[-1].right
    following = done = 0
    on_progress(done, len(tiles))
    try:
        while following < len(in_band):
            while waiting and len(running) < ahead:
                tile = waiting.popleft()
                running[submit(tile)] = tile
            on_left(len(waiting) + len(running) or sum(in_band[band] for band in bands))
            # Only now, so that the workers have the next tiles while these rows are written.
            while following in bands and not missing[following]:
                yield bands.pop(following)
                following += 1
            if not running:
                continue
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
                    failures[tile] += not isinstance(error, WorkersAway)  # that says nothing of the tile
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
    finally:
        for future in running:
            future.cancel()


def _submitter(picture: Rows, recipe: Recipe, scale: int, workers: Executor) -> Callable[[_Tile], Future[Pixels]]:
    """What hands a tile to the workers. The rows of one band of tiles are read once."""
    border = context(recipe, picture.channels)
    down, across = _tile_size(picture.width, picture.height, recipe)
    beyond = -picture.width % across
    read: tuple[int, Pixels] | None = None

    def submit(tile: _Tile) -> Future[Pixels]:
        nonlocal read
        if read is None or read[0] != tile.band:
            read = tile.band, _strip(picture, tile.top, down, border, beyond)
        window = read[1][:, tile.left : tile.left + across + 2 * border]
        wanted = (tile.bottom - tile.top, tile.right - tile.left)
        try:
            return workers.submit(upscale_tile, recipe, scale, window, wanted)
        except WorkersAway:
            raise
        except BrokenExecutor as error:
            raise JourneyError(f"The upscale was given up, because no worker can take it. {error}") from error
        except RuntimeError:  # what every executor raises after its shutdown
            raise Stopped("The workers were stopped.") from None

    return submit


def _tile_size(width: int, height: int, recipe: Recipe) -> tuple[int, int]:
    """Rows and columns of the source that each tile covers; those at the right and bottom may reach beyond it."""
    down, across = recipe.window(height, width)
    return down - 2 * recipe.overlap, across - 2 * recipe.overlap


def _tiles(picture: Rows, recipe: Recipe) -> list[_Tile]:
    down, across = _tile_size(picture.width, picture.height, recipe)
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
