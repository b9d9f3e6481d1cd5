"""What pages of the real server cost as its history grows, and as more people look at them.

    python -m bench.page_runs [--rows 1000000] [--database sqlite|postgres] [--visitors 50] [--seconds 60]
    python -m bench.page_runs --replicas 3 --visitors 200 --every 10

A database is filled at the revision `--first`. The server that upgrades it is killed in the midst of that and started
again; then one visitor asks for pages, one after the other, and after that many do at once, twice. With `--replicas`
there are several servers, behind nginx. Figures are of whole pages, from the wish to the last of what is drawn.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import psutil
import sqlalchemy as sa

from bench.growth import filled
from journey.history.searching import unsearched
from journey.storage.database import Database
from journey.storage.keys import key_file
from journey.views.listing import Listing
from journey.web.exports import download_url
from tests.harness.proxies import before_replicas
from tests.harness.servers import passing_postgres
from tests.harness.standing import wait_for
from tests.harness.studios import Studio, free_port
from tests.harness.visitors import Crowd, connected, drawn

LONGEST_UPGRADE = 900.0
INDEXED_WITHIN = 3_600.0
QUESTIONS: Mapping[str, tuple[str, str]] = {
    "Upscale": ("", ""),
    "History: first page": ("history", ""),
    "History: last page": ("history", "page=1000000"),
    "History: failed": ("history", "state=failed"),
    "History: needs you": ("history", "state=needs-you"),
    "History: under way": ("history", "state=under-way"),
    "History: by name": ("history", "sort=name"),
    "History: one person's, finished": ("history", "person=person3@example.com&state=finished"),
    "History: tag": ("history", "tag=album"),
    "History: ready for A2": ("history", "ready=A2"),
    "History: search, common": ("history", "q=koi"),
    "History: search, rare": ("history", "q=zeppelin"),
    "History: search, nowhere": ("history", "q=quetzalcoatl"),
    "History: search, one letter of Japanese": ("history", "q=%E9%AF%89"),
    "Compare": ("compare", ""),
    "Spend": ("spend", ""),
}
"""Pages, and the queries of their addresses."""
PAGE_BESIDE = QUESTIONS["History: first page"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--first", default="0005", help="the revision that writes the entries")
    parser.add_argument("--keep", type=Path, help="a folder for filled SQLite files, to be taken from there next time")
    parser.add_argument("--runs", type=int, default=9, help="how often each page is asked for")
    parser.add_argument("--visitors", type=int, default=50)
    parser.add_argument("--every", type=float, default=2.0, help="seconds from one page of a visitor to the next")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long they look, each time")
    parser.add_argument("--replicas", type=int, default=1)
    chosen = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="journey-pages-")))
        folder.chmod(0o755)
        chosen.server = chosen.database == "postgres" and stack.enter_context(
            passing_postgres("shared_buffers=256MB", "max_wal_size=4GB")
        )
        url, spent = stack.enter_context(filled(chosen, chosen.rows))
        say("filled", spent)
        studios = [
            Studio(folder / f"replica-{number}", free_port(), {"JOURNEY_DATABASE_URL": url})
            for number in range(1, chosen.replicas + 1)
        ]
        for studio in studios:
            studio.data_dir.mkdir()
            stack.callback(studio.stop)
        upgraded(studios[0], url)
        for studio in studios:
            say("start to ready", f"{studio.start():.1f} s")
        one_after_the_other(studios[0], chosen.runs)
        beside_an_export(studios[0])
        look = studios[0].url
        if len(studios) > 1:
            (folder / "nginx").mkdir()
            port = free_port()
            stack.enter_context(before_replicas(folder / "nginx", port, [studio.port for studio in studios]))
            look = f"http://127.0.0.1:{port}"
            all_at_once(studios[:1], studios[0].url, chosen)
        for _ in range(2):
            all_at_once(studios, look, chosen)


def upgraded(studio: Studio, url: str) -> None:
    """Upgrade with a server that is killed on the way, and one that goes on; wait until searches have their index."""
    begun = time.monotonic()
    studio.launch()
    wait_for(lambda: "upgrade of the database" in said(studio) or answers(studio), seconds=LONGEST_UPGRADE)
    studio.stop(signal.SIGKILL)
    say("upgrade, killed after", f"{time.monotonic() - begun:.1f} s")
    studio.launch()
    say("upgrade, the rest, until ready", f"{studio.become_ready(within=LONGEST_UPGRADE):.1f} s")
    print("".join(f"    {line}\n" for line in said(studio).splitlines() if "upgrade of the database" in line), end="")
    database = Database(url)
    began = time.monotonic()
    wait_for(lambda: is_indexed(database), seconds=INDEXED_WITHIN)
    database.close()
    say("search index, built behind", f"{time.monotonic() - began:.1f} s")
    studio.stop()


def said(studio: Studio) -> str:
    return (studio.data_dir / "log").read_text()


def answers(studio: Studio) -> bool:
    try:
        return httpx.get(f"{studio.url}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def is_indexed(database: Database) -> bool:
    with database.read() as connection:
        return connection.scalar(sa.select(unsearched.c.entry_id).limit(1)) is None


def one_after_the_other(studio: Studio, runs: int) -> None:
    """Each page as somebody sees it who has just come, without anybody else."""
    for name, (page, query) in QUESTIONS.items():
        before = processor([studio])
        seconds = asyncio.run(page_loads(studio.url, page, query, runs))
        busy = 1000 * (processor([studio]) - before) / runs
        say(name, f"{1000 * statistics.median(seconds):8.1f} ms {busy:8.1f} ms of processor")


async def page_loads(url: str, page: str, query: str, runs: int) -> list[float]:
    """The seconds that each load of a page took. Raises AssertionError when something else was drawn."""
    seconds = []
    async with httpx.AsyncClient(base_url=url, trust_env=False) as browser:
        for _ in range(runs):
            async with await connected(browser) as socket:
                begun = time.perf_counter()
                problems = await drawn(socket, page, query)
                seconds.append(time.perf_counter() - begun)
                assert not problems, problems
    return seconds


def beside_an_export(studio: Studio) -> None:
    """How long the CSV of everything takes, and what becomes of pages meanwhile."""
    alone = asyncio.run(page_loads(studio.url, *PAGE_BESIDE, 20))
    key = key_file(studio.data_dir / "secret-key").encode()
    url = studio.url + download_url(key, "csv", Listing(), timezone=None, now=time.time())
    begun, before, got = time.perf_counter(), processor([studio]), 0
    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(downloaded, url)
        beside = []
        while not done.done():
            beside += asyncio.run(page_loads(studio.url, *PAGE_BESIDE, 1))
        got = done.result()
    say(
        "CSV of all",
        f"{time.perf_counter() - begun:.1f} s, {processor([studio]) - before:.1f} s of processor with "
        f"{len(beside)} pages beside it, {got / 1e6:.0f} MB",
    )
    one, two = (1000 * statistics.median(each) for each in (alone, beside))
    say("a page alone, and beside that", f"{one:.1f} ms, {two:.1f} ms: {two / one:.2f} times")
    begun = time.perf_counter()
    downloaded(url)
    say("CSV of all, alone", f"{time.perf_counter() - begun:.1f} s")


def downloaded(url: str) -> int:
    with httpx.stream("GET", url, timeout=LONGEST_UPGRADE) as answer:
        answer.raise_for_status()
        return sum(map(len, answer.iter_raw()))


def all_at_once(studios: Sequence[Studio], url: str, chosen: argparse.Namespace) -> None:
    """Many visitors for some time, at one server or, through nginx, at several."""
    before, begun = processor(studios), time.monotonic()
    with Crowd(url, chosen.visitors, every=chosen.every) as crowd:
        time.sleep(chosen.seconds)
    busy, took = processor(studios) - before, time.monotonic() - begun
    seconds = sorted(run.seconds for run in crowd.runs)
    say(
        f"{chosen.visitors} visitors at {len(studios)}",
        f"{1000 * statistics.median(seconds):8.1f} ms, p95 {1000 * seconds[int(0.95 * len(seconds))]:.0f} ms, "
        f"{len(seconds) / took:.1f} pages a second, {1000 * busy / len(seconds):.1f} ms of processor for each, "
        f"{sum(each.memory_info().rss for each in processes(studios)) / 2**20:.0f} MB and "
        f"{sum(each.num_fds() for each in processes(studios))} open files after it",
    )
    for problem, times in crowd.problems.items():
        say("problem", f"{times} times: {problem}")
    if crowd.unanswered:
        say("never drawn", str(len(crowd.unanswered)))


def processor(studios: Sequence[Studio]) -> float:
    """The seconds of processor that these servers have had, without the processes that they have started."""
    spent = [each.cpu_times() for each in processes(studios)]
    return sum(each.user + each.system for each in spent)


def processes(studios: Sequence[Studio]) -> list[psutil.Process]:
    return [psutil.Process(studio.process.pid) for studio in studios if studio.process]


def say(what: str, figure: str) -> None:
    print(f"{what:40} {figure}", flush=True)


if __name__ == "__main__":
    main()
