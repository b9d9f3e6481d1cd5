"""Lists as people and programs write them name the pictures that their authors meant, pasted or as a file."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from journey.errors import InvalidRequest
from journey.studio.batches import lists
from journey.studio.batches.decoding import decode
from journey.studio.batches.lines import Wanted

A, B, C = (f"https://a.example/{name}.png" for name in "abc")
SIZED = "https://res.cloudinary.example/demo/image/upload/w_400,h_300,c_fill/koi.png"
SCALED = "https://a.example/cdn-cgi/image/width=400,quality=75/uploads/koi.jpg"
SIGNED = f"{A}?X-Amz-Date=1&X-Amz-Signature=3f9a"
GRID = "994c2844-85h8"


def url(*addresses: str) -> list[Wanted]:
    return [Wanted("url", address) for address in addresses]


def task(*pictures: tuple[str, str | None]) -> list[Wanted]:
    return [Wanted("task", task_id, index) for task_id, index in pictures]


def read(text: str) -> list[Wanted | None]:
    """What the text names; it must have one reading."""
    (reading,) = lists.readings(text)
    return [line.wanted for line in reading.lines]


def frame(**columns: Sequence[object]) -> pd.DataFrame:
    return pd.DataFrame(columns)


def csv(table: pd.DataFrame, **how: Any) -> bytes:
    text = io.StringIO()
    table.to_csv(text, **{"index": False, **how})
    return text.getvalue().encode()


FILES: dict[str, tuple[bytes, list[Wanted]]] = {
    "Excel, English": (csv(frame(Title=["Koi", "Pond, red"], URL=[A, SIZED]), lineterminator="\r\n"), url(A, SIZED)),
    "Excel, English, UTF-8 with a mark": (b"\xef\xbb\xbf" + csv(frame(URL=[A, B], Nr=[1, 2])), url(A, B)),
    "Excel, German, Windows-1252": (
        "Größe;Bildadresse;Titel\r\n4;https://a.example/a.png;Für Oma\r\n2;https://a.example/b.png;Straße\r\n".encode(
            "cp1252"
        ),
        url(A, B),
    ),
    "Excel, French, Windows-1252": (f"Numéro;Lien de l'image\r\n1;{A}\r\n2;{B}\r\n".encode("cp1252"), url(A, B)),
    "Excel, Japanese, Shift-JIS": (f"題名,画像のURL\r\n鯉,{A}\r\n池,{B}\r\n".encode("cp932"), url(A, B)),
    "Excel, Unicode text": (f"Título\tDirección\r\nPez\t{A}\r\nLago\t{B}\r\n".encode("utf-16"), url(A, B)),
    "Excel with sep=": (f"sep=;\r\nurl;title\r\n{A};Koi\r\n{SIZED};Pond\r\n".encode(), url(A, SIZED)),
    "Excel, trailing delimiters": (f"url;;\r\n{A};;\r\n{B};;\r\n;;\r\n".encode(), url(A, B)),
    "Excel, German tasks": (
        f"Aufgaben-ID;Bild-Nr.\r\n{GRID};3\r\nabc;\r\n".encode("cp1252"),
        task((GRID, "3"), ("abc", None)),
    ),
    "Excel, Japanese tasks": (
        f"タスクID,画像番号\r\n{GRID},３\r\nabc,1\r\n".encode("cp932"),
        task((GRID, "3"), ("abc", "1")),
    ),
    "Calc, Spanish tasks": (f'"tarea";"índice"\n"{GRID}";2\n"abc";4\n'.encode(), task((GRID, "2"), ("abc", "4"))),
    "Numbers, Portuguese": (f"Endereço da imagem,Tamanho\nhttps://a.example/a.png,A3\n{B},A4\n".encode(), url(A, B)),
    "Sheets, Italian, tabs": (f"Titolo\tIndirizzo\nCarpa\t{A}\n\t{SCALED}\n".encode(), url(A, SCALED)),
    "Sheets, Dutch": (f"Nummer,Afbeelding\n1,{A}\n2,{B}\n3,{C}\n".encode(), url(A, B, C)),
    "Sheets, Chinese": (f"名称,图片链接\n鲤鱼,{A}\n池塘,{B}\n".encode(), url(A, B)),
    "Old Mac, tabs": (f"name\turl\rKoi\t{A}\rPond\t{B}\r".encode("cp1252"), url(A, B)),
    "Formulas, commas": (
        f'name,link\nKoi,"=HYPERLINK(""{A}"",""Koi"")"\nPond,"=HYPERLINK(""{SIZED}"")"\n'.encode(),
        url(A, SIZED),
    ),
    "Formulas, semicolons": (f'=HYPERLINK("{A}";"Koi")\n=LIEN_HYPERTEXTE("{SIZED}";"Carpe")\n'.encode(), url(A, SIZED)),
    "pandas with its row numbers": (csv(frame(image_url=[A, SIZED, B], likes=[3, 1, 2]), index=True), url(A, SIZED, B)),
    "pandas, numbers with a gap": (
        csv(frame(task_id=[GRID, "abc"], index=[3, None])),
        task((GRID, "3"), ("abc", None)),
    ),
    "Lines broken in a cell": (f'title,url\n"Koi\nin two lines","{A}"\nPond,"{SIZED}"\n'.encode(), url(A, SIZED)),
    "Commas that nobody quoted": (f"title,url\nKoi,{SIZED}\nPond,{A}\n".encode(), url(SIZED, A)),
    "Commas that nobody quoted, first": (f"url,title\n{SIZED},Koi\n{A},Pond\n".encode(), url(SIZED, A)),
    "Tasks with an index": (b"task_id,index\nabc,3\n", task(("abc", "3"))),
    "Tasks with an index, no heading": (b"abc,3\ndef,1\nghi,\n", task(("abc", "3"), ("def", "1"), ("ghi", None))),
    "Tasks between bars": (f"Tâche | Image\n{GRID} | 2\nabc | toutes\n".encode(), task((GRID, "2"), ("abc", None))),
    "Attachments with their names": (f'Name,Files\nKoi,"koi.png ({A}),owl.png ({B})"\n'.encode(), url(A, B)),
    "Excel with a title and a total": (
        f"My prints;\r\n;\r\nTitel;Bildadresse\r\nKoi;{A}\r\nTeich;{B}\r\n".encode("cp1252"),
        url(A, B),
    ),
    "Database, no values": (
        f"task_id,index\n{GRID},NULL\nabc,\\N\ndef,2\n".encode(),
        task((GRID, None), ("abc", None), ("def", "2")),
    ),
    "Sitemap": (f"<urlset><url><loc>{A}</loc></url>\n<url><loc>{B}</loc></url></urlset>".encode(), url(A, B)),
    "Words around a task": (f"Task: {GRID}, index: 3\nabc picture 2\n".encode(), task((GRID, "3"), ("abc", "2"))),
    "Commas beside quotes": (f'prompt,url\n"a koi, red",{A}\npond,{SIZED}\n'.encode(), url(A, SIZED)),
    "Tasks with names like columns": (
        f"{GRID}\nabc\nimage\n{GRID},2\nphoto,3\n".encode(),
        task((GRID, None), ("abc", None), ("image", None), (GRID, "2"), ("photo", "3")),
    ),
    "Text, one a line": (f"{SIZED}\n\n{SCALED}\n{A}\n".encode(), url(SIZED, SCALED, A)),
    "Text, several a line": (f"{A},{B},{C}\n".encode(), url(A, B, C)),
    "Text with comments": (f"# my pictures\n{A}\n\n# {B}\n// more\n{C},\n".encode(), url(A, C)),
    "Text with bullets": (
        f"- {A}\n* {B}\n3. {C}\n- [x] {SIGNED}\n1) {GRID} 4\n".encode(),
        [*url(A, B, C, SIGNED), *task((GRID, "4"))],
    ),
    "A list of Python's": (f"['{A}', '{B}',\n '{C}']".encode(), url(A, B, C)),
    "Markdown, links": (
        f"[Koi pond]({A}), ![]({B})\n[![small](https://a.example/s.png)]({C})\n".encode(),
        url(A, B, "https://a.example/s.png"),
    ),
    "Markdown, table": (
        f"| Koi | Bild |\n|:---|---:|\n| a \\| b | [Koi]({A}) |\n| c | <{SIZED}> |\n".encode(),
        url(A, SIZED),
    ),
    "HTML, list": (
        f'<ul><li><a href="{A}?x=1&amp;y=2">Koi</a></li>\n<li><a href="{B}">Pond</a></li></ul>'.encode(),
        url(f"{A}?x=1&y=2", B),
    ),
    "HTML, pictures in links": (
        f'<p><a href="https://a.example/1"><img src="{A}" alt="x"></a><img src="{SIZED}"/></p>'.encode(),
        url(A, SIZED),
    ),
    "HTML, table": (
        f"<table><tr><th>Task</th><th>Index</th></tr><tr><td>{GRID}</td><td>3</td></tr></table>".encode(),
        task((GRID, "3")),
    ),
    "JSON, texts": (json.dumps([A, SIZED, f"{GRID} 2"]).encode(), [*url(A, SIZED), *task((GRID, "2"))]),
    "JSON, objects": (
        json.dumps([{"id": 7, "image_url": A}, {"id": 8, "image_url": SIZED, "title": "x, y"}]).encode(),
        url(A, SIZED),
    ),
    "JSON, tasks": (
        json.dumps({"tasks": [{"task_id": GRID, "index": 3}, {"task_id": "abc"}]}).encode(),
        task((GRID, "3"), ("abc", None)),
    ),
    "JSON, answers of the API": (
        json.dumps(
            {"tasks": [{"task_id": GRID, "task_type": "imagine", "status": "finished", "image_urls": [A, B, C, A]}]}
        ).encode(),
        task((GRID, None)),
    ),
    "JSON, deep": (
        json.dumps({"data": {"items": [{"name": "x", "images": [{"url": A}, {"url": B}]}]}}).encode("utf-16"),
        url(A, B),
    ),
    "JSON, rows": (json.dumps([["task", "index"], [GRID, 1], ["abc", "2"]]).encode(), task((GRID, "1"), ("abc", "2"))),
    "JSON lines": (f'{{"url": "{A}"}}\n\n{{"url": "{SIZED}", "n": 1}}\n'.encode(), url(A, SIZED)),
}


@pytest.mark.parametrize("name", FILES)
def test_a_list_names_what_its_author_meant(name: str) -> None:
    """Each list file gives the pictures that it was written for, in order, and nothing else."""
    data, wanted = FILES[name]
    assert wanted == read(decode(data))


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        (
            "https://a.example/x,1\nhttps://a.example/y,2",
            url("https://a.example/x,1", "https://a.example/y,2"),
            url("https://a.example/x", "https://a.example/y"),
        ),
        (f"{SIZED}\n{A},Koi", url(SIZED), url(A)),
        (f"task_id,copies\n{GRID},2\nabc,3", task((GRID, "2"), ("abc", "3")), task((GRID, None), ("abc", None))),
        (f"no;task\n1;{GRID}\n2;abc", task((GRID, "1"), ("abc", "2")), task((GRID, None), ("abc", None))),
        (f"1,{GRID}\n2,abc", task((GRID, "1"), ("abc", "2")), task((GRID, None), ("abc", None))),
        (f"task_id,image_url\n{GRID},{A}", url(A), task((GRID, None))),
        (f'<a href="{A}"><img src="{B}"></a>', url(B), url(A)),
        (f'<a href="https://a.example/shop">Shop</a><img src="{B}">', url(B), url("https://a.example/shop")),
    ],
)
def test_what_may_mean_two_things_has_two_readings(text: str, first: list[Wanted], second: list[Wanted]) -> None:
    """Where a list can be understood in two ways, both are offered and neither is taken."""
    readings = lists.readings(text)
    assert 2 == len({reading.how for reading in readings}) == len(readings)
    one, other = ([line.wanted for line in reading.lines] for reading in readings)
    assert all(wanted in one for wanted in first)
    assert all(wanted in other for wanted in second)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("full,regular\nhttps://a.example/3,https://a.example/4\n", ("full", "regular")),
        ("front,back\nhttps://a.example/1,https://a.example/2\n", ("front", "back")),
        ("Koi pond;price\nRed;3 €\n", ("Column 1", "Column 2")),
    ],
)
def test_a_column_that_nobody_can_tell_is_asked_for(text: str, names: tuple[str, ...]) -> None:
    """When two columns may be meant, or none seems to be, the table says so and takes what a person chooses."""
    table = lists.readings(text)[-1].table
    assert table is not None
    assert (names, None, []) == (table.names, table.column, table.lines())
    assert table.lines(0)


def exported(**fields: object) -> dict[str, object]:
    row = {"id": "0123456789abcdef", "task_id": None, "name": "koi.png", "state": "finished", "image_url": None}
    return {**row, "parent_task_id": None, "index": None, "error": None, "shortened": [], **fields}


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        (exported(task_id="t1", image_url=A, parent_task_id="p", index="3"), Wanted("task", "t1")),
        (exported(state="failed", task_id="t1", parent_task_id="p", index="3"), Wanted("task", "p", "3")),
        (exported(state="failed", image_url=A), Wanted("url", A)),
        (
            exported(state="failed", image_url=f"{A}?s=…", shortened=["image_url", "error"]),
            Wanted("copy", "0123456789abcdef"),
        ),
        (exported(state="queued", image_url=f"{A}?s=…"), Wanted("copy", "0123456789abcdef")),
        (exported(state="cancelled"), Wanted("copy", "0123456789abcdef")),
        (exported(id="", state="failed", image_url=f"{A}?s=…", shortened=["image_url"]), None),
    ],
)
def test_an_export_read_back_names_tasks(row: dict[str, object], wanted: Wanted | None) -> None:
    """Rows of our own export are taken by their task, else by their source; never by our id as a task, nor by an
    address that was shortened."""
    cells = {name: ", ".join(cell) if isinstance(cell, list) else cell for name, cell in row.items()}
    for text in (json.dumps([row]), csv(pd.DataFrame([cells])).decode(), csv(pd.DataFrame([cells]), sep=";").decode()):
        (line,) = lists.readings(text)[0].lines
        assert wanted == line.wanted
        assert (wanted is None) == ("shortened" in str(line.problem))


def test_a_shortened_address_is_never_fetched() -> None:
    """An address copied from where it was masked gets a sentence."""
    (line,) = lists.readings(f"{A}?X-Amz-Signature=…")[0].lines
    assert (None, True) == (line.wanted, "was shortened" in str(line.problem))


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"PK\x03\x04rest", "own format"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "own format"), (b"%PDF-1.7", "document")],
)
def test_a_file_without_text_is_refused_with_what_to_do(data: bytes, said: str) -> None:
    """A spreadsheet's own file, or a document, gets a sentence that says how to go on."""
    with pytest.raises(InvalidRequest, match=f"list.xlsx is .*{said}"):
        decode(data, "list.xlsx")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
@pytest.mark.parametrize("text", ["Größe,url", "Bäume", "Bäume; für José\nnaïve Straße, Œuvre €5", "Émile;à côté"])
def test_western_text_is_read_in_every_encoding(text: str, encoding: str) -> None:
    """Text is read as it was written in every encoding that spreadsheets and editors use."""
    assert text == decode(text.encode(encoding))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp932"])
@pytest.mark.parametrize("text", ["画像,リンク", "鯉", "題名,URL\n池の鯉と木,https://a.example/鯉.png"])
def test_japanese_text_is_read_in_every_encoding(text: str, encoding: str) -> None:
    """Japanese is told from Windows-1252."""
    assert text == decode(text.encode(encoding))


ITEMS = st.sampled_from(
    [A, B, SIZED, SCALED, SIGNED, GRID, f"{GRID} 3", f"{GRID},2", "Koi", "3", "", "#", "x y", "url", '"', "=1", "…"]
)
TEXTS = st.lists(st.lists(ITEMS, min_size=1, max_size=4).map(lambda row: row), max_size=6).flatmap(
    lambda rows: st.sampled_from([",", ";", "\t", "|", ", ", " "]).map(
        lambda mark: "\n".join(mark.join(row) for row in rows)
    )
)


@given(
    TEXTS | st.text(max_size=200),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_a_file_is_read_like_the_same_text_pasted(text: str, encoding: str, ending: str) -> None:
    """Whatever is in it and however its lines end, a file gives the same lines as its text in the form, and an address
    on a line of its own is in one of the readings, whole."""
    text = text.encode("utf-8", "ignore").decode().replace("\r", "\n").replace("\x00", "")
    pasted = lists.readings(text)
    dropped = lists.readings(decode(text.replace("\n", ending).encode(encoding)))
    assert [reading.lines for reading in pasted] == [reading.lines for reading in dropped]
    named = {line.wanted.value for reading in pasted for line in reading.lines if line.wanted}
    problems = [line for reading in pasted for line in reading.lines if line.problem]
    asked = any(reading.table and reading.table.column is None for reading in pasted)
    alone = [line for line in text.split("\n") if line in (A, B, SIZED, SCALED, SIGNED)]
    if '"' not in text:
        assert problems or asked or set(alone) <= named, repr(text)


def test_large_lists_are_read_fast() -> None:
    """Thousands of lines take no longer than a moment, with columns and without."""
    for line in (f"{SIZED}", f"Koi,{SIZED},3", f"{GRID};3", '"', "a|b", "<p>"):
        began = time.process_time()
        lists.readings("\n".join([line] * 5_000))
        assert time.process_time() - began < 5
