"""`python -m journey.engine` as a process: it starts, refuses, survives being killed, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from journey.engine.__main__ import app, listener_at
from journey.engine.networks.backends import unavailable_reason
from journey.errors import CannotStart
from journey.settings import Settings
from journey.storage.files import Files
from tests.harness.engines import (
    KEY,
    Engine,
    WebServer,
    download,
    encoded,
    gradient,
    hang_small_samples,
    know_speeds,
    until,
)

reason = unavailable_reason()
pytestmark = pytest.mark.skipif(reason is not None, reason=str(reason))


def command(data_dir: Path, *arguments: str, **settings: str) -> tuple[list[str], dict[str, str]]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("JOURNEY_")}
    ours = {"JOURNEY_DATA_DIR": str(data_dir), "JOURNEY_ENGINE_KEY": KEY, "JOURNEY_FETCH_ALLOW": "127.0.0.0/8"}
    return [sys.executable, "-m", "journey.engine", *arguments], clean | ours | settings


@contextmanager
def alone(data_dir: Path, **settings: str) -> Iterator[tuple[Engine, subprocess.Popen[str]]]:
    """The program on a free port, killed at the end of the block."""
    line, environment = command(data_dir, "--port", "0", **{"JOURNEY_ENGINE_WORKERS": "1"} | settings)
    with subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+", said)
            assert found, said + (process.stderr.read() if process.stderr else "")
            yield Engine(found[0], data_dir), process
        finally:
            process.kill()
            process.communicate()


def start_at(data_dir: Path, **chosen: Any) -> None:
    """Build the program as its command line does, without running it."""
    app(Settings(data_dir=data_dir, **chosen), host="127.0.0.1", port=1)  # type: ignore[call-arg]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data folder that already holds small samples."""
    hang_small_samples(Files(str(tmp_path / "data" / "files"), work_dir=tmp_path / "data"))
    know_speeds(tmp_path / "data")
    return tmp_path / "data"


def test_a_killed_server_finishes_its_task_after_the_next_start(data_dir: Path) -> None:
    """After kill -9 in mid-job, the next start goes on: no lower percentage, one result, one webhook, no debris."""
    pages = {"/a.png": encoded(gradient(300, 260))}
    with WebServer(pages) as web:
        with alone(data_dir) as (engine, process):
            task_id = engine.submit(image_url=f"{web.url}/a.png", type="4x", webhook_url=f"{web.url}/hook")
            for _ in until(60):
                before = engine.fetch(task_id)
                if before["status"] == "processing" and int(before["percentage"]) >= 10:
                    break
            children = psutil.Process(process.pid).children(recursive=True)
            process.kill()
            process.wait()
        assert "processing" == before["status"]
        assert list((data_dir / "files" / "incoming").iterdir())
        with alone(data_dir) as (engine, _):
            seen: list[dict[str, Any]] = []
            after = engine.finished(task_id, seen.append)
            assert "finished" == after["status"]
            assert min(int(state["percentage"]) for state in seen) >= int(before["percentage"])
            assert (1200, 1040) == download(after["image_url"]).size
            for _ in until(10):
                if web.posts:
                    break
    assert 1 == len(web.posts)
    assert 1 == len(list((data_dir / "files").rglob("*_4x.png")))
    assert [] == list((data_dir / "files" / "incoming").iterdir())
    _, alive = psutil.wait_procs(children, timeout=10)
    assert [] == alive


def test_a_killed_server_finishes_all_tasks_that_were_under_way(data_dir: Path) -> None:
    """After kill -9 under two tasks, the next start does both: one result and one webhook for each, and no debris."""
    with WebServer({"/a.png": encoded(gradient())}) as web:
        # It dies when the second one has its tiles cut, which is long before the first tile is made.
        two_workers = {"JOURNEY_ENGINE_WORKERS": "2", "JOURNEY_ENGINE_MODEL": "fast"}
        with alone(data_dir, FAILPOINT="after a tile:2", **two_workers) as (engine, process):
            order = {"image_url": f"{web.url}/a.png", "type": "4x", "webhook_url": f"{web.url}/hook"}
            for name in ("one", "two"):
                with suppress(httpx.TransportError):  # it may die before it has answered
                    engine.submit(**order, reference=name)
            assert -signal.SIGKILL == process.wait(60)
        assert 4 == len(list((data_dir / "files" / "incoming").iterdir()))
        with alone(data_dir, **two_workers) as (engine, _):
            both = [engine.submit(**order, reference=name) for name in ("one", "two")]
            assert ["processing"] * 2 == [engine.fetch(each)["status"] for each in both]
            assert ["finished"] * 2 == [engine.finished(each)["status"] for each in both]
            for _ in until(10):
                if len(web.posts) == len(both):
                    break
    assert 2 == len(web.posts)
    assert 2 == len(list((data_dir / "files").rglob("*_4x.png")))
    assert [] == list((data_dir / "files" / "incoming").iterdir())


def test_a_first_start_and_its_end(data_dir: Path) -> None:
    """The first start makes a key that only its owner can read; Ctrl-C in mid-job ends it all quickly and quietly."""
    pages = {"/a.png": encoded(gradient(300, 260))}
    with WebServer(pages) as web, alone(data_dir, JOURNEY_ENGINE_KEY="") as (engine, process):
        assert process.stdout is not None
        assert f"Its key is in {data_dir / 'engine-key'}" == process.stdout.readline().strip()
        key = (data_dir / "engine-key").read_text()
        assert "600" == f"{(data_dir / 'engine-key').stat().st_mode & 0o777:o}"
        for given, status in ((key, 200), ("", 401), (KEY, 401)):
            answer = engine.call("account", method="GET", headers={"Authorization": given})
            assert status == answer.status_code
        with pytest.raises(CannotStart, match="Another process already works with this data folder"):
            start_at(data_dir)
        headers = {"Authorization": key}
        job = engine.call("upscale-2x-4x", {"image_url": f"{web.url}/a.png", "type": "4x"}, headers=headers).json()
        for _ in until(60):
            if engine.call("fetch", job, headers=headers).json()["status"] == "processing":
                break
        children = psutil.Process(process.pid).children(recursive=True)
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
        assert 10 > time.monotonic() - started
        assert "" == errors
        _, alive = psutil.wait_procs(children, timeout=10)
        assert [] == alive


def test_a_taken_port_ends_the_start_with_a_sentence(tmp_path: Path) -> None:
    """Nothing is created, no traceback is shown, and the sentence says what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        line, environment = command(tmp_path / "data", "--port", port)
        ended = subprocess.run(line, env=environment, capture_output=True, text=True, check=False, timeout=60)
    said = f"Cannot start: It cannot listen at 127.0.0.1, port {port}: Address already in use"
    assert (1, f"{said}. Choose another with --port.\n") == (ended.returncode, ended.stderr)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("text", ["", "\n", "two words", "schlüssel"], ids=repr)
def test_a_key_file_without_a_key_stops_the_start(tmp_path: Path, text: str) -> None:
    """A key file without a usable key stops the start: an empty key would let in everybody who sends none."""
    (tmp_path / "engine-key").write_text(text)
    with pytest.raises(CannotStart, match="does not hold a key"):
        start_at(tmp_path)


def test_an_unknown_network_stops_the_start(tmp_path: Path) -> None:
    """An unknown network stops the start, and the sentence names the setting and what is allowed."""
    with pytest.raises(CannotStart, match="JOURNEY_ENGINE_MODEL: must be one of detail, faithful, fast"):
        start_at(tmp_path, engine_model="best")


@pytest.mark.parametrize(("host", "port"), [("no such host", 0), ("127.0.0.1", 70_000), ("127.0.0.1", -1)])
def test_an_address_that_is_none_stops_the_start(host: str, port: int) -> None:
    """A host that does not resolve and an impossible port are reported like a port that is taken."""
    with pytest.raises(CannotStart, match="cannot listen"):
        listener_at(host, port)
