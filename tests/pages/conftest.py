"""A real workspace behind a real server, for pages that run in AppTest."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.applications import Starlette
from streamlit.testing.v1 import AppTest

from journey.settings import Settings
from journey.storage.stored import Origins
from journey.workspace import Workspace, share
from tests.harness.engines import served

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """The workspace that pages get: its routes answer on a free port, and its workers run."""
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("data"),
        engine_workers=1,
        engine_model="fast",
        fetch_allow=("127.0.0.0/8",),
        max_output_pixels=10_000_000,
    )
    with running(settings) as workspace:
        yield workspace


@contextmanager
def running(settings: Settings) -> Iterator[Workspace]:
    """A started workspace that answers on a free port and that pages use."""
    listener = socket.create_server(("127.0.0.1", 0))
    origins = Origins.at("127.0.0.1", listener.getsockname()[1], public=settings.public_url)
    workspace = Workspace(settings, origins=origins)
    with served(Starlette(routes=workspace.routes), listener):
        workspace.start()
        share(workspace)
        try:
            yield workspace
        finally:
            share(None)
            workspace.stop()


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
