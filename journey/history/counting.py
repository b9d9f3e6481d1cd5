"""Numbers that triggers of the database keep, so that no page has to count entries.

`counts` says how many entries there are in each state, by provider, multiplier and person; `spent` what calls have come
to in each month. Nobody is the empty string in both. The triggers are made by the migrations.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from journey.history.tables import ProviderName
from journey.storage.database import metadata

if TYPE_CHECKING:
    from journey.history.filtering import Filter

counts = sa.Table(
    "counts",
    metadata,
    sa.Column("state", sa.String(16), primary_key=True),
    sa.Column("engine", ProviderName, key="provider", primary_key=True),
    sa.Column("type", sa.String(2), primary_key=True),
    sa.Column("person", sa.String(320), primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
)
"""`bytes` are those of the results that are stored."""

spent = sa.Table(
    "spent",
    metadata,
    sa.Column("month", sa.String(7), primary_key=True),
    sa.Column("person", sa.String(320), primary_key=True),
    sa.Column("engine", ProviderName, key="provider", primary_key=True),
    *(
        sa.Column(name, sa.BigInteger, nullable=False)
        for name in ("finished", "pixels", "credits", "accepted", "failed_there")
    ),
)
"""Calls by the month in which they were sent, those of deleted entries as well."""


def number_of(connection: sa.Connection, wanted: Filter) -> int:
    """How many entries have the states, provider, multiplier and person of this filter, whatever else it asks for."""
    return _sum(connection, counts.c.number, _where(wanted))


def bytes_of_results(connection: sa.Connection) -> int:
    return _sum(connection, counts.c.bytes, [])


def persons(connection: sa.Connection) -> list[str]:
    """Everybody who has an entry, in alphabetical order."""
    query = sa.select(counts.c.person).distinct().where(counts.c.person != "", counts.c.number > 0)
    return sorted(map(str, connection.scalars(query)))


def _where(wanted: Filter) -> list[sa.ColumnElement[bool]]:
    states: Collection[str] = wanted.states
    found: list[sa.ColumnElement[bool]] = [counts.c.state.in_(states)] if states else []
    given = ((counts.c.provider, wanted.provider), (counts.c.type, wanted.type), (counts.c.person, wanted.person))
    return found + [column == value for column, value in given if value is not None]


def _sum(connection: sa.Connection, column: sa.Column[Any], where: list[sa.ColumnElement[bool]]) -> int:
    return int(connection.scalar(sa.select(sa.func.coalesce(sa.func.sum(column), 0)).where(*where)) or 0)
