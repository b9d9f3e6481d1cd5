"""Text with something between its cells: where an address ends, and where the same mark belongs to it."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from journey.printing.numbers import ascii_digits
from journey.studio.batches import lines
from journey.studio.batches.lines import holds_address
from journey.studio.batches.tables import Reading, is_heading, readings_of, table_of

COMMENT = re.compile(r"\s*(?:#(?!\s*[,;|\t])|//\s|<!--)")
"""How a line begins that a person wrote for people. A `#` of its own is the name of a column."""
_TITLES = 4
"""The most rows with a title, each in a cell of its own, above the names of columns."""
DELIMITERS = {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas"}


@dataclass(frozen=True)
class _Grid:
    """Rows of cells. `counts` are the addresses in each column; `is_named` when the heading is in words that we know.

    `is_even` is False when the rows differ so much in length that these are hardly columns.
    """

    heading: list[str] | None
    body: list[list[str]]
    first: int
    counts: list[int]
    is_named: bool
    is_even: bool


def of_columns(text: str, delimiter: str, plain: Reading, *, is_sure: bool) -> tuple[int, list[Reading]] | None:
    """The readings of a text with this between its cells, and how well it fits; None when it has no such columns."""
    mark = re.escape(delimiter)
    is_sure = is_sure or delimiter == "\t" or bool(re.search(rf'"[ ]?{mark}|{mark}[ ]?"', text))
    grid = _grid(_cells(text, delimiter), delimiter, is_sure=is_sure) if delimiter in text else None
    if grid is None:
        return None
    addresses = sum(grid.counts)
    if not grid.heading and addresses == sum(bool(cell) for row in grid.body for cell in row):
        return addresses, [plain]
    how = f"Columns between {DELIMITERS.get(delimiter, delimiter)}"
    columns = readings_of(table_of(grid.body, grid.heading, first=grid.first), how)
    splits, belongs, unclear = _evidence(grid.body, delimiter)
    if not grid.is_even:
        return (0, [plain, *columns]) if splits + unclear and not grid.heading else None
    if not grid.heading and addresses > max(grid.counts):
        return addresses, [*columns, plain]
    if not addresses and not grid.is_named:
        return 1, _without_addresses(grid.body, columns, plain)
    if is_sure:
        return addresses + 1, columns
    if belongs or (unclear and not splits and not grid.heading):
        return addresses, [plain, *columns]
    return addresses, columns if splits or grid.heading else [plain]


def _grid(rows: list[list[str]], delimiter: str, *, is_sure: bool) -> _Grid | None:
    filled = [at for at, row in enumerate(rows) if any(row)]
    if not filled:
        return None
    named = heading_at(rows)
    heading = None if named is None else rows[named]
    start = filled[0] if named is None else named + 1
    usual = Counter(len(row) for row in rows[start:] if any(row)).most_common(1)[0][0]
    expected = len(heading) if heading else usual if is_sure else None
    body = [_rejoined(row, expected, delimiter) for row in rows[start:]]
    widths = Counter(len(row) for row in body if any(row))
    # No address holds a tab, so that one row with a tab is enough.
    width = len(heading) if heading else max(widths) if delimiter == "\t" else widths.most_common(1)[0][0]
    is_even = delimiter == "\t" or widths[width] >= (0.5 if heading or is_sure else 0.8) * widths.total()
    counts = [sum(holds_address(row[at]) for row in body if at < len(row)) for at in range(max(widths))]
    top = rows[filled[0]]
    if not heading and len(filled) > 1 and len(top) == width and _stands_above(top, counts):
        heading, body, start = top, body[1:], start + 1
    return _Grid(heading, body, start + 1, counts, named is not None, is_even and width > 1)


def heading_at(rows: Sequence[Sequence[str]]) -> int | None:
    """Where the row of names is: at the top, perhaps under titles; None when there is none, or nothing under it."""
    filled = [at for at, row in enumerate(rows) if any(row)]
    for at in filled[: _TITLES + 1]:
        if is_heading(rows[at]) and at != filled[-1] and (at == filled[0] or len(rows[at]) > 1):
            return at
        if sum(map(bool, rows[at])) > 1 or any(map(holds_address, rows[at])):
            break
    return None


def _stands_above(top: Sequence[str], counts: Sequence[int]) -> bool:
    """True for a first row that has no address, but a word above those of the others."""
    most = max(counts)
    return most > 0 and not any(map(holds_address, top)) and any(top[counts.index(most) :][:1])


def _without_addresses(body: Sequence[Sequence[str]], columns: list[Reading], plain: Reading) -> list[Reading]:
    """Of columns without a heading that we know, and without an address: task ids, with the pictures of their grids."""
    behind = [cell for row in body for cell in row[1:] if cell]
    firsts = [row[0] for row in body if any(row)]
    if all(re.fullmatch("[0-9]{1,3}", ascii_digits(cell)) for cell in firsts) and len(behind) == len(firsts):
        table = replace(table_of(body, None), column=1)
        numbered = all(lines.index_in(cell) for cell in firsts)
        return readings_of(replace(table, index=0 if numbered else None), columns[0].how)
    if all(lines.index_in(cell) is not None for cell in behind):
        return [plain]
    later = [cell for row in body[1:] for cell in row[1:] if cell]
    if later and all(lines.index_in(cell) for cell in later):
        table = table_of(body[1:], body[0], first=2)
        named = replace(table, column=0, index=1 if len(table.names) == 2 else None)
        return readings_of(named, columns[0].how)
    return [plain] if all(line.wanted and line.wanted.kind == "url" for line in plain.lines) else [plain, *columns]


def _evidence(body: Sequence[Sequence[str]], delimiter: str) -> tuple[int, int, int]:
    """Of lines with an address: in how many the delimiter ends it, belongs to it, or may do either."""
    splits = belongs = unclear = 0
    for row in body:
        at = next((place for place, cell in enumerate(row) if holds_address(cell)), None)
        if at is None:
            continue
        if any(row[:at]):
            splits += 1
            continue
        behind = [cell for cell in row[at + 1 :] if not holds_address(cell)]
        if not any(behind):
            continue
        rest = delimiter.join(behind)
        if _goes_on(row[at], rest):
            belongs += 1
        elif re.search(r"\s", rest) or (lines.has_ending(row[at]) and not re.search("[/=?&]", rest)):
            splits += 1
        else:
            unclear += 1
    return splits, belongs, unclear


def _goes_on(head: str, rest: str) -> bool:
    """True when the rest of a line can only be the rest of the address."""
    if lines.has_ending(head):
        return False
    return lines.has_ending(rest) or bool(
        re.search(r"[^\W\d][\w.~%-]*[/=]|/[^/]*[^\W\d]", rest) and not re.search(r"\s", rest)
    )


def _rejoined(row: list[str], expected: int | None, delimiter: str) -> list[str]:
    """A row whose address, which is not quoted, holds the delimiter: it has more cells than the `expected` ones."""
    at = next((place for place, cell in enumerate(row) if holds_address(cell)), None)
    if at is None:
        return row
    until = next((place for place in range(at + 1, len(row)) if holds_address(row[place])), len(row))
    if expected is not None:
        until = min(until, at + 1 + len(row) - expected)
    if until <= at + 1 or not _goes_on(row[at], delimiter.join(row[at + 1 : until])):
        return row
    return [*row[:at], delimiter.join(row[at:until]), *row[until:]]


def _cells(text: str, delimiter: str) -> list[list[str]]:
    """The rows as a spreadsheet reads them, stripped; comments are blank rows, empty last columns are left out."""
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=delimiter != "\t"))
    except (csv.Error, TypeError):  # a cell of more than 131,072 characters, so not a list of pictures
        return []
    rows = [[] if row and len(row) == 1 and COMMENT.match(row[0]) else [cell.strip() for cell in row] for row in rows]
    rows = [[] if row and row[0].startswith("#") and row[0] != "#" else row for row in rows]
    if any("\n" in cell and re.search(r"\n\W*https?:", cell) for row in rows for cell in row):
        return []  # a quotation mark that nobody closed has swallowed lines
    width = max((at + 1 for row in rows for at, cell in enumerate(row) if cell), default=0)
    return [row[:width] for row in rows]
