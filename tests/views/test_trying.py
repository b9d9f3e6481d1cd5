"""What the browser is given to draw pieces."""

from __future__ import annotations

from journey.storage.stored import StoredPicture
from journey.views import trying
from journey.views.trying import Panel

PICTURE = StoredPicture("0" * 32, "koi.png", 200, 100)


def test_the_offer_says_what_it_takes() -> None:
    """Trying a piece is free, and takes about as long as was measured here."""
    assert trying.offer(8.2).endswith("free, before anything is queued, about 8 s.")


def test_a_piece_is_drawn_where_it_lies() -> None:
    """The frame lies at its fractions of the picture, pieces come as pictures, and what is missing says why."""
    panels = [
        Panel("fast", png=b"\x89PNG", is_chosen=True),
        Panel("detail-50"),
        Panel("my-*own*", problem="It cannot be read."),
    ]
    said = trying.data(PICTURE, "koi", (50, 0, 150, 50), b"plain", panels, arrivals=2)
    assert ([0.25, 0.0, 0.75, 0.5], 200, 100, 2) == (said["box"], said["width"], said["height"], said["arrivals"])
    fast, half, own = said["panels"]  # type: ignore[misc]  # a list of three
    assert ("Fast", "data:image/png;base64,iVBORw==", True) == (fast["label"], fast["png"], fast["is_chosen"])
    assert ("Detail 50 %", None, trying.WAITING) == (half["label"], half["png"], half["words"])
    assert ("My *own*", None, "It cannot be read.") == (own["label"], own["png"], own["words"])
