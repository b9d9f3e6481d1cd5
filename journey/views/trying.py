"""What the page says about pieces: small parts of a picture that are enlarged before anything is ordered."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from journey.storage.stored import StoredPicture
from journey.views.pictures import PREVIEW
from journey.views.upscaling import about, network_name, network_words

WAITING = "Being enlarged…"


@dataclass(frozen=True)
class Panel:
    """What one network makes of the piece: `png` once it is there, `problem` when it cannot be made."""

    network: str
    png: bytes | None = None
    problem: str | None = None
    is_chosen: bool = False


def offer(seconds: float) -> str:
    """What trying a piece is, and how long it takes here."""
    return f"Enlarges one place of the picture with every network: free, before anything is queued, {about(seconds)}."


def data(
    picture: StoredPicture,
    name: str,
    box: tuple[int, int, int, int],
    original: bytes | None,
    panels: Sequence[Panel],
    *,
    arrivals: int = 0,
) -> dict[str, object]:
    """Everything that the browser draws. `box` is the piece in pixels of the source: left, top, right, bottom.

    `arrivals` counts how often the pieces were switched on: after each, they come into view once.
    """
    left, top, right, bottom = box
    edges = [left / picture.width, top / picture.height, right / picture.width, bottom / picture.height]
    return {
        "preview": picture.beside(PREVIEW).url(),
        "alt": f"Your picture: {name}",
        "arrivals": arrivals,
        "width": picture.width,
        "height": picture.height,
        "place": f"{picture.key} {box}",
        "box": edges,
        "original": _address(original),
        "panels": [
            {
                "name": panel.network,
                "label": network_name(panel.network),
                "about": network_words(panel.network),
                "png": _address(panel.png),
                "words": panel.problem or WAITING,
                "is_chosen": panel.is_chosen,
            }
            for panel in panels
        ],
    }


def _address(png: bytes | None) -> str | None:
    return None if png is None else f"data:image/png;base64,{base64.b64encode(png).decode()}"
