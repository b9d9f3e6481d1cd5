"""How long print files take and how much memory they need, beside named peers measured in the same run.

Two figures are what people see in a real browser at the real server: the wait for a re-tagged file, and a click of
another visitor while a large file is made.

    python -m bench.print_files [--side 4096] [--paper A1]

It is a measurement, not a test: it always exits 0.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import wait
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from PIL import Image
from playwright.sync_api import Browser, Page

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.in_browser import has_chromium, studio_and_browser
from bench.main_job import CLICKS, click, opened
from journey.printing import PAPERS
from journey.printing.shop import FileFormat, PrintSpec, exact_size, retag, service_warnings, start
from journey.processes import Workers
from tests.harness.studios import Studio

RETAGS = 4
"""As many as the page lists beside the large file."""


@dataclass(frozen=True)
class Row:
    """`seconds` is the whole wait, `processor` what the worker computed, `peak_mb` its largest resident memory."""

    name: str
    seconds: float
    processor: float
    peak_mb: float
    size_mb: float
    steps: int


def picture(side: int) -> Image.Image:
    """Blobs of eight pixels: neither flat nor noise."""
    rough = np.random.default_rng(1).integers(0, 256, (side // 8 + 1, side // 8 + 1, 3), dtype=np.uint8)
    return Image.fromarray(rough).resize((side, side), Image.Resampling.BICUBIC)


def whole_tiff(source: Path, folder: Path, spec: PrintSpec, **_: object) -> Path:
    """The peer: Pillow alone, with the whole print in memory."""
    Image.MAX_IMAGE_PIXELS = None
    with Image.open(source) as image:
        plan = spec.on(*image.size)
        path = folder / "peer.tif"
        image.resize(plan.needed, Image.Resampling.LANCZOS, box=plan.options[1].crop).save(
            path, compression="tiff_lzw", tiffinfo={317: 2}, dpi=(spec.dpi, spec.dpi)
        )
    return path


def reencoded_png(source: Path, folder: Path, **_: object) -> Path:
    """The peer: the DPI written by decoding the picture and encoding it again."""
    with Image.open(source) as image:
        image.save(folder / "peer.png", dpi=(300, 300), compress_level=1)
    return folder / "peer.png"


def measured(name: str, work: Callable[..., object], source: Path, folder: Path, *args: object) -> Row:
    """One run in a worker process of its own."""
    workers = Workers(1)
    workers.start()
    try:
        workers.submit(service_warnings, 0, "PNG").result()  # loads the libraries, once for all files
        worker = psutil.Process().children()[-1]
        before, peak, seen = worker.cpu_times(), 0, set()
        started = time.perf_counter()
        job = start(workers, work, source, folder, *args)
        while not job.done:
            seen.add(job.progress)
            peak = max(peak, worker.memory_info().rss)
            wait([job.future], timeout=0.02)
        seconds = time.perf_counter() - started
        after = worker.cpu_times()
        made = job.result()
        path = made if isinstance(made, Path) else made.path  # type: ignore[attr-defined]
        processor = after.user + after.system - before.user - before.system
        return Row(name, seconds, processor, peak / 1e6, path.stat().st_size / 1e6, len(seen))
    finally:
        workers.stop()


def in_the_browser(source: Path, paper: str) -> None:
    """Upload the picture to a studio, have it re-tagged, and click as another visitor while a TIFF is made."""
    if not has_chromium("in the browser"):
        return
    with tempfile.TemporaryDirectory() as data, studio_and_browser(Path(data)) as (studio, browser):
        person, other = uploaded(studio, browser, source, paper), opened(studio, browser)
        choose(person, "Keep pixels", "The same pixels, with")
        waits = [made(person) for _ in range(RETAGS)]
        print(
            f"re-tag PNG, click to download link: median {statistics.median(waits):.2f} s, "
            f"slowest {max(waits):.2f} s of {RETAGS}"
        )
        for place in range(2):
            click(other, place)  # the first click of a page is slower for reasons of its own
        choose(person, "Exact size", "cropped as drawn above")
        make(person)
        person.get_by_text("Making the file").wait_for()
        clicks = [click(other, place) for place in range(CLICKS)]
        still_busy = person.get_by_text("Making the file").is_visible()
        print(
            f"a click of another visitor while {paper} TIFF is made: "
            f"median {statistics.median(clicks) * 1000:.0f} ms, slowest {max(clicks) * 1000:.0f} ms of {CLICKS}"
            + ("" if still_busy else " (the file was there before the last)")
        )


def uploaded(studio: Studio, browser: Browser, source: Path, paper: str) -> Page:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(60_000)
    page.goto(f"{studio.url}/print_size?from=upload&paper={paper}")
    page.locator("input[type=file]").set_input_files(source)
    page.get_by_role("button", name="Make the file").wait_for()
    return page


def choose(page: Page, kind: str, words: str) -> None:
    page.get_by_role("radio", name=kind).click()
    page.get_by_text(words).wait_for()


def made(page: Page) -> float:
    """Seconds from the click until one more file can be downloaded."""
    links = page.get_by_role("link", name="Download ")
    known = links.count()
    started = time.perf_counter()
    make(page)
    links.nth(known).wait_for(timeout=120_000)
    return time.perf_counter() - started


def make(page: Page) -> None:
    page.get_by_role("button", name="Make the file").click()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--side", type=int, default=4096, help="side of the square source in pixels")
    options.add_argument("--paper", choices=PAPERS, default="A1")
    chosen = options.parse_args()
    # A worker process finds functions by the name of their module, and this one may be running as __main__.
    from bench import print_files as here  # noqa: PLW0406 - see above

    formats: tuple[FileFormat, ...] = ("TIFF", "PNG", "JPEG", "PDF")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "source.png"
        picture(chosen.side).save(source, compress_level=1)
        rows = [
            measured("re-tag PNG", retag, source, folder),
            measured("  peer: encoded again", here.reencoded_png, source, folder),
        ]
        for file_format in formats:
            spec = PrintSpec(PAPERS[chosen.paper], 300, file_format)
            rows.append(measured(f"{chosen.paper} {file_format}", exact_size, source, folder, spec))
            if file_format == "TIFF":
                rows.append(measured("  peer: Pillow at once", here.whole_tiff, source, folder, spec))
        in_the_browser(source, chosen.paper)
    write = sys.stdout.write
    write(f"{'':24}{'seconds':>9}{'cpu s':>8}{'peak MB':>9}{'file MB':>9}{'steps':>7}\n")
    for row in rows:
        write(f"{row.name:24}{row.seconds:9.2f}{row.processor:8.2f}{row.peak_mb:9.0f}{row.size_mb:9.1f}{row.steps:7}\n")


if __name__ == "__main__":
    main()
