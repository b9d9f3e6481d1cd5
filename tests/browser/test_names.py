"""Names of files in any script, from the upload to what the browser saves."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.harness.studios import Studio

pytestmark = pytest.mark.browser

LONG = f"{'写' * 83}.png"
"""253 bytes: another letter would make 256, and file systems take 255."""


def png(grey: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (48, 32), (grey, 60, 30)).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_japanese_name_reaches_the_print_file(make_studio: Callable[..., Studio], page: Page, tmp_path: Path) -> None:
    """A name of 255 bytes is shown, and saved with what was made of it, cut between two letters."""
    studio = make_studio()
    page.goto(f"{studio.url}/print_size?from=upload&paper=A6&dpi=50")
    page.locator("input[type=file]").set_input_files({"name": LONG, "mimeType": "image/png", "buffer": png(80)})
    expect(page.get_by_text(f"{'写' * 76}.png · 48 × 32 px")).to_be_visible()
    page.get_by_role("button", name="Make the file").click()
    link = page.get_by_role("link", name="Download 写写写")
    expect(link).to_be_visible(timeout=60_000)
    with page.expect_download() as download:
        link.click()
    name = download.value.suggested_filename
    assert name.endswith("写_A6_50dpi.tif")
    assert "写" == "".join(set(name.removesuffix("_A6_50dpi.tif")))
    assert 200 < len(name.encode()) <= 255
    download.value.save_as(tmp_path / name)
    with Image.open(tmp_path / name) as made:
        assert "TIFF" == made.format


def test_results_keep_their_names_apart(make_studio: Callable[..., Studio], page: Page, tmp_path: Path) -> None:
    """Results of pictures in four scripts are saved under the names of these, alone and in the ZIP of their batch."""
    studio = make_studio()
    titles = ["日本", "Кот", "🐱", "Straße"]
    page.goto(f"{studio.url}/batch")
    page.locator("input[type=file]").set_input_files(
        [
            {"name": f"{title}.png", "mimeType": "image/png", "buffer": png(20 * place)}
            for place, title in enumerate(titles)
        ]
    )
    page.get_by_role("button", name="Upscale 4 pictures · free").click()
    link = page.get_by_role("link", name="Download 4 results as ZIP")
    expect(link).to_be_visible(timeout=90_000)
    with page.expect_download() as download:
        link.click()
    download.value.save_as(tmp_path / "results.zip")
    with zipfile.ZipFile(tmp_path / "results.zip") as archive:
        assert [f"{place}_{title}_4x.png" for place, title in enumerate(titles, start=1)] == archive.namelist()
    page.goto(studio.url)
    saved = []
    expect(page.get_by_role("link", name="Download PNG").first).to_be_visible()
    for card in page.get_by_role("link", name="Download PNG").all():
        with page.expect_download() as download:
            card.click()
        saved.append(download.value.suggested_filename)
    assert {"Кот_4x.png", "🐱_4x.png", "Straße_4x.png"} >= set(saved)
    assert saved


def test_quotes_in_a_name_stay(make_studio: Callable[..., Studio], page: Page) -> None:
    """The name of an upload is shown as it is on the person's disk."""
    studio = make_studio()
    page.goto(studio.url)
    page.get_by_role("radio", name="Upload").click()
    page.locator("input[type=file]").set_input_files({"name": '24"x36".png', "mimeType": "image/png", "buffer": png(7)})
    expect(page.get_by_text('24"x36".png · 48 × 32 px')).to_be_visible()
