"""What was entered is there again: after a sleep, a restart of the server, a reload, and on coming back to a page."""

from __future__ import annotations

import io
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.harness.lines import Line
from tests.harness.standing import wait_for
from tests.harness.studios import Studio

pytestmark = pytest.mark.browser
MakeStudio = Callable[..., Studio]

ADDRESS = "https://studio.example.com/pictures/koi.png?token=abc"


@pytest.fixture
def studio(make_studio: MakeStudio) -> Studio:
    return make_studio()


@pytest.fixture
def line(studio: Studio) -> Iterator[Line]:
    with Line(studio.port) as line:
        yield line


def file(name: str, grey: int = 90, *, kind: str = "image/png") -> FilePayload:
    buffer = io.BytesIO()
    Image.new("RGB", (48, 32), (grey, 60, 30)).save(buffer, "PNG")
    return {"name": name, "mimeType": kind, "buffer": buffer.getvalue()}


def begin_anew(studio: Studio) -> None:
    """Kill the server and start it again, at the same port and with the same data."""
    studio.stop(signal.SIGKILL)
    studio.start()


def rest(page: Page) -> None:
    """Wait until the page is connected and drawn."""
    page.locator('[data-testid="stApp"][data-test-connection-state="CONNECTED"]').wait_for()
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()


def kept(page: Page, *parts: str) -> None:
    """Wait until the tab has stored this: what the server has not heard of by then is not promised to come back."""
    page.wait_for_function(
        "parts => parts.every(part => sessionStorage['journey-entered']?.includes(part))", arg=list(parts)
    )


def lost(page: Page) -> None:
    page.locator('[data-testid="stApp"]:not([data-test-connection-state="CONNECTED"])').wait_for()


def chosen(page: Page, name: str) -> Locator:
    return page.locator('[data-selected="true"]', has_text=name)


def fill_upscale(page: Page, url: str) -> None:
    """An uploaded picture, for A3, at 2x."""
    page.goto(url)
    page.get_by_role("radio", name="Upload").click()
    page.locator("input[type=file]").set_input_files(file("pond.png"))
    expect(page.get_by_text("pond.png · 48 × 32 px")).to_be_visible()
    page.get_by_role("combobox", name="For paper").click()
    page.get_by_role("option", name="A6 ·").click()
    dpi = page.get_by_role("textbox", name="DPI")
    dpi.fill("150")
    dpi.press("Enter")
    expect(page.get_by_text("For A6 at 150 DPI")).to_be_visible()
    page.get_by_role("radio", name="2x").click()
    expect(chosen(page, "2x")).to_be_visible()
    kept(page, '"pond.png"', '"scale":2', '"for_dpi":"150"')
    rest(page)


def expect_upscale(page: Page) -> None:
    expect(page.get_by_text("pond.png · 48 × 32 px")).to_be_visible()
    expect(chosen(page, "2x")).to_be_visible()
    expect(chosen(page, "Upload")).to_be_visible()
    expect(page.get_by_role("combobox", name="For paper")).to_have_value("A6 · 105 × 148 mm")
    expect(page.get_by_role("textbox", name="DPI")).to_have_value("150")


def choose(page: Page, name: str, option: str) -> None:
    """Choose from a list, which closes again when it is opened in the moment in which its page is drawn anew."""

    def is_chosen() -> bool:
        page.get_by_role("combobox", name=name).click()
        with suppress(PlaywrightTimeout):
            page.get_by_role("option", name=option).click(timeout=3_000)
            return True
        return False

    wait_for(is_chosen)


def order(page: Page) -> None:
    """Click until the task is there: in the moment in which a page comes back, it still shows what it had before."""

    def is_ordered() -> bool:
        page.get_by_role("button", name="Upscale · free").click()
        with suppress(PlaywrightTimeout):
            page.get_by_role("heading", name="Latest tasks").wait_for(timeout=8_000)
            return True
        return False

    wait_for(is_ordered)


def test_the_form_is_there_after_a_restart(studio: Studio, page: Page) -> None:
    """Upload, paper, DPI and multiplier are in the form of a server that has just started, and can be ordered."""
    fill_upscale(page, studio.url)
    begin_anew(studio)
    rest(page)
    expect_upscale(page)
    order(page)
    expect(page.get_by_role("link", name=re.compile("Download PNG"))).to_be_visible(timeout=60_000)


def test_the_form_is_there_after_a_sleep(studio: Studio, line: Line, page: Page) -> None:
    """A tab whose connection was gone goes on where it was, with its upload, on the page and behind it."""
    fill_upscale(page, line.url)
    line.cut()
    lost(page)
    line.mend()
    rest(page)
    expect_upscale(page)
    page.get_by_role("link", name="Spend").click()
    expect(page.get_by_role("heading", name="Spend", level=1)).to_be_visible()
    page.get_by_role("link", name="Upscale", exact=True).first.click()
    expect_upscale(page)


def test_a_server_that_has_forgotten_the_tab_is_told(make_studio: MakeStudio, page: Page) -> None:
    """After a sleep that was longer than the server remembers, all is there as well; and after a reload."""
    studio = make_studio(STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL="1")
    with Line(studio.port) as line:
        fill_upscale(page, line.url)
        line.cut()
        lost(page)
        page.wait_for_timeout(2500)
        line.mend()
        rest(page)
        expect_upscale(page)
        page.reload()
        rest(page)
        expect_upscale(page)
        page.goto(line.url)
        rest(page)
        expect(page.get_by_role("button", name="Koi pond", exact=True)).to_be_visible()
        expect(chosen(page, "4x")).to_be_visible()


def test_words_are_there_that_were_typed_and_not_sent(studio: Studio, page: Page) -> None:
    """An address and a list that nobody has confirmed with Enter are still in their fields after a restart."""
    for path, name, words in (
        ("/", "Image URL", ADDRESS),
        ("/batch", "Addresses or task IDs", f"{ADDRESS}\nhttps://studio.example.com/2.png"),
    ):
        page.goto(studio.url + path)
        rest(page)
        page.get_by_role("textbox", name=name).fill(words)
        begin_anew(studio)
        rest(page)
        expect(page.get_by_role("textbox", name=name)).to_have_value(words)


def test_a_batch_is_there_after_a_restart(studio: Studio, page: Page) -> None:
    """The list, the paper, the name and the pictures of a batch stay; what of its files was not stored is said."""
    page.goto(f"{studio.url}/batch")
    text = page.get_by_role("textbox", name="Addresses or task IDs")
    text.fill(ADDRESS)
    text.press("Control+Enter")
    page.locator("input[type=file]").set_input_files(
        [
            file("one.png", 10),
            file("two.png", 20),
            {**file("list.csv"), "buffer": b"url,n\nhttps://a.example/1.png,1\n"},
        ]
    )
    for name in ("one.png", "two.png"):
        expect(page.locator("[role=gridcell]", has_text=name)).to_have_count(1)
    page.get_by_role("textbox", name="Name of the batch").fill("Ponds")
    page.get_by_role("combobox", name="For paper").click()
    page.get_by_role("option", name="A5 ·").click()
    expect(page.get_by_role("textbox", name="DPI")).to_be_visible()
    kept(page, '"one.png"', '"two.png"', '"list.csv"', '"Ponds"', '"A5"')
    rest(page)
    begin_anew(studio)
    rest(page)
    expect(text).to_have_value(ADDRESS)
    for name in ("one.png", "two.png"):
        expect(page.locator("[role=gridcell]", has_text=name)).to_have_count(1)
    expect(page.get_by_role("combobox", name="For paper")).to_have_value("A5 · 148 × 210 mm · ISO A")
    expect(page.get_by_role("textbox", name="Name of the batch")).to_have_value("Ponds")
    expect(page.get_by_text("“list.csv” was not stored yet. Choose it again")).to_be_visible()


def test_print_size_keeps_its_upload(studio: Studio, page: Page) -> None:
    """The picture, the paper and the format of Print size stay, on another page meanwhile and after a restart."""
    page.goto(f"{studio.url}/print_size?paper=A6&from=upload")
    page.locator("input[type=file]").set_input_files(file("wall.png"))
    expect(page.get_by_text("wall.png · 48 × 32 px")).to_be_visible()
    choose(page, "Format", "PDF ·")
    kept(page, '"wall.png"', '"print_format":"PDF"')
    rest(page)
    page.get_by_role("link", name="Spend").click()
    expect(page.get_by_role("heading", name="Spend", level=1)).to_be_visible()
    page.get_by_role("link", name="Print size").click()
    expect(page.get_by_text("wall.png · 48 × 32 px")).to_be_visible()
    rest(page)
    begin_anew(studio)
    rest(page)
    expect(page.get_by_text("wall.png · 48 × 32 px")).to_be_visible()
    expect(page.get_by_role("combobox", name="Format")).to_have_value(re.compile("^PDF"))


def test_secrets_are_not_stored_by_the_browser(studio: Studio, page: Page) -> None:
    """The secret of a webhook stays in its field, and out of the tab's storage."""
    page.goto(studio.url)
    page.get_by_text("Webhook (optional)").click()
    secret = page.get_by_role("textbox", name="Webhook secret")
    secret.fill("swordfish")
    secret.press("Enter")
    rest(page)
    kept(page, "for_dpi")
    begin_anew(studio)
    rest(page)
    expect(secret).to_have_value("swordfish")
    assert "swordfish" not in page.evaluate("() => JSON.stringify({...sessionStorage, ...localStorage})")


@pytest.mark.torture
def test_three_minutes_of_sleep(studio: Studio, line: Line, page: Page) -> None:
    """A laptop that slept for three minutes finds the form, with its upload, as it was."""
    fill_upscale(page, line.url)
    line.cut()
    lost(page)
    page.wait_for_timeout(180_000)
    line.mend()
    page.locator('[data-testid="stApp"][data-test-connection-state="CONNECTED"]').wait_for(timeout=60_000)
    rest(page)
    expect_upscale(page)
