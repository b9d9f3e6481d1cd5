"""Draws docs/pictures/sharpness.jpg: parts of two samples, 4x by Lanczos and by each network.

`make screenshots` runs it. Also prints the gradient energy of each, as a ratio to Lanczos.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from journey.engine.networks.finding import find_networks
from journey.engine.networks.recipes import decided, recipe
from journey.engine.upscaler import upscale
from journey.pictures import samples
from journey.pictures.rows import ArrayRows

TARGET = Path(__file__).parent / "pictures" / "sharpness.jpg"
PARTS = (("fjord", (40, 700, 240, 900)), ("koi", (430, 360, 630, 560)))
"""Spruces, rock and mist, and an inked fish: left, top, right, bottom in the samples' pixels."""
NETWORKS = ("fast", "detail", "faithful")
LANCZOS = "Pillow's Lanczos"
SCALE = 4
SHOWN = 440
MARGIN, LABEL = 12, 44


def main() -> None:
    rows = [enlarged(samples.draw(name).crop(part)) for name, part in PARTS]
    for (sample, _), pictures in zip(PARTS, rows, strict=True):
        plain = sharpness(pictures[LANCZOS])
        for name, picture in pictures.items():
            print(f"{sample:6} {name:18} gradient energy {sharpness(picture) / plain:.2f} of Lanczos")
    side_by_side(rows).save(TARGET, quality=92, subsampling=0)


def enlarged(part: Image.Image) -> dict[str, Image.Image]:
    """The part by Lanczos and by each network, by name."""
    networks = find_networks().networks
    source = ArrayRows(np.asarray(part))
    pictures = {LANCZOS: part.resize((part.width * SCALE, part.height * SCALE), Image.Resampling.LANCZOS)}
    with ThreadPoolExecutor(max_workers=2) as workers:
        for name in NETWORKS:
            bands = upscale(
                source,
                decided(recipe(name, networks), source),
                SCALE,
                workers=workers,
                on_progress=lambda done, total: None,
                should_stop=lambda: False,
            )
            pictures[name] = Image.fromarray(np.concatenate(list(bands)))
    return pictures


def sharpness(picture: Image.Image) -> float:
    """Mean squared gradient of the lightness: higher is sharper, as long as no noise is added."""
    grey = np.asarray(picture.convert("L"), dtype=np.float32)
    return float((np.diff(grey, axis=0)[:, :-1] ** 2 + np.diff(grey, axis=1)[:-1] ** 2).mean())


def side_by_side(rows: Sequence[Mapping[str, Image.Image]]) -> Image.Image:
    """The middle of each picture, pixel for pixel, with its name above it; one row for each sample."""
    columns = len(rows[0])
    size = columns * (SHOWN + MARGIN) + MARGIN, len(rows) * (SHOWN + LABEL) + MARGIN
    sheet = Image.new("RGB", size, "#11171a")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=22)
    for row, pictures in enumerate(rows):
        for column, (name, picture) in enumerate(pictures.items()):
            left, top = MARGIN + column * (SHOWN + MARGIN), row * (SHOWN + LABEL)
            edge = (picture.width - SHOWN) // 2
            sheet.paste(picture.crop((edge, edge, edge + SHOWN, edge + SHOWN)), (left, top + LABEL))
            draw.text((left + 4, top + 9), name, font=font, fill="#e8e6df")
    return sheet


if __name__ == "__main__":
    main()
