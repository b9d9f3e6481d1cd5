"""The points where a test may kill the program: all of them exist, and nobody else ever dies there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from journey.storage import failpoints

ROOT = Path(__file__).parents[2]


@pytest.fixture
def deaths(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    died: list[str] = []
    monkeypatch.setattr(failpoints, "die", lambda: died.append("died"))
    yield died
    failpoints.arm("")


def test_every_point_is_in_one_place() -> None:
    """Each name in the list is in exactly one place of the program, and there is no other."""
    found = Counter(
        name for path in (ROOT / "journey").rglob("*.py") for name in re.findall(r'reach\("(.+?)"\)', path.read_text())
    )
    assert dict.fromkeys(failpoints.POINTS, 1) == found


def test_a_point_counts_down(deaths: list[str]) -> None:
    """The program dies when it comes by for the last of the times asked for, and at no other point."""
    failpoints.arm("after the call:2")
    failpoints.reach("during polling")
    failpoints.reach("after the call")
    assert [] == deaths
    failpoints.reach("after the call")
    assert ["died"] == deaths


def test_nothing_happens_unless_asked(deaths: list[str]) -> None:
    """Without the environment variable no point does anything; a name that is none is refused."""
    for point in failpoints.POINTS:
        failpoints.reach(point)
    assert [] == deaths
    with pytest.raises(ValueError, match="no failpoint"):
        failpoints.arm("nowhere")
