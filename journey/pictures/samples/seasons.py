"""One tree on a hill, four times."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from journey.pictures.samples.colour import mixed, ramp, rgb, to_picture
from journey.pictures.samples.noise import fractal_noise
from journey.pictures.samples.pen import SHARP, Pen, around, curve, on_paper, points
from journey.pictures.samples.plane import F32, Plane, resized, smoothstep
from journey.pictures.samples.tree import HILLTOP, TRUNK, Foliage, draw_leaves, draw_trunk, grow

_SIDE = 1024


@dataclass(frozen=True)
class _Season:
    sky: tuple[tuple[float, str], ...]
    disc: tuple[float, float, float, str]  # sun or moon: centre, radius, colour
    hills: tuple[str, ...]  # from the farthest to the one with the tree
    grass: tuple[str, ...]
    bark: tuple[str, str]  # shaded and lit side
    foliage: Foliage
    air: tuple[str, ...]  # petals, leaves or snow in the air and on the ground
    drifting: int
    seed: int

    @property
    def sunward(self) -> float:
        """1 when its sun or moon is to the right of the tree, -1 when it is to the left."""
        return math.copysign(1, self.disc[0] - TRUNK)


_SEASONS = {
    "spring": _Season(
        ((0, "8fc7d6"), (0.55, "d9ead9"), (0.8, "fbe7d8"), (1, "fbe7d8")),
        (250, 250, 84, "fff6dd"),
        ("b4d3cb", "98c3ac", "84b68a", "8fbf63"),
        ("6ea04a", "a9d273", "d2e38f"),
        ("4b3432", "7a5750"),
        Foliage(("b9587e", "dd7fa0", "f2a6bd", "fac9d5", "ffe9ec"), 105, 52),
        ("f6b5c8", "ffdfe6", "fff3f5"), 170, 3,
    ),
    "summer": _Season(
        ((0, "1c6fa8"), (0.5, "5fb2cf"), (0.8, "c7e6d6"), (1, "f2efc6")),
        (790, 200, 74, "fff3b8"),
        ("7db8b9", "559e92", "3a8565", "4f9a43"),
        ("2f7a3a", "76b74a", "f0d24f"),
        ("3a2a22", "6b4e38"),
        Foliage(("1d4a30", "2a6a3a", "3f8a42", "6fae4b", "b3d568"), 120, 52),
        ("f7e36b", "fffbe0", "ef6f53"), 90, 5,
    ),
    "autumn": _Season(
        ((0, "7d3b4a"), (0.4, "d6704a"), (0.75, "f7b765"), (1, "ffe3a1")),
        (250, 380, 118, "fff0bd"),
        ("c8804f", "a55f40", "7f4533", "8d5a2c"),
        ("6a3f22", "b67a33", "dfa546"),
        ("2c1a1a", "5a3529"),
        Foliage(("7c1f1c", "ad3420", "d85a23", "f08c2c", "fbc650"), 80, 44),
        ("d85a23", "f0a032", "a8321f"), 200, 8,
    ),
    "winter": _Season(
        ((0, "141c45"), (0.45, "324d87"), (0.8, "8aa6cc"), (1, "d5dcec")),
        (760, 230, 92, "f7f4e4"),
        ("7f9cc7", "a3bbdb", "c6d6ea", "eef3fa"),
        ("c3d2e8", "ffffff", "9db4d6"),
        ("1c2038", "8797c0"),
        Foliage(("6d87b4", "9fb6d6", "cddbee", "f2f6fc", "ffffff"), 70, 10),
        ("ffffff", "e8effa", "cfdcf0"), 420, 13,
    ),
}  # fmt: skip


def draw(name: str) -> Image.Image:
    """Draw "spring", "summer", "autumn" or "winter": 1024 × 1024 pixels, RGB."""
    season = _SEASONS[name]
    rng = np.random.default_rng(season.seed)
    y = np.linspace(0, 1.35, 256, dtype=F32)
    sky = np.repeat(ramp(y, season.sky)[:, None], 256, axis=1)
    x, top, radius, colour = season.disc
    rows, columns = np.mgrid[0:256, 0:256].astype(F32) * 4
    away = np.maximum(np.hypot(columns - x, rows - top) - radius, 0)
    sky = mixed(sky, rgb(colour), np.exp(-away / 130) * 0.5)
    clouds = smoothstep(0.52, 0.7, resized(fractal_noise(rng, 256, 1024, 90, 6), 256, 256)) * 0.45
    sky = mixed(sky, rgb(season.sky[-1][1]), clouds)
    canvas = to_picture(sky).resize((_SIDE * SHARP, _SIDE * SHARP), Image.Resampling.BILINEAR)
    pen = Pen(canvas)
    pen.disc((x, top), radius, colour)
    for hill, tone in enumerate(season.hills[:-1]):
        pen.fill(_hillside(rng, 500 + 62 * hill, 260 - 60 * hill, 300), tone)
    _draw_birds(pen, rng, season.bark[0])
    columns = np.arange(-1, _SIDE + 1, dtype=F32)
    pen.fill(
        np.vstack([np.stack([columns, _ground(columns)], axis=1), points((_SIDE, _SIDE), (-1, _SIDE))]),
        season.hills[-1],
    )
    branches, tips = grow(rng)
    _draw_shade(pen, rng, tips, season)
    draw_leaves(pen, rng, tips, season.foliage, season.sunward, front=False)
    draw_trunk(pen, branches, season.bark, season.sunward)
    draw_leaves(pen, rng, tips, season.foliage, season.sunward, front=True)
    _draw_grass(pen, rng, season)
    _draw_air(pen, rng, season)
    return on_paper(canvas, rng, 0.8)


def _hillside(rng: np.random.Generator, top: float, roughness: float, cell: float) -> Plane:
    """The outline of a hill over the whole width, closed at the bottom."""
    rise = np.zeros(_SIDE + 2, F32)
    for octave in range(6):
        bumps = rng.uniform(-0.32, 0.32, (1, int((_SIDE + 2) * 2**octave / cell) + 2)).astype(F32)
        rise += resized(bumps, _SIDE + 2, 1)[0] * 0.42**octave
    x = np.arange(_SIDE + 2, dtype=F32) - 1
    return np.vstack([np.stack([x, top + rise * roughness], axis=1), points((_SIDE + 1, _SIDE), (-1, _SIDE))])


def _ground(x: Plane) -> Plane:
    """The row where the surface of the tree's own hill lies at column x."""
    row: Plane = HILLTOP + 0.00042 * (x - TRUNK) ** 2 + 12 * np.sin(x / 120)
    return row


def _draw_shade(pen: Pen, rng: np.random.Generator, tips: Plane, season: _Season) -> None:
    """Dappled shade on the grass under the crown, away from the sun."""
    patch = around((0, 0), 1, 0, 360, 20)
    away = -50 * season.sunward
    for x in tips[rng.integers(0, len(tips), 110), 0]:
        across = (float(x) - TRUNK) * 0.62
        down = float(rng.normal(0, 11)) * (1 - abs(across) / 420)
        size = float(rng.uniform(14, 36))
        pen.fill(patch * (size, size * 0.16) + (TRUNK + away + across, HILLTOP + 50 + down), season.grass[0])


def _draw_grass(pen: Pen, rng: np.random.Generator, season: _Season) -> None:
    count = 1500
    x = rng.uniform(0, _SIDE, count)
    down = rng.uniform(0, 1, count) ** 0.8
    y = _ground(x.astype(F32)) + down * 400
    tall = 5 + 20 * down
    lean = rng.normal(0, 0.35, count) * tall
    shade = rng.integers(0, len(season.grass), count)
    for i in np.argsort(down):
        pen.line(points((x[i], y[i]), (x[i] + lean[i], y[i] - tall[i])), season.grass[shade[i]], 0.8 + down[i])


def _draw_air(pen: Pen, rng: np.random.Generator, season: _Season) -> None:
    for x, y, size, colour in zip(
        rng.uniform(0, _SIDE, season.drifting),
        rng.uniform(0, 1, season.drifting) ** 0.6 * _SIDE,
        rng.uniform(1.4, 4.2, season.drifting),
        rng.integers(0, len(season.air), season.drifting),
        strict=True,
    ):
        pen.disc((x, y), size, season.air[colour])


def _draw_birds(pen: Pen, rng: np.random.Generator, colour: str) -> None:
    for _ in range(7):
        x, y, span = rng.uniform(90, 420), rng.uniform(90, 330), rng.uniform(8, 15)
        wings = curve(
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
