"""The database: one engine, short transactions, schema upgrades, and the lock of the one worker."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import alembic.command
import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from filelock import FileLock, Timeout

from journey.errors import CannotStart

BUSY_TIMEOUT_MS = 8_000
"""How long SQLite waits for another writer; below the 10 s in which a webhook must be answered."""

_ADVISORY_LOCK = 0x6A6F75726E6579
"""An arbitrary number ("journey" in ASCII) that names the worker's lock in Postgres."""

metadata = sa.MetaData()
"""All tables of the package; each module declares its own."""


class Database:
    """A connection pool with two doors: `read()` and `write()`, each one short transaction.

    No network call and no picture work belongs inside either.
    """

    def __init__(self, url: str) -> None:
        self.url = sa.make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            self._sqlite_path().parent.mkdir(parents=True, exist_ok=True)
            # Pool size is above the threads that read at once: Streamlit's runners and the route handlers.
            self.engine = sa.create_engine(self.url, pool_size=20, max_overflow=20)
            sa.event.listen(self.engine, "connect", _prepare_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)
        else:
            self.engine = sa.create_engine(self.url, pool_pre_ping=True, pool_size=10, max_overflow=20)
        self._writing = self.engine.execution_options(journey_writes=True)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A read-only look at one moment."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that holds the write lock from its start, so that read-then-write cannot collide."""
        with self._writing.begin() as connection:
            yield connection

    def upgrade(self) -> None:
        """Bring the schema up to this code. Raises CannotStart, with nothing changed, when that is not safe."""
        config = Config()
        # ConfigParser would read a % in the path as the start of a variable.
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
        script = ScriptDirectory.from_config(config)
        try:
            with self.write() as connection:
                if not self.is_sqlite:
                    connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ADVISORY_LOCK + 1})
                current = MigrationContext.configure(connection).get_current_revision()
                known = {revision.revision for revision in script.walk_revisions()}
                if current is not None and current not in known:
                    raise CannotStart(
                        "The database was made by a newer version of this program. "
                        "Start that version, or point JOURNEY_DATA_DIR (or JOURNEY_DATABASE_URL) somewhere else."
                    )
                if current != script.get_current_head():
                    config.attributes["connection"] = connection
                    alembic.command.upgrade(config, "head")
        except sa.exc.DBAPIError as error:
            raise CannotStart(f"The database at {self.place} cannot be used: {error.orig}.") from error

    @property
    def place(self) -> str:
        """Where the database is, fit to be shown (no password)."""
        return str(self._sqlite_path()) if self.is_sqlite else self.url.render_as_string(hide_password=True)

    def worker_lock(self) -> WorkerLock:
        """The lock that lets one process work the queues of this database."""
        return _FileWorkerLock(self._sqlite_path()) if self.is_sqlite else _PostgresWorkerLock(self.engine)

    def check(self) -> None:
        """Raises an SQLAlchemy error when the database cannot be reached."""
        with self.read() as connection:
            connection.execute(sa.text("SELECT 1"))

    def close(self) -> None:
        self.engine.dispose()

    def _sqlite_path(self) -> Path:
        return Path(self.url.database or "journey.db")


class WorkerLock:
    """Held by at most one process; let go by the operating system or the server when that process dies."""

    def acquire(self) -> bool:
        """Take the lock, or say False at once."""
        raise NotImplementedError

    def still_held(self) -> bool:
        """False when the lock was lost, for example because the database restarted."""
        raise NotImplementedError

    def release(self) -> None:
        raise NotImplementedError


class _FileWorkerLock(WorkerLock):
    def __init__(self, database: Path) -> None:
        self._lock = FileLock(database.with_name(database.name + ".worker"), thread_local=False)

    def acquire(self) -> bool:
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            return False
        return True

    def still_held(self) -> bool:
        return self._lock.is_locked

    def release(self) -> None:
        self._lock.release()


class _PostgresWorkerLock(WorkerLock):
    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._connection: sa.Connection | None = None

    def acquire(self) -> bool:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        if connection.scalar(sa.text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _ADVISORY_LOCK}):
            self._connection = connection
            return True
        connection.close()
        return False

    def still_held(self) -> bool:
        if self._connection is None:
            return False
        try:
            self._connection.execute(sa.text("SELECT 1"))
        except sa.exc.DBAPIError:
            self._connection = None
            return False
        return True

    def release(self) -> None:
        if self._connection is not None:
            # Closing for good, not back into the pool: the lock belongs to the session.
            self._connection.invalidate()
            self._connection.close()
            self._connection = None


def sqlite_wal_is_safe(version: tuple[int, int, int]) -> bool:
    """True for SQLite versions without the checkpoint race that can corrupt a WAL database.

    Fixed in 3.51.3, and in the branches 3.50 (3.50.7) and 3.44 (3.44.6).
    """
    return version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # Transactions are begun by _begin_sqlite; the driver must not begin its own.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA journal_mode={'WAL' if sqlite_wal_is_safe(sqlite3.sqlite_version_info) else 'TRUNCATE'}")
    # A task id must survive a power cut: a lost one would be a lost payment.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("journey_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
