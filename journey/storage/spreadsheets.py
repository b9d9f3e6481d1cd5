"""Rows as CSV that every spreadsheet reads correctly and runs nothing from."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable

Cell = str | int | float | None

MARK = codecs.BOM_UTF8
"""Comes before the first line: without it Excel would not read UTF-8."""

# What a spreadsheet takes for a formula (full-width signs as well), and what could split a cell in front of one.
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")


def csv_lines(rows: Iterable[Iterable[Cell]]) -> bytes:
    """Lines of CSV in UTF-8. Text that a spreadsheet would take for a formula gets an apostrophe in front."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(map(_defused, row) for row in rows)
    return text.getvalue().encode()


def _defused(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell
