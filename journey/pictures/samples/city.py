"""An art-deco city at dusk, with its mirror image in a canal."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw

from journey.pictures.samples.colour import mixed, ramp, rgb, to_picture
from journey.pictures.samples.noise import fractal_noise
from journey.pictures.samples.pen import SHARP, Pen, around, curve, points
from journey.pictures.samples.plane import F32, Plane, resized, smoothstep
from journey.pictures.samples.skyline import QUAY, SUN, WIDTH, draw_skyline

_HEIGHT = 1024
_DUSK = ((0.0, "15123f"), (0.25, "3a2268"), (0.5, "8a2f78"), (0.7, "d8526b"), (0.86, "f98d5e"), (1.0, "ffd08a"))


def draw() -> Image.Image:
    """Draw the city: 1536 × 1024 pixels, RGB."""
    rng = np.random.default_rng(23)
    canvas = _sky(rng)
    pen = Pen(canvas)
    _draw_rays_and_stars(pen, rng)
    _draw_sun(canvas)
    _draw_planet(canvas, 1290, 150, 62)
    draw_skyline(pen, rng)
    _draw_monorail(pen, rng)
    _draw_traffic(pen)
    picture = np.asarray(canvas.reduce(SHARP), F32) / 255
    return to_picture(_with_canal(picture, rng))


def _sky(rng: np.random.Generator) -> Image.Image:
    width, height = WIDTH // 2, _HEIGHT // 2
    y, x = np.mgrid[0:height, 0:width].astype(F32) * 2
    sky = ramp(np.arange(height, dtype=F32) * 2 / QUAY, _DUSK)[:, None, :] + np.zeros((height, width, 3), F32)
    away = np.hypot(x - SUN[0], y - SUN[1])
    sky = mixed(sky, rgb("ffb27a"), np.exp(-np.maximum(away - SUN[2], 0) / 150) * 0.55)
    bands = smoothstep(0.5, 0.68, resized(fractal_noise(rng, width // 2, height * 3, 45, 5), width, height))
    sky = mixed(sky, rgb("f7a27c"), bands * 0.35 * smoothstep(0.1, 0.7, y / QUAY))
    return to_picture(sky).resize((WIDTH * SHARP, _HEIGHT * SHARP), Image.Resampling.BILINEAR)


def _draw_rays_and_stars(pen: Pen, rng: np.random.Generator) -> None:
    x, y, radius = SUN
    for turn in np.arange(183, 358, 3.5):
        ends = [
            around((x, y), far, turn, turn, 1)[0]
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
    x, y, radius = SUN
    side = int(radius * 2 * SHARP)
    mask = Image.new("L", (side, side))
    ImageDraw.Draw(mask).ellipse((0, 0, side - 1, side - 1), 255)
    colours = ramp(np.linspace(0, 1, 128, dtype=F32), ((0, "fff3c9"), (0.45, "ffc46b"), (1, "f0615f")))
    face = to_picture(np.repeat(colours[:, None], 4, axis=1)).resize((side, side), Image.Resampling.BICUBIC)
    canvas.paste(face, (int((x - radius) * SHARP), int((y - radius) * SHARP)), mask)
    pen = Pen(canvas)
    for gap, width in ((10, 2.4), (18, 0.9), (24, 0.9)):
        pen.ring((x, y), radius + gap, "ffdca4", width)


def _draw_planet(canvas: Image.Image, x: float, y: float, radius: float) -> None:
    """A small ringed planet, lit from below by the sun."""
    pen = Pen(canvas)
    turn = np.radians(np.linspace(0, 360, 181))
    tilt = math.radians(-18)

    def orbit(reach: float) -> Plane:
        flat = np.stack([np.cos(turn) * reach, np.sin(turn) * reach * 0.24], axis=1)
        spin = np.array([[math.cos(tilt), math.sin(tilt)], [-math.sin(tilt), math.cos(tilt)]])
        placed: Plane = flat @ spin + (x, y)
        return placed

    for reach in (1.55, 1.68, 1.76, 2.0):
        pen.line(orbit(radius * reach), "e7b7c4", 1.2)
    for stripe in range(40):
        low, high = -1 + stripe / 20, -1 + (stripe + 1.3) / 20
        edge = np.linspace(low, min(high, 1), 3)
        half = np.sqrt(np.maximum(1 - edge**2, 0))
        shape = np.vstack([np.stack([-half, edge], 1), np.stack([half, edge], 1)[::-1]]) * radius + (x, y)
        tone = ramp(
            np.array([stripe / 39 + 0.06 * math.sin(stripe * 1.9)], F32),
            ((0, "35205f"), (0.6, "9a4a86"), (1, "f0a08a")),
        )[0]
        pen.fill(shape.astype(F32), "".join(f"{int(part * 255):02x}" for part in tone))
    for reach in (1.55, 1.68, 1.76, 2.0):
        pen.line(orbit(radius * reach)[:91], "f6d3cf", 1.5)


def _draw_monorail(pen: Pen, rng: np.random.Generator) -> None:
    """A track on slender arches along the quay, and a train with lit windows."""
    deck = QUAY - 44
    for x in range(-20, WIDTH + 60, 64):
        pen.line(around((x + 32, deck + 42), 32, 180, 360, 24), "3a2560", 2.2)
        pen.box(x - 2, deck, x + 2, QUAY, "3a2560")
    pen.box(0, deck, WIDTH, deck + 5, "120e30")
    pen.box(0, deck, WIDTH, deck + 1, "ffb27a")
    nose = np.vstack([points((1010, deck - 1), (1010, deck - 15)), around((1296, deck - 1), 14, 270, 360, 9)])
    pen.fill(nose, "f4e3cf")
    pen.box(1010, deck - 5, 1308, deck - 3.5, "d8526b")
    for x in range(1016, 1290, 11):
        pen.box(x, deck - 12, x + 7, deck - 7, "3a2268")
    for x in rng.uniform(0, WIDTH, 60):
        pen.disc((x, QUAY - 3), 1.5, "ffd99a")


def _draw_traffic(pen: Pen) -> None:
    """Light trails of flying cars."""
    for through, colour in (
        (((-20, 300), (300, 350), (560, 290), (900, 215), (1560, 250)), "ffe3b0"),
        (((-20, 322), (300, 366), (600, 306), (900, 236), (1560, 275)), "ff8f7a"),
        (((1560, 420), (1250, 400), (980, 330), (700, 360), (-20, 470)), "9fe0e0"),
    ):
        trail = curve(through, 240)
        pen.line(trail, colour, 0.8)
        dash = np.array((9, 0), F32)
        for point in trail[7::29]:
            pen.disc((float(point[0]), float(point[1])), 2.2, colour)
            pen.line(np.stack([point - dash, point + dash]).astype(F32), colour, 1.6)


def _with_canal(scene: Plane, rng: np.random.Generator) -> Plane:
    """Mirror the city in calm water below the quay, broken into horizontal strokes."""
    depth = _HEIGHT - QUAY
    y = np.arange(depth, dtype=F32)[:, None]
    strokes = resized(fractal_noise(rng, WIDTH // 6, depth, 10, 3), WIDTH, depth) - 0.5
    columns = np.arange(WIDTH)[None, :] + strokes * (6 + y * 0.25)
    rows = QUAY - 1 - y * 1.7 + strokes * (4 + y * 0.3)
    mirror = scene[np.clip(rows, 0, QUAY - 1).astype(int), np.clip(columns, 0, WIDTH - 1).astype(int)]
    fade = (0.32 + 0.4 * y / depth) + strokes * 0.5
    water = mixed(mirror, np.broadcast_to(rgb("1a1245"), mirror.shape), np.clip(fade + np.zeros_like(strokes), 0, 1))
    return np.concatenate([scene[:QUAY], water])
