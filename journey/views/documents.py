"""Where the documents are, once `make docs` has built them, and which of them helps with which page of the studio."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

PATH = "/docs"
"""Below this, the studio shows them."""

_PACKAGE = Path(__file__).parents[1]

HELP: Mapping[str, str] = {
    "Upscale": "tutorial/first-print",
    "Batch": "how-to/spreadsheet",
    "Print size": "reference/print-numbers",
    "History": "reference/states",
    "Compare": "explanation/upscaling",
    "Spend": "how-to/team",
}
"""The document for each page, by its title."""


def folder(package: Path = _PACKAGE) -> Path | None:
    """The built site: that of the wheel, else that of the checkout. None when there is none."""
    places = [package / "_docs"]
    if (package.parent / "docs" / "conf.py").is_file():
        places.append(package.parent / "build" / "docs")
    return next((place for place in places if (place / "index.html").is_file()), None)


def help_for(title: str) -> str | None:
    """The path of the document that helps with a page; None when the documents are not built."""
    if folder() is None:
        return None
    return f"{PATH}/{HELP[title]}.html" if title in HELP else f"{PATH}/"
