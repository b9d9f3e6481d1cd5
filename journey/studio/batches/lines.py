"""One line, or one cell, of what people give: which pictures it names, or why it names none. Pure functions."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from journey.api.models import GRID_INDEXES, ID_LIMIT, usable_id
from journey.errors import one_line
from journey.outside.addresses import URL_LIMIT
from journey.outside.masking import SHORTENED, is_shortened, masked_text
from journey.outside.pasted import cleaned
from journey.printing.numbers import ascii_digits
from journey.studio.batches.headings import Role, role_of

ROWS_LIMIT = 200
"""The most lines in one batch."""

_SHOWN = 120
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_WEB = re.compile(r"https?:", re.IGNORECASE)
_BEGINS = re.compile(r"https?:|www\.", re.IGNORECASE)
_BETWEEN = re.compile(r"[,;|\s](?=\W{0,3}(?:https?:|www\.))", re.IGNORECASE)
_APART = re.compile(r"[,;|\t]")
_BULLET = re.compile(r"\s*(?:[-*+•‣–—>]\s+(?:\[[ xX]?\]\s+)?|\d{1,4}[.)]\s+)+")
_LABEL = re.compile(r"(?:parent[ _-]?)?(?:task|job)(?:[ _-]?id)?\s*[:=]\s*", re.IGNORECASE)
_LINKED = re.compile(
    r"\[!\[[^\]]*\]\(\s*<?([^)\s>]+)[^)]*\)\]\([^)]*\)|!?\[[^\]]*\]\(\s*<?((?:[^()\s>]|\([^()\s]*\))+)[^)]*\)"
)
_INDEX = re.compile(r"(?:[^\W\d]{0,12}[.:=\s]*#?\s*)([0-9]{1,3})(?:[.,]0+)?")
_NAMED_INDEX = re.compile(r"([^\W\d]+)[.:=\s]*#?\s*([0-9]{1,2})")
_ENCLOSED = re.compile(r"[^<>()]*(?:\((https?:(?:[^()\s]|\([^()\s]*\))+)\)|<(https?:[^<>\s]+)>)[\s,;]*", re.IGNORECASE)
_ALL = frozenset(
    {"all", "alle", "tous", "toutes", "todas", "todos", "tutte", "tutti", "1-4", "すべて", "全部"}
    | {"-", "–", "—", "null", "none", "nan", "n/a", "\\n"}
)
"""What stands for all four pictures of a grid, or for nothing, which means the same."""
_PICTURE = re.compile(r"\.(?:jpe?g|jpe|jfif|png|webp|gif|bmp|tiff?|avif|heic)$", re.IGNORECASE)


@dataclass(frozen=True)
class Wanted:
    """One picture (or a grid of four, without `index`) that somebody wants.

    `value` is an address, a task id, the id of an entry whose result is meant, the id of an entry of whose source our
    copy is meant, or, for an upload, its name and a number that tells it from the others.
    """

    kind: Literal["url", "task", "entry", "copy", "upload"]
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
        """The text on one line, its addresses masked, cut for showing. Still untrusted."""
        text = masked_text(self.text[: 4 * _SHOWN])
        return one_line(text, _SHOWN) + ("…" if len(text) > _SHOWN else "")


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


def of_text(text: str, place: str, index: str = "") -> list[Line]:
    """What a line or a cell names: nothing if it is blank, several lines if it holds several addresses or tasks.

    `index` is what stands in a column of its own: which picture of a task's grid.
    """
    plain = _LINKED.sub(lambda link: f" {link[1] or link[2]} ", _BULLET.sub("", text, count=1)).strip()
    whole = cleaned(plain)
    if not whole:
        return []
    if len(plain) > 20 * URL_LIMIT:
        return [bad(place, plain, f"This line has {len(plain):,} characters. Put each address on a line of its own.")]
    begins = _BEGINS.search(plain)
    is_one = not (begins and _BETWEEN.search(plain, begins.end())) and not any(map(str.isspace, whole))
    if is_one and is_address(whole):
        return [_address(whole, place, plain)]
    apart = _BETWEEN.sub(" ", plain).split()
    parts = [part for each in apart if (part := cleaned(each))]
    addresses = [part for part in parts if is_address(part)]
    if addresses and len(addresses) == len(parts):
        return [_address(part, place, each) for each in apart if (part := cleaned(each))]
    if addresses:
        if enclosed := _enclosed(plain):
            return [_address(cleaned(each), place, each) for each in enclosed]
        if len(addresses) == 1 and is_address(whole) and has_ending(parts[-1]) and not has_ending(parts[0]):
            return [_address("%20".join(whole.split()), place, plain)]
        return [bad(place, plain, "Put each address on a line of its own, with nothing else on it.")]
    ids = _LABEL.sub("", plain)
    if _SCHEME.match(ids) or "/" in ids or "\\" in ids:
        return [bad(place, plain, "This is not the address of a picture: those begin with https:// or http://.")]
    return _tasks(ids, place, index)


def of_task(task_id: str, index: str, place: str) -> Line:
    """A task id, with what stands for the picture of its grid: "" for all."""
    return _task([task_id, index] if index.strip() else [task_id], task_id, place)


def _enclosed(text: str) -> list[str]:
    """The addresses of a text in which each stands in brackets behind its name: `koi.png (https://…), <https://…>`."""
    found, end = [], 0
    while match := _ENCLOSED.match(text, end):
        found.append(match[1] or match[2])
        end = match.end()
    return found if end == len(text) else []


def is_address(text: str) -> bool:
    """True for what begins as the address of a picture does."""
    return bool(_WEB.match(text))


@functools.lru_cache(maxsize=20_000)
def holds_address(cell: str) -> bool:
    """True when a cell holds the address of a picture, and before it nothing but marks or its name."""
    return is_address(cleaned(cell)) or bool(_enclosed(cell))


def has_ending(address: str) -> bool:
    """True when the path of an address ends as the name of a picture does."""
    return bool(_PICTURE.search(re.split("[?#]", address, maxsplit=1)[0].strip()))


def index_in(cell: str) -> str | None:
    """The picture that a cell or a word names: "1" to "4", "" for all four. None when it names none."""
    plain = ascii_digits(cell).strip().strip("#\"'").lower()
    if not plain or plain in _ALL:
        return ""
    found = _INDEX.fullmatch(plain)
    return found[1] if found and found[1] in GRID_INDEXES else None


def bad(place: str, text: str, problem: str) -> Line:
    """A line that names no picture, and why."""
    return Line(place, text, None, problem)


def _address(text: str, place: str, as_given: str) -> Line:
    if len(text) > URL_LIMIT:
        return bad(place, text, f"This address has {len(text):,} characters; addresses have at most {URL_LIMIT:,}.")
    if not text.isprintable():
        return bad(place, text, "This address contains characters that no address can have. Copy it again.")
    if is_shortened(as_given):
        return bad(place, text, SHORTENED)
    return Line(place, text, Wanted("url", text))


def _tasks(text: str, place: str, index: str) -> list[Line]:
    """Task ids, each perhaps with the picture of its grid: `abc`, `abc 3`, `abc,3`, `abc, index: 3`, `abc,def`."""
    found: list[Line] = []
    task_id = ""
    for part in _APART.split(text):
        words = [word for each in part.split() if (word := cleaned(each))]
        if task_id and words and _names_a_picture(" ".join(words)):
            if found and found[-1].wanted == Wanted("task", task_id):
                found.pop()
            words.insert(0, task_id)
        if words:
            task_id = words[0]
            found.append(_task(words if words[1:] or not index.strip() else [task_id, index], text, place))
    return next(([line] for line in found if line.wanted is None), found)


def _task(words: Sequence[str], text: str, place: str) -> Line:
    task_id, rest = words[0], " ".join(words[1:])
    if not usable_id(task_id) and not rest and len(task_id) > ID_LIMIT:
        return bad(place, text, f"This has {len(task_id):,} characters; task IDs have at most {ID_LIMIT}.")
    index = index_in(rest)
    if not usable_id(task_id) or (index is None and len(words) > 2):
        return bad(place, text, "This is neither the address of a picture nor a task ID.")
    if index is None:
        problem = "After a task ID, only the picture of a grid can follow: 1, 2, 3, 4 or all."
        return bad(place, f"{task_id} {rest}", problem)
    return Line(place, f"{task_id} {index}".strip(), Wanted("task", task_id, index or None))


def _names_a_picture(text: str) -> bool:
    """True for what stands for a picture of a grid, or tries to."""
    named = _NAMED_INDEX.fullmatch(ascii_digits(text))
    if named and role_of(named[1]) in (Role.INDEX, Role.PICTURE, Role.NUMBER):
        return True
    return text.lower() in _ALL or bool(re.fullmatch("#?[0-9]{1,2}", ascii_digits(text)))
