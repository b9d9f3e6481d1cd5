"""What bfloat16 and tiles change in the pixels."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from bench.amounts import Amount
from bench.machine import runs_on
from bench.ours import enlarged, one_worker
from bench.pictures import photographs
from bench.table import Line
from journey.engine.networks.backends import HardwareMissing
from journey.engine.networks.network import DETAIL, FAST, Hardware, Network


def lines(amount: Amount) -> Iterator[Line]:
    yield from bfloat16(amount, FAST, amount.detail_side)
    yield from bfloat16(amount, DETAIL, amount.slow_detail_side)
    yield from tiles(amount, FAST, amount.detail_side)
    yield from tiles(amount, DETAIL, amount.slow_detail_side)


def bfloat16(amount: Amount, network: Network, side: int) -> Iterator[Line]:
    """How far the two precisions are apart."""
    what, peer = f"{network.name} in bfloat16", "the same in float32"
    try:
        runs_on(Hardware("cpu", "bf16"))
    except HardwareMissing:
        yield Line(what, None, "dB", peer, note="no bfloat16 here")
        return
    kind, pictures = photographs(amount.photographs, side)
    coarse, fine = (replace(network, hardware=Hardware("cpu", precision)) for precision in ("bf16", "f32"))
    with one_worker() as workers:
        apart = [_difference(enlarged(each, coarse, workers), enlarged(each, fine, workers)) for each in pictures]
    ratios = [decibels(each) for each in apart]
    note = f"PSNR on {len(pictures)} {kind}; least {min(ratios):.1f} dB, worst pixel {max(map(np.max, apart))} levels"
    yield Line(what, statistics.median(ratios), "dB", peer, note=note)


def tiles(amount: Amount, network: Network, side: int) -> Iterator[Line]:
    """How far tiles are from the same picture in one."""
    kind, pictures = photographs(amount.photographs, side)
    whole = replace(network, tile=(side, side))
    with one_worker() as workers:
        apart = np.concatenate(
            [_difference(enlarged(each, network, workers), enlarged(each, whole, workers)).ravel() for each in pictures]
        )
    down, across = network.tile
    what = f"{network.name} in tiles of {down} × {across} that overlap by {network.overlap}"
    peer, on = "one large tile", f"on {len(pictures)} {kind} of at most {side}²"
    yield Line(f"{what}: largest difference", float(apart.max()), "levels", peer, note=on)
    near = 100 * float((apart <= 1).mean())
    rare = float(np.percentile(apart, 99.9))
    note = f"99.9 % within {rare:.0f} levels, {on}"
    yield Line(f"{what}: values within one level", near, "%", peer, note=note)


def decibels(difference: np.ndarray) -> float:
    """PSNR of two pictures that are so many levels apart; infinite when they are the same."""
    error = float((difference.astype(np.float64) ** 2).mean())
    return 10 * float(np.log10(255**2 / error)) if error else float("inf")


def _difference(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    difference: np.ndarray = np.abs(one.astype(np.int16) - other)
    return difference
