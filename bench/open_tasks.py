"""The tracker with thousands of open tasks at the hosted API: how fast it sends, what looking costs, how late it is.

    python -m bench.open_tasks [--open 5000] [--send 1000] [--ends 200] [--rate 5] [postgresql://…]

The tracker is the real one, and so are database, files, decoder and receiver of webhooks. The API is the stand-in, in a
process of its own, which says of every task that it is under way until it is told to end it.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import resource
import secrets
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import httpx
import sqlalchemy as sa
import uvicorn
from starlette.applications import Starlette

from journey.api.client import JourneyClient
from journey.history import Entry, History, NewEntry, State
from journey.history.tables import entries
from journey.outside.door import Door
from journey.pictures.checking import Decoder, Limits
from journey.provider import JOURNEYAPI
from journey.storage.database import Database, Within
from journey.storage.files import Files
from journey.storage.stored import Origins
from journey.studio.tracker import Tracker
from journey.testing import StandIn, picture
from journey.testing.tasks import StandInTask
from journey.web import webhooks

KEY = b"a key of the bench, sixteen bytes or more"
UNDER_WAY = (("processing", "50"),) * 1_000_000 + (("finished", None),)
LOOK_SECONDS = 20.0
LONGEST_WAIT = 120.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", nargs="?", help="an empty Postgres database")
    parser.add_argument("--open", default=5_000, type=int, help="tasks that stay open")
    parser.add_argument("--send", default=1_000, type=int, help="entries that are queued and sent")
    parser.add_argument("--ends", default=200, type=int, help="tasks that end, each with a webhook")
    parser.add_argument("--rate", default=5.0, type=float, help="how many of them end in a second")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, stand_in() as (api_url, key, control):
        database = Database(chosen.address or Path(folder) / "journey.db")
        database.upgrade()
        history = History(database)
        with receiver(history) as (port, on_hint), tracker(history, Path(folder), api_url, key) as tracking:
            on_hint.append(tracking.wake)
            with spent(control, chosen.send):
                say("sent in a second", sending(history, tracking, chosen.send))
            control.send(("take", taken := add_open(database, chosen.open)))
            control.recv()
            tracking.wake()
            say("share of a core while nothing ends", looking())
            some = random.Random(1).sample(taken, chosen.ends)  # noqa: S311  figures, no secrets
            with spent(control, chosen.ends):
                waited = sorted(ending(history, control, port, some, chosen.rate))
            say("seconds from end to archive, median", statistics.median(waited))
            say("seconds from end to archive, p95", waited[int(0.95 * (len(waited) - 1))])
        database.close()


def say(what: str, figure: float) -> None:
    print(f"{what}: {figure:.3g}", flush=True)


@contextmanager
def spent(control: Connection, count: int) -> Iterator[None]:
    """Say what so many took of processor time: here, where the tracker and the receiver are, and in the stand-in.

    What is looked at meanwhile is counted as well, and the decoder, which has processes of its own, is not.
    """

    def both() -> tuple[float, float]:
        control.send(("used",))
        return used(), control.recv()

    before = both()
    yield
    for where, now, then in zip(("here", "in the stand-in"), both(), before, strict=True):
        say(f"processor time {where} for each, ms", 1000 * (now - then) / count)


def sending(history: History, tracking: Tracker, count: int) -> float:
    """How many queued entries are accepted in a second."""
    with history._database.write() as connection:
        queue = History(Within(connection))
        for number in range(count):
            queue.add(
                NewEntry(provider=JOURNEYAPI, type="2x", name="fjord", image_url=f"https://example.com/{number}.png")
            )
    started = time.perf_counter()
    tracking.wake()
    while waiting(history):
        time.sleep(0.25)
    return count / (time.perf_counter() - started)


def waiting(history: History) -> int:
    query = sa.select(sa.func.count()).where(entries.c.state.in_([State.QUEUED, State.SUBMITTING]))
    with history._database.read() as connection:
        return int(connection.scalar(query) or 0)


def add_open(database: Database, count: int) -> list[tuple[str, str, str]]:
    """Entries that were sent some minutes ago and are due in the next seconds: task id, entry id and webhook token."""
    now, chance = time.time(), random.Random(2)  # noqa: S311  figures, no secrets
    made = [(f"open-{number:06}", secrets.token_hex(8), secrets.token_urlsafe(24)) for number in range(count)]
    rows = [
        {
            "id": entry_id,
            "state": State.OPEN,
            "provider": JOURNEYAPI,
            "type": "2x",
            "name": "fjord",
            "image_url": "https://example.com/fjord.png",
            "source_key": secrets.token_hex(16),
            "source_file": "fjord.png",
            "source_width": 64,
            "source_height": 48,
            "webhook_token": token,
            "task_id": task_id,
            "task_status": "processing",
            "percentage": 50,
            "credits": 2,
            "attempts": 1,
            "archive_attempts": 0,
            "due_at": now + chance.random() * JOURNEYAPI.poll[1],
            "created_at": now - 600,
            "submitted_at": now - 600,
            "changed_at": now - 60,
        }
        for task_id, entry_id, token in made
    ]
    with database.write() as connection:
        connection.execute(entries.insert(), rows)
    return made


def looking() -> float:
    """Seconds of processor time of this process in a second, once the first looks are over."""
    time.sleep(JOURNEYAPI.poll[1])
    started, before = time.perf_counter(), used()
    time.sleep(LOOK_SECONDS)
    return (used() - before) / (time.perf_counter() - started)


def used() -> float:
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return spent.ru_utime + spent.ru_stime


def ending(
    history: History, control: Connection, port: int, some: Sequence[tuple[str, str, str]], rate: float
) -> list[float]:
    """Seconds from the end of each task to its stored result; as long as was waited for what is not stored by then."""
    control.send(("end", [(each, f"http://127.0.0.1:{port}/webhooks/{each[2]}") for each in some], rate))
    ended: dict[str, float] = control.recv()
    deadline = time.monotonic() + LONGEST_WAIT
    while time.monotonic() < deadline:
        found: list[Entry | None] = [history.get(entry_id) for _, entry_id, _ in some]
        if all(entry and entry.finished_at for entry in found):
            break
        time.sleep(0.5)
    return [(entry.finished_at or time.time()) - ended[entry.task_id or ""] for entry in found if entry]


@contextmanager
def tracker(history: History, folder: Path, api_url: str, key: str) -> Iterator[Tracker]:
    files = Files(folder / "files", work_dir=folder)
    files.start()
    decoder = Decoder(Limits(10**6, 16 * 10**6))
    decoder.start()
    client = JourneyClient(key, api_url, attempts=1)
    tracking = Tracker(
        history,
        {JOURNEYAPI: client},
        files,
        decoder,
        Door(["127.0.0.1"]),
        origins=Origins("https://studio.example.com", local=()),
        webhook_for=lambda entry: (
            webhooks.address_for("https://studio.example.com", entry),
            webhooks.secret_for(KEY, entry.id),
        ),
        max_bytes=2**20,
    )
    tracking.start()
    try:
        yield tracking
    finally:
        tracking.stop()
        decoder.stop()
        client.close()


@contextmanager
def receiver(history: History) -> Iterator[tuple[int, list[Callable[[], None]]]]:
    """The receiver of webhooks on a port of its own, and what it calls after each."""
    on_hint: list[Callable[[], None]] = []
    application = Starlette(routes=webhooks.routes(history, KEY, on_hint=lambda: [each() for each in on_hint]))
    server = uvicorn.Server(uvicorn.Config(application, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1], on_hint
    server.should_exit = True
    thread.join(10)


@contextmanager
def stand_in() -> Iterator[tuple[str, str, Connection]]:
    """The stand-in in a process of its own: its address and key, and the way to tell it what is to happen."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    url, key = ours.recv()
    yield url, key, ours
    ours.send(("stop",))
    process.join(10)


def serve(control: Connection) -> None:
    with StandIn(steps=UNDER_WAY) as api, ThreadPoolExecutor(8) as posting, httpx.Client() as client:
        control.send((api.url, api.key))
        while (told := control.recv())[0] != "stop":
            if told[0] == "take":
                for task_id, _, _ in told[1]:
                    api.tasks[task_id] = StandInTask(task_id, "upscale-2x", api.key, source=picture(64, 48), scale=2)
                control.send(None)
                continue
            if told[0] == "used":
                control.send(used())
                continue
            ended = {}
            for (task_id, entry_id, _), address in told[1]:
                time.sleep(1 / told[2])
                api.finish(task_id)
                ended[task_id] = time.time()
                headers = {"x-webhook-secret": webhooks.secret_for(KEY, entry_id)}
                posting.submit(client.post, address, json={"task_id": task_id, "status": "finished"}, headers=headers)
            control.send(ended)


if __name__ == "__main__":
    main()
