"""The pictures that are measured with."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from journey.pictures import samples

PHOTOGRAPHS = ("astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg", "motorcycle_left.png", "ihc.png")
"""Those of scikit-image that are in colour and large enough."""


@dataclass(frozen=True)
class Original:
    """What an enlarged picture should come close to: (H, W, 3) uint8."""

    name: str
    pixels: np.ndarray
    is_photograph: bool


_PHOTOGRAPHS = ("Autumn", "BytheWater", "ColorfulCups", "EveningGlow", "FallenLeaf", "OneStandsOut", "Path")
_FILES: Mapping[str, bool] = {
    **{f"wallpapers/{name}/contents/images/2560x1600.jpg": True for name in _PHOTOGRAPHS},
    "backgrounds/Kleiber_by_Lukas_Baubkus.jpg": True,
    "wallpapers/summer_1am/contents/images/2560x1600.jpg": False,
    "wallpapers/Canopee/contents/images/3840x2160.png": False,
    "backgrounds/Infinite-Sea_by_Aury88.jpg": False,
    "backgrounds/Painting-Colors_by__herobrine7gamer.jpg": False,
}
"""In /usr/share, from Debian's packages plasma-workspace-wallpapers and lomiri-wallpapers-20.04: whether each is a
photograph. Others are scikit-image's."""
ORIGINAL_SIDE = 512


def originals(count: int) -> tuple[str, list[Original]]:
    """What the pictures are, and the middle of each, reduced until no trace of JPEG or of a sensor is left."""
    found = []
    for name, is_photograph in _FILES.items():
        file = Path("/usr/share", name)
        if file.is_file():
            image = Image.open(file).convert("RGB").reduce(2)
            found.append(Original(name, _middle(image, ORIGINAL_SIDE), is_photograph))
    for pixels in photographs(4, 2 * ORIGINAL_SIDE)[1]:
        sides = [side // 4 * 4 for side in pixels.shape[:2]]
        found.append(Original("scikit-image", pixels[: min(sides[0], 400), : min(sides[1], 512)], True))
    return "pictures", found[:count]


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
