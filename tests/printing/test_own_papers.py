"""One's own list of papers and products: read whole, or refused with every entry that is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from journey.errors import CannotStart
from journey.printing import PAPERS, Product, plan
from journey.printing.drawing import geometry, safe_area
from journey.printing.own_papers import all_papers

LIST = """
# What two shops ask for.
[[paper]]
name = "Poster"
sizes = ["50x70cm", "20x28in"]
bleed = "0.125in"
safe_area = "5mm"
dpi = 200
format = "jpeg"
largest_file = "30 MB"

[[paper]]
name = "Plakat für Łódź"
size = "33x48.3cm"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "papers.toml"


def test_a_list_comes_before_the_usual_papers(file: Path) -> None:
    """Each size of a product is a paper that knows what its shop asks for; what is not said stays open."""
    file.write_text(LIST, encoding="utf-8")
    papers = all_papers(file)
    assert ["Poster 50x70cm", "Poster 20x28in", "Plakat für Łódź", *PAPERS] == list(papers)
    poster, plain = papers["Poster 20x28in"], papers["Plakat für Łódź"]
    assert ("Poster · 20 × 28 in", "own papers") == (poster.label, poster.family)
    assert Product("Poster", pytest.approx(3.175), 5, 200, "JPEG", 30) == poster.product
    assert Product("Plakat für Łódź") == plain.product
    assert poster.product == poster.turned().product


def test_without_a_list_there_are_the_usual_papers(file: Path) -> None:
    """Nobody needs a list; one that the settings name has to be there."""
    assert PAPERS == all_papers(file)
    with pytest.raises(CannotStart, match="there is no such file"):
        all_papers(file, asked_for=True)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ('size = "50x70cm"', "The name must be a text of 1 to 60 characters."),
        ('name = "X"', 'It needs a size, such as size = "50x70cm"'),
        ('name = "X"\nsize = "50x70"', "'50x70' is not a size. Write it as 30x40cm"),
        ('name = "X"\nsize = "50x0cm"', "The paper's height must be a number from 0.1 to 10,000 cm."),
        ('name = "X"\nsize = "50x70cm"\nblead = "3mm"', "“blead” is not known. There are name, size, sizes, bleed"),
        ('name = "X"\nsize = "50x70cm"\nbleed = "3 furlongs"', "'3 furlongs' is not a length."),
        ('name = "X"\nsize = "50x70mm"\nbleed = "6cm"', "The bleed must be smaller than the paper"),
        ('name = "X"\nsize = "50x70mm"\nsafe_area = "25mm"', "A safe area of 25 mm leaves nothing of"),
        ('name = "X"\nsize = "50x70cm"\ndpi = true', "dpi must be a text or a number."),
        ('name = "X"\nsize = "50x70cm"\ndpi = 0', "The DPI must be a number from 1 to 10,000."),
        ('name = "X"\nsize = "50x70cm"\nformat = "GIF"', "The format must be one of PNG, TIFF, JPEG, PDF."),
        ('name = "X"\nsize = "50x70cm"\nlargest_file = "a lot"', "The largest file must be a number of megabytes"),
        ('name = "a3"\nsize = "50x70cm"', "There is a paper named “a3” already."),
        ('name = "custom"\nsize = "50x70cm"', "There is a paper named “custom” already."),
        ('name = "plakat FÜR łódź"\nsize = "50x70cm"', "There is a paper named “plakat FÜR łódź” already."),
    ],
)
def test_a_wrong_entry_is_named_with_its_line(file: Path, entry: str, reason: str) -> None:
    """What cannot be understood stops the start, with the line of the entry and the reason."""
    file.write_text(f"{LIST}\n[[paper]]\n{entry}\n", encoding="utf-8")
    with pytest.raises(CannotStart, match=re.escape(reason)) as refusal:
        all_papers(file)
    assert "In the entry at line 16" in str(refusal.value)


def test_all_wrong_entries_are_named_at_once(file: Path) -> None:
    """Whoever mends a list need not start once for each mistake."""
    file.write_text('[[paper]]\nname = "One"\n[[paper]]\nname = "Two"\n[[papers]]\n', encoding="utf-8")
    with pytest.raises(CannotStart, match=r"“papers”.*line 1, “One”.*line 3, “Two”"):
        all_papers(file)


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"[[paper]\n", "cannot be understood: .*line 1"), (b"\xff\xfe[", "not text in UTF-8"), (b"paper = 3", "paper")],
)
def test_what_is_no_list_is_refused(file: Path, data: bytes, reason: str) -> None:
    """A file that is not TOML, or that holds something else, is a sentence with its place."""
    file.write_bytes(data)
    with pytest.raises(CannotStart, match=reason):
        all_papers(file)


def test_the_drawing_shows_the_safe_area_of_the_product(file: Path) -> None:
    """The dashes lie where the shop says, and there are none for a shop that needs none."""
    file.write_text(LIST + '\n[[paper]]\nname = "Full"\nsize = "50x70cm"\nsafe_area = 0\n', encoding="utf-8")
    papers = all_papers(file)
    at = geometry(plan(1000, 1400, papers["Poster 20x28in"]))
    assert at.safe is not None
    assert 5 / 25.4 == pytest.approx((at.safe[0] - at.trim[0]) / at.scale)
    assert (4, None) == (safe_area(papers["Plakat für Łódź"]), safe_area(papers["Full"]))
