"""Parents as a person uses them: a picture of a grid, and a finished upscale once more."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.harness.studios import Shelf, Studio

pytestmark = pytest.mark.browser


def test_lineage_is_kept_from_picture_to_picture(make_studio: Callable[..., Studio], page: Page) -> None:
    """An upscale of a grid's picture names its parent, and so does one of a finished upscale, found by its ID."""
    studio = make_studio()
    page.goto(studio.url)
    page.get_by_role("button", name="Four seasons, a grid").click()
    expect(page.get_by_text("Found: a grid of 4 pictures, 1024 × 1024 px each")).to_be_visible()
    page.get_by_role("button", name="Picture 3", exact=True).click()
    expect(page.get_by_text("From task sample-grid, picture 3")).to_have_count(1)
    page.get_by_role("radio", name="2x").click()
    page.get_by_role("button", name="Upscale · free").click()
    # In the form, and on the card.
    expect(page.get_by_text("From task sample-grid, picture 3")).to_have_count(2)
    expect(page.get_by_text("1024 × 1024 px → 2048 × 2048 px")).to_be_visible(timeout=120_000)

    page.get_by_text("Upload", exact=True).click()
    page.locator("input[type=file]").set_input_files(
        {"name": "noise.png", "mimeType": "image/png", "buffer": noise(32)}
    )
    expect(page.get_by_text("noise.png · 32 × 32 px")).to_be_visible()
    page.get_by_role("button", name="Upscale · free").click()
    expect(page.get_by_text("32 × 32 px → 64 × 64 px")).to_be_visible(timeout=60_000)
    with Shelf(studio.data_dir) as shelf:
        task_id = shelf.history.lists.latest(limit=1)[0].task_id

    page.goto(f"{studio.url}/?task_id={task_id}")
    expect(page.get_by_text("Found: one picture, 64 × 64 px · This machine")).to_be_visible()
    page.get_by_role("radio", name="2x").click()
    page.get_by_role("button", name="Upscale · free").click()
    expect(page.get_by_text("64 × 64 px → 128 × 128 px")).to_be_visible(timeout=60_000)
    expect(page.get_by_text(f"From task {task_id}")).to_have_count(2)
    page.get_by_role("link", name="Open noise.png").last.click()
    expect(page.get_by_role("heading", name="All facts")).to_be_visible()
    expect(page.get_by_text("32 × 32 px → 64 × 64 px")).to_be_visible()

    # From History, the form is filled with the settings of the first upscale of the noise.
    page.get_by_role("link", name="Reuse settings").click()
    expect(page.get_by_text("noise.png · 32 × 32 px")).to_be_visible()
    expect(page.get_by_role("radio", name="2x")).to_be_checked()


def noise(side: int) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((side, side), 50).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()
