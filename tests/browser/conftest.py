"""A real Chromium on the real server."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from journey.api.models import TaskStatus
from journey.history import Entry, History, NewEntry, State
from journey.pictures import gallery
from journey.pictures.previews import write_previews
from journey.settings import Settings
from journey.storage.database import Database
from journey.storage.files import Files

ROOT = Path(__file__).parents[2]
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


expect.set_options(timeout=30_000)


@functools.cache
def drawn_samples() -> Path:
    """The stored samples of a studio after its first start, drawn once for all tests of this process."""
    folder = Path(tempfile.mkdtemp(prefix="journey-samples-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    files = Files(str(folder / "files"), work_dir=folder)
    files.start()
    gallery.hang(files)
    return folder / "files"


@dataclass
class Studio:
    """`streamlit run app.py` as a process of its own, with its data in `data_dir`.

    It finds its samples there, drawn already, unless `is_new`.
    """

    data_dir: Path
    port: int
    settings: dict[str, str]
    is_new: bool = False
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def key(self) -> str:
        return (self.data_dir / "engine-key").read_text().strip()

    def start(self) -> None:
        if not self.is_new:
            shutil.copytree(drawn_samples(), self.data_dir / "files", dirs_exist_ok=True)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("JOURNEY_")}
        with (self.data_dir / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(self.port)],
                cwd=ROOT,
                env=environment | {"JOURNEY_DATA_DIR": str(self.data_dir)} | self.settings,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + 60
        while True:
            try:
                if httpx.get(f"{self.url}/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            assert self.process.poll() is None, (self.data_dir / "log").read_text()
            assert time.monotonic() < deadline, "the server did not start in time"
            time.sleep(0.1)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(30)
            self.process = None


class Shelf:
    """The history and the files in a studio's data folder, to put tasks into by hand. `now` is the time there."""

    def __init__(self, data_dir: Path) -> None:
        settings = Settings(_env_file=None, data_dir=data_dir)
        self.now: float | None = None
        self.database = Database(settings.resolved_database_url)
        self.database.upgrade()
        self.history = History(self.database, clock=lambda: self.now or time.time())
        self.files = Files(settings.resolved_files_url, work_dir=data_dir)

    def __enter__(self) -> Shelf:
        return self

    def __exit__(self, *_: object) -> None:
        self.database.close()

    def keep(self, name: str, picture: Image.Image) -> Stored:
        """Store a picture with its previews, as an upload is stored."""
        with self.files.folder() as folder:
            picture.save(folder / name)
            write_previews(picture, folder)
            size = (folder / name).stat().st_size
            return Stored(self.files.keep(folder), name, picture.width, picture.height, size)


@dataclass(frozen=True)
class Stored:
    """A picture of a studio, its pixels and its bytes."""

    key: str
    file: str
    width: int
    height: int
    size: int


def new_task(name: str, source: Stored, **fields: Any) -> NewEntry:
    """A wish for 4x on this machine, unless the fields say otherwise."""
    wish = {"engine": "embedded", "type": "4x", "name": name, "source_key": source.key, "source_file": source.file}
    return NewEntry(**{**wish, "source_width": source.width, "source_height": source.height, **fields})


def end_task(
    shelf: Shelf, entry: Entry, result: Stored | None = None, *, ends: State = State.FINISHED, error: str | None = None
) -> Entry:
    """Move a queued task to where it ends, as the tracker would. Finished ones need a result."""
    ways: tuple[State, ...] = () if ends is State.CANCELLED else (State.SUBMITTING,)
    changes: dict[str, Any] = {"error": error}
    if ends is State.FINISHED:
        assert result is not None
        ways = (State.SUBMITTING, State.OPEN, State.ARCHIVING)
        changes = {
            "result_key": result.key,
            "result_file": result.file,
            "result_width": result.width,
            "result_height": result.height,
            "result_bytes": result.size,
            "result_model": "realesr-animevideov3" if entry.engine == "embedded" else None,
            "task_status": TaskStatus.FINISHED,
        }
    for state in ways:
        shelf.history.move(entry.id, state, **({"task_id": f"task-{entry.id}"} if state is State.OPEN else {}))
    ended = shelf.history.move(entry.id, ends, **changes)
    assert ended is not None
    return ended


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def make_studio(tmp_path: Path) -> Iterator[Callable[..., Studio]]:
    """Start studios with the given settings; all of them end with the test."""
    started: list[Studio] = []

    def make(*, is_new: bool = False, **settings: str) -> Studio:
        data_dir = tmp_path / f"data-{len(started)}"
        data_dir.mkdir()
        studio = Studio(data_dir, free_port(), settings, is_new)
        started.append(studio)
        studio.start()
        return studio

    yield make
    for studio in started:
        studio.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. Without it these tests are skipped, except in CI."""
    chromium = shutil.which("chromium")
    if chromium is None:
        if os.environ.get("CI"):
            pytest.fail("chromium is not installed: apt-get install chromium")
        pytest.skip("chromium is not installed")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh tab, 1280 × 900, with its own storage."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    tab = context.new_page()
    tab.set_default_timeout(30_000)
    yield tab
    context.close()
