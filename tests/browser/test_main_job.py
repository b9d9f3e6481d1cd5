"""The main job as a new user does it: a sample, 4x, a picture on the screen and in the downloads."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from journey.testing import Close, StandIn
from tests.harness.studios import Studio

pytestmark = pytest.mark.browser
MakeStudio = Callable[..., Studio]


def test_from_a_sample_to_a_download(make_studio: MakeStudio, page: Page, tmp_path: Path) -> None:
    """With nothing configured, a sample becomes a 4x picture that comes into view, to compare and to download."""
    studio = make_studio(is_new=True)
    strangers: list[str] = []
    page.on("request", lambda request: strangers.append(request.url) if is_elsewhere(request.url, studio) else None)

    page.goto(studio.url)
    expect(page.get_by_role("heading", name="Upscale", exact=True)).to_be_visible()
    page.get_by_role("button", name="Koi pond", exact=True).click(timeout=90_000)  # the samples are drawn first
    expect(page.get_by_text("13.7 × 13.7 in")).to_be_visible()
    page.get_by_role("button", name="Upscale · free").click()
    expect(page.get_by_role("progressbar").first).to_be_in_viewport()
    expect(page.get_by_text("1024 × 1024 px → 4096 × 4096 px")).to_be_visible(timeout=120_000)
    picture = page.get_by_role("img", name="Koi pond, Original, and Koi pond, 4x · fast")
    expect(picture).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("link", name="Download PNG").first).to_be_in_viewport(ratio=1)

    with page.expect_download() as download:
        page.get_by_role("link", name="Download PNG").first.click()
    target = tmp_path / "koi.png"
    download.value.save_as(target)
    with Image.open(target) as picture:
        assert ("PNG", (4096, 4096)) == (picture.format, picture.size)

    page.get_by_role("link", name="Compare").last.click()
    slider = page.get_by_role("slider", name="Move between original and result")
    slider.focus()
    slider.press("ArrowRight")
    assert 50.5 == float(slider.input_value())
    for path in ("/history", "/print_size"):
        page.goto(studio.url + path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert [] == strangers


def test_two_clicks_at_once_are_both_served(make_studio: MakeStudio, page: Page) -> None:
    """Nobody is too quick for the server: a sample is chosen, and Upscale is clicked in the same moment."""
    studio = make_studio()
    page.goto(studio.url)
    expect(page.get_by_text("Four seasons, a grid")).to_be_visible()
    page.evaluate(
        """() => {
            const buttons = [...document.querySelectorAll("button")];
            for (const words of ["Koi pond", "Upscale · free"])
                buttons.find((each) => each.innerText.includes(words)).click();
        }"""
    )
    expect(page.get_by_text("1024 × 1024 px → 4096 × 4096 px")).to_be_visible(timeout=120_000)


def test_the_server_says_when_a_task_has_ended(make_studio: MakeStudio, page: Page) -> None:
    """The result does not wait for the page to look: with the timers of all its looks taken away, it still appears."""
    studio = make_studio()
    page.add_init_script("window.setInterval = () => 0")
    page.goto(studio.url)
    page.get_by_role("button", name="Koi pond", exact=True).click()
    page.get_by_role("button", name="Upscale · free").click()
    expect(page.get_by_role("img", name="Koi pond, 4x · fast")).to_be_visible(timeout=120_000)


def test_a_killed_server_and_a_closed_tab_lose_nothing(make_studio: MakeStudio, page: Page) -> None:
    """After kill -9 in the middle of a job, with the tab closed, the next start finishes the task exactly once."""
    studio = make_studio()
    page.goto(studio.url)
    page.get_by_role("button", name="Koi pond", exact=True).click()
    page.get_by_role("button", name="Upscale · free").click()
    expect(page.get_by_text("Upscaling ·")).to_be_visible()
    context = page.context
    page.close()
    studio.stop(signal.SIGKILL)
    studio.start()

    later = context.new_page()
    later.goto(studio.url)
    expect(later.get_by_text("1024 × 1024 px → 4096 × 4096 px")).to_be_visible(timeout=120_000)
    expect(later.get_by_role("link", name="Download PNG")).to_have_count(1)
    assert 1 == len(list((studio.data_dir / "files").rglob("*_4x.png")))
    assert [] == list((studio.data_dir / "files" / "incoming").iterdir())


def test_a_lost_answer_is_never_sent_again(make_studio: MakeStudio, page: Page) -> None:
    """When JourneyAPI reads the call and hangs up, the task waits for a person, and one charge stays one charge."""
    with StandIn() as api:
        studio = make_studio(
            JOURNEY_API_KEY=api.key,
            JOURNEY_API_URL=api.url,
            JOURNEY_FETCH_ALLOW="127.0.0.0/8",
            JOURNEY_PUBLIC_URL="https://studio.example.com",
        )
        api.script("upscale-2x-4x", Close.AFTER_READING)
        page.goto(studio.url)
        page.get_by_role("button", name="Koi pond", exact=True).click()
        page.get_by_role("button", name="Upscale · 2 credits").click()
        expect(page.get_by_text(re.compile("Needs your decision"))).to_be_visible()
        expect(page.get_by_role("button", name="Watch this task")).to_be_visible()
        expect(page.get_by_role("button", name="Send again (may cost 2 credits twice)")).to_be_visible()
        page.reload()
        expect(page.get_by_text(re.compile("Needs your decision"))).to_be_visible()
        assert 1 == len(api.calls_to("upscale-2x-4x"))
        page.get_by_role("button", name="Drop it").click()
        expect(page.get_by_text("No longer watched")).to_be_visible()
        assert 1 == len(api.calls_to("upscale-2x-4x"))


def is_elsewhere(url: str, studio: Studio) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != f"127.0.0.1:{studio.port}"
