"""The built documents in a real browser, as the studio shows them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from journey.views import documents
from tests.harness.studios import Studio

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def are_built() -> None:
    if documents.folder() is None:
        missing = "the documents are not built: make docs"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)


def test_help_leads_to_documents_that_load_nothing_from_elsewhere(
    make_studio: Callable[..., Studio], page: Page
) -> None:
    """From a page its help is one click away, in a tab of its own; the search and the dark theme work there; nothing is
    blocked by the documents' own policy, and nothing comes from another server."""
    studio = make_studio()
    said: list[str] = []
    asked: set[str] = set()
    page.goto(f"{studio.url}/batch")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Help", exact=True).click()
    helped = opened.value
    helped.on("console", lambda message: message.type in ("error", "warning") and said.append(message.text))
    helped.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
    expect(helped.get_by_role("heading", name="A spreadsheet of pictures", level=1)).to_be_visible()
    helped.reload()

    toggle = helped.locator("button.theme-toggle:visible").first
    for _ in range(3):
        if helped.locator("body").get_attribute("data-theme") == "dark":
            break
        toggle.click()
    expect(helped.locator("body")).to_have_attribute("data-theme", "dark")
    assert "rgb(17, 23, 26)" == helped.evaluate("getComputedStyle(document.body).backgroundColor")

    search = helped.get_by_role("textbox", name="Search").first
    search.fill("webhook")
    search.press("Enter")
    expect(helped.get_by_text(re.compile(r"found \d+ page"))).to_be_visible()
    found = helped.locator("#search-results").get_by_role("link", name="JourneyAPI and webhooks").first
    expect(found).to_be_visible()
    found.click()
    expect(helped.get_by_role("heading", name="JourneyAPI and webhooks", level=1)).to_be_visible()

    assert [] == said
    assert {urlsplit(studio.url).netloc} == asked
