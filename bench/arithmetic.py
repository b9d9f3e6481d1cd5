"""How fast the processor multiplies matrices: what networks could reach at most, and how much they have to do."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from bench.peers import PeerMissing
from bench.table import Measure
from journey.engine.networks import bundled
from journey.engine.networks.backends import HardwareMissing, backend_for
from journey.engine.networks.ncnn_files import read_layers
from journey.engine.networks.network import Hardware, Network
from journey.processes import Workers, usable_cores


def gigaflops(network: Network, pixels: int) -> float:
    """10⁹ multiplications and additions for so many source pixels, each once, in a network that enlarges at its end."""
    kinds = ("Input", "Split", "Convolution", "PReLU", "PixelShuffle", "Interp", "BinaryOp")
    layers = read_layers(bundled.folder() / network.file, kinds)
    weights = sum(layer.weights.size for layer in layers if layer.kind == "Convolution" and layer.weights is not None)
    return 2 * weights * pixels / 1e9


def matrix_gigaflops(side: int) -> float:
    return 2 * side**3 / 1e9


def numpy_seconds(side: int) -> Measure:
    """A product of two square matrices in float32 by numpy, with all cores."""
    left, right = _matrices(side)

    def measure() -> float:
        started = time.perf_counter()
        left @ right
        return time.perf_counter() - started

    measure()
    return measure


@contextmanager
def bfloat16_seconds(side: int) -> Iterator[Measure]:
    """The same in bfloat16 by OpenVINO. Raises PeerMissing where the processor has no arithmetic for it."""
    # In a process of its own, because OpenVINO keeps its threads.
    workers = Workers(1)
    workers.start()
    try:
        workers.submit(_prepare_bfloat16, side).result()
        yield lambda: workers.submit(_bfloat16_seconds, side).result()
    except HardwareMissing as error:
        raise PeerMissing("no bfloat16 here") from error
    finally:
        workers.stop()


def _prepare_bfloat16(side: int) -> None:
    backend_for(Hardware("cpu", "bf16"), "openvino")
    _bfloat16_seconds(side)


def _bfloat16_seconds(side: int) -> float:
    multiply = _multiplication(side)
    started = time.perf_counter()
    multiply()
    return time.perf_counter() - started


@functools.cache
def _multiplication(side: int) -> Callable[[], object]:
    import openvino as ov
    import openvino.opset13 as op

    left, right = _matrices(side)
    data = op.parameter([side, side], np.float32)
    graph = ov.Model([op.matmul(data, op.constant(right), transpose_a=False, transpose_b=False)], [data])
    options = {"INFERENCE_PRECISION_HINT": "bf16", "INFERENCE_NUM_THREADS": usable_cores()}
    request = ov.Core().compile_model(graph, "CPU", options).create_infer_request()
    return lambda: request.infer({0: left}, share_inputs=True, share_outputs=True)


def _matrices(side: int) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(1)
    return chance.random((side, side), np.float32), chance.random((side, side), np.float32)
