"""Stored pictures as pages show them."""

from __future__ import annotations

from journey.pictures import gallery, samples
from journey.pictures.kinds import LABELS
from journey.pictures.previews import PREVIEW, THUMBNAIL, shrunk
from journey.storage.names import uploaded_name
from journey.storage.stored import StoredFile, StoredPicture

__all__ = [
    "LABELS", "PREVIEW", "SAMPLE_GRID", "SAMPLE_WIDTH", "THUMBNAIL", "StoredPicture", "fitted_width",
    "shrunk", "thumbnail_url", "uploaded_name",
]  # fmt: skip

SAMPLE_GRID = gallery.stored(samples.GRID.name)
"""The sample grid as a whole."""

SAMPLE_WIDTH = 720
"""Pixels: twice what a sample is wide on a page, for screens that show two of them for one of the page."""

FITTED_HEIGHT = 420
"""Screen pixels: low enough that the print sizes below a picture fit on the screen too."""


def fitted_width(size: tuple[int, int]) -> int | None:
    """The width in screen pixels that keeps a picture within FITTED_HEIGHT; None: it is wide and fills its column."""
    width, height = size
    return None if width > 1.4 * height else max(40, round(FITTED_HEIGHT * width / height))


def thumbnail_url(shown: StoredFile | None) -> str | None:
    """The relative address of a thumbnail, for a column of a table. Does not check that the file still exists."""
    return shown.beside(THUMBNAIL).url() if shown else None
