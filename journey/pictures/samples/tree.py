"""A tree: it grows from the trunk outwards, and carries leaves at its tips."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from journey.pictures.samples.pen import Pen, Point, curve, points
from journey.pictures.samples.plane import F32, Plane

TRUNK, HILLTOP = 540.0, 720.0  # foot of the tree: column, row


@dataclass(frozen=True)
class Foliage:
    """Leaves in clumps round the tips of the twigs."""

    tones: tuple[str, ...]  # from deep shade to full light
    clumps: int
    fullness: int  # leaves in each clump


def grow(rng: np.random.Generator) -> tuple[list[tuple[Plane, float]], Plane]:
    """Branches as (two ends, thickness) from the trunk outwards, and the tips of the twigs."""
    branches: list[tuple[Plane, float]] = []
    tips: list[Point] = []
    growing = [(TRUNK, HILLTOP + 26.0, -90.0, 112.0, 46.0)]
    while growing:
        x, y, turn, length, thick = growing.pop(0)
        bend = turn + float(rng.normal(0, 7))
        out = math.radians(bend)
        x2, y2 = x + math.cos(out) * length, y + math.sin(out) * length
        branches.append((points((x, y), (x2, y2)), thick))
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
    return branches, np.array(tips, F32)


def draw_trunk(pen: Pen, branches: list[tuple[Plane, float]], bark: tuple[str, str], sunward: float) -> None:
    """`bark` holds the shaded and the lit colour; `sunward` is 1 when the sun is on the right, else -1."""
    shade, light = bark
    foot = branches[0][0][0]
    for side in (-1, 1):
        root = curve(
            [
                (float(foot[0]), float(foot[1]) - 60),
                (foot[0] + side * 22, foot[1] - 18),
                (foot[0] + side * 70, foot[1] + 16),
            ],
            20,
        )
        pen.fill(np.vstack([root, foot[None] + 10]), shade)
    for ends, thick in branches:
        pen.line(ends, shade, thick)
        pen.disc((float(ends[1, 0]), float(ends[1, 1])), thick * 0.4, shade)
    for ends, thick in branches:
        if thick > 5:
            pen.line(ends + points((sunward * thick * 0.2, -thick * 0.2)), light, thick * 0.24)


def draw_leaves(
    pen: Pen, rng: np.random.Generator, tips: Plane, foliage: Foliage, sunward: float, *, front: bool
) -> None:
    """Clumps of leaves round the tips, each lighter above and towards the sun; the clumps behind are darker."""
    clumps = tips[rng.permutation(len(tips))[: foliage.clumps]]
    clumps = clumps[np.argsort(clumps[:, 1])] + (0.0 if front else -12.0)
    heart, spread = tips.mean(axis=0), tips.std(axis=0) * 2
    last = len(foliage.tones) - 1
    for clump in clumps:
        size = float(rng.uniform(24, 46))
        crown = (heart - clump) / spread
        base = 0.42 + 0.2 * crown[1] - 0.12 * sunward * crown[0] - (0 if front else 0.25)
        away = rng.normal(0, 0.55, (foliage.fullness, 2))
        tone = base + 0.28 * (0.25 * sunward * away[:, 0] - away[:, 1]) + rng.normal(0, 0.09, foliage.fullness)
        order = np.argsort(tone, kind="stable")
        colours = np.clip(tone[order] * (last + 1), 0, last).astype(int).tolist()
        radii = rng.uniform(2.2, 6.6, foliage.fullness).tolist()
        places = (clump + away[order] * (size, size * 0.72)).tolist()
        for (x, y), colour, radius in zip(places, colours, radii, strict=True):
            pen.disc((x, y), radius, foliage.tones[colour])
