"""A better address than the one that was given: of the full picture, or of the picture that a page shows.

It is only ever offered: what was typed stays until a person takes the offer.
"""

from __future__ import annotations

from dataclasses import dataclass

from journey.errors import one_line
from journey.outside.pasted import cleaned
from journey.outside.reduced import reduced
from journey.outside.shared import picture_itself
from journey.views.words import pixels

_SHOWN = 160


@dataclass(frozen=True)
class Offer:
    """What is offered. `address` is None when there is a better one that cannot be told; `button` takes it."""

    sentence: str
    address: str | None = None
    button: str = ""

    @property
    def shown(self) -> str:
        """The address without its query, which may be signed, cut for showing. Untrusted."""
        place, mark, _ = (self.address or "").partition("?")
        return one_line(place, _SHOWN) + ("…" if len(place) > _SHOWN else "") + ("?…" if mark else "")


def better_address(given: str, size: tuple[int, int] | None) -> Offer | None:
    """What to offer for an address that a person gave. `size` is that of its picture, None when it gave none."""
    url = cleaned(given)
    if found := reduced(url):
        copy = "a reduced copy" if size is None else f"a reduced copy of {pixels(size)}"
        is_one = f"This is {copy}" if found.is_certain else f"This may be {copy}"
        if found.address is None:
            return Offer(
                f"{is_one}. Its address does not say where the full picture is: open that, and copy its address."
            )
        return Offer(f"{is_one}. The full picture prints larger:", found.address, "Use the full picture")
    if size is None and (itself := picture_itself(url)):
        return Offer("The picture itself may be at this address:", itself, "Use this address")
    return None
