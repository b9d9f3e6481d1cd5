"""How one picture is enlarged: the networks that work on its tiles, and what was decided for the whole of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from journey.api.networks import blend, strength_of
from journey.engine.networks.network import CLEANERS, DETAIL, FAITHFUL, Network
from journey.errors import InvalidRequest
from journey.pictures import traits
from journey.pictures.rows import Rows


@dataclass(frozen=True)
class Recipe:
    """All that decides the pixels of a result, besides the picture itself.

    `network` makes `strength` percent of the result, and `softer` the rest. `cleaner` takes the traces of JPEG out of
    what `faithful` sees. `is_neutral`: the picture is grey, so the result is.
    """

    network: Network
    strength: int = 100
    softer: Network | None = None
    cleaner: Network | None = None
    is_neutral: bool = False

    @property
    def name(self) -> str:
        """What people choose and the wire says: `detail`, or `detail-50` for half of it."""
        return self.network.name if self.softer is None else blend(self.strength)

    @property
    def model(self) -> str:
        """What the wire says has run: `dat-light`, or `realesrgan-x4plus + dat-light after waifu2x-cunet-1`."""
        enlarged_by = " + ".join(network.model for network in self.networks)
        return f"{enlarged_by} after {self.cleaner.model}" if self.cleaner else enlarged_by

    @property
    def networks(self) -> tuple[Network, ...]:
        """Those that enlarge."""
        return (self.network,) if self.softer is None else (self.network, self.softer)

    @property
    def margin(self) -> int:
        """Source pixels around a tile that only the cleaner needs."""
        return self.cleaner.overlap if self.cleaner else 0

    @property
    def overlap(self) -> int:
        """Source pixels around a tile that are context only."""
        return self._grid.overlap + self.margin

    def window(self, height: int, width: int) -> tuple[int, int]:
        """The sides, with context, of the tiles that share a picture of this size evenly."""
        down, across = self._grid.window(height, width)
        return down + 2 * self.margin, across + 2 * self.margin

    @property
    def _grid(self) -> Network:
        # The networks of a blend see as far and have tiles as large, but faithful is pickier about their sides.
        return self.softer or self.network


def recipe(name: str, networks: Mapping[str, Network]) -> Recipe:
    """What a name stands for: a network, or `detail-NN`, NN percent of detail and the rest faithful.

    Raises InvalidRequest, which says which names there are.
    """
    if name in networks:
        return Recipe(networks[name])
    strength = strength_of(name)
    if strength and {DETAIL.name, FAITHFUL.name} <= networks.keys():
        return Recipe(networks[DETAIL.name], strength, networks[FAITHFUL.name])
    blend = f", or {DETAIL.name}-1 to {DETAIL.name}-99" if FAITHFUL.name in networks else ""
    raise InvalidRequest(f"model: must be one of {', '.join(sorted(networks))}{blend}")


def decided(chosen: Recipe, picture: Rows) -> Recipe:
    """The same with what the picture needs: grey kept grey, and traces of JPEG cleaned before `faithful`.

    It is decided once for the whole picture, so that each tile of it is made the same way.
    """
    if FAITHFUL.name not in {network.name for network in chosen.networks}:
        return replace(chosen, is_neutral=traits.is_neutral(picture))
    found = traits.of_rows(picture)
    level = found.jpeg_traces
    cleaner = None if level is None else replace(CLEANERS[level], hardware=chosen.network.hardware)
    return replace(chosen, cleaner=cleaner, is_neutral=found.is_neutral)
