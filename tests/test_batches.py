"""Many pictures at once: what was pasted, a look at each, what it costs, and what becomes of it."""

from __future__ import annotations

import io
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from journey import printing
from journey.engine.__main__ import listener_at
from journey.errors import InvalidRequest
from journey.history import STALE_AFTER, Entry, History, NewEntry, State
from journey.storage.database import Database
from journey.storage.files import Files
from journey.studio.batches import inputs, rows
from journey.studio.batches.inputs import Line, Wanted
from journey.studio.batches.looks import AT_ONCE, SLOW_SECONDS, Look, Looks
from journey.studio.batches.rows import Choice, Row, Target
from journey.studio.batches.store import AHEAD, Batches, progress, seconds_left
from journey.studio.intake import Source
from journey.views import batches as words
from journey.web import results_zip
from tests.engine.running import served
from tests.studio import Clock

# What was given


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("https://a.example/x.png", [Wanted("url", "https://a.example/x.png")]),
        ("HTTP://a.example/x.png", [Wanted("url", "HTTP://a.example/x.png")]),
        ('  "https://a.example/x.png",  ', [Wanted("url", "https://a.example/x.png")]),
        ("<https://a.example/x.png>;", [Wanted("url", "https://a.example/x.png")]),
        ("\ufeffhttps://a.example/x.png\u200b", [Wanted("url", "https://a.example/x.png")]),
        ("https://a.example/x,y.png", [Wanted("url", "https://a.example/x,y.png")]),
        ("https://a.example/1 https://a.example/2", [Wanted("url", f"https://a.example/{n}") for n in (1, 2)]),
        ("https://a.example/1,https://a.example/2", [Wanted("url", f"https://a.example/{n}") for n in (1, 2)]),
        ("994c2844-85h8", [Wanted("task", "994c2844-85h8")]),
        ("994c2844 3", [Wanted("task", "994c2844", "3")]),
        ("994c2844\t#4", [Wanted("task", "994c2844", "4")]),
        ("994c2844 all", [Wanted("task", "994c2844")]),
        ("image_url\nhttps://a.example/x.png", [Wanted("url", "https://a.example/x.png")]),
        ("a 1\r\nb 2\rc 3\n\n \t\n\x00\nd 4", [Wanted("task", name, str(n)) for n, name in enumerate("abcd", 1)]),
        ("", []),
        ("\n\n  \n", []),
    ],
)
def test_a_line_is_an_address_or_a_task(text: str, wanted: list[Wanted]) -> None:
    """Addresses and task ids are read however they were copied; blank lines and headings are left out."""
    found = inputs.lines(text)
    assert wanted == [line.wanted for line in found]
    assert [None] * len(found) == [line.problem for line in found]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("javascript:alert(1)", "begin with https://"),
        ("file:///etc/passwd", "begin with https://"),
        ("data:image/png;base64,AAAA", "begin with https://"),
        ("C:\\pictures\\koi.png", "begin with https://"),
        ("www.example.com/koi.png", "begin with https://"),
        ("abc 7", "1, 2, 3, 4 or all"),
        ("three little words here", "neither the address"),
        ("see https://a.example/x.png please", "line of its own"),
        ("https://a.example/" + "x" * 2_100, "2,048"),
        ("https://a.example/\x07x.png", "characters in this address"),
        ("x" * 300, "at most 200"),
        ("x" * 2_000_000, "2,000,000 characters"),
        ("x " * 1_000_000, "line of its own"),
    ],
)
def test_a_bad_line_is_explained_and_blocks_no_other(text: str, said: str) -> None:
    """A line that names no picture gets a sentence of its own, and the lines round it are read."""
    good = "https://a.example/x.png"
    before, bad, after = inputs.lines(f"{good}\n{text}\n{good}")
    assert [Wanted("url", good), None, Wanted("url", good)] == [before.wanted, bad.wanted, after.wanted]
    assert said in str(bad.problem)
    assert ("Line 2", True) == (bad.place, len(bad.shown) < 130 and bad.shown.isprintable())


@pytest.mark.parametrize(
    ("text", "column", "first"),
    [
        ("title,url\nKoi,https://a.example/1\nPond,https://a.example/2\n", "url", "Row 2"),
        ('no;picture\n1;"https://a.example/1"\n2;https://a.example/2', "picture", "Row 2"),
        ("https://a.example/1\tKoi\nhttps://a.example/2\tPond", "Column 1", "Row 1"),
        ("https://a.example/1,Koi pond\nhttps://a.example/2,Pond", "Column 1", "Row 1"),
        ("thumb,full\nhttps://a.example/1,https://a.example/1\nx,https://a.example/2", "full", "Row 2"),
        ('\n"a ""big"" one, red",https://a.example/1\nb,https://a.example/2', "Column 2", "Row 2"),
        ("x,x\nhttps://a.example/1,2\nhttps://a.example/2,", "x (1)", "Row 2"),
    ],
)
def test_the_column_of_addresses_is_found(text: str, column: str, first: str) -> None:
    """In a CSV, whatever its separator and heading, the column that holds the addresses is found."""
    table = inputs.table(text)
    assert table is not None
    assert table.column is not None
    assert column == table.names[table.column]
    lines = table.lines()
    assert [Wanted("url", f"https://a.example/{n}") for n in (1, 2)] == [line.wanted for line in lines]
    assert first == lines[0].place


@pytest.mark.parametrize(
    "text",
    [
        "https://a.example/x,1.png\nhttps://a.example/y,1.png",
        "https://a.example/1, https://a.example/2",
        "id1,3\nid2,1",
        "one line",
        "",
        "x" * 2_000_001,
        "a," + "x" * 200_000 + "\nb,c",
    ],
)
def test_a_plain_list_is_no_table(text: str) -> None:
    """Commas in addresses make no columns, and nonsense is no CSV."""
    assert inputs.table(text) is None


def test_a_file_without_addresses_asks_for_its_column() -> None:
    """A CSV in which no address is found has no column yet; the one that is chosen may hold task ids."""
    table = inputs.table("name,price\nkoi,3\npond\n", is_file=True)
    assert table is not None
    assert table.column is None
    assert [] == table.lines()
    assert [Wanted("task", "koi"), Wanted("task", "pond")] == [line.wanted for line in table.lines(0)]
    assert "nothing in the column “price”" in str(table.lines(1)[1].problem)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_file_of_a_spreadsheet_is_read(encoding: str) -> None:
    """A CSV is read in the encodings in which spreadsheets write them."""
    assert "Größe,url" == inputs.decode("Größe,url".encode(encoding))


def test_repetitions_are_counted_and_too_many_refused() -> None:
    """The same wish counts once with a number, and more than 200 are refused with a sentence; 10,000 in no time."""
    text = "\n".join(f"https://a.example/{n % 5_000}.png" for n in range(10_000))
    began = time.process_time()
    lines = inputs.merged(inputs.lines(text))
    assert time.process_time() - began < 2
    assert (5_000, {2}) == (len(lines), {line.times for line in lines})
    assert "5,000 lines; up to 200" in str(inputs.too_many(len(lines)))
    assert inputs.too_many(200) is None


# A look at each


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2 * AT_ONCE) as executor:
        yield executor


def source(name: str, width: int = 1024, height: int = 1536, index: str | None = None, digest: str = "") -> Source:
    return Source("url", name, width, height, "0" * 32, "x.png", digest or name, index=index)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_slow_addresses_hold_up_no_other_one(pool: ThreadPoolExecutor) -> None:
    """When all places are taken by addresses that do not answer, the others get theirs a few seconds later."""
    clock, silent = Clock(), threading.Event()
    looks = Looks(pool, clock=clock)
    slow = [Wanted("url", f"slow {n}") for n in range(AT_ONCE)]
    quick = Wanted("url", "quick")
    works = [*((each, lambda: (silent.wait(30), ())[1]) for each in slow), (quick, lambda: (source("quick"),))]
    looks.ahead(works)
    assert looks.of(quick) is None
    clock.now += SLOW_SECONDS + 1
    looks.ahead(works)
    until(lambda: looks.of(quick))
    assert looks.of(slow[0]) is None
    silent.set()


def test_each_picture_is_looked_at_once(pool: ThreadPoolExecutor) -> None:
    """However often the list is edited, a picture is looked at once, until a person asks to look again."""
    seen: list[str] = []
    looks = Looks(pool)
    first, second = Wanted("url", "first"), Wanted("url", "second")

    def work(name: str) -> Callable[[], list[Source]]:
        def take() -> list[Source]:
            seen.append(name)
            raise InvalidRequest("There is nothing here.") if name == "second" else ValueError(name)

        return take

    looks.ahead([(first, work("first"))])
    until(lambda: looks.of(first))
    looks.ahead([(second, work("second")), (first, work("first"))])
    until(lambda: looks.of(second))
    assert Look(problem="There is nothing here.") == looks.of(second)
    assert "could not be stored" in str(looks.of(first))
    looks.forget([second])
    looks.ahead([(second, work("second"))])
    until(lambda: looks.of(second))
    assert ["first", "second", "second"] == seen


# The table


def build(
    *given: Line,
    looked: dict[str, Look],
    target: Target | None = None,
    for_all: Choice | None = None,
    choices: dict[str, Choice] | None = None,
    problem: rows.Problem = lambda source, scale: None,
) -> list[Row]:
    return rows.rows(
        given,
        lambda line: looked.get(line.wanted.value) if line.wanted else None,
        target=target,
        for_all=for_all,
        choices=choices or {},
        problem=problem,
    )


def line(name: str) -> Line:
    return Line("Line 1", name, Wanted("url", name))


def test_the_smallest_that_is_enough_is_suggested() -> None:
    """On a paper each picture gets what it needs (nothing, 2x or 4x), 4x without one, and a choice overrules it."""
    sizes = {"large": (5000, 7000), "medium": (1300, 1900), "small": (800, 1200), "tiny": (80, 120)}
    looked = {name: Look((source(name, *size),)) for name, size in sizes.items()}
    given = [line(name) for name in sizes]
    a4 = Target(printing.PAPERS["A4"])
    assert [0, 2, 4, 4] == [row.choice for row in build(*given, looked=looked, target=a4)]
    assert [4, 4, 4, 4] == [row.choice for row in build(*given, looked=looked)]
    assert [2, 2, 2, 2] == [row.choice for row in build(*given, looked=looked, target=a4, for_all=2)]
    key = build(*given, looked=looked)[0].key
    assert [4, 2, 4, 4] == [row.choice for row in build(*given, looked=looked, target=a4, choices={key: 4})]


def test_what_is_too_large_at_4x_is_suggested_at_2x() -> None:
    """A picture that cannot be enlarged 4x is suggested at 2x, and asking for 4x all the same says why not."""

    def problem(source: Source, scale: int) -> str | None:
        return "Too large. Choose 2x." if scale == 4 else None

    looked = {"a": Look((source("a"),))}
    (row,) = build(line("a"), looked=looked, problem=problem)
    assert (2, None, True) == (row.choice, row.problem, row.runs)
    (row,) = build(line("a"), looked=looked, problem=problem, for_all=4)
    assert ("Too large. Choose 2x.", False) == (row.problem, row.runs)


def test_one_picture_runs_once_and_a_grid_four_times() -> None:
    """A grid becomes four rows; the same picture under another address is merged with a note."""
    grid = Look(tuple(source(f"g{n}", index=n) for n in "1234"))
    looked = {"grid": grid, "again": Look((source("other", digest="g2"),)), "gone": Look(problem="It is gone.")}
    table = build(line("grid"), line("again"), line("gone"), line("later"), looked=looked)
    assert [True] * 4 + [False] * 3 == [row.runs for row in table]
    assert ("The same picture as line 1; it is enlarged once.",) == table[4].notes
    assert ["It is gone.", None] == [row.problem for row in table[5:]]
    assert [True, False] == [row.is_looked_at for row in table[5:]]
    total = rows.totals(table, "journeyapi", {})
    assert (4, 1, 1, 1, 8) == (total.runs, total.skipped, total.problems, total.looking, total.credits)
    assert "4 pictures to enlarge · 1 skipped · 1 cannot be used · 1 being looked at" == words.totals(total)
    here = rows.totals(table, "embedded", {4: 1e-6})
    assert (0, 4 * 1024 * 1536 / 1e6) == (here.credits, pytest.approx(here.seconds))


def test_the_price_is_told_against_what_there_is() -> None:
    """The balance and the month's budget are named before the click, and what they are too small for."""
    assert "18 credits of 240 left" == words.price(18, 240)
    assert "18 credits" == words.price(18, None)
    assert words.shortfall(18, 240, None) is None
    assert "has 5 credits left, enough for 2 of the 9 pictures" in str(words.shortfall(18, 5, 100))
    assert "This month's budget has 0 credits left" in str(words.shortfall(18, None, 0))


# What becomes of it


class Team:
    """A history, its batches and a clock that stands still."""

    def __init__(self, database: Database) -> None:
        self.clock = Clock()
        self.history = History(database, clock=self.clock)
        self.batches = Batches(database, clock=self.clock)

    def queue(self, count: int, batch_id: str = "b1", engine: str = "embedded") -> list[Entry]:
        self.batches.queue(batch_id, [wish(n, engine) for n in range(count)], name=f"{count} pictures")
        return [item.entry for item in self.batches.items(batch_id)]

    def run(self, entry: Entry, to: State = State.FINISHED) -> None:
        """Along the ways of the history to that state."""
        on_the_way = [State.SUBMITTING, State.OPEN, State.ARCHIVING, State.FINISHED]
        if to in (State.FAILED, State.AMBIGUOUS):
            on_the_way = [State.SUBMITTING, to]
        for state in on_the_way[: on_the_way.index(to) + 1]:
            assert self.history.move(entry.id, state, task_id=entry.id) is not None

    def due(self) -> list[str]:
        return [entry.name for entry in self.history.due(State.QUEUED, limit=100)]

    def progress(self) -> tuple[int, int, int, int]:
        now = progress(self.batches.items("b1"))
        return now.finished, now.under_way, now.waiting, now.failed


def wish(number: int, engine: str = "embedded") -> NewEntry:
    return NewEntry(
        engine="journeyapi" if engine == "journeyapi" else "embedded",
        type="4x",
        name=f"picture {number}",
        fingerprint=f"{engine} {number}",
        image_url=f"https://a.example/{number}.png",
        source_width=100,
        source_height=100,
    )


@pytest.fixture
def team(database: Database) -> Team:
    return Team(database)


@pytest.mark.parametrize("engine", ["journeyapi", "embedded"])
def test_a_batch_lets_a_few_go_at_a_time_in_order(team: Team, engine: str) -> None:
    """The first are due at once, in the order given; each one that is done or stuck lets the next go."""
    ahead = AHEAD[engine]  # type: ignore[index]  # the literal's own names
    entries = team.queue(ahead + 4, engine=engine)
    names = [f"picture {n}" for n in range(ahead + 4)]
    assert names == [entry.name for entry in entries]
    assert names[:ahead] == team.due()
    team.batches.feed()
    assert names[:ahead] == team.due()
    team.run(entries[0])
    team.run(entries[1], State.AMBIGUOUS)
    team.batches.feed()
    assert names[2 : ahead + 2] == team.due()
    team.run(entries[2], State.OPEN)
    team.clock.now += STALE_AFTER + 1
    team.batches.feed()
    assert names[3 : ahead + 3] == team.due()


def test_a_double_click_queues_once(team: Team) -> None:
    """The same batch again, at once or from another tab, adds nothing."""
    first = team.queue(3)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: team.queue(3), range(8)))
    assert [entry.id for entry in first] == [item.entry.id for item in team.batches.items("b1")]
    assert 3 == team.history.count()


def test_a_picture_under_way_is_not_queued_twice(team: Team) -> None:
    """One that was queued alone joins the batch; one of another batch stays there and is told of."""
    alone = team.history.add(wish(0))
    team.queue(2)
    assert alone.id in [item.entry.id for item in team.batches.items("b1")]
    assert "picture 0" in team.due()
    team.queue(3, "b2")
    batch = team.batches.get("b2")
    assert batch is not None
    assert (2, ["picture 2"]) == (batch.elsewhere, [item.entry.name for item in team.batches.items("b2")])


def test_a_paused_batch_sends_nothing_even_after_a_restart(team: Team) -> None:
    """While paused nothing of it is due: not what waits, not what came back to the queue, not after a restart."""
    entries = team.queue(6)
    team.history.move(entries[0].id, State.SUBMITTING)
    team.batches.pause("b1")
    assert [] == team.due()
    team.history.move(entries[0].id, State.QUEUED, note="No connection.")  # what was being sent came back
    team.batches.feed()
    team.history.recover()
    team.clock.now += 24 * 3600
    team.batches.feed()
    assert ([], (0, 0, 6, 0)) == (team.due(), team.progress())
    team.batches.resume("b1")
    assert ["picture 0", "picture 1", "picture 2"] == team.due()
    assert {None} == {item.entry.note for item in team.batches.items("b1")}


def test_a_pause_holds_no_other_batch(team: Team) -> None:
    """Entries of other batches, and those of none, go on."""
    team.queue(4)
    team.batches.queue("b2", [wish(100)], name="other")
    team.history.add(wish(200))
    team.batches.pause("b1")
    team.batches.feed()
    assert {"picture 100", "picture 200"} == set(team.due())


def test_a_new_try_is_for_what_failed_only(team: Team) -> None:
    """Failed pictures are queued once more in their place; finished and undecided ones are not, nor twice."""
    entries = team.queue(4)
    for entry, state in zip(entries, (State.FAILED, State.FINISHED, State.AMBIGUOUS, State.FAILED), strict=True):
        team.run(entry, state)
    assert (1, 0, 0, 2) == team.progress()
    team.clock.now += 60
    assert 2 == team.batches.retry("b1")
    assert 0 == team.batches.retry("b1")
    items = team.batches.items("b1")
    assert [f"picture {n}" for n in range(4)] == [item.entry.name for item in items]
    assert [2, 1, 1, 2] == [item.tries for item in items]
    assert ["picture 0", "picture 3"] == team.due()
    ((_, counted),) = team.batches.latest()
    assert (4, 1, 1, 0, 2) == (counted.total, counted.finished, counted.undecided, counted.failed, counted.under_way)


def test_what_waits_can_be_cancelled(team: Team) -> None:
    """Cancelling takes everything out of the queue that was not sent, and leaves what is under way."""
    entries = team.queue(5)
    team.run(entries[0], State.OPEN)
    assert 4 == team.batches.cancel_waiting("b1")
    team.batches.feed()
    assert [State.OPEN] + [State.CANCELLED] * 4 == [item.entry.state for item in team.batches.items("b1")]


def test_the_time_left_follows_the_pace(team: Team) -> None:
    """Half of equal pictures in 10 s leaves 10 s; before the first is finished nothing is promised."""
    entries = team.queue(2)
    assert seconds_left(team.batches.items("b1"), team.clock.now) is None
    team.history.move(entries[0].id, State.SUBMITTING)
    team.clock.now += 10
    for state in (State.OPEN, State.ARCHIVING, State.FINISHED):
        team.history.move(entries[0].id, state)
    items = team.batches.items("b1")
    left = seconds_left(items, team.clock.now)
    assert pytest.approx(10) == left
    assert "1 of 2 done, about 10 s left" == words.progress(progress(items), left, held=False)
    assert "1 finished · 1 under way" == words.states(progress(items))


# All results as one file


def test_all_results_come_as_one_zip(team: Team, tmp_path: Path) -> None:
    """The link holds every stored result under its own name; what is gone is named; a wrong key opens nothing."""
    files = Files(str(tmp_path / "files"), work_dir=tmp_path)
    files.start()
    entries = team.queue(3)
    for entry in entries:
        with files.folder() as folder:
            (folder / "koi_4x.png").write_bytes(entry.name.encode() * 400_000)
            key = files.keep(folder)
        for state in (State.SUBMITTING, State.OPEN, State.ARCHIVING):
            team.history.move(entry.id, state)
        team.history.move(entry.id, State.FINISHED, result_key=key, result_file="koi_4x.png")
        gone = key
    files.delete(gone)
    batch = team.batches.get("b1")
    assert batch is not None
    listener = listener_at("127.0.0.1", 0)
    app = Starlette(routes=results_zip.routes(team.batches, files))
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with served(app, listener), httpx.Client(base_url=origin, trust_env=False) as client:
        answer = client.get(results_zip.download_url(batch.download_key))
        head = client.head(results_zip.download_url(batch.download_key))
        wrong = client.get(results_zip.download_url(batch.id))
    assert (200, 'attachment; filename="3-pictures.zip"') == (answer.status_code, answer.headers["content-disposition"])
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert ["1_koi_4x.png", "2_koi_4x.png", "not-included.txt"] == archive.namelist()
        assert b"picture 1" * 400_000 == archive.read("2_koi_4x.png")
        assert b"3_koi_4x.png" in archive.read("not-included.txt")
    pieces = list(results_zip.pack(files, results_zip.finished(team.batches, "b1")))
    assert max(map(len, pieces)) < 1.1 * 2**20
    assert (200, b"", 404) == (head.status_code, head.content, wrong.status_code)
