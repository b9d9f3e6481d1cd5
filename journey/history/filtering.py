"""Which entries are meant, as conditions that each database answers from the right index."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Any, Literal

import sqlalchemy as sa

from journey.history import counting
from journey.history.paging import BY_TIME, Order
from journey.history.states import State
from journey.history.tables import HAS_COMMENT, PIXELS, entries, fit, tags
from journey.provider import PROVIDERS, Provider

SEARCH_LIMIT = 200
SEARCH_WORDS = 8
"""How many characters and words of a search are looked at."""

FEW = 5_000
"""So many entries are sorted as fast as they are found; of more, a page is found by walking along the order."""


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which entries are meant. A field that is left out lets all entries through.

    `text` is looked for word by word, without regard to case, in name, person, tags and comment; a word may also be an
    entry id or a task id, or its first eight characters. `fills` is the least width and height of a stored result in
    pixels, either way round. `since` (included) and `until` (excluded) say when an entry was added, in seconds since
    1970. `once` leaves out first steps whose second step is there, so that each order is found once.
    """

    text: str = ""
    states: Collection[State] = ()
    provider: Provider | None = None
    type: Literal["2x", "4x"] | None = None
    person: str | None = None
    tag: str | None = None
    batch: str | None = None
    came_from: str | None = None
    fills: tuple[int, int] | None = None
    since: float | None = None
    until: float | None = None
    once: bool = False

    @property
    def words(self) -> list[str]:
        """What is looked for."""
        text = fit(self.text[:SEARCH_LIMIT], SEARCH_LIMIT) or ""
        return text.split()[:SEARCH_WORDS]


EVERYTHING = Filter()
_COUNTED = frozenset({"states", "provider", "type", "person"})


def is_counted(wanted: Filter) -> bool:
    """True when the kept counters say exactly how many entries are meant."""
    others = (each for each in fields(wanted) if each.name not in _COUNTED)
    return all(getattr(wanted, each.name) == each.default for each in others)


@dataclass(frozen=True)
class Where:
    """The conditions of a filter, without its words. `few`: they lead to so few entries that any order is fast.

    With `often`, the tag is one of many entries: a page of those is found by walking along the order, but they are
    counted from the tag on.
    """

    conditions: list[sa.ColumnElement[bool]]
    few: bool
    often: str | None = None

    @property
    def all(self) -> list[sa.ColumnElement[bool]]:
        """The conditions for a walk along the order."""
        if self.often is None:
            return self.conditions
        return [*self.conditions, sa.exists().where(tags.c.entry_id == entries.c.id, tags.c.tag == self.often)]

    def counted(self) -> sa.Select[tuple[str]]:
        """The ids, in any order."""
        query = sa.select(entries.c.id).where(*self.conditions)
        if self.often is None:
            return query
        return query.join(tags, tags.c.entry_id == entries.c.id).where(tags.c.tag == self.often)


def where(connection: sa.Connection, wanted: Filter, order: Order) -> Where:
    """The conditions for entries that are read in this order.

    SQLite uses an index on a column whenever it can, and then sorts what it finds. So a condition that most entries
    meet is put as an expression, on which there is no index; what it would find comes soon enough on the way along the
    order.
    """
    number = counting.number_of(connection, wanted)
    few = number <= FEW or wanted.batch is not None or wanted.came_from is not None
    found = _equal(wanted, few=few, in_order=order in BY_TIME and len(wanted.states) < 2)
    often = None
    if wanted.tag is not None:
        with_it = sa.select(tags.c.entry_id).where(tags.c.tag == wanted.tag)
        if _are_few(connection, with_it):
            found.append(entries.c.id.in_(with_it))
        else:
            often = wanted.tag
    if wanted.fills is not None:
        found.append(_fills(*wanted.fills))
        # The area says less, but there is an index on it.
        large = sa.select(entries.c.id).where(sa.literal_column(PIXELS) >= math.prod(wanted.fills))
        if _are_few(connection, large):
            found.append(entries.c.id.in_(large))
    if wanted.once:
        later = entries.alias()
        found.append(~sa.exists().where(later.c.follows == entries.c.id))
    if wanted.since is not None:
        found.append(entries.c.created_at >= wanted.since)
    if wanted.until is not None:
        found.append(entries.c.created_at < wanted.until)
    return Where(found, few, often)


def _equal(wanted: Filter, *, few: bool, in_order: bool) -> list[sa.ColumnElement[bool]]:
    """What is compared as it is. `in_order`: the indexes of state and person go on in the order that is wanted."""
    found: list[sa.ColumnElement[bool]] = []
    if wanted.states:
        state = entries.c.state if few or in_order else entries.c.state + ""
        found.append(state.in_(wanted.states))
    if wanted.person is not None:
        found.append((entries.c.person if few or in_order else entries.c.person + "") == wanted.person)
    if wanted.provider is not None:
        name = entries.c.provider if few else entries.c.provider + sa.literal("", sa.String)
        found.append(sa.type_coerce(name, sa.String) == wanted.provider.name)
    elif wanted.type is not None and few:
        found.append(entries.c.provider.in_(PROVIDERS.values()))  # so that the index of both can be used
    same = ((entries.c.type, wanted.type), (entries.c.batch, wanted.batch), (entries.c.came_from, wanted.came_from))
    return found + [column == value for column, value in same if value is not None]


def in_any(word: str, *, is_sqlite: bool) -> sa.ColumnElement[bool]:
    """True of entries with this word in anything that people know them by. It looks at every entry."""
    spellings = {word} if word.isascii() else {word, word.lower(), word.upper(), word.title()}
    patterns = [f"%{_literally(each)}%" for each in sorted(spellings)]
    # SQLite's LIKE ignores the case of ASCII letters only; so does ILIKE in a Postgres database without a locale.
    like = "like" if is_sqlite else "ilike"

    def within(column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        return sa.or_(*(getattr(column, like)(pattern, escape="/") for pattern in patterns))

    commented = sa.select(entries.c.id).where(HAS_COMMENT, within(entries.c.comment))
    tagged = sa.select(tags.c.entry_id).where(within(tags.c.tag))
    listed = (entries.c.name, entries.c.task_id, entries.c.person, entries.c.id)
    return sa.or_(*map(within, listed), entries.c.id.in_(commented), entries.c.id.in_(tagged))


def _are_few(connection: sa.Connection, ids: sa.Select[tuple[str]]) -> bool:
    return len(connection.scalars(ids.limit(FEW + 1)).all()) <= FEW


def _literally(word: str) -> str:
    """A LIKE pattern that matches exactly these characters."""
    return re.sub("([/%_])", r"/\1", word)


def _fills(width: int, height: int) -> sa.ColumnElement[bool]:
    wide, high = entries.c.result_width, entries.c.result_height
    either_way = sa.or_(
        sa.and_(wide >= width, high >= height),
        sa.and_(wide >= height, high >= width),
    )
    return sa.and_(entries.c.result_key.is_not(None), either_way)
