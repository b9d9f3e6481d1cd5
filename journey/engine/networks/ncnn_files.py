"""The files of ncnn networks: layers as text in `.param`, their weights one after the other in `.bin`."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from journey.errors import JourneyError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float32]

_MAGIC = "7767517"
_HALF = 0x01306B47
"""Marks weights that are stored as float16. 0 marks float32; other marks are quantized weights."""
_ARRAY_KEYS = -23300
"""A setting whose value is a list has the key -23300 minus its number."""


@dataclass(frozen=True)
class Layer:
    """One step of a network. `settings` are ncnn's numbered parameters; a list has its own entry in `lists`."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    settings: dict[int, float]
    lists: dict[int, list[float]]
    weights: Floats | None = field(default=None, repr=False)
    bias: Floats | None = field(default=None, repr=False)

    def number(self, key: int, default: int = 0) -> int:
        return int(self.settings.get(key, default))


def read_layers(param: Path, kinds: Container[str]) -> list[Layer]:
    """All layers of a network that is made of these kinds of layers, with their weights.

    Raises JourneyError for files that are missing or damaged, and NotImplementedError, with the reason, for layers of
    other kinds and for weights that are stored in a way that is not read here.
    """
    weights = param.with_suffix(".bin")
    for file in (param, weights):
        if not file.is_file():
            raise JourneyError(f"The network {param.stem} cannot be loaded: {file.name} is missing.")
    try:
        layers = list(_parsed(param.read_text("ascii")))
        for layer in layers:
            if layer.kind not in kinds:
                raise NotImplementedError(f"it has a layer of the kind {layer.kind}")
        return _with_weights(layers, weights.read_bytes())
    except (ValueError, IndexError) as error:
        raise JourneyError(broken(param)) from error


def broken(param: Path) -> str:
    return f"The network {param.stem} cannot be loaded: {param.name} or {param.stem}.bin is damaged or of another kind."


def _parsed(text: str) -> Iterator[Layer]:
    lines = text.splitlines()
    if lines[0].strip() != _MAGIC:
        raise ValueError("no ncnn network")
    for line in lines[2:]:
        words = line.split()
        if not words:
            continue
        first = 4 + int(words[2])
        last = first + int(words[3])
        settings: dict[int, float] = {}
        lists: dict[int, list[float]] = {}
        for word in words[last:]:
            key, value = word.split("=", 1)
            if int(key) <= _ARRAY_KEYS:
                lists[_ARRAY_KEYS - int(key)] = [float(each) for each in value.split(",")[1:]]
            else:
                settings[int(key)] = float(value)
        yield Layer(words[0], tuple(words[4:first]), tuple(words[first:last]), settings, lists)


def _with_weights(layers: list[Layer], raw: bytes) -> list[Layer]:
    stored = _Stored(raw)
    done = []
    for layer in layers:
        weights = bias = None
        if layer.kind in ("Convolution", "ConvolutionDepthWise", "Deconvolution"):
            if layer.number(8):
                raise NotImplementedError("its weights are quantized")
            weights = stored.marked(layer.number(6))
            bias = stored.floats(layer.number(0)) if layer.number(5) else None
        elif layer.kind == "InnerProduct":
            if layer.number(8):
                raise NotImplementedError("its weights are quantized")
            weights = stored.marked(layer.number(2))
            bias = stored.floats(layer.number(0)) if layer.number(1) else None
        elif layer.kind == "PReLU":
            weights = stored.floats(layer.number(0))
        done.append(Layer(layer.kind, layer.inputs, layer.outputs, layer.settings, layer.lists, weights, bias))
    if stored.is_left_over:
        raise ValueError("bytes are left over")
    return done


class _Stored:
    """The bytes of a `.bin` file, read from the front."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    def floats(self, count: int) -> Floats:
        values = np.frombuffer(self._raw, np.float32, count, self._at)
        self._at += 4 * count
        return values

    def marked(self, count: int) -> Floats:
        """Weights behind a mark that says how they are stored."""
        mark = int(np.frombuffer(self._raw, np.uint32, 1, self._at)[0])
        self._at += 4
        if mark == 0:
            return self.floats(count)
        if mark != _HALF:
            raise NotImplementedError("its weights are quantized")
        values = np.frombuffer(self._raw, np.float16, count, self._at).astype(np.float32)
        self._at += (2 * count + 3) // 4 * 4
        return values

    @property
    def is_left_over(self) -> bool:
        return self._at < len(self._raw)
