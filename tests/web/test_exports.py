"""Exports hold every fact that may leave the studio, and nothing that must not."""

from __future__ import annotations

import csv
import datetime
import io
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from journey.engine.__main__ import listener_at
from journey.history import History, NewEntry, Order, State
from journey.history.deletions import Deletions
from journey.history.streaming import PIECE
from journey.history.tables import entries
from journey.provider import JOURNEYAPI, THIS_MACHINE
from journey.storage.database import Database
from journey.storage.stored import StoredPicture
from journey.studio.batches.decoding import decode
from journey.studio.batches.lines import Wanted
from journey.studio.batches.lists import readings
from journey.views.listing import Listing
from journey.web.exports import NAMES, Form, download_url, routes, to_csv, to_json
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
    assert "private, no-store" == ticked.headers["cache-control"]
    assert 3 == len(browse(link("json")).json())


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
