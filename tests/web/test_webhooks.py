"""The receiver believes only JourneyAPI, stays small and quick whatever it is sent, and only ever gives a hint."""

from __future__ import annotations

import json
import logging
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection

import httpx
import psutil
import pytest
import sqlalchemy as sa
import uvicorn
from starlette.applications import Starlette

from journey.history import Entry, History, NewEntry, State
from journey.provider import JOURNEYAPI
from journey.storage.database import Database
from journey.web import webhooks
from journey.web.webhooks import BODY_LIMIT, address_for, routes, secret_for
from tests.conftest import PROCESSES, exit_codes
from tests.harness.explained import statements, writes
from tests.harness.standing import wait_for

KEY = b"0123456789abcdef0123456789abcdef"


@pytest.fixture
def history(database: Database) -> History:
    return History(database, clock=lambda: 1_800_000_000.0)


class Current:
    """The history of the test that is running, for a server that outlives it."""

    history: History
    woken = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self.history, name)

    def wake(self) -> None:
        self.woken += 1


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Current, int]]:
    current = Current()
    with served(current) as port:
        yield current, port


@pytest.fixture
def client(server: tuple[Current, int], history: History) -> Iterator[httpx.Client]:
    current, port = server
    current.history, current.woken = history, 0
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20) as made:
        yield made


def open_entry(history: History, task_id: str | None = "t-1") -> Entry:
    entry = history.add(NewEntry(provider=JOURNEYAPI, type="4x", name="fjord", image_url="https://example.com/a.png"))
    history.move(entry.id, State.SUBMITTING)
    if task_id:
        history.move(entry.id, State.OPEN, task_id=task_id, due_at=1_900_000_000.0)
    return entry


def path_of(entry: Entry) -> str:
    return address_for("", entry)


def is_due(history: History, entry: Entry) -> bool:
    return entry.id in [each.id for each in history.due(State.OPEN, limit=9)]


def signed(entry: Entry) -> dict[str, str]:
    return {"x-webhook-secret": secret_for(KEY, entry.id)}


def test_a_right_webhook_makes_the_entry_due(client: httpx.Client, history: History) -> None:
    """With the right secret the answer is 204, and the tracker looks at the task now; nothing else changes."""
    entry = open_entry(history)
    assert not is_due(history, entry)
    evil = {"task_id": "t-1", "status": "finished", "image_url": "http://169.254.169.254/", "error": "no"}
    assert 204 == client.post(path_of(entry), json=evil, headers=signed(entry)).status_code
    assert is_due(history, entry)
    now = history.get(entry.id)
    assert now is not None
    assert (State.OPEN, None, None, None) == (now.state, now.result_url, now.error, now.percentage)


def test_the_worker_is_woken(client: httpx.Client, history: History, server: tuple[Current, int]) -> None:
    """A hint that was noted wakes the worker; a refused one does not."""
    entry = open_entry(history)
    client.post(path_of(entry), json={"task_id": "t-1"})
    assert 0 == server[0].woken
    client.post(path_of(entry), json={"task_id": "t-1"}, headers=signed(entry))
    assert 1 == server[0].woken


def test_a_wrong_secret_is_refused(client: httpx.Client, history: History) -> None:
    """A missing, empty, wrong, longer or other entry's secret is answered with 401, and nothing is noted."""
    entry, other = open_entry(history), open_entry(history)
    right = secret_for(KEY, entry.id)
    wrong = [
        None,
        "",
        "wrong",
        right + "0",
        right[:-1],
        right.upper(),
        f"{right}, {right}",
        secret_for(KEY, other.id),
        "\xe9",
    ]
    for secret in wrong:
        headers = {} if secret is None else {"x-webhook-secret": secret.encode("latin-1")}
        answer = client.post(path_of(entry), json={"task_id": "t-1"}, headers=headers)  # type: ignore[arg-type]
        assert (401, b"") == (answer.status_code, answer.content)
    assert not is_due(history, entry)


def test_without_a_secret_there_is_no_route(history: History) -> None:
    """A receiver without a key, whose secrets anyone could make, is not built at all."""
    with pytest.raises(ValueError, match="key"):
        routes(history, b"")


@pytest.mark.parametrize("token", ["unknown", "%00", "a" * 5000, "%ff", "’", "x" * 32, "%ED%A0%80"])
def test_an_unknown_token_is_of_no_interest(client: httpx.Client, token: str) -> None:
    """A token that no entry has is answered with 204 and ignored, whatever it is made of."""
    assert 204 == client.post(f"/webhooks/{token}", json={"task_id": "t-1"}).status_code


BAD = {
    "empty": b"",
    "no JSON": b"task_id=1",
    "half": b'{"task_id": "t-',
    "array": b'["t-1"]',
    "number": b"17",
    "null": b"null",
    "no id": b"{}",
    "id null": b'{"task_id": null}',
    "id number": b'{"task_id": 17}',
    "id list": b'{"task_id": ["t-1"]}',
    "id empty": b'{"task_id": " "}',
    "id long": json.dumps({"task_id": "x" * 201}).encode(),
    "id NUL": b'{"task_id": "a\\u0000b"}',
    "id surrogate": b'{"task_id": "\\ud800"}',
    "not UTF-8": b'{"task_id": "\xff"}',
    "deep": b"[" * 60_000,
    "huge number": b'{"task_id": ' + b"9" * 60_000 + b"}",
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD.keys())
def test_a_body_that_says_nothing_is_refused(client: httpx.Client, history: History, body: bytes) -> None:
    """Anything but an object with a usable task_id is answered with 400, and nothing is noted."""
    entry = open_entry(history)
    assert 400 == client.post(path_of(entry), content=body, headers=signed(entry)).status_code
    assert not is_due(history, entry)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD"])
def test_only_post_is_answered(client: httpx.Client, history: History, method: str) -> None:
    """Any method other than POST is answered with 405."""
    entry = open_entry(history)
    assert 405 == client.request(method, path_of(entry), headers=signed(entry)).status_code


def test_a_body_may_have_64_kib_and_no_more(client: httpx.Client, history: History) -> None:
    """A body of exactly the limit is read; one byte more, announced or not, is answered with 413."""
    entry = open_entry(history)
    start = b'{"task_id": "t-1", "image_url": "'
    full = start + b"x" * (BODY_LIMIT - len(start) - 2) + b'"}'
    assert len(full) == BODY_LIMIT
    assert 204 == client.post(path_of(entry), content=full, headers=signed(entry)).status_code
    assert 413 == client.post(path_of(entry), content=full + b" ", headers=signed(entry)).status_code
    assert 413 == client.post(path_of(entry), content=iter([full, b" "]), headers=signed(entry)).status_code


def test_duplicates_are_one_hint(client: httpx.Client, history: History) -> None:
    """The same webhook four times in a row and ten times at once changes no more than one would."""
    entry = open_entry(history)
    for _ in range(4):
        assert 204 == client.post(path_of(entry), json={"task_id": "t-1"}, headers=signed(entry)).status_code
    with ThreadPoolExecutor(10) as pool:
        answers = pool.map(
            lambda _: client.post(path_of(entry), json={"task_id": "t-1"}, headers=signed(entry)).status_code, range(10)
        )
        assert [204] * 10 == list(answers)
    assert 3 == len(history.timeline(entry.id))


def test_a_webhook_before_our_own_commit_is_kept(client: httpx.Client, history: History) -> None:
    """A webhook may come before the answer to the call: when that answer is lost, the task is still known."""
    entry = open_entry(history, task_id=None)
    assert 204 == client.post(path_of(entry), json={"task_id": "t-7"}, headers=signed(entry)).status_code
    history.lose(entry.id, "the answer never came")
    healed = history.get(entry.id)
    assert healed is not None
    assert (State.OPEN, "t-7") == (healed.state, healed.task_id)


def test_a_late_webhook_does_not_raise_the_dead(client: httpx.Client, history: History) -> None:
    """An entry that has ended stays as it is, and the webhook is still answered with 204."""
    entry = open_entry(history)
    history.move(entry.id, State.ABANDONED)
    before = history.get(entry.id)
    assert 204 == client.post(path_of(entry), json={"task_id": "t-1"}, headers=signed(entry)).status_code
    assert before == history.get(entry.id)


def test_a_database_that_is_away_is_told_in_time(
    client: httpx.Client,
    database: Database,
    history: History,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """While the database is locked the answer is 503, within the time limit; afterwards webhooks are taken again."""
    monkeypatch.setattr(webhooks, "ANSWER_SECONDS", 0.5)
    entry = open_entry(history)
    with database.write() as connection:
        connection.execute(sa.text("DELETE FROM pauses"))
        begun = time.monotonic()
        answer = client.post(path_of(entry), json={"task_id": "t-1"}, headers=signed(entry))
        assert 503 == answer.status_code
        assert answer.headers["retry-after"]
        assert time.monotonic() - begun < 5
    assert 204 == client.post(path_of(entry), json={"task_id": "t-1"}, headers=signed(entry)).status_code
    assert entry.webhook_token is not None
    assert entry.webhook_token not in "".join(text for name, _, text in caplog.record_tuples if "journey" in name)


def test_webhooks_that_come_together_share_a_transaction(
    client: httpx.Client, database: Database, history: History
) -> None:
    """While another writer has its turn, those that come wait for it together, and are stored at once."""
    entries = [open_entry(history, f"t-{number}") for number in range(12)]

    def deliver(number: int) -> int:
        body = {"task_id": f"t-{number}"}
        return client.post(path_of(entries[number]), json=body, headers=signed(entries[number])).status_code

    with ThreadPoolExecutor(len(entries)) as pool:

        def all_at_once() -> None:
            with database.write() as connection, statements(database) as said:
                connection.execute(sa.text("DELETE FROM pauses"))
                answers = [pool.submit(deliver, number) for number in range(len(entries))]
                wait_for(lambda: len(entries) <= sum("webhook_token = " in sql for sql, _ in said))
            assert [204] * len(entries) == [answer.result(20) for answer in answers]

        # The one that was held up, and what came meanwhile; more only when some were late.
        assert 6 >= writes(database, all_at_once)
    assert len(entries) == len(history.due(State.OPEN, limit=20))


def test_secrets_are_not_logged(client: httpx.Client, history: History, caplog: pytest.LogCaptureFixture) -> None:
    """Neither right nor wrong secrets reach a log."""
    caplog.set_level(logging.DEBUG)
    entry = open_entry(history)
    client.post(path_of(entry), json={"task_id": "t-1"}, headers=signed(entry))
    client.post(path_of(entry), json={"task_id": "t-1"}, headers={"x-webhook-secret": "almost-right"})
    ours = "".join(record.getMessage() for record in caplog.records if record.name.startswith("journey"))
    assert secret_for(KEY, entry.id) not in ours
    assert "almost-right" not in ours


@contextmanager
def served(current: Current) -> Iterator[int]:
    """The receiver behind the real server; gives its port."""
    receiver = Starlette(routes=routes(current, KEY, on_hint=current.wake))  # type: ignore[arg-type]
    config = uvicorn.Config(receiver, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(10)


def spoken(port: int, entry: Entry, headers: str, feed: Callable[[socket.socket], None]) -> tuple[str, float]:
    """Send a request by hand; gives the status line and the seconds until the server closed."""
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        head = f"POST {path_of(entry)} HTTP/1.1\r\nHost: x\r\nx-webhook-secret: {secret_for(KEY, entry.id)}\r\n"
        connection.sendall(f"{head}{headers}\r\n\r\n".encode())
        answer = b""
        with suppress(OSError):  # the server may close in the middle, as it should
            feed(connection)
        with suppress(ConnectionResetError):
            while chunk := connection.recv(4096):
                answer += chunk
    return answer.split(b"\r\n")[0].decode(), time.monotonic() - begun


def test_endless_and_slow_bodies_are_cut_off(
    client: httpx.Client, server: tuple[Current, int], history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Huge and endless bodies get 413 with flat memory, dripping ones 408, and other webhooks are answered."""
    monkeypatch.setattr(webhooks, "BODY_SECONDS", 0.5)
    entry, port = open_entry(history), server[1]
    memory = psutil.Process().memory_info().rss

    def endless(connection: socket.socket) -> None:
        for _ in range(3000):
            connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")

    def dripping(connection: socket.socket) -> None:
        for _ in range(30):
            connection.sendall(b"{")
            threading.Event().wait(0.1)

    with ThreadPoolExecutor(3) as pool:
        huge = pool.submit(spoken, port, entry, "Content-Length: 10000000000", lambda _: None)
        chunks = pool.submit(spoken, port, entry, "Transfer-Encoding: chunked", endless)
        slow = pool.submit(spoken, port, entry, "Content-Length: 1000", dripping)
        body = b'{"task_id": "t-1"}'
        status, _ = spoken(port, entry, f"Content-Length: {len(body)}\r\nConnection: close", lambda c: c.sendall(body))
        assert "HTTP/1.1 204 No Content" == status
        assert huge.result()[0].startswith("HTTP/1.1 413")
        assert chunks.result()[0].split(" ")[1:2] in ([], ["413"])  # the answer may be lost in the reset
        assert slow.result()[0].startswith("HTTP/1.1 408")
        assert slow.result()[1] < 5
    assert psutil.Process().memory_info().rss - memory < 50 * 2**20


def serve_alone(database_url: str, said: Connection) -> None:
    """The receiver in a process of its own, until it is killed."""
    current = Current()
    current.history = History(Database(database_url), clock=lambda: 1_800_000_000.0)
    with served(current) as port:
        said.send(port)
        signal.pause()


@pytest.mark.torture
def test_a_thousand_in_five_seconds(database: Database, history: History) -> None:
    """A thousand webhooks in five seconds are all taken, 99 % of them within half a second."""
    entries = [open_entry(history, f"t-{number}") for number in range(50)]
    said, saying = PROCESSES.Pipe(duplex=False)
    server = PROCESSES.Process(target=serve_alone, args=[database.url.render_as_string(hide_password=False), saying])
    server.start()
    assert said.poll(30)
    port = said.recv()
    begun = time.monotonic()

    def deliver(number: int) -> tuple[str, float]:
        threading.Event().wait(max(0.0, begun + number / 200 - time.monotonic()))
        entry = entries[number % len(entries)]
        body = json.dumps({"task_id": f"t-{number % len(entries)}"}).encode()
        headers = f"Content-Length: {len(body)}\r\nConnection: close"
        return spoken(port, entry, headers, lambda connection: connection.sendall(body))

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(deliver, range(1000)))
    server.kill()
    assert [-signal.SIGKILL] == exit_codes(server)
    assert {"HTTP/1.1 204 No Content"} == {status for status, _ in answers}
    slowest = sorted(seconds for _, seconds in answers)
    late = [number for number, (_, seconds) in enumerate(answers) if seconds > 0.4]
    assert 0.5 > slowest[989], f"median {slowest[500]:.3f} s, slow were {late}"
