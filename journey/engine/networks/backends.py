"""What can run a network, and which of them does here: found by running a small tile, not by what a machine claims."""

from __future__ import annotations

import functools
import importlib.util
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

import numpy as np

from journey.engine.networks import bundled
from journey.engine.networks.network import FAST, BackendName, Hardware
from journey.errors import CannotStart, JourneyError
from journey.processes import usable_cores

if TYPE_CHECKING:
    from journey.engine.networks.network import Pixels

log = logging.getLogger(__name__)

Enlarge: TypeAlias = "Callable[[Pixels], Pixels]"
"""Makes a tile larger: (height, width, 3) uint8, for the one shape that the network was loaded for."""

_TILE = (32, 32)


class HardwareMissing(CannotStart):
    """The settings demand something that this machine does not have."""


class Backend(Protocol):
    """Something that runs networks. `unit` is what it computes on, `precision` the numbers it computes with."""

    @property
    def label(self) -> str: ...
    @property
    def unit(self) -> Literal["CPU", "GPU"]: ...
    @property
    def precision(self) -> Literal["f32", "bf16"]: ...

    def load(self, file: Path, height: int, width: int) -> Enlarge:
        """Make a network ready for tiles of this shape.

        Raises JourneyError, with a sentence, when the files are broken; NotImplementedError, with a reason, when it
        cannot run networks of this kind; RuntimeError when it cannot run here at all.
        """
        ...


def unavailable_reason() -> str | None:
    """Why no network can run on this machine, as a sentence; None when they can."""
    if not is_installed("openvino") and not is_installed("ncnn"):
        return (
            "The embedded engine is not available here: neither OpenVINO nor ncnn is installed. "
            "docs/performance.md says for which systems they exist."
        )
    return bundled.missing_reason()


def is_installed(name: BackendName) -> bool:
    return importlib.util.find_spec(name) is not None


def describe(backend: Backend) -> str:
    """`OpenVINO, bfloat16`, for people."""
    numbers = {"f32": "float32", "bf16": "bfloat16"}[backend.precision]
    return f"{backend.label}{' on the graphics chip' if backend.unit == 'GPU' else ''}, {numbers}"


@functools.lru_cache(maxsize=4)
def backend_for(hardware: Hardware, only: BackendName | None = None) -> Backend:
    """The best backend that runs a small tile here. Raises HardwareMissing, which names the setting."""
    bundled_file = bundled.folder() / FAST.file
    for backend in _candidates(hardware, only):
        try:
            backend.load(bundled_file, *_TILE)(np.full((*_TILE, 3), 127, np.uint8))
        except (RuntimeError, JourneyError) as error:
            # OpenVINO names bfloat16 even on processors that then refuse it, and graphics drivers may be broken.
            log.info("%s cannot run here: %s", describe(backend), type(error).__name__)
            continue
        return backend
    raise HardwareMissing(_unmet(hardware, only))


def _candidates(hardware: Hardware, only: BackendName | None) -> Iterator[Backend]:
    """Every backend that the settings allow, the best first."""
    threads = max(1, usable_cores() // hardware.share)
    has_openvino = only != "ncnn" and is_installed("openvino")
    has_ncnn = only != "openvino" and is_installed("ncnn")
    if hardware.device != "cpu" and hardware.precision != "bf16":
        yield from _on_graphics(threads, has_openvino=has_openvino, has_ncnn=has_ncnn)
    if hardware.device == "gpu":
        return
    if has_openvino:
        from journey.engine.networks.openvino_backend import OpenVino

        if hardware.precision != "f32":
            yield OpenVino("CPU", "bf16", threads)
        if hardware.precision != "bf16":
            yield OpenVino("CPU", "f32", threads)
    if has_ncnn and hardware.precision != "bf16":
        from journey.engine.networks.ncnn_backend import Ncnn

        yield Ncnn("CPU", threads)


def _on_graphics(threads: int, *, has_openvino: bool, has_ncnn: bool) -> Iterator[Backend]:
    if has_openvino:
        from journey.engine.networks.openvino_backend import OpenVino, has_gpu

        if has_gpu():
            yield OpenVino("GPU", "f32", threads)
    if has_ncnn:
        from journey.engine.networks.ncnn_backend import Ncnn, vulkan_devices

        yield from (Ncnn("GPU", threads, device) for device in vulkan_devices())


def _unmet(hardware: Hardware, only: BackendName | None) -> str:
    if hardware.device == "gpu" and not is_installed("ncnn"):
        return (
            "JOURNEY_ENGINE_DEVICE: OpenVINO finds no graphics chip here. For a Vulkan card install the extra `ncnn` "
            "(make run EXTRAS=ncnn), or use auto or cpu."
        )
    if hardware.device == "gpu":
        return "JOURNEY_ENGINE_DEVICE: no graphics chip was found on this machine; use auto or cpu."
    if hardware.precision == "bf16":
        return "JOURNEY_ENGINE_PRECISION: this processor does not compute with bfloat16; use auto or f32."
    return f"The embedded engine cannot run here: {only or 'neither OpenVINO nor ncnn'} runs a small picture."
