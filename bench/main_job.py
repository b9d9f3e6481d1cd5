"""The main job in a real browser: from the click to the result on the screen, and how fast pages respond meanwhile."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser, Page

from bench.amounts import Amount
from bench.in_browser import NO_CHROMIUM, has_chromium, last_task, new_page, studio_and_browser
from bench.lanczos import LANCZOS, enlarge
from bench.ours import until
from bench.pictures import picture
from bench.table import Line, Measure, alternating, compared, seconds
from tests.harness.studios import Studio

DOUBLE_CLICK_SECONDS = 11.0
"""The same picture within 10 s would count as a double click."""
JOB = "fast 4x of 1024² in Chromium, click to result on the screen"
CLICK = "a click on another page meanwhile"
IDLE = "when nothing else is done"
CARD = "[class*='st-key-card_']"
KEY = "card => [...card.classList].find(name => name.startsWith('st-key-'))"
DRAWN = ".stage[aria-busy=false]"


def lines(amount: Amount) -> Iterator[Line]:
    if not has_chromium():
        yield Line(JOB, None, "s", LANCZOS, note=NO_CHROMIUM)
        return
    with studio_and_browser() as (studio, browser), tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source.png")
        picture(1024).save(source)
        page, other = koi_chosen(studio, browser), koi_chosen(studio, browser)
        peer = seconds(partial(enlarge, source, Path(folder, "peer.png")))
        figures = alternating({JOB: on_screen(page), LANCZOS: peer}, amount.runs, rest=DOUBLE_CLICK_SECONDS)
        yield compared(JOB, "s", figures[JOB], LANCZOS, figures[LANCZOS])
        yield from clicks_meanwhile(studio, page, other, amount.clicks)


def koi_chosen(studio: Studio, browser: Browser) -> Page:
    page = new_page(browser, studio.url)
    page.get_by_role("button", name="Koi pond", exact=True).click()
    page.get_by_text("Print sizes at 300 DPI, sharp in the hand.").wait_for()
    return page


def submit(page: Page) -> None:
    page.get_by_role("button", name="Upscale · free").click()


def on_screen(page: Page) -> Measure:
    def job() -> None:
        known = "".join(f":not(.{key})" for key in (card.evaluate(KEY) for card in page.locator(CARD).all()))
        submit(page)
        page.locator(f"{CARD}{known} {DRAWN}").wait_for(timeout=600_000)

    return seconds(job)


def clicks_meanwhile(studio: Studio, page: Page, other: Page, count: int) -> Iterator[Line]:
    for place in range(2):
        click(other, place)  # the first click of a page is slower for reasons of its own
    until(lambda: last_task(studio)["state"] == "finished")
    idle = [1000 * click(other, place) for place in range(count)]
    before = last_task(studio)["id"]
    page.wait_for_timeout(1000 * DOUBLE_CLICK_SECONDS)
    submit(page)
    until(lambda: last_task(studio)["id"] != before)
    busy = [1000 * click(other, place) for place in range(count)]
    note = "" if last_task(studio)["state"] != "finished" else "the job ended before the last click"
    yield Line(CLICK, statistics.median(busy), "ms", IDLE, statistics.median(idle), count, note)
    yield Line(f"{CLICK}, slowest", max(busy), "ms", IDLE, max(idle), note=f"slowest of {count}")


def click(page: Page, place: int) -> float:
    """Choose another way to give a picture and wait for its field, which only the server can send."""
    way = "Task ID" if place % 2 == 0 else "Image URL"
    option = page.get_by_role("radio", name=way, exact=True)

    def act() -> None:
        option.click()
        page.get_by_role("textbox", name=way, exact=True).wait_for()

    return seconds(act)()
