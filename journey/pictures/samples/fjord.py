"""A fjord at first light: mountains, sky and their mirror image in the water."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter

from journey.pictures.samples.colour import mixed, ramp, rgb, to_picture
from journey.pictures.samples.mountains import HORIZON, LAND_ROWS, WIDTH, view
from journey.pictures.samples.noise import fractal_noise, seamless_noise
from journey.pictures.samples.plane import F32, Plane, bilinear, resized, smoothstep
from journey.pictures.samples.spruces import with_spruces

_HEIGHT = 1536
_SUN = (600.0, 640.0)


def draw() -> Image.Image:
    """Draw the fjord: 1024 × 1536 pixels, RGB."""
    rng = np.random.default_rng(7)
    land = view(rng)
    scene, glow = _sky(rng)
    haze = mixed(
        np.broadcast_to(rgb("a9b9cb"), land.colours.shape), rgb("f8d8ae"), np.clip(glow[land.seen] * 1.1, 0, 1)
    )
    scene[land.seen] = mixed(land.colours, haze, land.mist)
    water = _mirrored(scene, land.shore, rng)
    top = _HEIGHT - len(water)
    overlap = LAND_ROWS - top
    dry = np.arange(top, LAND_ROWS)[:, None] < land.shore
    water[:overlap][dry] = scene[top:][dry]
    scene = np.concatenate([scene[:top], water])
    return _photographed(with_spruces(to_picture(scene), rng), rng)


def _sky(rng: np.random.Generator) -> tuple[Plane, Plane]:
    """The morning sky behind the land, and the glow of the sun."""
    width, height = WIDTH // 4, LAND_ROWS // 4
    y, x = np.mgrid[0:height, 0:width].astype(F32) * 4
    blue = ramp(
        np.arange(height, dtype=F32) * 4 / HORIZON,
        [(0, "41658f"), (0.3, "7594b5"), (0.6, "b9bfc6"), (0.82, "efcfae"), (1, "f7d8b2")],
    )[:, None, :]
    away = np.hypot(x - _SUN[0], y - _SUN[1])
    glow = np.clip(np.exp(-away / 120) * 0.8 + np.exp(-away / 400) * 0.42, 0, 1)
    wisps = resized(fractal_noise(rng, width, height * 4, 70, 6, 0.55), width, height)
    veil = smoothstep(0.5, 0.74, wisps) * smoothstep(1, 0.35, y / HORIZON) * 0.75
    lit = mixed(np.broadcast_to(rgb("d9d9e0"), (height, width, 3)), rgb("ffe2bd"), np.clip(glow * 2, 0, 1))
    colours = mixed(mixed(blue + np.zeros((height, width, 3), F32), lit, veil), rgb("fff1d6"), glow)
    return _enlarged(colours, WIDTH, LAND_ROWS), resized(glow, WIDTH, LAND_ROWS)


def _mirrored(scene: Plane, shore: NDArray[np.int32], rng: np.random.Generator) -> Plane:
    """The water below the shore, from its highest row down. It is rippled, so half the columns are enough."""
    half = WIDTH // 2
    top = int(shore.min())
    y = np.arange(top, _HEIGHT, dtype=F32)[:, None]
    x = np.arange(half, dtype=F32)[None, :] * 2 - half
    below = np.maximum(y - HORIZON, 6)
    texture = seamless_noise(rng, 512, 32, 4, 0.6) - 0.5
    ahead = np.broadcast_to(np.log(below) * 110, (len(y), half))
    swell = bilinear(texture, ahead, x * 14 / below)
    ripple = swell + bilinear(texture, ahead * 3.1, x * 50 / below + 77) * 0.7
    edge = np.convolve(np.pad(shore, 6, mode="edge"), np.full(13, 1 / 13), mode="valid")[::2].astype(F32)
    depth = np.maximum(y - edge, 0)
    source = np.clip(edge - 1 - depth * 1.06 + ripple * below * 0.42, 0, shore[::2] - 1).astype(np.int32)
    mirror = scene[source, np.arange(half) * 2]
    facing = np.clip(below / 640, 0, 1) + ripple * 0.35
    water = mirror * (0.92 - 0.45 * facing)[..., None] + rgb("12303c") * (0.06 + 0.42 * facing)[..., None]
    water += (np.clip(ripple - 0.1, 0, 1) * np.exp(-np.abs(x - _SUN[0] + half) / 170) * 1.1)[..., None] * rgb("ffe0b8")
    return _enlarged(water, WIDTH, len(y))


def _enlarged(colours: Plane, width: int, height: int) -> Plane:
    return np.asarray(to_picture(colours).resize((width, height), Image.Resampling.BICUBIC), F32) / 255


def _photographed(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A slightly soft lens, darker corners and a fine grain."""
    width, height = picture.size
    y, x = np.linspace(-1, 1, height // 4, dtype=F32)[:, None], np.linspace(-1, 1, width // 4, dtype=F32)[None, :]
    corners = Image.fromarray((255 - 28 * (x * x + y * y)).astype(np.uint8)).resize(
        picture.size, Image.Resampling.BILINEAR
    )
    grain = Image.fromarray((rng.standard_normal((height, width), F32) * 2.2 + 128.5).astype(np.uint8))
    soft = picture.filter(ImageFilter.Kernel((3, 3), (1, 3, 1, 3, 9, 3, 1, 3, 1)))
    shaded = ImageChops.multiply(soft, Image.merge("RGB", (corners,) * 3))
    return ImageChops.add(shaded, Image.merge("RGB", (grain,) * 3), offset=-128)
