"""Several people, several tabs: all see the same within seconds, and the API gets no more calls than for one."""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Callable, Iterator

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from journey.history import NewEntry, State
from journey.provider import THIS_MACHINE
from journey.testing import SINGLE_ID, StandIn
from tests.harness.standing import wait_for
from tests.harness.studios import Shelf, Studio, free_port

pytestmark = pytest.mark.browser
NewTab = Callable[[], Page]


@pytest.fixture(scope="module")
def api() -> Iterator[StandIn]:
    with StandIn() as fake:
        yield fake


@pytest.fixture(scope="module")
def studio(api: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    settings = {
        "JOURNEY_API_KEY": api.key,
        "JOURNEY_API_URL": api.url,
        "JOURNEY_FETCH_ALLOW": "127.0.0.0/8",
        "JOURNEY_PUBLIC_URL": "http://studio.example.com",
    }
    running = Studio(tmp_path_factory.mktemp("data"), free_port(), settings)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def new_browser(browser: Browser) -> Iterator[NewTab]:
    """Opens a tab that has its own storage, as in another person's browser."""
    contexts = []

    def open_tab() -> Page:
        contexts.append(browser.new_context(viewport={"width": 1280, "height": 900}))
        tab = contexts[-1].new_page()
        tab.set_default_timeout(30_000)
        return tab

    yield open_tab
    for context in contexts:
        context.close()


def test_what_one_queues_appears_in_the_other(studio: Studio, api: StandIn, new_browser: NewTab) -> None:
    """Within 3 s (the median of three) another browser shows a new task, in Upscale and in History."""
    with Shelf(studio.data_dir) as shelf:
        first = shelf.history.add(NewEntry(provider=THIS_MACHINE, type="2x", name="first.png"))
        shelf.history.move(first.id, State.CANCELLED)
    mine, upscale, history = new_browser(), new_browser(), new_browser()
    for tab, path in ((mine, "/"), (upscale, "/"), (history, "/history")):
        tab.goto(studio.url + path)
        expect(tab.get_by_role("heading", level=1)).to_be_visible()
    mine.get_by_text("Upload", exact=True).click()
    in_upscale, in_history = [], []
    for place in range(3):
        name = f"shared-{place}.png"
        mine.locator("input[type=file]").set_input_files({"name": name, "mimeType": "image/png", "buffer": noise()})
        expect(mine.get_by_text(f"{name} · 32 × 24 px")).to_be_visible()
        clicked = time.monotonic()
        mine.get_by_role("button", name="Upscale · 2 credits").click()
        expect(upscale.get_by_text(name, exact=True)).to_be_visible()
        in_upscale.append(time.monotonic() - clicked)
        # The table is drawn on a canvas; for screen readers it also holds its cells as text.
        expect(history.locator("[role=gridcell]", has_text=name)).to_have_count(1)
        in_history.append(time.monotonic() - clicked)
    assert 3 > statistics.median(in_upscale), in_upscale
    assert 3 > statistics.median(in_history), in_history
    finish_all(studio, api)


def test_the_end_of_a_task_is_told_where_it_was_queued(studio: Studio, api: StandIn, new_browser: NewTab) -> None:
    """Every tab's title counts what is under way; a toast tells the end once, only in the browser that queued it."""
    mine, other = new_browser(), new_browser()
    other.goto(f"{studio.url}/print_size")
    mine.goto(f"{studio.url}/?task_id={SINGLE_ID}")
    expect(mine.get_by_text("Found: one picture, 64 × 48 px · JourneyAPI")).to_be_visible()
    expect(mine).to_have_title("Upscale · Journey Print Studio")
    mine.get_by_role("button", name="Upscale · 2 credits").click()
    expect(mine).to_have_title("(1) Upscale · Journey Print Studio")
    expect(other).to_have_title("(1) Print size · Journey Print Studio")

    mine.get_by_role("link", name="History").first.click()
    expect(mine).to_have_title("(1) History · Journey Print Studio")
    finish_all(studio, api)
    toast = mine.get_by_test_id("stToast")
    expect(toast).to_contain_text(f"{SINGLE_ID} is finished (JourneyAPI): 256 × 192 px.")
    expect(toast).to_have_count(1)
    expect(mine).to_have_title("History · Journey Print Studio")
    expect(other).to_have_title("Print size · Journey Print Studio")
    expect(toast).to_have_count(0)
    expect(other.get_by_test_id("stToast")).to_have_count(0)


def test_ten_tabs_ask_no_more_than_one(studio: Studio, api: StandIn, new_browser: NewTab) -> None:
    """While one task is open, ten tabs cause no more calls to the API than one tab does."""
    first = new_browser()
    first.goto(f"{studio.url}/?task_id={SINGLE_ID}")
    first.get_by_role("radio", name="2x").click()
    known = set(api.tasks)
    first.get_by_role("button", name="Upscale · 2 credits").click()
    expect(first.get_by_role("progressbar").first).to_be_visible()
    wait_for(lambda: set(api.tasks) - known)
    (ordered,) = set(api.tasks) - known
    api.hold(ordered)
    alone = calls_within(api, first, seconds=4)
    for place in range(9):
        tab = first.context.new_page()
        tab.goto(studio.url + ("/", "/history", "/compare")[place % 3])
        expect(tab.get_by_role("heading", level=1)).to_be_visible()
    assert calls_within(api, first, seconds=4) <= max(1, alone)
    finish_all(studio, api)


def calls_within(api: StandIn, page: Page, *, seconds: float) -> int:
    """How many calls of any kind the API gets in this time."""
    before = len(api.calls)
    page.wait_for_timeout(seconds * 1_000)
    return len(api.calls) - before


def finish_all(studio: Studio, api: StandIn) -> None:
    """Finish all tasks, and make the tracker look at once, as a webhook would."""
    with Shelf(studio.data_dir) as shelf:
        deadline = time.monotonic() + 60
        while open_now := [entry for entry in shelf.history.lists.latest(limit=50) if not entry.state.over]:
            assert time.monotonic() < deadline, "the tasks did not end in time"
            for entry in open_now:
                if entry.task_id:
                    api.finish(entry.task_id)
                    shelf.history.hasten_task(entry.task_id)
            time.sleep(0.1)


def noise() -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((32, 24), 50).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()
