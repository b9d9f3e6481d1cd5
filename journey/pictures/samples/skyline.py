"""Stepped towers, in layers that grow darker towards the viewer."""

from __future__ import annotations

import numpy as np

from journey.pictures.samples.pen import Pen, around, points

WIDTH = 1536  # of the picture
QUAY = 800  # row where the water begins
SUN = (768.0, 470.0, 255.0)  # centre and radius
_LAYERS = (  # shadow side, sunlit side, lit windows; heights and widths grow towards the viewer
    ("b5567c", "d0667c", "ffd9a0"),
    ("7a3a78", "954a80", "ffd08c"),
    ("43265f", "5c3270", "ffc878"),
    ("1a1440", "2b1d55", "ffbf66"),
)


def draw_skyline(pen: Pen, rng: np.random.Generator) -> None:
    """Draw the layers from the farthest to the nearest, lower in front of the sun than at the sides."""
    for layer in range(len(_LAYERS)):
        x = float(rng.uniform(-30, 0))
        while x < WIDTH - 10:
            width = float(rng.uniform(34, 62)) * (0.8 + 0.3 * layer)
            off_centre = min(abs(x - SUN[0]) / 768, 1)
            height = float(rng.uniform(0.55, 1.0)) * (
                (300, 250, 215, 150)[layer] + (150, 230, 230, 230)[layer] * off_centre**1.3
            )
            _draw_tower(pen, rng, x, width, height, layer, spire=bool(rng.random() < 0.3))
            x += width * float(rng.uniform(0.72, 1.25))
        if layer == 1:
            for x, width, height in ((768, 112, 470), (655, 66, 330), (881, 66, 330)):
                _draw_tower(pen, rng, x, width, height, 2, spire=True)


def _draw_tower(
    pen: Pen, rng: np.random.Generator, x: float, width: float, height: float, layer: int, *, spire: bool
) -> None:
    """A tower of shrinking steps, lit from the sun's side, with windows, ribs and perhaps a spire."""
    shadow, lit, light = _LAYERS[layer]
    left_lit = x > SUN[0]
    steps = int(rng.integers(2, 5))
    foot, top = QUAY, QUAY - height
    for step in range(steps):
        half = width / 2 * (1 - step / (steps + 0.8))
        head = QUAY - height * (0.52 + 0.48 * (step + 1) / steps)
        pen.box(x - half, head, x + half, foot, shadow)
        split = x - half * 0.36 if left_lit else x + half * 0.36
        pen.box(*((x - half, head, split, foot) if left_lit else (split, head, x + half, foot)), lit)
        pen.box(x - half - 1, head, x + half + 1, head + 1.5 + layer * 0.4, light if layer > 1 else lit)
        _draw_windows(pen, rng, (x - half + 3, head + 7, x + half - 3, foot), layer, light)
    half = width / 2 * (1 - (steps - 1) / (steps + 0.8))
    if spire:
        pen.fill(points((x - half * 0.55, top), (x, top - height * 0.3), (x + half * 0.55, top)), shadow)
        pen.fill(points((x, top), (x, top - height * 0.3), (x + (-half if left_lit else half) * 0.55, top)), lit)
        for ring in (0.09, 0.15):
            reach = half * 0.55 * (1 - ring / 0.3) + 2
            pen.box(x - reach, top - height * ring - 1, x + reach, top - height * ring + 1, light)
        pen.line(points((x, top - height * 0.28), (x, top - height * 0.46)), lit, 1.4)
        pen.disc((x, top - height * 0.46), 2.2, light)
    elif rng.random() < 0.6:
        pen.fill(np.vstack([around((x, top), half * 0.8, 180, 360, 24)]), lit)


def _draw_windows(
    pen: Pen, rng: np.random.Generator, wall: tuple[float, float, float, float], layer: int, light: str
) -> None:
    left, top, right, foot = wall
    wide, tall = 1.3 + 0.5 * layer, 2.0 + 0.9 * layer
    columns = np.arange(left, right - wide, wide * 2.3)
    rows = np.arange(top, min(foot, top + 330), tall * 1.9)
    lit = rng.random((len(rows), len(columns))) < (0.16 + 0.06 * layer) * (0.5 + rng.random(len(columns)))
    for row, column in zip(*np.nonzero(lit), strict=True):
        pen.box(columns[column], rows[row], columns[column] + wide, rows[row] + tall, light)
