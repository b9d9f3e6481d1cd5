"""How fast the upscaler is on this machine, beside named peers measured in the same run.

    python -m bench.upscaler [--side 512] [--detail-side 96] [--workers 2] [--device auto]

It is a measurement, not a test: it always exits 0.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from journey.engine.networks.finding import find_networks, load
from journey.engine.networks.ncnn_networks import carrier, unavailable_reason
from journey.engine.networks.network import Network
from journey.engine.upscaler import upscale
from journey.processes import Workers


@dataclass(frozen=True)
class Row:
    name: str
    megapixels: float
    """Of the source, per second."""
    peak_mb: float | None
    """The largest PSS of one process."""


def picture(side: int) -> np.ndarray:
    """Blobs of eight pixels: neither flat nor noise."""
    rough = np.random.default_rng(1).integers(0, 256, (side // 8 + 1, side // 8 + 1, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(rough).resize((side, side), Image.Resampling.BICUBIC))


def timed(work: Callable[[], object], source: np.ndarray, repeat: int) -> float:
    """Source megapixels per second of the best run."""
    best = float("inf")
    for _ in range(repeat):
        started = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started)
    return source.size / 3 / 1e6 / best


def memory_of(process: psutil.Process) -> float:
    """Memory in MB, with shared pages divided among their users where the system can tell (Linux)."""
    full = process.memory_full_info()
    return float(getattr(full, "pss", full.rss)) / 1e6


class Peak:
    """The largest memory of any process of `processes`, sampled while the block runs."""

    def __init__(self, processes: list[psutil.Process]) -> None:
        self._processes = processes
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self.mb = 0.0

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        while True:
            for process in self._processes:
                try:
                    self.mb = max(self.mb, memory_of(process))
                except psutil.Error:
                    continue
            if self._over.wait(0.1):
                return


def measure_ours(network: Network, scale: int, source: np.ndarray, workers: int, repeat: int) -> Row:
    pool = Workers(workers, initializer=load, initargs=(network, scale))
    pool.start()
    try:
        pool.ready()

        def work() -> None:
            upscale(
                source,
                network,
                scale,
                workers=pool,
                on_progress=lambda done, total: None,
                should_stop=lambda: False,
                ahead=2 * workers,
            )

        with Peak(psutil.Process().children()) as peak:
            speed = timed(work, source, repeat)
    finally:
        pool.stop()
    return Row(f"{network.name} {scale}x, {workers} workers", speed, peak.mb)


def untiled(network: Network, scale: int, source: np.ndarray, threads: int, repeat: int) -> tuple[float, float]:
    """The same network by plain ncnn over the whole picture at once: its speed and the peak memory in MB."""
    import ncnn

    folder = network.folder or carrier()
    if folder is None:
        raise FileNotFoundError(network.name)
    stem = network.variant(scale).stem
    net = ncnn.Net()
    net.opt.num_threads = threads
    if net.load_param(str(folder / f"{stem}.param")) or net.load_model(str(folder / f"{stem}.bin")):
        raise OSError(f"{stem} cannot be loaded")

    def work() -> None:
        mat = ncnn.Mat.from_pixels(source, ncnn.Mat.PixelType.PIXEL_RGB, source.shape[1], source.shape[0])
        mat.substract_mean_normalize([0.0] * 3, [1 / 255] * 3)
        extractor = net.create_extractor()
        extractor.input("data", mat)
        _, result = extractor.extract("output")
        (np.array(result) * 255).round().clip(0, 255).astype(np.uint8)

    with Peak([psutil.Process()]) as peak:
        speed = timed(work, source, repeat)
    return speed, peak.mb


def measure_untiled(network: Network, scale: int, source: np.ndarray, threads: int, repeat: int) -> Row:
    """In a separate process, to measure its memory alone; without the one-thread limit of our workers."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        speed, peak_mb = pool.submit(untiled, network, scale, source, threads, repeat).result()
    return Row(f"  untiled ncnn, {threads} threads", speed, peak_mb)


def measure_lanczos(scale: int, source: np.ndarray, repeat: int) -> Row:
    image = Image.fromarray(source)
    size = (image.width * scale, image.height * scale)
    return Row("  Pillow Lanczos", timed(lambda: image.resize(size, Image.Resampling.LANCZOS), source, repeat), None)


def show(rows: list[Row], peer: Row) -> None:
    for row in rows:
        memory = "" if row.peak_mb is None else f"{row.peak_mb:6.0f} MB"
        print(f"{row.name:34}{row.megapixels:12.4f} MP/s{row.megapixels / peer.megapixels:10.2f} x{memory:>14}")


def main() -> None:
    cores = os.cpu_count() or 1
    parser = argparse.ArgumentParser(description="Measure the upscaler beside plain ncnn and Pillow.")
    parser.add_argument("--side", type=int, default=512, help="side of the square source for fast, in pixels")
    parser.add_argument("--detail-side", type=int, default=96, help="side of the square source for detail, in pixels")
    parser.add_argument("--workers", type=int, default=cores)
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--device", choices=("auto", "cpu", "gpu"), default="auto")
    chosen = parser.parse_args()
    if reason := unavailable_reason():
        print(reason)
        return
    found = find_networks(device=chosen.device)
    print("source megapixels per second, ratio to untiled ncnn, peak memory of one process")
    for name, scale, side in (("fast", 2, chosen.side), ("fast", 4, chosen.side), ("detail", 4, chosen.detail_side)):
        source = picture(side)
        ours = measure_ours(found[name], scale, source, chosen.workers, chosen.repeat)
        peer = measure_untiled(found[name], scale, source, cores, chosen.repeat)
        show([ours, peer, measure_lanczos(scale, source, chosen.repeat)], peer)


if __name__ == "__main__":
    main()
