"""The tables, the limits of what they hold, and how entries are read from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from journey.api.answers import KEPT_ANSWER
from journey.api.models import TaskStatus
from journey.history.entries import Entry, Moment, NewEntry
from journey.history.states import State
from journey.outside.addresses import URL_LIMIT
from journey.outside.masking import masked_text
from journey.provider import PROVIDERS, Provider
from journey.storage.database import metadata
from journey.storage.stored import StoredPicture
from journey.storage.uses import Claim, User

ERROR_LIMIT = 2_000
COMMENT_LIMIT = 4_000
"""The most characters of an error and of a comment."""

TAG_LIMIT = 40

_TEXT_LIMITS = {"error": ERROR_LIMIT, "note": ERROR_LIMIT, "answer": KEPT_ANSWER, "comment": COMMENT_LIMIT}


LOWER_NAME = "lower(name)"
PIXELS = "coalesce(CAST(result_width AS BIGINT) * result_height, -1)"
TOOK = "coalesce(finished_at - created_at, -1)"
"""What lists are sorted by, as SQL: an index on an expression is used only for the very same one."""


class ProviderName(sa.TypeDecorator[Provider]):
    """A provider in a column that holds its name."""

    impl = sa.String(16)
    cache_ok = True

    def process_bind_param(self, value: Provider | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else value.name

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Provider | None:
        return None if value is None else PROVIDERS[value]


entries = sa.Table(
    "entries",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("fingerprint", sa.String(64), index=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("engine", ProviderName, key="provider", nullable=False),
    sa.Column("type", sa.String(2), nullable=False),
    sa.Column("model", sa.String(100), key="network"),
    sa.Column("person", sa.String(320)),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("image_url", sa.Text),
    sa.Column("parent_task_id", sa.String(200)),
    sa.Column("index", sa.String(1)),
    sa.Column("source_key", sa.String(64), index=True),
    sa.Column("source_file", sa.String(200)),
    sa.Column("source_width", sa.Integer),
    sa.Column("source_height", sa.Integer),
    sa.Column("webhook_url", sa.Text),
    sa.Column("webhook_secret", sa.Text),
    sa.Column("webhook_token", sa.String(64), unique=True),
    sa.Column("task_id", sa.String(200), index=True),
    sa.Column("task_status", sa.String(16)),
    sa.Column("percentage", sa.Integer),
    sa.Column("credits", sa.Integer, nullable=False),
    sa.Column("hinted_task_id", sa.String(200)),
    sa.Column("result_url", sa.Text),
    sa.Column("result_key", sa.String(64), index=True),
    sa.Column("result_file", sa.String(200)),
    sa.Column("result_width", sa.Integer),
    sa.Column("result_height", sa.Integer),
    sa.Column("result_bytes", sa.BigInteger),
    sa.Column("result_model", sa.String(100)),
    sa.Column("error", sa.Text),
    sa.Column("answer", sa.Text),
    sa.Column("note", sa.Text),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("archive_attempts", sa.Integer, nullable=False),
    sa.Column("due_at", sa.Float),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("submitted_at", sa.Float),
    sa.Column("changed_at", sa.Float, nullable=False),
    sa.Column("finished_at", sa.Float),
    sa.Column("batch", sa.String(32), index=True),
    sa.Column("came_from", sa.String(200), index=True),
    sa.Column("came_from_index", sa.String(1)),
    sa.Column("comment", sa.Text),
    sa.Column("then_type", sa.String(2)),
    sa.Column("then_network", sa.String(100)),
    sa.Column("follows", sa.String(32), index=True),
    sa.Index("entries_state_due", "state", "due_at"),
    sa.Index("entries_moved", "state", "changed_at"),
    sa.Index("entries_newest", "created_at", "id"),
    sa.Index("entries_state", "state", "created_at", "id"),
    sa.Index("entries_person", "person", "created_at", "id"),
    sa.Index("entries_way", "provider", "type", "state", "created_at", "id"),
    sa.Index("entries_by_name", sa.text(LOWER_NAME), sa.text("created_at DESC"), sa.text("id DESC")),
    sa.Index("entries_by_size", sa.text(PIXELS), "created_at", "id"),
    sa.Index("entries_by_cost", "credits", "created_at", "id"),
    sa.Index("entries_by_time", sa.text(TOOK), "created_at", "id"),
)

# Everything that lists are filtered and sorted by: a sixth of the table, and the database can answer from it alone.
# Postgres can index rows of up to 2,704 bytes, so no text without a limit belongs here.
sa.Index(
    "entries_list",
    *(
        entries.c[name]
        for name in (
            "created_at",
            "id",
            "state",
            "provider",
            "type",
            "person",
            "batch",
            "name",
            "task_id",
            "credits",
            "finished_at",
            "result_key",
            "result_width",
            "result_height",
            "result_bytes",
        )
    ),
)
HAS_COMMENT = entries.c.comment.is_not(None)
sa.Index("entries_commented", entries.c.id, sqlite_where=HAS_COMMENT, postgresql_where=HAS_COMMENT)

HAS_RESULT = entries.c.result_key.is_not(None)
sa.Index("entries_kept", entries.c.finished_at, sqlite_where=HAS_RESULT, postgresql_where=HAS_RESULT)

CLAIMS = (Claim(User.RESULT, entries.c.result_key), Claim(User.SOURCE, entries.c.source_key))
"""An entry uses its result and its source, whatever its state."""

timeline = sa.Table(
    "timeline",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("entry_id", sa.String(32), sa.ForeignKey("entries.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("words", sa.Text),
)

tags = sa.Table(
    "tags",
    metadata,
    sa.Column("entry_id", sa.String(32), sa.ForeignKey("entries.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("tag", sa.String(TAG_LIMIT), primary_key=True, index=True),
)

deleted_calls = sa.Table(
    "deleted_calls",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("engine", ProviderName, key="provider", nullable=False),
    sa.Column("person", sa.String(320)),
    sa.Column("task_status", sa.String(16)),
    sa.Column("credits", sa.Integer, nullable=False),
    sa.Column("result_width", sa.Integer),
    sa.Column("result_height", sa.Integer),
    sa.Column("submitted_at", sa.Float, nullable=False, index=True),
    sa.Column("changed_at", sa.Float, nullable=False),
)
"""What deleted entries cost, in columns named as in `entries`: deleting a task does not give its credits back."""

removals = sa.Table("removals", metadata, sa.Column("key", sa.String(64), primary_key=True))
"""Keys of files whose entries were deleted. Written with the deletion, so that a crash leaves no file behind."""

pauses = sa.Table(
    "pauses",
    metadata,
    sa.Column("engine", ProviderName, key="provider", primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("since", sa.Float, nullable=False),
)

_OF_A_SOURCE = ("source_key", "source_file", "source_width", "source_height")
_OF_A_RESULT = ("result_file", "result_width", "result_height")
_MADE_OF_SEVERAL = {"source": _OF_A_SOURCE, "source_size": (), "result": _OF_A_RESULT, "result_size": ()}
"""Fields of an entry that are read from several columns, and those columns. The sizes share those of the pictures."""

_NAMES = [name for field in fields(Entry) for name in _MADE_OF_SEVERAL.get(field.name, (field.name,))]
COLUMNS = [entries.c[name] for name in _NAMES]
"""The columns that `entry_of` needs."""

_TOLD = ("error", "answer", "note")
"""What is read for people. It may repeat what a server said, and so hold a signed address."""


def entry_of(row: sa.Row[*tuple[Any, ...]]) -> Entry:
    """The entry in a row that begins with COLUMNS, with the addresses in its texts masked."""
    values = dict(zip(_NAMES, row, strict=False))
    values |= {name: masked_text(values[name]) for name in _TOLD if values[name]}
    key, file, *size = (values.pop(name) for name in _OF_A_SOURCE)
    source = StoredPicture(key, file, *size) if key and file and all(size) else None
    file, width, height = (values.pop(name) for name in _OF_A_RESULT)
    state, key, status = State(values.pop("state")), values["result_key"], values.pop("task_status")
    is_stored = state is State.FINISHED and key and file and width and height
    return Entry(
        **values,
        state=state,
        task_status=TaskStatus(status) if status else None,
        source=source,
        source_size=(size[0], size[1]) if all(size) else None,
        result=StoredPicture(key, file, width, height, values["result_bytes"]) if is_stored else None,
        result_size=(width, height) if width and height else None,
    )


def moment_of(row: sa.Row[*tuple[Any, ...]]) -> Moment:
    """The step in a row of `timeline`, with the addresses in its words masked."""
    return Moment(row.at, State(row.state), row.words and masked_text(row.words))


def one(connection: sa.Connection, where: sa.ColumnElement[bool]) -> Entry | None:
    """The first entry that this is true of."""
    row = connection.execute(sa.select(*COLUMNS).where(where)).first()
    return None if row is None else entry_of(row)


def wishes_of(connection: sa.Connection, ids: Sequence[str]) -> list[NewEntry]:
    """What these entries asked for, oldest first, ready to be queued again."""
    names = [field.name for field in fields(NewEntry) if field.name != "source"]
    columns = [*COLUMNS, entries.c.fingerprint, entries.c.webhook_secret]
    rows = connection.execute(sa.select(*columns).where(entries.c.id.in_(ids)).order_by(entries.c.created_at))
    found = []
    for row in rows:
        known, (fingerprint, webhook_secret) = entry_of(row), row[-2:]
        wish = {name: getattr(known, name) for name in names if hasattr(known, name)}
        found.append(NewEntry(**wish, source=known.source, fingerprint=fingerprint, webhook_secret=webhook_secret))
    return found


def row_of(new: NewEntry) -> dict[str, Any]:
    """The columns of a new entry, ready to be stored."""
    values = {field.name: getattr(new, field.name) for field in fields(new) if field.name != "source"}
    return storable(values | _columns("source", new.source))


def result_columns(result: StoredPicture) -> dict[str, Any]:
    """The columns that hold a result."""
    return _columns("result", result) | {"result_bytes": result.bytes}


def _columns(prefix: str, picture: StoredPicture | None) -> dict[str, Any]:
    if picture is None:
        return {}
    return {f"{prefix}_{name}": getattr(picture, name) for name in ("key", "file", "width", "height")}


def storable(changes: dict[str, Any]) -> dict[str, Any]:
    """These values, with text that both databases can hold; SQLite alone would take any length and any character."""
    return {
        name: fit(value, _TEXT_LIMITS.get(name) or entries.c[name].type.length or URL_LIMIT)  # type: ignore[attr-defined]  # only text columns hold text
        if isinstance(value, str)
        else value
        for name, value in changes.items()
    }


def fit(text: str | None, limit: int) -> str | None:
    """The text cut to the limit, without NULs and lone surrogates."""
    if text is None:
        return None
    return text[:limit].encode("utf-8", "replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")
