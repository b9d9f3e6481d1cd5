"""All that a large team runs, on one host: what docs/how-to/team.md draws, each part a process that can be killed."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from journey.storage.keys import key_file
from journey.testing import StandIn
from tests.harness import servers
from tests.harness.proxies import before_replicas
from tests.harness.services import Service
from tests.harness.studios import Shelf, Studio, free_port, hang_samples

REPLICAS = 3
WORKERS = 2
START_SECONDS = 180.0
"""How long a studio may take to start where the processors have all the others to serve as well."""


@dataclass
class Team:
    """The parts by their names, in the order in which they are started, and where all of them are reached."""

    parts: dict[str, Service | Studio]
    url: str
    shelf: Shelf
    bucket: Path

    @property
    def studios(self) -> dict[str, Studio]:
        return {name: part for name, part in self.parts.items() if isinstance(part, Studio)}

    def kill(self, name: str) -> None:
        self.parts[name].stop(signal.SIGKILL)

    def start(self, name: str) -> None:
        """Start a part again, and with it whatever has ended because it was gone, as a service manager does."""
        part = self.parts[name]
        if isinstance(part, Studio):
            part.launch()
            part.become_ready(within=START_SECONDS)
        else:
            part.start()
        for other in self.parts.values():
            if isinstance(other, Service) and not other.is_running:
                other.start()

    def is_ready(self) -> bool:
        """True when every studio says that it is."""
        with httpx.Client(trust_env=False) as http:
            return all(http.get(f"{studio.url}/readyz").status_code == 200 for studio in self.studios.values())


@contextmanager
def running_team(folder: Path, api: StandIn, **settings: str) -> Iterator[Team]:
    """Everything started, in a folder for what the studios keep; `settings` are more settings of theirs."""
    with ExitStack() as stack:
        # Not pytest's folder: the accounts that Postgres and nginx run as cannot enter that.
        outside = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="journey-team-", ignore_cleanup_errors=True))
        )
        outside.chmod(0o755)
        for name in ("postgres", "nginx", "s3", "dask"):
            (outside / name).mkdir()
        # A commit that was answered survives the kill; only the power may not fail.
        postgres = servers.postgres_service(outside / "postgres", "fsync=off", "shared_buffers=32MB")
        s3, storage = servers.object_storage(outside / "s3")
        scheduler, address = servers.scheduler(outside / "dask")
        ports = [free_port() for _ in range(REPLICAS)]
        nginx = before_replicas(outside / "nginx", free_port(), ports)
        url = f"http://127.0.0.1:{nginx.port}"
        database_server = f"postgresql://journey@127.0.0.1:{postgres.port}/"
        shared = {
            "database_url": f"{database_server}studio",
            "files_url": storage.address(),
        }
        environment = {
            **storage.environment,
            **{f"JOURNEY_{name.upper()}": value for name, value in shared.items()},
            "JOURNEY_ENGINE_SCHEDULER": address,
            "JOURNEY_PUBLIC_URL": url,
            "JOURNEY_API_KEY": api.key,
            "JOURNEY_API_URL": api.url,
            "JOURNEY_FETCH_ALLOW": "127.0.0.0/8",
            **settings,
        }
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in storage.environment.items():
            patch.setenv(name, value)
        parts: dict[str, Service | Studio] = {}
        stack.callback(lambda: [part.stop(signal.SIGKILL) for part in reversed(parts.values())])

        def begin(name: str, service: Service) -> None:
            parts[name] = service
            service.start()

        begin("postgres", postgres)
        servers.create_database(database_server, "studio")
        begin("s3", s3)
        begin("scheduler", scheduler)
        for number in range(1, WORKERS + 1):
            begin(f"worker-{number}", servers.worker(address, f"worker-{number}", outside / "dask"))
        shelf = stack.enter_context(Shelf(folder / "shelf", **shared))
        hang_samples(shelf.files)
        for name in ("secret-key", "engine-key"):
            key_file(folder / name)
        studios = []
        for number, port in enumerate(ports, start=1):
            data = folder / f"replica-{number}"
            data.mkdir()
            for name in ("secret-key", "engine-key"):
                shutil.copy(folder / name, data)
            studios.append(Studio(data, port, environment))
            parts[f"replica-{number}"] = studios[-1]
            studios[-1].launch()
        for studio in studios:
            studio.become_ready(within=START_SECONDS)
        begin("nginx", nginx)
        yield Team(parts, url, shelf, storage.bucket)
