"""A separate studio and a Chromium, to measure what a person would see."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.harness.studios import CHROMIUM_FLAGS, Studio, free_port


def has_chromium(name: str) -> bool:
    """Whether Chromium is installed. If not, prints that this measurement is skipped."""
    if shutil.which("chromium"):
        return True
    print(f"{name}: skipped, chromium is not installed")
    return False


@contextmanager
def studio_and_browser(data: Path) -> Iterator[tuple[Studio, Browser]]:
    """A running studio with its data in this folder, and a browser; both end with the block."""
    studio = Studio(data, free_port(), {})
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_FLAGS)
        try:
            studio.start()
            yield studio, browser
        finally:
            browser.close()
            studio.stop()
