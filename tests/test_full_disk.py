"""A disk that fills up while everything runs: nothing is lost or paid twice, and work goes on once there is room."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from PIL import Image

from journey.errors import DiskFull
from journey.history import LIVE, State
from journey.provider import JOURNEYAPI
from journey.testing import StandIn
from tests.harness.engines import WebServer
from tests.harness.standing import wait_for
from tests.harness.studios import Shelf, Studio, free_port, new_task
from tests.harness.visitors import Crowd

FULL_SECONDS = 15.0
MOST_DELIVERIES = 4


@pytest.fixture
def disk() -> Iterator[Path]:
    """The folder at which a small disk is mounted."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a disk")
    with tempfile.TemporaryDirectory(prefix="journey-disk-") as name:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100m", "none", name], check=False)
        if mounted.returncode:
            pytest.skip("nobody can mount a disk on this machine")
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", "--lazy", name], check=True)


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """Full to the last byte, until the end of the block."""
    path = disk / "ballast"
    with path.open("ab", buffering=0) as ballast:
        for piece in (2**20, 2**12, 1):
            with suppress(OSError):
                while True:
                    ballast.write(bytes(piece))
    assert 0 == os.statvfs(disk).f_bavail
    try:
        yield
    finally:
        path.unlink()


@contextmanager
def running(disk: Path, api: StandIn) -> Iterator[Studio]:
    settings = {"JOURNEY_API_KEY": api.key, "JOURNEY_API_URL": api.url, "JOURNEY_FETCH_ALLOW": "127.0.0.0/8"}
    studio = Studio(disk, free_port(), settings)
    studio.start()
    try:
        yield studio
    finally:
        studio.stop()


class Engine:
    """The API of the studio's own engine, as its callers see it."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def ask(self, path: str, **body: str) -> httpx.Response:
        return httpx.post(
            f"{self._studio.url}/api/v1/{path}", headers={"Authorization": self._studio.key}, json=body, timeout=30
        )

    def status(self, task_id: str) -> str:
        return str(self.ask("fetch", task_id=task_id).json()["status"])


@pytest.mark.torture
def test_the_studio_outlives_a_full_disk(disk: Path) -> None:
    """Entries, results, deliveries and the log meet a full disk: every page is drawn, callers are told, what was paid
    for is kept, and all of it ends well by itself once there is room."""
    with WebServer() as receiver, StandIn() as api, running(disk, api) as studio, Shelf(disk) as shelf:
        engine = Engine(studio)
        source = shelf.keep("koi.png", Image.new("RGB", (60, 40), "teal"))
        wish = new_task("koi.png", source, provider=JOURNEYAPI, image_url=api.picture_url(60, 40))
        paid = shelf.history.add(wish).id
        wait_for(lambda: shelf.history.lists.count(states=[State.OPEN]))
        (task_id,) = [each.task_id for each in shelf.history.lists.latest(limit=1) if each.task_id]
        api.hold(task_id)
        order = {"type": "4x", "image_url": api.picture_url(300, 200)}
        hook = {"webhook_url": f"{receiver.url}/done", "webhook_secret": "a secret of somebody"}
        here = engine.ask("upscale-2x-4x", **order, **hook).json()["task_id"]

        with filled(disk):
            api.finish(task_id)
            with Crowd(studio.url, 3) as crowd:
                refused = engine.ask("upscale-2x-4x", **order)
                with pytest.raises(DiskFull):
                    shelf.history.add(wish)
                full_until = time.monotonic() + FULL_SECONDS
                wait_for(lambda: time.monotonic() > full_until)
            assert ({}, []) == (crowd.problems, crowd.unanswered)
            assert 503 == refused.status_code
            assert "The disk is full" in refused.json()["errors"][0]["msg"]
            assert [200, 503] == [httpx.get(f"{studio.url}/{each}").status_code for each in ("healthz", "readyz")]
            assert engine.status(here) in ("pending", "starting", "processing")

        wait_for(lambda: not shelf.history.lists.count(states=list(LIVE)), seconds=120)
        entry = shelf.history.get(paid)
        assert entry is not None
        assert (State.FINISHED, 1, 1) == (entry.state, entry.attempts, api.charges)
        wait_for(lambda: engine.status(here) == "finished", seconds=120)
        wait_for(lambda: receiver.posts)
        assert MOST_DELIVERIES >= len(receiver.posts)
        wait_for(lambda: httpx.get(f"{studio.url}/readyz").status_code == 200)
