"""A real workspace behind a real server, for pages that run in AppTest."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette
from streamlit.testing.v1 import AppTest

from journey.settings import Settings
from journey.workspace import Workspace, share

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """The workspace that pages get: its routes answer on a free port, its workers run."""
    settings = Settings(
        _env_file=None,
        data_dir=tmp_path_factory.mktemp("data"),
        engine_workers=1,
        fetch_allow=("127.0.0.0/8",),
        max_output_pixels=10_000_000,
    )
    with running(Workspace(settings)) as workspace:
        yield workspace


class running:  # noqa: N801  reads as the verb it is: `with running(workspace)`
    """Serve a workspace's routes, start it, and make it the one that pages find."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def __enter__(self) -> Workspace:
        listener = socket.create_server(("127.0.0.1", 0))
        app = Starlette(routes=self.workspace.routes)
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        self._thread = threading.Thread(target=self._server.run, args=([listener],), daemon=True)
        self._thread.start()
        self.workspace.start(port=listener.getsockname()[1])
        share(self.workspace)
        return self.workspace

    def __exit__(self, *_: object) -> None:
        share(None)
        self.workspace.stop()
        self._server.should_exit = True
        self._thread.join(5)


@pytest.fixture
def open_page(space: Workspace) -> Callable[..., AppTest]:
    """Open a page by its file name, with query parameters, through the frame that real visitors get."""

    def open(page: str, **query: str) -> AppTest:  # noqa: A001  the verb that fits
        app = AppTest.from_file(str(ROOT / "pages" / "_app.py"), default_timeout=20)
        for name, value in query.items():
            app.query_params[name] = value
        app.run()
        if page != "upscale.py":
            app.switch_page(page).run()
        return app

    return open


def until(condition: Callable[[], object], *, seconds: float = 30) -> None:
    """Wait for background work, with a limit."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the background work did not get there in time"
        time.sleep(0.05)
