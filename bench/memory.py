"""How much memory a whole job takes: upload, check, previews, network, result, tiles for Compare."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image
from playwright.sync_api import Browser

from bench.amounts import Amount
from bench.in_browser import NO_CHROMIUM, has_chromium, last_task, new_page, studio_and_browser
from bench.lanczos import LANCZOS, enlarge
from bench.ours import until
from bench.peers import NCNN, PACKAGE, PeerMissing, running
from bench.pictures import picture
from bench.table import Line
from journey.engine.networks.network import FAST
from journey.processes import Workers
from tests.harness.studios import Studio

LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Job:
    """A square picture of so many pixels a side, and how it is written. The ending of its file is that of its kind."""

    network: str
    side: int
    kind: str
    ending: str
    write: Callable[[Image.Image, Path], object]


class Memory:
    """The most memory in MB that a process and its children hold together, as proportional set size, during a block."""

    def __init__(self, root: int) -> None:
        self.peak = 0.0
        self._root = psutil.Process(root)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def now(self) -> float:
        total = 0
        for process in (self._root, *self._root.children(recursive=True)):
            try:
                known: Any = process.memory_full_info()
                total += getattr(known, "pss", known.rss)  # only Linux shares pages out among their users
            except psutil.Error:
                continue
        return total / 1e6

    def _watch(self) -> None:
        while True:
            self.peak = max(self.peak, self.now())
            if self._done.wait(LOOK_SECONDS):
                return


def lines(amount: Amount) -> Iterator[Line]:
    if not has_chromium():
        yield Line("memory of whole jobs", None, "MB", LANCZOS, note=NO_CHROMIUM)
        return
    for job in jobs(amount):
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, f"source.{job.ending}")
            job.write(picture(job.side), source)
            yield from measured(job, source)


def jobs(amount: Amount) -> Iterator[Job]:
    yield Job("fast", amount.fast_side, "PNG", "png", Image.Image.save)
    yield Job("detail", amount.detail_side, "PNG", "png", Image.Image.save)
    if amount.large:
        yield Job("fast", amount.large_side, "baseline JPEG", "jpg", lambda image, path: image.save(path, quality=92))
        for kind, ending, write in LARGE:
            yield Job("fast", amount.large_side, kind, ending, write)


def _interlaced(image: Image.Image, path: Path) -> None:
    import pyvips  # Pillow cannot write them

    pyvips.Image.new_from_array(np.asarray(image)).pngsave(str(path), interlace=True)


LARGE: tuple[tuple[str, str, Callable[[Image.Image, Path], object]], ...] = (
    ("progressive JPEG", "jpg", lambda image, path: image.save(path, quality=92, progressive=True)),
    ("WebP", "webp", lambda image, path: image.save(path, quality=90)),
    ("interlaced PNG", "png", _interlaced),
)


def measured(job: Job, source: Path) -> Iterator[Line]:
    """The memory of the whole studio, and that of peers, which only enlarge."""
    with studio_and_browser() as (studio, browser):
        assert studio.process is not None
        with Memory(studio.process.pid) as memory:
            idle = memory.now()
            whole_job(studio, browser, job, source)
    what = f"memory of server and workers, {job.network} 4x of {job.side}² from {job.kind}, with previews and tiles"
    note = f"{idle:.0f} MB of it before the job"
    yield Line(what, memory.peak, "MB", LANCZOS, lanczos_memory(source), note=note)
    if job.network == FAST.name and job.kind == "PNG":
        for peer in (NCNN, PACKAGE):
            try:
                yield Line(what, memory.peak, "MB", f"{peer}, inference alone", peer_memory(peer, source), note=note)
            except PeerMissing as error:
                yield Line(what, memory.peak, "MB", f"{peer}, inference alone", note=str(error))


def whole_job(studio: Studio, browser: Browser, job: Job, source: Path) -> None:
    """Upload a picture, have it enlarged, and wait until the tiles of the result are there."""
    page = new_page(browser, studio.url)
    page.get_by_text("Upload", exact=True).click()
    page.locator("input[type=file]").set_input_files(source)
    page.get_by_text(f"{source.name} · {job.side} × {job.side} px").wait_for()
    # The dot itself is hidden under what is drawn.
    page.locator("label").filter(has=page.get_by_role("radio", name=job.network.capitalize())).click()
    page.get_by_role("radio", name="4x").click()
    page.get_by_role("button", name="Upscale · free").click()
    until(lambda: last_task(studio).get("state") in ("finished", "failed"))
    assert last_task(studio)["state"] == "finished", last_task(studio)["error"]
    key = last_task(studio)["result_key"]
    until(lambda: any((studio.data_dir / "files").rglob(f"{key}/tiles.zip")))
    page.close()


def lanczos_memory(source: Path) -> float:
    workers = Workers(1)
    workers.start()
    try:
        workers.ready()
        with Memory(psutil.Process().children()[-1].pid) as memory:
            workers.submit(enlarge, source, source.with_name("peer.png")).result()
        return memory.peak
    finally:
        workers.stop()


def peer_memory(peer: str, source: Path) -> float:
    with ExitStack() as stack:
        ready = stack.enter_context(running(peer, FAST))
        with Image.open(source) as image, Memory(ready.pid) as memory:
            ready.measure(np.asarray(image.convert("RGB")))
        return memory.peak
