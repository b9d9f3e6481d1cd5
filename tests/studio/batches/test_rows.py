"""The table before anything is spent: what is suggested for each picture, what runs, and what it costs."""

from __future__ import annotations

import pytest

from journey import printing
from journey.provider import JOURNEYAPI, THIS_MACHINE
from journey.storage.stored import StoredPicture
from journey.studio.batches import rows
from journey.studio.batches.lines import Line, Wanted
from journey.studio.batches.looks import Look
from journey.studio.batches.rows import Choice, Row, Target
from journey.studio.intake import Source


def source(name: str, width: int = 1024, height: int = 1536, index: str | None = None, digest: str = "") -> Source:
    return Source("url", name, StoredPicture("0" * 32, "x.png", width, height), digest or name, index=index)


def build(
    *given: Line,
    looked: dict[str, Look],
    target: Target | None = None,
    for_all: Choice | None = None,
    choices: dict[str, Choice] | None = None,
    problem: rows.Problem = lambda source, scale: None,
) -> list[Row]:
    return rows.rows(
        given,
        lambda line: looked.get(line.wanted.value) if line.wanted else None,
        target=target,
        for_all=for_all,
        choices=choices or {},
        problem=problem,
    )


def line(name: str) -> Line:
    return Line("Line 1", name, Wanted("url", name))


def test_the_smallest_that_is_enough_is_suggested() -> None:
    """For a paper each picture gets what it needs (nothing, 2x or 4x), otherwise 4x, and a choice overrules that."""
    sizes = {"large": (5000, 7000), "medium": (1300, 1900), "small": (800, 1200), "tiny": (80, 120)}
    looked = {name: Look((source(name, *size),)) for name, size in sizes.items()}
    given = [line(name) for name in sizes]
    a4 = Target(printing.PAPERS["A4"])
    assert [0, 2, 4, 4] == [row.choice for row in build(*given, looked=looked, target=a4)]
    assert [4, 4, 4, 4] == [row.choice for row in build(*given, looked=looked)]
    assert [2, 2, 2, 2] == [row.choice for row in build(*given, looked=looked, target=a4, for_all=2)]
    key = build(*given, looked=looked)[0].key
    assert [4, 2, 4, 4] == [row.choice for row in build(*given, looked=looked, target=a4, choices={key: 4})]


def test_what_is_too_large_at_4x_is_suggested_at_2x() -> None:
    """A picture that cannot be enlarged 4x is suggested at 2x, and choosing 4x anyway says why not."""

    def problem(source: Source, scale: int) -> str | None:
        return "Too large. Choose 2x." if scale == 4 else None

    looked = {"a": Look((source("a"),))}
    (row,) = build(line("a"), looked=looked, problem=problem)
    assert (2, None, True) == (row.choice, row.problem, row.runs)
    (row,) = build(line("a"), looked=looked, problem=problem, for_all=4)
    assert ("Too large. Choose 2x.", False) == (row.problem, row.runs)


def test_one_picture_runs_once_and_a_grid_four_times() -> None:
    """A grid becomes four rows; the same picture under another address is merged with a note."""
    grid = Look(tuple(source(f"g{n}", index=n) for n in "1234"))
    looked = {"grid": grid, "again": Look((source("other", digest="g2"),)), "gone": Look(problem="It is gone.")}
    table = build(line("grid"), line("again"), line("gone"), line("later"), looked=looked)
    assert [True] * 4 + [False] * 3 == [row.runs for row in table]
    assert ("The same picture as line 1; it is enlarged once.",) == table[4].notes
    assert ["It is gone.", None] == [row.problem for row in table[5:]]
    assert [True, False] == [row.is_looked_at for row in table[5:]]
    total = rows.totals(table, JOURNEYAPI, {})
    assert (4, 1, 1, 1, 8) == (total.runs, total.skipped, total.problems, total.looking, total.credits)
    here = rows.totals(table, THIS_MACHINE, {4: 1e-6})
    assert (0, 4 * 1024 * 1536 / 1e6) == (here.credits, pytest.approx(here.seconds))


def test_a_paper_beyond_4x_suggests_two_steps() -> None:
    """8x or 16x is suggested where it is enough and possible, costs what its first step costs, and takes time here."""
    looked = {"koi": Look((source("koi"),)), "tiny": Look((source("tiny", 60, 90),))}
    poster = Target(printing.PAPERS["24x36"])
    table = build(line("koi"), line("tiny"), looked=looked, target=poster)
    assert [8, 4] == [row.choice for row in table]
    assert [(8192, 12288), (240, 360)] == [row.result for row in table]
    assert [2, 0] == [table[0].credits(JOURNEYAPI), table[0].credits(THIS_MACHINE)]
    assert 1024 * 1536 * 0.5 == rows.totals(table, JOURNEYAPI, {8: 0.5}).seconds

    def problem(source: Source, scale: int) -> str | None:
        return "The limit is 410." if scale > 4 else None

    assert [4, 4] == [
        row.choice for row in build(line("koi"), line("tiny"), looked=looked, target=poster, problem=problem)
    ]
    chosen = build(line("koi"), looked=looked, target=poster, for_all=None, choices={table[0].key: 16}, problem=problem)
    assert "The limit is 410." == chosen[0].problem
