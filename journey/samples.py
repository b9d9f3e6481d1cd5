"""Sample pictures for a first visit, drawn from fixed seeds by this module alone.

`draw("fjord")` gives one picture, `draw_grid()` the four parts of a grid and the grid itself. The same
machine draws the same pixels every time. Nothing is read or downloaded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

Plane = NDArray[np.floating[Any]]
"""A two-dimensional array, indexed [row, column]; colours add a third axis of three, 0 to 1."""
Point = tuple[float, float]

_F = np.float32


# --- numbers that look like nature ---------------------------------------------------------------


def _resized(plane: Plane, width: int, height: int) -> Plane:
    return np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.BICUBIC))


def _octave(rng: np.random.Generator, width: int, height: int, cell: float) -> Plane:
    columns, rows = int(width / cell) + 3, int(height / cell) + 3
    grid = rng.random((rows, columns), dtype=_F)
    return (
        grid[:height, :width] if cell <= 1 else _resized(grid, int(columns * cell), int(rows * cell))[:height, :width]
    )


def _noise(rng: np.random.Generator, width: int, height: int, cell: float, octaves: int, gain: float = 0.5) -> Plane:
    """Fractal noise round 0.5; `cell` is the size in pixels of its largest features."""
    total = np.zeros((height, width), _F)
    weights = [gain**octave for octave in range(octaves)]
    for octave, weight in enumerate(weights):
        total += _F(weight / sum(weights)) * _octave(rng, width, height, max(cell / 2**octave, 1))
    return total


def _tile(rng: np.random.Generator, size: int, cell: int, octaves: int, gain: float = 0.5) -> Plane:
    """Fractal noise that repeats without a seam; `size` and `cell` are powers of two."""
    total = np.zeros((size, size), _F)
    weights = [gain**octave for octave in range(octaves)]
    for octave, weight in enumerate(weights):
        step = cell >> octave
        count = size // step
        grid = np.pad(rng.random((count, count), dtype=_F), 2, mode="wrap")
        large = _resized(grid, (count + 4) * step, (count + 4) * step)
        total += _F(weight / sum(weights)) * large[2 * step : 2 * step + size, 2 * step : 2 * step + size]
    return total


def _ridges(rng: np.random.Generator, width: int, height: int, cell: float, octaves: int) -> Plane:
    """Fractal noise with sharp crests and smooth valleys, 0 to 1."""
    total = np.zeros((height, width), _F)
    weights = [0.52**octave for octave in range(octaves)]
    above: Plane | _F = _F(1)
    for octave, weight in enumerate(weights):
        crest = 1 - np.abs(2 * _octave(rng, width, height, max(cell / 2**octave, 1)) - 1)
        crest = np.clip(crest, 0, 1) ** 2
        total += _F(weight / sum(weights)) * crest * above
        above = np.clip(crest * _F(2.0), 0.1, 1)
    return total


def _samples(rows: Plane, columns: Plane, *textures: Plane) -> list[Plane]:
    """Textures of one size at fractional places, repeated without end; their sides are powers of two."""
    height, width = textures[0].shape
    whole_rows, whole_columns = np.floor(rows), np.floor(columns)
    down, right = rows - whole_rows, columns - whole_columns
    top, left = whole_rows.astype(np.int32), whole_columns.astype(np.int32)
    # A mask instead of a remainder: integer division would take most of the time here.
    below, beside = (top + 1 & height - 1) * width, left + 1 & width - 1
    top, left = (top & height - 1) * width, left & width - 1
    corners = top + left, top + beside, below + left, below + beside
    found = []
    for texture in textures:
        north_west, north_east, south_west, south_east = (texture.ravel()[corner] for corner in corners)
        north_west += (north_east - north_west) * right
        south_west += (south_east - south_west) * right
        north_west += (south_west - north_west) * down
        found.append(north_west)
    return found


def _sample(texture: Plane, rows: Plane, columns: Plane) -> Plane:
    return _samples(rows, columns, texture)[0]


def _step(start: float, end: float, value: Plane) -> Plane:
    """0 before `start`, 1 after `end`, a smooth curve between."""
    t: Plane = np.clip((value - _F(start)) / _F(end - start), 0, 1)
    return t * t * (3 - 2 * t)


def _rgb(code: str) -> Plane:
    return np.array([int(code[i : i + 2], 16) / 255 for i in (0, 2, 4)], _F)


def _mixed(under: Plane, over: Plane, amount: Plane) -> Plane:
    return under + (over - under) * amount[..., None]


def _ramp(values: Plane, stops: Sequence[tuple[float, str]]) -> Plane:
    """Colours for values, by straight lines between (value, colour) stops."""
    places = [place for place, _ in stops]
    colours = np.array([_rgb(code) for _, code in stops])
    return np.stack([np.interp(values, places, colours[:, channel]).astype(_F) for channel in range(3)], axis=-1)


def _picture(colours: Plane) -> Image.Image:
    return Image.fromarray((np.clip(colours, 0, 1) * _F(255) + _F(0.5)).astype(np.uint8))


# --- fjord: a landscape of heights, seen through a camera ----------------------------------------

_FJORD_WIDTH, _FJORD_HEIGHT = 1024, 1536
_HORIZON = 900  # row
_LAND_ROWS = 964  # no land is seen below this row: water begins at _NEAR
_FOCAL = 1050.0  # pixels
_EYE = 30.0  # metres above the water
_NEAR, _FAR = 520.0, 15800.0  # metres
_STEPS = 500  # from near to far
_CELL = 32.0  # metres between neighbours on the map
_MAP = 512  # cells along each side of the map
_MAP_START = 300.0  # metres from the camera to the first row of the map
_SUN = (600.0, 640.0)
_SUNLIGHT = np.array((0.78, 0.36, 0.22), _F) / _F(math.sqrt(0.78**2 + 0.36**2 + 0.22**2))
_TREE_HEIGHT = 17.0  # metres
_ROCK_SCALE, _TREE_SCALE = 6.3, 24.6  # pixels of the textures on each cell of the map


def _valley(rng: np.random.Generator) -> Plane:
    """Heights in metres of a winding valley between mountains; below zero is water."""
    across = ((np.arange(_MAP) - _MAP / 2) * _CELL).astype(_F)[None, :]
    ahead = (np.arange(_MAP) * _CELL + _MAP_START).astype(_F)[:, None]
    centre = 60 + 900 * np.sin(ahead / 3100 + _F(0.4)) * _step(500, 4000, ahead)
    half_width = 620 + 240 * np.sin(ahead / 1700 + 1)
    inland = np.abs(across - centre) - half_width + (_noise(rng, _MAP, _MAP, 35, 4) - _F(0.5)) * 900
    crests = _ridges(rng, _MAP, _MAP, 75, 7)
    massif = _F(0.5) + _noise(rng, _MAP, _MAP, 90, 2)
    mountains = _step(0, 2400, inland) * (350 + 2750 * crests * massif)
    head_of_valley = _step(9000, 15000, ahead) * (900 * crests + 500)
    heights: Plane = mountains + np.clip(inland, -80, 600) * _F(0.35) + head_of_valley
    return heights.astype(_F)


def _treetops(rng: np.random.Generator, size: int, spacing: int) -> Plane:
    """Conifers from above as heights 0 to 1, one in each square of `spacing` pixels; repeats without a seam."""
    count = size // spacing
    offset = rng.uniform(0, spacing, (2, count, count)).astype(_F)
    tall = rng.uniform(0.4, 1, (count, count)).astype(_F)
    rows, columns = np.mgrid[0:size, 0:size]
    heights = np.zeros((size, size), _F)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            square = (rows // spacing + down) % count, (columns // spacing + right) % count
            away_y = rows % spacing - down * spacing - offset[0][square]
            away_x = columns % spacing - right * spacing - offset[1][square]
            np.maximum(heights, tall[square] * (1 - np.hypot(away_y, away_x) / _F(0.8 * spacing)), out=heights)
    return heights


@dataclass(frozen=True)
class _Land:
    """Where the camera sees land: a mask of the picture, and for its pixels in order the place on the map."""

    seen: NDArray[np.bool_]
    ahead: Plane
    across: Plane
    shore: NDArray[np.int32]  # the first row of water in each column


def _forest(height: Plane, slope: Plane, crag: Plane) -> Plane:
    room = _step(640, 180, height + crag * 900) - _step(0.85, 1.5, slope + crag)
    return _step(0, 0.12, room) * (height > 2)


def _seen(heights: Plane, slopes: Plane, rock: Plane, trees: Plane) -> _Land:
    """Walk away from the camera in every column at once, and keep what rises above all that is nearer."""
    ahead = np.geomspace(_NEAR, _FAR, _STEPS).astype(_F)[:, None]
    angle = ((np.arange(_FJORD_WIDTH) - _FJORD_WIDTH / 2 + 0.5) / _FOCAL).astype(_F)[None, :]
    row, column = (
        np.broadcast_to((ahead - _MAP_START) / _CELL, (_STEPS, _FJORD_WIDTH)),
        ahead * angle / _CELL + _MAP / 2,
    )
    height = _sample(heights, row, column)
    nearest = row.astype(np.int32), np.clip(column, 0, _MAP - 1).astype(np.int32)
    crag = _nearest(rock, row * _ROCK_SCALE, column * _ROCK_SCALE) - _F(0.5)
    forest = _forest(height, slopes[nearest], crag)
    tops = _nearest(trees, row * _TREE_SCALE, column * _TREE_SCALE)
    height = height + crag * 80 * (1 - forest) * _step(0, 120, height) + forest * tops * _F(_TREE_HEIGHT)
    on_screen = np.where(height > 0, _HORIZON - _FOCAL * (height - _EYE) / ahead, _F(_LAND_ROWS))
    skyline = np.minimum.accumulate(on_screen, axis=0)

    rows = np.clip(np.ceil(skyline), 0, _LAND_ROWS).astype(np.int32)
    hidden = np.bincount(
        (rows * _FJORD_WIDTH + np.arange(_FJORD_WIDTH, dtype=np.int32)).ravel(),
        minlength=(_LAND_ROWS + 1) * _FJORD_WIDTH,
    )
    steps = np.cumsum(hidden.reshape(-1, _FJORD_WIDTH)[:0:-1], axis=0, dtype=np.int32)[::-1]
    shore = rows.max(axis=0, initial=0, where=rows < _LAND_ROWS).astype(np.int32)
    seen = (steps < len(ahead)) & (np.arange(_LAND_ROWS)[:, None] < shore)
    y, x = (place.astype(np.int32) for place in np.nonzero(seen))
    step = steps[seen]
    before = np.maximum(step - 1, 0)
    gap = on_screen[before, x] - on_screen[step, x]
    part = np.clip((on_screen[before, x] - y.astype(_F)) / np.maximum(gap, _F(0.01)), 0, 1)
    distance = ahead[before, 0] + (ahead[step, 0] - ahead[before, 0]) * part
    return _Land(seen, distance.astype(_F), (distance * angle[0, x]).astype(_F), shore)


def _nearest(texture: Plane, rows: Plane, columns: Plane) -> Plane:
    height, width = texture.shape
    row, column = rows.astype(np.int32) & height - 1, columns.astype(np.int32) & width - 1
    found: Plane = texture.ravel()[row * width + column]
    return found


def _land_colours(land: _Land, heights: Plane, rock: Plane, trees: Plane) -> tuple[Plane, Plane]:
    """Sunlit rock, snow and forest for the pixels of `land`, and how much mist lies before each, 0 to 1."""
    row, column = (land.ahead - _MAP_START) / _CELL, land.across / _CELL + _MAP / 2
    height, tilt_z, tilt_x = _samples(row, column, heights, *np.gradient(heights, _F(_CELL)))
    slope = np.hypot(tilt_x, tilt_z)
    crag, chips_z, chips_x = _samples(row * _ROCK_SCALE, column * _ROCK_SCALE, rock, *np.gradient(rock))
    crag -= _F(0.5)
    strata = _sample(rock, height / 5, (row + column) * _F(1.7)) - _F(0.5)
    chips = _sample(rock, height / _F(1.9), (row + column) * 15) - _F(0.5)
    forest = _forest(height, slope, crag)
    snow = _step(
        0,
        0.22,
        _step(300, 900, height + crag * 900)
        - _step(0.95, 2.1, slope + (crag + strata + chips * _F(0.5)) * _F(1.9)) * _F(0.95),
    )

    rough = _F(9) * (1 - snow * _F(0.6))
    normal_z = -tilt_z - chips_z * rough
    normal_x = -tilt_x - chips_x * rough
    upright = 1 / np.sqrt(normal_x**2 + normal_z**2 + 1)
    sun = np.clip((normal_x * _SUNLIGHT[0] + _SUNLIGHT[1] + normal_z * _SUNLIGHT[2]) * upright, 0, 1)

    stone = _rgb("5f5d62") * (1 + crag * _F(0.6) + strata * _F(0.9) + chips * _F(1.3))[:, None]
    tops = _sample(trees, row * _TREE_SCALE, column * _TREE_SCALE)
    wood = (
        _mixed(_rgb("1f3327"), _rgb("4a5a34"), _step(0.4, 0.75, crag + _F(0.5))) * (_F(0.3) + tops * _F(1.25))[:, None]
    )
    ground = _mixed(_mixed(stone, _rgb("f4f6fa"), snow), wood, forest)
    light = sun[:, None] * _rgb("ffcf9e") * _F(1.45) + (_F(0.3) + _F(0.22) * upright)[:, None] * _rgb("8ea8d0")

    low = np.exp(-np.maximum(height, 0) / _F(150))
    mist = 1 - np.exp(-((land.ahead / _F(9500)) ** _F(1.25)) - _F(1.1) * _step(700, 6000, land.ahead) * low)
    return ground * light, mist


def _fjord_sky(rng: np.random.Generator) -> tuple[Plane, Plane]:
    """The evening sky behind the land, and the glow of the sun."""
    width, height = _FJORD_WIDTH // 4, _LAND_ROWS // 4
    y, x = np.mgrid[0:height, 0:width].astype(_F) * 4
    blue = _ramp(
        np.arange(height, dtype=_F) * 4 / _HORIZON,
        [(0, "41658f"), (0.3, "7594b5"), (0.6, "b9bfc6"), (0.82, "efcfae"), (1, "f7d8b2")],
    )[:, None, :]
    away = np.hypot(x - _SUN[0], y - _SUN[1])
    glow = np.clip(np.exp(-away / 120) * _F(0.8) + np.exp(-away / 400) * _F(0.42), 0, 1)
    wisps = _resized(_noise(rng, width, height * 4, 70, 6, 0.55), width, height)
    veil = _step(0.5, 0.74, wisps) * _step(1, 0.35, y / _HORIZON) * _F(0.75)
    lit = _mixed(np.broadcast_to(_rgb("d9d9e0"), (height, width, 3)), _rgb("ffe2bd"), np.clip(glow * 2, 0, 1))
    colours = _mixed(_mixed(blue + np.zeros((height, width, 3), _F), lit, veil), _rgb("fff1d6"), glow)
    return _enlarged(colours, _FJORD_WIDTH, _LAND_ROWS), _resized(glow, _FJORD_WIDTH, _LAND_ROWS)


def _mirrored(scene: Plane, shore: NDArray[np.int32], rng: np.random.Generator) -> Plane:
    """The water that belongs below the shore, from its highest row down; rippled, so half the columns suffice."""
    half = _FJORD_WIDTH // 2
    top = int(shore.min())
    y = np.arange(top, _FJORD_HEIGHT, dtype=_F)[:, None]
    x = np.arange(half, dtype=_F)[None, :] * 2 - half
    below = np.maximum(y - _HORIZON, 6)
    texture = _tile(rng, 512, 32, 4, 0.6) - _F(0.5)
    ahead = np.broadcast_to(np.log(below) * 110, (len(y), half))
    swell = _sample(texture, ahead, x * 14 / below)
    ripple = swell + _sample(texture, ahead * _F(3.1), x * 50 / below + 77) * _F(0.7)
    edge = np.convolve(np.pad(shore, 6, mode="edge"), np.full(13, 1 / 13), mode="valid")[::2].astype(_F)
    depth = np.maximum(y - edge, 0)
    source = np.clip(edge - 1 - depth * _F(1.06) + ripple * below * _F(0.42), 0, shore[::2] - 1).astype(np.int32)
    mirror = scene[source, np.arange(half) * 2]
    facing = np.clip(below / 640, 0, 1) + ripple * _F(0.35)
    water = (
        mirror * (_F(0.92) - _F(0.45) * facing)[..., None] + _rgb("12303c") * (_F(0.06) + _F(0.42) * facing)[..., None]
    )
    water += (np.clip(ripple - _F(0.1), 0, 1) * np.exp(-np.abs(x - _SUN[0] + half) / 170) * _F(1.1))[..., None] * _rgb(
        "ffe0b8"
    )
    return _enlarged(water, _FJORD_WIDTH, len(y))


def _enlarged(colours: Plane, width: int, height: int) -> Plane:
    return np.asarray(_picture(colours).resize((width, height), Image.Resampling.BICUBIC), _F) / _F(255)


def _fjord() -> Image.Image:
    rng = np.random.default_rng(7)
    heights = _valley(rng)
    rock = _tile(rng, 512, 32, 5, 0.64)
    trees = _treetops(rng, 256, 8)
    slopes = np.hypot(*np.gradient(heights, _F(_CELL)))
    land = _seen(heights, slopes, rock, trees)
    ground, mist = _land_colours(land, heights, rock, trees)
    scene, glow = _fjord_sky(rng)
    haze = _mixed(
        np.broadcast_to(_rgb("a9b9cb"), ground.shape), _rgb("f8d8ae"), np.clip(glow[land.seen] * _F(1.1), 0, 1)
    )
    scene[land.seen] = _mixed(ground, haze, mist)
    water = _mirrored(scene, land.shore, rng)
    top = _FJORD_HEIGHT - len(water)
    overlap = _LAND_ROWS - top
    dry = np.arange(top, _LAND_ROWS)[:, None] < land.shore
    water[:overlap][dry] = scene[top:][dry]
    scene = np.concatenate([scene[:top], water])
    return _photographed(_with_spruces(_picture(scene), rng), rng)


def _spruce(rng: np.random.Generator, height: int) -> Image.Image:
    """One spruce as an opacity mask, drawn twice as large and reduced: whorls of hanging, feathered branches."""
    width = int(height * 0.44)
    mask = Image.new("L", (2 * width, 2 * height))
    pen = ImageDraw.Draw(mask)
    pen.polygon(
        [(width - 1, 0), (width + 1, 0), (width + height * 0.016, 2 * height), (width - height * 0.016, 2 * height)],
        255,
    )
    whorls = np.sort(rng.uniform(0.012, 0.97, height // 2))
    for down, side, reach, sag in zip(
        whorls,
        rng.choice((-1.0, 1.0), len(whorls)),
        rng.uniform(0.5, 1.05, len(whorls)),
        rng.uniform(0.2, 0.62, len(whorls)),
        strict=True,
    ):
        length = (0.02 + 0.98 * down**0.8) * width * reach * 0.94
        t = np.linspace(0, 1, max(int(length / 5), 3))
        x = width + side * length * t
        y = 2 * height * down + length * (sag * t + 0.16 * t - 0.22 * t**3)
        hang = (1 - 0.75 * t) * (4 + length * 0.16) * rng.uniform(0.5, 1.2, len(t))
        outline = [*zip(x, y - 1.5, strict=True)]
        for i in range(len(t) - 1, 0, -1):
            outline += [(x[i] - side * 2, y[i] + hang[i]), (x[i] - side * 3, y[i] + hang[i] * 0.3)]
        pen.polygon(outline, 255)
    return mask.reduce(2)


_SPRUCES = (  # left edge, foot and height in pixels; the last ones stand in front
    (905, 1560, 420), (985, 1570, 560), (236, 1590, 400), (-30, 1560, 760), (120, 1580, 610), (-120, 1600, 900),
    (330, 1600, 270), (840, 1600, 260),
)  # fmt: skip


def _with_spruces(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Stand dark trees at the edges, close to the camera."""
    model = _spruce(rng, 640)
    models = [model, ImageOps.mirror(model)]
    moss = _step(0.35, 0.75, _noise(rng, 192, 384, 12, 4, 0.7))
    needles = _picture(_mixed(_rgb("0a1513"), _rgb("1b2a22"), moss))
    for index, (left, foot, height) in enumerate(_SPRUCES):
        mask = models[index % 2].resize((int(height * 0.44), height), Image.Resampling.BICUBIC)
        picture.paste(needles.resize(mask.size, Image.Resampling.BILINEAR), (left, foot - height), mask)
    return picture


def _photographed(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A slightly soft lens, darker corners and a fine grain."""
    width, height = picture.size
    y, x = np.linspace(-1, 1, height // 4, dtype=_F)[:, None], np.linspace(-1, 1, width // 4, dtype=_F)[None, :]
    corners = Image.fromarray((255 - 28 * (x * x + y * y)).astype(np.uint8)).resize(
        picture.size, Image.Resampling.BILINEAR
    )
    grain = Image.fromarray((rng.standard_normal((height, width), _F) * _F(2.2) + _F(128.5)).astype(np.uint8))
    soft = picture.filter(ImageFilter.Kernel((3, 3), (1, 3, 1, 3, 9, 3, 1, 3, 1)))
    shaded = ImageChops.multiply(soft, Image.merge("RGB", (corners,) * 3))
    return ImageChops.add(shaded, Image.merge("RGB", (grain,) * 3), offset=-128)


# --- koi: line work over flat colour, drawn twice as large and reduced ---------------------------

_SHARP = 2  # drawing pixels for each pixel of a line drawing


class _Pen:
    """Draws on a canvas that is `_SHARP` times as large, in the picture's own coordinates."""

    def __init__(self, canvas: Image.Image) -> None:
        self._draw = ImageDraw.Draw(canvas)

    def fill(self, points: Plane, colour: str | int) -> None:
        self._draw.polygon((points * _SHARP).ravel().tolist(), fill=_ink(colour))

    def line(self, points: Plane, colour: str | int, width: float) -> None:
        self._draw.line((points * _SHARP).ravel().tolist(), _ink(colour), max(round(width * _SHARP), 1), joint="curve")

    def disc(self, centre: Point, radius: float, colour: str | int) -> None:
        self._draw.circle((centre[0] * _SHARP, centre[1] * _SHARP), radius * _SHARP, _ink(colour))

    def ring(self, centre: Point, radius: float, colour: str | int, width: float) -> None:
        at = (centre[0] * _SHARP, centre[1] * _SHARP)
        self._draw.circle(at, radius * _SHARP, outline=_ink(colour), width=max(round(width * _SHARP), 1))

    def box(self, left: float, top: float, right: float, bottom: float, colour: str | int) -> None:
        corners = [left * _SHARP, top * _SHARP, right * _SHARP - 1, bottom * _SHARP - 1]
        if corners[2] >= corners[0] and corners[3] >= corners[1]:
            self._draw.rectangle(corners, _ink(colour))


def _ink(colour: str | int) -> str | int:
    return f"#{colour}" if isinstance(colour, str) else colour


def _points(*pairs: Point) -> Plane:
    return np.array(pairs, _F)


def _curve(through: Sequence[Point], count: int) -> Plane:
    """A smooth line of `count` points through the given ones (Catmull-Rom)."""
    knots = np.array([through[0], *through, through[-1]], _F)
    place = np.linspace(0, len(through) - 1.0001, count)
    first = place.astype(int)
    t = (place - first).astype(_F)[:, None]
    a, b, c, d = (knots[first + i] for i in range(4))
    line: Plane = 2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
    return line / 2


def _around(centre: Point, radius: float, start: float, end: float, count: int) -> Plane:
    """Points on an arc; angles in degrees, clockwise from the right."""
    turn = np.radians(np.linspace(start, end, count))
    return np.stack([centre[0] + radius * np.cos(turn), centre[1] + radius * np.sin(turn)], axis=1).astype(_F)


_INK, _CREAM, _VERMILION, _GOLD = "10212b", "f8ecd6", "d8432a", "e2a63c"


@dataclass(frozen=True)
class _Koi:
    """A fish along a line from mouth to tail; patches are (along, across, length, breadth) in parts of its body."""

    spine: tuple[Point, ...]
    girth: float  # half its breadth in pixels
    skin: str
    fin: str
    patches: tuple[tuple[float, float, float, float], ...]
    patch: str

    @cached_property
    def _line(self) -> tuple[Plane, Plane]:
        line = _curve(self.spine, 201)
        ahead = np.gradient(line, axis=0)
        return line, np.stack([-ahead[:, 1], ahead[:, 0]], axis=1) / np.linalg.norm(ahead, axis=1, keepdims=True)

    def place(self, along: Plane, across: Plane) -> Plane:
        """Points on the body: along 0 (mouth) to 1 (tail), across -1 to 1."""
        line, normal = self._line
        at = np.clip(along * 200, 0, 200).astype(int)
        points: Plane = line[at] + normal[at] * (across * self.breadth(along))[:, None]
        return points

    def outline(self) -> Plane:
        along, edge = np.linspace(0, 1, 90, dtype=_F), np.ones(90, _F)
        return np.vstack([self.place(along, -edge), self.place(along[::-1], edge)])

    def breadth(self, along: Plane) -> Plane:
        body = np.clip(along, 0, 1) ** 0.46 * (1 - 0.93 * np.clip(along, 0, 1)) ** 0.85
        return (self.girth * 1.62 * body).astype(_F)


def _fan(
    pen: _Pen, root: Plane, heading: float, spread: float, length: float, fork: float, colours: tuple[str, str]
) -> None:
    """A fin: rays from `root`, `heading` and `spread` in degrees, `fork` 0 (round) to 1 (cleft)."""
    t = np.linspace(-1, 1, 49)
    scallops = 1 - 0.07 * np.abs(np.sin(t * 3.5 * math.pi))
    reach = length * (1 - fork * 0.5 * (1 - np.abs(t)) - (1 - fork) * 0.3 * t**2) * scallops
    turn = np.radians(heading + spread * t)
    rim = root + np.stack([np.cos(turn), np.sin(turn)], axis=1) * reach[:, None]
    pen.fill(np.vstack([root, rim]).astype(_F), colours[0])
    for point in rim[2:-1:3]:
        pen.line(np.vstack([root + (point - root) * 0.2, root + (point - root) * 0.93]).astype(_F), colours[1], 1)
    pen.line(np.vstack([root, rim, root]).astype(_F), _INK, 2.4)


def _heading(start: Plane, end: Plane) -> float:
    return math.degrees(math.atan2(float(end[1] - start[1]), float(end[0] - start[0])))


def _draw_koi(canvas: Image.Image, koi: _Koi) -> None:
    pen = _Pen(canvas)
    spine = koi.place(np.linspace(0, 1, 41, dtype=_F), np.zeros(41, _F))
    backwards = _heading(spine[-4], spine[-1])
    colours = koi.fin, koi.patch if koi.fin == koi.skin else koi.skin
    for lobe in (-18, 18):
        _fan(pen, spine[-2], backwards + lobe, 25, koi.girth * 2.9, 0.3, colours)
    for place, size in ((0.27, 2.0), (0.6, 1.2)):
        at = int(place * 40)
        for side in (-1.0, 1.0):
            root = koi.place(np.array([place], _F), np.array([side * 0.8], _F))[0]
            _fan(pen, root, _heading(spine[at], spine[at + 2]) + side * 48, 26, koi.girth * size, 0, colours)

    outline = koi.outline()
    pen.fill(outline, koi.skin)
    _paint_patches(canvas, koi, outline)
    _draw_scales(pen, koi)
    pen.line(np.vstack([outline, outline[:1]]), _INK, 3)

    ridge = np.linspace(0.34, 0.72, 30, dtype=_F)
    crest = np.sin(np.linspace(0, math.pi, 30)).astype(_F) ** _F(0.6)
    dorsal = np.vstack([koi.place(ridge, np.zeros(30, _F)), koi.place(ridge[::-1] + _F(0.04), crest[::-1] * _F(0.42))])
    pen.fill(dorsal, koi.fin)
    for front, back in zip(dorsal[2:28:2], dorsal[57:31:-2], strict=True):
        pen.line(np.vstack([front, back]), colours[1], 1)
    pen.line(np.vstack([dorsal, dorsal[:1]]), _INK, 2)

    bow = np.linspace(-1, 1, 21, dtype=_F)
    pen.line(koi.place(_F(0.235) - _F(0.075) * bow**2, bow * _F(0.97)), _INK, 2)
    for side in (-1.0, 1.0):
        eye = koi.place(np.array([0.085], _F), np.array([side * 0.74], _F))[0]
        pen.disc((float(eye[0]), float(eye[1])), koi.girth * 0.1, _INK)
        pen.disc((float(eye[0]) - 1, float(eye[1]) - 1), koi.girth * 0.035, _CREAM)
        nose = koi.place(np.array([0.012], _F), np.array([side * 0.8], _F))[0]
        out = nose + (nose - spine[2]) * _F(0.55) + (nose - spine[1]) * _F(0.4)
        pen.line(_curve([tuple(nose), tuple((nose + out) / 2 + side), tuple(out)], 9), _INK, 2)


def _paint_patches(canvas: Image.Image, koi: _Koi, outline: Plane) -> None:
    left, top = (outline.min(axis=0) - 2).astype(int)
    right, bottom = (outline.max(axis=0) + 2).astype(int)
    size = int(right - left) * _SHARP, int(bottom - top) * _SHARP
    body, marks = Image.new("L", size), Image.new("L", size)
    corner = np.array([left, top], _F)
    _Pen(body).fill(outline - corner, 255)
    turn = np.linspace(0, 2 * math.pi, 60)
    for number, (along, across, length, breadth) in enumerate(koi.patches):
        wobble = 1 + 0.16 * np.sin(3 * turn + number) + 0.1 * np.sin(5 * turn + 2 * number) + 0.04 * np.sin(11 * turn)
        shape = koi.place(
            np.clip(along + length * wobble * np.cos(turn), 0, 1).astype(_F),
            (across + breadth * wobble * np.sin(turn)).astype(_F),
        )
        _Pen(marks).fill(shape - corner, 255)
    canvas.paste(_ink(koi.patch), (int(left) * _SHARP, int(top) * _SHARP), ImageChops.darker(body, marks))


def _draw_scales(pen: _Pen, koi: _Koi) -> None:
    arc = np.linspace(-1, 1, 7, dtype=_F)
    for row, along in enumerate(np.arange(0.27, 0.93, 0.021)):
        across_each = 0.25
        for middle in np.arange(-1 + (row % 2) * across_each / 2, 1.01, across_each):
            across = middle + arc * _F(across_each / 2)
            scale = koi.place((along + 0.02 * (1 - arc**2)).astype(_F), np.clip(across, -0.98, 0.98).astype(_F))
            pen.line(scale, "9c4a30" if koi.skin != _INK else "4d6470", 0.9)


_POND = (
    _Koi(((250, 590), (330, 470), (470, 420), (610, 450), (690, 545)), 66, _CREAM, _CREAM,
         ((0.1, 0.0, 0.075, 0.62), (0.4, 0.2, 0.13, 0.85), (0.72, -0.2, 0.1, 0.9)), _VERMILION),
    _Koi(((800, 420), (800, 590), (700, 720), (540, 770), (400, 730)), 60, _GOLD, "f4cf7c",
         ((0.3, -0.5, 0.1, 0.5), (0.55, 0.4, 0.09, 0.5), (0.8, 0.0, 0.05, 0.8)), _VERMILION),
    _Koi(((560, 160), (450, 210), (350, 190), (262, 232), (205, 320)), 46, _INK, "3a5560",
         ((0.12, 0.1, 0.06, 0.6), (0.45, -0.1, 0.12, 0.6), (0.75, 0.2, 0.08, 0.7)), _CREAM),
)  # fmt: skip
_PADS = (
    (905, 175, 122, 20), (760, 95, 74, 130), (985, 330, 66, 250), (110, 880, 140, 300), (262, 962, 82, 200),
    (70, 705, 64, 60), (940, 905, 92, 160), (100, 120, 70, 40),
)  # fmt: skip
_BLOSSOMS = ((838, 210, 92), (168, 858, 84))
_RIPPLES = ((250, 600, 330), (800, 410, 360), (560, 160, 240), (640, 1010, 300), (30, 420, 260))


def _draw_pad(pen: _Pen, x: float, y: float, radius: float, notch: float) -> None:
    """A lily pad with its cleft at `notch` degrees."""
    leaf = np.vstack([_points((x, y)), _around((x, y), radius, notch + 14, notch + 346, 60)])
    pen.fill(leaf + _points((7, 10)), "0b2f3a")
    pen.fill(leaf, "3f7d5a")
    half = np.vstack([_points((x, y)), _around((x, y), radius * 0.93, notch + 14, notch + 180, 30)])
    pen.fill(half, "5c9767")
    for turn in np.arange(notch + 14, notch + 347, 332 / 14):
        rim = _around((x, y), radius * 0.88, turn, turn, 1)[0]
        pen.line(np.vstack([_points((x, y)), rim[None]]), "1f4f3f", 1.4)
        for fork in (-7, 7):
            pen.line(
                np.vstack(
                    [_points((x, y)) * 0.45 + rim * 0.55, _around((x, y), radius * 0.95, turn + fork, turn + fork, 1)]
                ),
                "1f4f3f",
                1,
            )
    pen.line(np.vstack([leaf, leaf[:1]]), _INK, 2.6)


def _draw_blossom(pen: _Pen, x: float, y: float, radius: float) -> None:
    """A lotus seen from above: three whorls of pointed petals round a golden heart."""
    for whorl, (reach, count, colour) in enumerate(((1.0, 9, "ee9f9c"), (0.78, 8, "f6c3b8"), (0.52, 6, "fbe3d6"))):
        for petal in range(count):
            turn = 360 / count * (petal + whorl * 0.5) + whorl * 9
            length = radius * reach
            out = np.radians(turn)
            axis, side = np.array([np.cos(out), np.sin(out)]), np.array([-np.sin(out), np.cos(out)])
            t = np.linspace(0, 1, 16)[:, None]
            belly = np.sin(math.pi * t**0.85) ** 0.8 * length * 0.27
            shape = np.array([x, y]) + np.vstack(
                [axis * t * length + side * belly, (axis * t * length - side * belly)[::-1]]
            )
            pen.fill(shape.astype(_F), colour)
            for vein in (-0.4, 0.0, 0.4):
                line = np.array([x, y]) + axis * t[5:14] * length + side * belly[5:14] * vein
                pen.line(line.astype(_F), "d97f83", 0.8)
            pen.line(np.vstack([shape, shape[:1]]).astype(_F), _INK, 2)
    pen.disc((x, y), radius * 0.17, _GOLD)
    pen.ring((x, y), radius * 0.17, _INK, 1.8)
    for turn in range(0, 360, 40):
        point = _around((x, y), radius * 0.1, turn, turn, 1)[0]
        pen.disc((float(point[0]), float(point[1])), radius * 0.018, _INK)


def _koi() -> Image.Image:
    rng = np.random.default_rng(11)
    size = 1024
    wash = _noise(rng, 512, 512, 130, 5, 0.55)
    water = _mixed(
        _mixed(_rgb("0f4652"), _rgb("2b7c80"), _step(0.3, 0.7, wash)),
        _rgb("123247"),
        _step(0.2, 1.1, np.linspace(0, 1, 512, dtype=_F)[:, None] + 0 * wash),
    )
    canvas = _picture(water).resize((size * _SHARP, size * _SHARP), Image.Resampling.BILINEAR)
    pen = _Pen(canvas)
    for x, y, largest in _RIPPLES:
        for radius in range(26, largest, 13):
            start = float(rng.uniform(0, 360))
            for part in range(3):
                begin = start + part * 120 + float(rng.uniform(0, 30))
                pen.line(
                    _around((x, y), radius, begin, begin + float(rng.uniform(50, 100)), 40),
                    "6fb0a8" if radius % 2 else "4a9193",
                    1.1,
                )
    for fish in _POND:
        shadow = replace(fish, spine=tuple((x + 16, y + 26) for x, y in fish.spine))
        pen.fill(shadow.outline(), "0c323e")
    for fish in _POND:
        _draw_koi(canvas, fish)
    for pad in _PADS:
        _draw_pad(pen, *pad)
    for blossom in _BLOSSOMS:
        _draw_blossom(pen, *blossom)
    return _on_paper(_framed(canvas), rng)


def _framed(canvas: Image.Image, margin: float = 34) -> Image.Image:
    """Leave a paper margin with a double line round the drawing."""
    pen = _Pen(canvas)
    width, height = canvas.width / _SHARP, canvas.height / _SHARP
    pen.box(0, 0, width, margin, "f3e7cf")
    pen.box(0, height - margin, width, height, "f3e7cf")
    pen.box(0, 0, margin, height, "f3e7cf")
    pen.box(width - margin, 0, width, height, "f3e7cf")
    for inset, thickness, colour in ((margin, 3, _INK), (margin - 9, 1, "a0762c")):
        right, bottom = width - inset, height - inset
        corners = _points((inset, inset), (right, inset), (right, bottom), (inset, bottom), (inset, inset))
        pen.line(corners, colour, thickness)
    return canvas


def _on_paper(canvas: Image.Image, rng: np.random.Generator, strength: float = 1.0) -> Image.Image:
    """Reduce a drawing to its size and let pigment and the paper's tooth show through."""
    picture = np.asarray(canvas.reduce(_SHARP), _F)
    height, width = picture.shape[:2]
    pigment = _resized(_noise(rng, width // 2, height // 2, 48, 5, 0.65), width, height) - _F(0.5)
    tooth = 1.5 * _octave(rng, width, height, 2.2) - 0.75
    picture *= (1 + _F(strength) * (_F(0.16) * pigment + _F(0.05) * tooth))[..., None]
    return Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))


# --- city: a skyline in steps against a large sun ------------------------------------------------

_CITY_WIDTH, _CITY_HEIGHT = 1536, 1024
_QUAY = 800  # row where the water begins
_CITY_SUN = (768.0, 470.0, 255.0)  # centre and radius
_DUSK = ((0.0, "15123f"), (0.25, "3a2268"), (0.5, "8a2f78"), (0.7, "d8526b"), (0.86, "f98d5e"), (1.0, "ffd08a"))
_LAYERS = (  # shadow side, sunlit side, lit windows; heights and widths grow towards the viewer
    ("b5567c", "d0667c", "ffd9a0"),
    ("7a3a78", "954a80", "ffd08c"),
    ("43265f", "5c3270", "ffc878"),
    ("1a1440", "2b1d55", "ffbf66"),
)


def _city_sky(rng: np.random.Generator) -> Image.Image:
    width, height = _CITY_WIDTH // 2, _CITY_HEIGHT // 2
    y, x = np.mgrid[0:height, 0:width].astype(_F) * 2
    sky = _ramp(np.arange(height, dtype=_F) * 2 / _QUAY, _DUSK)[:, None, :] + np.zeros((height, width, 3), _F)
    away = np.hypot(x - _CITY_SUN[0], y - _CITY_SUN[1])
    sky = _mixed(sky, _rgb("ffb27a"), np.exp(-np.maximum(away - _CITY_SUN[2], 0) / 150) * _F(0.55))
    bands = _step(0.5, 0.68, _resized(_noise(rng, width // 2, height * 3, 45, 5), width, height))
    sky = _mixed(sky, _rgb("f7a27c"), bands * _F(0.35) * _step(0.1, 0.7, y / _QUAY))
    return _picture(sky).resize((_CITY_WIDTH * _SHARP, _CITY_HEIGHT * _SHARP), Image.Resampling.BILINEAR)


def _draw_rays_and_stars(pen: _Pen, rng: np.random.Generator) -> None:
    x, y, radius = _CITY_SUN
    for turn in np.arange(183, 358, 3.5):
        ends = [
            _around((x, y), far, turn, turn, 1)[0]
            for far in (radius + 26, radius + (330 if round(turn * 2) % 4 else 430))
        ]
        pen.line(np.stack(ends), "f3a488", 0.7)
    for left, top, size in zip(
        rng.uniform(0, 1536, 260), rng.uniform(0, 1, 260) ** 1.6 * 420, rng.uniform(0.4, 1.3, 260), strict=True
    ):
        if math.hypot(left - x, top - y) > radius + 40:
            pen.disc((left, top), size, "fbe9d8")


def _draw_sun(canvas: Image.Image) -> None:
    """A disc with its own gradient, and thin rings like those of an engraved poster."""
    x, y, radius = _CITY_SUN
    side = int(radius * 2 * _SHARP)
    mask = Image.new("L", (side, side))
    ImageDraw.Draw(mask).ellipse((0, 0, side - 1, side - 1), 255)
    colours = _ramp(np.linspace(0, 1, 128, dtype=_F), ((0, "fff3c9"), (0.45, "ffc46b"), (1, "f0615f")))
    face = _picture(np.repeat(colours[:, None], 4, axis=1)).resize((side, side), Image.Resampling.BICUBIC)
    canvas.paste(face, (int((x - radius) * _SHARP), int((y - radius) * _SHARP)), mask)
    pen = _Pen(canvas)
    for gap, width in ((10, 2.4), (18, 0.9), (24, 0.9)):
        pen.ring((x, y), radius + gap, "ffdca4", width)


def _draw_planet(canvas: Image.Image, x: float, y: float, radius: float) -> None:
    """A small ringed planet, lit from below by the sun."""
    pen = _Pen(canvas)
    turn = np.radians(np.linspace(0, 360, 181))
    tilt = math.radians(-18)

    def orbit(reach: float) -> Plane:
        flat = np.stack([np.cos(turn) * reach, np.sin(turn) * reach * 0.24], axis=1)
        spin = np.array([[math.cos(tilt), math.sin(tilt)], [-math.sin(tilt), math.cos(tilt)]])
        points: Plane = flat @ spin + (x, y)
        return points

    for reach in (1.55, 1.68, 1.76, 2.0):
        pen.line(orbit(radius * reach), "e7b7c4", 1.2)
    for stripe in range(40):
        low, high = -1 + stripe / 20, -1 + (stripe + 1.3) / 20
        edge = np.linspace(low, min(high, 1), 3)
        half = np.sqrt(np.maximum(1 - edge**2, 0))
        shape = np.vstack([np.stack([-half, edge], 1), np.stack([half, edge], 1)[::-1]]) * radius + (x, y)
        tone = _ramp(
            np.array([stripe / 39 + 0.06 * math.sin(stripe * 1.9)], _F), ((0, "35205f"), (0.6, "9a4a86"), (1, "f0a08a"))
        )[0]
        pen.fill(shape.astype(_F), "".join(f"{int(part * 255):02x}" for part in tone))
    for reach in (1.55, 1.68, 1.76, 2.0):
        pen.line(orbit(radius * reach)[:91], "f6d3cf", 1.5)


def _draw_tower(
    pen: _Pen, rng: np.random.Generator, x: float, width: float, height: float, layer: int, *, spire: bool
) -> None:
    """A tower of shrinking steps, lit from the side of the sun, with windows, ribs and perhaps a spire."""
    shadow, lit, light = _LAYERS[layer]
    left_lit = x > _CITY_SUN[0]
    steps = int(rng.integers(2, 5))
    foot, top = _QUAY, _QUAY - height
    for step in range(steps):
        half = width / 2 * (1 - step / (steps + 0.8))
        head = _QUAY - height * (0.52 + 0.48 * (step + 1) / steps)
        pen.box(x - half, head, x + half, foot, shadow)
        split = x - half * 0.36 if left_lit else x + half * 0.36
        pen.box(*((x - half, head, split, foot) if left_lit else (split, head, x + half, foot)), lit)
        pen.box(x - half - 1, head, x + half + 1, head + 1.5 + layer * 0.4, light if layer > 1 else lit)
        _draw_windows(pen, rng, (x - half + 3, head + 7, x + half - 3, foot), layer, light)
    half = width / 2 * (1 - (steps - 1) / (steps + 0.8))
    if spire:
        pen.fill(_points((x - half * 0.55, top), (x, top - height * 0.3), (x + half * 0.55, top)), shadow)
        pen.fill(_points((x, top), (x, top - height * 0.3), (x + (-half if left_lit else half) * 0.55, top)), lit)
        for ring in (0.09, 0.15):
            reach = half * 0.55 * (1 - ring / 0.3) + 2
            pen.box(x - reach, top - height * ring - 1, x + reach, top - height * ring + 1, light)
        pen.line(_points((x, top - height * 0.28), (x, top - height * 0.46)), lit, 1.4)
        pen.disc((x, top - height * 0.46), 2.2, light)
    elif rng.random() < 0.6:
        pen.fill(np.vstack([_around((x, top), half * 0.8, 180, 360, 24)]), lit)


def _draw_windows(
    pen: _Pen, rng: np.random.Generator, wall: tuple[float, float, float, float], layer: int, light: str
) -> None:
    left, top, right, foot = wall
    wide, tall = 1.3 + 0.5 * layer, 2.0 + 0.9 * layer
    columns = np.arange(left, right - wide, wide * 2.3)
    rows = np.arange(top, min(foot, top + 330), tall * 1.9)
    lit = rng.random((len(rows), len(columns))) < (0.16 + 0.06 * layer) * (0.5 + rng.random(len(columns)))
    for row, column in zip(*np.nonzero(lit), strict=True):
        pen.box(columns[column], rows[row], columns[column] + wide, rows[row] + tall, light)


def _draw_skyline(pen: _Pen, rng: np.random.Generator) -> None:
    for layer in range(len(_LAYERS)):
        x = float(rng.uniform(-30, 0))
        while x < _CITY_WIDTH - 10:
            width = float(rng.uniform(34, 62)) * (0.8 + 0.3 * layer)
            off_centre = min(abs(x - _CITY_SUN[0]) / 768, 1)
            height = float(rng.uniform(0.55, 1.0)) * (
                (300, 250, 215, 150)[layer] + (150, 230, 230, 230)[layer] * off_centre**1.3
            )
            _draw_tower(pen, rng, x, width, height, layer, spire=bool(rng.random() < 0.3))
            x += width * float(rng.uniform(0.72, 1.25))
        if layer == 1:
            for x, width, height in ((768, 112, 470), (655, 66, 330), (881, 66, 330)):
                _draw_tower(pen, rng, x, width, height, 2, spire=True)


def _draw_monorail(pen: _Pen, rng: np.random.Generator) -> None:
    """A track on slender arches along the quay, and a train with lit windows."""
    deck = _QUAY - 44
    for x in range(-20, _CITY_WIDTH + 60, 64):
        pen.line(_around((x + 32, deck + 42), 32, 180, 360, 24), "3a2560", 2.2)
        pen.box(x - 2, deck, x + 2, _QUAY, "3a2560")
    pen.box(0, deck, _CITY_WIDTH, deck + 5, "120e30")
    pen.box(0, deck, _CITY_WIDTH, deck + 1, "ffb27a")
    nose = np.vstack([_points((1010, deck - 1), (1010, deck - 15)), _around((1296, deck - 1), 14, 270, 360, 9)])
    pen.fill(nose, "f4e3cf")
    pen.box(1010, deck - 5, 1308, deck - 3.5, "d8526b")
    for x in range(1016, 1290, 11):
        pen.box(x, deck - 12, x + 7, deck - 7, "3a2268")
    for x in rng.uniform(0, _CITY_WIDTH, 60):
        pen.disc((x, _QUAY - 3), 1.5, "ffd99a")


def _draw_traffic(pen: _Pen) -> None:
    """Light trails of flying cars."""
    for through, colour in (
        (((-20, 300), (300, 350), (560, 290), (900, 215), (1560, 250)), "ffe3b0"),
        (((-20, 322), (300, 366), (600, 306), (900, 236), (1560, 275)), "ff8f7a"),
        (((1560, 420), (1250, 400), (980, 330), (700, 360), (-20, 470)), "9fe0e0"),
    ):
        trail = _curve(through, 240)
        pen.line(trail, colour, 0.8)
        dash = np.array((9, 0), _F)
        for point in trail[7::29]:
            pen.disc((float(point[0]), float(point[1])), 2.2, colour)
            pen.line(np.stack([point - dash, point + dash]).astype(_F), colour, 1.6)


def _city() -> Image.Image:
    rng = np.random.default_rng(23)
    canvas = _city_sky(rng)
    pen = _Pen(canvas)
    _draw_rays_and_stars(pen, rng)
    _draw_sun(canvas)
    _draw_planet(canvas, 1290, 150, 62)
    _draw_skyline(pen, rng)
    _draw_monorail(pen, rng)
    _draw_traffic(pen)
    picture = np.asarray(canvas.reduce(_SHARP), _F) / _F(255)
    return _picture(_with_canal(picture, rng))


def _with_canal(scene: Plane, rng: np.random.Generator) -> Plane:
    """Mirror the city in calm water below the quay, broken into level strokes."""
    depth = _CITY_HEIGHT - _QUAY
    y = np.arange(depth, dtype=_F)[:, None]
    strokes = _resized(_noise(rng, _CITY_WIDTH // 6, depth, 10, 3), _CITY_WIDTH, depth) - _F(0.5)
    columns = np.arange(_CITY_WIDTH)[None, :] + strokes * (6 + y * _F(0.25))
    rows = _QUAY - 1 - y * _F(1.7) + strokes * (4 + y * _F(0.3))
    mirror = scene[np.clip(rows, 0, _QUAY - 1).astype(int), np.clip(columns, 0, _CITY_WIDTH - 1).astype(int)]
    fade = (_F(0.32) + _F(0.4) * y / depth) + strokes * _F(0.5)
    water = _mixed(mirror, np.broadcast_to(_rgb("1a1245"), mirror.shape), np.clip(fade + np.zeros_like(strokes), 0, 1))
    return np.concatenate([scene[:_QUAY], water])


# --- seasons: one tree on a hill, four times -----------------------------------------------------

_PART = 1024
_TRUNK, _HILLTOP = 540.0, 720.0  # foot of the tree: column, row


@dataclass(frozen=True)
class _Season:
    sky: tuple[tuple[float, str], ...]
    disc: tuple[float, float, float, str]  # sun or moon: centre, radius, colour
    hills: tuple[str, ...]  # from the farthest to the one with the tree
    grass: tuple[str, ...]
    bark: tuple[str, str]  # shaded and lit side
    leaves: tuple[str, ...]  # from deep shade to full light
    clumps: int
    fullness: int  # leaves in each clump
    air: tuple[str, ...]  # petals, leaves or snow in the air and on the ground
    drifting: int
    seed: int


_SEASONS = {
    "spring": _Season(
        ((0, "8fc7d6"), (0.55, "d9ead9"), (0.8, "fbe7d8"), (1, "fbe7d8")),
        (250, 250, 84, "fff6dd"),
        ("b4d3cb", "98c3ac", "84b68a", "8fbf63"),
        ("6ea04a", "a9d273", "d2e38f"),
        ("4b3432", "7a5750"),
        ("b9587e", "dd7fa0", "f2a6bd", "fac9d5", "ffe9ec"),
        105, 52, ("f6b5c8", "ffdfe6", "fff3f5"), 170, 3,
    ),
    "summer": _Season(
        ((0, "1c6fa8"), (0.5, "5fb2cf"), (0.8, "c7e6d6"), (1, "f2efc6")),
        (790, 200, 74, "fff3b8"),
        ("7db8b9", "559e92", "3a8565", "4f9a43"),
        ("2f7a3a", "76b74a", "f0d24f"),
        ("3a2a22", "6b4e38"),
        ("1d4a30", "2a6a3a", "3f8a42", "6fae4b", "b3d568"),
        120, 52, ("f7e36b", "fffbe0", "ef6f53"), 90, 5,
    ),
    "autumn": _Season(
        ((0, "7d3b4a"), (0.4, "d6704a"), (0.75, "f7b765"), (1, "ffe3a1")),
        (250, 380, 118, "fff0bd"),
        ("c8804f", "a55f40", "7f4533", "8d5a2c"),
        ("6a3f22", "b67a33", "dfa546"),
        ("2c1a1a", "5a3529"),
        ("7c1f1c", "ad3420", "d85a23", "f08c2c", "fbc650"),
        80, 44, ("d85a23", "f0a032", "a8321f"), 200, 8,
    ),
    "winter": _Season(
        ((0, "141c45"), (0.45, "324d87"), (0.8, "8aa6cc"), (1, "d5dcec")),
        (760, 230, 92, "f7f4e4"),
        ("7f9cc7", "a3bbdb", "c6d6ea", "eef3fa"),
        ("c3d2e8", "ffffff", "9db4d6"),
        ("1c2038", "8797c0"),
        ("6d87b4", "9fb6d6", "cddbee", "f2f6fc", "ffffff"),
        70, 10, ("ffffff", "e8effa", "cfdcf0"), 420, 13,
    ),
}  # fmt: skip


def _hillside(rng: np.random.Generator, top: float, roughness: float, cell: float) -> Plane:
    """The outline of a hill over the whole width, closed at the bottom."""
    rise = np.zeros(_PART + 2, _F)
    for octave in range(6):
        bumps = rng.uniform(-0.32, 0.32, (1, int((_PART + 2) * 2**octave / cell) + 2)).astype(_F)
        rise += _resized(bumps, _PART + 2, 1)[0] * _F(0.42**octave)
    x = np.arange(_PART + 2, dtype=_F) - 1
    return np.vstack([np.stack([x, top + rise * roughness], axis=1), _points((_PART + 1, _PART), (-1, _PART))])


def _ground(x: Plane) -> Plane:
    """Row of the tree's own hill at column x."""
    row: Plane = _HILLTOP + 0.00042 * (x - _TRUNK) ** 2 + 12 * np.sin(x / 120)
    return row


def _grow(rng: np.random.Generator) -> tuple[list[tuple[Plane, float]], Plane]:
    """Branches as (two ends, thickness) from the trunk outwards, and the tips of the twigs."""
    branches: list[tuple[Plane, float]] = []
    tips: list[Point] = []
    growing = [(_TRUNK, _HILLTOP + 26.0, -90.0, 112.0, 46.0)]
    while growing:
        x, y, turn, length, thick = growing.pop(0)
        bend = turn + float(rng.normal(0, 7))
        out = math.radians(bend)
        x2, y2 = x + math.cos(out) * length, y + math.sin(out) * length
        branches.append((_points((x, y), (x2, y2)), thick))
        if thick < 3.3:
            tips.append((x2, y2))
            continue
        if thick < 11:
            tips.append((x2, y2))
        first = 1.0 if rng.random() < 0.5 else -1.0
        for side, share in (
            ((first, 0.8), (-first, 0.68)) if rng.random() < 0.8 else ((first, 0.8), (-first, 0.7), (0.1, 0.6))
        ):
            lean = bend + side * float(rng.uniform(16, 36))
            lean += (-90 - lean) * 0.14
            growing.append((x2, y2, lean, length * float(rng.uniform(0.76, 0.92)), thick * share))
    return branches, np.array(tips, _F)


def _draw_trunk(pen: _Pen, branches: list[tuple[Plane, float]], season: _Season) -> None:
    shade, light = season.bark
    foot = branches[0][0][0]
    for side in (-1, 1):
        root = _curve(
            [
                (float(foot[0]), float(foot[1]) - 60),
                (foot[0] + side * 22, foot[1] - 18),
                (foot[0] + side * 70, foot[1] + 16),
            ],
            20,
        )
        pen.fill(np.vstack([root, foot[None] + _F(10)]), shade)
    for ends, thick in branches:
        pen.line(ends, shade, thick)
        pen.disc((float(ends[1, 0]), float(ends[1, 1])), thick * 0.4, shade)
    towards = -1 if season.disc[0] < _TRUNK else 1
    for ends, thick in branches:
        if thick > 5:
            pen.line(ends + _points((towards * thick * 0.2, -thick * 0.2)), light, thick * 0.24)


def _draw_leaves(pen: _Pen, rng: np.random.Generator, tips: Plane, season: _Season, *, front: bool) -> None:
    """Clumps of leaves round the tips, each lighter above and towards the sun; the clumps behind are darker."""
    clumps = tips[rng.permutation(len(tips))[: season.clumps]]
    clumps = clumps[np.argsort(clumps[:, 1])] + (0.0 if front else -12.0)
    heart, spread = tips.mean(axis=0), tips.std(axis=0) * 2
    sunward = float(np.sign(season.disc[0] - _TRUNK))
    last = len(season.leaves) - 1
    for clump in clumps:
        size = float(rng.uniform(24, 46))
        crown = (heart - clump) / spread
        base = 0.42 + 0.2 * crown[1] - 0.12 * sunward * crown[0] - (0 if front else 0.25)
        away = rng.normal(0, 0.55, (season.fullness, 2))
        tone = base + 0.28 * (0.25 * sunward * away[:, 0] - away[:, 1]) + rng.normal(0, 0.09, season.fullness)
        order = np.argsort(tone, kind="stable")
        colours = np.clip(tone[order] * (last + 1), 0, last).astype(int).tolist()
        radii = rng.uniform(2.2, 6.6, season.fullness).tolist()
        places = (clump + away[order] * (size, size * 0.72)).tolist()
        for (x, y), colour, radius in zip(places, colours, radii, strict=True):
            pen.disc((x, y), radius, season.leaves[colour])


def _draw_shade(pen: _Pen, rng: np.random.Generator, tips: Plane, season: _Season) -> None:
    """Dappled shade on the grass under the crown, away from the sun."""
    patch = _around((0, 0), 1, 0, 360, 20)
    away = 50 if season.disc[0] < _TRUNK else -50
    for x in tips[rng.integers(0, len(tips), 110), 0]:
        across = (float(x) - _TRUNK) * 0.62
        down = float(rng.normal(0, 11)) * (1 - abs(across) / 420)
        size = float(rng.uniform(14, 36))
        pen.fill(patch * (size, size * 0.16) + (_TRUNK + away + across, _HILLTOP + 50 + down), season.grass[0])


def _draw_grass(pen: _Pen, rng: np.random.Generator, season: _Season) -> None:
    count = 1500
    x = rng.uniform(0, _PART, count)
    down = rng.uniform(0, 1, count) ** 0.8
    y = _ground(x.astype(_F)) + down * 400
    tall = 5 + 20 * down
    lean = rng.normal(0, 0.35, count) * tall
    shade = rng.integers(0, len(season.grass), count)
    for i in np.argsort(down):
        pen.line(_points((x[i], y[i]), (x[i] + lean[i], y[i] - tall[i])), season.grass[shade[i]], 0.8 + down[i])


def _draw_air(pen: _Pen, rng: np.random.Generator, season: _Season) -> None:
    for x, y, size, colour in zip(
        rng.uniform(0, _PART, season.drifting),
        rng.uniform(0, 1, season.drifting) ** 0.6 * _PART,
        rng.uniform(1.4, 4.2, season.drifting),
        rng.integers(0, len(season.air), season.drifting),
        strict=True,
    ):
        pen.disc((x, y), size, season.air[colour])


def _draw_birds(pen: _Pen, rng: np.random.Generator, colour: str) -> None:
    for _ in range(7):
        x, y, span = rng.uniform(90, 420), rng.uniform(90, 330), rng.uniform(8, 15)
        wings = _curve(
            [
                (x - span, y - span * 0.35),
                (x - span * 0.4, y - span * 0.45),
                (x, y),
                (x + span * 0.4, y - span * 0.5),
                (x + span, y - span * 0.3),
            ],
            17,
        )
        pen.line(wings, colour, 1.6)


def _season(name: str) -> Image.Image:
    season = _SEASONS[name]
    rng = np.random.default_rng(season.seed)
    y = np.linspace(0, 1.35, 256, dtype=_F)
    sky = np.repeat(_ramp(y, season.sky)[:, None], 256, axis=1)
    x, top, radius, colour = season.disc
    rows, columns = np.mgrid[0:256, 0:256].astype(_F) * 4
    away = np.maximum(np.hypot(columns - x, rows - top) - radius, 0)
    sky = _mixed(sky, _rgb(colour), np.exp(-away / 130) * _F(0.5))
    clouds = _step(0.52, 0.7, _resized(_noise(rng, 256, 1024, 90, 6), 256, 256)) * _F(0.45)
    sky = _mixed(sky, _rgb(season.sky[-1][1]), clouds)
    canvas = _picture(sky).resize((_PART * _SHARP, _PART * _SHARP), Image.Resampling.BILINEAR)
    pen = _Pen(canvas)
    pen.disc((x, top), radius, colour)
    for hill, tone in enumerate(season.hills[:-1]):
        pen.fill(_hillside(rng, 500 + 62 * hill, 260 - 60 * hill, 300), tone)
    _draw_birds(pen, rng, season.bark[0])
    columns = np.arange(-1, _PART + 1, dtype=_F)
    pen.fill(
        np.vstack([np.stack([columns, _ground(columns)], axis=1), _points((_PART, _PART), (-1, _PART))]),
        season.hills[-1],
    )
    branches, tips = _grow(rng)
    _draw_shade(pen, rng, tips, season)
    _draw_leaves(pen, rng, tips, season, front=False)
    _draw_trunk(pen, branches, season)
    _draw_leaves(pen, rng, tips, season, front=True)
    _draw_grass(pen, rng, season)
    _draw_air(pen, rng, season)
    return _on_paper(canvas, rng, 0.8)


# --- what a visitor is offered -------------------------------------------------------------------


@dataclass(frozen=True)
class Sample:
    """A sample picture; `name` is safe in file names and URLs, `alt` says what is to be seen, sizes are in pixels."""

    name: str
    title: str
    alt: str
    width: int
    height: int


@dataclass(frozen=True)
class SampleGrid(Sample):
    """Four pictures in one; `parts` are top left, top right, bottom left, bottom right (index 1 to 4)."""

    parts: tuple[Sample, Sample, Sample, Sample]


SAMPLES: tuple[Sample, ...] = (
    Sample(
        "fjord",
        "Fjord at first light",
        "A misty fjord between snowy mountains, with dark spruces at the shore.",
        1024,
        1536,
    ),
    Sample(
        "koi",
        "Koi pond",
        "Three koi circle between lily pads and lotus blossoms, drawn in ink and flat colour.",
        1024,
        1024,
    ),
    Sample("city", "City at dusk", "An art-deco skyline with lit windows before a huge setting sun.", 1536, 1024),
)
GRID = SampleGrid(
    "seasons",
    "Four seasons",
    "One tree on a hill in spring, summer, autumn and winter.",
    2 * _PART,
    2 * _PART,
    (
        Sample("spring", "Spring", "A tree in pink blossom on a green hill.", _PART, _PART),
        Sample("summer", "Summer", "A tree in full green leaf under a blue sky.", _PART, _PART),
        Sample("autumn", "Autumn", "A tree in red and gold under an evening sky.", _PART, _PART),
        Sample("winter", "Winter", "A snow-dusted tree in falling snow under a pale moon.", _PART, _PART),
    ),
)

_DRAWINGS: dict[str, Callable[[], Image.Image]] = {"fjord": _fjord, "koi": _koi, "city": _city}


def draw(name: str) -> Image.Image:
    """Draw the sample called `name` (RGB). Raises KeyError for a name that is not in SAMPLES."""
    return _DRAWINGS[name]()


def draw_grid() -> tuple[list[Image.Image], Image.Image]:
    """Draw GRID: its four parts in the order of their index, and the picture made of them (RGB)."""
    parts = [_season(part.name) for part in GRID.parts]
    whole = Image.new("RGB", (GRID.width, GRID.height))
    for index, part in enumerate(parts):
        whole.paste(part, (index % 2 * _PART, index // 2 * _PART))
    return parts, whole
