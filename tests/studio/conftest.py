"""Where orders are taken in: two stand-ins for providers behind real clients, a real history and stored pictures."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from journey.api.client import JourneyClient
from journey.history import Entry, History, State
from journey.history.kinship import Variant
from journey.outside.door import Door
from journey.pictures.checking import Limits
from journey.provider import JOURNEYAPI, THIS_MACHINE
from journey.storage.database import Database
from journey.storage.files import Files
from journey.storage.looked import Looked
from journey.storage.stored import Origins
from journey.studio.batches.store import Batches
from journey.studio.intake import Intake, Source
from journey.studio.orders import Order, Orders
from journey.testing import StandIn, picture
from tests.harness.standing import Clock, DecoderHere

ORIGIN = "http://studio.test:8501"
ORIGINS = Origins(local=(ORIGIN,))
PUBLIC_ORIGINS = replace(ORIGINS, public="https://studio.example")
LIMITS = Limits(10**6, 16 * 10**6)
HOSTS = {"public.example": ["8.8.8.8"], "inside.example": ["10.0.0.1"]}
"""The names that resolve, and their addresses."""

HOSTED, FAST, DETAIL = Variant(JOURNEYAPI), Variant(THIS_MACHINE, "fast"), Variant(THIS_MACHINE, "detail")


@pytest.fixture
def api() -> Iterator[StandIn]:
    """The stand-in for JourneyAPI."""
    with StandIn() as fake:
        yield fake


@pytest.fixture
def embedded() -> Iterator[StandIn]:
    """Another fake, in place of the engine on this machine, without tasks."""
    with StandIn() as fake:
        fake.tasks.clear()
        yield fake


@dataclass
class Desk:
    """All that is needed to place an order, without the tracker that carries it out; `woken` counts its wake-ups."""

    history: History
    batches: Batches
    files: Files
    intake: Intake
    orders: Orders
    woken: list[None]

    def source(self, **changes: Any) -> Source:
        """An uploaded picture of 64 × 48 pixels."""
        return replace(self.intake.from_upload("fjord.png", picture(64, 48)), **changes)

    def failed(self, source: Source, **wish: Any) -> Entry:
        """An entry for this source that failed at JourneyAPI."""
        order = Order(**{"source": source, "variant": HOSTED, "scale": 4} | wish)
        entry = self.history.add(replace(order.entry(), fingerprint=None))
        self.history.move(entry.id, State.SUBMITTING)
        failed = self.history.move(entry.id, State.FAILED, error="It cannot do that.")
        assert failed is not None
        return failed


@pytest.fixture
def files(tmp_path: Path) -> Files:
    made = Files(str(tmp_path / "files"), work_dir=tmp_path)
    made.start()
    return made


@pytest.fixture
def desk(api: StandIn, embedded: StandIn, files: Files, tmp_path: Path, upgraded_sqlite: Path) -> Iterator[Desk]:
    with _desk(api, embedded, files, tmp_path, upgraded_sqlite, ORIGINS) as made:
        yield made


@pytest.fixture
def public_desk(api: StandIn, embedded: StandIn, files: Files, tmp_path: Path, upgraded_sqlite: Path) -> Iterator[Desk]:
    """The desk of a studio that the internet reaches."""
    with _desk(api, embedded, files, tmp_path, upgraded_sqlite, PUBLIC_ORIGINS) as made:
        yield made


@pytest.fixture
def intake(desk: Desk) -> Intake:
    return desk.intake


@contextmanager
def _desk(
    api: StandIn, embedded: StandIn, files: Files, folder: Path, upgraded: Path, origins: Origins
) -> Iterator[Desk]:
    database = Database(f"sqlite:///{shutil.copy(upgraded, folder)}")
    clock = Clock()
    clients = {
        JOURNEYAPI: JourneyClient(api.key, api.url, attempts=1, timeout=5),
        THIS_MACHINE: JourneyClient(embedded.key, embedded.url, attempts=1, timeout=5),
    }
    history, batches = History(database, clock=clock), Batches(database, clock=clock)
    door = Door(["127.0.0.1"], resolver=lambda host, _: HOSTS.get(host, []))
    looked = Looked(str(folder / "files"), clock=clock)
    intake = Intake(files, looked, DecoderHere(LIMITS), door, clients, origins=origins, max_bytes=2**20)
    woken: list[None] = []
    orders = Orders(
        history,
        batches,
        intake,
        files,
        door,
        limits=LIMITS,
        origins=origins,
        offered=clients.keys(),
        wake=lambda: woken.append(None),
    )
    yield Desk(history, batches, files, intake, orders, woken)
    for client in clients.values():
        client.close()
    database.close()
    assert [] == list((folder / "files" / "incoming").iterdir())
