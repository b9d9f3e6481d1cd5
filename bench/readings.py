"""What it costs to read a picture, beside Pillow, which believes what a file says."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from bench.amounts import Amount
from bench.pictures import picture
from bench.table import Line, alternating, compared, seconds
from journey.pictures.decoding import decoded
from journey.pictures.profiles import srgb
from journey.pictures.reading import read

PEER = "Pillow, open and load"
LIMIT = 10**9


def lines(amount: Amount) -> Iterator[Line]:
    with tempfile.TemporaryDirectory() as name:
        files = written(Path(name), amount.fast_side)
        what = f"{len(files)} files of {amount.fast_side}²"
        yield line(f"what {what} say of their pictures, median", files, _headers, "Pillow, open", _opened, amount)
        yield line(f"{what} decoded, median", files, _decoded, PEER, _loaded, amount)


def line(
    what: str,
    files: list[Path],
    ours: Callable[[Path], object],
    peer: str,
    theirs: Callable[[Path], object],
    amount: Amount,
) -> Line:
    figures = alternating(
        {"ours": lambda: median(files, ours), peer: lambda: median(files, theirs)}, amount.runs, rest=0
    )
    return compared(what, "ms", figures["ours"], peer, figures[peer])


def median(files: list[Path], work: Callable[[Path], object]) -> float:
    """Milliseconds for the file in the middle."""
    return statistics.median(1000 * seconds(lambda path=path: work(path))() for path in files)  # type: ignore[misc]  # mypy infers no type for a default of a lambda


def written(folder: Path, side: int) -> list[Path]:
    """Twenty files of one picture: each kind, with and without a profile, transparency and a turn."""
    image = picture(side).convert("RGB")
    clear = image.copy()
    clear.putalpha(Image.fromarray(np.asarray(image)[..., 0]))
    exif = Image.Exif()
    exif[0x0112] = 6
    files = []
    for icc in (None, srgb()):
        more = {"icc_profile": icc} if icc else {}
        for number, (shown, kind, options) in enumerate(
            (
                (image, "PNG", {}),
                (clear, "PNG", {}),
                (image.convert("L"), "PNG", {}),
                (image.quantize(64), "PNG", {}),
                (image, "JPEG", {"quality": 95}),
                (image, "JPEG", {"quality": 85, "exif": exif}),
                (image, "JPEG", {"quality": 90, "progressive": True}),
                (image.convert("L"), "JPEG", {"quality": 90}),
                (image, "WEBP", {"quality": 90}),
                (clear, "WEBP", {"quality": 90, "method": 0}),
            )
        ):
            file = folder / f"{'profile' if icc else 'plain'}-{number}.{kind.lower()}"
            shown.save(file, kind, **options, **(more if shown.mode in ("RGB", "RGBA") else {}))
            files.append(file)
    return files


def _headers(path: Path) -> object:
    return read(path, LIMIT)


def _opened(path: Path) -> object:
    with Image.open(path) as image:
        return image.size


def _decoded(path: Path) -> object:
    return decoded(path, LIMIT)


def _loaded(path: Path) -> object:
    with Image.open(path) as image:
        return image.load()
