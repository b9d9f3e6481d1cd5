"""What people paste or upload becomes lines, each of which names a picture or says why it does not."""

from __future__ import annotations

import time

import pytest

from journey.studio.batches import lines, lists
from journey.studio.batches.lines import Line, Wanted
from journey.studio.batches.tables import Table


def read(text: str) -> tuple[Line, ...]:
    """The lines of a text that has one reading."""
    (reading,) = lists.readings(text)
    return reading.lines


def table(text: str) -> Table | None:
    """The table that a text is, when it is one and nothing else."""
    (reading,) = lists.readings(text)
    return reading.table


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("https://a.example/x.png", [Wanted("url", "https://a.example/x.png")]),
        ("HTTP://a.example/x.png", [Wanted("url", "http://a.example/x.png")]),
        ("www.a.example/x.png", [Wanted("url", "https://www.a.example/x.png")]),
        ("https://a.example/my koi.png", [Wanted("url", "https://a.example/my%20koi.png")]),
        ('  "https://a.example/x.png",  ', [Wanted("url", "https://a.example/x.png")]),
        ("<https://a.example/x.png>;", [Wanted("url", "https://a.example/x.png")]),
        ("\ufeffhttps://a.example/x.png\u200b", [Wanted("url", "https://a.example/x.png")]),
        ("https://a.example/x,y.png", [Wanted("url", "https://a.example/x,y.png")]),
        ("https://a.example/1 https://a.example/2", [Wanted("url", f"https://a.example/{n}") for n in (1, 2)]),
        ("https://a.example/1\thttps://a.example/2", [Wanted("url", f"https://a.example/{n}") for n in (1, 2)]),
        ("Koi pond: https://a.example/x.png", [Wanted("url", "https://a.example/x.png")]),
        ("https://a.example/1,https://a.example/2", [Wanted("url", f"https://a.example/{n}") for n in (1, 2)]),
        ("994c2844-85h8", [Wanted("task", "994c2844-85h8")]),
        ("994c2844 3", [Wanted("task", "994c2844", "3")]),
        ("994c2844\t#4", [Wanted("task", "994c2844", "4")]),
        ("994c2844 all", [Wanted("task", "994c2844")]),
        ("994c2844,３", [Wanted("task", "994c2844", "3")]),
        ("task_id: 994c2844", [Wanted("task", "994c2844")]),
        ("994c2844,1,4", [Wanted("task", "994c2844", "1"), Wanted("task", "994c2844", "4")]),
        ("image_url\nhttps://a.example/x.png", [Wanted("url", "https://a.example/x.png")]),
        ("a 1\r\nb 2\rc 3\n\n \t\n\x00\nd 4", [Wanted("task", name, str(n)) for n, name in enumerate("abcd", 1)]),
        ("", []),
        ("\n\n  \n", []),
    ],
)
def test_a_line_is_an_address_or_a_task(text: str, wanted: list[Wanted]) -> None:
    """Addresses and task ids are read however they were copied; blank lines and headings are left out."""
    found = read(text)
    assert wanted == [line.wanted for line in found]
    assert [None] * len(found) == [line.problem for line in found]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("javascript:alert(1)", "begin with https://"),
        ("file:///etc/passwd", "begin with https://"),
        ("data:image/png;base64,AAAA", "begin with https://"),
        ("C:\\pictures\\koi.png", "begin with https://"),
        ("abc 7", "1, 2, 3, 4 or all"),
        ("three little words here", "neither the address"),
        ("see https://a.example/x.png please", "line of its own"),
        ("https://a.example/" + "x" * 8_200, "8,192"),
        ("x" * 300, "at most 200"),
        ("x" * 2_000_000, "2,000,000 characters"),
        ("x " * 1_000_000, "line of its own"),
    ],
)
def test_a_bad_line_is_explained_and_blocks_no_other(text: str, said: str) -> None:
    """A line that names no picture gets a sentence of its own, and the lines around it are read."""
    good = "https://a.example/x.png"
    before, bad, after = read(f"{good}\n{text}\n{good}")
    assert [Wanted("url", good), None, Wanted("url", good)] == [before.wanted, bad.wanted, after.wanted]
    assert said in str(bad.problem)
    assert ("Line 2", True) == (bad.place, len(bad.shown) < 130 and bad.shown.isprintable())
    assert bad.text in text  # whole, as far as it is not blank: what goes back into the form is no other address
    assert text.split() == bad.text.split() or text.startswith("x " * 9)


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
    found_table = table(text)
    assert found_table is not None
    assert found_table.column is not None
    assert column == found_table.names[found_table.column]
    found = found_table.lines()
    assert [Wanted("url", f"https://a.example/{n}") for n in (1, 2)] == [line.wanted for line in found]
    assert first == found[0].place


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
    """Commas in addresses do not make columns, and nonsense is not a CSV."""
    assert table(text) is None


def test_repetitions_are_counted_and_too_many_refused() -> None:
    """Repeated lines become one with a count, and more than 200 are refused with a sentence; 10,000 are read fast."""
    text = "\n".join(f"https://a.example/{n % 5_000}.png" for n in range(10_000))
    began = time.process_time()
    given = lines.merged(read(text))
    assert time.process_time() - began < 2
    assert (5_000, {2}) == (len(given), {line.times for line in given})
    assert "5,000 lines; up to 200" in str(lines.too_many(len(given)))
    assert lines.too_many(200) is None
