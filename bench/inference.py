"""How fast networks enlarge, beside other programs with the same networks and the processor's own arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import psutil

from bench import arithmetic
from bench.amounts import Amount
from bench.ours import inference, one_worker, orders
from bench.peers import NCNN, ONNX, PACKAGE, PeerMissing, all_running
from bench.pictures import picture, pixels
from bench.table import Line, Measure, alternating, compared
from journey.engine.networks.network import DETAIL, FAST, Hardware, Network
from journey.engine.networks.recipes import Recipe
from journey.engine.speeds import seconds_per_pixel
from journey.engine.upscaler import tile_count

_UNTILED_BYTES_PER_PIXEL = 95_000
"""What ncnn takes for detail without tiles: 6 GB for 256², 25 GB for 512²."""
ORDER = "an order over HTTP"
MATRICES = {"float32": "matrices by numpy", "bfloat16": "matrices by OpenVINO"}


def lines(amount: Amount) -> Iterator[Line]:
    yield from fast(amount)
    yield from detail(amount)


def fast(amount: Amount) -> Iterator[Line]:
    """Everything about fast is measured by turns: it in two precisions, peers, matrices, and a whole order."""
    side = amount.fast_side
    source = pixels(side)
    with ExitStack() as stack:
        ours = _precisions(stack, FAST, side)
        peers, missing = all_running(stack, (PACKAGE, NCNN, ONNX), FAST, source)
        order = stack.enter_context(orders(picture(side)))
        matrices = {MATRICES["float32"]: arithmetic.numpy_seconds(amount.matrix_side)}
        try:
            multiply = stack.enter_context(arithmetic.bfloat16_seconds(amount.matrix_side))
            matrices[MATRICES["bfloat16"]] = multiply
        except PeerMissing as error:
            missing[MATRICES["bfloat16"]] = str(error)
        figures = alternating(ours | peers | matrices | {ORDER: order}, amount.runs)
    megapixels = source.size / 3 / 1e6
    for how in ours:
        what = f"fast 4x of {side}², {how}"
        yield from _beside(what, figures[how], (PACKAGE, NCNN, ONNX), figures, missing, megapixels)
    for peer in (next(iter(ours)), PACKAGE):
        if peer in figures:
            named = "inference alone" if peer in ours else f"{peer}, inference alone"
            what = f"fast 4x of {side}², {ORDER} until its result is stored"
            yield compared(what, "s", figures[ORDER], named, figures[peer])
    for numbers, peer in MATRICES.items():
        yield _arithmetic(numbers, peer, figures, missing, amount)


def _precisions(stack: ExitStack, network: Network, side: int) -> dict[str, Measure]:
    """The precision that is chosen here, and float32 on the processor where that is another."""
    how, measure = stack.enter_context(inference(pixels(side), network))
    if how == "OpenVINO, float32":
        return {how: measure}
    return {how: measure} | dict(
        [stack.enter_context(inference(pixels(side), replace(network, hardware=Hardware("cpu", "f32"))))]
    )


def _beside(
    what: str,
    ours: list[float],
    peers: tuple[str, ...],
    figures: dict[str, list[float]],
    missing: dict[str, str],
    megapixels: float,
    note: str = "",
) -> Iterator[Line]:
    for peer in peers:
        if peer in figures:
            yield compared(what, "MP/s", ours, peer, figures[peer], amount=megapixels, note=note)
        else:
            yield Line(what, None, "MP/s", peer, note=missing[peer])


def _arithmetic(
    numbers: str, peer: str, figures: dict[str, list[float]], missing: dict[str, str], amount: Amount
) -> Line:
    what = f"arithmetic of fast in {numbers}, overlap not counted"
    ours = [how for how in figures if how.endswith(numbers)]
    if not ours or peer not in figures:
        return Line(what, None, "GFLOP/s", peer, note=missing.get(peer, f"fast does not run in {numbers} here"))
    spent, multiplying = figures[ours[0]], figures[peer]
    done = arithmetic.gigaflops(FAST, amount.fast_side**2)
    there = arithmetic.matrix_gigaflops(amount.matrix_side)
    rates = [done / each for each in spent], [there / each for each in multiplying]
    return compared(what, "GFLOP/s", rates[0], peer, rates[1], note=ours[0])


def detail(amount: Amount) -> Iterator[Line]:
    side, note = detail_side(amount)
    source = pixels(side)
    with ExitStack() as stack:
        ours = _precisions(stack, DETAIL, side)
        affordable = (PACKAGE, NCNN) if _has_memory_untiled(side) else (PACKAGE,)
        peers, missing = all_running(stack, affordable, DETAIL, source)
        if NCNN not in affordable:
            missing[NCNN] = "it needs more memory than is free"
        figures = alternating(ours | peers, amount.runs)
    for how in ours:
        what = f"detail 4x of {side}², {how}"
        yield from _beside(what, figures[how], (PACKAGE, NCNN), figures, missing, source.size / 3 / 1e6, note)


def detail_side(amount: Amount) -> tuple[int, str]:
    """The side of the picture for detail, and why it is not a larger one."""
    side, small = amount.detail_side, amount.slow_detail_side
    with one_worker() as workers:
        each = workers.submit(seconds_per_pixel, DETAIL).result()
    down, across = DETAIL.window(side, side)
    expected = each * down * across * tile_count(side, side, Recipe(DETAIL))
    if expected > 60:
        return small, f"{side}² would take over a minute"
    if not _has_memory_untiled(side):
        return small, f"{NCNN} does not find the memory for {side}²"
    return side, ""


def _has_memory_untiled(side: int) -> bool:
    return side**2 * _UNTILED_BYTES_PER_PIXEL < psutil.virtual_memory().available
