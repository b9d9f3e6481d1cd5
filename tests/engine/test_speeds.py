"""How fast this machine is: measured once, kept, and told from what something else has run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from journey.engine.networks.network import DETAIL, FAST, Hardware
from journey.engine.networks.recipes import Recipe
from journey.engine.speeds import Speed, Speeds
from tests.harness.standing import Clock, Inline

ON_CPU = replace(FAST, hardware=Hardware("cpu", "f32"))


def test_a_network_is_measured_once(tmp_path: Path) -> None:
    """The first start measures, the next ones read what was kept, in this process and in others."""
    clock, workers = Clock(), Inline()
    Speeds(tmp_path / "speeds.json", clock=clock).measure(ON_CPU, workers)
    known = Speeds(tmp_path / "speeds.json").of("fast")
    assert known is not None
    assert ("OpenVINO, float32", clock.now) == (known.runs_on, known.measured_at)
    assert 1e-8 < known.seconds_per_pixel < 1e-3
    asked = workers.jobs
    Speeds(tmp_path / "speeds.json").measure(ON_CPU, workers)
    assert asked + 1 == workers.jobs  # only what runs it was asked for


def test_it_is_measured_again_by_what_runs_it_now(tmp_path: Path) -> None:
    """A speed that was measured with another backend or precision is replaced."""
    speeds = Speeds(tmp_path / "speeds.json")
    speeds.measure(replace(ON_CPU, backend="ncnn"), Inline())
    before = speeds.of("fast")
    speeds.measure(ON_CPU, Inline())
    after = speeds.of("fast")
    assert before
    assert after
    assert ("ncnn, float32", "OpenVINO, float32") == (before.runs_on, after.runs_on)


def test_it_is_measured_again_when_workers_share_the_processors(tmp_path: Path) -> None:
    """Two workers have half of the processors each: the speed of one that had all is not theirs."""
    speeds = Speeds(tmp_path / "speeds.json")
    alone, shared = ON_CPU, replace(ON_CPU, hardware=Hardware("cpu", "f32", share=2))
    before = speeds.estimate(Recipe(alone), 1024, 1024, workers=1)
    assert before == pytest.approx(speeds.estimate(Recipe(shared), 1024, 1024, workers=2))
    speeds.measure(alone, Inline())
    speeds.measure(shared, Inline())
    known = speeds.of("fast")
    assert known is not None
    assert 2 == known.share


@pytest.mark.parametrize("content", [b"", b"[]", b'{"fast": {"speed": 3}}', b'{"fast": 3}', b"\xff\xfe", b"{"])
def test_a_file_that_cannot_be_understood_is_measured_anew(tmp_path: Path, content: bytes) -> None:
    """A damaged file is as if there were none."""
    (tmp_path / "speeds.json").write_bytes(content)
    speeds = Speeds(tmp_path / "speeds.json")
    assert speeds.of("fast") is None
    speeds.measure(ON_CPU, Inline())
    assert speeds.of("fast")


def test_estimates_follow_what_was_measured(tmp_path: Path) -> None:
    """Four times the tiles take four times as long, two workers half as long, and a small picture a tile's time."""
    speeds = Speeds(tmp_path / "speeds.json")
    quick, slow = (speeds.estimate(Recipe(each), 1000, 1000, workers=1) for each in (FAST, DETAIL))
    assert 20 * quick < slow
    speeds._keep("fast", Speed("here", 1, 1e-6, 0.0))
    one = speeds.estimate(Recipe(FAST), 1024, 1024, workers=1)
    assert 8 * 336 * 592 * 1e-6 == pytest.approx(one)
    assert 4 * one == pytest.approx(speeds.estimate(Recipe(FAST), 2048, 2048, workers=1))
    assert one / 2 == pytest.approx(speeds.estimate(Recipe(FAST), 1024, 1024, workers=2))
    assert 92**2 * 1e-6 == pytest.approx(speeds.estimate(Recipe(FAST), 10, 10, workers=1))
