"""Colours from RRGGBB codes, mixed and made into pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from journey.pictures.samples.plane import F32, Plane


def rgb(code: str) -> Plane:
    """The three channels of an RRGGBB code, 0 to 1."""
    return np.array([int(code[i : i + 2], 16) / 255 for i in (0, 2, 4)], F32)


def mixed(under: Plane, over: Plane, amount: Plane) -> Plane:
    """Colours from `under` (amount 0) to `over` (amount 1)."""
    return under + (over - under) * amount[..., None]


def ramp(values: Plane, stops: Sequence[tuple[float, str]]) -> Plane:
    """Colours for values, interpolated linearly between (value, colour) stops."""
    places = [place for place, _ in stops]
    colours = np.array([rgb(code) for _, code in stops])
    return np.stack([np.interp(values, places, colours[:, channel]).astype(F32) for channel in range(3)], axis=-1)


def to_picture(colours: Plane) -> Image.Image:
    """Colours as an RGB picture; what lies outside 0 to 1 is clipped."""
    return Image.fromarray((np.clip(colours, 0, 1) * 255 + 0.5).astype(np.uint8))
