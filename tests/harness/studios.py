"""The studio as people start it, in a process of its own, and its data folder, to put tasks into by hand."""

from __future__ import annotations

import atexit
import functools
import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from journey.api.models import TaskStatus
from journey.history import Entry, History, NewEntry, State
from journey.pictures import gallery
from journey.pictures.previews import write_previews
from journey.provider import THIS_MACHINE
from journey.settings import Settings
from journey.storage.database import Database
from journey.storage.files import Files
from journey.storage.stored import StoredPicture
from tests.harness.engines import know_speeds

ROOT = Path(__file__).parents[2]
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # Names that nobody has, pointed at this machine, as an attacker would point theirs.
    "--host-resolver-rules=MAP *.example 127.0.0.1",
]


@functools.cache
def drawn_samples() -> Path:
    """The stored samples of a studio after its first start, drawn once for all tests of this process."""
    folder = Path(tempfile.mkdtemp(prefix="journey-samples-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    files = Files(str(folder / "files"), work_dir=folder)
    files.start()
    gallery.hang(files)
    return folder / "files"


def hang_samples(files: Files) -> None:
    """Store the samples, so that no studio has to draw them."""
    for sample in drawn_samples().glob("[0-9a-f][0-9a-f]/*"):
        with files.folder() as folder:
            shutil.copytree(sample, folder, dirs_exist_ok=True)
            files.keep(folder, key=sample.name)


@dataclass
class Studio:
    """`streamlit run app.py` as a process of its own, with its data in `data_dir`.

    Its samples are already drawn there and its networks measured, unless `is_new`. The form begins with the quickest
    network; with the setting JOURNEY_ENGINE_MODEL empty, it proposes one for each picture, as for a new user.
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

    def start(self) -> float:
        """Start it, and return after how many seconds it was ready."""
        self.launch()
        return self.become_ready()

    def become_ready(self, *, within: float = 60) -> float:
        """Wait until it is ready, at most this many seconds, and return after how many it was."""
        begun, process = time.monotonic(), self.process
        assert process is not None
        while True:
            try:
                if httpx.get(f"{self.url}/readyz").status_code == 200:
                    return time.monotonic() - begun
            except httpx.TransportError:
                pass
            assert process.poll() is None, (self.data_dir / "log").read_text()
            assert time.monotonic() < begun + within, "the server did not start in time"
            time.sleep(0.1)

    def launch(self, failpoint: str = "") -> None:
        """Start it without waiting for it; it dies when it reaches the failpoint."""
        if not self.is_new:
            shutil.copytree(drawn_samples(), self.data_dir / "files", dirs_exist_ok=True)
            know_speeds(self.data_dir)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("JOURNEY_")}
        with (self.data_dir / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(self.port)],
                cwd=ROOT,
                env=environment | self._settings() | {"FAILPOINT": failpoint},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _settings(self) -> dict[str, str]:
        return {"JOURNEY_DATA_DIR": str(self.data_dir), "JOURNEY_ENGINE_MODEL": "fast"} | self.settings

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(30)
            self.process = None


class Shelf:
    """The history and the files of a studio, to put tasks into by hand; `now` sets their time.

    They are in its data folder, unless `places` (`database_url`, `files_url`) say otherwise.
    """

    def __init__(self, data_dir: Path, **places: Any) -> None:
        settings = Settings(data_dir=data_dir, **places)
        self.now: float | None = None
        self.database = Database(settings.database_place)
        self.database.upgrade()
        self.history = History(self.database, clock=lambda: self.now or time.time())
        self.files = Files(settings.files_place, work_dir=data_dir)

    def __enter__(self) -> Shelf:
        return self

    def __exit__(self, *_: object) -> None:
        self.database.close()

    def keep(self, name: str, picture: Image.Image) -> StoredPicture:
        """Store a picture with its previews, as an upload is stored."""
        with self.files.folder() as folder:
            picture.save(folder / name)
            write_previews(picture, folder)
            size = (folder / name).stat().st_size
            return StoredPicture(self.files.keep(folder), name, picture.width, picture.height, size)


def new_task(name: str, source: StoredPicture, **fields: Any) -> NewEntry:
    """A wish for 4x on this machine, unless the fields say otherwise."""
    return NewEntry(**{"provider": THIS_MACHINE, "type": "4x", "name": name, "source": source, **fields})


def end_task(
    shelf: Shelf,
    entry: Entry,
    result: StoredPicture | None = None,
    *,
    ends: State = State.FINISHED,
    error: str | None = None,
) -> Entry:
    """Move a queued entry to its end, as the tracker would. A finished one needs a result."""
    ways: tuple[State, ...] = () if ends is State.CANCELLED else (State.SUBMITTING,)
    changes: dict[str, Any] = {"error": error}
    if ends is State.FINISHED:
        assert result is not None
        ways = (State.SUBMITTING, State.OPEN, State.ARCHIVING)
        changes = {
            "result": result,
            "result_model": "realesr-animevideov3" if entry.provider == THIS_MACHINE else None,
            "task_status": TaskStatus.FINISHED,
        }
    for state in ways:
        opened: dict[str, Any] = {"task_id": f"task-{entry.id}"} if state is State.OPEN else {}
        shelf.history.move(entry.id, state, **opened)
    ended = shelf.history.move(entry.id, ends, **changes)
    assert ended is not None
    return ended


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def cut_of_sample(studio: Studio, part: tuple[int, int, int, int]) -> bytes:
    """A part of the koi (left, top, right, bottom) as PNG: detail would take minutes for the whole picture."""
    files = Files(str(studio.data_dir / "files"), work_dir=studio.data_dir)
    koi = gallery.stored("koi")
    buffer = io.BytesIO()
    with Image.open(files.path(koi.key, koi.file)) as sample:
        sample.crop(part).save(buffer, "PNG")
    return buffer.getvalue()
