"""What can be shown of a picture now: all of it, or its preview while its tiles are being made."""

from __future__ import annotations

from journey.views.comparison import Side, Viewed
from journey.views.pictures import PREVIEW
from journey.workspace import workspace


def viewed(side: Side) -> Viewed:
    """The side and what can be shown of it. Raises FileMissing when the picture is gone."""
    space, picture = workspace(), side.picture
    space.files.path(picture.key, PREVIEW)
    pyramid = space.tiles.look(picture.key, picture.file)
    problem = space.tiles.problem(picture.key) if pyramid is None else None
    return Viewed(side, pyramid.levels if pyramid else None, problem)


def has_more_detail(side: Side) -> bool:
    """True when more of a picture can be shown than its preview, or when more never will be."""
    tiles, picture = workspace().tiles, side.picture
    return tiles.look(picture.key, picture.file) is not None or tiles.problem(picture.key) is not None
