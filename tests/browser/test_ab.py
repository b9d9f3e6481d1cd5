"""A/B as a person does it: one click, two results, one comparison."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.harness.studios import Studio, cut_of_sample

pytestmark = pytest.mark.browser


def test_fast_and_detail_are_compared_by_one_click(make_studio: Callable[..., Studio], page: Page) -> None:
    """One click sends a cut of a sample through both networks, and both cards link to the comparison."""
    studio = make_studio()
    page.goto(studio.url)
    expect(page.get_by_role("button", name="Koi pond", exact=True)).to_be_visible()
    page.get_by_text("Upload", exact=True).click()
    page.locator("input[type=file]").set_input_files(
        {"name": "koi-cut.png", "mimeType": "image/png", "buffer": cut_of_sample(studio, (480, 400, 560, 464))}
    )
    expect(page.get_by_text("koi-cut.png · 80 × 64 px")).to_be_visible()
    page.get_by_role("button", name="A/B · free").click()

    compare = page.get_by_role("link", name="Compare A/B")
    expect(compare).to_have_count(2, timeout=120_000)
    page.reload()
    expect(compare).to_have_count(2)
    compare.first.click()
    slider = page.get_by_role("slider", name="Move between")
    expect(slider).to_be_visible()
    labels = page.get_by_text(re.compile(r"^koi-cut\.png · 4x · \S+$")).filter(visible=True)
    expect(labels).to_have_count(2)
    assert 2 == len(set(labels.all_inner_texts()))
    before = float(slider.input_value())
    slider.press("ArrowLeft")
    assert before > float(slider.input_value())
