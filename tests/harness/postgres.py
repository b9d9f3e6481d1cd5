"""A throw-away Postgres cluster."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from tests.harness.standing import free_port


def initdb() -> Path | None:
    """The newest program that makes clusters; None where Postgres is not installed."""
    return max(Path("/usr/lib/postgresql").glob("*/bin/initdb"), default=None)


@contextmanager
def throw_away_cluster(program: Path, *options: str) -> Iterator[str]:
    """The address of a running server without a database name, `postgresql://…/`. `options` are for its `-c`."""
    # Postgres refuses to run as root, and the account that it runs as instead cannot read pytest's folder.
    with tempfile.TemporaryDirectory(prefix="journey-postgres-", ignore_cleanup_errors=True) as folder:
        as_owner = []
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
            as_owner = ["runuser", "-u", "postgres", "--"]
        data, port = f"{folder}/data", free_port()
        making = ["--auth=trust", "--username=journey", "--encoding=UTF8", "--no-locale", "--no-sync"]
        _run([*as_owner, str(program), "-D", data, *making])
        set_to = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200", *options]
        set_to += ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        started_with = " ".join((f"-p {port}", *(f"-c {option}" for option in set_to)))
        control = [*as_owner, str(program.with_name("pg_ctl")), "-D", data, "-w"]
        _run([*control, "-l", f"{folder}/log", "-o", started_with, "start"])
        try:
            yield f"postgresql://journey@127.0.0.1:{port}/"
        finally:
            _run([*control, "-m", "immediate", "stop"])


def create_database(server: str, name: str, *, template: str = "template1") -> str:
    """Make a database on this server, empty or a copy of another, and give its address."""
    engine = sa.create_engine(f"{server}postgres", isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    return f"{server}{name}"


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
