"""Killed where an act and its record lie side by side, and started again, the studio pays nothing twice or in vain."""

from __future__ import annotations

import logging
import os
import signal
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from PIL import Image

from journey.engine.tasks import engine_tasks
from journey.history import LIVE, Entry, State
from journey.history.deletions import Deletions
from journey.history.tables import entries
from journey.pictures import gallery
from journey.provider import JOURNEYAPI
from journey.storage.failpoints import POINTS
from journey.testing import STEPS, Close, StandIn
from journey.web.webhooks import address_for, secret_for
from tests.harness.engines import WebServer
from tests.harness.standing import wait_for
from tests.harness.studios import Shelf, Studio, free_port, new_task
from tests.test_earlier_data import FOLDER

log = logging.getLogger(__name__)

ORDER = "upscale-2x-4x"
KILLS = int(os.environ.get("KILLS", "20"))
"""How often each point is tried in the long test."""

AT_THE_API = POINTS[:12]
IN_DOUBT = ("after submitting is stored", "after the call")
"""After a death here nobody can know whether the call was accepted."""

HINTS = ("before the hint is stored", "after the hint is stored")
HERE = (
    "before submitting is stored",
    "after submitting is stored",
    "before the engine stores a task",
    "after the engine stores a task",
    "after the call",
    "after the task id is stored",
    "after a tile",
    "before the rename",
    "after the rename",
    "before the engine stores an end",
    "after the engine stores an end",
    "after archiving is stored",
    "before the end is stored",
    "after the end is stored",
)
DELIVERIES = (
    "before an attempt is stored",
    "before the delivery",
    "after the delivery",
    "after the delivery is stored",
)
UPGRADES = ("during the upgrade", "after the upgrade")


class Victim:
    """A studio beside the stand-in and a receiver of webhooks, which is killed and started again."""

    def __init__(self, folder: Path, api: StandIn, receiver: WebServer) -> None:
        api.steps = STEPS[-1:]
        settings = {"JOURNEY_API_KEY": api.key, "JOURNEY_API_URL": api.url, "JOURNEY_FETCH_ALLOW": "127.0.0.0/8"}
        self.api = api
        self.receiver = receiver
        self.studio = Studio(folder, free_port(), settings)
        self.seconds: list[float] = []
        """How long each start after a kill took until it was ready."""
        self._orders = 0

    def shelf(self) -> Shelf:
        return Shelf(self.studio.data_dir)

    def kill_at(self, point: str, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Start the studio and let it die at this point; `meanwhile` makes it come by once it is up."""
        self.studio.launch(point)
        process = self.studio.process
        assert process is not None
        meanwhile()
        try:
            assert -signal.SIGKILL == process.wait(60), point
        finally:
            process.kill()
        self.studio.process = None

    def come_back(self) -> None:
        """Start the studio again, let it do what is left, and stop it."""
        self.seconds.append(self.studio.start())
        try:
            with self.shelf() as shelf:
                wait_for(lambda: not shelf.history.lists.count(states=list(LIVE)), seconds=60)
        finally:
            self.studio.stop()
        assert [] == self._debris()

    def order_there(self) -> str:
        """Queue a picture for the API, of a size that no other has."""
        self._orders += 1
        width = 40 + self._orders
        with self.shelf() as shelf:
            source = shelf.keep("koi.png", Image.new("RGB", (width, 40), "teal"))
            wish = new_task("koi.png", source, provider=JOURNEYAPI, image_url=self.api.picture_url(width, 40))
            return shelf.history.add(wish).id

    def order_here(self) -> str:
        self._orders += 1
        with self.shelf() as shelf:
            return shelf.history.add(new_task("koi.png", shelf.keep("koi.png", Image.new("RGB", (80, 60), "teal")))).id

    def look(self, entry_id: str) -> Entry:
        with self.shelf() as shelf:
            entry = shelf.history.get(entry_id)
        assert entry is not None
        return entry

    def judge_there(self, entry_id: str, *, may_be_in_doubt: bool) -> None:
        """It was sent and charged once at most, and its task is known or said to be unknown."""
        entry = self.look(entry_id)
        calls = Counter(call.body["image_url"] for call in self.api.calls_to(ORDER))
        paid = [task.task_id for task in self.api.tasks.values() if task.order.get("image_url") == entry.image_url]
        assert 1 >= len(paid) <= calls[str(entry.image_url)] <= entry.attempts
        if may_be_in_doubt:
            assert State.AMBIGUOUS is entry.state
        else:
            assert (State.FINISHED, [entry.task_id]) == (entry.state, paid)

    def judge_here(self, entry_id: str) -> None:
        """It is finished, and the engine had it once."""
        entry = self.look(entry_id)
        assert State.FINISHED is entry.state
        with self.shelf() as shelf, shelf.database.read() as connection:
            rows = connection.execute(
                sa.select(engine_tasks.c.task_id).where(
                    engine_tasks.c.source_key == (entry.source and entry.source.key)
                )
            )
            assert [entry.task_id] == list(rows.scalars())

    def _debris(self) -> list[str]:
        """Temporary files, and stored folders that nobody knows of."""
        files = self.studio.data_dir / "files"
        left = [
            str(path)
            for name in ("incoming", "scratch")
            if (files / name).exists()
            for path in (files / name).iterdir()
        ]
        with self.shelf() as shelf, shelf.database.read() as connection:
            columns = (entries.c.source_key, entries.c.result_key, engine_tasks.c.result_key)
            known = {key for column in columns for key in connection.scalars(sa.select(column))}
        known |= {gallery.stored(name).key for name in gallery.PICTURES}
        return left + [path.name for path in files.glob("??/*") if path.name not in known]


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Victim]:
    with ExitStack() as stack:
        made = Victim(tmp_path, stack.enter_context(StandIn()), stack.enter_context(WebServer()))
        yield made
        made.studio.stop(signal.SIGKILL)
        # For whoever runs the long tests with `-rA`: a time on a busy machine proves nothing.
        log.info("ready after %s s", ", ".join(f"{seconds:.1f}" for seconds in made.seconds))


def test_three_deaths_and_one_life(victim: Victim) -> None:
    """Killed after a call, before a result is stored and in the engine, the studio takes up all three in one start."""
    lost, there, here = victim.order_there(), "", ""
    victim.kill_at("after the call")
    there = victim.order_there()
    victim.kill_at("before the rename")
    here = victim.order_here()
    victim.kill_at("after the engine stores a task")
    victim.come_back()
    victim.judge_there(lost, may_be_in_doubt=True)
    victim.judge_there(there, may_be_in_doubt=False)
    victim.judge_here(here)


@pytest.mark.torture
@pytest.mark.parametrize("point", AT_THE_API)
def test_a_paid_call_survives_any_death(victim: Victim, point: str) -> None:
    """Wherever the studio dies on the way to a paid result, it is charged once, and finished unless in doubt."""
    for _ in range(KILLS):
        entry = victim.order_there()
        victim.kill_at(point)
        victim.come_back()
        victim.judge_there(entry, may_be_in_doubt=point in IN_DOUBT)


@pytest.mark.torture
@pytest.mark.parametrize("point", HERE)
def test_work_here_survives_any_death(victim: Victim, point: str) -> None:
    """Wherever the studio dies on the way to a result of its own engine, it is finished without anybody's decision."""
    for _ in range(KILLS):
        entry = victim.order_here()
        victim.kill_at(point)
        victim.come_back()
        victim.judge_here(entry)


@pytest.mark.torture
@pytest.mark.parametrize("point", HINTS)
def test_a_webhook_survives_any_death(victim: Victim, point: str) -> None:
    """A call that got lost is healed by its webhook, though the studio dies while it takes it in."""
    for _ in range(KILLS):
        victim.api.script(ORDER, Close.AFTER_READING)
        entry_id = victim.order_there()

        def call_back(entry_id: str = entry_id) -> None:
            wait_for(lambda: victim.look(entry_id).state is State.AMBIGUOUS, seconds=60)
            _call_back(victim, entry_id)

        victim.kill_at(point, call_back)
        victim.studio.start()
        _call_back(victim, entry_id)  # the API has had no answer
        victim.studio.stop()
        victim.come_back()
        victim.judge_there(entry_id, may_be_in_doubt=False)


def _call_back(victim: Victim, entry_id: str) -> None:
    entry = victim.look(entry_id)
    (task_id,) = [each.task_id for each in victim.api.tasks.values() if each.order.get("image_url") == entry.image_url]
    key = (victim.studio.data_dir / "secret-key").read_text().strip().encode()
    with suppress(httpx.TransportError):  # it dies
        httpx.post(
            address_for(victim.studio.url, entry),
            json={"task_id": task_id},
            headers={"x-webhook-secret": secret_for(key, entry.id)},
        )


@pytest.mark.torture
@pytest.mark.parametrize("point", DELIVERIES)
def test_a_delivery_survives_any_death(victim: Victim, point: str) -> None:
    """The engine's webhook arrives, though the studio dies beside it, and is sent four times at most."""
    for number in range(KILLS):
        victim.receiver.posts.clear()

        def order(number: int = number) -> None:
            with victim.shelf() as shelf:
                source = shelf.keep("koi.png", Image.new("RGB", (60, 60 + number), "teal"))
            wait_for(lambda: _is_up(victim), seconds=60)
            wish = {"type": "2x", "image_url": source.url(victim.studio.url), "webhook_url": victim.receiver.url}
            url = f"{victim.studio.url}/api/v1/{ORDER}"
            assert 200 == httpx.post(url, json=wish, headers={"Authorization": victim.studio.key}).status_code

        victim.kill_at(point, order)
        victim.studio.start()
        # An attempt that was counted but never made is made up for after the usual pause.
        wait_for(lambda: victim.receiver.posts, seconds=60)
        victim.studio.stop()
        assert 2 >= len(victim.receiver.posts) >= 1


def _is_up(victim: Victim) -> bool:
    try:
        return httpx.get(f"{victim.studio.url}/readyz").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.torture
def test_a_burial_survives_any_death(victim: Victim) -> None:
    """The files of a deleted entry go, though the studio dies while it removes them."""
    for _ in range(KILLS):
        entry = victim.order_here()
        victim.come_back()
        key = victim.look(entry).result_key
        assert list((victim.studio.data_dir / "files").glob(f"??/{key}"))
        with victim.shelf() as shelf:
            Deletions(shelf.database).delete([entry])
        victim.kill_at("after files are removed")
        victim.studio.start()
        victim.studio.stop()
        assert not list((victim.studio.data_dir / "files").glob(f"??/{key}"))
        with victim.shelf() as shelf:
            assert [] == Deletions(shelf.database).doomed()


@pytest.mark.torture
@pytest.mark.parametrize("point", UPGRADES)
def test_an_upgrade_survives_any_death(tmp_path: Path, point: str) -> None:
    """A data folder of an earlier version is upgraded, though the studio dies in the middle of it."""
    for number in range(KILLS):
        folder = tmp_path / str(number)
        with zipfile.ZipFile(FOLDER) as archive:
            archive.extractall(folder)
        with WebServer() as receiver, StandIn() as api:
            victim = Victim(folder, api, receiver)
            victim.studio.settings |= {"JOURNEY_API_KEY": ""}
            victim.kill_at(point)
            victim.studio.start()
            victim.studio.stop()
            with victim.shelf() as shelf:
                assert {*State} >= {entry.state for entry in shelf.history.lists.latest(limit=1000)} != set()
