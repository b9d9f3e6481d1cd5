"""Names of files made from any text: plain ones for addresses and archives, and ones as people know them, to save.

A plain name has lower-case ASCII letters, digits, `-` and `_`. Where letters have no plain counterpart, a few digits
that stand for the text keep such names apart.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from urllib.parse import quote

PLAIN_LIMIT = 48
SAVED_BYTES = 240
"""Of a name in UTF-8: what file systems take is 255, and browsers put ` (1)` or `.crdownload` into it."""

_SPELLED = """
ß ss æ ae œ oe ø o ł l đ d ð d þ th ı i ħ h ŋ ng
а a б b в v г g ґ g д d е e є ye ж zh з z и i і i й i к k л l м m н n о o п p р r с s т t у u ф f х kh ц ts ч ch ш sh
щ shch ы y э e ю yu я ya ј j љ lj њ nj ђ dj ћ c џ dz ѓ g ќ k ѕ z
α a β v γ g δ d ε e ζ z η i θ th ι i κ k λ l μ m ν n ξ x ο o π p ρ r σ s ς s τ t υ y φ f χ ch ψ ps ω o
"""
_WORDS = _SPELLED.split()
_LETTERS = str.maketrans(dict(zip(_WORDS[::2], _WORDS[1::2], strict=True)) | {"ъ": "", "ь": ""})
"""What is left of small letters besides what Unicode itself takes apart."""

# On Windows these mean a device, whatever their extension.
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[\d¹²³])(?=\.|$)", re.IGNORECASE)
_JOINERS = "\u200c\u200d"
"""Invisible, but parts of words and of emoji."""


def safe_name(text: str, extension: str, *, suffix: str = "") -> str:
    """A plain file name with this extension, made from any text."""
    stem = plain(text, PLAIN_LIMIT, keep="_")
    if _DEVICE.match(stem):
        stem += "-picture"
    return f"{stem}{suffix}{extension}"


def plain(text: str, limit: int, *, keep: str = "") -> str:
    """Any text as plain letters, at most `limit` of them; `picture` when there is nothing to say."""
    text = unicodedata.normalize("NFC", text)
    spelled = unicodedata.normalize("NFKD", text.lower().translate(_LETTERS)).lower().translate(_LETTERS)
    seen = "".join(letter for letter in spelled if unicodedata.category(letter) not in ("Mn", "Cf"))
    stem = re.sub(rf"[^a-z0-9{keep}]+", "-", seen).strip(f"-{keep}") or "picture"
    mark = f"-{_mark(text)}" if any(map(_says_something, seen)) else ""
    return stem[: limit - len(mark)].rstrip(f"-{keep}") + mark


def saved_name(title: str, rest: str) -> str:
    """`title_rest` as people know it, in any script and as any system can save it; `rest` has the extension."""
    return f"{_stem(title, SAVED_BYTES - len(rest.encode()) - 1)}_{rest}"


def as_saved(name: str, extension: str) -> str:
    """A name with this extension, whoever chose it, as any system can save it, in at most SAVED_BYTES of UTF-8."""
    return _stem(name.removesuffix(extension), SAVED_BYTES - len(extension)) + extension


def uploaded_name(name: str) -> str:
    """The name of a file as it was, before the browser wrote it into a form (WHATWG, multipart/form-data)."""
    return re.sub("%0D|%0A", " ", name.replace("%22", '"'), flags=re.IGNORECASE)


def is_plain(text: str) -> bool:
    """Whether a plain name leaves out nothing of it that people would miss."""
    return text.isascii() and '"' not in text


def to_save(name: str, fallback: str) -> str:
    """The header Content-Disposition of a file to save: a plain name, and beside it one in any script (RFC 6266)."""
    simple = f'attachment; filename="{fallback}"'
    return simple if is_plain(name) else f"{simple}; filename*=UTF-8''{quote(name, safe='')}"


def distinct(names: Sequence[str]) -> list[str]:
    """The same names, with a number added to each repetition."""
    seen: dict[str, int] = {}
    out = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        stem, dot, extension = name.rpartition(".")
        out.append(name if seen[name] == 1 else f"{stem}-{seen[name]}{dot}{extension}")
    return out


def _stem(text: str, size: int) -> str:
    seen = "".join(map(_writable, unicodedata.normalize("NFC", text)))
    stem = _cut(" ".join(seen.split()).strip(" ."), size).rstrip(" .") or "picture"
    return f"picture-{stem}" if _DEVICE.match(stem) else stem


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:6]


def _says_something(letter: str) -> bool:
    """Whether leaving it out makes names alike that are not: letters, digits and pictures of other scripts."""
    return not letter.isascii() and unicodedata.category(letter)[0] in "LNS"


def _writable(letter: str) -> str:
    """The letter, or what takes its place: nothing for what cannot be seen, a hyphen for what would be a path."""
    if letter in _JOINERS:
        return letter
    if letter.isspace():
        return " "
    if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Cn"):
        return ""
    return "-" if letter in "/\\:*?<>|" else letter


def _cut(text: str, size: int) -> str:
    """At most `size` bytes of UTF-8, ending with a whole letter: with its accents, and no half of a joined emoji."""
    if len(text.encode()) <= size:
        return text
    end = len(text.encode()[:size].decode(errors="ignore"))
    while end and (unicodedata.category(text[end])[0] == "M" or text[end] in _JOINERS or text[end - 1] in _JOINERS):
        end -= 1
    return text[:end]
