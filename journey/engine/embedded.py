"""The embedded engine as one object: networks, workers, task table and routes, built from the settings.

`app.py` runs it beside the pages and `python -m journey.engine` runs it alone.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path

import numpy as np
from starlette.routing import Route

from journey.engine import server
from journey.engine.jobs import Jobs, StoredPicture
from journey.engine.network import Network, find_networks, load
from journey.engine.upscaler import AHEAD, estimate_seconds, upscale
from journey.errors import CannotStart, Stopped
from journey.outside.door import Door
from journey.pictures import gallery, samples
from journey.pictures.checking import Decoder
from journey.processes import LOWEST, Workers
from journey.settings import Settings
from journey.storage.database import Database
from journey.storage.files import Files

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
        own_origins: Sequence[str] = (),
        on_end: Callable[[str], object] = lambda _: None,
    ) -> None:
        self.keys = engine_keys(settings)
        self.networks: dict[str, Network] = find_networks(settings.engine_models_dir, settings.engine_device)
        if settings.engine_model not in self.networks:
            raise CannotStart(f"JOURNEY_ENGINE_MODEL: must be one of {', '.join(sorted(self.networks))}.")
        self.default_network = settings.engine_model
        self._settings = settings
        self._workers: Executor | None = None
        self.jobs = Jobs(
            database,
            files,
            decoder,
            door,
            self._upscale,
            models={name: each.model for name, each in self.networks.items()},
            default_network=settings.engine_model,
            own_origins=own_origins,
            public_url=settings.public_url,
            max_bytes=settings.max_bytes,
            on_end=on_end,
        )
        self.routes: list[Route] = server.routes(self.jobs, keys=self.keys, public_url=settings.public_url)

    def start(self) -> None:
        """Warm up the tile workers and begin to work the queue."""
        self._workers = self._start_workers()
        self.jobs.start()

    def stop(self) -> None:
        self.jobs.stop()
        if self._workers is not None:
            self._workers.shutdown(wait=False, cancel_futures=True)
            self._workers = None

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

        def stored(name: str) -> StoredPicture:
            return StoredPicture(gallery.key_of(name), gallery.file_of(name))

        self.jobs.add_finished(
            SAMPLE_GRID_ID,
            model="journey-samples",
            pictures=[stored(part.name) for part in grid.parts],
            composed=stored(grid.name),
        )

    def estimate_seconds(self, width: int, height: int, network: str, scale: int) -> float:
        """Time for one picture of this size once it is its turn: as measured here, else as published."""
        speed = self.jobs.measured_speed(network, scale)
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
    """The keys that callers may send: those of the settings, else the one in the file, made when there is none."""
    return settings.engine_key or (key_file(settings.data_dir / "engine-key"),)


def key_file(path: Path) -> str:
    """A random secret that stays the same over restarts, in a file that only its owner can read."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f"{path.name}-") as fresh:
                fresh.write(secrets.token_urlsafe(24))
                fresh.flush()
                # A second process may be doing the same: the first one to get there wins, whole.
                with suppress(FileExistsError):
                    os.link(fresh.name, path)
        key = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CannotStart(
            f"The key file {path} cannot be used: {getattr(error, 'strerror', None) or error}."
        ) from error
    if not (key and key.isascii() and key.isprintable() and " " not in key):
        raise CannotStart(f"The key file {path} does not hold a key. Remove it, and a new one is made.")
    return key
