"""The sample pictures as stored files. They are drawn on the first start and kept under fixed keys."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from journey.pictures import png, samples
from journey.pictures.previews import write_previews
from journey.processes import Workers
from journey.storage.files import Files
from journey.storage.stored import StoredPicture

log = logging.getLogger(__name__)

PICTURES: dict[str, samples.Sample] = {
    sample.name: sample for sample in (*samples.SAMPLES, *samples.GRID.parts, samples.GRID)
}


def stored(name: str) -> StoredPicture:
    """Where a sample is kept. Unlike all other keys, this one is no secret."""
    key = hashlib.sha256(f"sample {name}".encode()).hexdigest()[:32]
    return StoredPicture(key, f"{name}.png", PICTURES[name].width, PICTURES[name].height)


def is_hung(files: Files, names: Iterable[str]) -> bool:
    """True when all of these samples are stored."""
    return all(files.has(each.key, each.file) for each in map(stored, names))


def hang(files: Files, *, grid_only: bool = False) -> None:
    """Draw and store the samples that are missing, in separate processes. All of them take about 4 s on two cores."""
    wanted = () if grid_only else samples.SAMPLES
    singles = [sample.name for sample in wanted if not is_hung(files, [sample.name])]
    grid = [part.name for part in samples.GRID.parts] + [samples.GRID.name]
    jobs = [[name] for name in singles] + ([] if is_hung(files, grid) else [grid])
    if not jobs:
        return
    with files.folder() as folder, Workers(2, nice=5) as workers:
        workers.start()
        for done in [workers.submit(_draw, names, folder) for names in jobs]:
            done.result()
        for names in jobs:
            for name in names:
                files.keep(folder / name, key=stored(name).key)


def _draw(names: list[str], folder: Path) -> None:
    if samples.GRID.name in names:
        parts, whole = samples.draw_grid()
        pictures = [*zip((part.name for part in samples.GRID.parts), parts, strict=True), (samples.GRID.name, whole)]
    else:
        pictures = [(name, samples.draw(name)) for name in names]
    for name, picture in pictures:
        _write(picture, folder / name, stored(name).file)


def _write(picture: Image.Image, folder: Path, name: str) -> None:
    folder.mkdir()
    png.write(folder / name, np.asarray(picture))
    write_previews(picture, folder)
