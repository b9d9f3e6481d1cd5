"""Tiles on a Dask cluster: its workers as an Executor that has the networks and speaks in sentences."""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from distributed import Client, KilledWorker, WorkerPlugin

from journey.engine.networks import bundled
from journey.engine.networks.backends import unavailable_reason
from journey.engine.networks.network import Network
from journey.engine.networks.running import CARRIED
from journey.errors import JourneyError

P = ParamSpec("P")
T = TypeVar("T")

CONNECT_SECONDS = 10
_FOLDER = "journey-networks"
_PACKAGES = {"NumPy": "numpy", "OpenVINO": "openvino"}


class ClusterAway(JourneyError, BrokenExecutor):
    """The scheduler is away, its workers cannot do this work, or a tile has brought down too many of them."""


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
        """Raises ClusterAway when it cannot be done there, RuntimeError after `shutdown`."""
        client = self._connected()
        # Tiles differ, so there is nothing to be gained by comparing them with earlier ones.
        inner: Future[T] = client.get_executor(pure=False).submit(fn, *args, **kwargs)
        outer: Future[T] = Future()
        outer.add_done_callback(lambda done: inner.cancel() if done.cancelled() else None)
        inner.add_done_callback(lambda done: self._hand_on(done, outer))
        return outer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster, which goes on without us."""
        with self._lock:
            self._is_left = True
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _hand_on(self, inner: Future[T], outer: Future[T]) -> None:
        if not outer.set_running_or_notify_cancel():
            return
        if inner.cancelled():
            outer.set_exception(ClusterAway(self._away()))
        elif isinstance(error := inner.exception(), KilledWorker):
            outer.set_exception(ClusterAway("The workers of the cluster that took this tile have died."))
        elif error is not None:
            outer.set_exception(error)
        else:
            outer.set_result(inner.result())

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
        except (OSError, TimeoutError, ValueError) as error:
            raise ClusterAway(self._away()) from error
        try:
            client.register_plugin(CarriedNetworks(self._files))
            problems = {problem for problem in _asked(client) if problem}
        except Exception:
            client.close()
            raise
        if problems:
            client.close()
            raise ClusterAway(f"JOURNEY_ENGINE_SCHEDULER: {min(problems)}")
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
