"""How tables of a batch look: pictures need high rows, and a long table scrolls."""

from __future__ import annotations

ROW_HEIGHT = 64
"""Screen pixels."""
ROWS_SEEN = 8


def table_height(rows: int) -> int:
    """The height in screen pixels of this many rows and their header."""
    return ROW_HEIGHT * min(rows, ROWS_SEEN) + 40
