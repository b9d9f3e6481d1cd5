"""The fast network as ONNX, so that others can run it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from journey.engine.networks.ncnn_files import Layer, read_layers

KINDS = ("Input", "Split", "Convolution", "PReLU", "PixelShuffle", "Interp", "BinaryOp")


def as_onnx(param: Path) -> bytes:
    """A chain of convolutions, whose result is added to the enlarged picture: (1, 3, H, W) of 0 to 1, in and out."""
    nodes: list[onnx.NodeProto] = []
    weights: list[onnx.TensorProto] = []

    def const(name: str, values: np.ndarray) -> str:
        weights.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    def add(layer: Layer, kind: str, *inputs: str, **settings: Any) -> None:
        nodes.append(helper.make_node(kind, [*layer.inputs, *inputs], [layer.outputs[0]], **settings))

    for layer in read_layers(param, KINDS):
        name = layer.outputs[0]
        values = np.empty(0) if layer.weights is None else layer.weights
        if layer.kind == "Split":
            nodes += [helper.make_node("Identity", layer.inputs, [output]) for output in layer.outputs]
        elif layer.kind == "Convolution":
            shape = (layer.number(0), -1, layer.number(1), layer.number(1))
            filters = const(f"{name}.weights", values.reshape(shape))
            add(layer, "Conv", filters, const(f"{name}.bias", np.asarray(layer.bias)), pads=[layer.number(4)] * 4)
        elif layer.kind == "PReLU":
            add(layer, "PRelu", const(f"{name}.slopes", values.reshape(-1, 1, 1)))
        elif layer.kind == "PixelShuffle":
            add(layer, "DepthToSpace", blocksize=layer.number(0), mode="CRD")
        elif layer.kind == "Interp":
            scales = const(f"{name}.scales", np.array([1, 1, layer.settings[1], layer.settings[2]]))
            coordinates = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
            add(layer, "Resize", "", scales, mode="nearest", **coordinates)
        elif layer.kind == "BinaryOp":
            add(layer, "Add")
    entry, outcome = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, "height", "width"])
        for name in ("data", "enlarged")
    )
    nodes.append(helper.make_node("Identity", ["output"], ["enlarged"]))
    graph = helper.make_graph(nodes, param.stem, [entry], [outcome], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())
