"""The real engine on a free loopback port, with small pictures, for tests that need a server."""

from __future__ import annotations

import functools
import io
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import httpx
import uvicorn
from PIL import Image

from journey.engine.__main__ import app, listener_at
from journey.engine.embedded import SPEEDS_FILE
from journey.engine.networks.finding import find_networks
from journey.engine.speeds import Speeds
from journey.pictures import gallery, samples
from journey.pictures.previews import write_previews
from journey.processes import Workers
from journey.settings import Settings
from journey.storage.files import Files

KEY = "engine-key-0123456789"
QUARTERS = ((200, 40, 40), (40, 180, 60), (50, 70, 210), (220, 200, 60))
"""Colours of the small sample grid, in the order of the index."""

SIDE = 64, 48


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    into = io.BytesIO()
    image.save(into, kind, **options)
    return into.getvalue()


def gradient(width: int = SIDE[0], height: int = SIDE[1]) -> Image.Image:
    """A picture with a different colour in every corner."""
    corners = Image.new("RGB", (2, 2))
    corners.putdata([(220, 60, 40), (40, 160, 90), (50, 80, 200), (240, 200, 60)])
    return corners.resize((width, height), Image.Resampling.BILINEAR)


@dataclass(frozen=True)
class Engine:
    """A running engine. `call` sends one request with the right key unless `headers` are given."""

    origin: str
    data_dir: Path

    @property
    def url(self) -> str:
        return f"{self.origin}/api/v1"

    def call(self, path: str, body: Any = None, *, method: str = "POST", **options: Any) -> httpx.Response:
        options.setdefault("headers", {"Authorization": KEY})
        if body is not None:
            options["json"] = body
        with httpx.Client(trust_env=False, timeout=20) as http:
            return http.request(method, f"{self.url}/{path}", **options)

    def submit(self, **order: Any) -> str:
        answer = self.call("upscale-2x-4x", order)
        assert 200 == answer.status_code, answer.text
        return str(answer.json()["task_id"])

    def fetch(self, task_id: str) -> dict[str, Any]:
        answer = self.call("fetch", {"task_id": task_id})
        assert 200 == answer.status_code, answer.text
        return dict(answer.json())

    def finished(self, task_id: str, seen: Callable[[dict[str, Any]], object] = lambda _: None) -> dict[str, Any]:
        """Wait for the end of a task and return its last state."""
        for _ in until(60):
            task = self.fetch(task_id)
            seen(task)
            if task["status"] in ("finished", "failed"):
                return task
        raise AssertionError(f"not over in time: {task}")


def until(seconds: float) -> Iterator[None]:
    """The turns of a waiting loop: 50 a second, until this many seconds have passed."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.02)


def download(url: str) -> Image.Image:
    with httpx.Client(trust_env=False, timeout=20) as http:
        answer = http.get(url)
    assert 200 == answer.status_code
    image = Image.open(io.BytesIO(answer.content))
    image.load()
    return image


def hang_small_samples(files: Files) -> None:
    """Store small pictures in place of the samples, so that none has to be drawn."""
    whole = Image.new("RGB", (2 * SIDE[0], 2 * SIDE[1]))
    pictures = {sample.name: gradient() for sample in samples.SAMPLES}
    for number, (part, colour) in enumerate(zip(samples.GRID.parts, QUARTERS, strict=True)):
        pictures[part.name] = Image.new("RGB", SIDE, colour)
        whole.paste(pictures[part.name], (number % 2 * SIDE[0], number // 2 * SIDE[1]))
    pictures[samples.GRID.name] = whole
    for name, picture in pictures.items():
        with files.folder() as folder:
            picture.save(folder / gallery.stored(name).file)
            write_previews(picture, folder)
            files.keep(folder, key=gallery.stored(name).key)


@functools.cache
def _measured() -> bytes:
    workers = Workers(1)
    workers.start()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "speeds"
        for network in find_networks().networks.values():
            Speeds(file).measure(network, workers)
        workers.stop()
        return file.read_bytes()


def know_speeds(data_dir: Path) -> None:
    """Give a data folder what the first start measures, measured once for all tests of this process."""
    data_dir.mkdir(parents=True, exist_ok=True)
    (data_dir / SPEEDS_FILE).write_bytes(_measured())


@contextmanager
def running_engine(data_dir: Path, **settings: Any) -> Iterator[Engine]:
    """The engine as `python -m journey.engine` builds it, served from a thread of this process."""
    chosen = Settings(
        **{"data_dir": data_dir, "engine_key": (KEY,), "fetch_allow": ("127.0.0.0/8",), "engine_workers": 1} | settings,
    )
    hang_small_samples(Files(chosen.files_place, work_dir=data_dir))
    know_speeds(data_dir)
    listener = listener_at("127.0.0.1", 0)
    port = listener.getsockname()[1]
    with served(app(chosen, host="127.0.0.1", port=port), listener):
        yield Engine(f"http://127.0.0.1:{port}", data_dir)


@contextmanager
def served(application: Any, listener: socket.socket, **options: Any) -> Iterator[None]:
    """Serve an ASGI application on a listening socket until the end of the block; `options` are uvicorn's."""
    server = uvicorn.Server(uvicorn.Config(application, log_level="warning", **options))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(20)


class WebServer:
    """A small web server on 127.0.0.1: `pages` by path, and every POST remembered in `posts`.

    `answers` are the status codes of the next POSTs (200 when used up); a callable is run, and 200 is answered.
    """

    def __init__(self, pages: Mapping[str, bytes] | None = None) -> None:
        self.pages = dict(pages or {})
        self.posts: list[tuple[Mapping[str, str], bytes]] = []
        self.answers: list[int | Callable[[], object]] = []
        self.gets = 0
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner.gets += 1
                body = owner.pages.get(self.path)
                self._answer(404 if body is None else 200, body or b"<!doctype html><title>no</title>")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                owner.posts.append((dict(self.headers.items()), body))
                answer = owner.answers.pop(0) if owner.answers else 200
                if not isinstance(answer, int):
                    answer()
                    answer = 200
                self._answer(answer, b"{}")

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
