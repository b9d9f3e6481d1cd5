"""Tiles on a Dask cluster: its workers as an Executor that has the networks and speaks in sentences."""

from __future__ import annotations

import asyncio
import os
import platform
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from distributed import Client, KilledWorker, WorkerPlugin

from journey.engine.networks import bundled
from journey.engine.networks.backends import unavailable_reason
from journey.engine.networks.network import Network
from journey.engine.networks.running import CARRIED
from journey.errors import JourneyError, WorkersAway

P = ParamSpec("P")
T = TypeVar("T")

CONNECT_SECONDS = 10
FETCH_SECONDS = 60
"""For the pixels of one tile to come from the worker that has them."""

_GONE = (OSError, TimeoutError, CancelledError, asyncio.CancelledError, RuntimeError)
"""What Dask raises when the scheduler goes away: by the moment, another one of these."""

_FOLDER = "journey-networks"
_PACKAGES = {"NumPy": "numpy", "OpenVINO": "openvino"}


class ClusterAway(WorkersAway, BrokenExecutor):
    """The scheduler does not answer."""


class ClusterUnfit(JourneyError, BrokenExecutor):
    """The workers cannot do this work, or a tile has brought down too many of them."""


class Cluster(Executor):
    """The workers of a Dask cluster. Those that join later get the networks as well.

    The first tile connects. The scheduler sends a tile whose worker dies to another one. When the scheduler itself goes
    away, what is under way fails with ClusterAway, and each tile submitted afterwards tries to connect again.
    """

    def __init__(self, scheduler: str, networks: Iterable[Network]) -> None:
        self._scheduler = scheduler
        self._files = _custom_files(networks)
        self._lock = threading.Lock()
        self._client: Any = None  # Dask has no types
        self._is_left = False

    @property
    def count(self) -> int:
        """How many workers there are now, at least 1."""
        client = self._client
        return max(1, len(client.scheduler_info()["workers"])) if client is not None else 1

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Raises ClusterAway or ClusterUnfit when it cannot be done there, RuntimeError after `shutdown`."""
        client = self._connected()
        try:
            # Tiles differ, so there is nothing to be gained by comparing them with earlier ones.
            inner = client.submit(fn, *args, pure=False, **kwargs)
        except _GONE as error:
            raise ClusterAway(self._away()) from error
        outer: Future[T] = Future()
        outer.add_done_callback(lambda done: _let_go(inner) if done.cancelled() else None)
        # Not by Dask's own Executor: when the scheduler goes while a result is fetched, its futures never end.
        inner.add_done_callback(lambda done: self._hand_on(done, outer))
        return outer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster, which goes on without us."""
        with self._lock:
            self._is_left = True
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _hand_on(self, inner: Any, outer: Future[T]) -> None:
        """Called in a thread of its own once a tile is over, by its end or because the scheduler has gone."""
        if not outer.set_running_or_notify_cancel():
            return
        if inner.status == "error":
            error = inner.exception()
            if isinstance(error, KilledWorker):
                error = ClusterUnfit("The workers of the cluster that took this tile have died.")
            outer.set_exception(error)
            return
        try:
            outer.set_result(inner.result(FETCH_SECONDS))
        except _GONE as error:
            away = ClusterAway(self._away())
            away.__cause__ = error
            outer.set_exception(away)

    def _connected(self) -> Any:
        with self._lock:
            if self._is_left:
                raise RuntimeError("this cluster was left")
            if self._client is None or self._client.status != "running":
                self._client = self._connect()
            return self._client

    def _connect(self) -> Any:
        make: Any = Client
        try:
            client = make(self._scheduler, timeout=f"{CONNECT_SECONDS}s", set_as_default=False)
        except (*_GONE, ValueError) as error:
            raise ClusterAway(self._away()) from error
        try:
            client.register_plugin(CarriedNetworks(self._files))
            problems = {problem for problem in _asked(client) if problem}
        except Exception as error:
            client.close()
            raise ClusterAway(self._away()) from error
        if problems:
            client.close()
            raise ClusterUnfit(f"JOURNEY_ENGINE_SCHEDULER: {min(problems)}")
        return client

    def _away(self) -> str:
        return (
            f"JOURNEY_ENGINE_SCHEDULER: no Dask scheduler answers at {self._scheduler}. Start it, or leave the setting "
            "out to work on this machine."
        )


class CarriedNetworks(WorkerPlugin):
    """Gives each worker the files of the networks that do not come with the program."""

    name = "journey-networks"

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files

    def setup(self, worker: Any) -> None:
        """Called in each worker, also in those that join later."""
        folder = Path(worker.local_directory) / _FOLDER
        folder.mkdir(exist_ok=True)
        for name, content in self._files.items():
            (folder / name).write_bytes(content)
        os.environ[CARRIED] = str(folder)


def _custom_files(networks: Iterable[Network]) -> dict[str, bytes]:
    files = {}
    for network in networks:
        if network.folder is not None:
            for file in (network.folder / network.file, (network.folder / network.file).with_suffix(".bin")):
                with suppress(FileNotFoundError):
                    files[file.name] = file.read_bytes()
    return files


def _let_go(inner: Any) -> None:
    with suppress(*_GONE):
        inner.cancel()


def _asked(client: Any) -> list[str | None]:
    """What keeps each worker from doing this work, as a sentence; None where nothing does."""
    try:
        answers: dict[str, str | None] = client.run(worker_problem, versions())
    except ModuleNotFoundError:
        return ["A worker of the cluster cannot import this program. Install the same version of it there."]
    return list(answers.values())


def versions() -> dict[str, str]:
    """What has to be the same here and on the workers."""
    # Pickled arrays and networks that give the same picture are all that has to fit.
    python = ".".join(platform.python_version_tuple()[:2])
    packages = {label: _version(package) for label, package in _PACKAGES.items()}
    return {"Python": python} | packages | {"the networks": bundled.versions()}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def worker_problem(wanted: Mapping[str, str]) -> str | None:
    """Run in a worker: why it cannot do this work, as a sentence, or None."""
    here = versions()
    if differing := [name for name in wanted if wanted[name] != here.get(name)]:
        name = differing[0]
        return (
            f"A worker of the cluster has {name} {here.get(name)}, and the studio {wanted[name]}. "
            "Install the same versions on both."
        )
    return unavailable_reason()
