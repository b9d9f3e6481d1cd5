"""Words that entries are searched by, and their index: FTS5 in SQLite, pg_trgm in Postgres, both of groups of three.

`searched` holds what an entry is known by, spelled for the index; triggers note in `unsearched` whose words have
changed. `Index.piece` catches up with that, a few hundred entries at a time, so that a process that is killed has lost
nothing. Until it has caught up, and where there can be no such index, lists look at every entry instead.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from journey.errors import DatabaseAway, one_line
from journey.history.labels import tags_of
from journey.history.tables import entries
from journey.storage.database import Transactions, metadata

log = logging.getLogger(__name__)

PIECE = 500
"""How many entries are indexed in one transaction."""
REST_SECONDS = 0.05
IDLE_SECONDS = 2.0

SHORT_WINDOW = 20_000
"""One or two letters are looked for in this many of the newest entries: no index of groups of three knows them."""
ENOUGH = 12
"""So many characters lead to few enough entries, each of which is then compared with the whole word."""
ID_LENGTH = 8
"""From how many characters on the beginning of an ID is enough to find it."""
MOST_BY_ID = 1_000
_LAST = "zzzzzzzz"
"""Behind what an ID may go on with, in every collation."""

searched = sa.Table(
    "searched",
    metadata,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("entry_id", sa.String(32), sa.ForeignKey("entries.id", ondelete="CASCADE"), nullable=False, unique=True),
    sa.Column("words", sa.Text, nullable=False),
)
"""`number` grows with the time at which the entry was added, so that the newest are found first without sorting."""

unsearched = sa.Table("unsearched", metadata, sa.Column("entry_id", sa.String(32), primary_key=True))

INDEX = "searched_words"
_words = sa.table(INDEX, sa.column("rowid"), sa.column("words"))

_ADDED = f"INSERT INTO {INDEX} (rowid, words) VALUES (NEW.number, NEW.words);"  # noqa: S608  our own names
_GONE = f"INSERT INTO {INDEX} ({INDEX}, rowid, words) VALUES ('delete', OLD.number, OLD.words);"  # noqa: S608  as above
_OF_SQLITE = (
    (
        f"CREATE VIRTUAL TABLE {INDEX} USING fts5(words, content='searched', content_rowid='number', "
        "tokenize='trigram case_sensitive 1', detail='none', columnsize=0)"
    ),
    f"CREATE TRIGGER searched_added AFTER INSERT ON searched BEGIN {_ADDED} END",
    f"CREATE TRIGGER searched_gone AFTER DELETE ON searched BEGIN {_GONE} END",
    f"CREATE TRIGGER searched_changed AFTER UPDATE OF words ON searched BEGIN {_GONE} {_ADDED} END",
)
_OF_POSTGRES = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    f"CREATE INDEX {INDEX} ON searched USING gin (words gin_trgm_ops)",
)

_PLAIN = re.compile(r"[^ -~\n]|[*?\[%_\\]")
_LETTERS = str.maketrans("0123456789abcdef", "ABCDEFGHIJKLMNOP")


def spelled(text: str) -> str:
    """The text without regard to case, in characters that no pattern gives a meaning, and no index passes over.

    Each character that is not plain ASCII becomes six capital letters. So one Japanese character is as good as six
    others, and both databases can index it, whatever their locale.
    """
    same = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return _PLAIN.sub(lambda found: f"X{ord(found[0]) & 0xFFFFF:05x}".translate(_LETTERS), same)


def has_index(connection: sa.Connection) -> bool:
    if connection.dialect.name == "sqlite":
        query = sa.text("SELECT count(*) FROM sqlite_master WHERE name = :name")
    else:
        query = sa.text("SELECT count(*) FROM pg_class WHERE oid = to_regclass(:name)")
    return bool(connection.scalar(query, {"name": INDEX}))


class Index:
    """Catches up with what has changed."""

    def __init__(self, database: Transactions, *, piece: int = PIECE) -> None:
        self._database = database
        self._piece = piece

    def prepare(self) -> None:
        """Make the index where this database can have one; where it cannot, the log says why."""
        is_sqlite = self._database.is_sqlite
        try:
            with self._database.write() as connection:
                if not has_index(connection):
                    for statement in _OF_SQLITE if is_sqlite else _OF_POSTGRES:
                        connection.exec_driver_sql(statement)
        except (DatabaseAway, sa.exc.DBAPIError) as error:
            reason = error.reason if isinstance(error, DatabaseAway) else str(error.orig)
            wanted = "SQLite with FTS5" if is_sqlite else "the extension pg_trgm"
            log.warning("searches look at every task: an index for them needs %s (%s)", wanted, one_line(reason, 200))

    def step(self) -> float:
        """Index some entries; the seconds to rest before the next."""
        return REST_SECONDS if self.piece() else IDLE_SECONDS

    def piece(self) -> bool:
        """Index a few entries, in one transaction. True when there may be more."""
        waiting = sa.select(unsearched.c.entry_id).limit(self._piece)
        with self._database.read() as connection:
            if not has_index(connection) or connection.scalar(waiting) is None:
                return False
        with self._database.write() as connection:
            ids = list(connection.scalars(waiting))
            _index(connection, ids)
            connection.execute(unsearched.delete().where(unsearched.c.entry_id.in_(ids)))
        return len(ids) == self._piece

    def is_current(self) -> bool:
        """True when searches may rely on it: what little has changed since is indexed now."""
        few = sa.select(unsearched.c.entry_id).limit(self._piece)
        with self._database.read() as connection:
            if not has_index(connection):
                return False
            behind = len(connection.scalars(few).all())
        if behind == self._piece:
            return False
        try:
            return not (behind and self.piece())
        except DatabaseAway:
            return False


def _index(connection: sa.Connection, ids: Sequence[str]) -> None:
    columns = (entries.c[name] for name in ("id", "created_at", "name", "person", "comment"))
    rows = connection.execute(
        sa.select(*columns).where(entries.c.id.in_(ids)).order_by(entries.c.created_at, entries.c.id)
    ).all()
    tags = tags_of(connection, ids)
    words = {
        row.id: spelled("\n".join(filter(None, (row.name, row.person, *tags.get(row.id, ()), row.comment))))
        for row in rows
    }
    known = connection.execute(sa.select(searched).where(searched.c.entry_id.in_(ids)))
    had = {row.entry_id: (row.number, row.words) for row in known}
    for entry_id, (number, before) in had.items():
        if words[entry_id] != before:
            connection.execute(searched.update().where(searched.c.number == number).values(words=words[entry_id]))
    wanted = {row.id: int(row.created_at * 1_000_000) * 1_000 for row in rows if row.id not in had}
    taken = set(connection.scalars(sa.select(searched.c.number).where(searched.c.number.in_(set(wanted.values())))))
    new = []
    for entry_id, number in wanted.items():
        while number in taken or (number % 1_000 and connection.scalar(_is_taken(number))):
            number += 1  # noqa: PLW2901  the next one that is free
        taken.add(number)
        new.append({"number": number, "entry_id": entry_id, "words": words[entry_id]})
    if new:
        connection.execute(searched.insert(), new)


def _is_taken(number: int) -> sa.Select[tuple[int]]:
    return sa.select(searched.c.number).where(searched.c.number == number)


def looked_for(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """These words, spelled for the index: those that it knows, and those of one or two letters."""
    found = [spelled(word) for word in words]
    return [word for word in found if len(word) >= 3], [word for word in found if len(word) < 3]


def by_id(connection: sa.Connection, word: str) -> list[str]:
    """Entries whose id, or task's id, is this word or begins with it."""
    spellings = sorted({word, word.lower(), word.upper()})
    where: list[sa.ColumnElement[bool]] = []
    for column in (entries.c.id, entries.c.task_id):
        where.append(column.in_(spellings))
        if len(word) >= ID_LENGTH and any(map(str.isdigit, word)):
            where += [column.between(each, each + _LAST) for each in spellings]
    found: list[str] = []
    for each in where:
        found += connection.scalars(sa.select(entries.c.id).where(each).limit(MOST_BY_ID))
    return found


@dataclass(frozen=True)
class Matches:
    """Ids of entries with all the words, to be sorted and cut by the caller.

    `place` grows with the time at which an entry was added, and is read in order without sorting; None where the
    entries are found in another way. `newest` is how many entries were looked at, when it was not all.
    """

    ids: sa.Select[tuple[str]]
    place: sa.ColumnElement[int] | None
    newest: int | None = None


def matching(
    connection: sa.Connection, known: Sequence[str], short: Sequence[str], *, few: bool = False, alone: bool = False
) -> Matches:
    """What has all these words, spelled.

    With `few`, the caller leaves so few entries that each is looked at; with `alone`, it asks for nothing of `entries`.
    """
    is_sqlite = connection.dialect.name == "sqlite"
    with_entry = entries.c.id == searched.c.entry_id
    if known and is_sqlite and not few:
        tables = _words.join(searched, searched.c.number == _words.c.rowid)
        query = sa.select(searched.c.entry_id).select_from(tables if alone else tables.join(entries, with_entry))
        query = query.where(*(_has(_words.c.words, word[:ENOUGH], is_sqlite) for word in known))
        rest = [word for word in known if len(word) > ENOUGH]
        query = query.where(*(_has(searched.c.words, word, is_sqlite) for word in (*rest, *short)))
        return Matches(query, _words.c.rowid)
    query = sa.select(searched.c.entry_id)
    query = query if alone else query.join(entries, with_entry)
    query = query.where(*(_has(searched.c.words, word, is_sqlite) for word in (*known, *short)))
    if known or few:
        return Matches(query, None if few else searched.c.number)
    numbers = sa.select(searched.c.number).order_by(searched.c.number.desc())
    oldest = connection.scalar(numbers.offset(SHORT_WINDOW).limit(1))
    if oldest is None:
        return Matches(query, searched.c.number)
    return Matches(query.where(searched.c.number > oldest), searched.c.number, SHORT_WINDOW)


def _has(column: sa.ColumnElement[str], word: str, is_sqlite: bool) -> sa.ColumnElement[bool]:
    # Only GLOB and LIKE are answered from the index; `spelled` has left nothing in the word that either would expand.
    return column.op("GLOB")(f"*{word}*") if is_sqlite else column.like(f"%{word}%")
