"""The pictures that are measured with."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from journey.pictures import samples

PHOTOGRAPHS = ("astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg", "motorcycle_left.png", "ihc.png")
"""Those of scikit-image that are in colour and large enough."""


def picture(side: int) -> Image.Image:
    """The koi pond with this many pixels a side."""
    return _koi().resize((side, side), Image.Resampling.BICUBIC) if side != _koi().width else _koi()


@cache
def _koi() -> Image.Image:
    return samples.draw("koi")


def pixels(side: int) -> np.ndarray:
    return np.asarray(picture(side))


def photographs(count: int, side: int) -> tuple[str, list[np.ndarray]]:
    """What the pictures are, and the middle of each, at most `side` pixels a side."""
    spec = importlib.util.find_spec("skimage")
    places = spec.submodule_search_locations if spec else None
    files = [Path(places[0], "data", name) for name in PHOTOGRAPHS] if places else []
    if files and all(file.is_file() for file in files[:count]):
        return "photographs", [_middle(Image.open(file).convert("RGB"), side) for file in files[:count]]
    drawn = [_middle(samples.draw(sample.name), side) for sample in samples.SAMPLES[:count]]
    return "drawn samples (scikit-image is not installed)", drawn


def _middle(image: Image.Image, side: int) -> np.ndarray:
    width, height = min(side, image.width), min(side, image.height)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return np.asarray(image.crop((left, top, left + width, top + height)))
