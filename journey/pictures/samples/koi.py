"""A pond with koi, lily pads and lotus blossoms, seen from above."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from PIL import Image

from journey.pictures.samples.colour import mixed, rgb, to_picture
from journey.pictures.samples.fish import CREAM, GOLD, INK, VERMILION, Koi, draw_koi
from journey.pictures.samples.noise import fractal_noise
from journey.pictures.samples.pen import SHARP, Pen, around, on_paper, points
from journey.pictures.samples.plane import F32, smoothstep

_POND = (
    Koi(((250, 590), (330, 470), (470, 420), (610, 450), (690, 545)), 66, CREAM, CREAM,
         ((0.1, 0.0, 0.075, 0.62), (0.4, 0.2, 0.13, 0.85), (0.72, -0.2, 0.1, 0.9)), VERMILION),
    Koi(((800, 420), (800, 590), (700, 720), (540, 770), (400, 730)), 60, GOLD, "f4cf7c",
         ((0.3, -0.5, 0.1, 0.5), (0.55, 0.4, 0.09, 0.5), (0.8, 0.0, 0.05, 0.8)), VERMILION),
    Koi(((560, 160), (450, 210), (350, 190), (262, 232), (205, 320)), 46, INK, "3a5560",
         ((0.12, 0.1, 0.06, 0.6), (0.45, -0.1, 0.12, 0.6), (0.75, 0.2, 0.08, 0.7)), CREAM),
)  # fmt: skip
_PADS = (
    (905, 175, 122, 20), (760, 95, 74, 130), (985, 330, 66, 250), (110, 880, 140, 300), (262, 962, 82, 200),
    (70, 705, 64, 60), (940, 905, 92, 160), (100, 120, 70, 40),
)  # fmt: skip
_BLOSSOMS = ((838, 210, 92), (168, 858, 84))
_RIPPLES = ((250, 600, 330), (800, 410, 360), (560, 160, 240), (640, 1010, 300), (30, 420, 260))


def draw() -> Image.Image:
    """Draw the pond: 1024 × 1024 pixels, RGB."""
    rng = np.random.default_rng(11)
    size = 1024
    wash = fractal_noise(rng, 512, 512, 130, 5, 0.55)
    water = mixed(
        mixed(rgb("0f4652"), rgb("2b7c80"), smoothstep(0.3, 0.7, wash)),
        rgb("123247"),
        smoothstep(0.2, 1.1, np.linspace(0, 1, 512, dtype=F32)[:, None] + 0 * wash),
    )
    canvas = to_picture(water).resize((size * SHARP, size * SHARP), Image.Resampling.BILINEAR)
    pen = Pen(canvas)
    for x, y, largest in _RIPPLES:
        for radius in range(26, largest, 13):
            start = float(rng.uniform(0, 360))
            for part in range(3):
                begin = start + part * 120 + float(rng.uniform(0, 30))
                pen.line(
                    around((x, y), radius, begin, begin + float(rng.uniform(50, 100)), 40),
                    "6fb0a8" if radius % 2 else "4a9193",
                    1.1,
                )
    for fish in _POND:
        shadow = replace(fish, spine=tuple((x + 16, y + 26) for x, y in fish.spine))
        pen.fill(shadow.outline(), "0c323e")
    for fish in _POND:
        draw_koi(canvas, fish)
    for pad in _PADS:
        _draw_pad(pen, *pad)
    for blossom in _BLOSSOMS:
        _draw_blossom(pen, *blossom)
    return on_paper(_framed(canvas), rng)


def _draw_pad(pen: Pen, x: float, y: float, radius: float, notch: float) -> None:
    """A lily pad with its cleft at `notch` degrees."""
    leaf = np.vstack([points((x, y)), around((x, y), radius, notch + 14, notch + 346, 60)])
    pen.fill(leaf + points((7, 10)), "0b2f3a")
    pen.fill(leaf, "3f7d5a")
    half = np.vstack([points((x, y)), around((x, y), radius * 0.93, notch + 14, notch + 180, 30)])
    pen.fill(half, "5c9767")
    for turn in np.arange(notch + 14, notch + 347, 332 / 14):
        rim = around((x, y), radius * 0.88, turn, turn, 1)[0]
        pen.line(np.vstack([points((x, y)), rim[None]]), "1f4f3f", 1.4)
        for fork in (-7, 7):
            pen.line(
                np.vstack(
                    [points((x, y)) * 0.45 + rim * 0.55, around((x, y), radius * 0.95, turn + fork, turn + fork, 1)]
                ),
                "1f4f3f",
                1,
            )
    pen.line(np.vstack([leaf, leaf[:1]]), INK, 2.6)


def _draw_blossom(pen: Pen, x: float, y: float, radius: float) -> None:
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
            pen.fill(shape.astype(F32), colour)
            for vein in (-0.4, 0.0, 0.4):
                line = np.array([x, y]) + axis * t[5:14] * length + side * belly[5:14] * vein
                pen.line(line.astype(F32), "d97f83", 0.8)
            pen.line(np.vstack([shape, shape[:1]]).astype(F32), INK, 2)
    pen.disc((x, y), radius * 0.17, GOLD)
    pen.ring((x, y), radius * 0.17, INK, 1.8)
    for turn in range(0, 360, 40):
        point = around((x, y), radius * 0.1, turn, turn, 1)[0]
        pen.disc((float(point[0]), float(point[1])), radius * 0.018, INK)


def _framed(canvas: Image.Image, margin: float = 34) -> Image.Image:
    """Leave a paper margin with a double line round the drawing."""
    pen = Pen(canvas)
    width, height = canvas.width / SHARP, canvas.height / SHARP
    pen.box(0, 0, width, margin, "f3e7cf")
    pen.box(0, height - margin, width, height, "f3e7cf")
    pen.box(0, 0, margin, height, "f3e7cf")
    pen.box(width - margin, 0, width, height, "f3e7cf")
    for inset, thickness, colour in ((margin, 3, INK), (margin - 9, 1, "a0762c")):
        right, bottom = width - inset, height - inset
        corners = points((inset, inset), (right, inset), (right, bottom), (inset, bottom), (inset, inset))
        pen.line(corners, colour, thickness)
    return canvas
