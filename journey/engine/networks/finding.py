"""Which networks there are: the bundled ones, and those of a folder, each tried once in a process of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from journey.engine.networks.ncnn_networks import Chain, broken, load_files, run, unavailable_reason
from journey.engine.networks.network import DETAIL, FAST, Device, Network, Variant
from journey.errors import CannotStart, JourneyError
from journey.processes import WorkerDied, Workers

PROBE_SIDE = 16
CUSTOM_TILE = (128, 128)
CUSTOM_OVERLAP = 24


def find_networks(models_dir: Path | None = None, device: Device = "auto") -> dict[str, Network]:
    """All networks by name: `fast`, `detail` and every `<name>.param` + `<name>.bin` of `models_dir`.

    Each network from the folder is tried on a small tile in a process of its own, to learn its scale.
    Raises CannotStart, which names the file that cannot be used.
    """
    found = [FAST, DETAIL] if unavailable_reason() is None else []
    if models_dir is not None:
        if not models_dir.is_dir():
            raise CannotStart(f"JOURNEY_ENGINE_MODELS_DIR: {models_dir} is not a folder.")
        found += _probed(models_dir)
    return {one.name: replace(one, device=device) for one in found}


def _probed(folder: Path) -> list[Network]:
    names = sorted({file.stem for file in folder.iterdir() if file.suffix in (".param", ".bin")})
    found = []
    # A broken file can bring down the process that loads it.
    probe = Workers(1)
    try:
        for name in names:
            if name in (FAST.name, DETAIL.name):
                raise CannotStart(f"JOURNEY_ENGINE_MODELS_DIR: the name {name} is taken; rename {name}.param and .bin.")
            probe.start()
            try:
                scale, reach = probe.submit(_probe, folder, name).result()
            except WorkerDied:
                raise CannotStart(broken(folder / f"{name}.param")) from None
            except JourneyError as error:
                raise CannotStart(f"JOURNEY_ENGINE_MODELS_DIR: {error}") from None
            overlap = CUSTOM_OVERLAP if reach is None else reach
            tile = CUSTOM_TILE if reach is None else FAST.tile
            found.append(Network(name, name, overlap, tile, (Variant(scale, name),), folder))
    finally:
        probe.stop()
    return found


def _probe(folder: Path, stem: str) -> tuple[int, int | None]:
    """The scale of a network, and how many pixels far it sees, when that is known."""
    loaded = load_files(folder, stem, "cpu")
    reach = loaded.graph.reach if isinstance(loaded, Chain) else None
    side = PROBE_SIDE + 2 * (reach or 0)
    result = loaded.run(np.zeros((side, side, 3), np.uint8), reach or 0, 1)
    scale, rest = divmod(result.shape[0], PROBE_SIDE)
    if rest or scale < 1 or result.shape != (scale * PROBE_SIDE, scale * PROBE_SIDE, 3):
        raise JourneyError(f"{stem}.param does not enlarge a picture by a whole factor.")
    return scale, reach


def load(network: Network, scale: int) -> None:
    """Load the network and run it once, so that the first tile is no slower than the others."""
    side = 2 * network.overlap + PROBE_SIDE
    run(network, scale, np.zeros((side, side, 3), np.uint8))
