"""How fast this machine is: measured once with a small tile, kept in a file, and read by every process."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from journey.engine.networks.network import Network
from journey.engine.networks.recipes import Recipe
from journey.engine.networks.running import how_it_runs, load, run
from journey.engine.upscaler import tile_count

_UNMEASURED = {"fast": 8e-6, "detail": 2.8e-4, "faithful": 6e-5, "cleaner-0": 6e-6}
"""Seconds for a source pixel with its context until this machine was measured: those of two cores of an AVX2 server
processor (EPYC, third generation, 2.4 GHz) in float32. Networks of a folder are assumed to be as slow as detail."""

_QUICK_SECONDS = 0.5


@dataclass(frozen=True)
class Speed:
    """What runs a network here, as words for people; the share of the processors that one worker had; its seconds for
    one pixel of a tile with its context; and when that was measured, in seconds since 1970."""

    runs_on: str
    share: int
    seconds_per_pixel: float
    measured_at: float


class Speeds:
    """The speeds of all networks, in a file."""

    def __init__(self, file: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._file = file
        self._clock = clock

    def of(self, network: str) -> Speed | None:
        """None while it is not known."""
        return self._read().get(network)

    def measure(self, network: Network, workers: Executor) -> None:
        """Measure a network, unless that was done with what runs it now."""
        runs_on = workers.submit(how_it_runs, network).result()
        known = self.of(network.name)
        share = network.hardware.share
        if known is None or (known.runs_on, known.share) != (runs_on, share):
            seconds = workers.submit(seconds_per_pixel, network).result()
            self._keep(network.name, Speed(runs_on, share, seconds, self._clock()))

    def estimate(self, chosen: Recipe, width: int, height: int, *, workers: int) -> float:
        """About how many seconds a picture of this size in pixels takes, with so many workers."""
        each = sum(map(self._seconds_per_pixel, chosen.networks))
        down, across = chosen.window(height, width)
        turns = -(-tile_count(width, height, chosen) // workers)
        return turns * down * across * each

    def _seconds_per_pixel(self, network: Network) -> float:
        if known := self.of(network.name):
            return known.seconds_per_pixel
        return _UNMEASURED.get(network.name, _UNMEASURED["detail"]) * network.hardware.share

    def _read(self) -> dict[str, Speed]:
        try:
            return {name: Speed(**values) for name, values in json.loads(self._file.read_text("utf-8")).items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}  # not written yet, or by another version

    def _keep(self, network: str, speed: Speed) -> None:
        speeds = {name: asdict(each) for name, each in (self._read() | {network: speed}).items()}
        beside = self._file.with_name(f"{self._file.name}.new")
        beside.write_text(json.dumps(speeds, indent=1), "utf-8")
        beside.replace(self._file)


def seconds_per_pixel(network: Network) -> float:
    """Run a small tile, in a worker: a second time if the first was quick, because that includes getting ready."""
    height, width = network.window(-(-network.tile[0] // 4), -(-network.tile[1] // 4))
    load(network, height, width)
    tile = np.full((height, width, 3), 127, np.uint8)
    started = time.perf_counter()
    run(network, tile)
    seconds = time.perf_counter() - started
    if seconds < _QUICK_SECONDS:
        started = time.perf_counter()
        run(network, tile)
        seconds = time.perf_counter() - started
    return seconds / (height * width)
