"""Tiles on a real Dask cluster: a scheduler and two workers, each a process of its own."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import wait
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from distributed import Client

from journey.engine import cluster as cluster_module
from journey.engine.cluster import Cluster, ClusterAway, ClusterUnfit
from journey.engine.networks.finding import find_networks
from journey.engine.networks.network import FAST, Hardware
from journey.engine.networks.recipes import Recipe
from journey.engine.upscaler import upscale
from journey.errors import JourneyError
from journey.pictures.checking import Decoder
from journey.pictures.rows import ArrayRows
from tests.engine.test_networks import exported, soft_noise
from tests.engine.test_together import Engine
from tests.harness.engines import gradient
from tests.harness.servers import scheduler, worker
from tests.harness.services import Service
from tests.harness.standing import Inline, wait_for

SMALL_TILES = replace(FAST, tile=(40, 56), hardware=Hardware("cpu", "f32", share=2))


@contextmanager
def two_workers(folder: Path) -> Iterator[tuple[str, list[Service]]]:
    with ExitStack() as stack:
        service, address = scheduler(folder)
        stack.enter_context(service)
        workers = [stack.enter_context(worker(address, name, folder)) for name in ("one", "two")]
        client = stack.enter_context(Client(address, timeout="30s", set_as_default=False))  # type: ignore[no-untyped-call]
        client.wait_for_workers(2, timeout=60)  # type: ignore[no-untyped-call]
        yield address, workers


def enlarged(picture: np.ndarray, network=SMALL_TILES, workers=None, on_progress=None):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    bands = upscale(
        ArrayRows(picture),
        Recipe(network),
        network.scale,
        workers=workers or Inline(),
        on_progress=on_progress or (lambda done, total: None),
        should_stop=lambda: False,
        ahead=4,
    )
    return np.concatenate(list(bands))


def test_a_worker_killed_in_mid_job_costs_only_its_tiles(tmp_path: Path) -> None:
    """When one of two workers is killed, the other does its tiles as well, and the picture is the same."""
    picture = soft_noise(160, 224)
    with two_workers(tmp_path) as (address, workers):
        pool = Cluster(address, [])

        def kill(done: int, _: int) -> None:
            if done == 4:
                workers[0].stop(signal.SIGKILL)

        made = enlarged(picture, workers=pool, on_progress=kill)
        assert 1 == pool.count
        pool.shutdown()
        with pytest.raises(RuntimeError):
            pool.submit(os.getpid)
    assert np.array_equal(enlarged(picture), made)


def test_two_tasks_share_a_cluster(tmp_path: Path, decoder: Decoder) -> None:
    """The tiles of a second task fill what the first leaves free, and each result is that of the task alone."""
    engine = Engine(tmp_path / "engine", decoder)
    sources = [engine.store(gradient(16, side)) for side in (40, 12)]
    both = [engine.order(image_url=source) for source in sources]
    with two_workers(tmp_path) as (address, _):
        engine.workers = pool = Cluster(address, [])
        engine.queue.start()
        wait_for(lambda: engine.states(*both) == ["processing"] * 2)
        wait_for(lambda: engine.states(*both) == ["finished"] * 2)
        engine.queue.stop()
        pool.shutdown()
    for source, task_id in zip(sources, both, strict=True):
        assert np.array_equal(engine.alone(source), engine.result(task_id))
    engine.database.close()


def test_the_files_of_a_network_travel(tmp_path: Path) -> None:
    """A network of the models folder runs on workers that do not see that folder, also on those that join later."""
    folder = tmp_path / "models"
    folder.mkdir()
    exported(folder / "blocks.onnx", 2)
    blocks = find_networks(folder, Hardware("cpu")).networks["blocks"]
    picture = soft_noise(90, 120)
    service, address = scheduler(tmp_path)
    with service, worker(address, "one", tmp_path) as first:
        pool = Cluster(address, [blocks])
        pool.submit(os.getpid).result(60)
        (folder / "blocks.onnx").unlink()
        assert np.array_equal(picture.repeat(2, 0).repeat(2, 1), enlarged(picture, blocks, pool))
        first.stop(signal.SIGKILL)
        with worker(address, "two", tmp_path):
            assert np.array_equal(picture.repeat(2, 0).repeat(2, 1), enlarged(picture, blocks, pool))
        pool.shutdown()


def test_a_scheduler_that_is_away_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a scheduler a tile fails with a sentence that names the setting."""
    monkeypatch.setattr(cluster_module, "CONNECT_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
    pool = Cluster(address, [])
    with pytest.raises(JourneyError, match="JOURNEY_ENGINE_SCHEDULER: no Dask scheduler answers"):
        enlarged(soft_noise(8, 8), workers=pool)
    pool.shutdown()


def test_a_scheduler_that_goes_away_in_mid_job_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the scheduler dies under the work, the work ends with a sentence and does not hang."""
    monkeypatch.setattr(cluster_module, "CONNECT_SECONDS", 1)
    with ExitStack() as stack:
        outer = stack.enter_context(ExitStack())
        address, _ = outer.enter_context(two_workers(tmp_path))
        pool = Cluster(address, [])

        def end(done: int, _: int) -> None:
            if done == 2:
                outer.close()

        with pytest.raises(JourneyError, match="JOURNEY_ENGINE_SCHEDULER"):
            enlarged(soft_noise(160, 224), workers=pool, on_progress=end)
        pool.shutdown()


def test_no_job_waits_for_ever_when_the_scheduler_dies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a job waits for when the scheduler dies, its result on the way included, it ends, and says why."""
    monkeypatch.setattr(cluster_module, "CONNECT_SECONDS", 1)
    service, address = scheduler(tmp_path)
    with service, worker(address, "one", tmp_path):
        pool = Cluster(address, [])
        jobs = [pool.submit(abs, -number) for number in range(400)]
        jobs[40].result(60)
        service.stop(signal.SIGKILL)
        assert not wait(jobs, timeout=30).not_done
        assert {type(None), ClusterAway} >= {type(job.exception()) for job in jobs}
        pool.shutdown()


def test_versions_that_do_not_fit_are_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker with another version of what makes the picture is refused, and the sentence says which."""
    wanted = cluster_module.versions() | {"OpenVINO": "1999.1"}
    monkeypatch.setattr(cluster_module, "versions", lambda: wanted)
    with two_workers(tmp_path) as (address, _):
        pool = Cluster(address, [])
        with pytest.raises(ClusterUnfit, match=r"has OpenVINO .*, and the studio 1999\.1"):
            pool.submit(os.getpid)
        pool.shutdown()
