"""History with 100,000 tasks in a real browser: first rows, a filter, a search.

The peer is pandas: the same rows read from the same file into a table, and filtered there.
"""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import cycle
from pathlib import Path

import pandas as pd
from playwright.sync_api import Browser, BrowserContext, Page

from bench.amounts import Amount
from bench.growth import fill
from bench.in_browser import NO_CHROMIUM, has_chromium, studio_and_browser
from bench.table import Line, Measure, alternating, compared, seconds
from journey.history import Filter, History, Order, State
from journey.history.searching import Index
from journey.storage.database import Database
from tests.harness.studios import Studio

COUNT = r"""() => [...document.querySelectorAll("[data-testid=stCaptionContainer]")]
    .map(each => each.innerText.match(/^[\d,]+( of [\d,]+)? tasks?\./)?.[0]).find(each => each)"""
SEARCHES = ("koi", "pond owl", "fjord", "brighter", "person3@", "neon owl", "harbour", "fox", "tree dawn", "mist")
SEARCHED = ("name", "task_id", "person", "comment", "id")

RUNS = 10
"""These take moments, so there are more of them than of others."""
READ = "pandas reading the rows"
SEARCH = "pandas searching what it has read"
OURS = "ours"


def lines(amount: Amount) -> Iterator[Line]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journey.db"
        database = Database(f"sqlite:///{path}")
        database.upgrade()
        with database.write() as connection:
            fill(connection, amount.tasks, unfinished=0)
        index = Index(database)
        index.prepare()
        while index.piece():
            pass
        read, search = pandas_on(path)
        yield without_browser(History(database), amount.tasks, search)
        database.close()
        if not has_chromium():
            yield Line(f"History with {amount.tasks:,} tasks in Chromium", None, "ms", READ, note=NO_CHROMIUM)
            return
        with studio_and_browser(Path(folder)) as (studio, browser):
            yield from in_browser(studio, browser, amount.tasks, read, search)


def without_browser(history: History, tasks: int, search: Measure) -> Line:
    """How long the server takes for one page of the list."""
    asked: dict[str, Callable[[], object]] = {
        "newest": history.lists.search,
        "by name": lambda: history.lists.search(order=Order.NAME),
        "failed": lambda: history.lists.search(Filter(states=[State.FAILED])),
        "one person's with a tag": lambda: history.lists.search(Filter(person="person3@example.com", tag="album")),
        "two words": lambda: history.lists.search(Filter(text="koi pond")),
        "a word that is nowhere": lambda: history.lists.search(Filter(text="zeppelin")),
        "the last page": lambda: history.lists.search(offset=tasks - 50),
        "is anything new": history.lists.pulse,
    }
    measures = {name: milliseconds(ask) for name, ask in asked.items()} | {SEARCH: search}
    figures = alternating(measures, RUNS, rest=0)
    theirs = figures.pop(SEARCH)
    medians = {name: statistics.median(spent) for name, spent in figures.items()}
    slowest = max(medians, key=lambda name: medians[name])
    note = "; ".join(f"{name} {spent:.0f} ms" for name, spent in medians.items())
    return compared(
        f"one page of {tasks:,} tasks without a browser, slowest kind",
        "ms",
        figures[slowest],
        SEARCH,
        theirs,
        note=note,
    )


def in_browser(studio: Studio, browser: Browser, tasks: int, read: Measure, search: Measure) -> Iterator[Line]:
    visitor = browser.new_context(viewport={"width": 1280, "height": 900})
    new_tab(studio, visitor)  # fetches the scripts
    where = f"History with {tasks:,} tasks in Chromium"
    page = visitor.new_page()
    page.goto(studio.url)
    first_rows(page)

    def beside(what: str, ours: Measure, peer: str, theirs: Measure, note: str = "") -> Line:
        figures = alternating({OURS: ours, peer: theirs}, RUNS, rest=0)
        return compared(f"{where}, {what}", "ms", figures[OURS], peer, figures[peer], note=note)

    yield beside("click on History to its first rows", partial(first_rows, page), READ, read)
    headings: list[float] = []
    line = beside("new tab to its first rows", lambda: new_tab(studio, visitor, headings), READ, read)
    yield replace(line, note=f"its heading after {statistics.median(headings):.0f} ms")
    page.get_by_text(f"{tasks:,} tasks.").wait_for()
    box, words = page.get_by_role("searchbox", name="Search"), cycle(SEARCHES)
    waiting = "250 ms of it are the wait for more typing"
    yield beside(
        "last letter to what is found",
        lambda: until_shown(page, partial(box.fill, next(words))),
        SEARCH,
        search,
        waiting,
    )
    until_shown(page, page.get_by_role("button", name="Clear filters").click)
    pill = page.get_by_role("button", name="Failed", exact=True)
    yield beside("click on a filter to what it leaves", lambda: until_shown(page, pill.click), SEARCH, search)


def new_tab(studio: Studio, visitor: BrowserContext, headings: list[float] | None = None) -> float:
    """Milliseconds from the address to the rows; those to the heading are added to `headings`."""
    page = visitor.new_page()
    started = time.perf_counter()
    page.goto(f"{studio.url}/history", wait_until="commit")
    page.get_by_role("heading", name="History").wait_for(timeout=60_000)
    if headings is not None:
        headings.append(1000 * (time.perf_counter() - started))
    page.get_by_test_id("stDataFrame").locator("canvas").first.wait_for()
    spent = 1000 * (time.perf_counter() - started)
    page.close()
    return spent


def first_rows(page: Page) -> float:
    """Milliseconds from the click on another page of the studio to the rows."""
    page.get_by_role("link", name="Upscale").click()
    page.get_by_role("heading", name="Upscale", exact=True).wait_for()
    page.get_by_test_id("stDataFrame").wait_for(state="detached")

    def open_it() -> None:
        page.get_by_role("link", name="History").click()
        page.get_by_role("heading", name="History").wait_for()
        page.get_by_test_id("stDataFrame").locator("canvas").first.wait_for()

    return milliseconds(open_it)()


def until_shown(page: Page, act: Callable[[], object]) -> float:
    """Milliseconds from an action until the count above the table has changed."""
    page.evaluate(f"window.before = ({COUNT})()")

    def shown() -> None:
        act()
        page.wait_for_function(f"() => {{ const now = ({COUNT})(); return now && now !== window.before }}", polling=10)

    return milliseconds(shown)()


def pandas_on(path: Path) -> tuple[Measure, Measure]:
    """Milliseconds to read all rows into a table, and to filter it as a search does."""

    def read() -> pd.DataFrame:
        with sqlite3.connect(path) as connection:
            return pd.read_sql("SELECT * FROM entries", connection)

    table, searches = read(), cycle(SEARCHES)

    def search() -> pd.DataFrame:
        matches = pd.Series(data=True, index=table.index)
        for word in next(searches).split():
            columns = (table[name].str.contains(word, case=False, regex=False, na=False) for name in SEARCHED)
            matches &= pd.concat(columns, axis=1).any(axis=1)
        return table[matches].sort_values("created_at", ascending=False).head(50)

    return milliseconds(read), milliseconds(search)


def milliseconds(work: Callable[[], object]) -> Measure:
    measure = seconds(work)
    return lambda: 1000 * measure()
