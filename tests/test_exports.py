"""Exports hold every fact that may leave the studio, and nothing that must not."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from journey.database import Database
from journey.exports import CHUNK, NAMES, to_csv, to_json
from journey.history import History, NewEntry, State, entries
from tests.conftest import empty_database

KEY = "0123456789abcdef" * 2


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with empty_database("sqlite", request, tmp_path) as made:
        yield made


@pytest.fixture
def history(database: Database) -> History:
    return History(database, clock=lambda: 1_800_000_000.25)


def add(history: History, name: str, **fields: object) -> str:
    wish = {"engine": "journeyapi", "type": "4x", "name": name}
    return history.add(NewEntry(**wish | fields)).id  # type: ignore[arg-type]  # the fields are those of NewEntry


def table(history: History, ids: list[str]) -> list[dict[str, str]]:
    text = b"".join(to_csv(history, ids)).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_both_forms_say_the_same(history: History) -> None:
    """CSV and JSON have the same names and values, in the order that was asked for; times are UTC."""
    first, second = add(history, 'Ölbild, "quoted"\nand more'), add(history, "owl")
    history.describe(first, tags_now=["album", "Zebra"], comment="said")
    rows, objects = table(history, [second, first]), json.loads(b"".join(to_json(history, [second, first])))
    assert list(NAMES) == list(rows[0]) == list(objects[0])
    assert ["owl", 'Ölbild, "quoted"\nand more'] == [row["name"] for row in rows] == [each["name"] for each in objects]
    assert ("album, Zebra", ["album", "Zebra"]) == (rows[1]["tags"], objects[1]["tags"])
    assert ("2027-01-15T08:00:00Z", "4", "said") == (rows[1]["created"], rows[1]["multiplier"], rows[1]["comment"])
    assert (None, 4, 0) == (objects[0]["finished"], objects[0]["multiplier"], objects[0]["credits"])


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "\r\n=1", "＝1+1", "＠x"])
def test_no_cell_is_a_formula(history: History, name: str) -> None:
    """Text that a spreadsheet would work out begins with an apostrophe in the CSV, and is as it was in the JSON."""
    entry = add(history, name, person="=cmd()")
    history.describe(entry, tags_now=["-t"], comment="safe = text")
    row = table(history, [entry])[0]
    assert (f"'{name}", "'=cmd()", "'-t", "safe = text") == (row["name"], row["person"], row["tags"], row["comment"])
    assert name == json.loads(b"".join(to_json(history, [entry])))[0]["name"]


def test_no_secret_leaves(history: History) -> None:
    """No webhook, secret, token, key of a file or signature of an address is in either form."""
    entry = add(
        history,
        "a",
        image_url="https://cdn.example.com/a.png?signature=S1GNED#frag",
        source_key=KEY,
        webhook_url="https://hooks.example.com/T0KEN",
        webhook_secret="S3CRET",
    )
    own = add(history, "b", image_url=f"http://127.0.0.1:8501/files/{KEY}/b.png")
    history.move(own, State.SUBMITTING)
    history.move(own, State.FAILED, error=f"It was at http://127.0.0.1:8501/files/{KEY}/r.png", note=f"/files/{KEY}/x")
    token = history.by_ids([entry]).entries[0].webhook_token
    for made in (to_csv, to_json):
        text = b"".join(made(history, [entry, own])).decode()
        assert "https://cdn.example.com/a.png" in text
        for secret in (KEY, "S1GNED", "T0KEN", "S3CRET", str(token), "hooks.example.com"):
            assert secret not in text


def test_many_come_in_parts(history: History, database: Database) -> None:
    """However many there are, they are read and written in parts; those deleted meanwhile are left out."""
    model = {"state": "finished", "engine": "embedded", "type": "2x", "name": "n", "credits": 0, "attempts": 1}
    model |= {"archive_attempts": 0, "created_at": 1.0, "changed_at": 1.0}
    ids = [f"{number:016d}" for number in range(2 * CHUNK + 1)]
    with database.write() as connection:
        connection.execute(entries.insert(), [{**model, "id": each} for each in ids])
    history.delete(ids[:1])
    parts = list(to_csv(history, ids))
    assert 4 == len(parts)
    assert 2 * CHUNK + 1 == b"".join(parts).count(b"\r\n")
    assert ids[1:] == [each["id"] for each in json.loads(b"".join(to_json(history, ids)))]
    assert ([], []) == (table(history, []), json.loads(b"".join(to_json(history, []))))
