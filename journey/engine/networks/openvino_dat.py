"""DAT-light as an OpenVINO graph: a transformer of 18 blocks that look by turns at places and at channels.

Published as "Dual Aggregation Transformer for Image Super-Resolution" (ICCV 2023). The names of the weights are
those of the authors' checkpoint.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import openvino.opset13 as op

from journey.errors import JourneyError

SCALE = 4
MULTIPLE = 32
"""The sides of a tile are multiples of it, because windows are 8 × 32 and 32 × 8."""

_BLOCKS = 18
_WIDTH = 60
_HEADS = 6
_WINDOWS = ((8, 32), (32, 8))
_MEAN = (0.4488, 0.4371, 0.4040)
"""The mean colour of the pictures that the network was trained with."""
_OUT_OF_SIGHT = -100.0
"""The attention between places that are neighbours only because windows were moved round the edge."""


def from_dat(file: Path, height: int, width: int) -> ov.Model:
    """The graph for tiles of this shape: (1, height, width, 3) uint8 to (1, 4 × height, 4 × width, 3) uint8.

    `file` holds the weights by name, as `packing` writes them. Raises JourneyError for a broken one.
    """
    try:
        with file.open("rb") as content, np.load(content) as weights:
            return _Dat(dict(weights), height, width).graph(file.stem)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise JourneyError(f"The network {file.stem} cannot be loaded: {file.name} is missing or damaged.") from error


class _Dat:
    """Builds the graph from the weights by their names. Between convolutions, channels come last."""

    def __init__(self, weights: Mapping[str, np.ndarray], height: int, width: int) -> None:
        self._weights = weights
        self._height = height
        self._width = width
        self._masks: dict[tuple[int, int], Any] = {}

    def graph(self, name: str) -> ov.Model:
        data = op.parameter([1, self._height, self._width, 3], np.uint8, name="data")
        picture = op.multiply(_channels_first(op.convert(data, "f32")), _const(1 / 255))
        mean = _const(np.reshape(_MEAN, (1, 3, 1, 1)))
        shallow = self._convolution(op.subtract(picture, mean), "conv_first")
        start = x = self._normal(_channels_last(shallow), "before_RG.1")
        for number in range(_BLOCKS):
            x = self._block(x, f"layers.0.blocks.{number}", number)
        x = self._normal(op.add(_channels_last(self._bottleneck(_channels_first(x), "layers.0.conv")), start), "norm")
        deep = op.add(self._bottleneck(_channels_first(x), "conv_after_body"), shallow)
        large = op.depth_to_space(self._convolution(deep, "upsample.0"), "depth_first", SCALE)
        levels = op.clamp(op.multiply(op.add(large, mean), _const(255)), 0, 255)
        whole = op.convert(_channels_last(op.round(levels, "half_to_even")), "u8")
        return ov.Model([whole], [data], name)

    def _block(self, x: Any, name: str, number: int) -> Any:
        seen = self._normal(x, f"{name}.norm1")
        if number % 2:
            found = self._channel_attention(seen, f"{name}.attn")
        else:
            found = self._spatial_attention(seen, f"{name}.attn", is_moved=number % 4 == 2)
        x = op.add(x, found)
        return op.add(x, self._feed_forward(self._normal(x, f"{name}.norm2"), f"{name}.ffn"))

    def _feed_forward(self, x: Any, name: str) -> Any:
        kept, gate = op.split(_gelu(self._linear(x, f"{name}.fc1")), _ints(3), 2).outputs()
        gate = _channels_first(self._normal(gate, f"{name}.sg.norm"))
        gate = _channels_last(self._convolution(gate, f"{name}.sg.conv", groups=_WIDTH))
        return self._linear(op.multiply(kept, gate), f"{name}.fc2")

    # Attention

    def _spatial_attention(self, x: Any, name: str, *, is_moved: bool) -> Any:
        """Half of the channels in flat windows, half in tall ones; in every other block, windows moved by half."""
        parts = op.split(self._linear(x, f"{name}.qkv"), _ints(3), 6).outputs()
        found = []
        for branch, window in enumerate(_WINDOWS):
            query, key, value = parts[branch], parts[2 + branch], parts[4 + branch]
            move = [window[0] // 2, window[1] // 2] if is_moved else [0, 0]
            if is_moved:
                back = _ints([-each for each in move])
                query, key, value = (op.roll(each, back, _ints([1, 2])) for each in (query, key, value))
            query, key, value = (self._windows(each, window) for each in (query, key, value))
            attention = op.matmul(op.multiply(query, _const(query.shape[-1] ** -0.5)), key, False, True)
            attention = op.add(attention, _const(self._position_bias(f"{name}.attns.{branch}", window)))
            if is_moved:
                # Added, the mask would be joined with the bias of each block, and take 600 MB.
                attention = op.select(self._mask(window, move), attention, _const(_OUT_OF_SIGHT))
            seen = self._whole(op.matmul(op.softmax(attention, -1), value, False, False), window)
            found.append(op.roll(seen, _ints(move), _ints([1, 2])) if is_moved else seen)
        attended = _channels_first(op.concat(found, 3))
        local = self._local(_channels_first(op.concat([parts[4], parts[5]], 3)), name)
        return self._joined(
            op.multiply(attended, self._weight_of_channels(local, name)),
            op.multiply(local, self._weight_of_places(attended, name)),
            name,
        )

    def _channel_attention(self, x: Any, name: str) -> Any:
        query, key, value = op.split(_channels_first(self._linear(x, f"{name}.qkv")), _ints(1), 3).outputs()
        query, key = (op.normalize_l2(self._flat(each), _ints([3]), 1e-12, "max") for each in (query, key))
        temperature = _const(self._weights[f"{name}.temperature"][None])
        attention = op.softmax(op.multiply(op.matmul(query, key, False, True), temperature), -1)
        attended = op.matmul(attention, self._flat(value), False, False)
        attended = op.reshape(attended, _ints([1, _WIDTH, self._height, self._width]), False)
        local = self._local(value, name)
        return self._joined(
            op.multiply(attended, self._weight_of_places(local, name)),
            op.multiply(local, self._weight_of_channels(attended, name)),
            name,
        )

    def _local(self, value: Any, name: str) -> Any:
        return _gelu(self._convolution(value, f"{name}.dwconv.0", groups=_WIDTH, norm=f"{name}.dwconv.1"))

    def _joined(self, attended: Any, local: Any, name: str) -> Any:
        return self._linear(_channels_last(op.add(attended, local)), f"{name}.proj")

    def _weight_of_channels(self, x: Any, name: str) -> Any:
        name = f"{name}.channel_interaction"
        found = _gelu(self._convolution(op.reduce_mean(x, _ints([2, 3]), True), f"{name}.1", norm=f"{name}.2"))
        return op.sigmoid(self._convolution(found, f"{name}.4"))

    def _weight_of_places(self, x: Any, name: str) -> Any:
        name = f"{name}.spatial_interaction"
        found = _gelu(self._convolution(x, f"{name}.0", norm=f"{name}.1"))
        return op.sigmoid(self._convolution(found, f"{name}.3"))

    # Windows

    def _flat(self, x: Any) -> Any:
        return op.reshape(x, _ints([1, _HEADS, _WIDTH // _HEADS, self._height * self._width]), False)

    def _windows(self, x: Any, window: tuple[int, int]) -> Any:
        """(1, height, width, 30) as (windows, heads, places of a window, channels of a head)."""
        rows, columns = window
        shape = [self._height // rows, rows, self._width // columns, columns, _HEADS // 2, _WIDTH // _HEADS]
        cut = op.transpose(op.reshape(x, _ints(shape), False), _ints([0, 2, 4, 1, 3, 5]))
        return op.reshape(cut, _ints([-1, _HEADS // 2, rows * columns, _WIDTH // _HEADS]), False)

    def _whole(self, x: Any, window: tuple[int, int]) -> Any:
        rows, columns = window
        shape = [self._height // rows, self._width // columns, _HEADS // 2, rows, columns, _WIDTH // _HEADS]
        joined = op.transpose(op.reshape(x, _ints(shape), False), _ints([0, 3, 1, 4, 2, 5]))
        return op.reshape(joined, _ints([1, self._height, self._width, _WIDTH // 2]), False)

    def _mask(self, window: tuple[int, int], move: Sequence[int]) -> Any:
        """For each window that was moved, which of its places see each other: (windows, 1, places, places).

        Made once for all blocks, because it is large.
        """
        if window not in self._masks:
            self._masks[window] = op.constant(self._places_in_sight(window, move))
        return self._masks[window]

    def _places_in_sight(self, window: tuple[int, int], move: Sequence[int]) -> np.ndarray:
        rows, columns = window
        places = np.zeros((self._height, self._width), np.float32)
        number = 0
        for down in (slice(0, -rows), slice(-rows, -move[0]), slice(-move[0], None)):
            for across in (slice(0, -columns), slice(-columns, -move[1]), slice(-move[1], None)):
                places[down, across] = number
                number += 1
        grid = places.reshape(self._height // rows, rows, self._width // columns, columns)
        cut = grid.transpose(0, 2, 1, 3).reshape(-1, rows * columns)
        in_sight: np.ndarray = cut[:, None, :] == cut[:, :, None]
        return in_sight[:, None]

    def _position_bias(self, name: str, window: tuple[int, int]) -> np.ndarray:
        """How much places at each distance weigh for each other: (1, heads, places, places)."""
        rows, columns = window
        down, across = np.arange(1 - rows, rows), np.arange(1 - columns, columns)
        x = np.stack(np.meshgrid(down, across, indexing="ij")).reshape(2, -1).T.astype(np.float32)
        x = self._dense(x, f"{name}.pos.pos_proj")
        for step in ("pos1", "pos2", "pos3"):
            x = self._dense(np.maximum(self._normal_array(x, f"{name}.pos.{step}.0"), 0), f"{name}.pos.{step}.2")
        at = np.stack(np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")).reshape(2, -1)
        apart = at[:, :, None] - at[:, None, :]
        found = x[(apart[0] + rows - 1) * (2 * columns - 1) + apart[1] + columns - 1]
        return np.ascontiguousarray(found.transpose(2, 0, 1))[None].astype(np.float32)

    def _dense(self, x: np.ndarray, name: str) -> np.ndarray:
        result: np.ndarray = x @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return result

    def _normal_array(self, x: np.ndarray, name: str) -> np.ndarray:
        normal = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
        result: np.ndarray = normal * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        return result

    # Layers

    def _linear(self, x: Any, name: str) -> Any:
        made = op.matmul(x, _const(self._weights[f"{name}.weight"]), False, True)
        bias = self._weights.get(f"{name}.bias")
        return made if bias is None else op.add(made, _const(bias))

    def _normal(self, x: Any, name: str) -> Any:
        normal = op.mvn(x, _ints([-1]), True, 1e-5, "inside_sqrt")
        weighted = op.multiply(normal, _const(self._weights[f"{name}.weight"]))
        return op.add(weighted, _const(self._weights[f"{name}.bias"]))

    def _convolution(self, x: Any, name: str, *, groups: int = 1, norm: str | None = None) -> Any:
        """With a batch norm that follows it, which becomes part of its weights."""
        weights = self._weights[f"{name}.weight"]
        bias = self._weights.get(f"{name}.bias", np.zeros(len(weights), np.float32))
        if norm:
            gain = self._weights[f"{norm}.weight"] / np.sqrt(self._weights[f"{norm}.running_var"] + 1e-5)
            weights = weights * gain[:, None, None, None]
            bias = (bias - self._weights[f"{norm}.running_mean"]) * gain + self._weights[f"{norm}.bias"]
        pad = [weights.shape[2] // 2] * 2
        if groups == 1:
            made = op.convolution(x, _const(weights), [1, 1], pad, pad, [1, 1])
        else:
            kernel = _const(weights.reshape(groups, 1, 1, *weights.shape[2:]))
            made = op.group_convolution(x, kernel, [1, 1], pad, pad, [1, 1])
        return op.add(made, _const(bias.reshape(1, -1, 1, 1)))

    def _bottleneck(self, x: Any, name: str) -> Any:
        for step in ("0", "2"):
            x = op.prelu(self._convolution(x, f"{name}.{step}"), _const([0.2]))
        return self._convolution(x, f"{name}.4")


def _gelu(x: Any) -> Any:
    return op.gelu(x, "erf")


def _channels_first(x: Any) -> Any:
    return op.transpose(x, _ints([0, 3, 1, 2]))


def _channels_last(x: Any) -> Any:
    return op.transpose(x, _ints([0, 2, 3, 1]))


def _const(value: object) -> Any:
    return op.constant(np.asarray(value, np.float32))


def _ints(value: object) -> Any:
    return op.constant(np.asarray(value, np.int64))
