"""Exports hold every fact that may leave the studio, and nothing that must not."""

from __future__ import annotations

import csv
import datetime
import io
import json
import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from journey.engine.__main__ import listener_at
from journey.history import History, NewEntry, Order, State
from journey.history.deletions import Deletions
from journey.history.streaming import FACTS, PIECE
from journey.history.tables import entries
from journey.outside.masking import is_shortened, masked, masked_text
from journey.provider import JOURNEYAPI, THIS_MACHINE
from journey.storage.database import Database
from journey.storage.spreadsheets import Cell
from journey.storage.stored import StoredPicture
from journey.studio.batches.decoding import decode
from journey.studio.batches.lines import Wanted
from journey.studio.batches.lists import readings
from journey.views.listing import Listing
from journey.web.exports import FORMS, NAMES, Form, download_url, giving_way, routes, to_csv, to_json
from tests.conftest import empty_database
from tests.harness.engines import served

KEY = "0123456789abcdef" * 2


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with empty_database("sqlite", request, tmp_path) as made:
        yield made


@pytest.fixture
def history(database: Database) -> History:
    return History(database, clock=lambda: 1_800_000_000.25)


def add(history: History, name: str, **fields: object) -> str:
    wish = {"provider": JOURNEYAPI, "type": "4x", "name": name}
    return history.add(NewEntry(**wish | fields)).id  # type: ignore[arg-type]  # the fields are those of NewEntry


def table(history: History, ids: list[str]) -> list[dict[str, str]]:
    text = b"".join(to_csv(history.lists.rows_of(ids))).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_both_forms_say_the_same(history: History) -> None:
    """CSV and JSON have the same names and values, in the order that was asked for; times are UTC."""
    first, second = add(history, 'Ölbild, "quoted"\nand more'), add(history, "owl")
    history.labels.describe(first, tags_now=["album", "Zebra"], comment="said")
    rows, objects = (
        table(history, [second, first]),
        json.loads(b"".join(to_json(history.lists.rows_of([second, first])))),
    )
    assert list(NAMES) == list(rows[0]) == list(objects[0])
    assert ["owl", 'Ölbild, "quoted"\nand more'] == [row["name"] for row in rows] == [each["name"] for each in objects]
    assert ("album, Zebra", ["album", "Zebra"]) == (rows[1]["tags"], objects[1]["tags"])
    assert ("2027-01-15T08:00:00Z", "4", "said") == (rows[1]["created"], rows[1]["multiplier"], rows[1]["comment"])
    assert (None, 4, 0) == (objects[0]["finished"], objects[0]["multiplier"], objects[0]["credits"])


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "\r\n=1", "＝1+1", "＠x"])
def test_no_cell_is_a_formula(history: History, name: str) -> None:
    """Text that a spreadsheet takes for a formula begins with an apostrophe in the CSV, and is unchanged in JSON."""
    entry = add(history, name, person="=cmd()")
    history.labels.describe(entry, tags_now=["-t"], comment="safe = text")
    row = table(history, [entry])[0]
    assert (f"'{name}", "'=cmd()", "'-t", "safe = text") == (row["name"], row["person"], row["tags"], row["comment"])
    assert name == json.loads(b"".join(to_json(history.lists.rows_of([entry]))))[0]["name"]


def test_no_secret_leaves(history: History) -> None:
    """Neither form holds a webhook, a secret, a token, the key of a file or the signature of an address."""
    entry = add(
        history,
        "a",
        image_url="https://cdn.example.com/a.png?signature=S1GNED#frag",
        source=StoredPicture(KEY, "a.png", 10, 10),
        webhook_url="https://hooks.example.com/T0KEN",
        webhook_secret="S3CRET",
    )
    own = add(history, "b", image_url=f"http://127.0.0.1:8501/files/{KEY}/b.png")
    history.move(own, State.SUBMITTING)
    history.move(own, State.FAILED, error=f"It was at http://127.0.0.1:8501/files/{KEY}/r.png", note=f"/files/{KEY}/x")
    said = "It was at https://me:S1GNED@cdn.example.com/r.png?X-Amz-Signature=S1GNED and https%3A%2F%2Fb%3Fs%3DS1GNED"
    failed = add(history, "c", image_url="https://cdn.example.com/c.png")
    history.move(failed, State.SUBMITTING)
    history.move(failed, State.FAILED, error=said)
    history.labels.describe(failed, tags_now=[], comment="https://my.example/?a=mine")
    token = history.lists.by_ids([entry]).entries[0].webhook_token
    for made in (to_csv, to_json):
        text = b"".join(made(history.lists.rows_of([entry, own, failed]))).decode()
        assert "https://cdn.example.com/a.png?signature=…#…" in text
        assert "https://…@cdn.example.com/r.png?X-Amz-Signature=…" in text
        assert "https://my.example/?a=mine" in text
        for secret in (KEY, "S1GNED", "T0KEN", "S3CRET", str(token), "hooks.example.com"):
            assert secret not in text
    rows = json.loads(b"".join(to_json(history.lists.rows_of([entry, own, failed]))))
    assert [["image_url"], ["image_url", "error", "note"], ["error"]] == [row["shortened"] for row in rows]


def test_many_come_in_parts(history: History, database: Database) -> None:
    """Many entries are read and written in parts, and those that were deleted meanwhile are left out."""
    row = {"state": "finished", "provider": THIS_MACHINE, "type": "2x", "name": "n", "credits": 0, "attempts": 1}
    row |= {"archive_attempts": 0, "created_at": 1.0, "changed_at": 1.0}
    ids = [f"{number:016d}" for number in range(2 * PIECE + 1)]
    with database.write() as connection:
        connection.execute(entries.insert(), [{**row, "id": each} for each in ids])
    Deletions(database).delete(ids[:1])
    parts = list(to_csv(history.lists.rows_of(ids)))
    assert 4 == len(parts)
    assert 2 * PIECE + 1 == b"".join(parts).count(b"\r\n")
    assert ids[1:] == [each["id"] for each in json.loads(b"".join(to_json(history.lists.rows_of(ids))))]
    assert ([], []) == (table(history, []), json.loads(b"".join(to_json(history.lists.rows_of([])))))


NASTY = (
    *(
        "plain",
        "",
        'a "quoted" one',
        "a, b",
        "two\r\nlines",
        "=1+1",
        "  -1",
        "\t=x",
        "＝1",
        "\u202egnp.iok",
        "鯉 …",
        "_x",
        "'",
    ),
    *(
        "https://a.example/koi.png?ex=1&hm=S1GNED&",
        "https://me:S1GNED@a.example/x?sig=S1GNED#y",
        f"/files/{KEY}/koi.png",
    ),
    'It was at https://a.example/x?name="S1GNED", and https%3A%2F%2Fb%3Fs%3DS1GNED.',
)


def nasty_rows(count: int) -> list[dict[str, object]]:
    """Rows whose texts, numbers and times are odd, repeated in some columns and different in others, or missing."""
    chance = random.Random(5)
    texts = (
        "task_id",
        "network",
        "result_model",
        "person",
        "image_url",
        "parent_task_id",
        "came_from",
        "error",
        "note",
    )
    sizes = ("source_width", "source_height", "result_width", "result_height", "result_bytes")
    made: list[dict[str, object]] = []
    for number in range(count):
        moment = 1_700_000_000 + chance.choice([0, 3_599, 3_599.9999996, 86_399.4, 3_600 * 24 * 365 * 30]) + number
        row: dict[str, object] = {name: chance.choice([None, *NASTY]) for name in (*texts, "comment")}
        row |= {name: chance.choice([None, 0, 1_024, 4_096 + number]) for name in sizes}
        row |= {"id": f"{number:016x}", "name": f"{chance.choice(NASTY)}{number}", "provider": JOURNEYAPI, "type": "4x"}
        row |= {"index": chance.choice([None, "1"]), "came_from_index": None, "batch": chance.choice([None, KEY])}
        row |= {"credits": number % 3, "attempts": 1, "archive_attempts": 0, "state": "failed"}
        row |= {"created_at": moment, "changed_at": moment, "submitted_at": moment + chance.random()}
        row |= {"finished_at": chance.choice([None, moment + 0.9999996])}
        made.append(row)
    return made


def as_rows(facts: Sequence[Any], labels: Sequence[str]) -> list[Cell]:
    """What is told of one entry, said as plainly as can be, for the CSV."""
    known = dict(zip(FACTS, facts, strict=False))

    def without_keys(text: str | None) -> str | None:
        return text and re.sub("(/files/)[0-9a-f]{32}", r"\1…", text)

    for picture in ("source", "result"):
        width, height = f"{picture}_width", f"{picture}_height"
        if not (known[width] and known[height]):
            known[width] = known[height] = None
    known["image_url"] = known["image_url"] and masked(known["image_url"])
    for name in ("name", "network", "result_model", "image_url", "error", "note"):
        known[name] = without_keys(known[name] and masked_text(known[name]))
    for name in ("task_id", "person", "parent_task_id", "came_from", "comment"):
        known[name] = without_keys(known[name])
    for name in ("created_at", "submitted_at", "finished_at"):
        if (moment := known[name]) is not None:
            known[name] = datetime.datetime.fromtimestamp(moment, datetime.UTC).isoformat()[:19] + "Z"
    known["type"] = int(known["type"][0])
    cut = [name for name in ("image_url", "error", "note") if known[name] and is_shortened(known[name])]
    said = [*known.values(), ", ".join(filter(None, map(without_keys, map(masked_text, labels)))), ", ".join(cut)]
    formula = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
    return [f"'{cell}" if isinstance(cell, str) and formula.match(cell) else cell for cell in said]


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_columns_say_what_rows_would(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """What is told column by column is, byte for byte, what is told row by row, however odd the rows are."""
    with empty_database(kind, request, tmp_path) as database:
        with database.write() as connection:
            connection.execute(entries.insert(), nasty_rows(300))
        history = History(database)
        for number, tag in enumerate(NASTY):
            if tag.strip():
                history.labels.tag([f"{number:016x}", f"{2 * number:016x}"], tag[:40])
        expected = io.StringIO(newline="")
        writer = csv.writer(expected)
        writer.writerow(NAMES)
        for piece, tags in history.lists.rows(order=Order.OLDEST):
            writer.writerows(as_rows(row, tags.get(row[0], ())) for row in piece)
        made = b"".join(to_csv(history.lists.rows(order=Order.OLDEST)))
        assert expected.getvalue().split("\r\n") == made.decode("utf-8-sig").split("\r\n")


PRIVATE_KEY = b"k" * 32
EVERYTHING = Listing()
NOW = 1_800_000_000.25


@pytest.fixture
def browse(history: History) -> Iterator[Callable[[str], httpx.Response]]:
    """Follows a link, as a browser would at `NOW`."""
    listener = listener_at("127.0.0.1", 0)
    app = Starlette(routes=routes(history.lists, PRIVATE_KEY, clock=lambda: NOW))
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with served(app, listener), httpx.Client(base_url=origin, trust_env=False) as client:
        yield client.get


def link(form: Form = "csv", listing: Listing = EVERYTHING, *, ids: Sequence[str] = (), hours_ago: int = 0) -> str:
    now = NOW - 3_600 * hours_ago
    return download_url(PRIVATE_KEY, form, listing, timezone="Europe/Berlin", ids=ids, now=now)


def test_a_link_gives_what_the_list_shows(history: History, browse: Callable[[str], httpx.Response]) -> None:
    """A link gives the listing in its order, or only the ticked rows, as a file that no cache keeps."""
    koi, owl, second = (add(history, name) for name in ("koi & co", "owl", "Koi two"))
    found = browse(link("json", Listing(text="koi", order=Order.NAME)))
    assert [koi, second] == [each["id"] for each in found.json()]
    ticked = browse(link(ids=[second, owl]))
    assert ["Koi two", "owl"] == [
        row["name"] for row in csv.DictReader(io.StringIO(ticked.content.decode("utf-8-sig")))
    ]
    assert 'attachment; filename="tasks.csv"' == ticked.headers["content-disposition"]
    assert ("private, no-store", "none") == (ticked.headers["cache-control"], ticked.headers["accept-ranges"])
    assert 3 == len(browse(link("json")).json())


@pytest.mark.parametrize("form", FORMS)
def test_an_export_is_packed_for_those_who_can_unpack_it(
    history: History, browse: Callable[..., httpx.Response], form: Form
) -> None:
    """Browsers get an export as gzip, and programs that do not ask for that get the very same bytes as they are."""
    for number in range(1_200):
        add(history, f"koi {number}")
    packed = browse(link(form))
    plain = browse(link(form), headers={"Accept-Encoding": "identity"})
    assert ("gzip", None) == (packed.headers.get("content-encoding"), plain.headers.get("content-encoding"))
    assert {"Accept-Encoding"} == {packed.headers["vary"], plain.headers["vary"]}
    assert plain.content == packed.content
    assert 1_200 < plain.content.count(b"\n") < 1_205
    assert len(plain.content) > 4 * packed.num_bytes_downloaded


def burning(parts: int) -> Iterator[bytes]:
    """So many parts, each of which takes some processor time."""
    for _ in range(parts):
        end = time.thread_time() + 0.03
        while time.thread_time() < end:
            pass
        yield b"part"


def test_an_export_gives_way_to_others() -> None:
    """While other threads of the server have work, an export rests after each part; alone, it goes on at once."""
    rests: list[float] = []
    assert [b"part"] * 3 == list(giving_way(burning(3), rest=rests.append))
    assert [] == rests
    ended = threading.Event()
    page = threading.Thread(target=lambda: [None for _ in iter(ended.is_set, True)])
    page.start()
    try:
        assert [b"part"] * 3 == list(giving_way(burning(3), rest=rests.append))
    finally:
        ended.set()
        page.join()
    assert 3 == len(rests)
    assert 0.01 < min(rests)


def test_days_of_a_link_begin_where_the_person_is(history: History, browse: Callable[[str], httpx.Response]) -> None:
    """A link keeps the time zone: a task of 09:00 in Berlin belongs to that day and to no other."""
    add(history, "koi")
    day = datetime.date(2027, 1, 15)
    assert 1 == len(browse(link("json", Listing(since=day, until=day))).json())
    assert [] == browse(link("json", Listing(until=day - datetime.timedelta(days=1)))).json()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda url: url.replace("asked=", "asked=A"),
        lambda url: url.replace("tasks.csv", "tasks.json"),
        lambda url: url.replace("tasks.csv", "tasks.exe"),
        lambda url: url[:-1] + ("0" if url[-1] != "0" else "1"),
        lambda url: url.rpartition(".")[0],
        lambda url: url + "&asked=owl",
        lambda url: url.partition("=")[0] + "=\u00e9",
        lambda url: url.partition("?")[0],
        lambda _: download_url(b"another key", "csv", Listing(text="koi"), timezone=None, now=NOW),
    ],
    ids=["longer", "form", "no form", "last sign", "unsigned", "twice", "no ASCII", "nothing", "another key"],
)
def test_a_link_that_was_changed_is_refused(
    history: History, browse: Callable[[str], httpx.Response], spoil: Callable[[str], str]
) -> None:
    """Only an unchanged link is answered."""
    add(history, "koi")
    url = link(listing=Listing(text="koi"))
    assert 200 == browse(url).status_code
    answer = browse(spoil(url))
    assert (403, True) == (answer.status_code, "no longer good" in answer.text)


def test_a_link_is_good_for_an_hour_and_not_for_three(browse: Callable[[str], httpx.Response]) -> None:
    """Whoever finds an old link in a browser's history gets nothing; within its hour a link stays the same."""
    assert [200, 200, 403, 403] == [browse(link(hours_ago=hours)).status_code for hours in (0, 1, 2, 3)]
    same = {download_url(PRIVATE_KEY, "csv", EVERYTHING, timezone=None, now=NOW + late) for late in (0, 1, 60)}
    assert 1 == len(same)


def test_an_export_is_read_back_by_its_tasks(history: History) -> None:
    """What was exported and is dropped into Batch names the same pictures: by task, or by our own copy where the
    address was shortened; never by our id as a task, nor by the shortened address."""
    finished = add(history, "koi", image_url="https://cdn.example.com/koi.png?sig=1")
    for state in (State.SUBMITTING, State.OPEN, State.ARCHIVING, State.FINISHED):
        history.move(finished, state, task_id="=task-1")
    failed = add(history, "owl", image_url="https://cdn.example.com/owl.png?sig=2")
    whole = add(history, "fox", image_url="https://cdn.example.com/fox.png")
    parent = add(history, "elk", parent_task_id="grid-1", index="3")
    for entry in (failed, whole, parent):
        history.move(entry, State.SUBMITTING)
        history.move(entry, State.FAILED, error="It was at https://cdn.example.com/x?sig=3, and failed.")
    expected = [
        Wanted("task", "=task-1"),
        Wanted("copy", failed),
        Wanted("url", "https://cdn.example.com/fox.png"),
        Wanted("task", "grid-1", "3"),
    ]
    for made in (to_csv, to_json):
        (reading,) = readings(decode(b"".join(made(history.lists.rows_of([finished, failed, whole, parent])))))
        assert expected == [line.wanted for line in reading.lines]
