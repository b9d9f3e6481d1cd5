"""Names of files: apart in every script, as people know them where that can be, and plain beside it."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journey.storage.names import SAVED_BYTES, as_saved, is_plain, plain, safe_name, saved_name, to_save, uploaded_name
from journey.storage.stored import NAME_LIMIT, Origins, StoredFile

STUDIO = "http://127.0.0.1:8501"
EVIL_NAMES = {
    "../../x": "x.png",
    "a\0b": "a-b.png",
    "x" * 300: "x" * 48 + ".png",
    "\u202egnp.exe": "gnp-exe.png",
    "-rf": "rf.png",
    "Äpfel & Birnen": "apfel-birnen.png",
    "写真": "picture-9c3250.png",
    "": "picture.png",
    "...": "picture.png",
    "<script>": "script.png",
    "AUX": "aux-picture.png",
    "com1": "com1-picture.png",
    "con man": "con-man.png",
}

SPELLED = {
    "Straße": "strasse",
    "Кот": "kot",
    "Щука и ёж": "shchuka-i-ezh",
    "Ελλάδα": "ellada",
    "Łódź": "lodz",
    "Ærø œuvre": "aero-oeuvre",
    "İstanbul ışık": "istanbul-isik",
    "fjord_day 2": "fjord-day-2",
    "①②": "12",
    "ｋｏｉ": "koi",
}


@pytest.mark.parametrize("text", EVIL_NAMES)
def test_any_text_becomes_a_plain_file_name(text: str) -> None:
    """Letters survive, and everything else becomes a hyphen or is dropped."""
    assert EVIL_NAMES[text] == safe_name(text, ".png")


@given(st.text())
def test_every_made_name_can_be_stored_and_found(text: str) -> None:
    """A name made from any text is short enough, and its address leads back to the file."""
    file = StoredFile("0" * 32, safe_name(text, ".png", suffix="_4x"))
    assert len(file.file) <= NAME_LIMIT
    assert file == Origins(local=(STUDIO,)).stored(file.url(STUDIO))


@pytest.mark.parametrize("text", SPELLED)
def test_letters_are_spelled_in_plain_ones(text: str) -> None:
    """European letters have a plain spelling, and nothing else is added to it."""
    assert SPELLED[text] == plain(text, 40)


def test_names_stay_apart_in_every_script() -> None:
    """What has no plain spelling gets a few digits of its own, the same ones each time, within the limit."""
    titles = [
        "日本",
        "日木",
        "🐱",
        "🐶",
        "صورة",
        "תמונה",
        "ภาพ",
        "日本 koi",
        "中国 koi",
        "koi",
        "🐱" * 80,
        "日" * 85,
        "",
    ]
    names = [safe_name(title, ".png", suffix="_4x") for title in titles]
    assert len(titles) == len(set(names))
    assert names == [safe_name(title, ".png", suffix="_4x") for title in titles]
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9-]{0,47}_4x\.png", name) for name in names)
    assert safe_name(unicodedata.normalize("NFD", "がぎ"), ".png") == safe_name("がぎ", ".png")


SAVED = {
    "日本": "日本_A3.tif",
    "🐱": "🐱_A3.tif",
    "👩‍🚀": "👩‍🚀_A3.tif",
    "Straße": "Straße_A3.tif",
    '24"x36"': '24"x36"_A3.tif',
    "../../etc/passwd": "-..-etc-passwd_A3.tif",
    "C:\\temp\\кот": "C--temp-кот_A3.tif",
    "\u202egpj.тест\u2066": "gpj.тест_A3.tif",
    "a\0b\r\n c\tд": "ab c д_A3.tif",
    " .hidden. ": "hidden_A3.tif",
    "NUL": "picture-NUL_A3.tif",
    "aux.кот": "picture-aux.кот_A3.tif",
    "\u202e": "picture_A3.tif",
    "ｅ\u0301": "ｅ\u0301_A3.tif",
}


@pytest.mark.parametrize("title", SAVED)
def test_a_name_to_save_is_the_one_that_people_know(title: str) -> None:
    """Scripts, emoji and quotes stay; paths, invisible marks and the names of devices do not."""
    assert SAVED[title] == saved_name(title, "A3.tif")


@pytest.mark.parametrize("letter", ["日", "🐱", "Ж", "が", "👩‍🚀", "👍🏽"])
def test_a_long_name_is_cut_between_letters(letter: str) -> None:
    """A name of 255 bytes and more becomes one that fits, ends with a whole letter, and keeps what was added."""
    name = saved_name(letter * (255 // len(letter.encode())), "A3_300dpi_bleed3mm.tif")
    assert name.endswith("_A3_300dpi_bleed3mm.tif")
    stem = name.removesuffix("_A3_300dpi_bleed3mm.tif")
    letter = unicodedata.normalize("NFC", letter)
    assert letter * (len(stem) // len(letter)) == stem
    assert len(name.encode()) <= SAVED_BYTES
    assert len(f"{letter}{name}".encode()) > SAVED_BYTES


@given(st.text(), st.sampled_from([".png", ".tif", ".zip"]))
def test_any_name_can_be_saved_anywhere(name: str, extension: str) -> None:
    """Whoever asks for whatever name gets one with the file's own extension that each system can save."""
    saved = as_saved(name, extension)
    assert saved.endswith(extension)
    assert len(saved.encode()) <= 255
    assert not re.search(r"[/\\:*?<>|\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", saved)
    assert not saved.startswith((".", " "))
    assert saved.removesuffix(extension)[-1] not in ". "
    header = to_save(saved, safe_name(name, extension))
    assert header.isascii()
    assert header.isprintable()
    if not is_plain(saved):
        assert saved == unquote(header.partition("filename*=UTF-8''")[2])


def test_an_uploaded_name_is_read_as_it_was() -> None:
    """Browsers write quotes and line breaks of a name as %22, %0D and %0A, and nothing else."""
    assert '24"x36".png' == uploaded_name("24%22x36%22.png")
    assert "a  b%20c%.png" == uploaded_name("a%0d%0Ab%20c%.png")
