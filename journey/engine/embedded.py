"""The embedded engine as one object: networks, workers, tasks and routes, built from the settings."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from starlette.routing import Route

from journey.background import Loop
from journey.engine import server
from journey.engine.deliveries import Deliveries
from journey.engine.networks.finding import find_networks
from journey.engine.networks.network import CLEANERS, FAITHFUL, Hardware, Network
from journey.engine.networks.recipes import Recipe, recipe
from journey.engine.networks.running import warm_up
from journey.engine.pieces import Pieces
from journey.engine.queue import Choice, Queue
from journey.engine.speeds import Speeds
from journey.engine.tasks import Tasks
from journey.engine.upscaler import tiles_to_fill, upscale
from journey.errors import CannotStart, InvalidRequest, JourneyError, Stopped
from journey.outside.door import Door
from journey.pictures import gallery, samples
from journey.pictures.checking import Decoder
from journey.pictures.rows import Rows
from journey.processes import LOWEST, Workers
from journey.settings import Settings
from journey.storage.database import Database
from journey.storage.files import Files
from journey.storage.keys import key_file
from journey.storage.stored import Origins

if TYPE_CHECKING:
    from journey.engine.cluster import Cluster

log = logging.getLogger(__name__)

SAMPLE_GRID_ID = "sample-grid"
SPEEDS_FILE = "engine-speeds.json"
TILE_SECONDS = 600.0
"""After how long a worker that has not finished a tile is ended. The slowest network may take a minute."""
_BETWEEN_MEASUREMENTS = 2.0
_IDLE_SECONDS = 3600.0


class EmbeddedEngine:
    """Its routes answer in every process; the one that holds the worker lock also calls `start`."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        files: Files,
        decoder: Decoder,
        door: Door,
        *,
        origins: Origins,
        on_move: Callable[[str], object] = lambda _: None,
    ) -> None:
        self.keys = engine_keys(settings)
        hardware = Hardware(settings.engine_device, settings.engine_precision, settings.engine_workers)
        found = find_networks(settings.engine_models_dir, hardware)
        self.networks = found.networks
        self.network_problems = tuple(found.problems.values())
        """Why networks cannot be used, a sentence for each."""
        for problem in self.network_problems:
            log.warning("%s", problem)
        self.default_network = found.chosen(settings.engine_model).name
        self.default_is_set = "engine_model" in settings.model_fields_set
        """A setting says which network is the usual one, so none is proposed for each picture."""
        self._speeds = Speeds(settings.data_dir / SPEEDS_FILE)
        self._settings = settings
        self._workers: Workers | Cluster | None = None
        self._tasks = Tasks(database, on_move=on_move)
        self._queue = Queue(
            self._tasks,
            files,
            decoder,
            door,
            self._upscale,
            Choice(self.networks, settings.engine_model),
            origins=origins,
            max_bytes=settings.max_bytes,
            places=lambda: tiles_to_fill(self._worker_count),
        )
        self._deliveries = Deliveries(self._tasks, door)
        self.pieces = Pieces(decoder, files, self.networks, lambda: self._workers)
        self._unmeasured = deque([*(self.networks[name] for name in self.network_names), *self._cleaners()])
        self._measuring = Loop("engine-speeds", self._measure_next)
        self.routes: list[Route] = server.routes(
            self._queue, self._tasks, keys=self.keys, public_url=settings.public_url
        )

    def start(self) -> None:
        """Warm up the tile workers, and start the queue and the webhooks."""
        self._workers = tile_workers(self._settings, self.networks, self.default_network)
        self._queue.start()
        self._deliveries.start()
        self._measuring.start()

    def stop(self) -> None:
        self._deliveries.stop()
        self.pieces.stop()
        self._queue.stop()
        self._measuring.stop(0)
        workers, self._workers = self._workers, None
        if workers is not None:
            workers.shutdown(wait=False, cancel_futures=True)

    @property
    def is_failing(self) -> bool:
        """True when its queue does not move, or a worker hangs."""
        return self._queue.is_failing or getattr(self._workers, "is_stuck", False)

    @property
    def trouble(self) -> str | None:
        """Why its tasks wait, in words: its scheduler is away, or the disk is full. None in other processes."""
        return self._queue.trouble

    @property
    def is_busy(self) -> bool:
        """True while a task is under way or waits."""
        return self._tasks.oldest_active() is not None

    def _cleaners(self) -> Iterator[Network]:
        if FAITHFUL.name in self.networks:
            yield from (replace(each, hardware=self.networks[FAITHFUL.name].hardware) for each in CLEANERS[:1])

    def _measure_next(self) -> float:
        """Measure a network unless that was done, the default one first; nobody's picture has to wait for it."""
        workers = self._workers
        if workers is None or not self._unmeasured:
            return _IDLE_SECONDS
        if not self.is_busy:
            network = self._unmeasured.popleft()
            try:
                self._speeds.measure(network, workers)
            except (JourneyError, OSError, RuntimeError, CancelledError) as error:
                if self._workers is workers:  # else they were stopped
                    log.warning("The speed of the network %s is not known: %s", network.name, error)
        return _BETWEEN_MEASUREMENTS

    def add_sample_grid(self) -> None:
        """Offer the sample grid as a finished task, once its pictures are there."""
        grid = samples.GRID

        self._tasks.add_finished(
            SAMPLE_GRID_ID,
            model="journey-samples",
            pictures=[gallery.stored(part.name) for part in grid.parts],
            composed=gallery.stored(grid.name),
        )

    def estimate_seconds(self, width: int, height: int, network: str | None, scale: int) -> float:
        """Seconds for one picture of this size in pixels once its turn comes: as measured here, else as published.

        A network that is not there any more counts as the default one.
        """
        try:
            chosen = recipe(network or self.default_network, self.networks)
        except InvalidRequest:
            chosen = recipe(self.default_network, self.networks)
        known = [self._speeds.of(each.name) for each in chosen.networks]
        # Tasks that something else has run say nothing about what runs it now.
        since = max((each.measured_at for each in known if each), default=0.0)
        speed = self._tasks.measured_speed(chosen.name, scale, since=since)
        if speed:
            return width * height / speed
        return self._speeds.estimate(chosen, width, height, workers=self._worker_count)

    def piece_seconds(self, names: Iterable[str]) -> float:
        """About how many seconds one piece by each of these networks takes, all together."""
        chosen = [recipe(name, self.networks) for name in names]
        return sum(self._speeds.estimate(each, *reversed(each.networks[0].tile), workers=1) for each in chosen)

    @property
    def _worker_count(self) -> int:
        return self._workers.count if self._workers else self._settings.engine_workers

    @property
    def network_names(self) -> list[str]:
        """The default one first."""
        default = recipe(self.default_network, self.networks).network.name
        return sorted(self.networks, key=lambda name: (name != default, name))

    @property
    def runs_on(self) -> str | None:
        """What runs the default network here, in words; None until it has been measured."""
        known = self._speeds.of(recipe(self.default_network, self.networks).network.name)
        return known.runs_on if known else None

    def _upscale(
        self,
        picture: Rows,
        chosen: Recipe,
        scale: int,
        *,
        on_progress: Callable[[int, int], None],
        should_stop: Callable[[], bool],
        on_left: Callable[[int], object],
    ) -> Iterator[np.ndarray]:
        if self._workers is None:
            raise Stopped("The engine was stopped.")
        return upscale(
            picture,
            chosen,
            scale,
            workers=self._workers,
            on_progress=on_progress,
            should_stop=should_stop,
            on_left=on_left,
            ahead=tiles_to_fill(self._worker_count),
        )


def tile_workers(settings: Settings, networks: Mapping[str, Network], default: str) -> Workers | Cluster:
    """What runs tiles, started: processes that have the default network loaded, or a cluster. Raises CannotStart."""
    if settings.engine_scheduler:
        return _cluster(settings.engine_scheduler, networks.values())
    workers = Workers(
        settings.engine_workers,
        nice=LOWEST,
        seconds=TILE_SECONDS,
        initializer=warm_up,
        initargs=(recipe(default, networks).network,),
    )
    workers.start()
    return workers


def _cluster(scheduler: str, networks: Iterable[Network]) -> Cluster:
    try:
        from journey.engine.cluster import Cluster
    except ImportError as error:
        raise CannotStart("JOURNEY_ENGINE_SCHEDULER needs the extra `cluster` (make run EXTRAS=cluster).") from error
    return Cluster(scheduler, networks)


def engine_keys(settings: Settings) -> tuple[str, ...]:
    """The keys that callers may send: those from the settings, else the one in a file, which is made when missing."""
    return settings.engine_key or (key_file(settings.data_dir / "engine-key"),)
