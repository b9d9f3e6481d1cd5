"""Networks run by OpenVINO, on the processor or on an Intel graphics chip."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import openvino as ov

from journey.engine.networks.openvino_dat import from_dat
from journey.engine.networks.openvino_graphs import from_ncnn, from_onnx

if TYPE_CHECKING:
    from journey.engine.networks.backends import Enlarge
    from journey.engine.networks.network import Pixels

_READERS = {".param": from_ncnn, ".onnx": from_onnx, ".npz": from_dat}


@dataclass(frozen=True)
class OpenVino:
    """Runs networks on `unit`, with numbers of at most this precision and as many threads."""

    unit: Literal["CPU", "GPU"]
    precision: Literal["f32", "bf16"]
    threads: int
    label: ClassVar[str] = "OpenVINO"

    def load(self, file: Path, height: int, width: int) -> Enlarge:
        """Raises JourneyError for broken files, NotImplementedError for layers that are not known here."""
        graph = _READERS[file.suffix](file, height, width)
        options: dict[str, Any] = {"INFERENCE_PRECISION_HINT": self.precision, "PERFORMANCE_HINT": "LATENCY"}
        if self.unit == "CPU":
            # Pinned threads would keep their processor even when a page wants it.
            options |= {"INFERENCE_NUM_THREADS": self.threads, "ENABLE_CPU_PINNING": False}
        compiled = ov.Core().compile_model(graph, self.unit, options)
        if self.precision == "bf16" and compiled.get_property("INFERENCE_PRECISION_HINT") != ov.Type.bf16:
            raise RuntimeError("bfloat16 is not used on this processor")
        request = compiled.create_infer_request()
        lock = threading.Lock()

        def enlarge(tile: Pixels) -> Pixels:
            with lock:
                result: Pixels = request.infer({0: np.ascontiguousarray(tile)[np.newaxis]}, share_inputs=True)[0][0]
                return result

        return enlarge


def has_gpu() -> bool:
    """True when OpenVINO finds a graphics chip that it can use."""
    return any(unit.startswith("GPU") for unit in ov.Core().available_devices)
