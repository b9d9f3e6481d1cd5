"""Small pictures through the engine's queue: one at a time, and together while there are places for their tiles.

    python -m bench.small_pictures [--pictures 20] [--sides 256,512] [--workers 1,2] [--runs 3] [--network fast]

Both ways take turns in one run, with the same worker processes, which have the priority of any other program here. The
rest is as in the engine: database, files, decoder, networks, PNG and previews.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psutil
from PIL import Image

from bench.ours import until
from bench.pictures import picture
from bench.table import alternating
from journey.api.models import UpscaleRequest
from journey.engine.networks.finding import find_networks
from journey.engine.networks.network import Hardware
from journey.engine.queue import Choice, Queue
from journey.engine.tasks import Tasks
from journey.engine.upscaler import tiles_to_fill, upscale
from journey.outside.door import Door
from journey.pictures.checking import Decoder, Limits
from journey.processes import Workers
from journey.storage.database import Database
from journey.storage.files import Files
from journey.storage.stored import Origins, StoredFile

OWNER = "bench"
ORIGIN = "http://127.0.0.1:8501"
PIXELS = 10**8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", default=20, type=int, help="how many are ordered at once")
    parser.add_argument("--sides", default="256,512", help="pixels of a side")
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--runs", default=3, type=int)
    parser.add_argument("--network", default="fast")
    chosen = parser.parse_args()
    for count in map(int, chosen.workers.split(",")):
        for side in map(int, chosen.sides.split(",")):
            with engine(count, chosen.network) as bench:
                source = bench.keep(picture(side))
                bench.measure(source, 2, places=1)  # loads the network for tiles of this shape
                used: dict[str, list[float]] = {"one at a time": [], "together": []}
                places = {"one at a time": 1, "together": tiles_to_fill(count)}
                ways = {
                    name: partial(bench.measure, source, chosen.pictures, places=places[name], used=used[name])
                    for name in places
                }
                took = alternating(ways, chosen.runs)
            rates = {name: chosen.pictures / statistics.median(seconds) for name, seconds in took.items()}
            processor = {name: statistics.median(used[name]) / chosen.pictures for name in used}
            said = "; ".join(
                f"{name} {rates[name]:.2f} a second, {1000 * processor[name]:.0f} ms of processor each"
                for name in rates
            )
            ratio = rates["together"] / rates["one at a time"]
            print(f"{count} workers, {side}²: {said}; {ratio:.2f} times as many", flush=True)


class Bench:
    """The parts that a queue is made of."""

    def __init__(self, folder: Path, workers: Workers, decoder: Decoder, hardware: Hardware, network: str) -> None:
        self.database = Database(folder / "journey.db")
        self.database.upgrade()
        self.files = Files(str(folder / "files"), work_dir=folder)
        self.files.start()
        self.tasks = Tasks(self.database)
        self._workers = workers
        self._decoder = decoder
        self._networks = Choice(find_networks(None, hardware).networks, network)

    def keep(self, image: Image.Image) -> str:
        with self.files.folder() as folder:
            image.save(folder / "a.png")
            return StoredFile(self.files.keep(folder), "a.png").url(ORIGIN)

    def measure(self, source: str, pictures: int, *, places: int, used: list[float] | None = None) -> float:
        """The seconds from an order of so many pictures until the last result is stored."""
        queue = Queue(
            self.tasks,
            self.files,
            self._decoder,
            Door(),
            partial(upscale, workers=self._workers, ahead=tiles_to_fill(self._workers.count)),
            self._networks,
            origins=Origins(local=(ORIGIN,)),
            max_bytes=2**25,
            places=lambda: places,
        )
        order = UpscaleRequest.checked({"type": "4x", "image_url": source})
        before, started = processor_seconds(), time.perf_counter()
        for _ in range(pictures):
            queue.submit(order, owner=OWNER, origin=ORIGIN)
        queue.start()
        until(lambda: self.tasks.oldest_active() is None, every=0.01)
        seconds = time.perf_counter() - started
        if used is not None:
            used.append(processor_seconds() - before)
        queue.stop()
        return seconds


def processor_seconds() -> float:
    """What this process and those that it has started have used of the processors until now."""
    here = psutil.Process()
    times = [each.cpu_times() for each in (here, *here.children())]
    return sum(each.user + each.system for each in times)


@contextmanager
def engine(count: int, network: str) -> Iterator[Bench]:
    workers, decoder = Workers(count), Decoder(Limits(PIXELS, PIXELS))
    workers.start()
    decoder.start()
    try:
        workers.ready()
        with tempfile.TemporaryDirectory() as folder:
            bench = Bench(Path(folder), workers, decoder, Hardware(share=count), network)
            yield bench
            bench.database.close()
    finally:
        workers.stop()
        decoder.stop()


if __name__ == "__main__":
    main()
