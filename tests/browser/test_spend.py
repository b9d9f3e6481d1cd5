"""A budget that runs out, seen in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from journey.history import NewEntry
from journey.provider import JOURNEYAPI
from journey.testing import StandIn
from tests.harness.studios import Shelf, Studio

pytestmark = pytest.mark.browser
MakeStudio = Callable[..., Studio]


def test_a_used_up_budget_is_said_and_stays_kept(make_studio: MakeStudio, page: Page) -> None:
    """Two of three tasks are sent; the third waits, even after Resume, and Spend says why."""
    with StandIn() as api:
        studio = make_studio(
            JOURNEY_API_KEY=api.key,
            JOURNEY_API_URL=api.url,
            JOURNEY_FETCH_ALLOW="127.0.0.0/8",
            JOURNEY_MONTHLY_CREDITS="4",
            JOURNEY_ENGINE="off",
        )
        with Shelf(studio.data_dir) as shelf:
            for number in range(3):
                wish = NewEntry(provider=JOURNEYAPI, type="2x", name=f"{number}.png", image_url=api.picture_url())
                shelf.history.add(wish)
        page.goto(f"{studio.url}/spend")
        for _ in range(2):
            expect(page.get_by_text("This month's budget of 4 credits is used up (4 spent)")).to_be_visible()
            page.get_by_role("button", name="Resume").click()
            expect(page.get_by_text("It is used up: new tasks for JourneyAPI wait")).to_be_visible()
            page.reload()
        expect(page.get_by_text("4 of 4 credits used, 0 left")).to_be_visible()
        expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "100")
        expect(page.get_by_text("Credits this month")).to_be_visible()
        page.goto(studio.url)
        expect(page.get_by_text("Waiting to be sent").first).to_be_visible()
        assert 2 == api.charges
