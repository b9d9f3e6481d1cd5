"""The upscaler as the engine runs it: tiles with exact seams, in a warm worker process, and the studio over HTTP."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

from bench.table import Measure, seconds
from journey.engine.networks.network import Network
from journey.engine.networks.recipes import Recipe
from journey.engine.networks.running import how_it_runs, load
from journey.engine.upscaler import upscale
from journey.pictures.rows import ArrayRows
from journey.processes import Workers
from tests.harness.studios import Shelf, Studio, free_port

PATIENCE_SECONDS = 3600


@contextmanager
def one_worker() -> Iterator[Workers]:
    """A worker process as the studio has one, but with the priority that peers have."""
    workers = Workers(1)
    workers.start()
    try:
        workers.ready()
        yield workers
    finally:
        workers.stop()


def bands(picture: np.ndarray, recipe: Recipe, workers: Workers) -> Iterator[np.ndarray]:
    return upscale(
        ArrayRows(picture),
        recipe,
        4,
        workers=workers,
        on_progress=lambda done, total: None,
        should_stop=lambda: False,
    )


def enlarged(picture: np.ndarray, network: Network, workers: Workers) -> np.ndarray:
    return np.concatenate(list(bands(picture, Recipe(network), workers)))


@contextmanager
def inference(picture: np.ndarray, network: Network) -> Iterator[tuple[str, Measure]]:
    """What runs the network here, and a measure of the seconds for the picture, its rows taken as they come."""
    with one_worker() as workers:
        workers.submit(load, network, *network.window(*picture.shape[:2])).result()

        def work() -> None:
            for _ in bands(picture, Recipe(network), workers):
                pass

        yield workers.submit(how_it_runs, network).result(), seconds(work)


@contextmanager
def orders(picture: Image.Image) -> Iterator[Measure]:
    """A studio, and a measure of the seconds from an order of the picture over HTTP until its result is stored."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        with Shelf(data) as shelf:
            source = shelf.keep("picture.png", picture)
        studio = Studio(data, free_port(), {})
        studio.start()
        try:
            with httpx.Client(
                base_url=f"{studio.url}/api/v1/", headers={"Authorization": studio.key}, trust_env=False
            ) as http:

                def work() -> None:
                    order = {"type": "4x", "model": "fast", "image_url": source.url(studio.url)}
                    task = http.post("upscale-2x-4x", json=order).raise_for_status().json()["task_id"]
                    until(lambda: _is_finished(http, task))

                work()
                yield seconds(work)
        finally:
            studio.stop()


def _is_finished(http: httpx.Client, task: str) -> bool:
    status: str = http.post("fetch", json={"task_id": task}).raise_for_status().json()["status"]
    assert status != "failed", "the order failed"
    return status == "finished"


def until(is_so: Callable[[], bool], *, every: float = 0.05) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(every)
