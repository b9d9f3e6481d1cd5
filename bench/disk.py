"""What an entry takes on disk, and what results take when they are packed anew.

    python -m bench.disk [--side 1024] [PNG …]

Without files: the drawn samples, and results of the embedded engine (fast, 4x) of the same samples, at most so many
pixels a side. MB are millions of bytes; seconds are processor time of one thread for a megapixel, so that other work on
the machine hardly matters. Peers pack the same pixels: Pillow at its highest level, and lossless WebP of little effort.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from journey.engine.enlarging import Enlarger
from journey.pictures import png, previews, pyramid, samples
from journey.pictures.repacking import repack
from journey.pictures.streaming import stream
from journey.settings import Settings

MOST_PIXELS = 10**9
PEERS = (
    {"format": "PNG", "compress_level": 9},
    {"format": "WEBP", "lossless": True, "exact": True, "method": 1, "quality": 20},
)
_HEAD = "| picture | result, MB | previews | tiles | s/MP | smaller | s/MP | Pillow 9 | s/MP | WebP | s/MP |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("files", nargs="*", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = chosen.files or [*drawn(folder, chosen.side), *enlarged(folder, chosen.side)]
        print(_HEAD)
        print("|---" * _HEAD.count(" | ") + "|---|")
        for file in files:
            print(line(file, folder), flush=True)


def drawn(folder: Path, side: int) -> list[Path]:
    """The samples, cut to so many pixels a side, as the studio writes them."""
    for sample in samples.SAMPLES:
        png.write(folder / f"{sample.name}.png", np.asarray(samples.draw(sample.name))[:side, :side])
    return [folder / f"{sample.name}.png" for sample in samples.SAMPLES]


def enlarged(folder: Path, side: int) -> list[Path]:
    """The same at 4x."""
    results = []
    with Enlarger(Settings()) as enlarger:
        for source in drawn(folder, side):
            results.append(source.with_name(f"{source.stem}_4x.png"))
            enlarger.enlarge(source, results[-1], (4,), network="fast")
    return results


def line(file: Path, folder: Path) -> str:
    """What a picture and all beside it take, and what it takes packed otherwise, as a part of what it takes now."""
    size = file.stat().st_size
    with Image.open(file) as image:
        image.load()
    megapixels = image.width * image.height / 1e6
    new, tiles = folder / "new", folder / "tiles"
    small = folder / "previews"
    small.mkdir(exist_ok=True)
    stream(file, MOST_PIXELS, lambda rows: previews.write(rows, small))
    cells = [file.stem, f"{size / 1e6:.1f}", f"{sum(each.stat().st_size for each in small.iterdir()) / 1e6:.1f}"]
    took = seconds(lambda: stream(file, MOST_PIXELS, lambda rows: pyramid.write(rows, tiles)))
    cells += [f"{tiles.stat().st_size / 1e6:.1f}", f"{took / megapixels:.2f}"]
    took = seconds(lambda: repack(file, MOST_PIXELS, new))
    cells += [f"{new.stat().st_size / size:.3f}", f"{took / megapixels:.2f}"]
    for how in PEERS:
        packed = BytesIO()
        took = seconds(lambda packed=packed, how=how: image.save(packed, **how))  # type: ignore[misc]  # bound now
        cells += [f"{packed.tell() / size:.3f}", f"{took / megapixels:.2f}"]
    return f"| {' | '.join(cells)} |"


def seconds(work: Callable[[], object]) -> float:
    """The processor time that it takes."""
    before = time.process_time()
    work()
    return time.process_time() - before


if __name__ == "__main__":
    main()
