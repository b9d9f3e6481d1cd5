"""Takes the pictures of the pages: every page, light and dark, wide and narrow. `make screenshots` runs it.

    python -m docs.screenshots [--all FOLDER]

Without --all, only those that the documents show are written, to docs/pictures.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from docs import sharpness
from tests.browser.conftest import CHROMIUM_FLAGS, Studio, free_port

PICTURES = Path(__file__).parent / "pictures"
SHOWN = {"upscale-light", "compare-dark", "history-light", "print_size-light"}
SIZES = {"": (1280, 1000), "-narrow": (390, 844)}
PATHS = {"upscale": "/", "print_size": "/print_size?w=1024&h=1536", "history": "/history", "compare": "/compare"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="write every picture there")
    folder = parser.parse_args().all
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("chromium is not installed: apt-get install chromium")
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        studio = Studio(Path(data), free_port(), {})
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        try:
            studio.start()
            upscale_a_sample(studio, browser)
            for scheme in ("light", "dark"):
                for suffix, (width, height) in SIZES.items():
                    context = browser.new_context(
                        viewport={"width": width, "height": height},
                        color_scheme=scheme,  # type: ignore[arg-type]  # one of the two words
                    )
                    for name, path in PATHS.items():
                        full_name = f"{name}-{scheme}{suffix}"
                        if folder or full_name in SHOWN:
                            take(context.new_page(), studio.url + path, (folder or PICTURES) / f"{full_name}.png")
                    context.close()
        finally:
            browser.close()
            studio.stop()
    if not folder:
        sharpness.main()


def upscale_a_sample(studio: Studio, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(studio.url)
    page.get_by_role("button", name="Koi pond", exact=True).click(timeout=60_000)
    page.get_by_role("button", name="Upscale · free").click()
    expect(page.get_by_role("link", name="Download PNG")).to_be_visible(timeout=120_000)
    page.close()


def take(page: Page, url: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    page.goto(url)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    if "upscale" in target.name and "narrow" not in target.name:
        page.get_by_role("button", name="City at dusk", exact=True).click()
        expect(page.get_by_text("Print sizes at 300 DPI, sharp in the hand.")).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1_000)  # pictures fade in
    page.screenshot(path=target)
    page.close()


if __name__ == "__main__":
    main()
