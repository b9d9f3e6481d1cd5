"""One tile in, one tile out: what worker processes do."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from journey.engine.networks import bundled
from journey.engine.networks.backends import Enlarge, backend_for, describe
from journey.engine.networks.network import Network
from journey.errors import JourneyError

if TYPE_CHECKING:
    from journey.engine.networks.network import Pixels

CARRIED = "JOURNEY_CARRIED_NETWORKS"
"""In the environment of a worker on another machine: the folder of the networks that were sent there."""


def run(network: Network, scale: int, tile: Pixels) -> Pixels:
    """Enlarge one tile by `scale`: (H, W, 3) uint8, of which the outer `network.overlap` pixels are context only.

    Returns (scale * (H - 2 * overlap), scale * (W - 2 * overlap), 3) uint8. The network stays loaded for the next tile
    of the same shape. Raises JourneyError when its files are missing or broken.
    """
    divisor = network.divisor(scale)
    large = _loaded(network, tile.shape[0], tile.shape[1])(tile)
    edge = network.overlap * network.scale
    if divisor == 1:
        return large[edge : large.shape[0] - edge, edge : large.shape[1] - edge]
    if network.halving == "bicubic" and divisor == 2:
        return _halved(large[edge - 2 : large.shape[0] - edge + 2, edge - 2 : large.shape[1] - edge + 2])
    inner = large[edge : large.shape[0] - edge, edge : large.shape[1] - edge]
    return np.asarray(Image.fromarray(np.ascontiguousarray(inner)).reduce(divisor))


def warm_up(network: Network) -> None:
    """Load the network for tiles of its usual size, so that the first one is no slower than others."""
    load(network, *network.window(*network.tile))


def load(network: Network, height: int, width: int) -> None:
    """Make the network ready for tiles of these sides, with context."""
    _loaded(network, height, width)


def how_it_runs(network: Network) -> str:
    """`OpenVINO, bfloat16`: what this process runs the network with, for people."""
    return describe(backend_for(network.hardware, network.backend))


# Weights of detail take hundreds of megabytes, so only what is in use stays: two, because a batch may hold pictures of
# two shapes.
@functools.lru_cache(maxsize=2)
def _loaded(network: Network, height: int, width: int) -> Enlarge:
    try:
        return backend_for(network.hardware, network.backend).load(_file(network), height, width)
    except NotImplementedError as error:
        raise JourneyError(f"The network {network.name} cannot be used: {error}.") from error


def _file(network: Network) -> Path:
    if network.folder is None:
        return bundled.folder() / network.file
    here = network.folder / network.file
    carried = os.environ.get(CARRIED)
    return here if here.is_file() or not carried else Path(carried) / network.file


def _halved(large: Pixels) -> Pixels:
    """Half as many pixels across and down, by bicubic interpolation; the outer 2 pixels of `large` are context only.

    Halfway between pixels, the four weights are -3, 19, 19 and -3 of 32 (sharpness -0.75).
    """
    wide = large.astype(np.int16)
    rows = 19 * (wide[2:-2:2] + wide[3:-1:2]) - 3 * (wide[1:-3:2] + wide[4::2])
    columns = 19 * (rows[:, 2:-2:2].astype(np.int32) + rows[:, 3:-1:2]) - 3 * (
        rows[:, 1:-3:2].astype(np.int32) + rows[:, 4::2]
    )
    halved: Pixels = np.clip((columns + 512) >> 10, 0, 255).astype(np.uint8)
    return halved
