"""A network that people can choose: its files, its scale, how far it sees, and the tile that suits it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from journey.errors import InvalidRequest

Device: TypeAlias = Literal["auto", "cpu", "gpu"]


@dataclass(frozen=True)
class Variant:
    """One pair of files, `<stem>.param` and `<stem>.bin`, that multiplies both sides by `scale`."""

    scale: int
    stem: str


@dataclass(frozen=True)
class Network:
    """A network that people can choose by `name`; `model` is its name on the wire.

    A tile covers `tile` (height, width) source pixels and needs `overlap` more on every side as context.
    `folder` holds the files; None means the installed package that carries the networks, which may be
    elsewhere on another machine of a cluster.
    """

    name: str
    model: str
    overlap: int
    tile: tuple[int, int]
    variants: tuple[Variant, ...]
    folder: Path | None = None
    device: Device = "auto"

    def variant(self, scale: int) -> Variant:
        """The files that give `scale` directly, or else the smallest multiple of it.

        Raises InvalidRequest when there are none.
        """
        usable = [one for one in self.variants if one.scale % scale == 0]
        if not usable:
            native = " and ".join(f"{one.scale}x" for one in self.variants)
            raise InvalidRequest(f"model: {self.name} enlarges {native} and cannot be used for {scale}x")
        return min(usable, key=lambda one: one.scale)


FAST = Network(
    name="fast",
    model="realesr-animevideov3",
    # Each of the 18 convolutions sees one pixel further, and so does the resize at the end of the 2x network.
    overlap=19,
    # Twice as high as wide: a chain works through it in strips, so height costs no cache and saves overlap.
    tile=(512, 256),
    variants=(Variant(2, "realesr-animevideov3-x2"), Variant(4, "realesr-animevideov3-x4")),
)
DETAIL = Network(
    name="detail",
    model="realesrgan-x4plus",
    # It sees so far that the full overlap would cost too much. On drawn pictures, one pixel in a thousand differed from
    # an untiled result by more than 9 to 14 levels, and the worst by 27. An overlap of 24 costs 1.3 times as much and
    # brings that down to 6 to 9 and 24; an overlap of 10 saves a fifth and brings it up to 15 to 18 and 37.
    overlap=16,
    tile=(96, 96),
    variants=(Variant(4, "realesrgan-x4plus"),),
)
