"""One table of figures, each beside a named peer that was measured in the same run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Measure: TypeAlias = Callable[[], float]
"""Does something once and returns its figure, mostly the seconds that it took."""

REST_SECONDS = 0.5
"""Threads of OpenMP go on spinning for a fifth of a second when their work is done."""

UNITS: Mapping[str, str] = {
    "MP/s": "as fast",
    "GFLOP/s": "as much",
    "s": "as long",
    "ms": "as long",
    "MB": "as much",
}
"""What a ratio of two figures means, by their unit. For other units a ratio would mean nothing."""

COLUMNS = ("what", "here", "peer", "peer's", "here to peer", "runs", "remarks")


@dataclass(frozen=True)
class Line:
    """What was measured, our figure, and the peer's. None is a figure that there is none of; `note` says why.

    `runs` is the number of runs that each figure is the median of.
    """

    what: str
    ours: float | None
    unit: str
    peer: str
    theirs: float | None = None
    runs: int = 1
    note: str = ""

    @property
    def ratio(self) -> float | None:
        if self.unit not in UNITS or self.ours is None or not self.theirs:
            return None
        return self.ours / self.theirs


def compared(
    what: str,
    unit: str,
    ours: Sequence[float],
    peer: str,
    theirs: Sequence[float],
    *,
    amount: float = 0,
    note: str = "",
) -> Line:
    """The medians of figures that were measured by turns. With an `amount`, they are what was done in each second."""
    here, there = (amount / each if amount else each for each in (statistics.median(ours), statistics.median(theirs)))
    return Line(what, here, unit, peer, there, len(ours), note)


def seconds(work: Callable[[], object]) -> Measure:
    """Measures how long `work` takes."""

    def measure() -> float:
        started = time.perf_counter()
        work()
        return time.perf_counter() - started

    return measure


def alternating(
    measures: Mapping[str, Measure],
    runs: int,
    *,
    rest: float = REST_SECONDS,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> dict[str, list[float]]:
    """Measure all by turns, so that what else the machine does meanwhile concerns all of them alike.

    `runs` times each; but at most three times when the longest run takes over a minute, and once when it takes over
    five. There are `rest` seconds between two runs.
    """
    figures: dict[str, list[float]] = {name: [] for name in measures}
    longest = 0.0
    done = 0
    while done < runs and done < _most_runs(longest):
        for name, measure in measures.items():
            sleep(rest)
            started = clock()
            figures[name].append(measure())
            longest = max(longest, clock() - started)
        done += 1
    return figures


def _most_runs(longest: float) -> float:
    if longest > 300:
        return 1
    return 3 if longest > 60 else float("inf")


def heading() -> str:
    return f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"


def row(line: Line) -> str:
    """The line as Markdown."""
    ratio = "" if line.ratio is None else f"{figure(line.ratio)} times {UNITS[line.unit]}"
    cells = (
        *(line.what, _with_unit(line.ours, line.unit), line.peer, _with_unit(line.theirs, line.unit), ratio),
        *("" if line.ours is None else str(line.runs), line.note),
    )
    return f"| {' | '.join(cells)} |"


def _with_unit(value: float | None, unit: str) -> str:
    return "–" if value is None else f"{figure(value)} {unit}"


def figure(value: float) -> str:
    """Three digits, or all of a larger whole number."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
