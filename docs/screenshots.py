"""Takes the pictures of the pages, in a studio with made-up history. `make screenshots` runs it; it takes a minute.

    python -m docs.screenshots [--all FOLDER]

Without --all, only those that the documents show are written, to docs/pictures. With it, every page of the
navigation and a finished task are taken in light and in dark, wide and narrow.
"""

from __future__ import annotations

import argparse
import io
import itertools
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from docs import sharpness
from journey.history import State
from journey.pictures import gallery
from journey.pictures.samples import SAMPLES
from journey.provider import JOURNEYAPI, THIS_MACHINE
from journey.storage.stored import StoredPicture
from journey.studio.batches.store import Batches
from tests.harness.studios import CHROMIUM_FLAGS, Shelf, Studio, end_task, free_port, new_task

PICTURES = Path(__file__).parent / "pictures"
SHOWN = {
    "upscale-light",
    "result-light",
    "batch-light",
    "print_size-light",
    "history-light",
    "compare-dark",
    "spend-dark",
}
SIZES = {"": (1280, 1000), "-narrow": (390, 844)}
WORTH_SHOWING = {"print_size": "?sample=fjord&paper=A3&bleed=3&from=sample"}
"""What to open a page with; any other page opens as the navigation links to it."""

DAY = 86_400.0
PEOPLE = ("ada@example.com", "grace@example.com", "lin@example.com")
WORDS = {"fjord": "landscapes", "koi": "animals", "city": "posters"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="write every picture there")
    folder = parser.parse_args().all
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("chromium is not installed: apt-get install chromium")
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        studio = Studio(Path(data), free_port(), {"JOURNEY_MONTHLY_CREDITS": "120", "JOURNEY_ENGINE_MODEL": ""})
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        try:
            studio.start()
            wait_for_samples(studio)
            studio.stop()
            batch = make_history(studio)
            studio.start()
            finished = upscale_a_sample(studio, browser)
            opened_with = WORTH_SHOWING | {"batch": f"?id={batch}", "compare": f"?task={finished}"}
            for scheme, (suffix, (width, height)) in itertools.product(("light", "dark"), SIZES.items()):
                context = browser.new_context(
                    viewport={"width": width, "height": height},
                    color_scheme=scheme,  # type: ignore[arg-type]  # one of the two words
                    reduced_motion="reduce",
                )
                result = {"result": f"{studio.url}/history?task={finished}"}
                for name, url in (pages(context, studio) | result).items():
                    full_name = f"{name}-{scheme}{suffix}"
                    if folder or full_name in SHOWN:
                        target = (folder or PICTURES) / f"pages-{full_name}.jpg"
                        take(context.new_page(), url + opened_with.get(name, ""), target)
                context.close()
        finally:
            browser.close()
            studio.stop()
    if not folder:
        sharpness.main()


def wait_for_samples(studio: Studio) -> None:
    names = [sample.name for sample in SAMPLES]
    with Shelf(studio.data_dir) as shelf:
        until(lambda: gallery.is_hung(shelf.files, names), "the samples were not drawn in time")


def until(condition: Callable[[], object], otherwise: str) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(otherwise)
        time.sleep(0.2)


def make_history(studio: Studio) -> str:
    """Write three months of a small team's work straight into the history; return the id of the last batch.

    The results are the samples themselves under other sizes: nobody looks closer than a thumbnail.
    """
    dice = random.Random(7)  # noqa: S311  for made-up history
    with Shelf(studio.data_dir) as shelf:
        now = time.time()
        samples = [sample_in(shelf, sample.name) for sample in SAMPLES]
        for days_ago in sorted((dice.uniform(1.5, 85) for _ in range(48)), reverse=True):
            at = dice.choice(range(len(samples)))
            shelf.now = now - days_ago * DAY
            provider = dice.choice((JOURNEYAPI, JOURNEYAPI, THIS_MACHINE))
            new = new_task(
                SAMPLES[at].title,
                samples[at],
                person=dice.choice(PEOPLE),
                provider=provider,
                network="fast" if provider == THIS_MACHINE else None,
                type=dice.choice(("2x", "4x", "4x")),
            )
            entry = shelf.history.add(new)
            shelf.now += dice.uniform(6, 40)
            if dice.random() < 0.06:
                end_task(shelf, entry, ends=State.FAILED, error="The service could not read this picture.")
            else:
                end_task(shelf, entry, enlarged(samples[at], entry.scale))
                shelf.history.labels.tag([entry.id], WORDS[SAMPLES[at].name])
                if dice.random() < 0.3:
                    shelf.history.labels.tag([entry.id], "to print")
        shelf.now = now - 3_600
        wanted = [
            new_task(f"{SAMPLES[at].title}, {words}", samples[at], person=PEOPLE[0], network="fast")
            for words in ("first draft", "warmer", "final")
            for at in range(len(samples))
        ]
        batches = Batches(shelf.database, clock=lambda: shelf.now or time.time())
        batch = batches.queue("00" * 8, wanted, name="Autumn exhibition", person=PEOPLE[0])
        for place, item in enumerate(batches.items(batch.id)):
            shelf.now += 9
            end_task(shelf, item.entry, enlarged(samples[place % len(samples)], 4))
        return batch.id


def sample_in(shelf: Shelf, name: str) -> StoredPicture:
    sample = gallery.stored(name)
    path = shelf.files.path(sample.key, sample.file)
    with Image.open(path) as picture:
        return StoredPicture(sample.key, sample.file, picture.width, picture.height, path.stat().st_size)


def enlarged(sample: StoredPicture, scale: int) -> StoredPicture:
    size = round((sample.bytes or 0) * scale**1.5)
    return replace(sample, width=sample.width * scale, height=sample.height * scale, bytes=size)


def pages(context: BrowserContext, studio: Studio) -> dict[str, str]:
    """The addresses of the pages in the navigation, by name."""
    page = context.new_page()
    page.goto(studio.url)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.get_by_role("heading", level=1).wait_for()
    links = [str(link.get_attribute("href")) for link in page.get_by_test_id("stTopNavLink").all()]
    page.close()
    return {urlsplit(link).path.strip("/") or "upscale": link for link in links}


def upscale_a_sample(studio: Studio, browser: Browser) -> str:
    """Make one real result, to be shown large; return the id of its entry."""
    page = browser.new_page()
    page.goto(studio.url)
    page.get_by_role("button", name="Koi pond", exact=True).click(timeout=60_000)
    with Shelf(studio.data_dir) as shelf:
        before = shelf.history.lists.latest(limit=1)[0].id
        page.get_by_role("button", name="Upscale · free").click()
        until(lambda: shelf.history.lists.latest(limit=1)[0].id != before, "the sample was not queued")
        newest = shelf.history.lists.latest(limit=1)[0].id
        until(lambda: shelf.history.get(newest).state is State.FINISHED, "the sample was not upscaled in time")  # type: ignore[union-attr]
    page.close()
    return newest


def take(page: Page, url: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    page.goto(url)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    if "upscale" in target.name and "narrow" not in target.name:
        page.get_by_role("button", name="City at dusk", exact=True).click()
        expect(page.get_by_text("Print sizes at 300 DPI, sharp in the hand.")).to_be_visible()
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    if "result" in target.name:
        page.locator(".stage").scroll_into_view_if_needed()
    if "result" in target.name or "compare" in target.name:
        expect(page.locator(".stage[aria-busy=false]:not(.waiting)")).to_be_visible(timeout=60_000)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1_500)  # tables and tiles are drawn after everything has arrived
    with Image.open(io.BytesIO(page.screenshot())) as shot:
        shot.convert("RGB").save(target, quality=86, optimize=True)
    page.close()


if __name__ == "__main__":
    main()
