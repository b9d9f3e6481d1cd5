"""A valley between mountains: a map of heights, and what a camera above the water sees of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from journey.pictures.samples.colour import mixed, rgb
from journey.pictures.samples.noise import fractal_noise, ridged_noise, seamless_noise
from journey.pictures.samples.plane import F32, Plane, bilinear, bilinear_all, smoothstep

WIDTH = 1024  # of the picture
HORIZON = 900  # row
LAND_ROWS = 964  # no land is seen below this row: water begins at _NEAR
_FOCAL = 1050.0  # pixels
_EYE = 30.0  # metres above the water
_NEAR, _FAR = 520.0, 15800.0  # metres
_STEPS = 500  # from near to far
_CELL = 32.0  # metres between neighbours on the map
_MAP = 512  # cells along each side of the map
_MAP_START = 300.0  # metres from the camera to the first row of the map
_SUNLIGHT = np.array((0.78, 0.36, 0.22), F32) / math.sqrt(0.78**2 + 0.36**2 + 0.22**2)
_TREE_HEIGHT = 17.0  # metres
_ROCK_SCALE, _TREE_SCALE = 6.3, 24.6  # pixels of the textures on each cell of the map


@dataclass(frozen=True)
class Land:
    """What the camera sees of the land; colours and mist are those of the seen pixels, in order."""

    seen: NDArray[np.bool_]  # a mask of the picture's first LAND_ROWS rows
    shore: NDArray[np.int32]  # the first row of water in each column
    colours: Plane
    mist: Plane  # how much of it lies in front of each pixel, 0 to 1


def view(rng: np.random.Generator) -> Land:
    """Raise the mountains and look at them from the camera."""
    heights = _valley(rng)
    rock = seamless_noise(rng, 512, 32, 5, 0.64)
    trees = _treetops(rng, 256, 8)
    slopes = np.hypot(*np.gradient(heights, _CELL))
    places = _seen(heights, slopes, rock, trees)
    colours, mist = _land_colours(places, heights, rock, trees)
    return Land(places.seen, places.shore, colours, mist)


@dataclass(frozen=True)
class _Places:
    """Where the camera sees land, and where each seen pixel, in order, lies on the map (metres)."""

    seen: NDArray[np.bool_]
    shore: NDArray[np.int32]
    ahead: Plane
    across: Plane


def _valley(rng: np.random.Generator) -> Plane:
    """Heights in metres of a winding valley between mountains; below zero is water."""
    across = ((np.arange(_MAP) - _MAP / 2) * _CELL).astype(F32)[None, :]
    ahead = (np.arange(_MAP) * _CELL + _MAP_START).astype(F32)[:, None]
    centre = 60 + 900 * np.sin(ahead / 3100 + 0.4) * smoothstep(500, 4000, ahead)
    half_width = 620 + 240 * np.sin(ahead / 1700 + 1)
    inland = np.abs(across - centre) - half_width + (fractal_noise(rng, _MAP, _MAP, 35, 4) - 0.5) * 900
    crests = ridged_noise(rng, _MAP, _MAP, 75, 7)
    massif = 0.5 + fractal_noise(rng, _MAP, _MAP, 90, 2)
    mountains = smoothstep(0, 2400, inland) * (350 + 2750 * crests * massif)
    head_of_valley = smoothstep(9000, 15000, ahead) * (900 * crests + 500)
    heights: Plane = mountains + np.clip(inland, -80, 600) * 0.35 + head_of_valley
    return heights.astype(F32)


def _treetops(rng: np.random.Generator, size: int, spacing: int) -> Plane:
    """Conifers seen from above, as heights 0 to 1, one in each square of `spacing` pixels; repeats without a seam."""
    count = size // spacing
    offset = rng.uniform(0, spacing, (2, count, count)).astype(F32)
    tall = rng.uniform(0.4, 1, (count, count)).astype(F32)
    rows, columns = np.mgrid[0:size, 0:size]
    heights = np.zeros((size, size), F32)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            square = (rows // spacing + down) % count, (columns // spacing + right) % count
            away_y = rows % spacing - down * spacing - offset[0][square]
            away_x = columns % spacing - right * spacing - offset[1][square]
            np.maximum(heights, tall[square] * (1 - np.hypot(away_y, away_x) / (0.8 * spacing)), out=heights)
    return heights


def _forest(height: Plane, slope: Plane, crag: Plane) -> Plane:
    room = smoothstep(640, 180, height + crag * 900) - smoothstep(0.85, 1.5, slope + crag)
    return smoothstep(0, 0.12, room) * (height > 2)


def _seen(heights: Plane, slopes: Plane, rock: Plane, trees: Plane) -> _Places:
    """Walk away from the camera in every column at once, and keep what rises above everything nearer."""
    ahead = np.geomspace(_NEAR, _FAR, _STEPS).astype(F32)[:, None]
    angle = ((np.arange(WIDTH) - WIDTH / 2 + 0.5) / _FOCAL).astype(F32)[None, :]
    row, column = (
        np.broadcast_to((ahead - _MAP_START) / _CELL, (_STEPS, WIDTH)),
        ahead * angle / _CELL + _MAP / 2,
    )
    height = bilinear(heights, row, column)
    nearest = row.astype(np.int32), np.clip(column, 0, _MAP - 1).astype(np.int32)
    crag = _nearest(rock, row * _ROCK_SCALE, column * _ROCK_SCALE) - 0.5
    forest = _forest(height, slopes[nearest], crag)
    tops = _nearest(trees, row * _TREE_SCALE, column * _TREE_SCALE)
    height = height + crag * 80 * (1 - forest) * smoothstep(0, 120, height) + forest * tops * _TREE_HEIGHT
    on_screen = np.where(height > 0, HORIZON - _FOCAL * (height - _EYE) / ahead, F32(LAND_ROWS))
    skyline = np.minimum.accumulate(on_screen, axis=0)

    rows = np.clip(np.ceil(skyline), 0, LAND_ROWS).astype(np.int32)
    hidden = np.bincount(
        (rows * WIDTH + np.arange(WIDTH, dtype=np.int32)).ravel(),
        minlength=(LAND_ROWS + 1) * WIDTH,
    )
    steps = np.cumsum(hidden.reshape(-1, WIDTH)[:0:-1], axis=0, dtype=np.int32)[::-1]
    shore = rows.max(axis=0, initial=0, where=rows < LAND_ROWS).astype(np.int32)
    seen = (steps < len(ahead)) & (np.arange(LAND_ROWS)[:, None] < shore)
    y, x = (place.astype(np.int32) for place in np.nonzero(seen))
    step = steps[seen]
    before = np.maximum(step - 1, 0)
    gap = on_screen[before, x] - on_screen[step, x]
    part = np.clip((on_screen[before, x] - y.astype(F32)) / np.maximum(gap, 0.01), 0, 1)
    distance = ahead[before, 0] + (ahead[step, 0] - ahead[before, 0]) * part
    return _Places(seen, shore, distance.astype(F32), (distance * angle[0, x]).astype(F32))


def _nearest(texture: Plane, rows: Plane, columns: Plane) -> Plane:
    height, width = texture.shape
    row, column = rows.astype(np.int32) & height - 1, columns.astype(np.int32) & width - 1
    found: Plane = texture.ravel()[row * width + column]
    return found


def _land_colours(places: _Places, heights: Plane, rock: Plane, trees: Plane) -> tuple[Plane, Plane]:
    """Sunlit rock, snow and forest for the pixels of `places`, and the mist in front of each, 0 to 1."""
    row, column = (places.ahead - _MAP_START) / _CELL, places.across / _CELL + _MAP / 2
    height, tilt_z, tilt_x = bilinear_all(row, column, heights, *np.gradient(heights, _CELL))
    slope = np.hypot(tilt_x, tilt_z)
    crag, chips_z, chips_x = bilinear_all(row * _ROCK_SCALE, column * _ROCK_SCALE, rock, *np.gradient(rock))
    crag -= 0.5
    strata = bilinear(rock, height / 5, (row + column) * 1.7) - 0.5
    chips = bilinear(rock, height / 1.9, (row + column) * 15) - 0.5
    forest = _forest(height, slope, crag)
    snow = smoothstep(
        0,
        0.22,
        smoothstep(300, 900, height + crag * 900)
        - smoothstep(0.95, 2.1, slope + (crag + strata + chips * 0.5) * 1.9) * 0.95,
    )

    rough = 9 * (1 - snow * 0.6)
    normal_z = -tilt_z - chips_z * rough
    normal_x = -tilt_x - chips_x * rough
    upright = 1 / np.sqrt(normal_x**2 + normal_z**2 + 1)
    sun = np.clip((normal_x * _SUNLIGHT[0] + _SUNLIGHT[1] + normal_z * _SUNLIGHT[2]) * upright, 0, 1)

    stone = rgb("5f5d62") * (1 + crag * 0.6 + strata * 0.9 + chips * 1.3)[:, None]
    tops = bilinear(trees, row * _TREE_SCALE, column * _TREE_SCALE)
    wood = mixed(rgb("1f3327"), rgb("4a5a34"), smoothstep(0.4, 0.75, crag + 0.5)) * (0.3 + tops * 1.25)[:, None]
    ground = mixed(mixed(stone, rgb("f4f6fa"), snow), wood, forest)
    light = sun[:, None] * rgb("ffcf9e") * 1.45 + (0.3 + 0.22 * upright)[:, None] * rgb("8ea8d0")

    low = np.exp(-np.maximum(height, 0) / 150)
    mist = 1 - np.exp(-((places.ahead / 9500) ** 1.25) - 1.1 * smoothstep(700, 6000, places.ahead) * low)
    return ground * light, mist
