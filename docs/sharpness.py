"""Draws docs/pictures/sharpness.jpg: the same part of the fjord sample, 4x by Lanczos, fast and detail.

`make screenshots` runs it. Also prints the gradient energy of each, as a ratio to Lanczos.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from journey.engine.networks.finding import find_networks
from journey.engine.networks.recipes import recipe
from journey.engine.upscaler import upscale
from journey.pictures import samples
from journey.pictures.rows import ArrayRows

TARGET = Path(__file__).parent / "pictures" / "sharpness.jpg"
PART = (40, 700, 240, 900)
"""Spruces, rock and mist: left, top, right, bottom in the sample's pixels."""
SCALE = 4
SHOWN = 560
MARGIN, LABEL = 12, 44


def main() -> None:
    part = samples.draw("fjord").crop(PART)
    pictures = {"Pillow's Lanczos": part.resize((part.width * SCALE, part.height * SCALE), Image.Resampling.LANCZOS)}
    networks = find_networks().networks
    with ThreadPoolExecutor(max_workers=2) as workers:
        for name in ("fast", "detail"):
            bands = upscale(
                ArrayRows(np.asarray(part)),
                recipe(name, networks),
                SCALE,
                workers=workers,
                on_progress=lambda done, total: None,
                should_stop=lambda: False,
            )
            pictures[name] = Image.fromarray(np.concatenate(list(bands)))
    plain = sharpness(pictures["Pillow's Lanczos"])
    for name, picture in pictures.items():
        print(f"{name:18} gradient energy {sharpness(picture) / plain:.2f} of Lanczos")
    side_by_side(pictures).save(TARGET, quality=92, subsampling=0)


def sharpness(picture: Image.Image) -> float:
    """Mean squared gradient of the lightness: higher is sharper, as long as no noise is added."""
    grey = np.asarray(picture.convert("L"), dtype=np.float32)
    return float((np.diff(grey, axis=0)[:, :-1] ** 2 + np.diff(grey, axis=1)[:-1] ** 2).mean())


def side_by_side(pictures: dict[str, Image.Image]) -> Image.Image:
    """The middle of each picture, pixel for pixel, in a row, with its name above it."""
    sheet = Image.new("RGB", (len(pictures) * (SHOWN + MARGIN) + MARGIN, SHOWN + LABEL + MARGIN), "#11171a")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=22)
    for place, (name, picture) in enumerate(pictures.items()):
        left = MARGIN + place * (SHOWN + MARGIN)
        edge = (picture.width - SHOWN) // 2
        sheet.paste(picture.crop((edge, edge, edge + SHOWN, edge + SHOWN)), (left, LABEL))
        draw.text((left + 4, 9), name, font=font, fill="#e8e6df")
    return sheet


if __name__ == "__main__":
    main()
