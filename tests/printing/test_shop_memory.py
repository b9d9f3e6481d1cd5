"""Print files of large pictures take as much memory as those of small ones."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from journey.pictures import png
from journey.printing import PAPERS, Cut, Paper, custom_paper
from journey.printing.shop import PrintFile, PrintSpec, exact_size, panels, proof
from journey.processes import Workers


@pytest.fixture
def workers() -> Iterator[Workers]:
    with Workers(1) as workers:
        workers.start()
        yield workers


def peak_bytes(workers: Workers) -> int:
    """The most memory that the worker has ever held."""
    lines = Path(f"/proc/{workers.submit(os.getpid).result()}/status").read_text().splitlines()
    return int(dict(line.split(":", 1) for line in lines)["VmHWM"].split()[0]) * 1024


def write_picture(path: Path, width: int, height: int) -> None:
    strip = np.random.default_rng(1).integers(0, 256, (20, width, 3), dtype=np.uint8)
    with png.Writer(path, width, height, 3) as writer:
        for _ in range(height // len(strip)):
            writer.add(strip)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak of a process")
def test_a_large_source_is_never_held(tmp_path: Path, workers: Workers) -> None:
    """A print and a proof of 40 megapixels need less memory than half of them beyond what a small picture needs."""
    small, large = tmp_path / "small.png", tmp_path / "large.png"
    write_picture(small, 200, 400)
    write_picture(large, 2_000, 20_000)
    spec = PrintSpec(PAPERS["A6"], 300, "PNG")
    workers.submit(exact_size, small, tmp_path, spec).result()
    before = peak_bytes(workers)
    workers.submit(exact_size, large, tmp_path, spec).result()
    workers.submit(proof, large, tmp_path, spec).result()
    assert 2_000 * 20_000 * 3 / 2 > peak_bytes(workers) - before
    assert not list(tmp_path.glob(".*"))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak of a process")
@pytest.mark.parametrize(
    "make",
    [
        lambda paper: (exact_size, PrintSpec(paper, 100, "JPEG")),
        pytest.param(
            lambda paper: (exact_size, PrintSpec(paper, 100, "JPEG", at_most_mb=60)), marks=pytest.mark.torture
        ),
        lambda paper: (exact_size, PrintSpec(paper, 100, "PDF")),
        lambda paper: (panels, PrintSpec(paper, 100), Cut(PAPERS["A3"])),
    ],
    ids=["JPEG", "JPEG that fits", "PDF", "panels"],
)
def test_a_large_print_is_never_held(
    tmp_path: Path, workers: Workers, make: Callable[[Paper], tuple[Callable[..., PrintFile], object]]
) -> None:
    """A print of 40 megapixels needs hardly more memory than one of 4, neither its pixels nor its file."""
    small, large = tmp_path / "small.png", tmp_path / "large.png"
    write_picture(small, 2_000, 2_000)
    write_picture(large, 2_000, 20_000)
    work, *how = make(custom_paper(20, 20, "in"))
    workers.submit(work, small, tmp_path, *how).result()
    before = peak_bytes(workers)
    work, *how = make(custom_paper(20, 200, "in"))
    made = workers.submit(work, large, tmp_path, *how).result()
    assert (2_000, 20_000) == (made.width, made.height)
    assert min(made.size, 2_000 * 20_000 * 3) / 2 > peak_bytes(workers) - before
    assert not list(tmp_path.glob(".*"))
