"""Koi, drawn in ink and flat colour."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PIL import Image, ImageChops

from journey.pictures.samples.pen import SHARP, Pen, Point, curve, ink
from journey.pictures.samples.plane import F32, Plane

INK, CREAM, VERMILION, GOLD = "10212b", "f8ecd6", "d8432a", "e2a63c"


@dataclass(frozen=True)
class Koi:
    """A fish along a line from mouth to tail; patches are (along, across, length, breadth) in fractions of its body."""

    spine: tuple[Point, ...]
    girth: float  # half its breadth in pixels
    skin: str
    fin: str
    patches: tuple[tuple[float, float, float, float], ...]
    patch: str

    @cached_property
    def _line(self) -> tuple[Plane, Plane]:
        line = curve(self.spine, 201)
        ahead = np.gradient(line, axis=0)
        return line, np.stack([-ahead[:, 1], ahead[:, 0]], axis=1) / np.linalg.norm(ahead, axis=1, keepdims=True)

    def place(self, along: Plane, across: Plane) -> Plane:
        """Points on the body: along 0 (mouth) to 1 (tail), across -1 to 1."""
        line, normal = self._line
        at = np.clip(along * 200, 0, 200).astype(int)
        placed: Plane = line[at] + normal[at] * (across * self.breadth(along))[:, None]
        return placed

    def outline(self) -> Plane:
        along, edge = np.linspace(0, 1, 90, dtype=F32), np.ones(90, F32)
        return np.vstack([self.place(along, -edge), self.place(along[::-1], edge)])

    def breadth(self, along: Plane) -> Plane:
        body = np.clip(along, 0, 1) ** 0.46 * (1 - 0.93 * np.clip(along, 0, 1)) ** 0.85
        return (self.girth * 1.62 * body).astype(F32)


def _fan(
    pen: Pen, root: Plane, heading: float, spread: float, length: float, fork: float, colours: tuple[str, str]
) -> None:
    """A fin: rays from `root`, `heading` and `spread` in degrees, `fork` 0 (round) to 1 (cleft)."""
    t = np.linspace(-1, 1, 49)
    scallops = 1 - 0.07 * np.abs(np.sin(t * 3.5 * math.pi))
    reach = length * (1 - fork * 0.5 * (1 - np.abs(t)) - (1 - fork) * 0.3 * t**2) * scallops
    turn = np.radians(heading + spread * t)
    rim = root + np.stack([np.cos(turn), np.sin(turn)], axis=1) * reach[:, None]
    pen.fill(np.vstack([root, rim]).astype(F32), colours[0])
    for point in rim[2:-1:3]:
        pen.line(np.vstack([root + (point - root) * 0.2, root + (point - root) * 0.93]).astype(F32), colours[1], 1)
    pen.line(np.vstack([root, rim, root]).astype(F32), INK, 2.4)


def _heading(start: Plane, end: Plane) -> float:
    return math.degrees(math.atan2(float(end[1] - start[1]), float(end[0] - start[0])))


def draw_koi(canvas: Image.Image, koi: Koi) -> None:
    """Draw one fish: tail and fins, body with patches and scales, then the dorsal fin and the head."""
    pen = Pen(canvas)
    spine = koi.place(np.linspace(0, 1, 41, dtype=F32), np.zeros(41, F32))
    backwards = _heading(spine[-4], spine[-1])
    colours = koi.fin, koi.patch if koi.fin == koi.skin else koi.skin
    for lobe in (-18, 18):
        _fan(pen, spine[-2], backwards + lobe, 25, koi.girth * 2.9, 0.3, colours)
    for place, size in ((0.27, 2.0), (0.6, 1.2)):
        at = int(place * 40)
        for side in (-1.0, 1.0):
            root = koi.place(np.array([place], F32), np.array([side * 0.8], F32))[0]
            _fan(pen, root, _heading(spine[at], spine[at + 2]) + side * 48, 26, koi.girth * size, 0, colours)

    outline = koi.outline()
    pen.fill(outline, koi.skin)
    _paint_patches(canvas, koi, outline)
    _draw_scales(pen, koi)
    pen.line(np.vstack([outline, outline[:1]]), INK, 3)

    ridge = np.linspace(0.34, 0.72, 30, dtype=F32)
    crest = np.sin(np.linspace(0, math.pi, 30)).astype(F32) ** 0.6
    dorsal = np.vstack([koi.place(ridge, np.zeros(30, F32)), koi.place(ridge[::-1] + 0.04, crest[::-1] * 0.42)])
    pen.fill(dorsal, koi.fin)
    for front, back in zip(dorsal[2:28:2], dorsal[57:31:-2], strict=True):
        pen.line(np.vstack([front, back]), colours[1], 1)
    pen.line(np.vstack([dorsal, dorsal[:1]]), INK, 2)

    bow = np.linspace(-1, 1, 21, dtype=F32)
    pen.line(koi.place(0.235 - 0.075 * bow**2, bow * 0.97), INK, 2)
    for side in (-1.0, 1.0):
        eye = koi.place(np.array([0.085], F32), np.array([side * 0.74], F32))[0]
        pen.disc((float(eye[0]), float(eye[1])), koi.girth * 0.1, INK)
        pen.disc((float(eye[0]) - 1, float(eye[1]) - 1), koi.girth * 0.035, CREAM)
        nose = koi.place(np.array([0.012], F32), np.array([side * 0.8], F32))[0]
        out = nose + (nose - spine[2]) * 0.55 + (nose - spine[1]) * 0.4
        pen.line(curve([tuple(nose), tuple((nose + out) / 2 + side), tuple(out)], 9), INK, 2)


def _paint_patches(canvas: Image.Image, koi: Koi, outline: Plane) -> None:
    left, top = (outline.min(axis=0) - 2).astype(int)
    right, bottom = (outline.max(axis=0) + 2).astype(int)
    size = int(right - left) * SHARP, int(bottom - top) * SHARP
    body, marks = Image.new("L", size), Image.new("L", size)
    corner = np.array([left, top], F32)
    Pen(body).fill(outline - corner, 255)
    turn = np.linspace(0, 2 * math.pi, 60)
    for number, (along, across, length, breadth) in enumerate(koi.patches):
        wobble = 1 + 0.16 * np.sin(3 * turn + number) + 0.1 * np.sin(5 * turn + 2 * number) + 0.04 * np.sin(11 * turn)
        shape = koi.place(
            np.clip(along + length * wobble * np.cos(turn), 0, 1).astype(F32),
            (across + breadth * wobble * np.sin(turn)).astype(F32),
        )
        Pen(marks).fill(shape - corner, 255)
    canvas.paste(ink(koi.patch), (int(left) * SHARP, int(top) * SHARP), ImageChops.darker(body, marks))


def _draw_scales(pen: Pen, koi: Koi) -> None:
    arc = np.linspace(-1, 1, 7, dtype=F32)
    for row, along in enumerate(np.arange(0.27, 0.93, 0.021)):
        across_each = 0.25
        for middle in np.arange(-1 + (row % 2) * across_each / 2, 1.01, across_each):
            across = middle + arc * across_each / 2
            scale = koi.place((along + 0.02 * (1 - arc**2)).astype(F32), np.clip(across, -0.98, 0.98).astype(F32))
            pen.line(scale, "9c4a30" if koi.skin != INK else "4d6470", 0.9)
