"""The graphs of ncnn as text: read, written, and rewritten so that a network can be fed strip by strip."""

from __future__ import annotations

from typing import NamedTuple


class Layer(NamedTuple):
    kind: str
    name: str
    inputs: list[str]
    outputs: list[str]
    settings: list[str]

    def __str__(self) -> str:
        counts = (str(len(self.inputs)), str(len(self.outputs)))
        return " ".join((self.kind, self.name, *counts, *self.inputs, *self.outputs, *self.settings))


def parse(text: str) -> list[Layer]:
    layers = []
    for line in text.splitlines()[2:]:
        if words := line.split():
            first, last = 4 + int(words[2]), 4 + int(words[2]) + int(words[3])
            layers.append(Layer(words[0], words[1], words[4:first], words[first:last], words[last:]))
    return layers


def write(layers: list[Layer]) -> str:
    blobs = {name for layer in layers for name in (*layer.inputs, *layer.outputs)}
    return "\n".join(("7767517", f"{len(layers)} {len(blobs)}", *map(str, layers), ""))


def seam(layers: list[Layer]) -> str | None:
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


class ChainGraph(NamedTuple):
    text: str
    entries: list[str]
    """The blob that enters each filter, in order."""

    @property
    def reach(self) -> int:
        """How many source pixels the network sees in each direction."""
        return len(self.entries)


def as_chain(layers: list[Layer]) -> ChainGraph | None:
    """Rewrite a plain chain of 3×3 convolutions so that it can be fed strip by strip; None for other graphs.

    To convolve a strip takes the last two rows that entered the convolution with the strip before. So each
    convolution gets a second input `above<k>`, which is joined on top of the strip, and a second output `below<k>`,
    the last two rows of both together. What follows the convolutions (shuffle, skip and resize, which see one pixel
    at most) is treated the same way. Nothing is padded: the result is smaller by `reach` pixels on every side, and
    no pixel is computed twice.
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
    chain = [Layer("Input", "data", [], ["data"], []), Layer("Input", "middle", [], ["middle"], [])]

    def join(entry: str) -> str:
        k = len(entries)
        entries.append(entry)
        chain.append(Layer("Input", f"above{k}", [], [f"above{k}"], []))
        chain.append(Layer("Concat", f"join{k}", [f"above{k}", entry], [f"tall{k}"], ["0=1"]))
        chain.append(Layer("Split", f"split{k}", [f"tall{k}"], [f"tall{k}a", f"tall{k}b"], []))
        last_rows = ["-23309=1,-2", "-23310=1,2147483647", "-23311=1,1"]
        chain.append(Layer("Crop", f"crop{k}", [f"tall{k}a"], [f"below{k}"], last_rows))
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
        chain.append(Layer(layer.kind, layer.name, [entry], layer.outputs, settings))
        before = layer.outputs[0]
    joined = join(before)
    for layer in tail:
        inputs = [joined if one == before else "middle" if one in source else one for one in layer.inputs]
        chain.append(Layer(layer.kind, layer.name, inputs, layer.outputs, layer.settings))
    return ChainGraph(write(chain), entries)
