"""A piece is tried, and a network chosen by looking, before anything is queued."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.harness.studios import Shelf, Studio, cut_of_sample

pytestmark = pytest.mark.browser

PATIENCE_MS = 300_000
"""The worker has the lowest priority, so it waits for every other test."""


def test_a_network_is_chosen_by_looking_at_a_piece(make_studio: Callable[..., Studio], page: Page) -> None:
    """Each network's piece of the most detailed place appears, then of another place; the one that is liked is in the
    form, and nothing was queued for it."""
    studio = make_studio(JOURNEY_ENGINE_MODEL="")
    page.goto(studio.url)
    page.get_by_text("Upload", exact=True).click()
    page.locator("input[type=file]").set_input_files(
        {"name": "koi.png", "mimeType": "image/png", "buffer": cut_of_sample(studio, (480, 400, 680, 560))}
    )
    expect(page.get_by_text("koi.png · 200 × 160 px")).to_be_visible()
    expect(page.get_by_text(re.compile("^Looks "))).to_be_visible()

    page.get_by_text("Try a piece first").click()
    pieces = page.locator(".trying figure")
    expect(pieces).to_have_count(3)
    enlarged = pieces.locator("img")
    expect(enlarged).to_have_count(3, timeout=PATIENCE_MS)
    widths = {piece.evaluate("image => image.naturalWidth") for piece in enlarged.all()}
    assert widths in ({4 * 104}, {4 * 96})  # the tiles of 200 pixels
    before = str(enlarged.first.get_attribute("src"))

    frame = page.get_by_role("button", name="Place of the piece")
    arrow = "ArrowLeft" if widths == {4 * 96} else "ArrowRight"
    for _ in range(25):
        frame.press(arrow)
    # Held down while a piece arrives: a button that is drawn anew meanwhile would never be clicked.
    page.get_by_role("button", name="Use Faithful").hover()
    page.mouse.down()
    expect(enlarged.first).not_to_have_attribute("src", before, timeout=PATIENCE_MS)
    page.mouse.up()
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
