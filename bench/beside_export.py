"""How much slower a page is while somebody exports: one studio as people start it, whose visitors look on and on.

    python -m bench.beside_export [--rows 100000] [--visitors 2] [--seconds 20] [--rounds 3] [--keep FOLDER]

Times with and without an export come in turn, so that what else the machine does slows both.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench.growth import fill_new
from journey.storage.keys import key_file
from journey.views.listing import Listing
from journey.web.exports import download_url
from tests.harness.studios import Studio, free_port
from tests.harness.visitors import Crowd

EVERY = 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--visitors", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="a folder for filled files, to be taken from there next time")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="journey-beside-") as folder:
        data_dir = Path(folder)
        kept = (chosen.keep or data_dir) / f"{chosen.rows}.db"
        if not kept.exists():
            fill_new(f"sqlite:///{kept}", "0005", chosen.rows)
        shutil.copy(kept, data_dir / "journey.db")
        studio = Studio(data_dir, free_port(), {})
        studio.launch()
        try:
            studio.become_ready(within=600)
            report(studio, chosen)
        finally:
            studio.stop()


def report(studio: Studio, chosen: argparse.Namespace) -> None:
    alone: list[float] = []
    beside: list[float] = []
    with Crowd(studio.url, chosen.visitors, every=EVERY) as crowd:
        time.sleep(5 * EVERY)  # each page was drawn once
        for _ in range(chosen.rounds):
            alone += runs(crowd, chosen.seconds)
            with exporting(studio) as spent:
                beside += runs(crowd, chosen.seconds)
            print(f"exports in {', '.join(f'{seconds:.1f} s' for seconds in spent)}", flush=True)
    first, second = statistics.median(alone), statistics.median(beside)
    print(f"{len(alone)} pages alone {1000 * first:.0f} ms, {len(beside)} beside an export {1000 * second:.0f} ms")
    print(f"{second / first:.2f} times as slow", dict(crowd.problems) or "")


def runs(crowd: Crowd, seconds: float) -> list[float]:
    """How many seconds each page took that was asked for in the next so many seconds."""
    since = time.monotonic()
    time.sleep(seconds)
    return [run.seconds for run in crowd.runs if run.asked_at >= since]


@contextmanager
def exporting(studio: Studio) -> Iterator[list[float]]:
    """One export after the other, and how many seconds each took."""
    path = download_url(
        key_file(studio.data_dir / "secret-key").encode(), "csv", Listing(), timezone=None, now=time.time()
    )
    spent: list[float] = []
    ended = threading.Event()

    def export() -> None:
        while not ended.is_set():
            begun = time.monotonic()
            with httpx.stream("GET", studio.url + path, trust_env=False, timeout=60) as answer:
                for _ in answer.raise_for_status().iter_raw():
                    if ended.is_set():
                        return
            spent.append(time.monotonic() - begun)

    thread = threading.Thread(target=export)
    thread.start()
    try:
        yield spent
    finally:
        ended.set()
        thread.join()


if __name__ == "__main__":
    main()
