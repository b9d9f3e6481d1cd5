"""Counters of entries, and sums of what calls came to, so that no page has to add them up.

Triggers keep them, so that no writer can forget to.
"""

# ruff: noqa: S608  the names of tables and columns are our own
import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_COUNTED = ("state", "engine", "type", "person")
_SPENT = ("month", "person", "engine")
_SUMS = ("finished", "pixels", "credits", "accepted", "failed_there")


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.create_table(
        "counts",
        sa.Column("state", sa.String(length=16), primary_key=True),
        sa.Column("engine", sa.String(length=16), primary_key=True),
        sa.Column("type", sa.String(length=2), primary_key=True),
        sa.Column("person", sa.String(length=320), primary_key=True),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "spent",
        sa.Column("month", sa.String(length=7), primary_key=True),
        sa.Column("person", sa.String(length=320), primary_key=True),
        sa.Column("engine", sa.String(length=16), primary_key=True),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in _SUMS),
    )
    for statement in (*_counted_so_far(sqlite), *(_triggers_of_sqlite() if sqlite else _triggers_of_postgres())):
        op.execute(statement)


def _counted_so_far(sqlite: bool) -> list[str]:
    counts, spent = _count_values(""), _spent_values("", sqlite)
    names = ", ".join(spent)
    calls = " UNION ALL ".join(
        f"SELECT {', '.join(f'{value} AS {name}' for name, value in spent.items())} FROM {table} "
        "WHERE submitted_at IS NOT NULL"
        for table in ("entries", "deleted_calls")
    )
    return [
        (
            f"INSERT INTO counts ({', '.join(counts)}) SELECT state, engine, type, {counts['person']}, count(*), "
            f"sum({counts['bytes']}) FROM entries GROUP BY state, engine, type, {counts['person']}"
        ),
        (
            f"INSERT INTO spent ({names}) SELECT {', '.join(_SPENT)}, {', '.join(f'sum({each})' for each in _SUMS)} "
            f"FROM ({calls}) AS calls GROUP BY {', '.join(_SPENT)}"
        ),
    ]


def _count_values(row: str) -> dict[str, str]:
    """What a row of `entries` adds to `counts`, by column. `row` is `NEW.` or `OLD.` in a trigger."""
    return {
        **{name: f"{row}{name}" for name in ("state", "engine", "type")},
        "person": f"coalesce({row}person, '')",
        "number": "1",
        "bytes": f"CASE WHEN {row}result_key IS NULL THEN 0 ELSE coalesce({row}result_bytes, 0) END",
    }


def _spent_values(row: str, sqlite: bool) -> dict[str, str]:
    """What a row of `entries` or `deleted_calls` adds to `spent`, by column, when its call was sent."""
    sent = f"{row}submitted_at"
    month = (
        # Whole seconds: strftime would round the last half millisecond of a month into the next one.
        f"strftime('%Y-%m', CAST({sent} AS BIGINT), 'unixepoch')"
        if sqlite
        else f"to_char(to_timestamp({sent}) AT TIME ZONE 'UTC', 'YYYY-MM')"
    )
    pixels = f"CAST({row}result_width AS BIGINT) * {row}result_height"
    failed = f"{row}state = 'failed' AND {row}task_status IS NOT NULL AND {row}task_status <> 'finished'"
    return {
        "month": month,
        "person": f"coalesce({row}person, '')",
        "engine": f"{row}engine",
        "finished": f"CASE WHEN {row}state = 'finished' THEN 1 ELSE 0 END",
        "pixels": f"CASE WHEN {row}state = 'finished' THEN coalesce({pixels}, 0) ELSE 0 END",
        "credits": f"{row}credits",
        "accepted": f"CASE WHEN {row}task_status IS NULL THEN 0 ELSE 1 END",
        "failed_there": f"CASE WHEN {failed} THEN 1 ELSE 0 END",
    }


def _added(table: str, values: dict[str, str], keys: tuple[str, ...], where: str) -> str:
    sums = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in values if name not in keys)
    return (
        f"INSERT INTO {table} ({', '.join(values)}) SELECT {', '.join(values.values())} WHERE {where} "
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {sums};"
    )


def _taken(table: str, values: dict[str, str], keys: tuple[str, ...], where: str) -> str:
    sums = ", ".join(f"{name} = {name} - ({value})" for name, value in values.items() if name not in keys)
    same = " AND ".join(f"{name} = {values[name]}" for name in keys)
    return f"UPDATE {table} SET {sums} WHERE {where} AND {same};"


def _kept(table: str, sqlite: bool) -> tuple[str, str]:
    """What is done for a row that is added to this table, and for one that is taken from it."""
    adds = _added("spent", _spent_values("NEW.", sqlite), _SPENT, "NEW.submitted_at IS NOT NULL")
    takes = _taken("spent", _spent_values("OLD.", sqlite), _SPENT, "OLD.submitted_at IS NOT NULL")
    if table == "deleted_calls":
        return adds, takes
    return (
        _added("counts", _count_values("NEW."), _COUNTED, "NEW.id IS NOT NULL") + adds,
        _taken("counts", _count_values("OLD."), _COUNTED, "OLD.id IS NOT NULL") + takes,
    )


_CHANGING = (
    *("state", "engine", "type", "person", "task_status", "credits", "submitted_at"),
    *("result_key", "result_width", "result_height", "result_bytes"),
)
"""The columns on which counters depend."""


def _triggers_of_sqlite() -> list[str]:
    found = []
    for table in ("entries", "deleted_calls"):
        adds, takes = _kept(table, sqlite=True)
        found += [
            f"CREATE TRIGGER {table}_added AFTER INSERT ON {table} BEGIN {adds} END",
            f"CREATE TRIGGER {table}_gone AFTER DELETE ON {table} BEGIN {takes} END",
        ]
    adds, takes = _kept("entries", sqlite=True)
    differs = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in _CHANGING)
    found.append(
        f"CREATE TRIGGER entries_changed AFTER UPDATE OF {', '.join(_CHANGING)} ON entries WHEN {differs} "
        f"BEGIN {takes} {adds} END"
    )
    return found


def _triggers_of_postgres() -> list[str]:
    found = []
    for table in ("entries", "deleted_calls"):
        adds, takes = _kept(table, sqlite=False)
        found += [
            (
                f"CREATE FUNCTION {table}_counted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                f"IF TG_OP <> 'INSERT' THEN {takes} END IF; IF TG_OP <> 'DELETE' THEN {adds} END IF; "
                "RETURN NULL; END $$"
            ),
            (
                f"CREATE TRIGGER {table}_counted AFTER INSERT OR DELETE ON {table} "
                f"FOR EACH ROW EXECUTE FUNCTION {table}_counted()"
            ),
        ]
    differs = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in _CHANGING)
    found.append(
        f"CREATE TRIGGER entries_changed AFTER UPDATE OF {', '.join(_CHANGING)} ON entries "
        f"FOR EACH ROW WHEN ({differs}) EXECUTE FUNCTION entries_counted()"
    )
    return found
