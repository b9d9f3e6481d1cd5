"""Numbers on a grid: resizing, reading between the points, blending."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Plane = NDArray[np.floating[Any]]
"""A two-dimensional array, indexed [row, column]; colours add a third axis of three, 0 to 1."""
F32 = np.float32


def resized(plane: Plane, width: int, height: int) -> Plane:
    """The plane at another size, by bicubic interpolation."""
    return np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.BICUBIC))


def bilinear(texture: Plane, rows: Plane, columns: Plane) -> Plane:
    """A texture read at fractional places and repeated endlessly; its sides are powers of two."""
    return bilinear_all(rows, columns, texture)[0]


def bilinear_all(rows: Plane, columns: Plane, *textures: Plane) -> list[Plane]:
    """Textures of one size, read at fractional places and repeated endlessly; their sides are powers of two."""
    height, width = textures[0].shape
    whole_rows, whole_columns = np.floor(rows), np.floor(columns)
    down, right = rows - whole_rows, columns - whole_columns
    top, left = whole_rows.astype(np.int32), whole_columns.astype(np.int32)
    # A mask instead of a remainder: integer division would take most of the time here.
    below, beside = (top + 1 & height - 1) * width, left + 1 & width - 1
    top, left = (top & height - 1) * width, left & width - 1
    corners = top + left, top + beside, below + left, below + beside
    found = []
    for texture in textures:
        north_west, north_east, south_west, south_east = (texture.ravel()[corner] for corner in corners)
        north_west += (north_east - north_west) * right
        south_west += (south_east - south_west) * right
        north_west += (south_west - north_west) * down
        found.append(north_west)
    return found


def smoothstep(start: float, end: float, value: Plane) -> Plane:
    """0 before `start`, 1 after `end`, a smooth curve between."""
    t: Plane = np.clip((value - start) / (end - start), 0, 1)
    return t * t * (3 - 2 * t)
