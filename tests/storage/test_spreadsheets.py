"""Rows as CSV."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from journey.storage.spreadsheets import csv_lines

TEXT = st.text(st.sampled_from("aÖ鯉7 ,;\"'=+-@＝\t\r\n_\x00\u202e…"), max_size=6)
ROWS = st.lists(st.tuples(TEXT | st.none(), TEXT, st.integers() | st.floats(allow_nan=False)), max_size=4)


@given(ROWS)
def test_lines_are_those_of_the_standard_library(rows: list[tuple[str | None, str, float]]) -> None:
    """Whatever the cells hold, they are quoted as Python's own writer would, and only formulas are not read back."""
    lines = csv_lines(rows).decode()
    read = list(csv.reader(io.StringIO(lines, newline="")))
    again = io.StringIO(newline="")
    csv.writer(again).writerows(read)
    assert lines == again.getvalue()
    for written, row in zip(read, rows, strict=True):
        for cell, value in zip(written, row, strict=True):
            said = "" if value is None else str(value)
            assert cell in ((said,) if said[:1].isalnum() or not isinstance(value, str) else (said, f"'{said}"))
