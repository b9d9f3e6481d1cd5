"""Real databases (an SQLite file, a throw-away Postgres cluster), real object storage, and processes that use them."""

from __future__ import annotations

import multiprocessing
import multiprocessing.process
import os
import secrets
import shutil
import socket
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from journey.storage.database import Database, metadata
from tests.harness.standing import wait_for_server

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
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs:
        missing = "Postgres is not installed (on Debian: apt-get install postgresql)"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    # Postgres refuses to run as root, and the account that it runs as instead cannot read pytest's folder.
    with tempfile.TemporaryDirectory(prefix="journey-postgres-", ignore_cleanup_errors=True) as folder:
        as_owner = []
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
            as_owner = ["runuser", "-u", "postgres", "--"]
        data, port = f"{folder}/data", _free_port()
        initdb = ["--auth=trust", "--username=journey", "--encoding=UTF8", "--no-locale", "--no-sync"]
        _run([*as_owner, str(programs[-1]), "-D", data, *initdb])
        options = (
            f"-c listen_addresses=127.0.0.1 -p {port} -c unix_socket_directories= -c max_connections=200 "
            "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=32MB"
        )
        control = [*as_owner, str(programs[-1].with_name("pg_ctl")), "-D", data, "-w"]
        _run([*control, "-l", f"{folder}/log", "-o", options, "start"])
        try:
            yield f"postgresql://journey@127.0.0.1:{port}/"
        finally:
            _run([*control, "-m", "immediate", "stop"])


@dataclass(frozen=True)
class ObjectStorage:
    """An S3 server with one bucket, which is a folder here; `environment` is how its clients find it and sign in."""

    bucket: Path
    environment: dict[str, str]

    def address(self) -> str:
        """The address of a place in the bucket where nothing is yet."""
        return f"s3://{self.bucket.name}/{secrets.token_hex(6)}"


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStorage]:
    """A running S3 server: rclone, which comes with a package of the tests, or the system's own."""
    rclone = shutil.which("rclone", path=sysconfig.get_path("scripts")) or shutil.which("rclone")
    if rclone is None:
        missing = "rclone is not installed (it is in requirements-dev.txt)"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    folder, port, secret = tmp_path_factory.mktemp("s3"), _free_port(), secrets.token_hex(16)
    bucket = folder / "buckets" / "studio-pictures"
    bucket.mkdir(parents=True)
    options = ["--config", os.devnull, "--addr", f"127.0.0.1:{port}", "--vfs-cache-mode", "off"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [rclone, "serve", "s3", *options, "--auth-key", f"studio,{secret}", str(bucket.parent)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for_server(server, port, folder / "log")
        yield ObjectStorage(
            bucket,
            {
                "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
                "AWS_ACCESS_KEY_ID": "studio",
                "AWS_SECRET_ACCESS_KEY": secret,
                "AWS_DEFAULT_REGION": "us-east-1",
            },
        )
    finally:
        server.terminate()
        server.wait(30)


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
        name = f"t{secrets.token_hex(6)}"
        _create(postgres_server, name)
        return f"{postgres_server}{name}"

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
    _create(postgres_server, "upgraded")
    database = _upgrade(f"{postgres_server}upgraded")
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


def _create(server: str, name: str) -> None:
    engine = sa.create_engine(f"{server}postgres", isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
        check=False,
        text=True,
    )
    assert done.returncode == 0, f"{command[0]} said: {done.stdout}"
