"""The programs that a team runs beside the studio, as the documents start them, each on a free port."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest
import sqlalchemy as sa

from tests.harness.services import Service
from tests.harness.studios import ROOT, free_port


@dataclass(frozen=True)
class ObjectStorage:
    """An S3 server with one bucket, which is a folder here; `environment` is how its clients find it and sign in."""

    bucket: Path
    environment: Mapping[str, str] = field(repr=False)

    def address(self) -> str:
        """The address of a place in the bucket where nothing is yet."""
        return f"s3://{self.bucket.name}/{secrets.token_hex(6)}"


def object_storage(folder: Path) -> tuple[Service, ObjectStorage]:
    """An S3 server: rclone, which comes with a package of the tests, or the system's own."""
    rclone = shutil.which("rclone", path=sysconfig.get_path("scripts")) or shutil.which("rclone")
    if rclone is None:
        absent("rclone is not installed (it is in requirements-dev.txt)")
    secret, bucket, port = secrets.token_hex(16), folder / "buckets" / "studio-pictures", free_port()
    bucket.mkdir(parents=True)
    options = ["--config", os.devnull, "--addr", f"127.0.0.1:{port}", "--vfs-cache-mode", "off"]
    command = [rclone, "serve", "s3", *options, "--auth-key", f"studio,{secret}", str(bucket.parent)]
    environment = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "studio",
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    return Service(command, folder / "log", port), ObjectStorage(bucket, environment)


def postgres_service(folder: Path, *settings: str) -> Service:
    """A Postgres with the user `journey`, no databases, and these settings besides, such as `fsync=off`.

    As root it runs as the user postgres, because it refuses to run as root; so that user must be able to enter the
    folder.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        absent("Postgres is not installed (on Debian: apt-get install postgresql)")
    user, data, port = "postgres" if os.geteuid() == 0 else None, f"{folder}/data", free_port()
    if user:
        shutil.chown(folder, user)
    options = ["--auth=trust", "--username=journey", "--encoding=UTF8", "--no-locale", "--no-sync"]
    done = subprocess.run(
        [found[-1], "-D", data, *options],
        cwd="/",
        user=user,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
        check=False,
        text=True,
    )
    assert done.returncode == 0, f"initdb said: {done.stdout}"
    places = (f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200")
    words = [word for each in (*places, *settings) for word in ("-c", each)]
    return Service(
        [str(found[-1].with_name("postgres")), "-D", data, *words],
        folder / "log",
        port,
        user=user,
        end=signal.SIGQUIT,
        is_ready=lambda: accepts(f"postgresql://journey@127.0.0.1:{port}/postgres"),
    )


@contextmanager
def passing_postgres(*settings: str) -> Iterator[str]:
    """The address of a Postgres that is quick and keeps nothing, without a database name: `postgresql://…/`."""
    quick = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
    # Not pytest's folder: the account that Postgres runs as cannot read that.
    with (
        tempfile.TemporaryDirectory(prefix="journey-postgres-", ignore_cleanup_errors=True) as folder,
        postgres_service(Path(folder), *quick, *settings) as service,
    ):
        yield f"postgresql://journey@127.0.0.1:{service.port}/"


def create_database(server: str, name: str, *, template: str = "template1") -> str:
    """Make a database on this server, empty or a copy of another, and give its address."""
    engine = sa.create_engine(f"{server}postgres", isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    return f"{server}{name}"


def accepts(database_url: str) -> bool:
    """True when a Postgres lets somebody in, which it does not yet while it repairs what a kill has left."""
    engine = sa.create_engine(database_url, poolclass=sa.NullPool)
    try:
        engine.connect().close()
    except sa.exc.OperationalError:
        return False
    return True


def scheduler(folder: Path) -> tuple[Service, str]:
    """A Dask scheduler, and its address."""
    port = free_port()
    words = ["--host", "127.0.0.1", "--port", str(port), "--no-dashboard", "--no-jupyter"]
    return _dask("scheduler", *words, folder=folder, port=port), f"tcp://127.0.0.1:{port}"


def worker(address: str, name: str, folder: Path) -> Service:
    """A worker of the Dask scheduler at an address."""
    words = ["--name", name, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(folder / name)]
    return _dask("worker", address, *words, folder=folder)


def _dask(part: str, *words: str, folder: Path, port: int | None = None) -> Service:
    command = [sys.executable, "-m", f"distributed.cli.dask_{part}", *words]
    return Service(command, folder / f"dask-{part}-log", port, folder, {"PYTHONPATH": str(ROOT)})


def absent(missing: str) -> NoReturn:
    """Skip the test for want of a program; fail it where everything has to be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)
