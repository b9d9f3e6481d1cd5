"""A separate studio and a Chromium, to measure what a person would see."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.harness.studios import CHROMIUM_FLAGS, Studio, free_port

NO_CHROMIUM = "Chromium is not installed"


def has_chromium() -> bool:
    return shutil.which("chromium") is not None


@contextmanager
def studio_and_browser(data: Path | None = None) -> Iterator[tuple[Studio, Browser]]:
    """A running studio that is done with its first work, and a browser. Both end with the block.

    Its data is in this folder, or in one that is removed at the end.
    """
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        studio = Studio(data or Path(folder), free_port(), {})
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_FLAGS)
        try:
            studio.start()
            yield studio, browser
        finally:
            browser.close()
            studio.stop()


def new_page(browser: Browser, address: str) -> Page:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(120_000)
    page.goto(address)
    return page


def last_task(studio: Studio) -> dict[str, Any]:
    """The newest row of the history; empty without one."""
    with sqlite3.connect(f"file:{studio.data_dir / 'journey.db'}?mode=ro", uri=True, timeout=10) as database:
        database.row_factory = sqlite3.Row
        row = database.execute("SELECT * FROM entries ORDER BY created_at DESC LIMIT 1").fetchone()
    return dict(row) if row else {}
