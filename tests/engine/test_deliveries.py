"""Webhooks: at most four attempts, with the secret, and never to an internal address."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from journey.engine.deliveries import AT_ONCE_PER_HOST, RETRY_AFTER, Deliveries
from journey.engine.tasks import Tasks
from journey.errors import DatabaseAway, InvalidRequest
from journey.storage.database import Database
from tests.engine.conftest import ME, Bench
from tests.harness.engines import WebServer, until
from tests.harness.standing import Inline


@pytest.fixture
def receiver() -> Iterator[WebServer]:
    with WebServer() as receiver:
        yield receiver


class Disk:
    """A database on a disk that can be full."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.is_full = False
        self.is_sqlite = database.is_sqlite
        self.read = database.read

    def fill(self) -> None:
        self.is_full = True

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        if self.is_full:
            raise DatabaseAway("database or disk is full")
        with self._database.write() as connection:
            yield connection


def finished_with_webhook(bench: Bench, url: str, **order: Any) -> str:
    task_id = bench.order(webhook_url=url, **order)
    bench.queue.work_next()
    return task_id


def test_a_finished_task_is_delivered_with_its_secret(bench: Bench, receiver: WebServer) -> None:
    """The receiver gets what /fetch says, with the secret in a header; then the secret is forgotten."""
    task_id = finished_with_webhook(bench, receiver.url, webhook_secret="s3cret")
    assert "s3cret" == bench.row(task_id).webhook_secret
    bench.deliveries.deliver_due(Inline())
    ((headers, body),) = receiver.posts
    assert ("s3cret", "application/json") == (headers["x-webhook-secret"], headers["Content-Type"])
    assert bench.state(task_id) == json.loads(body)
    assert (None, None) == (bench.row(task_id).webhook_secret, bench.row(task_id).webhook_due_at)
    bench.deliveries.deliver_due(Inline())
    assert 1 == len(receiver.posts)


def test_a_failed_task_is_delivered_as_well(bench: Bench, receiver: WebServer) -> None:
    """A cancelled task is delivered like any failed one; without a secret there is no header for it."""
    task_id = bench.order(webhook_url=receiver.url)
    bench.queue.cancel(task_id, owner=ME)
    bench.deliveries.deliver_due(Inline())
    ((headers, body),) = receiver.posts
    assert ("failed", "Cancelled") == (json.loads(body)["status"], json.loads(body)["error"])
    assert "x-webhook-secret" not in headers


def test_a_delivery_is_repeated_after_10_30_and_90_seconds_and_then_given_up(bench: Bench, receiver: WebServer) -> None:
    """Three retries at the documented times, not a second earlier; after the last the secret is forgotten."""
    receiver.answers = [500, 302, 404, 503, 200]
    task_id = finished_with_webhook(bench, receiver.url, webhook_secret="s3cret")
    bench.deliveries.deliver_due(Inline())
    for attempts, delay in enumerate(RETRY_AFTER, start=1):
        bench.clock.now += delay - 1
        bench.deliveries.deliver_due(Inline())
        assert attempts == len(receiver.posts)
        assert "s3cret" == bench.row(task_id).webhook_secret
        bench.clock.now += 1
        bench.deliveries.deliver_due(Inline())
    bench.clock.now += 10_000
    bench.deliveries.deliver_due(Inline())
    assert 4 == len(receiver.posts)
    assert (None, None) == (bench.row(task_id).webhook_secret, bench.row(task_id).webhook_due_at)
    assert "finished" == bench.state(task_id)["status"]


def test_a_delivery_goes_through_after_500(bench: Bench, receiver: WebServer) -> None:
    """A receiver that was down for a moment gets the same task again, with the same secret."""
    receiver.answers = [500]
    finished_with_webhook(bench, receiver.url, webhook_secret="s3cret")
    bench.deliveries.deliver_due(Inline())
    bench.clock.now += RETRY_AFTER[0]
    bench.deliveries.deliver_due(Inline())
    bench.clock.now += 10_000
    bench.deliveries.deliver_due(Inline())
    assert 2 == len(receiver.posts)
    assert receiver.posts[0] == receiver.posts[1]


def test_a_crash_in_a_delivery_repeats_it(bench: Bench, receiver: WebServer) -> None:
    """What was not recorded as delivered is delivered by the next process."""
    finished_with_webhook(bench, receiver.url)

    class Lost(Executor):
        def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN002, ANN003, ANN202
            return Future[Any]()

    bench.deliveries.deliver_due(Lost())
    bench.another_deliveries().deliver_due(Inline())
    assert 1 == len(receiver.posts)


def test_a_full_disk_repeats_no_delivery(bench: Bench, receiver: WebServer) -> None:
    """An attempt that cannot be written down is not made: whatever the disk does, there are four at most."""
    disk = Disk(bench.database)
    deliveries = Deliveries(Tasks(disk, clock=bench.clock), bench.door)
    receiver.answers = [disk.fill, 500, 500, 500, 500]
    finished_with_webhook(bench, receiver.url, webhook_secret="s3cret")
    for _ in range(80):
        deliveries.deliver_due(Inline())
        bench.clock.now += 100
    assert 1 == len(receiver.posts)
    disk.is_full = False
    for _ in range(9):
        deliveries.deliver_due(Inline())
        bench.clock.now += 100
    assert 4 == len(receiver.posts)


def test_two_processes_make_one_attempt(bench: Bench, receiver: WebServer) -> None:
    """While one process delivers, another that has taken over its work does not deliver the same."""
    another = bench.another_deliveries()
    receiver.answers = [lambda: another.deliver_due(Inline())]
    finished_with_webhook(bench, receiver.url)
    bench.deliveries.deliver_due(Inline())
    assert 1 == len(receiver.posts)


def test_a_secret_is_erased_before_its_last_use(bench: Bench, receiver: WebServer) -> None:
    """A crash in the last attempt leaves no secret behind, and no fifth attempt."""
    receiver.answers = [500, 500, 500, lambda: secrets.append(bench.row(task_id).webhook_secret)]
    secrets: list[str | None] = []
    task_id = finished_with_webhook(bench, receiver.url, webhook_secret="s3cret")
    for _ in range(4):
        bench.deliveries.deliver_due(Inline())
        bench.clock.now += 100
    assert [None] == secrets
    assert "s3cret" == receiver.posts[-1][0]["x-webhook-secret"]


def test_a_receiver_that_hangs_keeps_nobody_else_waiting(bench: Bench, receiver: WebServer) -> None:
    """However many deliveries one receiver leaves hanging, another receiver gets its own at once."""
    release = threading.Event()
    with WebServer() as hanging, ThreadPoolExecutor(8) as pool:
        hanging.answers = [lambda: release.wait(20)] * 10
        for _ in range(6):
            finished_with_webhook(bench, hanging.url)
        finished_with_webhook(bench, receiver.url)
        try:
            bench.deliveries.deliver_due(pool)
            for _ in until(10):
                if receiver.posts and len(hanging.posts) == AT_ONCE_PER_HOST:
                    break
            bench.deliveries.deliver_due(pool)
            assert (1, AT_ONCE_PER_HOST) == (len(receiver.posts), len(hanging.posts))
        finally:
            release.set()


@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.2/", "https://10.0.0.1/x", "http://8.8.8.8/", "ftp://example.com/", "https://u:p@a.example/"],
)
def test_an_internal_or_plain_target_is_refused(bench: Bench, url: str) -> None:
    """A webhook to an internal, unencrypted or odd address is refused when the task is submitted."""
    with pytest.raises(InvalidRequest, match="webhook_url"):
        bench.order(webhook_url=url)


def test_an_internal_target_behind_a_name_is_blocked(bench: Bench) -> None:
    """A target that turns out to be internal only at delivery is never contacted, and is given up like any other."""
    with WebServer() as internal:
        port = internal.url.rpartition(":")[2]
        task_id = finished_with_webhook(bench, f"http://127.0.0.1:{port}/", webhook_secret="s3cret")
        bench.change(task_id, webhook_url=f"http://127.0.0.2:{port}/")
        for delay in (0, *RETRY_AFTER):
            bench.clock.now += delay
            bench.deliveries.deliver_due(Inline())
        assert [] == internal.posts
    assert (4, None, None) == (
        bench.row(task_id).webhook_attempts, bench.row(task_id).webhook_secret, bench.row(task_id).webhook_due_at
    )  # fmt: skip


def test_a_secret_without_a_webhook_is_not_kept(bench: Bench) -> None:
    """A secret that comes without a webhook is not kept, because nothing would ever remove it."""
    assert bench.row(bench.order(webhook_secret="s3cret")).webhook_secret is None
