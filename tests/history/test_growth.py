"""What pages ask costs no more when the history grows: counters, plans, pages from either end, the search."""

from __future__ import annotations

import logging
import random
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa

from journey.history import (
    LIVE,
    UNDECIDED,
    Filter,
    History,
    NewEntry,
    Order,
    State,
    filtering,
    finding,
    searching,
    streaming,
)
from journey.history.counting import counts
from journey.history.deletions import Deletions
from journey.history.kinship import find_kin
from journey.history.results import next_result
from journey.history.searching import Index, searched, spelled, unsearched
from journey.history.spending import Spending
from journey.history.states import WAYS
from journey.history.tables import entries
from journey.history.timing import usual_times
from journey.provider import JOURNEYAPI, THIS_MACHINE
from journey.storage.database import Database
from journey.storage.stored import StoredPicture
from tests.harness.explained import plan, statements
from tests.harness.standing import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def history(database: Database, clock: Clock) -> Iterator[History]:
    made = History(database, clock=clock)
    made.lists.index.prepare()
    yield made
    with database.write() as connection:  # the next test may want to be without it
        connection.execute(sa.text("DROP INDEX IF EXISTS searched_words" if not database.is_sqlite else "SELECT 1"))


def add(history: History, name: str, **fields: Any) -> str:
    wish: dict[str, Any] = {"provider": JOURNEYAPI, "type": "4x", "person": "ann"}
    return history.add(NewEntry(name=name, **wish | fields)).id


def some(history: History, clock: Clock, number: int = 60) -> None:
    """Entries of several people, in many states, some of them deleted."""
    chance = random.Random(7)
    for each in range(number):
        clock.now += 1
        provider, scale = chance.choice([JOURNEYAPI, THIS_MACHINE]), chance.choice(["2x", "4x"])
        entry = add(history, f"{each}", provider=provider, type=scale, person=chance.choice(["ann", "bob", None]))
        state = State.QUEUED
        for _ in range(chance.randrange(6)):
            if not (ways := sorted(WAYS[state])):
                break
            state = chance.choice(ways)
            result = StoredPicture("k" * 32, "a.png", 100, 10 + each, each) if state is State.FINISHED else None
            history.move(entry, state, result=result, result_key=result and result.key)


def test_the_counters_are_what_counting_finds(history: History, clock: Clock, database: Database) -> None:
    """However entries move, change hands or are deleted, the kept numbers are those of a count of all rows."""
    some(history, clock)
    over = [entry.id for entry in history.lists.latest(limit=100) if entry.state.over]
    Deletions(database).delete(over[::3])
    names = (entries.c.state, entries.c.provider, entries.c.type, sa.func.coalesce(entries.c.person, ""))
    stored = sa.case((entries.c.result_key.is_(None), 0), else_=sa.func.coalesce(entries.c.result_bytes, 0))
    with database.read() as connection:
        kept = connection.execute(sa.select(counts).where(counts.c.number != 0)).all()
        recount = sa.select(*names, sa.func.count(), sa.func.sum(stored)).group_by(*names)
        assert sorted(map(tuple, connection.execute(recount)), key=str) == sorted(map(tuple, kept), key=str)
    left = history.lists.latest(limit=100)
    assert len(left) == history.lists.count()
    failed = sum(entry.state is State.FAILED for entry in left)
    assert failed == history.lists.count(states=[State.FAILED])
    assert sum(entry.result.bytes or 0 for entry in left if entry.result) == history.lists.result_bytes()


def test_every_page_is_found_from_either_end(history: History, clock: Clock) -> None:
    """Pages that are read from the end of the list are those that are read from its beginning, without a gap."""
    some(history, clock, 23)
    for order in Order:
        everything = history.lists.ids(order=order)
        for offset in range(0, 23, 5):
            page = history.lists.search(order=order, limit=5, offset=offset)
            assert everything[offset : offset + 5] == [entry.id for entry in page.entries]
            assert (23, False) == (page.total, page.is_more)


def test_pieces_are_the_whole_list(history: History, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read in pieces is what the list shows, in its order, each entry once and with its tags."""
    monkeypatch.setattr(streaming, "PIECE", 4)
    some(history, clock, 23)
    for wanted in (Filter(), Filter(states=[State.QUEUED, State.FAILED]), Filter(text="1")):
        for order in Order:
            ids = history.lists.ids(wanted, order=order)
            history.labels.tag(ids[-1:], "last")
            pieces = list(history.lists.rows(wanted, order=order))
            assert ids == [row[0] for rows, _ in pieces for row in rows]
            assert [4] * (len(ids) // 4) == [len(rows) for rows, _ in pieces if len(rows) == 4]
            assert ["last"] == pieces[-1][1][ids[-1]]


def test_what_changes_during_an_export_is_neither_lost_nor_doubled(
    history: History, clock: Clock, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two pieces, entries are added and deleted: those that stay come once each, and no new one comes."""
    monkeypatch.setattr(streaming, "PIECE", 4)
    for _ in range(12):
        clock.now += 1
        history.move(add(history, "koi"), State.CANCELLED)
    ids = history.lists.ids()
    pieces = history.lists.rows()
    seen = [row[0] for row in next(pieces)[0]]
    Deletions(database).delete(ids[2:6])
    clock.now += 1
    add(history, "new")
    seen += [row[0] for rows, _ in pieces for row in rows]
    assert [*ids[:4], *ids[6:]] == seen


def test_what_no_counter_knows_is_counted_to_a_limit(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    """More matches than are counted are told as more; what the counters know is told exactly."""
    monkeypatch.setattr(finding, "MOST_COUNTED", 3)
    for number in range(5):
        add(history, f"koi {number}")
    found = history.lists.search(Filter(text="koi"), limit=2)
    assert (3, True, 2) == (found.total, found.is_more, len(found.entries))
    counted = history.lists.search(Filter(person="ann"), limit=2)
    assert (5, False) == (counted.total, counted.is_more)


ASKED: dict[str, Callable[[History], object]] = {
    "pulse": lambda history: history.lists.pulse(),
    "first page": lambda history: history.lists.search(limit=1),
    "last page": lambda history: history.lists.search(limit=5, offset=15),
    **{
        str(order): lambda history, order=order: history.lists.search(order=order, limit=1)  # type: ignore[misc]  # bound now
        for order in Order
    },
    **{
        name: lambda history, wanted=wanted: history.lists.search(wanted, limit=1)  # type: ignore[misc]  # bound now
        for name, wanted in {
            "needs you": Filter(states=UNDECIDED),
            "under way": Filter(states=LIVE),
            "finished": Filter(states=[State.FINISHED]),
            "provider": Filter(provider=JOURNEYAPI),
            "multiplier": Filter(type="2x"),
            "person": Filter(person="ann"),
            "tag": Filter(tag="poster"),
            "batch": Filter(batch="b"),
            "came from": Filter(came_from="t"),
            "days": Filter(since=1.0, until=2e9),
            "paper": Filter(fills=(10, 10)),
            "several": Filter(person="ann", states=[State.FAILED], provider=JOURNEYAPI, tag="poster"),
        }.items()
    },
    "title": lambda history: history.lists.under_way(person="ann"),
    "count": lambda history: history.lists.count(states=LIVE),
    "bytes": lambda history: history.lists.result_bytes(),
    "people": lambda history: history.lists.persons(),
    "tags": lambda history: history.labels.known_tags(),
    "latest": lambda history: history.lists.latest(limit=3, once=True),
    "pickers": lambda history: history.lists.latest(limit=3, states=[State.FINISHED]),
    "kin": lambda history: find_kin(history.lists, history.lists.latest(limit=3), task_ids=["t"]),
    "twin": lambda history: history.twin_of("f"),
    "ordered": lambda history: history.lists.ordered("f"),
    "webhook": lambda history: history.by_webhook_token("t"),
    "news of a task": lambda history: history.hasten_task("t"),
    "due": lambda history: history.due(State.OPEN, limit=5),
    "first due": lambda history: history.first_due(),
    "next due": lambda history: history.next_due(0.0),
    "start": lambda history: history.recover(),
}


RARE = {
    "needs you",
    "under way",
    "finished",
    "provider",
    "multiplier",
    "person",
    "batch",
    "came from",
    "title",
    "start",
}
"""What is asked of few entries looks at these alone."""

GROWS = "entries|timeline|tags|searched|deleted_calls|spent_calls"
WALK = re.compile(rf"SCAN ({GROWS})\b")
FULL_SCAN = re.compile(rf"SCAN ({GROWS})( AS \w+)?$|Seq Scan on ({GROWS})\b")


@pytest.mark.parametrize("few", [5_000, 0], ids=["few match", "many match"])
def test_no_question_reads_every_row(
    history: History, clock: Clock, database: Database, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """Whatever a page, a poll, a webhook or a start asks is answered from an index, and a walk along one ends early."""
    monkeypatch.setattr(filtering, "FEW", few)
    some(history, clock, 20)
    for name, ask in ASKED.items():
        with statements(database) as said:
            ask(history)
        with database.read() as connection:
            for statement, values in said:
                if not statement.startswith(("SELECT", "UPDATE entries", "WITH")) or "pg_catalog" in statement:
                    continue
                lines = plan(connection, (statement, values))
                assert not [line for line in lines if FULL_SCAN.search(line)], (name, statement, lines)
                walks = [line for line in lines if WALK.match(line)]
                assert not walks or " LIMIT " in statement.upper().replace("\n", " "), (name, statement, lines)
                assert not (few and walks and name in RARE), (name, statement, lines)
                if not few and walks:
                    assert "USE TEMP B-TREE FOR ORDER BY" not in lines, (name, statement, lines)


def test_usual_times_come_from_an_index(history: History, clock: Clock, database: Database) -> None:
    """How long tasks take is learnt without reading every task, even of a provider that has finished none."""
    some(history, clock, 20)
    with statements(database) as said:
        usual_times(database, [JOURNEYAPI, THIS_MACHINE])
    with database.read() as connection:
        lines = [line for statement in said for line in plan(connection, statement)]
    assert not [line for line in lines if line.startswith(("SCAN", "Seq Scan", "USE TEMP"))]
    assert not database.is_sqlite or {"entries_way"} == {name for line in lines for name in line.split() if "_" in name}


def test_the_next_result_is_found_by_an_index(history: History, clock: Clock, database: Database) -> None:
    """Whoever goes through all results, one at a time, reads one at a time."""
    some(history, clock, 20)
    with statements(database) as said:
        next_result(database, after=(clock.now - 5, "e"), before=clock.now + 5)
    with database.read() as connection:
        lines = [line for statement in said for line in plan(connection, statement)]
    assert any("entries_kept" in line for line in lines), lines


def found(history: History, text: str, **others: Any) -> list[str]:
    return [entry.name for entry in history.lists.search(Filter(text=text, **others)).entries]


def test_the_index_finds_what_people_look_for(history: History, clock: Clock) -> None:
    """Words of any script and length are found in name, person, tags and comment; IDs by their first characters."""
    koi = add(history, "Koi_pond 100%.png", person="ann@example.com")
    clock.now += 1
    night = add(history, "夜明けの港 ﾃｽﾄ.png", person="bob@example.com")
    clock.now += 1
    owl = add(history, "Ölbild Straße [owl]*.png", person=None)
    history.labels.describe(koi, tags_now=["Album"], comment="The client wants it BRIGHTER.")
    history.labels.tag([night], "年賀状")
    for state in (State.SUBMITTING, State.OPEN):
        history.move(owl, state, **({"task_id": "4f1cbe90-77"} if state is State.OPEN else {}))
    names = {each: entry.name for each in (koi, night, owl) if (entry := history.get(each))}
    for text in ("koi", "POND ann@", "album", "brighter koi", "100%", "i_p", "ko", "k", "%", koi, koi[:8]):
        assert [names[koi]] == found(history, text), text
    for text in ("夜", "明け", "夜明けの港", "年賀", "賀", "港 bob", "テスト"):
        assert [names[night]] == found(history, text), text
    for text in ("ölbild", "ÖLBILD OWL", "strasse", "ß", "[owl]*", "[", "*", "4f1cbe90-77", "4F1CBE90", "ö"):
        assert [names[owl]] == found(history, text), text
    assert [names[night], names[koi]] == found(history, " example.com ")
    assert [names[koi], names[night]] == [
        each.name for each in history.lists.search(Filter(text="example"), order=Order.OLDEST).entries
    ]
    for nothing in ("koi owl", "k%d", "l_p", "/x", "\\", "'", "\x00", "\ud800", "x" * 5_000, "明夜", "XAAAFP"):
        assert [] == found(history, nothing), nothing
    assert [names[owl]] == found(history, "o", states=[State.OPEN]) == found(history, "png", states=[State.OPEN])


def test_the_index_follows_changes(history: History, database: Database) -> None:
    """Old words are forgotten with a change or a deletion, and new ones are found at once."""
    entry = add(history, "owl")
    assert ["owl"] == found(history, "owl")
    history.labels.describe(entry, tags_now=["zeppelin"], comment="over the fjord")
    assert ["owl"] == found(history, "zeppelin fjord")
    history.labels.describe(entry, tags_now=[], comment="")
    assert [] == found(history, "zeppelin") == found(history, "fjord")
    history.move(entry, State.CANCELLED)
    Deletions(database).delete([entry])
    assert [] == found(history, "owl")
    with database.read() as connection:
        assert 0 == connection.scalar(sa.select(sa.func.count()).select_from(searched))
        if database.is_sqlite:
            connection.execute(sa.text("INSERT INTO searched_words (searched_words) VALUES ('integrity-check')"))


def test_the_index_goes_on_where_it_was_stopped(
    history: History, database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not indexed yet is found all the same, and another process goes on from there; nothing is done twice."""
    for number in range(12):
        clock.now += number % 2  # some are added in the same moment
        add(history, f"koi {number}")
    monkeypatch.setattr(history.lists, "index", Index(database, piece=5))
    assert Index(database, piece=5).piece()
    assert 12 == len(found(history, "koi"))
    with database.read() as connection:
        assert 7 == connection.scalar(sa.select(sa.func.count()).select_from(unsearched))
    while Index(database, piece=5).piece():
        pass
    assert 12 == len(found(history, "koi"))
    with database.read() as connection:
        by_number = list(connection.scalars(sa.select(searched.c.entry_id).order_by(searched.c.number)))
        moments = {row.id: row.created_at for row in connection.execute(sa.select(entries))}
    assert 12 == len(by_number)
    assert all(moments[one] <= moments[other] for one, other in pairwise(by_number))


def test_a_database_without_such_an_index_says_so(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the extension may not be created, one sentence says it, and searches find what they always did."""
    monkeypatch.setattr(searching, "_OF_POSTGRES", ("CREATE EXTENSION no_such_extension",))
    monkeypatch.setattr(searching, "_OF_SQLITE", ("CREATE VIRTUAL TABLE searched_words USING no_such_module(words)",))
    history = History(database)
    add(history, "Koi 鯉")
    with caplog.at_level(logging.WARNING):
        history.lists.index.prepare()
    (said,) = caplog.messages
    assert "searches look at every task" in said
    assert "\n" not in said
    assert ["Koi 鯉"] == found(history, "koi") == found(history, "鯉")
    assert searching.IDLE_SECONDS == history.lists.index.step()


@pytest.mark.parametrize("text", ["夜a", "𠮷野", "Ａb", "a_b%c\\d[e]*?", "İ", "é"])
def test_spelling_keeps_characters_apart(text: str) -> None:
    """What the index holds has no character with a meaning in a pattern, and finds exactly what it stands for."""
    assert re.fullmatch(r"[ -~\n]*", spelled(text))
    assert not re.search(r"[*?\[%_\\]", spelled(text))
    for one, other in ((text, text + "x"), ("夜", "夝"), ("a1", "夜")):
        assert spelled(one) in spelled(one + other)
    assert spelled("a") not in spelled("夜明")


def test_short_words_are_looked_for_among_the_newest(
    history: History, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One or two letters are looked for in the newest tasks only, and the answer says in how many."""
    monkeypatch.setattr(searching, "SHORT_WINDOW", 3)
    monkeypatch.setattr(filtering, "FEW", 0)
    for name in ("zq old", "a", "b", "zq new"):
        clock.now += 1
        add(history, name)
    page = history.lists.search(Filter(text="zq"))
    assert (["zq new"], 3) == ([entry.name for entry in page.entries], page.newest)
    assert ["zq new"] == found(history, "zq new")
    assert None is history.lists.search(Filter(text="new")).newest


def test_sums_of_spending_are_whole_numbers(history: History, clock: Clock, database: Database) -> None:
    """The sums are those of all calls, whatever way their entries went, and are read without looking at any call."""
    some(history, clock)
    with statements(database) as said:
        told = Spending(database, clock=clock).lines()
    paid = sum(entry.credits for entry in history.lists.latest(limit=100) if entry.submitted_at)
    assert paid == sum(line.charged + line.uncertain for line in told)
    assert not [statement for statement, _ in said if "entries" in statement]
