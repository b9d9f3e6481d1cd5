"""Tags and comments: what people write about entries."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from journey.errors import InvalidRequest, one_line
from journey.history.tables import COMMENT_LIMIT, TAG_LIMIT, entries, storable, tags
from journey.storage.database import Transactions


class Labels:
    """Reads and writes tags and comments."""

    def __init__(self, database: Transactions) -> None:
        self._database = database

    def known_tags(self) -> list[str]:
        """All tags in use, in alphabetical order."""
        with self._database.read() as connection:
            return self._known_tags(connection)

    def tags_of(self, ids: Sequence[str]) -> dict[str, list[str]]:
        """The tags of these entries, by id; those without any are left out."""
        with self._database.read() as connection:
            return tags_of(connection, ids)

    def tag(self, ids: Sequence[str], tag: str) -> str:
        """Give these entries a tag, and return it as it is spelled. Raises InvalidRequest if it cannot be a tag.

        Tags that differ only in upper and lower case are the same tag, which keeps its first spelling.
        """
        with self._database.write() as connection:
            spelled = self._spelled(connection, [tag])
            self._tag(connection, ids, spelled)
        return spelled[0]

    def untag(self, ids: Sequence[str], tag: str) -> None:
        with self._database.write() as connection:
            connection.execute(tags.delete().where(tags.c.entry_id.in_(ids), tags.c.tag == tag))

    def describe(self, entry_id: str, *, tags_now: Sequence[str], comment: str) -> None:
        """Replace the tags and the comment of an entry. Raises InvalidRequest, and then changes nothing."""
        if len(comment) > COMMENT_LIMIT:
            raise InvalidRequest(f"Comments have up to {COMMENT_LIMIT:,} characters; this one has {len(comment):,}.")
        with self._database.write() as connection:
            spelled = self._spelled(connection, tags_now)
            if connection.scalar(sa.select(entries.c.id).where(entries.c.id == entry_id)) is None:
                raise InvalidRequest("This task has been deleted in the meantime.")
            connection.execute(tags.delete().where(tags.c.entry_id == entry_id, tags.c.tag.not_in(spelled)))
            self._tag(connection, [entry_id], spelled)
            connection.execute(
                entries.update()
                .where(entries.c.id == entry_id)
                .values(**storable({"comment": comment.strip() or None}))
            )

    def _tag(self, connection: sa.Connection, ids: Sequence[str], spelled: Sequence[str]) -> None:
        there = connection.execute(
            sa.select(tags.c.entry_id, tags.c.tag).where(tags.c.entry_id.in_(ids), tags.c.tag.in_(spelled))
        )
        has = {(row.entry_id, row.tag) for row in there}
        known = connection.scalars(sa.select(entries.c.id).where(entries.c.id.in_(ids)))
        new = [{"entry_id": each, "tag": tag} for each in known for tag in spelled if (each, tag) not in has]
        if new:
            connection.execute(tags.insert(), new)

    def _spelled(self, connection: sa.Connection, wanted: Sequence[str]) -> list[str]:
        """These tags in the spelling that is in use already, each once. Raises InvalidRequest."""
        known = {tag.casefold(): tag for tag in self._known_tags(connection)}
        spelled = []
        for tag in wanted:
            clean = one_line(tag, TAG_LIMIT + 1)
            if not 0 < len(clean) <= TAG_LIMIT:
                raise InvalidRequest(f"A tag has 1 to {TAG_LIMIT} characters.")
            spelled.append(known.setdefault(clean.casefold(), clean))
        return list(dict.fromkeys(spelled))

    def _known_tags(self, connection: sa.Connection) -> list[str]:
        return sorted(map(str, connection.scalars(_EACH_TAG)), key=str.casefold)


def _each_tag() -> sa.Select[tuple[str]]:
    """From each tag to the next by the index. For DISTINCT, Postgres goes through all tags of all entries."""
    known = sa.select(sa.func.min(tags.c.tag).label("tag")).cte("known", recursive=True)
    following = sa.select(sa.func.min(tags.c.tag)).where(tags.c.tag > known.c.tag).scalar_subquery()
    known = known.union_all(sa.select(following).where(known.c.tag.is_not(None)))
    return sa.select(known.c.tag).where(known.c.tag.is_not(None))


_EACH_TAG = _each_tag()


def tags_of(connection: sa.Connection, ids: Sequence[str]) -> dict[str, list[str]]:
    """The tags of these entries, by id; those without any are left out."""
    found: dict[str, list[str]] = {}
    rows = connection.execute(sa.select(tags).where(tags.c.entry_id.in_(ids))).all()
    for row in sorted(rows, key=lambda row: row.tag.casefold()):
        found.setdefault(row.entry_id, []).append(row.tag)
    return found
