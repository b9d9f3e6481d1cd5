"""A list of one's own papers and products, as print shops sell them: `papers.toml`.

    [[paper]]
    name = "Poster"
    sizes = ["50x70cm", "70x100cm"]
    bleed = "3mm"
    safe_area = "5mm"
    dpi = 200
    format = "JPEG"
    largest_file = "30 MB"

A name and a size have to be there. What cannot be understood stops the start: a bleed or a limit that is left out
without a word would be found out on paper.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from journey import printing
from journey.errors import CannotStart
from journey.printing import PAPERS, SCREENS, FileFormat, Paper, Product, inputs, numbers
from journey.printing.sizes import number_text

FAMILY = "own papers"
NAME_LIMIT = 60
MOST_PAPERS = 500

_TAKEN = {each.casefold() for each in (*PAPERS, *SCREENS, inputs.CUSTOM, "none")}
_ENTRY = re.compile(r"\s*\[\[\s*paper\s*\]\]")


def all_papers(path: Path, *, asked_for: bool = False) -> Mapping[str, Paper]:
    """Those in this file first, then `PAPERS`. Without the file there are none, unless it was `asked_for`.

    Raises CannotStart naming every entry that cannot be understood, with its line and the reason.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        if asked_for:
            raise CannotStart(f"{path}: there is no such file. JOURNEY_PAPERS names a list of papers.") from None
        return PAPERS
    except OSError as error:
        raise CannotStart(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise CannotStart(f"{path} is not text in UTF-8. Save it as such.") from None
    return {**_read(text, path), **PAPERS}


def _read(text: str, path: Path) -> dict[str, Paper]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CannotStart(f"{path} cannot be understood: {error}.") from None
    entries = document.pop("paper", [])
    problems = [f"There is no “{name[:NAME_LIMIT]}”; each entry begins with [[paper]]." for name in document]
    if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
        raise CannotStart(f"{path}: each entry begins with [[paper]].")
    starts = [number for number, line in enumerate(text.splitlines(), 1) if _ENTRY.match(line)]
    papers: dict[str, Paper] = {}
    for place, entry in enumerate(entries):
        try:
            found = _papers(entry)
            known = {name.casefold() for name in papers} | _TAKEN
            if again := next((each.name for each in found if each.name.casefold() in known), None):
                raise ValueError(f"There is a paper named “{again}” already. Choose another name.")
        except ValueError as error:
            line = f"line {starts[place]}" if len(starts) == len(entries) else f"entry {place + 1}"
            problems.append(f"In the entry at {line}{_called(entry)}: {error}")
        else:
            papers |= {each.name: each for each in found}
    if len(papers) > MOST_PAPERS:
        problems.append(f"There are {len(papers):,} papers; the limit is {MOST_PAPERS}.")
    if problems:
        raise CannotStart(f"{path}: {' '.join(problems)}")
    return papers


def _called(entry: Mapping[str, Any]) -> str:
    name = entry.get("name")
    return f", “{name[:NAME_LIMIT]}”" if isinstance(name, str) and name.isprintable() else ""


def _papers(entry: Mapping[str, Any]) -> list[Paper]:
    """A paper for each size. Raises ValueError."""
    if unknown := sorted(entry.keys() - {*_READ, "name", "size", "sizes"}):
        known = ", ".join(["name", "size", "sizes", *_READ])
        raise ValueError(f"“{unknown[0][:NAME_LIMIT]}” is not known. There are {known}.")
    name = " ".join(entry["name"].split()) if isinstance(entry.get("name"), str) else ""
    if not 0 < len(name) <= NAME_LIMIT or not name.isprintable():
        raise ValueError(f"The name must be a text of 1 to {NAME_LIMIT} characters.")
    sizes = entry.get("sizes", [entry["size"]] if "size" in entry else [])
    if not isinstance(sizes, list) or not sizes or not all(isinstance(each, str) for each in sizes):
        raise ValueError('It needs a size, such as size = "50x70cm" or sizes = ["50x70cm", "20x28in"].')
    said: dict[str, Any] = {}
    for word, (field, read) in _READ.items():
        if word in entry:
            said[field] = read(_text(entry[word], word))
    product = Product(name, **said)
    sheets = [inputs.paper_of_size(each) for each in sizes]
    for sheet in sheets:
        printing.pixels_needed(sheet, product.dpi or 300, product.bleed_mm or 0)
        if (product.safe_mm or 0) * 2 >= min(sheet.size.in_unit("mm")):
            raise ValueError(f"A safe area of {product.safe_mm:g} mm leaves nothing of {sheet.label}.")
    return [
        replace(sheet, name=name if len(sheets) == 1 else f"{name} {_size_word(sheet)}", family=FAMILY, product=product)
        for sheet in sheets
    ]


def _size_word(sheet: Paper) -> str:
    return f"{number_text(sheet.width, 3)}x{number_text(sheet.height, 3)}{sheet.unit}"


def _text(value: object, word: str) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError(f"{word} must be a text or a number.")
    return str(value)


def _format(text: str) -> FileFormat:
    for known in get_args(FileFormat):
        if text.strip().casefold() == known.casefold():
            return known  # type: ignore[no-any-return]  # `get_args` does not know what is in it
    raise ValueError(f"The format must be one of {', '.join(get_args(FileFormat))}.")


def _safe(text: str) -> float:
    return numbers.number(
        inputs.measured(text), 0, 1000, "The safe area must be a number of millimetres from 0 to 1,000."
    )


_READ: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "bleed": ("bleed_mm", lambda text: numbers.bleed(inputs.measured(text))),
    "safe_area": ("safe_mm", _safe),
    "dpi": ("dpi", lambda text: numbers.dpi(inputs.dpi(text))),
    "format": ("format", _format),
    "largest_file": ("largest_mb", inputs.megabytes),
}
"""What an entry may say besides its name and its sizes: the field of a product, and how its text is read."""
