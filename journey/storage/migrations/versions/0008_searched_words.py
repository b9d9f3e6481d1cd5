"""What entries are searched by, and which have other words by now: triggers note those."""

# ruff: noqa: S608  the names of tables and columns are our own
import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_SAID = ("name", "person", "comment")
"""The columns that are searched."""


def upgrade() -> None:
    op.create_table(
        "searched",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("entry_id", sa.String(length=32), sa.ForeignKey("entries.id", ondelete="CASCADE"), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.UniqueConstraint("entry_id"),
    )
    op.create_table("unsearched", sa.Column("entry_id", sa.String(length=32), primary_key=True))
    op.execute("INSERT INTO unsearched SELECT id FROM entries ORDER BY id")
    sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in _triggers_of_sqlite() if sqlite else _triggers_of_postgres():
        op.execute(statement)


def _triggers_of_sqlite() -> list[str]:
    found = []
    for name, event, entry in (
        ("entries_named", "INSERT ON entries", "NEW.id"),
        ("entries_renamed", f"UPDATE OF {', '.join(_SAID)} ON entries", "NEW.id"),
        ("tags_added", "INSERT ON tags", "NEW.entry_id"),
        ("tags_gone", "DELETE ON tags", "OLD.entry_id"),
    ):
        remember = f"INSERT INTO unsearched VALUES ({entry}) ON CONFLICT DO NOTHING;"
        found.append(f"CREATE TRIGGER {name} AFTER {event} BEGIN {remember} END")
    return found


def _triggers_of_postgres() -> list[str]:
    found = []
    for table, entry, events in (
        ("entries", "NEW.id", f"INSERT OR UPDATE OF {', '.join(_SAID)}"),
        ("tags", "CASE WHEN TG_OP = 'DELETE' THEN OLD.entry_id ELSE NEW.entry_id END", "INSERT OR DELETE"),
    ):
        remember = f"INSERT INTO unsearched VALUES ({entry}) ON CONFLICT DO NOTHING;"
        found += [
            (
                f"CREATE FUNCTION {table}_named() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {remember} "
                "RETURN NULL; END $$"
            ),
            f"CREATE TRIGGER {table}_named AFTER {events} ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_named()",
        ]
    return found
