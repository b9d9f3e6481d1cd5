"""The embedded engine as one object: networks, workers, tasks and routes, built from the settings."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor

import numpy as np
from starlette.routing import Route

from journey.engine import server
from journey.engine.deliveries import Deliveries
from journey.engine.networks.finding import find_networks, load
from journey.engine.networks.network import Network
from journey.engine.queue import Choice, Queue
from journey.engine.tasks import Tasks
from journey.engine.upscaler import AHEAD, estimate_seconds, upscale
from journey.errors import CannotStart, Stopped
from journey.outside.door import Door
from journey.pictures import gallery, samples
from journey.pictures.checking import Decoder
from journey.processes import LOWEST, Workers
from journey.settings import Settings
from journey.storage.database import Database
from journey.storage.files import Files
from journey.storage.keys import key_file
from journey.storage.stored import Origins

SAMPLE_GRID_ID = "sample-grid"


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
        on_end: Callable[[str], object] = lambda _: None,
    ) -> None:
        self.keys = engine_keys(settings)
        self.networks: dict[str, Network] = find_networks(settings.engine_models_dir, settings.engine_device)
        if settings.engine_model not in self.networks:
            raise CannotStart(f"JOURNEY_ENGINE_MODEL: must be one of {', '.join(sorted(self.networks))}.")
        self.default_network = settings.engine_model
        self._settings = settings
        self._workers: Executor | None = None
        self._tasks = Tasks(database, on_end=on_end)
        self._queue = Queue(
            self._tasks,
            files,
            decoder,
            door,
            self._upscale,
            Choice({name: each.model for name, each in self.networks.items()}, settings.engine_model),
            origins=origins,
            max_bytes=settings.max_bytes,
        )
        self._deliveries = Deliveries(self._tasks, door)
        self.routes: list[Route] = server.routes(
            self._queue, self._tasks, keys=self.keys, public_url=settings.public_url
        )

    def start(self) -> None:
        """Warm up the tile workers, and start the queue and the webhooks."""
        self._workers = self._start_workers()
        self._queue.start()
        self._deliveries.start()

    def stop(self) -> None:
        self._deliveries.stop()
        self._queue.stop()
        if self._workers is not None:
            self._workers.shutdown(wait=False, cancel_futures=True)
            self._workers = None

    @property
    def is_failing(self) -> bool:
        """True when its queue does not move."""
        return self._queue.is_failing

    def _start_workers(self) -> Executor:
        if self._settings.engine_scheduler:
            return _cluster(self._settings.engine_scheduler)
        workers = Workers(
            self._settings.engine_workers,
            nice=LOWEST,
            initializer=load,
            initargs=(self.networks[self.default_network], 4),
        )
        workers.start()
        return workers

    def add_sample_grid(self) -> None:
        """Offer the sample grid as a finished task, once its pictures are there."""
        grid = samples.GRID

        self._tasks.add_finished(
            SAMPLE_GRID_ID,
            model="journey-samples",
            pictures=[gallery.stored(part.name) for part in grid.parts],
            composed=gallery.stored(grid.name),
        )

    def estimate_seconds(self, width: int, height: int, network: str, scale: int) -> float:
        """Seconds for one picture of this size in pixels once its turn comes: as measured here, else as published."""
        speed = self._tasks.measured_speed(network, scale)
        if speed:
            return width * height / speed
        return estimate_seconds(width, height, network, scale, self._settings.engine_workers)

    def _upscale(
        self,
        picture: np.ndarray,
        network: str,
        scale: int,
        *,
        on_progress: Callable[[int, int], None],
        should_stop: Callable[[], bool],
    ) -> np.ndarray:
        if self._workers is None:
            raise Stopped("The engine was stopped.")
        return upscale(
            picture,
            self.networks[network],
            scale,
            workers=self._workers,
            on_progress=on_progress,
            should_stop=should_stop,
            # Two for each worker, so that none waits for its next tile.
            ahead=max(AHEAD, 2 * self._settings.engine_workers),
        )


def _cluster(scheduler: str) -> Executor:
    """The workers of a Dask cluster as an Executor. Raises CannotStart."""
    try:
        from distributed import Client
    except ImportError as error:
        raise CannotStart("JOURNEY_ENGINE_SCHEDULER needs the extra `cluster`: pip install '.[cluster]'.") from error
    try:
        executor: Executor = Client(scheduler, timeout="10s").get_executor()
    except (OSError, TimeoutError, ValueError) as error:
        raise CannotStart(f"JOURNEY_ENGINE_SCHEDULER: no scheduler answers there ({type(error).__name__}).") from error
    return executor


def engine_keys(settings: Settings) -> tuple[str, ...]:
    """The keys that callers may send: those from the settings, else the one in a file, which is made when missing."""
    return settings.engine_key or (key_file(settings.data_dir / "engine-key"),)
