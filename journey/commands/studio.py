"""Starts the studio's pages, from a checkout or from where they were installed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import journey
from journey.errors import CannotStart

PACKAGE = Path(journey.__file__).parent


def folder() -> Path:
    """Where app.py, pages/ and .streamlit/ are. Raises CannotStart."""
    for place in (PACKAGE / "_studio", PACKAGE.parent):
        if (place / "app.py").is_file() and (place / "pages").is_dir():
            return place
    raise CannotStart("The pages of the studio are not installed here. Install the package once more.")


def run(host: str, port: int) -> None:
    """Become the studio: this process is replaced, so that signals reach it. Raises CannotStart."""
    place = folder()
    arguments = ["streamlit", "run", str(place / "app.py"), "--server.address", host, "--server.port", str(port)]
    os.execv(sys.executable, [sys.executable, "-m", *arguments])  # noqa: S606  no shell is meant
