"""The text of a list file, in the encodings that spreadsheets, editors and scripts write."""

from __future__ import annotations

import codecs
import re

from journey.errors import InvalidRequest

ENDINGS = ("csv", "txt", "tsv", "tab", "json", "jsonl", "ndjson", "md", "html", "htm", "list")
"""Files that hold lists."""
NOT_READ = ("xlsx", "xlsm", "xls", "ods", "numbers", "pdf", "rtf")
"""Files that people drop in their place. They are taken, so that the sentence about them is ours."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OWN_FILES = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
_JAPANESE = re.compile("[\u3000-\u30ff\u4e00-\u9fff\uff01-\uff5e]")
_UNLIKELY = re.compile("[\uff61-\uff9f\ue000-\uf8ff]|(?<=[A-Za-z])[\u3040-\u9fff]|[\u3040-\u9fff](?=[A-Za-z])")


def decode(data: bytes, name: str = "This file") -> str:
    """The text of a list file. Raises InvalidRequest for what holds no text, such as a spreadsheet's own format."""
    if data.startswith(_OWN_FILES):
        raise InvalidRequest(
            f"{name} is in a spreadsheet's own format, which is not read here. Save the sheet as CSV and drop that, or "
            "copy its column and paste it."
        )
    if data.startswith((b"%PDF", b"{\\rtf")):
        raise InvalidRequest(f"{name} is a document. Copy the addresses in it and paste them, or save them as text.")
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    zeros = data[:4_000:2].count(0), data[1:4_000:2].count(0)
    if max(zeros) > len(data[:4_000]) / 5:
        return data.decode("utf-16-be" if zeros[0] > zeros[1] else "utf-16-le", "replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return _of_a_codepage(data)


def _of_a_codepage(data: bytes) -> str:
    """Windows-1252, unless the same bytes make Japanese as a Japanese program would write it."""
    western = data.decode("cp1252", "replace")
    try:
        japanese = data.decode("cp932")
    except UnicodeDecodeError:
        return western
    return japanese if len(_JAPANESE.findall(japanese)) > 2 * len(_UNLIKELY.findall(japanese)) else western
