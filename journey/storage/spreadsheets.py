"""Rows as CSV that every spreadsheet reads correctly and runs nothing from."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable

Cell = str | int | float | None

MARK = codecs.BOM_UTF8
"""Comes before the first line: without it Excel would not read UTF-8."""

# What a spreadsheet takes for a formula (full-width signs as well), and what could split a cell in front of one.
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
_SPECIAL = re.compile('[",\r\n]')
_PLAIN = re.compile(r'\w[^",\r\n]*')
"""Most text: nothing in it has to be written in another way."""


def csv_lines(rows: Iterable[Iterable[Cell]]) -> bytes:
    """Lines of CSV in UTF-8. Text that a spreadsheet would take for a formula gets an apostrophe in front."""
    return joined(map(csv_cell, row) for row in rows)


def csv_cell(cell: Cell) -> str:
    """One cell as it stands in a line."""
    if not isinstance(cell, str):
        return "" if cell is None else str(cell)
    if _PLAIN.fullmatch(cell):
        return cell
    if _FORMULA.match(cell):
        cell = f"'{cell}"
    return '"' + cell.replace('"', '""') + '"' if _SPECIAL.search(cell) else cell


def joined(rows: Iterable[Iterable[str]]) -> bytes:
    """Lines of what `csv_cell` has made: exports have millions of cells, and the same ones again and again."""
    return "".join([f"{line}\r\n" for line in map(",".join, rows)]).encode()
