"""Where pages lead people who save a file."""

from __future__ import annotations

import pytest

from journey.storage.stored import StoredFile
from journey.views import links

KEY = "0" * 32


@pytest.mark.parametrize(
    ("title", "stored", "saved"),
    [
        ("fjord.png", "fjord_A3_300dpi.tif", "fjord_A3_300dpi.tif"),
        ("日本.png", "picture-3f2a91_A3_300dpi_bleed3mm.tif", "日本_A3_300dpi_bleed3mm.tif"),
        ('24"x36".png', "24-x36_A3_300dpi.tif", '24"x36"_A3_300dpi.tif'),
        ("Über_See.JPG", "uber-see_print_set.zip", "Über_See_print_set.zip"),
    ],
)
def test_a_print_file_is_saved_under_the_title_of_its_picture(title: str, stored: str, saved: str) -> None:
    """A title in letters that a plain name lacks is asked for; any other file has its name already."""
    file = StoredFile(KEY, stored)
    assert saved == links.print_file_name(file, title)
    address = links.print_file(file, title, "http://studio.example.com")
    assert address.startswith(f"http://studio.example.com/files/{KEY}/{stored}?download")
    assert address.isascii()
    assert (stored == saved) == address.endswith("?download")
