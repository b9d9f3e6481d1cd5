"""Networks as OpenVINO graphs: whole numbers go in and come out, and each graph is made for one shape of tile."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import openvino as ov
import openvino.opset13 as op
from openvino.frontend import (
    FrontEndManager,
    GeneralFailure,
    InitializationFailure,
    NotImplementedFailure,
    OpConversionFailure,
    OpValidationFailure,
)

from journey.engine.networks.ncnn_files import Layer, read_layers
from journey.errors import JourneyError


def from_ncnn(param: Path, height: int, width: int) -> ov.Model:
    """The graph of an ncnn network: (1, height, width, 3) uint8 to (1, scale × height, scale × width, 3) uint8.

    The picture enters as the numbers 0 to 255, which bfloat16 holds exactly: the division by 255 is part of the first
    weights, and the multiplication by 255 part of the last. A network that ends by adding the enlarged picture to what
    it found adds whole numbers, so that rounding never touches the picture itself.

    Raises JourneyError and NotImplementedError like `read_layers`.
    """
    layers = read_layers(param, _BUILDERS.keys() | {"Input", "Split"})
    data = op.parameter([1, height, width, 3], np.uint8, name="data")
    bytes_first = op.transpose(data, _ints([0, 3, 1, 2]))
    picture = op.convert(bytes_first, "f32")
    ending = _ending(layers)
    last_weights = ending.convolution if ending else _plain_convolution(layers[-1])
    blobs: dict[str, Any] = {}
    sources: set[str] = set()
    for layer in layers:
        if layer.kind == "Input":
            sources.update(layer.outputs)
            blobs[layer.outputs[0]] = op.multiply(picture, _const(1 / 255))
            continue
        if layer.kind == "Split":
            blobs.update(dict.fromkeys(layer.outputs, blobs[layer.inputs[0]]))
            if layer.inputs[0] in sources:
                sources.update(layer.outputs)
            continue
        inputs = [blobs[name] for name in layer.inputs]
        if layer.kind == "Convolution":
            is_first, times = layer.inputs[0] in sources, 255 if layer is last_weights else 1
            entry = [picture] if is_first else inputs
            made = _convolution(layer, entry, weigh=times / 255 if is_first else times, shift=times)
        elif ending and layer is ending.enlarging:
            made = _interp(layer, [bytes_first])
        elif ending and layer is ending.sum:
            made = op.add(*(op.convert(_whole(each), "i32") for each in inputs))
        else:
            made = _BUILDERS[layer.kind](layer, inputs)
        blobs[layer.outputs[0]] = made
    result = blobs["output" if "output" in blobs else layers[-1].outputs[0]]
    levels = result if last_weights else op.multiply(result, _const(255))
    return _model(_whole(op.clamp(levels, 0, 255)), data, param.stem)


def from_onnx(file: Path, height: int, width: int) -> ov.Model:
    """The graph of an ONNX network that takes and gives colours of 0..1 as (1, 3, H, W), or (1, 1, H, W) for grey.

    A network for grey is run on each channel. Raises JourneyError, which names what does not fit.
    """
    model = _read_onnx(file)
    other = JourneyError(f"The network {file.stem} cannot be used: it does not make one RGB picture of another.")
    if len(model.inputs) != 1 or not model.outputs:
        raise other
    entry, outcome = model.inputs[0], model.outputs[0]
    channels = 1 if len(entry.partial_shape) == 4 and entry.partial_shape[1] == ov.Dimension(1) else 3
    try:
        model.reshape({entry: [3 // channels, channels, height, width]})
        shape = tuple(outcome.shape)
    except RuntimeError as error:
        raise other from error
    if len(shape) != 4 or shape[:2] != (3 // channels, channels):
        raise other
    data = op.parameter([1, height, width, 3], np.uint8, name="data")
    order = [3, 0, 1, 2] if channels == 1 else [0, 3, 1, 2]
    picture = op.multiply(op.convert(op.transpose(data, _ints(order)), "f32"), _const(1 / 255))
    picture = op.convert(picture, entry.get_element_type())
    for user in entry.get_target_inputs():
        user.replace_source_output(picture.output(0))
    found = op.convert(outcome.get_node().input_value(0), "f32")
    if channels == 1:
        found = op.transpose(found, _ints([1, 0, 2, 3]))
    return _model(_whole(op.clamp(op.multiply(found, _const(255)), 0, 255)), data, file.stem)


_UNREADABLE = (GeneralFailure, InitializationFailure, NotImplementedFailure, OpValidationFailure, RuntimeError)


def _read_onnx(file: Path) -> ov.Model:
    # Asked by name: OpenVINO would try every format it knows, and print what it does not understand of the file.
    reader = FrontEndManager().load_by_framework("onnx")
    try:
        model = reader.convert(reader.load(str(file)))
    except OpConversionFailure as error:
        unknown = re.search(r"operations: ([\w., -]{1,80})", str(error))
        kinds = f": {unknown[1].strip()}" if unknown else ""
        raise JourneyError(
            f"The network {file.stem} cannot be used: it has layers that OpenVINO does not know{kinds}."
        ) from error
    except _UNREADABLE as error:
        raise JourneyError(_not_onnx(file)) from error
    if not model.inputs:
        raise JourneyError(_not_onnx(file))
    return model


def _not_onnx(file: Path) -> str:
    return f"The network {file.stem} cannot be loaded: {file.name} is damaged or of another kind."


def _whole(levels: Any) -> Any:
    return op.round(levels, "half_to_even") if levels.get_element_type() == ov.Type.f32 else levels


def _model(levels: Any, data: Any, name: str) -> ov.Model:
    return ov.Model([op.convert(op.transpose(levels, _ints([0, 2, 3, 1])), "u8")], [data], name)


def _const(value: object) -> Any:
    return op.constant(np.asarray(value, np.float32))


def _ints(value: Sequence[int]) -> Any:
    return op.constant(np.asarray(value, np.int64))


class _Ending(NamedTuple):
    """The layers that end a network by adding what it found to the picture with its pixels repeated."""

    convolution: Layer
    enlarging: Layer
    sum: Layer


def _ending(layers: Sequence[Layer]) -> _Ending | None:
    """The ending of a network that has one; None for others."""
    makers = {name: layer for layer in layers for name in layer.outputs}

    def before(layer: Layer | None, which: int, kind: str) -> Layer | None:
        found = makers.get(layer.inputs[which]) if layer and which < len(layer.inputs) else None
        return found if found and found.kind == kind else None

    last = layers[-1]
    for found, added in ((0, 1), (1, 0)):
        convolution = before(before(last, found, "PixelShuffle"), 0, "Convolution")
        enlarging = before(last, added, "Interp")
        if (
            last.kind == "BinaryOp"
            and _is_sum(last)
            and convolution
            and _plain_convolution(convolution)
            and enlarging
            and enlarging.number(0) == 1
            and before(before(enlarging, 0, "Split"), 0, "Input")
        ):
            return _Ending(convolution, enlarging, last)
    return None


def _plain_convolution(layer: Layer) -> Layer | None:
    return layer if layer.kind == "Convolution" and not layer.number(9) else None


def _is_sum(layer: Layer) -> bool:
    return not layer.number(0) and not layer.number(1)


def _refuse_unless(fits: bool, layer: Layer) -> None:
    if not fits:
        raise NotImplementedError(f"it has a layer of the kind {layer.kind} with settings that are not known here")


def _sizes(layer: Layer, across: int, down: int, default: int) -> list[int]:
    """A setting that may differ across and down, as [down, across]."""
    value = layer.number(across, default)
    return [layer.number(down, value), value]


def _convolution(layer: Layer, inputs: Sequence[Any], *, weigh: float = 1, shift: float = 1) -> Any:
    """The layer with its weights times `weigh` and its bias times `shift`."""
    assert layer.weights is not None  # noqa: S101 - for the type checker: read_layers reads them
    filters, groups = layer.number(0), layer.number(7, 1)
    kernel = _sizes(layer, 1, 11, 1)
    stride, dilation, pads = _sizes(layer, 3, 13, 1), _sizes(layer, 2, 12, 1), _sizes(layer, 4, 14, 0)
    _refuse_unless(min(pads) >= 0 and not layer.settings.get(18) and not {15, 16, 19} & layer.settings.keys(), layer)
    weights = layer.weights * np.float32(weigh)
    if groups > 1:
        shape = (groups, filters // groups, -1, *kernel)
        made = op.group_convolution(inputs[0], _const(weights.reshape(shape)), stride, pads, pads, dilation)
    else:
        made = op.convolution(inputs[0], _const(weights.reshape(filters, -1, *kernel)), stride, pads, pads, dilation)
    if layer.bias is not None:
        made = op.add(made, _const((layer.bias * np.float32(shift)).reshape(1, -1, 1, 1)))
    return _activated(layer, made)


def _deconvolution(layer: Layer, inputs: Sequence[Any]) -> Any:
    assert layer.weights is not None  # noqa: S101 - for the type checker: read_layers reads them
    kernel, stride = _sizes(layer, 1, 11, 1), _sizes(layer, 3, 13, 1)
    _refuse_unless(not layer.settings.keys() & {2, 4, 12, 14, 15, 16, 18, 19, 20, 21}, layer)
    weights = layer.weights.reshape(layer.number(0), -1, *kernel).transpose(1, 0, 2, 3)
    made = op.convolution_backprop_data(inputs[0], _const(weights), stride, pads_begin=[0, 0], pads_end=[0, 0])
    if layer.bias is not None:
        made = op.add(made, _const(layer.bias.reshape(1, -1, 1, 1)))
    return _activated(layer, made)


def _inner_product(layer: Layer, inputs: Sequence[Any]) -> Any:
    """On one value for each channel, which stays a picture of one pixel."""
    assert layer.weights is not None  # noqa: S101 - for the type checker: read_layers reads them
    _refuse_unless(list(inputs[0].shape[2:]) == [1, 1], layer)
    weights = layer.weights.reshape(layer.number(0), -1, 1, 1)
    made = op.convolution(inputs[0], _const(weights), [1, 1], [0, 0], [0, 0], [1, 1])
    if layer.bias is not None:
        made = op.add(made, _const(layer.bias.reshape(1, -1, 1, 1)))
    return _activated(layer, made)


def _pooling(layer: Layer, inputs: Sequence[Any]) -> Any:
    _refuse_unless(layer.number(0) == 1 and bool(layer.number(4)), layer)
    return op.reduce_mean(inputs[0], _ints([2, 3]), True)


def _scale(layer: Layer, inputs: Sequence[Any]) -> Any:
    _refuse_unless(len(inputs) == 2 and not layer.number(1), layer)
    return op.multiply(*inputs)


def _crop(layer: Layer, inputs: Sequence[Any]) -> Any:
    """The middle of the first input, as large as the second."""
    _refuse_unless(len(inputs) == 2 and not layer.number(2), layer)
    across, down = layer.number(0), layer.number(1)
    height, width = inputs[1].shape[2:]
    return op.slice(
        inputs[0], _ints([down, across]), _ints([down + height, across + width]), _ints([1, 1]), _ints([2, 3])
    )


def _activated(layer: Layer, made: Any) -> Any:
    kind, values = layer.number(9), layer.lists.get(10, [])
    _refuse_unless(kind in (0, 1, 2, 3, 4), layer)
    if kind == 1:
        return op.relu(made)
    if kind == 2:
        return op.prelu(made, _const(values[:1]))
    if kind == 3:
        return op.clamp(made, values[0], values[1])
    return op.sigmoid(made) if kind == 4 else made


def _relu(layer: Layer, inputs: Sequence[Any]) -> Any:
    slope = layer.settings.get(0, 0.0)
    return op.prelu(inputs[0], _const([slope])) if slope else op.relu(inputs[0])


def _prelu(layer: Layer, inputs: Sequence[Any]) -> Any:
    return op.prelu(inputs[0], _const(layer.weights))


def _shuffle(layer: Layer, inputs: Sequence[Any]) -> Any:
    _refuse_unless(not layer.number(1), layer)
    return op.depth_to_space(inputs[0], "depth_first", layer.number(0))


_INTERPOLATIONS = {1: "nearest", 2: "linear_onnx", 3: "cubic"}


def _interp(layer: Layer, inputs: Sequence[Any]) -> Any:
    down = layer.settings.get(1, 1.0)
    across = layer.settings.get(2, 1.0)
    is_known = layer.number(0) in _INTERPOLATIONS and not layer.settings.keys() & {3, 4, 5, 6, 9}
    _refuse_unless(is_known and len(inputs) == 1, layer)
    mode = _INTERPOLATIONS[layer.number(0)]
    return op.interpolate(
        inputs[0],
        _const([down, across]),
        mode,
        "scales",
        axes=_ints([2, 3]),
        nearest_mode="floor",
        cube_coeff=-0.75,
        coordinate_transformation_mode="asymmetric" if mode == "nearest" else "half_pixel",
    )


_TWO_INPUTS: dict[int, Callable[[Any, Any], Any]] = {
    0: op.add, 1: op.subtract, 2: op.multiply, 3: op.divide, 4: op.maximum, 5: op.minimum,
}  # fmt: skip


def _binary(layer: Layer, inputs: Sequence[Any]) -> Any:
    _refuse_unless(layer.number(0) in _TWO_INPUTS, layer)
    other = _const(layer.settings.get(2, 0.0)) if layer.number(1) else inputs[1]
    return _TWO_INPUTS[layer.number(0)](inputs[0], other)


def _eltwise(layer: Layer, inputs: Sequence[Any]) -> Any:
    kind = layer.number(0)
    _refuse_unless(kind in (0, 1, 2) and len(inputs) == 2, layer)
    if kind == 1 and (factors := layer.lists.get(1)):
        inputs = [op.multiply(each, _const(factor)) for each, factor in zip(inputs, factors, strict=True)]
    return {0: op.multiply, 1: op.add, 2: op.maximum}[kind](*inputs)


def _concat(layer: Layer, inputs: Sequence[Any]) -> Any:
    _refuse_unless(not layer.number(0), layer)
    return op.concat(list(inputs), 1)


def _clip(layer: Layer, inputs: Sequence[Any]) -> Any:
    return op.clamp(inputs[0], layer.settings[0], layer.settings[1])


_BUILDERS: dict[str, Callable[[Layer, Sequence[Any]], Any]] = {
    "Convolution": _convolution,
    "ConvolutionDepthWise": _convolution,
    "Deconvolution": _deconvolution,
    "InnerProduct": _inner_product,
    "Pooling": _pooling,
    "Scale": _scale,
    "Crop": _crop,
    "PReLU": _prelu,
    "ReLU": _relu,
    "Sigmoid": lambda _, inputs: op.sigmoid(inputs[0]),
    "Clip": _clip,
    "PixelShuffle": _shuffle,
    "Interp": _interp,
    "BinaryOp": _binary,
    "Eltwise": _eltwise,
    "Concat": _concat,
    "Noop": lambda _, inputs: inputs[0],
    "Dropout": lambda _, inputs: inputs[0],
}
"""How each kind of ncnn layer is built from its inputs."""
