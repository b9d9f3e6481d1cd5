"""Looks are noted beside the pictures, wherever those are, for all processes."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from journey.storage.files import new_key
from journey.storage.looked import LOOK_SECONDS, Looked
from tests.harness.standing import Clock


@pytest.fixture(params=["folder", "memory", "s3"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    urls: dict[str, Callable[[], str]] = {
        "folder": lambda: str(tmp_path / "files"),
        "memory": lambda: f"memory://{uuid.uuid4().hex}/prefix",
        "s3": lambda: str(request.getfixturevalue("s3_here").address()),
    }
    return urls[request.param]()


def test_a_look_is_seen_by_all_processes_for_a_day(address: str) -> None:
    """Another process sees what was looked at within a day, and what longer ago, until that is forgotten."""
    clock, first, second = Clock(), new_key(), new_key()
    here, there = Looked(address, clock=clock), Looked(address, clock=clock)
    assert set() == there.recent([first]) | there.old()
    here.note([first, "../nowhere"])
    clock.now += 1
    here.note([second])
    clock.now += LOOK_SECONDS
    assert ({second}, {first}) == (there.recent([first, second, new_key()]), there.old())
    there.forget([first, new_key()])
    assert (set(), {second}) == (here.old(), here.recent([first, second]))
