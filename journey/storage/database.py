"""The database: short transactions, schema upgrades, and the lock of the one worker.

Nobody else needs to know what a driver raises: a database that cannot be reached, or takes no writes, raises
DatabaseAway.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa
from filelock import FileLock, Timeout

from journey.errors import CannotStart, DatabaseAway
from journey.storage import clean_end
from journey.storage.driver_errors import away, line
from journey.storage.failpoints import reach

log = logging.getLogger(__name__)

BUSY_TIMEOUT_MS = 8_000
"""How long a transaction waits for another writer; below the 10 s in which a webhook must be answered."""

CONNECT_SECONDS = 5

_WORKER_LOCK = 0x6A6F75726E6579
"""An arbitrary number ("journey" in ASCII) that names the worker's lock in Postgres."""
_WRITE_LOCK = _WORKER_LOCK + 1

_QUIET_SECONDS = 1.0
"""An upgrade that takes longer says in the log how far it is."""

_NEW_SECONDS = 10.0
"""How long a file may be empty while another process makes a database of it."""

metadata = sa.MetaData()
"""All tables of the package; each module declares its own."""


class Transactions(Protocol):
    """Where rows are read and written: a whole database, or a transaction that is already open."""

    @property
    def is_sqlite(self) -> bool: ...

    def read(self) -> AbstractContextManager[sa.Connection]:
        """A transaction that only reads. Raises DatabaseAway."""

    def write(self) -> AbstractContextManager[sa.Connection]:
        """A transaction that holds the write lock from its start. Raises DatabaseAway."""


class Within(Transactions):
    """Transactions that are all part of one that is already open."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    @property
    def is_sqlite(self) -> bool:
        return self._connection.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        yield self._connection

    write = read


class Database(Transactions):
    """A connection pool with two ways in, `read()` and `write()`. Each is one short transaction.

    No network call and no work on pictures belongs inside either.
    """

    def __init__(self, place: str | Path) -> None:
        """`place` is an address, or the file of an SQLite database.

        Connects to nothing yet. Raises CannotStart when there can be no database at this address."""
        # Parameters would show up in logs and errors, and they include webhook secrets and tokens.
        options: dict[str, Any] = {"max_overflow": 20, "hide_parameters": True}
        try:
            # A file is never spelled as an address: a ? in its name would begin parameters.
            self.url = sa.URL.create("sqlite", database=str(place)) if isinstance(place, Path) else sa.make_url(place)
            if self.is_sqlite:
                self._make_folder()
                # More than the threads that read at once: Streamlit's runners and the route handlers.
                options |= {"pool_size": 20}
            else:
                wait = self.url.query.get("connect_timeout", CONNECT_SECONDS)
                options |= {"pool_size": 10, "pool_pre_ping": True, "connect_args": {"connect_timeout": wait}}
            self.engine = sa.create_engine(self.url, **options)
        except (sa.exc.ArgumentError, ValueError):
            # The message leaves out the address, which may contain a password.
            raise CannotStart("JOURNEY_DATABASE_URL is not an address such as postgresql://user@host/name.") from None
        except ModuleNotFoundError as error:
            raise CannotStart(
                f"JOURNEY_DATABASE_URL needs {error.name}, from the extra `postgres` (make run EXTRAS=postgres)."
            ) from error
        if self.is_sqlite:
            sa.event.listen(self.engine, "connect", _prepare_sqlite)
        sa.event.listen(self.engine, "begin", _begin_sqlite if self.is_sqlite else _begin_postgres)
        self._writing = self.engine.execution_options(journey_writes=True)
        # SQLite shows one moment to a whole transaction by nature.
        one_moment = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._reading = self.engine.execution_options(**one_moment)
        # SQLite makes waiting writers sleep and try again. The threads of one process queue up here instead.
        self._turn = threading.Lock()
        self._file: tuple[int, int] | None = None
        self._was_left_clean = False

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that only reads, and sees one moment of the database. Raises DatabaseAway."""
        with away(), self._reading.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that holds the write lock from its start: no other writer comes between a read and a write.

        Raises DatabaseAway.
        """
        if not self.is_sqlite:
            with away(), self._writing.begin() as connection:
                yield connection
            return
        if not self._turn.acquire(timeout=BUSY_TIMEOUT_MS / 1000):
            raise DatabaseAway("another thread is still writing")
        try:
            with away(), self._writing.begin() as connection:
                yield connection
        finally:
            self._turn.release()

    def upgrade(self) -> None:
        """Upgrade the schema to what this code needs. Raises CannotStart, with nothing changed, if that is not safe.

        Each revision is a transaction of its own, so that a program that is killed meanwhile goes on where it was.
        """
        # Imported here: it costs half a second, and programs that only read do not need it.
        import alembic.command
        from alembic.config import Config
        from alembic.runtime.migration import MigrationContext
        from alembic.script import ScriptDirectory

        config = Config()
        # ConfigParser would read a % in the path as the start of a variable.
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
        script = ScriptDirectory.from_config(config)
        known = {revision.revision for revision in script.walk_revisions()}
        self._refuse_nothing()
        # Before it is opened, which may already undo what a killed program had begun.
        self._was_left_clean = self.is_sqlite and clean_end.is_as_left(self._sqlite_path())
        try:
            with self.write() as connection:
                if damage := self._damage(connection):
                    raise CannotStart(
                        f"The database at {self.place} is damaged ({line(damage)}). "
                        "Put a copy from a backup in its place, or move it away to start with an empty one."
                    )
            current, head, begun = None, script.get_current_head(), time.monotonic()
            while current != head:
                with self.write() as connection:
                    current = MigrationContext.configure(connection).get_current_revision()
                    if current is not None and current not in known:
                        raise CannotStart(
                            f"The database at {self.place} was made by a newer version of this program, or by a "
                            "different program. Start that one, or point JOURNEY_DATA_DIR (or JOURNEY_DATABASE_URL) "
                            "somewhere else."
                        )
                    if time.monotonic() - begun > _QUIET_SECONDS:
                        log.warning("upgrade of the database: at revision %s of %s", current, head)
                    if current == head:
                        # Fails now, not at the first task, when the file or the server takes no writes.
                        connection.exec_driver_sql("UPDATE alembic_version SET version_num = version_num")
                    else:
                        config.attributes.update(connection=connection, metadata=metadata)
                        alembic.command.upgrade(config, "+1")
                        reach("during the upgrade")
            reach("after the upgrade")
        except (DatabaseAway, sa.exc.DBAPIError) as error:
            reason = error.reason if isinstance(error, DatabaseAway) else line(error.orig)
            raise CannotStart(f"The database at {self.place} cannot be used: {reason}.") from error
        self._file = self._identity()

    @property
    def place(self) -> str:
        """Where the database is, without a password: safe to show."""
        return str(self._sqlite_path()) if self.is_sqlite else self.url.render_as_string(hide_password=True)

    def worker_lock(self) -> WorkerLock:
        """The lock that lets one process work the queues of this database."""
        return _FileWorkerLock(self._sqlite_path()) if self.is_sqlite else _PostgresWorkerLock(self.engine)

    def check(self) -> None:
        """Raises DatabaseAway when the database cannot be reached, or another file lies in its place."""
        if self._file and self._file != self._identity():
            # What is open is no longer what the next start would open: whatever is written now would be lost.
            raise DatabaseAway("its file was removed or replaced while the program ran; restart it")
        with self.read() as connection:
            connection.execute(sa.text("SELECT 1"))

    def close(self) -> None:
        self.engine.dispose()
        if self._file and self._file == self._identity():
            clean_end.note(self._sqlite_path())

    def _damage(self, connection: sa.Connection) -> str | None:
        """What is wrong with the file of an SQLite database. One that is as it was left is not read once more."""
        if not self.is_sqlite or self._was_left_clean:
            return None
        found = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar())
        return None if found == "ok" else found

    def _stat(self) -> os.stat_result | None:
        """What is known of the file of an SQLite database; None for Postgres, and where there is no file."""
        with suppress(FileNotFoundError):
            return self._sqlite_path().stat() if self.is_sqlite else None
        return None

    def _identity(self) -> tuple[int, int] | None:
        """What tells the file of an SQLite database from any other; None where there is none."""
        found = self._stat()
        return (found.st_dev, found.st_ino) if found else None

    def _refuse_nothing(self) -> None:
        """SQLite takes an empty file for a new database, but one that has lain there has lost what it held."""
        found = self._stat()
        if found and found.st_size == 0 and time.time() - found.st_mtime > _NEW_SECONDS:
            raise CannotStart(
                f"The database at {self.place} is an empty file. Put a copy from a backup in its place, or remove it "
                "to start with a new one."
            )

    def _sqlite_path(self) -> Path:
        return Path(self.url.database or "")

    def _make_folder(self) -> None:
        if self.url.database in (None, "", ":memory:") or self.url.query:
            raise CannotStart("JOURNEY_DATABASE_URL must name a file, for example sqlite:////srv/studio/journey.db.")
        folder = self._sqlite_path().parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CannotStart(
                f"The database folder {folder} cannot be created: {error.strerror}. "
                "Set JOURNEY_DATA_DIR (or JOURNEY_DATABASE_URL) to a place that can be written to."
            ) from error


class WorkerLock:
    """Held by at most one process. The operating system or the server releases it when that process dies."""

    def acquire(self) -> bool:
        """Take the lock if it is free. False, without waiting, if another process holds it."""
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
        if self._lock.is_locked:
            return True
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
        if self.still_held():
            return True
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            if connection.scalar(sa.text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _WORKER_LOCK}):
                self._connection = connection
                return True
        finally:
            if self._connection is None:
                connection.close()
        return False

    def still_held(self) -> bool:
        if self._connection is None:
            return False
        try:
            self._connection.execute(sa.text("SELECT 1"))
        except sa.exc.DBAPIError:
            self.release()
            return False
        return True

    def release(self) -> None:
        if self._connection is not None:
            # Closed for good, not returned to the pool: the lock belongs to the session.
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
    # A secret that was blanked must not survive in the file's unused bytes.
    cursor.execute("PRAGMA secure_delete=ON")
    _set_journal(cursor, "wal" if sqlite_wal_is_safe(sqlite3.sqlite_version_info) else "truncate")
    # A task id must survive a power cut: a lost one would be a lost payment.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _set_journal(cursor: sqlite3.Cursor, mode: str) -> None:
    """Set the journal mode. SQLite itself does not wait here for another process that is using the database."""
    end = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            cursor.execute(f"PRAGMA journal_mode={mode}")
            return
        except sqlite3.OperationalError as error:
            busy = getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
            if not busy or time.monotonic() > end:
                raise
            time.sleep(0.02)


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("journey_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _begin_postgres(connection: sa.Connection) -> None:
    # One writer at a time, as SQLite has by nature. Released at the end of the transaction.
    if connection.get_execution_options().get("journey_writes", False):
        connection.exec_driver_sql(
            f"SET LOCAL lock_timeout = {BUSY_TIMEOUT_MS}; SELECT pg_advisory_xact_lock({_WRITE_LOCK})"
        )
