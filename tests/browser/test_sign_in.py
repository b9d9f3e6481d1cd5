"""Sign-in in a real browser: before it nothing of the studio shows, and after it the wanted page opens."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.harness.oidc import FakeProvider
from tests.harness.studios import Shelf, Studio, end_task, new_task

pytestmark = pytest.mark.browser
MakeStudio = Callable[..., Studio]

PICTURE = "secret-hill.png"


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as fake:
        yield fake


@pytest.fixture
def closed_studio(make_studio: MakeStudio, provider: FakeProvider, tmp_path: Path) -> Studio:
    """A studio that lets in the people of example.com."""
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(provider.auth_table("http://127.0.0.1:{port}/oauth2callback"))
    return make_studio(
        STREAMLIT_SECRETS_FILES=str(secrets), JOURNEY_SIGN_IN_DOMAINS="example.com", JOURNEY_ENGINE="off"
    )


def sign_in(page: Page, email: str, *, verified: bool = True) -> None:
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("verified").set_checked(verified)
    page.get_by_role("button", name="Continue").click()


def expect_a_closed_door(page: Page) -> None:
    """One title, one button, and nothing of the studio: no page, no picture, no count."""
    expect(page.get_by_role("heading", name="Sign in", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    expect(page).to_have_title("Sign in · Journey Print Studio")
    expect(page.get_by_role("img")).to_have_count(0)
    words = page.locator("body").inner_text()
    assert [] == [word for word in ("History", "Compare", "Spend", "credits", "hill") if word in words]


def test_nothing_is_shown_without_sign_in(closed_studio: Studio, page: Page) -> None:
    """Every page is closed until somebody is let in, who then reaches the task in the link; signing out closes every
    tab."""
    with Shelf(closed_studio.data_dir) as shelf:
        source = shelf.keep("hill.png", Image.new("RGB", (40, 30), "teal"))
        result = shelf.keep("hill.png", Image.new("RGB", (160, 120), "teal"))
        entry = end_task(shelf, shelf.history.add(new_task(PICTURE, source)), result)
    link = f"{closed_studio.url}/history?task={entry.id}"
    frames: list[str] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: frames.append(str(frame))))
    for address in (closed_studio.url, f"{closed_studio.url}/spend", link):
        page.goto(address)
        expect_a_closed_door(page)
    for email, verified, reason in (
        ("mallory@example.com.evil.org", True, "is not among the addresses that are let in"),
        ("anna@example.com", False, "is not verified"),
    ):
        sign_in(page, email, verified=verified)
        expect(page.get_by_role("heading", name="No access")).to_be_visible()
        expect(page.get_by_text(f"{email} {reason}")).to_be_visible()
        expect(page.get_by_test_id("stTopNavLink")).to_have_count(0)
        page.get_by_role("button", name="Sign out").click()
        expect_a_closed_door(page)
    told = [
        word for word in (PICTURE, entry.id, entry.result_key, "This machine") if any(word in each for each in frames)
    ]
    assert [] == told

    page.goto(link)
    sign_in(page, "Anna@Example.com")
    expect(page.get_by_text(PICTURE).first).to_be_visible()
    assert link == page.url
    expect(page.get_by_role("heading", level=1)).to_have_count(1)

    tab = page.context.new_page()
    tab.goto(f"{closed_studio.url}/spend")
    expect(tab.get_by_role("heading", name="Spend", exact=True)).to_be_visible()
    page.get_by_text(re.compile("Anna@.?Example.com")).first.click()
    page.get_by_text("Sign out").click()
    expect_a_closed_door(page)
    expect_a_closed_door(tab)
