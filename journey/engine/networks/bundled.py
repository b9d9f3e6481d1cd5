"""The networks that are always there: their files, taken out of the packages that carry them.

A wheel has them inside. In a checkout, `packing` puts them into one folder of the Python installation;
requirements-networks.txt names the packages.
"""

from __future__ import annotations

import sys
from pathlib import Path

from journey.engine.networks.network import DETAIL, FAST, Network
from journey.errors import JourneyError

VERSIONS_FILE = "versions.txt"
IN_PACKAGE = "files"
"""The folder beside this module in which a wheel has the files."""


def default_folder() -> Path:
    """Where a wheel has the files, or else where `packing` puts them."""
    in_package = Path(__file__).with_name(IN_PACKAGE)
    return in_package if in_package.is_dir() else Path(sys.prefix) / "share" / "journey" / "networks"


def folder() -> Path:
    """Where the files lie. Raises JourneyError when they were not installed."""
    found = default_folder()
    if not found.is_dir():
        raise JourneyError(_MISSING)
    return found


def has(network: Network) -> bool:
    """True when all files of the network are there."""
    file = default_folder() / network.file
    return file.is_file() and (file.suffix != ".param" or file.with_suffix(".bin").is_file())


def missing_reason() -> str | None:
    """Why no network at all can be used, as a sentence; None when they can."""
    return None if has(FAST) and has(DETAIL) else _MISSING


def versions() -> str:
    """The packages that the files were taken from, with their versions; `none` when there are none."""
    try:
        return (default_folder() / VERSIONS_FILE).read_text("utf-8").strip()
    except OSError:
        return "none"


_MISSING = (
    "The embedded engine is not available here: the files of its networks are not installed, or not all of them. "
    "Run make run, or install them as docs/how-to/install.md says."
)
