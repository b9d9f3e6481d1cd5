"""Print planning as a new user does it: a sample, a paper, a verdict, a file for the print shop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.harness.studios import Studio

pytestmark = pytest.mark.browser


def test_from_a_sample_to_a_print_ready_file(make_studio: Callable[..., Studio], page: Page, tmp_path: Path) -> None:
    """Two clicks lead to the verdict for A3, and two more to a TIFF with bleed and with the promised pixels and DPI."""
    studio = make_studio()
    page.goto(f"{studio.url}/print_size")
    page.get_by_role("radio", name="Sample").click()
    page.get_by_role("radio", name="Fjord at first light").click()
    expect(page.get_by_text("4x is enough: 350 DPI, excellent, sharp in the hand.")).to_be_visible()
    expect(page.get_by_role("img", name="Fjord at first light to scale on A3")).to_be_visible()

    bleed = page.get_by_role("textbox", name="Bleed in mm")
    bleed.fill("3")
    bleed.press("Enter")
    expect(page.get_by_text("343 DPI, excellent")).to_be_visible()
    page.get_by_role("button", name="Make the file").click()
    link = page.get_by_role("link", name="Download fjord-at-first-light_A3_300dpi_bleed3mm.tif")
    expect(link).to_be_visible(timeout=60_000)
    with page.expect_download() as download:
        link.click()
    target = tmp_path / "fjord.tif"
    download.value.save_as(target)
    with Image.open(target) as picture:
        assert ("TIFF", (3579, 5031), (300, 300)) == (picture.format, picture.size, picture.info["dpi"])

    address = page.url
    page.get_by_role("link", name="History").click()
    expect(page.get_by_role("heading", name="History")).to_be_visible()
    page.get_by_role("link", name="Print size").click()
    expect(page.get_by_text("343 DPI, excellent")).to_be_visible()
    expect(link).to_be_visible()
    page.goto(address)
    expect(page.get_by_text("343 DPI, excellent")).to_be_visible()
    page.get_by_role("button", name="Upscale 4x for A3").click()
    expect(page.get_by_text("For A3 at 300 DPI with 3 mm bleed: 4x is enough")).to_be_visible()
