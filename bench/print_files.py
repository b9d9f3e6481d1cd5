"""How long print files take and how much memory they need, beside named peers measured in the same run.

    python -m bench.print_files [--side 4096] [--paper A1]

It is a measurement, not a test: it always exits 0.
"""

from __future__ import annotations

import argparse
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

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from journey.print_files import FileFormat, PrintSpec, exact_size, retag, service_warnings, start
from journey.printing import PAPERS
from journey.processes import Workers


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
    """The peer: Pillow alone, all of the print in memory."""
    Image.MAX_IMAGE_PIXELS = None
    with Image.open(source) as image:
        plan = spec.on(*image.size)
        path = folder / "peer.tif"
        image.resize(plan.needed, Image.Resampling.LANCZOS, box=plan.options[1].crop).save(
            path, compression="tiff_lzw", tiffinfo={317: 2}, dpi=(spec.dpi, spec.dpi)
        )
    return path


def reencoded_png(source: Path, folder: Path, **_: object) -> Path:
    """The peer: the DPI written by decoding and encoding anew."""
    with Image.open(source) as image:
        image.save(folder / "peer.png", dpi=(300, 300), compress_level=1)
    return folder / "peer.png"


def measured(name: str, work: Callable[..., object], source: Path, folder: Path, *args: object) -> Row:
    """One run in a worker process of its own."""
    workers = Workers(1)
    workers.start()
    try:
        workers.submit(service_warnings, 0, "PNG").result()  # the libraries are loaded once, not for each file
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
            measured("  peer: encoded anew", here.reencoded_png, source, folder),
        ]
        for file_format in formats:
            spec = PrintSpec(PAPERS[chosen.paper], 300, file_format)
            rows.append(measured(f"{chosen.paper} {file_format}", exact_size, source, folder, spec))
            if file_format == "TIFF":
                rows.append(measured("  peer: Pillow at once", here.whole_tiff, source, folder, spec))
    write = sys.stdout.write
    write(f"{'':24}{'seconds':>9}{'cpu s':>8}{'peak MB':>9}{'file MB':>9}{'steps':>7}\n")
    for row in rows:
        write(f"{row.name:24}{row.seconds:9.2f}{row.processor:8.2f}{row.peak_mb:9.0f}{row.size_mb:9.1f}{row.steps:7}\n")


if __name__ == "__main__":
    main()
