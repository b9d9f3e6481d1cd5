"""Lists of pictures as people and programs write them: one reader for what is pasted and for what is dropped.

A text that may mean two things has two readings, and a person chooses between them.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from journey.studio.batches import lines
from journey.studio.batches.columns import COMMENT, DELIMITERS, heading_at, of_columns
from journey.studio.batches.markup import found_in, is_markup
from journey.studio.batches.records import of_json
from journey.studio.batches.tables import Reading, readings_of, table_of

TEXT_LIMIT = 2_000_000
"""The most characters of a list with columns; a longer one is read line by line."""

_BREAKS = re.compile("\r\n?|[\u0085\u2028\u2029\f]")
_SEPARATOR = re.compile(r"\s*\"?sep=(.)\"?\s*", re.IGNORECASE)
_RULE = re.compile(r"\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*")
_FORMULA = re.compile(
    r"""'?"?=\s*[^\W\d][\w.]*\(\s*("{1,2})((?:https?:|www\.)[^"\n]+)\1\s*(?:[;,][^\n)]*)?\)"?""", re.IGNORECASE
)


@functools.lru_cache(maxsize=8)
def readings(text: str) -> tuple[Reading, ...]:
    """What the text may mean: one reading, or several that name different pictures."""
    text = _BREAKS.sub("\n", text.removeprefix("\ufeff")).replace("\v", " ").replace("\x00", "")
    if len(text) > TEXT_LIMIT:
        return (_plain(text),)
    if found := of_json(text):
        return _apart(found)
    if is_markup(text):
        page = found_in(text)
        kinds = {"Pictures on the page": page.shown, "Pictures it links to": page.linked, "Other links": page.links}
        found = [_plain("\n".join(addresses), how) for how, addresses in kinds.items() if addresses]
        return _apart(found or _of_text(page.text))
    return _apart(_of_text(_FORMULA.sub(r'"\2"', text)))


def _of_text(text: str) -> list[Reading]:
    rows, forced = text.split("\n"), None
    for at, line in enumerate(rows):
        if line.strip():
            if said := _SEPARATOR.fullmatch(line):
                forced, rows[at] = said[1], ""
            break
    if any(map(_RULE.fullmatch, rows)) and sum("|" in row for row in rows) > 1:
        return _of_markdown(rows)
    text = "\n".join(rows)
    plain = _plain(text)
    best: tuple[int, list[Reading]] | None = None
    for delimiter in [forced] if forced else DELIMITERS:
        found = of_columns(text, delimiter, plain, is_sure=bool(forced))
        if found and (best is None or found[0] > best[0]):
            best = found
    return best[1] if best else [plain]


def _plain(text: str, how: str = "One after the other") -> Reading:
    """Each address and each task id by itself."""
    given = [
        (number, line)
        for number, line in enumerate(text.split("\n"), start=1)
        if line.strip() and not COMMENT.match(line)
    ]
    named = heading_at([re.split(r"[\t;|,]", line) for _, line in given])
    if named is not None:
        given = given[named + 1 :]
    return Reading(how, tuple(each for number, line in given for each in lines.of_text(line, f"Line {number}")))


def _apart(found: Sequence[Reading]) -> tuple[Reading, ...]:
    """Those that name different pictures."""
    kept: dict[tuple[object, ...], Reading] = {}
    for reading in found:
        kept.setdefault(tuple(line.wanted or line.problem for line in reading.lines), reading)
    return tuple(kept.values())


def _of_markdown(rows: Sequence[str]) -> list[Reading]:
    cells = [
        []
        if _RULE.fullmatch(row)
        else [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))]
        for row in rows
    ]
    filled = [row for row in cells if any(row)]
    before_rule = next(at for at, row in enumerate(rows) if _RULE.fullmatch(row))
    has_heading = before_rule > 0 and bool(cells[before_rule - 1]) and filled[0] == cells[before_rule - 1]
    body = filled[1:] if has_heading else filled
    table = table_of(body, filled[0] if has_heading else None, first=2 if has_heading else 1)
    return readings_of(table, "A table")
