"""A piece is tried, and a network chosen by looking, before anything is queued."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.harness.studios import Shelf, Studio

pytestmark = pytest.mark.browser


def test_a_network_is_chosen_by_looking_at_a_piece(make_studio: Callable[..., Studio], page: Page) -> None:
    """Each network's piece of the most detailed place appears, then of another place; the one that is liked is in the
    form, and nothing was queued for it."""
    studio = make_studio(JOURNEY_ENGINE_MODEL="")
    page.goto(studio.url)
    page.get_by_role("button", name="Koi pond", exact=True).click()
    expect(
        page.get_by_text("Looks drawn, with hard edges between flat colours: fast keeps lines clean.")
    ).to_be_visible()
    expect(page.get_by_role("radio", name=re.compile("^Fast"))).to_be_checked()

    page.get_by_text("Try a piece first").click()
    pieces = page.locator(".trying figure")
    expect(pieces).to_have_count(3)
    expect(pieces.locator("img")).to_have_count(3, timeout=120_000)
    assert ["512x512"] * 3 == [sides(piece.evaluate("image => [image.naturalWidth, image.naturalHeight]"))
                               for piece in pieces.locator("img").all()]  # fmt: skip
    before = pieces.first.locator("img").get_attribute("src")

    frame = page.get_by_role("button", name="Place of the piece")
    frame.press("ArrowLeft")
    for _ in range(9):
        frame.press("ArrowLeft")
    expect(pieces.first.locator("img")).not_to_have_attribute("src", str(before), timeout=120_000)
    expect(pieces.locator("img")).to_have_count(3, timeout=120_000)

    page.get_by_role("button", name="Use Faithful").click()
    expect(page.get_by_role("radio", name=re.compile("^Faithful"))).to_be_checked()
    expect(page.get_by_role("button", name="Chosen")).to_be_visible()
    with Shelf(studio.data_dir) as shelf:
        assert 0 == shelf.history.lists.count()


def test_the_strength_of_detail_goes_down_to_faithful(make_studio: Callable[..., Studio], page: Page) -> None:
    """Less of detail is a blend with faithful, which says that both run and how long that takes."""
    studio = make_studio()
    page.goto(studio.url)
    page.get_by_role("button", name="Koi pond", exact=True).click()
    page.get_by_text(re.compile("^Detail ·")).click()
    slider = page.get_by_role("slider", name="Strength")
    expect(slider).to_be_visible()
    for _ in range(10):
        slider.press("ArrowLeft")
    expect(page.get_by_text(re.compile("^50 % detail and 50 % faithful: both run, about "))).to_be_visible()


def sides(size: list[int]) -> str:
    return "x".join(map(str, size))
