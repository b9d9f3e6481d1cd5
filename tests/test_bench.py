"""The table of figures: fair turns, honest ratios, plain Markdown."""

from __future__ import annotations

import pytest

from bench.table import COLUMNS, Line, alternating, compared, heading, row


def test_measures_take_turns() -> None:
    """Every measure runs once in each round, with a rest before it."""
    turns: list[str] = []

    def measure(name: str) -> float:
        turns.append(name)
        return float(len(turns))

    figures = alternating(
        {"ours": lambda: measure("ours"), "peer": lambda: measure("peer")},
        3,
        clock=lambda: 0.0,
        sleep=lambda _: turns.append("rest"),
    )
    assert ["rest", "ours", "rest", "peer"] * 3 == turns
    assert {"ours": [2.0, 6.0, 10.0], "peer": [4.0, 8.0, 12.0]} == figures


@pytest.mark.parametrize(("seconds", "runs"), [(59.0, 5), (61.0, 3), (301.0, 1)])
def test_long_measures_are_made_less_often(seconds: float, runs: int) -> None:
    """Over a minute, three runs are enough, and over five minutes one."""
    now = 0.0

    def slow() -> float:
        nonlocal now
        now += seconds
        return seconds

    assert {"slow": [seconds] * runs} == alternating({"slow": slow}, 5, clock=lambda: now, sleep=lambda _: None)


def test_a_line_compares_medians() -> None:
    """One slow run of either changes nothing, and the number of runs is said."""
    line = compared("a job", "s", [2.0, 9.0, 2.2], "Pillow", [4.4, 4.0, 40.0])
    assert (2.2, 4.4, 0.5, 3) == (line.ours, line.theirs, line.ratio, line.runs)
    assert "| a job | 2.2 s | Pillow | 4.4 s | 0.5 times as long | 3 |  |" == row(line)


def test_speeds_are_amounts_by_time() -> None:
    """With an amount, what takes half as long is twice as fast."""
    line = compared("a job", "MP/s", [2.0], "Pillow", [4.0], amount=8.0)
    assert (4.0, 2.0, 2.0) == (line.ours, line.theirs, line.ratio)
    assert "2 times as fast" in row(line)


def test_what_was_not_measured_says_why() -> None:
    """A missing peer is a line like all others, without figures and without a ratio."""
    text = row(Line("a job", None, "MP/s", "ONNX Runtime", note="not installed"))
    assert "| a job | – | ONNX Runtime | – |  |  | not installed |" == text


def test_decibels_have_no_ratio() -> None:
    """Where a ratio would mean nothing, there is none."""
    assert Line("bfloat16", 56.0, "dB", "float32", 50.0).ratio is None


def test_every_row_has_all_columns() -> None:
    """The table is good Markdown."""
    rows = [*heading().splitlines(), row(Line("a job", 1234.5, "MB", "Pillow", 12.0, 5, "a remark"))]
    assert {len(COLUMNS) + 1} == {each.count("|") for each in rows}
    assert "1,234 MB" in rows[-1]
