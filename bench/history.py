"""History with 100,000 tasks in a real browser: first rows, and a filter.

`python -m bench.history`. The peer is pandas: the same rows read from the same file into a table, and filtered there.
"""

from __future__ import annotations

import argparse
import random
import secrets
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pandas as pd
from playwright.sync_api import Browser, BrowserContext, Page

from bench.in_browser import has_chromium, studio_and_browser
from journey.history import Filter, History, Order, State
from journey.history.tables import entries, tags, timeline
from journey.provider import JOURNEYAPI, THIS_MACHINE
from journey.storage.database import Database
from tests.harness.studios import Studio

WORDS = ("koi", "pond", "fjord", "dawn", "tree", "season", "harbour", "fox", "owl", "mountain", "river", "mist", "neon")
ENDS = {State.FINISHED: 90, State.FAILED: 5, State.ABANDONED: 3, State.STOPPED: 2}
COUNT = r"""() => [...document.querySelectorAll("[data-testid=stCaptionContainer]")]
    .map(each => each.innerText.match(/^[\d,]+( of [\d,]+)? tasks?\./)?.[0]).find(each => each)"""
SEARCHES = ("koi", "pond owl", "fjord", "brighter", "person3@", "neon owl", "harbour", "fox", "tree dawn", "mist")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=100_000)
    tasks = parser.parse_args().tasks
    if not has_chromium("bench.history"):
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journey.db"
        database = Database(f"sqlite:///{path}")
        database.upgrade()
        fill(database, tasks)
        without_browser(History(database), tasks)
        database.close()
        peer = pandas_seconds(path)
        with studio_and_browser(Path(folder)) as (studio, browser):
            in_browser(studio, browser, tasks, peer)


def fill(database: Database, tasks: int) -> None:
    """Tasks of a dozen people over some months, a tenth of them with a tag."""
    chance, now = random.Random(1), time.time()  # noqa: S311  figures need the same rows each time, not secrecy
    made = [row(chance, now - (tasks - number) * 120.0, number) for number in range(tasks)]
    with database.write() as connection:
        for start in range(0, tasks, 10_000):
            part = made[start : start + 10_000]
            connection.execute(entries.insert(), part)
            steps = [("queued", "created_at"), ("submitting", "submitted_at"), (None, "changed_at")]
            connection.execute(
                timeline.insert(),
                [
                    {"entry_id": each["id"], "at": each[time_of], "state": state or each["state"]}
                    for each in part
                    for state, time_of in steps
                ],
            )
            tagged = [{"entry_id": each["id"], "tag": chance.choice(["poster", "album"])} for each in part[::10]]
            connection.execute(tags.insert(), tagged)


def row(chance: random.Random, created_at: float, number: int) -> dict[str, object]:
    end = chance.choices(list(ENDS), list(ENDS.values()))[0]
    is_finished = end is State.FINISHED
    width, height = chance.choice([(1024, 1024), (1024, 1536), (1456, 816)])
    scale = chance.choice([2, 4])
    provider = chance.choice([JOURNEYAPI, THIS_MACHINE])
    return {
        "id": secrets.token_hex(8),
        "state": end,
        "provider": provider,
        "type": f"{scale}x",
        "name": f"{chance.choice(WORDS)} {chance.choice(WORDS)} {number}.png",
        "person": f"person{chance.randrange(12)}@example.com",
        "image_url": f"https://example.com/pictures/{number}.png",
        "source_key": secrets.token_hex(16),
        "source_file": "picture.png",
        "source_width": width,
        "source_height": height,
        "webhook_token": secrets.token_urlsafe(24),
        "task_id": secrets.token_hex(16),
        "task_status": "finished" if is_finished else "failed",
        "percentage": 100,
        "credits": provider.credits,
        "result_key": secrets.token_hex(16) if is_finished else None,
        "result_file": "picture_4x.png" if is_finished else None,
        "result_width": width * scale if is_finished else None,
        "result_height": height * scale if is_finished else None,
        "result_bytes": chance.randrange(10**6, 3 * 10**7) if is_finished else None,
        "error": None if is_finished else "The task failed.",
        "attempts": 1,
        "archive_attempts": 0,
        "created_at": created_at,
        "submitted_at": created_at + 1,
        "changed_at": created_at + 30,
        "finished_at": created_at + 30 + chance.random() * 60,
        "comment": "The client wants it brighter." if number % 50 == 0 else None,
    }


def without_browser(history: History, tasks: int) -> None:
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
    told = [f"{name} {statistics.median(seconds(ask, 10)) * 1000:.0f}" for name, ask in asked.items()]
    print(f"one page of {tasks:,} tasks, without a browser, median of 10 in ms: {', '.join(told)}")


def in_browser(studio: Studio, browser: Browser, tasks: int, peer: tuple[float, float]) -> None:
    visitor = browser.new_context(viewport={"width": 1280, "height": 900})
    tabs = [new_tab(studio, visitor) for _ in range(11)][1:]
    page = visitor.new_page()
    page.goto(studio.url)
    firsts = [first_rows(page) for _ in range(11)][1:]
    page.get_by_text(f"{tasks:,} tasks.").wait_for()
    box = page.get_by_role("searchbox", name="Search")
    searches = [until_shown(page, partial(box.fill, words)) for words in SEARCHES]
    until_shown(page, page.get_by_role("button", name="Clear filters").click)
    pill = page.get_by_role("button", name="Failed", exact=True)
    filters = [until_shown(page, pill.click) for _ in range(10)]
    first, search, changed = map(statistics.median, (firsts, searches, filters))
    heading, rows = (statistics.median(times) for times in zip(*tabs, strict=True))
    read, filtered = peer
    print(
        f"History with {tasks:,} tasks in Chromium, median of 10: first rows {first * 1000:.0f} ms after the click on "
        f"History ({rows * 1000:.0f} ms in a new tab, where any page's heading takes {heading * 1000:.0f} ms), "
        f"a filter {changed * 1000:.0f} ms after its click, a search {search * 1000:.0f} ms after its last letter "
        "(250 ms of that is the wait for more typing)"
    )
    print(
        f"  first rows {first / read:.2f} times pandas reading the rows ({read * 1000:.0f} ms), "
        f"a filter {changed / filtered:.2f} times pandas searching what it has read ({filtered * 1000:.0f} ms)"
    )


def new_tab(studio: Studio, visitor: BrowserContext) -> tuple[float, float]:
    """Seconds from the address to the heading, and to the rows. Callers drop the first, which fetches the scripts."""
    page = visitor.new_page()
    started = time.perf_counter()
    page.goto(f"{studio.url}/history", wait_until="commit")
    page.get_by_role("heading", name="History").wait_for(timeout=60_000)
    heading = time.perf_counter() - started
    page.get_by_test_id("stDataFrame").locator("canvas").first.wait_for()
    spent = time.perf_counter() - started
    page.close()
    return heading, spent


def first_rows(page: Page) -> float:
    """Seconds from the click on another page of the studio to the rows."""
    page.get_by_role("link", name="Upscale").click()
    page.get_by_role("heading", name="Upscale", exact=True).wait_for()
    page.get_by_test_id("stDataFrame").wait_for(state="detached")
    started = time.perf_counter()
    page.get_by_role("link", name="History").click()
    page.get_by_role("heading", name="History").wait_for()
    page.get_by_test_id("stDataFrame").locator("canvas").first.wait_for()
    return time.perf_counter() - started


def until_shown(page: Page, act: Callable[[], object]) -> float:
    """Seconds from an action until the count above the table has changed."""
    started = time.perf_counter()
    page.evaluate(f"window.before = ({COUNT})()")
    act()
    page.wait_for_function(f"() => {{ const now = ({COUNT})(); return now && now !== window.before }}", polling=10)
    return time.perf_counter() - started


def pandas_seconds(path: Path) -> tuple[float, float]:
    """Seconds to read all rows into a table, and to filter it as a search does: medians of 3 and of 10."""
    with sqlite3.connect(path) as connection:
        read = statistics.median(seconds(lambda: pd.read_sql("SELECT * FROM entries", connection), 3))
        table = pd.read_sql("SELECT * FROM entries", connection)

    def work(words: str) -> pd.DataFrame:
        matches = pd.Series(data=True, index=table.index)
        for word in words.split():
            columns = (table[name].str.contains(word, case=False, regex=False, na=False) for name in SEARCHED)
            matches &= pd.concat(columns, axis=1).any(axis=1)
        return table[matches].sort_values("created_at", ascending=False).head(50)

    searches: Iterator[str] = iter(SEARCHES)
    return read, statistics.median(seconds(lambda: work(next(searches)), len(SEARCHES)))


SEARCHED = ("name", "task_id", "person", "comment", "id")


def seconds(work: Callable[[], object], times: int) -> list[float]:
    spent = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        spent.append(time.perf_counter() - started)
    return spent


if __name__ == "__main__":
    main()
