"""What the questions of pages cost as the history grows.

    python -m bench.growth [--rows 10000,100000,1000000] [--database sqlite|postgres]

A database is made at the revision `--first`, filled, upgraded and asked. Figures are medians; where others use the same
machine, the processor time of this program is the one to compare. Postgres is a throw-away cluster on this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import random
import secrets
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import alembic.command
import sqlalchemy as sa
from alembic.config import Config
from starlette.applications import Starlette

from journey.history import LIVE, UNDECIDED, Filter, History, Order, State
from journey.history.spending import Spending
from journey.history.tables import entries, tags, timeline
from journey.provider import JOURNEYAPI, THIS_MACHINE
from journey.storage import database as storage
from journey.storage.database import Database, metadata
from journey.views.listing import Listing
from journey.web.exports import download_url, routes
from tests.harness.servers import create_database, passing_postgres

KEY = b"k" * 32
PAGE = 50
RARE_EACH = 30
"""How many entries are in each state that is left soon, however many there are in all."""
RARE = [*sorted(LIVE), *sorted(UNDECIDED)]
ENDS = {State.FINISHED: 90, State.FAILED: 5, State.ABANDONED: 3, State.STOPPED: 2}
WORDS = (
    *("koi", "pond", "fjord", "dawn", "tree", "season", "harbour", "fox", "owl", "mountain", "river", "mist", "neon"),
    *(
        "Ölbild",
        "Füchse",
        "été",
        "гора",
        "туман",
        "قمر",
        "錦鯉",
        "夜明けの港",
        "霧の山",
        "ふくろう",
        "金鱼",
        "山水画",
        "가을",
    ),
)
RAREST = ("zeppelin", "桜吹雪")
"""Words that a few names have, one in each 5,000."""
PIECE = 20_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="10000,100000,1000000", help="how many entries, by commas")
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--first", default="0005", help="the revision that writes the entries")
    parser.add_argument("--keep", type=Path, help="a folder for filled SQLite files, to be taken from there next time")
    parser.add_argument("--server", help="a Postgres to use, such as postgresql://me@host/, where templates are kept")
    parser.add_argument("--without-export", action="store_true", help="leave out what takes longest")
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    for rows in map(int, chosen.rows.split(",")):
        with filled(chosen, rows) as (url, spent):
            report = partial(print, f"{chosen.database:9} {rows:>9,}", flush=True)
            report(f"{'fill':44} {spent}")
            for name, figure in measured(url, rows, chosen.runs, exports=not chosen.without_export):
                report(f"{name:44} {figure}")


@contextmanager
def filled(chosen: argparse.Namespace, rows: int) -> Iterator[tuple[str, str]]:
    """The address of a database with this many entries, at the first revision, and how long it took to fill."""
    if chosen.database == "sqlite":
        with tempfile.TemporaryDirectory(prefix="journey-growth-") as folder:
            kept, path = (chosen.keep or Path(folder)) / f"{rows}.db", Path(folder) / "journey.db"
            spent = "kept" if kept.exists() else fill_new(f"sqlite:///{kept}", chosen.first, rows)
            shutil.copy(kept, path)
            yield f"sqlite:///{path}", spent
        return
    with ExitStack() as stack:
        server = chosen.server
        if server is None:
            server = stack.enter_context(passing_postgres("shared_buffers=256MB", "max_wal_size=4GB"))
        kept = f"growth_{rows}"
        try:
            spent = fill_new(create_database(server, kept), chosen.first, rows)
        except sa.exc.ProgrammingError:
            spent = "kept"
        yield create_database(server, f"used_{time.time_ns()}", template=kept), spent


def fill_new(url: str, first: str, rows: int) -> str:
    database = Database(url)
    begun = time.perf_counter()
    with database.write() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(storage.__file__).parent / "migrations"))
        config.attributes.update(connection=connection, metadata=metadata)
        alembic.command.upgrade(config, first)
        fill(connection, rows)
    tidy(database)
    database.close()
    return f"{time.perf_counter() - begun:.1f} s"


def tidy(database: Database) -> None:
    """What Postgres does by itself after a while."""
    if not database.is_sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("VACUUM ANALYZE"))


def fill(connection: sa.Connection, rows: int, *, unfinished: int = RARE_EACH) -> None:
    """Entries of a dozen people over some years, with their steps; a tenth has a tag, a twentieth is of batches.

    So many of the newest as `unfinished` says are in each state that is left soon.
    """
    chance, now = random.Random(1), time.time()  # noqa: S311  figures need the same rows each time, not secrecy
    apart = min(120.0, 4 * 365 * 86_400 / rows)
    for start in range(0, rows, PIECE):
        made = [
            row(chance, now - (rows - n) * apart, n, rows - n - 1, unfinished)
            for n in range(start, min(rows, start + PIECE))
        ]
        steps = (("queued", "created_at"), ("submitting", "submitted_at"), (None, "changed_at"))
        store(connection, entries, made)
        store(
            connection,
            timeline,
            [
                {"entry_id": each["id"], "at": each[moment], "state": state or each["state"], "words": None}
                for each in made
                for state, moment in steps
                if each[moment]
            ],
        )
        tagged = [{"entry_id": each["id"], "tag": chance.choice(["poster", "album", "年賀状"])} for each in made[::10]]
        store(connection, tags, tagged)


def store(connection: sa.Connection, table: sa.Table, made: list[dict[str, Any]]) -> None:
    """Write rows as fast as the driver can."""
    names = [table.c[name].name for name in made[0]]
    quoted = ", ".join(f'"{name}"' for name in names)
    values = [tuple(each.values()) for each in made]
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(names))
        driver.executemany(f"INSERT INTO {table.name} ({quoted}) VALUES ({marks})", values)  # noqa: S608  our own names
        return
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({quoted}) FROM STDIN") as copy:
        for each in values:
            copy.write_row(each)


def row(chance: random.Random, created_at: float, number: int, newer: int, unfinished: int) -> dict[str, Any]:
    end = RARE[newer // unfinished] if newer < unfinished * len(RARE) else _END[chance.randrange(100)]
    is_finished, is_sent = end is State.FINISHED, end not in (State.QUEUED, State.ASKING)
    width, height = chance.choice([(1024, 1024), (1024, 1536), (1456, 816)])
    scale = chance.choice([2, 4])
    provider = chance.choice([JOURNEYAPI, THIS_MACHINE])
    name = f"{chance.choice(WORDS)} {chance.choice(WORDS)} {number}.png"
    if number % 5_000 == 77:
        name = f"{chance.choice(RAREST)} {name}"
    signed = f"?ex={number:x}&is={number:x}&hm={number:064x}" if number % 10 == 0 else ""
    return {
        "id": f"{chance.getrandbits(64):016x}",
        "fingerprint": f"{chance.getrandbits(256):064x}",
        "state": str(end),
        "provider": provider.name,
        "type": f"{scale}x",
        "name": name,
        "person": f"person{chance.randrange(12)}@example.com",
        "image_url": f"https://cdn.example.com/pictures/{number}.png{signed}",
        "source_key": f"{chance.getrandbits(128):032x}",
        "source_file": "picture.png",
        "source_width": width,
        "source_height": height,
        "webhook_token": secrets.token_urlsafe(24),
        "task_id": f"{chance.getrandbits(128):032x}" if is_sent else None,
        "task_status": ("finished" if is_finished else "failed") if is_sent else None,
        "percentage": 100 if is_finished else None,
        "credits": provider.credits if is_sent else 0,
        "result_key": f"{chance.getrandbits(128):032x}" if is_finished else None,
        "result_file": "picture_4x.png" if is_finished else None,
        "result_width": width * scale if is_finished else None,
        "result_height": height * scale if is_finished else None,
        "result_bytes": chance.randrange(10**6, 3 * 10**7) if is_finished else None,
        "error": "The task failed." if end is State.FAILED else None,
        "attempts": 1 if is_sent else 0,
        "archive_attempts": 0,
        "due_at": created_at if end in LIVE else None,
        "created_at": created_at,
        "submitted_at": created_at + 1 if is_sent else None,
        "changed_at": created_at + 30,
        "finished_at": created_at + 30 + chance.random() * 60 if end in ENDS else None,
        "batch": f"{number // 1000:032x}" if number % 1000 < 50 else None,
        "comment": "The client wants it brighter. 明るくしてください。" if number % 50 == 0 else None,
    }


_END = [state for state, share in ENDS.items() for _ in range(share)]


def measured(url: str, rows: int, runs: int, *, exports: bool) -> Iterable[tuple[str, str]]:
    """Each question and what it takes."""

    def begin() -> None:
        again = Database(url)
        again.upgrade()
        again.check()
        again.close()

    yield "upgrade, once", _median(begin, 1)
    yield "start to ready: open, upgrade, check", _median(begin, min(runs, 3))
    database = Database(url)
    tidy(database)
    if indexed := index_search(database):
        yield "search index, built behind", indexed
    for name, ask in questions(database, rows).items():
        yield name, _median(ask, runs)
    if exports:
        yield "CSV export of all", exported(database)
    yield "disk", size(database)
    database.close()


def index_search(database: Database) -> str | None:
    """How long the index of the search takes, without the rests that it takes for others."""
    try:
        from journey.history.searching import Index
    except ImportError:
        return None
    before, begun = size(database), time.perf_counter()
    index = Index(database, piece=PIECE)
    index.prepare()
    while index.piece():
        pass
    spent = time.perf_counter() - begun
    tidy(database)
    return f"{spent:.1f} s, disk from {before} to {size(database)}"


def questions(database: Database, rows: int) -> dict[str, Callable[[], object]]:
    lists, now = History(database).lists, time.time()
    apart = min(120.0, 4 * 365 * 86_400 / rows)
    middle = now - rows / 2 * apart

    def first(order: Order = Order.NEWEST, **wanted: Any) -> Callable[[], object]:
        return lambda: lists.search(Filter(**wanted), order=order, limit=PAGE)

    def page(offset: int) -> Callable[[], object]:
        return lambda: lists.search(limit=PAGE, offset=offset)

    return {
        "pulse": lists.pulse,
        "first page": lists.search,
        "second page": page(PAGE),
        "page in the middle": page(rows // 2),
        "last page": page((rows - 1) // PAGE * PAGE),
        "rare: needs you": first(states=UNDECIDED),
        "rare: under way": first(states=LIVE),
        "rare: under way, one person's title": lambda: lists.under_way(person="person3@example.com"),
        "filter: finished": first(states=[State.FINISHED]),
        "filter: failed": first(states=[State.FAILED]),
        "filter: ended by a person": first(states=[State.CANCELLED, State.ABANDONED, State.STOPPED]),
        "filter: provider": first(provider=JOURNEYAPI),
        "filter: multiplier": first(type="2x"),
        "filter: person": first(person="person3@example.com"),
        "filter: person nobody knows": first(person="nobody@example.com"),
        "filter: tag": first(tag="album"),
        "filter: person and tag": first(person="person3@example.com", tag="album"),
        "filter: batch": first(batch=f"{0:032x}"),
        "filter: ready for paper": first(fills=(4000, 6000)),
        "filter: too large a paper": first(fills=(40_000, 60_000)),
        "filter: a day in the middle": first(since=middle, until=middle + 86_400),
        "filter: state, provider, person": first(
            states=[State.FAILED], provider=JOURNEYAPI, person="person3@example.com"
        ),
        **{f"order: {order}": first(order=order) for order in Order if order is not Order.NEWEST},
        "order: name, of failed ones": first(order=Order.NAME, states=[State.FAILED]),
        "search: koi (common)": first(text="koi"),
        "search: koi pond": first(text="koi pond"),
        "search: zeppelin (rare)": first(text="zeppelin"),
        "search: nowhere": first(text="quetzalcoatl"),
        "search: o": first(text="o"),
        "search: zq (two letters, nowhere)": first(text="zq"),
        "search: 鯉 (one, common)": first(text="鯉"),
        "search: 吹雪 (two, rare)": first(text="吹雪"),
        "search: 龍 (one, nowhere)": first(text="龍"),
        "search: 夜明けの港": first(text="夜明けの港"),
        "count of all": lists.count,
        "count of failed": lambda: lists.count(states=[State.FAILED]),
        "bytes of results": lists.result_bytes,
        "people": lists.persons,
        "latest of Upscale": lambda: lists.latest(limit=3, once=True),
        "pictures of Compare": lambda: lists.latest(limit=50, states=[State.FINISHED]),
        "Spend, first look": lambda: Spending(database).lines(),
        "this month's budget": lambda: Spending(database).budget(100),
    }


def exported(database: Database) -> str:
    """How long the CSV of everything takes, how large it is, and how much memory it takes at most.

    bench/beside_export.py says how much slower pages are meanwhile.
    """
    app = Starlette(routes=routes(History(database).lists, KEY))
    path, _, query = download_url(KEY, "csv", Listing(), timezone=None, now=time.time()).partition("?")
    sent, before, most = 0, _resident(), 0

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(3600)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal sent, most
        sent += len(message.get("body", b""))
        most = max(most, _resident())

    scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": []}
    begun, had = time.perf_counter(), time.process_time()
    asyncio.run(app(scope | {"asgi": {"spec_version": "2.4"}}, receive, send))
    spent, busy = time.perf_counter() - begun, time.process_time() - had
    return f"{spent:.1f} s, {busy:.1f} s of processor for {sent / 1e6:.0f} MB, memory +{(most - before) / 1e6:.0f} MB"


def size(database: Database) -> str:
    if database.is_sqlite:
        return f"{Path(str(database.url.database)).stat().st_size / 1e6:,.0f} MB"
    with database.read() as connection:
        return f"{(connection.scalar(sa.text('SELECT pg_database_size(current_database())')) or 0) / 1e6:,.0f} MB"


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _median(work: Callable[[], object], runs: int) -> str:
    spent, busy = [], []
    for _ in range(runs):
        begun, had = time.perf_counter(), time.process_time()
        work()
        spent.append(1000 * (time.perf_counter() - begun))
        busy.append(1000 * (time.process_time() - had))
    return f"{statistics.median(spent):10,.1f} ms  {statistics.median(busy):10,.1f} ms of processor"


if __name__ == "__main__":
    main()
