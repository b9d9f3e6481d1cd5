"""Line drawings over flat colour, drawn larger than the picture and reduced."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from journey.pictures.samples.noise import fractal_noise, value_noise
from journey.pictures.samples.plane import F32, Plane, resized

Point = tuple[float, float]
SHARP = 2  # drawing pixels for each pixel of a line drawing


class Pen:
    """Draws on a canvas that is `SHARP` times as large, in the picture's own coordinates."""

    def __init__(self, canvas: Image.Image) -> None:
        self._draw = ImageDraw.Draw(canvas)

    def fill(self, outline: Plane, colour: str | int) -> None:
        self._draw.polygon((outline * SHARP).ravel().tolist(), fill=ink(colour))

    def line(self, through: Plane, colour: str | int, width: float) -> None:
        self._draw.line((through * SHARP).ravel().tolist(), ink(colour), max(round(width * SHARP), 1), joint="curve")

    def disc(self, centre: Point, radius: float, colour: str | int) -> None:
        self._draw.circle((centre[0] * SHARP, centre[1] * SHARP), radius * SHARP, ink(colour))

    def ring(self, centre: Point, radius: float, colour: str | int, width: float) -> None:
        at = (centre[0] * SHARP, centre[1] * SHARP)
        self._draw.circle(at, radius * SHARP, outline=ink(colour), width=max(round(width * SHARP), 1))

    def box(self, left: float, top: float, right: float, bottom: float, colour: str | int) -> None:
        corners = [left * SHARP, top * SHARP, right * SHARP - 1, bottom * SHARP - 1]
        if corners[2] >= corners[0] and corners[3] >= corners[1]:
            self._draw.rectangle(corners, ink(colour))


def ink(colour: str | int) -> str | int:
    """A colour as Pillow reads it: RRGGBB codes get a #, levels of a mask stay as they are."""
    return f"#{colour}" if isinstance(colour, str) else colour


def points(*pairs: Point) -> Plane:
    """Places (x, y) as rows of an array, so that they can be moved and scaled together."""
    return np.array(pairs, F32)


def curve(through: Sequence[Point], count: int) -> Plane:
    """A smooth line of `count` points through the given ones (Catmull-Rom)."""
    knots = np.array([through[0], *through, through[-1]], F32)
    place = np.linspace(0, len(through) - 1.0001, count)
    first = place.astype(int)
    t = (place - first).astype(F32)[:, None]
    a, b, c, d = (knots[first + i] for i in range(4))
    line: Plane = 2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
    return line / 2


def around(centre: Point, radius: float, start: float, end: float, count: int) -> Plane:
    """Points on an arc; angles in degrees, clockwise from the right."""
    turn = np.radians(np.linspace(start, end, count))
    return np.stack([centre[0] + radius * np.cos(turn), centre[1] + radius * np.sin(turn)], axis=1).astype(F32)


def on_paper(canvas: Image.Image, rng: np.random.Generator, strength: float = 1.0) -> Image.Image:
    """Reduce a drawing to its size and let pigment and the paper's tooth show through."""
    picture = np.asarray(canvas.reduce(SHARP), F32)
    height, width = picture.shape[:2]
    pigment = resized(fractal_noise(rng, width // 2, height // 2, 48, 5, 0.65), width, height) - 0.5
    tooth = 1.5 * value_noise(rng, width, height, 2.2) - 0.75
    picture *= (1 + strength * (0.16 * pigment + 0.05 * tooth))[..., None]
    return Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
