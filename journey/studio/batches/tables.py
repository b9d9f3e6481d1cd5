"""Lists with columns: which one holds addresses or task ids, and which one says the picture of a grid."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from journey.outside.masking import is_shortened
from journey.studio.batches import lines
from journey.studio.batches.headings import Role, role_of
from journey.studio.batches.lines import Line, Wanted, holds_address

_SHOWN = 120
_EXPORTED = frozenset({"id", "state", "engine", "multiplier", "image_url", "parent_task_id", "came_from", "shortened"})
"""Columns by which an export of History is known, when most of them are there."""
_ANSWERED = frozenset({"status", "task_type", "percentage", "image_urls"})
"""Fields by which an answer of the API is known: of those, the task is meant."""
_SMALLER = re.compile(
    r"thumb|preview|small|mini|vorschau|klein|aper[cç]u|page|site|shop|product|サムネ|缩略", re.IGNORECASE
)


@dataclass(frozen=True)
class Table:
    """Rows of cells under names. All rows are as long as `names`.

    `column` is the one that holds addresses or task ids, None when a person has to choose it. `index` is the one that
    says which picture of a task's grid is meant. `place` is what a row is called, and `first` the number of the first.
    """

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    column: int | None
    index: int | None = None
    place: str = "Row"
    first: int = 1
    has_heading: bool = True

    @property
    def is_export(self) -> bool:
        """True for what History exports, whose rows are read as a whole."""
        return "task_id" in self.names and len(_EXPORTED & set(self.names)) > len(_EXPORTED) / 2

    def lines(self, column: int | None = None) -> list[Line]:
        """What the cells of the column (by default the one that was found) name. Blank rows are left out."""
        chosen = self.column if column is None else column
        columns = [] if chosen is None else [chosen, *(self._stand_ins() if chosen == self.column else [])]
        index = self.index if chosen is None or chosen == self.column else self._index_beside(chosen)
        wants_addresses = any(holds_address(row[at]) for at in columns[:1] for row in self.rows)
        found: list[Line] = []
        for number, row in enumerate(self.rows, start=self.first):
            place = f"{self.place} {number}"
            if not any(cell.strip() for cell in row):
                continue
            if self.is_export and column is None:
                found += _exported(dict(zip(self.names, row, strict=True)), place)
            elif columns:
                # Where the chosen cell holds something else, another may hold the address.
                by_cell = sorted(columns, key=lambda at: wants_addresses and not holds_address(row[at]))
                named = (lines.of_text(row[at], place, row[index] if index is not None else "") for at in by_cell)
                nothing = lines.bad(place, "", f"There is nothing in the column “{self.names[columns[0]]}”.")
                found += next(filter(None, named), [nothing])
        return found

    def _index_beside(self, column: int) -> int | None:
        return _index(self.rows, self.names if self.has_heading else None, column)

    def _stand_ins(self) -> list[int]:
        """Columns that name the picture where the chosen one does not."""
        if not self.has_heading:
            return [at for at in range(len(self.names)) if any(holds_address(row[at]) for row in self.rows)]
        named = (Role.ADDRESS, Role.TASK, Role.PARENT)
        return [at for at, name in enumerate(self.names) if role_of(name) in named and not _SMALLER.search(name)]


@dataclass(frozen=True)
class Reading:
    """One way to understand a list. `how` says which, for people; `table` is set when it has columns."""

    how: str
    lines: tuple[Line, ...]
    table: Table | None = None


def table_of(
    rows: Sequence[Sequence[str]], heading: Sequence[str] | None, *, place: str = "Row", first: int = 1
) -> Table:
    """These rows as a table, with the columns that matter found by their names and by what is in them."""
    width = max(map(len, [*rows, heading or ()]), default=0)
    names = [
        (heading[at].strip()[:_SHOWN] if heading and at < len(heading) else "") or f"Column {at + 1}"
        for at in range(width)
    ]
    body = tuple((*map(str.strip, row), *[""] * (width - len(row))) for row in rows)
    column = _column(body, names if heading else None, width)
    return Table(
        names=tuple(name if names.count(name) == 1 else f"{name} ({at + 1})" for at, name in enumerate(names)),
        rows=body,
        column=column,
        index=None if column is None else _index(body, names if heading else None, column),
        place=place,
        first=first,
        has_heading=heading is not None,
    )


def readings_of(table: Table, how: str) -> list[Reading]:
    """The readings of a table: two when a column may say the picture of a grid, or be a number of something else, and
    when rows name both a picture by its address and a task."""
    if (tasks := _tasks_beside(table)) is not None and table.column is not None:
        by_task = replace(table, column=tasks, index=table._index_beside(tasks))
        return [
            Reading(f"The addresses under “{table.names[table.column]}”", tuple(table.lines()), table),
            Reading(f"The tasks under “{table.names[tasks]}”", tuple(by_task.lines()), by_task),
        ]
    if table.index is None or _says_index(table, table.index):
        return [Reading(how, tuple(table.lines()), table)]
    name, without = table.names[table.index], replace(table, index=None)
    return [
        Reading(f"“{name}” is the picture of a grid", tuple(table.lines()), table),
        Reading(f"“{name}” is something else", tuple(without.lines()), without),
    ]


def is_heading(row: Sequence[str]) -> bool:
    """True for a row of names that we know, and nothing that we would look for."""
    return any(map(role_of, row)) and not any(cell.isdecimal() or holds_address(cell) for cell in row)


def _says_index(table: Table, index: int) -> bool:
    """False when the column may as well be a number of something else, such as of copies or of the rows."""
    is_behind = table.column is not None and index > table.column
    if not table.has_heading:
        return is_behind
    role = role_of(table.names[index])
    counts = [row[index] for row in table.rows] == [str(n) for n in range(1, len(table.rows) + 1)]
    return role in (Role.INDEX, Role.PICTURE) or (role is Role.NUMBER and is_behind and not counts)


def _tasks_beside(table: Table) -> int | None:
    """The column of tasks of a table in which addresses are chosen, when rows have both."""
    if not table.has_heading or table.column is None or table.is_export or _holds_no_address(table):
        return None
    tasks = [at for at, name in enumerate(table.names) if role_of(name) is Role.TASK and at != table.column]
    return next((at for at in tasks if any(row[at] and holds_address(row[table.column]) for row in table.rows)), None)


def _holds_no_address(table: Table) -> bool:
    return not any(holds_address(row[at]) for at in [table.column] if at is not None for row in table.rows)


def _column(rows: Sequence[Sequence[str]], names: Sequence[str] | None, width: int) -> int | None:
    counts = {at: number for at in range(width) if (number := sum(holds_address(row[at]) for row in rows))}
    roles = {at: role_of(name) for at, name in enumerate(names or ())}
    tasks = [at for role in (Role.TASK, Role.PARENT) for at, each in roles.items() if each is role]
    if names and tasks and _ANSWERED & set(names):
        return tasks[0]
    if not counts:
        ids = [at for at, role in roles.items() if role is Role.ID]
        named = [at for at, role in roles.items() if role in (Role.ADDRESS, Role.PICTURE)]
        return next(iter([*tasks, *ids, *named]), None)
    large = [at for at in counts if not (names and _SMALLER.search(names[at]))] or list(counts)
    most = max(counts[at] for at in large)
    best = [at for at in large if counts[at] == most]
    return best[0] if len(best) == 1 else None


def _index(rows: Sequence[Sequence[str]], names: Sequence[str] | None, column: int) -> int | None:
    """The column of the pictures of grids: by its name, or right behind the ids and with nothing else in it."""
    if any(holds_address(row[column]) for row in rows):
        return None
    roles = {at: role_of(name) for at, name in enumerate(names or ())}
    if (named := next((at for at, role in roles.items() if role is Role.INDEX and at != column), None)) is not None:
        return named
    behind = column + 1
    for at in (*(at for at, role in roles.items() if role in (Role.PICTURE, Role.NUMBER) and at != column), behind):
        cells = [row[at] for row in rows if at < len(row)]
        if any(cells) and all(lines.index_in(cell) is not None for cell in cells) and roles.get(at) is not Role.ID:
            return at
    return None


def _exported(row: Mapping[str, str], place: str) -> list[Line]:
    """The picture of a row that History exported: its task's, else the one that it was to enlarge.

    An address that was shortened leads nowhere, so our own copy is taken in its place.
    """
    said = {
        name: cell.removeprefix("'") if re.match(r"'\s*[=+\-@＝＋－＠]", cell) else cell for name, cell in row.items()
    }
    task_id, parent, address, entry = (said.get(name, "") for name in ("task_id", "parent_task_id", "image_url", "id"))
    is_whole = "shortened" in said and "image_url" not in said["shortened"] and not is_shortened(address)
    if task_id and said.get("state") != "failed":
        return [lines.of_task(task_id, "", place)]
    if parent:
        return [lines.of_task(parent, said.get("index", ""), place)]
    if address and is_whole:
        return lines.of_text(address, place)
    if entry:
        return [Line(place, said.get("name") or entry, Wanted("copy", entry))]
    if task_id:
        return [lines.of_task(task_id, "", place)]
    return [
        lines.bad(place, address, "This row has no task ID, and its address was shortened. Paste the whole address.")
    ]
