"""History as a team uses it: find, tag, reuse, export and delete, while others go on adding tasks."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from journey.history import Entry, State
from journey.provider import JOURNEYAPI
from tests.harness.studios import Shelf, Studio, end_task, new_task

pytestmark = pytest.mark.browser

HEADER, ROW = 36, 64
"""Heights of the table's header and rows in screen pixels: the table is drawn on a canvas."""


def test_find_tag_reuse_export_and_delete(make_studio: Callable[..., Studio], page: Page, tmp_path: Path) -> None:
    """A filter finds tasks; they are tagged, one is used again, the filtered rows are exported, and one is deleted."""
    studio = make_studio()
    with Shelf(studio.data_dir) as shelf:
        koi, _, formula, _ = (add(shelf, name) for name in ("Koi one", "Owl", "=KOI()", "Fox"))
        page.goto(f"{studio.url}/history")
        expect(page.get_by_text("4 tasks.")).to_be_visible()
        page.get_by_role("searchbox", name="Search").fill("koi")
        expect(page.get_by_text("2 of 4 tasks.")).to_be_visible()
        expect(page).to_have_url(re.compile(r"\?q=koi$"))
        page.reload()
        expect(page.get_by_text("2 of 4 tasks.")).to_be_visible()

        for place in (0, 1):
            click(page, place, across=18)
            expect(page.get_by_role("button", name=f"Ticked · {place + 1}")).to_be_visible()
        added = add(shelf, "Koi from elsewhere")
        expect(page.get_by_text("3 of 5 tasks.")).to_be_visible(timeout=3_000)
        page.get_by_role("button", name="Ticked · 2").click()
        tag = page.get_by_role("combobox", name="Tag", exact=True)
        tag.fill("Album")
        tag.press("Enter")
        page.get_by_role("button", name="Add tag").click()
        expect(page.get_by_text("2 tasks tagged “Album”.")).to_be_visible()
        assert {koi.id, formula.id} == set(shelf.history.labels.tags_of([koi.id, formula.id, added.id]))
        page.keyboard.press("Escape")

        target = tmp_path / "tasks.csv"
        page.get_by_role("button", name="Export").click()
        with page.expect_download() as download:
            page.get_by_role("link", name="Download CSV").click()
        download.value.save_as(target)
        with target.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        assert [("'=KOI()", "Album"), ("Koi one", "Album")] == [(row["name"], row["tags"]) for row in rows]
        page.keyboard.press("Escape")

        click(page, 0, across=300)
        expect(page.get_by_role("heading", name="All facts")).to_be_visible()
        expect(page.get_by_role("cell", name=added.id)).to_be_visible()
        page.get_by_role("link", name="Reuse settings").click()
        expect(page.get_by_role("heading", name="Upscale", exact=True)).to_be_visible()
        expect(page.get_by_text("Koi from elsewhere").first).to_be_visible()
        page.go_back()
        expect(page.get_by_role("heading", name="All facts")).to_be_visible()
        page.get_by_role("button", name="Delete", exact=True).click()
        page.get_by_role("button", name="Delete for good").click()
        expect(page.get_by_text("2 of 4 tasks.")).to_be_visible()
        assert shelf.history.get(added.id) is None
        assert added.source is not None
        assert koi.source is not None
        # Upscale has just shown it to this visitor, so it stays for a day.
        assert shelf.files.has(added.source.key, added.source.file)
        assert shelf.files.has(koi.source.key, koi.source.file)


def add(shelf: Shelf, name: str) -> Entry:
    """Add a failed task. The studio has no key for its provider, so it leaves the task alone."""
    source = shelf.keep("picture.png", Image.new("RGB", (24, 24), "teal"))
    entry = shelf.history.add(new_task(name, source, provider=JOURNEYAPI))
    return end_task(shelf, entry, ends=State.FAILED)


def click(page: Page, place: int, *, across: int) -> None:
    """Click a row of the table, `across` screen pixels from its left edge."""
    page.get_by_test_id("stDataFrame").click(position={"x": across, "y": HEADER + ROW * place + ROW // 2})
