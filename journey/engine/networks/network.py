"""A network that people can choose, and on what it runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from journey.api import networks as names
from journey.errors import InvalidRequest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels: TypeAlias = NDArray[np.uint8]
    """(height, width, 3) uint8 RGB."""

Device: TypeAlias = Literal["auto", "cpu", "gpu"]
Precision: TypeAlias = Literal["auto", "f32", "bf16"]
BackendName: TypeAlias = Literal["openvino", "ncnn"]


@dataclass(frozen=True)
class Hardware:
    """What a worker may compute with, as the settings say it.

    `share` of the usable processors is for one worker: 2 means half of them. The worker counts them itself, because it
    may run on another machine.
    """

    device: Device = "auto"
    precision: Precision = "auto"
    share: int = 1


@dataclass(frozen=True)
class Network:
    """A network that people can choose by `name`; `model` is its name on the wire.

    It multiplies both sides by `scale`. `file` lies in `folder`, or among the bundled networks when that is None; it is
    `<name>.onnx`, `<name>.param` with `<name>.bin` beside it, or the `.npz` of faithful.

    A tile covers at most `tile` (height, width) source pixels and needs `overlap` more on every
    side as context; its sides with context are multiples of `multiple`.
    `backend` is the only one that can run it; None where any can. `halving` says how 2x is made out of 4x.
    """

    name: str
    model: str
    file: str
    scale: int
    overlap: int
    tile: tuple[int, int]
    multiple: int = 1
    folder: Path | None = None
    backend: BackendName | None = None
    halving: Literal["area", "bicubic"] = "area"
    hardware: Hardware = Hardware()

    def divisor(self, scale: int) -> int:
        """By how much a result has to be reduced to be `scale` times its source.

        Raises InvalidRequest when that is no whole number.
        """
        divisor, rest = divmod(self.scale, scale)
        if rest or not divisor:
            raise InvalidRequest(f"model: {self.name} enlarges {self.scale}x and cannot be used for {scale}x")
        return divisor

    def window(self, height: int, width: int) -> tuple[int, int]:
        """The sides, with context, of tiles that share a picture of this size evenly.

        All tiles of a picture have the same shape, because a network is compiled for one shape. A thin last tile would
        cost as much as a full one.
        """

        def side(length: int, largest: int) -> int:
            tile = -(-length // -(-length // largest))
            return -(-(tile + 2 * self.overlap) // self.multiple) * self.multiple

        return side(height, self.tile[0]), side(width, self.tile[1])


FAST = Network(
    name=names.FAST,
    model="realesr-animevideov3",
    file="REALESRGAN_ANIMAVIDEOV3_UP4X.param",
    scale=4,
    # Each of the 18 convolutions sees one pixel further, and so does the halving to 2x; the tone match needs what they
    # give for 20 more. With 40 and sides that are multiples of 4, its samples lie at the same places in every tile.
    overlap=40,
    tile=(256, 512),
    multiple=4,
    # As the network's authors publish its 2x.
    halving="bicubic",
)
DETAIL = Network(
    name=names.DETAIL,
    model="realesrgan-x4plus",
    file="REALESRGAN_X4PLUS_UP4X.param",
    scale=4,
    # It sees so far that the full overlap would cost too much. docs/performance.md says what is left to see of a seam.
    overlap=16,
    tile=(128, 128),
    multiple=8,
)
FAITHFUL = Network(
    name=names.FAITHFUL,
    model="dat-light",
    file="DAT_light_x4.npz",
    scale=4,
    # Seams are then no larger than what the choice of tiles changes anywhere else in the picture: 0.1 to 0.15 level.
    overlap=16,
    tile=(128, 128),
    multiple=32,
    backend="openvino",
)
CLEANERS = tuple(
    Network(
        name=f"cleaner-{level}",
        model=f"waifu2x-cunet-{level}",
        file=f"WAIFU2X_CUNET_UP1X_DENOISE{level}X.param",
        scale=1,
        # It takes 28 pixels off each side.
        overlap=28,
        tile=(128, 128),
        multiple=4,
    )
    for level in (0, 1)
)
"""What takes the traces of JPEG out of a picture before `faithful` sees it: faint ones, and plain ones."""
