"""The picture that is printed: its pixels lie on the disk, and are read where a part of the print needs them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from journey.pictures.rows import Rows, band_edges, to_image
from journey.pictures.streaming import write_rows
from journey.printing.shop.progress import Work
from journey.printing.shop.specs import MAX_SOURCE_PIXELS


@dataclass(frozen=True)
class Source:
    """An upright picture. `is_opaque` is true when nothing of it is transparent, even if it has alpha."""

    rows: Rows
    is_opaque: bool

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.rows.width, self.rows.height

    def read(self, top: int, bottom: int) -> Image.Image:
        """These rows as 8-bit L, LA, RGB or RGBA with the profile in `info`, without alpha if all is opaque."""
        pixels = self.rows.read(top, bottom)
        image = to_image(pixels[:, :, :-1] if self.is_opaque and pixels.shape[2] in (2, 4) else pixels)
        if self.rows.icc:
            image.info["icc_profile"] = self.rows.icc
        return image


@contextmanager
def decoded(path: Path, folder: Path, work: Work) -> Iterator[Source]:
    """Decode a picture to a hidden file in the folder, which is removed in the end. Raises PictureRefused."""
    target = folder / f".{uuid.uuid4().hex}.pixels"
    try:
        with write_rows(path, MAX_SOURCE_PIXELS, target, work.check) as rows:
            yield Source(rows, _is_opaque(rows))
    finally:
        target.unlink(missing_ok=True)


def _is_opaque(rows: Rows) -> bool:
    if rows.channels in (1, 3):
        return True
    return all(rows.read(*edges)[:, :, -1].min() == 255 for edges in band_edges(rows.width, rows.height))
