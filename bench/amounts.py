"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass

from journey.printing import PAPERS


@dataclass(frozen=True)
class Amount:
    """Sides of square pictures are in pixels. `large` adds what takes many minutes."""

    runs: int = 5
    fast_side: int = 1024
    detail_side: int = 512
    slow_detail_side: int = 256
    """For machines on which the other would take over a minute, or needs more memory than there is."""
    photographs: int = 6
    originals: int = 16
    matrix_side: int = 4096
    clicks: int = 20
    print_side: int = 4096
    paper: str = "A1"
    tasks: int = 100_000
    large_side: int = 5000
    large: bool = False


FULL = Amount()
QUICK = Amount(
    runs=1,
    fast_side=256,
    detail_side=64,
    slow_detail_side=64,
    photographs=1,
    originals=1,
    matrix_side=512,
    clicks=4,
    print_side=512,
    paper="A6" if "A6" in PAPERS else next(iter(PAPERS)),
    tasks=2000,
    large_side=600,
)
"""Shows in a few minutes that everything can be measured. The figures mean nothing."""
