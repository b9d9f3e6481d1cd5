"""Real databases (an SQLite file, a throw-away Postgres cluster), real object storage, and processes that use them."""

from __future__ import annotations

import multiprocessing
import multiprocessing.process
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from journey.storage.database import Database, metadata
from tests.harness.servers import ObjectStorage, create_database, object_storage, passing_postgres

MakeUrl = Callable[[], str]

# Forked from a server that has already done the slow imports and has no threads that a fork could cut off.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.storage.test_database", "tests.harness.tracking"])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """One worker runs the browser tests from beginning to end, and the other runs all the rest.

    Two browsers at once would slow each other down and miss the times that people are promised.
    """
    from xdist.scheduler import LoadFileScheduling  # xdist is optional

    class OneBrowser(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "tests/browser" if nodeid.startswith("tests/browser/") else str(super()._split_scope(nodeid))

    return OneBrowser(config, log)


def exit_codes(*processes: multiprocessing.process.BaseProcess, timeout: float = 60) -> list[int | None]:
    """Wait until all have ended; a process that has not ended by then is killed, and its code is None."""
    for process in processes:
        process.join(timeout)
    codes = [process.exitcode for process in processes]
    for process in processes:
        process.kill()
        process.join()
        process.close()
    return codes


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a running Postgres, without a database name: postgresql://…/"""
    with passing_postgres("shared_buffers=32MB") as server:
        yield server


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStorage]:
    """A running S3 server."""
    service, storage = object_storage(tmp_path_factory.mktemp("s3"))
    with service:
        yield storage


@pytest.fixture
def s3_here(s3_server: ObjectStorage, monkeypatch: pytest.MonkeyPatch) -> ObjectStorage:
    """The S3 server, for clients in this process."""
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return s3_server


@pytest.fixture
def postgres_url(postgres_server: str) -> MakeUrl:
    """Makes an empty database in Postgres and gives its address."""

    def make() -> str:
        return create_database(postgres_server, f"t{secrets.token_hex(6)}")

    return make


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'journey.db'}"
    make: MakeUrl = request.getfixturevalue("postgres_url")
    return make()


@pytest.fixture(scope="session")
def upgraded_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "journey.db"
    _upgrade(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def upgraded_postgres(postgres_server: str) -> Iterator[Database]:
    database = _upgrade(create_database(postgres_server, "upgraded"))
    yield database
    database.close()


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database of either kind with the current schema and no rows."""
    with empty_database(request.param, request, tmp_path) as made:
        yield made


@contextmanager
def empty_database(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Database]:
    """A copy of an upgraded SQLite file, or the one upgraded Postgres database, emptied."""
    if kind == "sqlite":
        path = shutil.copy(request.getfixturevalue("upgraded_sqlite"), folder / "journey.db")
        made = Database(f"sqlite:///{path}")
        yield made
        made.close()
    else:
        shared: Database = request.getfixturevalue("upgraded_postgres")
        with shared.write() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(table.delete())
        yield shared


def _upgrade(url: str) -> Database:
    database = Database(url)
    database.upgrade()
    return database
