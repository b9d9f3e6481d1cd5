"""What Print size says of files before they are made."""

from __future__ import annotations

from journey.printing import PAPERS, Paper, Product
from journey.printing.shop import PrintSpec, Told, ratio_specs
from journey.views.plans import ratio_lines, told_warnings, told_words

A3 = PrintSpec(PAPERS["A3"])
SMALL = PrintSpec(PAPERS["A3"], 300, "JPEG", at_most_mb=20)
CARD = PrintSpec(Paper("Card", 148, 210, "mm", "own papers", Product("Card", largest_mb=5)))


def test_the_size_of_a_file_is_told() -> None:
    """One file has its size, and its quality where that was lowered; several have a sum and the largest."""
    assert "The file will have about **9.5 MB**." == told_words([Told(10_000_000)], [A3])
    assert "The file will have about **19.0 MB**, at quality 88 of 100." == told_words([Told(19_900_000, 88)], [SMALL])
    assert "The file will have about **9.5 MB**." == told_words([Told(10_000_000, 95)], [SMALL])
    assert "Together about **28.6 MB**, the largest **19.1 MB**." == told_words(
        [Told(10_000_000), Told(20_000_000)], [A3, A3]
    )


def test_what_a_shop_would_refuse_is_told_before() -> None:
    """A file that cannot be made to fit, and one that is larger than a shop takes, are sentences, each once."""
    assert "" == told_words([Told(30_000_000, 60, "Too large.")], [SMALL])
    assert [] == told_warnings([Told(4_000_000)], [CARD])
    (card,) = told_warnings([Told(6_000_000), Told(6_000_000)], [CARD, CARD])
    assert "Card takes files of up to 5 MB, and this one has 6. Choose JPEG, which can be made to fit" in card
    assert ["Too large."] == told_warnings([Told(30_000_000, 60, "Too large.")], [SMALL])
    (service,) = told_warnings([Told(250_000_000), Told(1)], [A3, A3])
    assert "Printful takes up to 200 MB" in service


def test_each_file_of_a_set_is_described() -> None:
    """Paper, pixels and cut of each ratio are said before anything is made, and what is out of reach as well."""
    specs = ratio_specs(2048, 2048, A3)
    assert [
        "**2:3**: 4 × 6 in, 1200 × 1800 px. 33 % of the width is cut away.",
        "**3:4**: out of reach at 300 DPI.",
        "**square**: 5 × 5 in, 1500 × 1500 px. Nothing is cut away.",
    ] == ratio_lines((2048, 2048), specs, ["2:3", "3:4", "square"], 300)
