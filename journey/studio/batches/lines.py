"""Turns what people paste or drop into lines. Each names a picture, or says why it does not. Pure functions."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from journey.api.models import GRID_INDEXES, ID_LIMIT, usable_id
from journey.errors import one_line
from journey.outside.addresses import URL_LIMIT

ROWS_LIMIT = 200
"""The most lines in one batch."""
TEXT_LIMIT = 2_000_000
"""The most characters of a CSV."""

_SHOWN = 120
_KEPT = 4_096
_NEVER_SEEN = "\x00\ufeff\u200b\u200c\u200d\u2060"
_ROUND_IT = " \t\u00a0\"'“”„‘’<>`,;"
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_WEB = re.compile(r"https?:", re.IGNORECASE)
_BETWEEN = re.compile(r"[,;|](?=https?:)", re.IGNORECASE)
_DELIMITERS = "\t;,|"
_HEADING = re.compile(r"((image|picture)?(url|link|address)|href|src|image|picture|file|(task)?id|task)(s|es)?")


@dataclass(frozen=True)
class Wanted:
    """One picture (or a grid of four, without `index`) that somebody wants.

    `value` is an address, a task id, the id of an entry, or, for an upload, its name and a number that tells it
    from the others.
    """

    kind: Literal["url", "task", "entry", "upload"]
    value: str
    index: str | None = None


@dataclass(frozen=True)
class Line:
    """One line of what was given. `text` is untrusted; `times` is how often the same picture was given."""

    place: str
    text: str
    wanted: Wanted | None
    problem: str | None = None
    times: int = 1

    @property
    def shown(self) -> str:
        """The text on one line, cut for showing. Still untrusted."""
        return one_line(self.text, _SHOWN) + ("…" if len(self.text) > _SHOWN else "")


@dataclass(frozen=True)
class Table:
    """A CSV. `column` is the one that holds addresses or task ids; None when none was found."""

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    column: int | None
    first_place: int

    def lines(self, column: int | None = None) -> list[Line]:
        """The cells of the column (by default the one that was found) as lines."""
        chosen = self.column if column is None else column
        if chosen is None:
            return []
        found: list[Line] = []
        for place, row in enumerate(self.rows, start=self.first_place):
            cell = row[chosen] if chosen < len(row) else ""
            if not "".join(row).strip():
                continue
            found += _read(cell, f"Row {place}") or [
                Line(f"Row {place}", "", None, f"There is nothing in the column “{self.names[chosen]}”.")
            ]
        return found


def decode(data: bytes) -> str:
    """The text of a CSV file, as spreadsheets write them: UTF-8 or UTF-16 with a mark, else UTF-8 or Windows-1252."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def read(text: str) -> list[Line]:
    """One line for each address or task id; blank lines and a heading above them are left out."""
    found: list[Line] = []
    for place, line in enumerate(text.splitlines(), start=1):
        found += _read(line, f"Line {place}")
    is_heading = len(found) > 1 and _names_a_column(found[0].shown)
    return found[1:] if is_heading else found


def table(text: str, *, is_file: bool = False) -> Table | None:
    """The text as a CSV, or None when it is a plain list, or too long.

    A comma may belong to an address, so pasted text counts as a table only if something else suggests one: a heading,
    tabs or semicolons, or cells that cannot be part of an address. A file counts as one if it has several columns.
    """
    if len(text) > TEXT_LIMIT:
        return None
    text = _without_unseen(text)
    best: tuple[int, list[list[str]]] | None = None
    for delimiter in _DELIMITERS:
        rows = _split(text, delimiter)
        filled = [row for row in rows if any(cell.strip() for cell in row)]
        if not filled:
            continue
        width, often = Counter(len(row) for row in filled).most_common(1)[0]
        if width < 2 or often < (0.5 if is_file else 0.8) * len(filled):
            continue
        cells = [row for row in filled if len(row) > 1]
        addresses = sum(_is_address(cell) for row in cells for cell in row)
        one_each = not any(sum(map(_is_address, row)) > 1 for row in filled)
        sure = is_file or _has_heading(filled) or (one_each and (delimiter in "\t;" or _has_words(filled)))
        if sure and (is_file or addresses or _has_heading(filled)) and (best is None or addresses > best[0]):
            best = addresses, rows
    if best is None:
        return None
    rows = best[1]
    while rows and not any(cell.strip() for cell in rows[0]):
        rows = rows[1:]
    first = text.splitlines().index(next(line for line in text.splitlines() if line.strip())) + 1
    width = max(len(row) for row in rows)
    heading = rows[0] if not any(_is_address(cell) for cell in rows[0]) and len(rows) > 1 else None
    body = rows[1:] if heading else rows
    names = [
        (heading[place].strip()[:_SHOWN] if heading and place < len(heading) else "") or f"Column {place + 1}"
        for place in range(width)
    ]
    return Table(
        names=tuple(name if names.count(name) == 1 else f"{name} ({place + 1})" for place, name in enumerate(names)),
        rows=tuple(tuple(row) for row in body),
        column=_column(body, heading, width),
        first_place=first + (1 if heading else 0),
    )


def merged(given: Iterable[Line]) -> list[Line]:
    """The same lines without repetitions; the first of each says how many there were."""
    kept: dict[Wanted | tuple[str, str], Line] = {}
    for line in given:
        key = line.wanted or (line.place, line.text)
        kept[key] = replace(kept[key], times=kept[key].times + 1) if key in kept else line
    return list(kept.values())


def too_many(count: int) -> str | None:
    """The sentence to show when a batch cannot take that many lines, or None."""
    if count <= ROWS_LIMIT:
        return None
    return (
        f"These are {count:,} lines; up to {ROWS_LIMIT} go into one batch. Nothing has been looked at or queued. "
        f"Start with the first {ROWS_LIMIT}, and put the others into further batches."
    )


def _read(text: str, place: str) -> list[Line]:
    """What a line or cell names: nothing if it is blank, several lines if it holds several addresses."""
    plain = _without_unseen(text).strip(_ROUND_IT)
    if not plain:
        return []
    if len(plain) > URL_LIMIT and not any(part.isspace() for part in plain):
        return [_bad(place, plain, f"This has {len(plain):,} characters; addresses have at most {URL_LIMIT:,}.")]
    apart = _BETWEEN.sub(" ", plain)
    parts = [part.strip(_ROUND_IT) for part in apart.split()] if len(plain) <= 20 * URL_LIMIT else []
    parts = [part for part in parts if part]
    if not parts:
        return [_bad(place, plain, f"This line has {len(plain):,} characters. Put each address on a line of its own.")]
    if all(_WEB.match(part) for part in parts):
        return [_address(part, place) for part in parts]
    if any(_WEB.match(part) for part in parts):
        return [_bad(place, plain, "Put each address on a line of its own, with nothing else on it.")]
    if _SCHEME.match(plain) or "/" in plain or "\\" in plain or plain.lower().startswith("www."):
        return [_bad(place, plain, "This is not the address of a picture: those begin with https:// or http://.")]
    return [_task(parts, plain, place)]


def _address(text: str, place: str) -> Line:
    if len(text) > URL_LIMIT:
        return _bad(place, text, f"This address has {len(text):,} characters; addresses have at most {URL_LIMIT:,}.")
    if not text.isprintable():
        return _bad(place, text, "This address contains characters that no address can have. Copy it again.")
    return Line(place, text[:_KEPT], Wanted("url", text))


def _task(parts: Sequence[str], plain: str, place: str) -> Line:
    task_id, *rest = parts
    if len(rest) > 1 or not usable_id(task_id):
        return _bad(
            place,
            plain,
            f"This has {len(task_id):,} characters; task IDs have at most {ID_LIMIT}."
            if not rest and len(task_id) > ID_LIMIT
            else "This is neither the address of a picture nor a task ID.",
        )
    index = rest[0].lstrip("#").lower() if rest else "all"
    if index not in (*GRID_INDEXES, "all"):
        return _bad(place, plain, "After a task ID, only the picture of a grid can follow: 1, 2, 3, 4 or all.")
    return Line(place, plain[:_KEPT], Wanted("task", task_id, None if index == "all" else index))


def _bad(place: str, text: str, problem: str) -> Line:
    return Line(place, text[:_KEPT], None, problem)


def _without_unseen(text: str) -> str:
    return text.translate(dict.fromkeys(map(ord, _NEVER_SEEN)))


def _names_a_column(text: str) -> bool:
    """True for what people write above a column of addresses or task ids."""
    return len(text) <= _SHOWN and bool(_HEADING.fullmatch(re.sub(r"[\W_]", "", text.lower())))


def _is_address(cell: str) -> bool:
    return bool(_WEB.match(cell.strip(_ROUND_IT)))


def _split(text: str, delimiter: str) -> list[list[str]]:
    if delimiter not in text:
        return []
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:  # a cell of more than 131,072 characters, so not a list of pictures
        return []


def _has_heading(rows: Sequence[Sequence[str]]) -> bool:
    named = any(_names_a_column(cell) for cell in rows[0])
    some = any(_is_address(cell) for row in rows[1:] for cell in row)
    return len(rows) > 1 and not any(_is_address(cell) for cell in rows[0]) and (named or some)


def _has_words(rows: Sequence[Sequence[str]]) -> bool:
    """True when cells beside an address cannot be part of it: a title with spaces, a number before it."""
    return any(
        any(_is_address(cell) for cell in row) and (not _is_address(row[0]) or any(map(str.isspace, "".join(row[1:]))))
        for row in rows
    )


def _column(rows: Sequence[Sequence[str]], heading: Sequence[str] | None, width: int) -> int | None:
    counts = [sum(_is_address(row[place]) for row in rows if place < len(row)) for place in range(width)]
    if any(counts):
        return counts.index(max(counts))
    return next((place for place, name in enumerate(heading or ()) if _names_a_column(name)), None)
