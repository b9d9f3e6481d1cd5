"""The database keeps what it was given, however many processes use it, or says why it cannot."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import alembic.autogenerate
import pytest
import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext

import journey.workspace  # noqa: F401  it imports every module that declares a table
from bench.growth import fill
from journey.errors import CannotStart, DatabaseAway, DiskFull
from journey.storage import database as storage
from journey.storage.database import Database, metadata, sqlite_wal_is_safe
from tests.conftest import PROCESSES, MakeUrl, exit_codes


def upgrade(database_url: str) -> None:
    Database(database_url).upgrade()


def count(database_url: str, times: int) -> None:
    database = Database(database_url)
    for _ in range(times):
        with database.write() as connection:
            value = connection.scalar(sa.text("SELECT value FROM counter"))
            connection.execute(sa.text("UPDATE counter SET value = :value"), {"value": value + 1})


def hold(database_url: str, said: Connection) -> None:
    lock = Database(database_url).worker_lock()
    said.send((lock.acquire(), lock.acquire()))
    signal.pause()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that any account can reach, unlike pytest's."""
    path = Path(tempfile.mkdtemp(prefix="journey-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@contextmanager
def unprivileged() -> Iterator[None]:
    """Without the rights of root, for whom nothing is read-only."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def made_at(path: Path) -> Path:
    database = Database(f"sqlite:///{path}")
    try:
        database.upgrade()
    finally:
        database.close()
    return path


@pytest.mark.filterwarnings("ignore:.*expression-based index")
def test_the_migrations_make_the_tables_that_the_code_uses(database: Database) -> None:
    """The migrations lead to exactly the tables, columns, types and indexes that the code declares."""
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert [] == alembic.autogenerate.compare_metadata(context, metadata)


def test_upgrading_twice_changes_nothing(database: Database) -> None:
    """An upgrade of a current database leaves it as it is."""
    with database.write() as connection:
        connection.execute(sa.text("INSERT INTO pauses VALUES ('embedded', 'kept', 1)"))
    database.upgrade()
    with database.read() as connection:
        assert ["kept"] == list(connection.scalars(sa.text("SELECT reason FROM pauses")))


def test_processes_may_upgrade_at_the_same_time(database_url: str) -> None:
    """Several processes that find no schema at the same time all end with one good schema."""
    processes = [PROCESSES.Process(target=upgrade, args=[database_url]) for _ in range(3)]
    for process in processes:
        process.start()
    assert [0, 0, 0] == exit_codes(*processes)
    database = Database(database_url)
    with database.read() as connection:
        assert 1 == connection.scalar(sa.text("SELECT count(*) FROM alembic_version"))
    database.close()


def upgrade_until_killed(database: Database, monkeypatch: pytest.MonkeyPatch, *, in_revision: int) -> None:
    """Upgrade with a program that dies in this revision, the first of which is 1."""

    class Killed(BaseException):
        pass

    def die(point: str) -> None:
        reached.append(point)
        if len(reached) == in_revision:
            raise Killed

    reached: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(storage, "reach", die)
        with pytest.raises(Killed):
            database.upgrade()


@pytest.mark.filterwarnings("ignore:.*expression-based index")
def test_an_upgrade_goes_on_where_it_was(
    database_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A program that dies in the fourth revision of an upgrade has made three, and the next start makes the rest.

    When that takes long, the log says where it is.
    """

    database = Database(database_url)
    upgrade_until_killed(database, monkeypatch, in_revision=4)
    with database.read() as connection:
        assert "0003" == MigrationContext.configure(connection).get_current_revision()
    monkeypatch.setattr(storage, "_QUIET_SECONDS", 0.0)
    database.upgrade()
    with database.read() as connection:
        assert [] == alembic.autogenerate.compare_metadata(MigrationContext.configure(connection), metadata)
    assert "upgrade of the database: at revision 0003 of 00" in caplog.text
    database.close()


def test_postgres_knows_what_new_indexes_hold(postgres_url: MakeUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an upgrade of a database with entries, plans know how many of them have results of which size."""
    database = Database(postgres_url())
    upgrade_until_killed(database, monkeypatch, in_revision=6)
    with database.write() as connection:
        fill(connection, 200, unfinished=0)
    database.upgrade()
    with database.read() as connection:
        known = connection.scalar(sa.text("SELECT count(*) FROM pg_stats WHERE tablename = 'entries_by_size'"))
    assert known
    database.close()


def test_a_newer_schema_is_left_alone(database_url: str) -> None:
    """A database of a newer version keeps the program from starting, and nothing in it is changed."""
    database = Database(database_url)
    database.upgrade()
    with database.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
        connection.execute(sa.text("DROP TABLE pauses"))
    with pytest.raises(CannotStart, match="made by a newer version"):
        database.upgrade()
    with database.read() as connection:
        assert "9999" == connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
        assert "pauses" not in sa.inspect(connection).get_table_names()
    database.close()


def test_tables_of_another_program_are_left_alone(database_url: str) -> None:
    """A database in which another program has a table of the same name is refused and left as it is."""
    database = Database(database_url)
    with database.write() as connection:
        connection.execute(sa.text("CREATE TABLE pauses (theirs INTEGER)"))
    with pytest.raises(CannotStart, match=r"cannot be used: .*pauses.* already exists"):
        database.upgrade()
    with database.read() as connection:
        assert ["pauses"] == sa.inspect(connection).get_table_names()
    database.close()


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"This is no database. " * 500,
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:8192] + os.urandom(len(whole) - 8192),
        lambda whole: b"\x00" * len(whole),
    ],
    ids=["text", "cut short", "overwritten", "zeros"],
)
def test_a_corrupt_file_is_left_alone(tmp_path: Path, damage: object) -> None:
    """A damaged file stops the start with a sentence that names it, and is not touched."""
    path = made_at(tmp_path / "journey.db")
    assert callable(damage)
    path.write_bytes(damage(path.read_bytes()))
    before = path.read_bytes()
    with pytest.raises(CannotStart, match=r"journey\.db (is damaged|cannot be used)") as raised:
        made_at(path)
    assert before == path.read_bytes()
    assert "\n" not in str(raised.value)


def test_a_file_is_read_through_only_after_an_unclean_end(tmp_path: Path) -> None:
    """What a program left by itself opens without a look at every page; after a kill, or any change, all are read."""

    def looked(path: Path) -> bool:
        database, said = Database(f"sqlite:///{path}"), []
        sa.event.listen(database.engine, "before_cursor_execute", lambda *given: said.append(given[2]))
        database.upgrade()
        database.close()
        return "PRAGMA quick_check(1)" in said

    path = made_at(tmp_path / "journey.db")
    assert not looked(path)
    killed = PROCESSES.Process(target=upgrade, args=[f"sqlite:///{path}"])  # it ends without closing anything
    killed.start()
    assert [0] == exit_codes(killed)
    assert looked(path)
    assert not looked(path)
    os.utime(path)
    assert looked(path)
    path.with_name("journey.db-journal").write_bytes(b"begun")
    assert looked(path)


def test_an_empty_file_is_no_new_database(tmp_path: Path) -> None:
    """A file that has lost all it held stops the start; one that another process has just made does not."""
    path = tmp_path / "journey.db"
    path.touch()
    os.utime(path, (0, 0))
    with pytest.raises(CannotStart, match=r"journey\.db is an empty file"):
        made_at(path)
    path.touch()
    assert made_at(path).stat().st_size


@pytest.mark.parametrize("change", [Path.unlink, lambda path: shutil.copy(path, path.with_name("b")).replace(path)])
def test_a_database_that_is_replaced_is_noticed(tmp_path: Path, change: Callable[[Path], object]) -> None:
    """When its file is removed or another lies in its place, the check fails until the program is started again."""
    path = tmp_path / "journey.db"
    database = Database(f"sqlite:///{path}")
    database.upgrade()
    database.check()
    change(path)
    with pytest.raises(DatabaseAway) as raised:
        database.check()
    assert "removed or replaced" in raised.value.reason
    database.close()


def test_a_folder_that_cannot_be_written_is_said(folder: Path) -> None:
    """A read-only folder, with or without a database in it, stops the start with a sentence."""
    path = made_at(folder / "journey.db")
    before = path.read_bytes()
    path.chmod(0o444)
    folder.chmod(0o555)
    with unprivileged():
        for name, sentence in (
            ("journey.db", "journey.db cannot be used: .*read-?only"),
            ("other.db", "other.db cannot be used: unable to open"),
            ("missing/journey.db", "missing cannot be created: Permission denied. Set JOURNEY_DATA_DIR"),
            ("journey.db/below.db", "cannot be created: (Not a directory|File exists)"),
        ):
            with pytest.raises(CannotStart, match=sentence):
                made_at(folder / name)
    assert before == path.read_bytes()
    assert {"journey.db", "journey.db.left"} >= {path.name for path in folder.iterdir() if path.stat().st_size}


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    """The first start makes the folder of the database; odd characters in its name do no harm."""
    assert made_at(tmp_path / "100% new" / "data" / "journey.db").is_file()


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "sqlite://",
        "sqlite:///:memory:",
        "postgresql://u:hunter22@host:notaport/db",
        "oracle9://u:hunter22@h/d",
    ],
)
def test_an_address_that_names_no_database_is_said(url: str) -> None:
    """An address that cannot be a database stops the start; the sentence names the setting and no password."""
    with pytest.raises(CannotStart, match="JOURNEY_DATABASE_URL") as raised:
        Database(url)
    assert "hunter22" not in str(raised.value)


def test_a_server_that_is_away_is_said() -> None:
    """A Postgres that does not answer stops the start; the sentence names its address, never its password."""
    database = Database("postgresql://studio:hunter22@127.0.0.1:9/studio")
    with pytest.raises(CannotStart, match=r"postgresql://studio:\*\*\*@127.0.0.1:9/studio cannot be used: ") as raised:
        database.upgrade()
    assert "hunter22" not in str(raised.value)
    assert "\n" not in str(raised.value)
    with pytest.raises(DatabaseAway):
        database.check()


def test_a_full_disk_is_told_from_a_database_that_is_away(tmp_path: Path) -> None:
    """SQLite that finds no room for another page is a full disk, whose sentence says that there has to be room."""
    database = Database(tmp_path / "journey.db")
    database.upgrade()
    long = sa.text("INSERT INTO pauses VALUES ('embedded', :reason, 1)").bindparams(reason="x" * 100_000)

    def fill() -> None:
        with database.write() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1")
            connection.execute(long)

    with pytest.raises(DiskFull, match="The disk is full, so nothing can be stored"):
        fill()
    database.close()


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 0), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 0), False),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((4, 0, 0), True),
    ],
)
def test_wal_is_used_on_fixed_versions_only(
    version: tuple[int, int, int], safe: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's write-ahead log is used only by versions in which it cannot corrupt the database."""
    assert safe is sqlite_wal_is_safe(version)
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    database = Database(f"sqlite:///{tmp_path / 'journey.db'}")
    with database.read() as connection:
        assert ("wal" if safe else "truncate") == connection.scalar(sa.text("PRAGMA journal_mode"))
        assert 2 == connection.scalar(sa.text("PRAGMA synchronous"))
        assert 1 == connection.scalar(sa.text("PRAGMA foreign_keys"))
    database.close()


def count_up(database_url: str, processes: int, times: int, timeout: float) -> int:
    database = Database(database_url)
    with database.write() as connection:
        connection.execute(sa.text("CREATE TABLE counter (value INTEGER)"))
        connection.execute(sa.text("INSERT INTO counter VALUES (0)"))
    started = [PROCESSES.Process(target=count, args=[database_url, times]) for _ in range(processes)]
    for process in started:
        process.start()
    assert [0] * processes == exit_codes(*started, timeout=timeout)
    with database.read() as connection:
        value = connection.scalar(sa.text("SELECT value FROM counter"))
    database.close()
    return int(value)


def test_processes_never_find_it_locked(database_url: str) -> None:
    """Four processes that read and then write at the same time lose nothing and never see a `locked` error."""
    assert 400 == count_up(database_url, processes=4, times=100, timeout=60)


@pytest.mark.torture
def test_many_processes_never_find_it_locked(database_url: str) -> None:
    """Eight processes with 500 such transactions each lose nothing either."""
    assert 4000 == count_up(database_url, processes=8, times=500, timeout=300)


def test_waiting_for_another_writer_ends(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that is kept waiting gives up in time with DatabaseAway, and readers go on meanwhile."""
    monkeypatch.setattr(storage, "BUSY_TIMEOUT_MS", 200)
    database = Database(database_url)
    database.upgrade()
    with database.write() as first:
        first.execute(sa.text("DELETE FROM pauses"))
        begun = time.monotonic()
        with pytest.raises(DatabaseAway), database.write():
            pytest.fail("two wrote at once")
        assert 0.15 < time.monotonic() - begun < 3
        database.check()
    database.close()


def test_one_process_holds_the_worker_lock(database_url: str) -> None:
    """A second process does not get the worker lock, until the first is killed."""
    database = Database(database_url)
    lock = database.worker_lock()
    said, saying = PROCESSES.Pipe(duplex=False)
    holder = PROCESSES.Process(target=hold, args=[database_url, saying])
    holder.start()
    try:
        assert said.poll(30)
        assert (True, True) == said.recv()
        assert not lock.acquire()
        assert not lock.still_held()
    finally:
        holder.kill()
        assert [-signal.SIGKILL] == exit_codes(holder)
        said.close()
        saying.close()
    end = time.monotonic() + 10  # a server needs a moment to notice
    while not lock.acquire() and time.monotonic() < end:
        time.sleep(0.02)
    assert lock.still_held()
    lock.release()
    assert not lock.still_held()
    database.close()


def test_the_worker_lock_is_known_to_be_lost(postgres_url: MakeUrl) -> None:
    """When the server ends the session that holds the lock, its holder notices and can take it again."""
    database = Database(postgres_url())
    lock = database.worker_lock()
    assert lock.acquire()
    with database.write() as connection:
        others = sa.text(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert 1 == connection.scalar(others)
    assert not lock.still_held()
    assert lock.acquire()
    lock.release()
    database.close()


def test_an_error_does_not_show_values(database: Database) -> None:
    """The error of a failed statement does not repeat the values that were to be stored, which may be secret."""
    statement = sa.text("INSERT INTO pauses (engine, reason, since) VALUES ('embedded', :secret, NULL)")
    with pytest.raises(sa.exc.IntegrityError) as raised, database.write() as connection:
        connection.execute(statement, {"secret": "s3cr3t-s3cr3t"})
    assert "s3cr3t" not in str(raised.value).split("DETAIL")[0]
