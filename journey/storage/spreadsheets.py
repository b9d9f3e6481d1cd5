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
    is_formula = _FORMULA.match
    # One expression, because exports have millions of cells. Most begin with a letter or a digit, which is seen first.
    csv.writer(text).writerows(
        [f"'{cell}" if isinstance(cell, str) and not cell[:1].isalnum() and is_formula(cell) else cell for cell in row]
        for row in rows
    )
    return text.getvalue().encode()
