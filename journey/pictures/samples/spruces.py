"""Dark spruces close to the camera."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from journey.pictures.samples.colour import mixed, rgb, to_picture
from journey.pictures.samples.noise import fractal_noise
from journey.pictures.samples.plane import smoothstep

_SPRUCES = (  # left edge, foot and height in pixels; the last ones stand in front
    (905, 1560, 420), (985, 1570, 560), (236, 1590, 400), (-30, 1560, 760), (120, 1580, 610), (-120, 1600, 900),
    (330, 1600, 270), (840, 1600, 260),
)  # fmt: skip


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


def with_spruces(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Place dark trees at the edges of the picture, close to the camera."""
    model = _spruce(rng, 640)
    models = [model, ImageOps.mirror(model)]
    moss = smoothstep(0.35, 0.75, fractal_noise(rng, 192, 384, 12, 4, 0.7))
    needles = to_picture(mixed(rgb("0a1513"), rgb("1b2a22"), moss))
    for index, (left, foot, height) in enumerate(_SPRUCES):
        mask = models[index % 2].resize((int(height * 0.44), height), Image.Resampling.BICUBIC)
        picture.paste(needles.resize(mask.size, Image.Resampling.BILINEAR), (left, foot - height), mask)
    return picture
