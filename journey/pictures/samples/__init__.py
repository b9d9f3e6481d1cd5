"""Sample pictures for a first visit, drawn from fixed seeds by this package alone.

`draw("fjord")` gives one picture, `draw_grid()` the four parts of a grid and the grid itself. The same
machine draws the same pixels every time. Nothing is read or downloaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["GRID", "SAMPLES", "Sample", "SampleGrid", "draw", "draw_grid"]

_PART = 1024  # side of one part of the grid


@dataclass(frozen=True)
class Sample:
    """A sample picture; `name` is safe in file names and URLs, `alt` says what it shows, sizes are in pixels."""

    name: str
    title: str
    alt: str
    width: int
    height: int


@dataclass(frozen=True)
class SampleGrid(Sample):
    """Four pictures in one; `parts` are top left, top right, bottom left, bottom right (index 1 to 4)."""

    parts: tuple[Sample, Sample, Sample, Sample]


SAMPLES: tuple[Sample, ...] = (
    Sample(
        "fjord",
        "Fjord at first light",
        "A misty fjord between snowy mountains, with dark spruces on the shore.",
        1024,
        1536,
    ),
    Sample(
        "koi",
        "Koi pond",
        "Three koi circle between lily pads and lotus blossoms, drawn in ink and flat colour.",
        1024,
        1024,
    ),
    Sample("city", "City at dusk", "An art-deco skyline with lit windows in front of a huge setting sun.", 1536, 1024),
)
GRID = SampleGrid(
    "seasons",
    "Four seasons",
    "One tree on a hill in spring, summer, autumn and winter.",
    2 * _PART,
    2 * _PART,
    (
        Sample("spring", "Spring", "A tree in pink blossom on a green hill.", _PART, _PART),
        Sample("summer", "Summer", "A tree in full green leaf under a blue sky.", _PART, _PART),
        Sample("autumn", "Autumn", "A tree in red and gold under an evening sky.", _PART, _PART),
        Sample("winter", "Winter", "A snow-dusted tree in falling snow under a pale moon.", _PART, _PART),
    ),
)


# The drawing modules are imported only when something is drawn: most starts need nothing but the words above.
def draw(name: str) -> Image.Image:
    """Draw the sample called `name` (RGB). Raises KeyError for a name that is not in SAMPLES."""
    from journey.pictures.samples import city, fjord, koi

    return {"fjord": fjord.draw, "koi": koi.draw, "city": city.draw}[name]()


def draw_grid() -> tuple[list[Image.Image], Image.Image]:
    """Draw GRID: its four parts in the order of their index, and the picture made of them (RGB)."""
    from PIL import Image

    from journey.pictures.samples import seasons

    parts = [seasons.draw(part.name) for part in GRID.parts]
    whole = Image.new("RGB", (GRID.width, GRID.height))
    for index, part in enumerate(parts):
        whole.paste(part, (index % 2 * _PART, index // 2 * _PART))
    return parts, whole
