"""How long print files take and how much memory they need, and what people see of that in a real browser."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil
from PIL import Image
from playwright.sync_api import Browser, Page

from bench.amounts import Amount
from bench.in_browser import NO_CHROMIUM, has_chromium, new_page, studio_and_browser
from bench.main_job import CLICK, IDLE, click, koi_chosen
from bench.pictures import picture
from bench.table import Line, alternating, compared, seconds
from journey.printing import PAPERS, custom_paper
from journey.printing.shop import FORMATS, FileFormat, PrintSpec, exact_size, retag, service_warnings, start
from journey.processes import Workers
from tests.harness.studios import Studio

RETAGS = 4
"""As many as the page lists beside the large file."""
LARGE = ((PAPERS["A0"], 300), (custom_paper(600, 200, "cm"), 100))
"""A poster and a banner, with the DPI that they are printed at."""
OURS = "ours"
AGAIN = "Pillow, encoding it again"
AT_ONCE = "Pillow, the whole print in memory"
RETAG = "re-tagged PNG"


@dataclass
class Made:
    """Of the files made so far: the largest memory of a worker, and the size of the last, both in MB."""

    peak: float = 0.0
    size: float = 0.0


def lines(amount: Amount) -> Iterator[Line]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "source.png"
        picture(amount.print_side).save(source, compress_level=1)
        yield from by_turns(f"{RETAG} of {amount.print_side}²", retag, reencoded, AGAIN, source, amount)
        for paper, dpi in [(PAPERS[amount.paper], 300), *(LARGE if amount.large else ())]:
            for file_format in FORMATS:
                spec = PrintSpec(paper, dpi, file_format)
                what = f"{paper.name} {file_format} at {dpi} DPI from {amount.print_side}²"
                yield from by_turns(what, exact_size, whole_print, AT_ONCE, source, amount, spec)
        if has_chromium():
            with studio_and_browser() as (studio, browser):
                yield from in_the_browser(studio, browser, source, amount)
        else:
            yield Line(f"{RETAG} in Chromium", None, "s", AGAIN, note=NO_CHROMIUM)


def by_turns(
    what: str,
    ours: Callable[..., object],
    theirs: Callable[..., object],
    peer: str,
    source: Path,
    amount: Amount,
    *args: object,
) -> Iterator[Line]:
    here, there = Made(), Made()
    measures = {
        OURS: partial(in_a_worker, here, ours, source, *args),
        peer: partial(in_a_worker, there, theirs, source, *args),
    }
    figures = alternating(measures, amount.runs, rest=0)
    note = f"files of {here.size:.0f} and {there.size:.0f} MB"
    yield compared(what, "s", figures[OURS], peer, figures[peer], note=note)
    yield Line(f"{what}, memory of its worker", here.peak, "MB", peer, there.peak)


def in_a_worker(made: Made, work: Callable[..., object], source: Path, *args: object) -> float:
    """Seconds for one file in a new worker process, as the studio has them."""
    workers = Workers(1)
    workers.start()
    try:
        workers.submit(service_warnings, 0, "PNG").result()  # loads the libraries, once for all files
        worker = psutil.Process().children()[-1]
        with tempfile.TemporaryDirectory() as folder:

            def make() -> None:
                job = start(workers, work, source, Path(folder), *args)
                while not job.done:
                    made.peak = max(made.peak, worker.memory_info().rss / 1e6)
                    wait([job.future], timeout=0.02)
                job.result()

            spent = seconds(make)()
            made.size = sum(file.stat().st_size for file in Path(folder).iterdir()) / 1e6
        return spent
    finally:
        workers.stop()


def whole_print(source: Path, folder: Path, spec: PrintSpec, **_: object) -> None:
    """The peer: crop, resample and encode with the whole print in memory."""
    Image.MAX_IMAGE_PIXELS = None
    options: dict[FileFormat, dict[str, object]] = {
        "TIFF": {"compression": "tiff_lzw", "tiffinfo": {317: 2}},
        "PNG": {"compress_level": 1},
        "JPEG": {"quality": 95, "subsampling": 0},
        "PDF": {"quality": 95},
    }
    with Image.open(source) as image:
        plan = spec.on(*image.size)
        enlarged = image.resize(plan.needed, Image.Resampling.LANCZOS, box=plan.options[1].crop)
        more = {"resolution": spec.dpi} if spec.format == "PDF" else {"dpi": (spec.dpi, spec.dpi)}
        enlarged.save(folder / "peer", spec.format, **options[spec.format], **more)


def reencoded(source: Path, folder: Path, **_: object) -> None:
    """The peer: the DPI written by decoding the picture and encoding it again."""
    with Image.open(source) as image:
        image.save(folder / "peer", "PNG", dpi=(300, 300), compress_level=1)


def in_the_browser(studio: Studio, browser: Browser, source: Path, amount: Amount) -> Iterator[Line]:
    """Upload the picture, have it re-tagged, and click as another visitor while a TIFF is made."""
    person, other = uploaded(studio, browser, source, amount.paper), koi_chosen(studio, browser)
    choose(person, "Keep pixels", "The same pixels, with")
    with tempfile.TemporaryDirectory() as folder:
        peer = seconds(partial(reencoded, source, Path(folder)))
        # The page lists no more files than these, so there are never five runs.
        figures = alternating({OURS: partial(made_on_the_page, person), AGAIN: peer}, min(RETAGS, amount.runs))
    what = f"{RETAG} of {amount.print_side}² in Chromium, click to the link that downloads it"
    yield compared(what, "s", figures[OURS], AGAIN, figures[AGAIN])
    for place in range(2):
        click(other, place)  # the first click of a page is slower for reasons of its own
    idle = [1000 * click(other, place) for place in range(amount.clicks)]
    choose(person, "Exact size", "cropped as drawn above")
    make(person)
    person.get_by_text("Making the file").wait_for()
    busy = [1000 * click(other, place) for place in range(amount.clicks)]
    is_over = not person.get_by_text("Making the file").is_visible()
    yield Line(
        CLICK.replace("meanwhile", f"while {amount.paper} TIFF is made"),
        statistics.median(busy),
        "ms",
        IDLE,
        statistics.median(idle),
        amount.clicks,
        f"slowest {max(busy):.0f} ms" + (", the file was there before the last click" if is_over else ""),
    )


def uploaded(studio: Studio, browser: Browser, source: Path, paper: str) -> Page:
    page = new_page(browser, f"{studio.url}/print_size?from=upload&paper={paper}")
    page.locator("input[type=file]").set_input_files(source)
    page.get_by_role("button", name="Make the file").wait_for()
    return page


def choose(page: Page, kind: str, words: str) -> None:
    page.get_by_role("radio", name=kind).click()
    page.get_by_text(words).wait_for()


def made_on_the_page(page: Page) -> float:
    """Seconds from the click until one more file can be downloaded."""
    links = page.get_by_role("link", name="Download ")
    known = links.count()

    def act() -> None:
        make(page)
        links.nth(known).wait_for()

    return seconds(act)()


def make(page: Page) -> None:
    page.get_by_role("button", name="Make the file").click()
