"""One network, one tile: what is loaded in a worker process, and stays loaded."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING

from journey.engine.networks import bundled
from journey.engine.networks.backends import Enlarge, backend_for, describe
from journey.engine.networks.network import Network
from journey.errors import JourneyError

if TYPE_CHECKING:
    from journey.engine.networks.network import Pixels

CARRIED = "JOURNEY_CARRIED_NETWORKS"
"""In the environment of a worker on another machine: the folder of the networks that were sent there."""


def run(network: Network, tile: Pixels) -> Pixels:
    """What the network makes of a whole tile of this shape, (H, W, 3) uint8: (scale * H, scale * W, 3) uint8.

    A cleaner, whose scale is 1, takes its overlap off each side. The network stays loaded for the next tile of the same
    shape. Raises JourneyError when its files are missing or broken.
    """
    return _loaded(network, tile.shape[0], tile.shape[1])(tile)


def warm_up(network: Network) -> None:
    """Load the network for tiles of its usual size, so that the first one is no slower than others."""
    load(network, *network.window(*network.tile))


def load(network: Network, height: int, width: int) -> None:
    """Make the network ready for tiles of these sides, with context."""
    _loaded(network, height, width)


def how_it_runs(network: Network) -> str:
    """`OpenVINO, bfloat16`: what this process runs the network with, for people."""
    return describe(backend_for(network.hardware, network.backend))


# Weights of detail take hundreds of megabytes, so only what is in use stays: three, for a blend of two networks with a
# cleaner, or pictures of several shapes.
@functools.lru_cache(maxsize=3)
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
