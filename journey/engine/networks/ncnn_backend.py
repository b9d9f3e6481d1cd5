"""Networks run by ncnn: on graphics cards through Vulkan, and on processors that OpenVINO is not made for."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from journey.engine.networks.ncnn_files import broken
from journey.errors import JourneyError

if TYPE_CHECKING:
    from journey.engine.networks.backends import Enlarge
    from journey.engine.networks.network import Pixels

_VULKAN_SOFTWARE = 4
_NCNN_SOFTWARE = 3
"""The kind of a device that is the processor in disguise, which is slower than using the processor directly."""


@dataclass(frozen=True)
class Ncnn:
    """Runs networks on the processor, or on the Vulkan device with the number `device`."""

    unit: Literal["CPU", "GPU"]
    threads: int
    device: int = 0
    precision: ClassVar[Literal["f32"]] = "f32"
    label: ClassVar[str] = "ncnn"

    def load(self, file: Path, height: int, width: int) -> Enlarge:
        """Raises JourneyError for broken files and for networks that are not in ncnn's own format."""
        import ncnn

        if file.suffix != ".param":
            raise NotImplementedError("ncnn reads .param and .bin only")
        weights = file.with_suffix(".bin")
        for each in (file, weights):
            if not each.is_file():
                raise JourneyError(f"The network {file.stem} cannot be loaded: {each.name} is missing.")
        net = ncnn.Net()
        is_gpu = self.unit == "GPU"
        net.opt.num_threads = self.threads
        net.opt.use_vulkan_compute = is_gpu
        # Half precision moves pixels, and on processors without arithmetic for it, it is no faster.
        net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
        if is_gpu:
            net.set_vulkan_device(self.device)
        if net.load_param(str(file)) or net.load_model(str(weights)):
            raise JourneyError(broken(file))
        entries, outcomes = net.input_names(), net.output_names()
        if len(entries) != 1 or not outcomes:
            raise JourneyError(broken(file))
        entry, outcome = entries[0], "output" if "output" in outcomes else outcomes[-1]

        def enlarge(tile: Pixels) -> Pixels:
            extractor = net.create_extractor()
            extractor.input(entry, _mat(tile))
            code, result = extractor.extract(outcome)
            if code:
                raise JourneyError("The network could not process a tile; memory may be short.")
            return _pixels(np.array(result, copy=False))

        return enlarge


def vulkan_devices(*, software: bool = False) -> list[int]:
    """The numbers of the graphics cards that ncnn can use; with `software`, those of drivers that emulate one."""
    # ncnn lists every device on the terminal when it is first asked, so it is asked only where that leads somewhere.
    if not any((kind == _VULKAN_SOFTWARE) is software for kind in _vulkan_kinds()):
        return []
    import ncnn

    numbers = range(ncnn.get_gpu_count())
    return [number for number in numbers if (ncnn.get_gpu_info(number).type() == _NCNN_SOFTWARE) is software]


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


def _vulkan_kinds() -> list[int]:
    """The kind of each Vulkan device; none where there is no loader, or no driver behind it."""
    loader = {"win32": "vulkan-1.dll", "darwin": "libvulkan.1.dylib"}.get(sys.platform, "libvulkan.so.1")
    try:
        vulkan = ctypes.CDLL(loader)
    except OSError:
        return []
    instance = ctypes.c_void_p()
    if vulkan.vkCreateInstance(ctypes.byref(_InstanceCreateInfo(kind=1)), None, ctypes.byref(instance)):
        return []
    try:
        count = ctypes.c_uint32()
        vulkan.vkEnumeratePhysicalDevices(instance, ctypes.byref(count), None)
        devices = (ctypes.c_void_p * count.value)()
        vulkan.vkEnumeratePhysicalDevices(instance, ctypes.byref(count), devices)
        return [_kind(vulkan, device or 0) for device in devices[: count.value]]
    finally:
        vulkan.vkDestroyInstance(instance, None)


def _kind(vulkan: ctypes.CDLL, device: int) -> int:
    # VkPhysicalDeviceProperties takes 824 bytes; the kind follows four other numbers.
    properties = (ctypes.c_uint32 * 512)()
    vulkan.vkGetPhysicalDeviceProperties(ctypes.c_void_p(device), properties)
    return properties[4]


def _mat(tile: Pixels) -> Any:
    import ncnn

    height, width, _ = tile.shape
    mat = ncnn.Mat.from_pixels(np.ascontiguousarray(tile), ncnn.Mat.PixelType.PIXEL_RGB, width, height)
    mat.substract_mean_normalize([0.0, 0.0, 0.0], [1 / 255] * 3)
    return mat


def _pixels(values: np.ndarray) -> Pixels:
    """(3, H, W) of 0..1 as (H, W, 3) of 0..255."""
    if values.ndim != 3 or values.shape[0] != 3:
        raise JourneyError("The network does not make one RGB picture of another.")
    levels = values * np.float32(255)
    np.clip(levels, 0, 255, out=levels)
    np.rint(levels, out=levels)
    return levels.astype(np.uint8).transpose(1, 2, 0)
