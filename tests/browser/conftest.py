"""A real Chromium on the real server."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.harness.studios import CHROMIUM_FLAGS, Studio, free_port

expect.set_options(timeout=30_000)


@pytest.fixture
def make_studio(tmp_path: Path) -> Iterator[Callable[..., Studio]]:
    """Starts studios with the given settings; all of them stop at the end of the test."""
    started: list[Studio] = []

    def make(*, is_new: bool = False, **settings: str) -> Studio:
        data_dir = tmp_path / f"data-{len(started)}"
        data_dir.mkdir()
        studio = Studio(data_dir, free_port(), settings, is_new)
        started.append(studio)
        studio.start()
        return studio

    yield make
    for studio in started:
        studio.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. Without it these tests are skipped, except in CI."""
    chromium = shutil.which("chromium")
    if chromium is None:
        if os.environ.get("CI"):
            pytest.fail("chromium is not installed: apt-get install chromium")
        pytest.skip("chromium is not installed")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh tab, 1280 × 900, with its own storage."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    tab = context.new_page()
    tab.set_default_timeout(30_000)
    yield tab
    context.close()
