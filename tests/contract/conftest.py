"""The servers that the contract is checked against: the stand-in in both its ways, and the engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from journey.engine.networks.backends import unavailable_reason
from journey.testing import GRID_ID, StandIn
from tests.harness.engines import KEY, running_engine


@dataclass(frozen=True)
class Server:
    """A running server, and what the suite needs from its surroundings.

    The server may fetch `picture_url`, a picture of 64 × 48 pixels, and `page_url`, a web page.
    `grid_id` is a finished task of four pictures.
    """

    base_url: str
    api_key: str
    picture_url: str
    page_url: str
    grid_id: str


@contextmanager
def _by_questions(_: Path) -> Iterator[Server]:
    with StandIn() as api:
        yield Server(api.url, api.key, api.picture_url(), f"{api.url}/no-such-page", GRID_ID)


@contextmanager
def _by_the_clock(_: Path) -> Iterator[Server]:
    with StandIn(seed=0, speed=50) as api:
        yield Server(api.url, api.key, api.picture_url(), f"{api.url}/no-such-page", GRID_ID)


@contextmanager
def _engine(data_dir: Path) -> Iterator[Server]:
    if reason := unavailable_reason():
        pytest.skip(reason)
    with StandIn() as pictures, running_engine(data_dir) as engine:
        yield Server(engine.url, KEY, pictures.picture_url(), f"{pictures.url}/no-such-page", "sample-grid")


@pytest.fixture(
    scope="module", params=[_by_questions, _by_the_clock, _engine], ids=["by questions", "by the clock", "engine"]
)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with request.param(tmp_path_factory.mktemp("server")) as running:
        yield running
