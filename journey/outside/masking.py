"""Addresses as they may be shown, exported and logged: without anything that may be a signature or a password.

    https://me:pass@cdn.example/koi.png?id=7&X-Amz-Signature=3f9a#top
    https://…@cdn.example/koi.png?id=…&X-Amz-Signature=…#…

Path and names of parameters stay, so that people can tell one address from another. In doubt, more is masked.
"""

from __future__ import annotations

import re

LEFT_OUT = "…"
"""Stands for what was left out."""
SHORTENED = (
    "This address was shortened where it was shown, so it leads nowhere. Paste the whole address, or the ID of its "
    "task."
)
"""What to say of an address that `is_shortened`."""

_SCHEME = r"[a-z][a-z0-9+.-]{0,20}:(?:\\?/){2}"
_ENCODED_SCHEME = r"[a-z][a-z0-9+.-]{0,20}%(?:25)*3a(?:%(?:25)*2f){2}"
_EQUALS = r"(?:=|%(?:25)*3d|\\u003d)"
_AND = r"(?:&(?:amp;|\#38;|\#x26;)?|%(?:25)*26|\\u0026)"
_NAME = r"[a-z_](?:[\w.\[\]-]|%(?:25)*5[bd]){0,39}"
_TELLING = (
    r"(?:[\w.-]{0,40}(?:signature|token|secret|password|passwd|credential|hmac|session|sessionid|api[_-]?key|access[_-]?key)"
    r"|sig|key|auth|pwd|pass|hm)"
)
_FLAGS = re.IGNORECASE | re.ASCII

_WORD = re.compile(r"""[^\s"<>`]+(?:(?<==)"[^"\n]*"[^\s"<>`]*)*""")
"""What may hold an address, or a piece of one. A quoted value belongs to it."""
_NEXT = re.compile(rf"(?<=[,;|'(\[{{])(?={_SCHEME})", _FLAGS)
_TOLD = re.compile(r"[?#%&=@\\]")
_ADDRESS = re.compile(f"{_SCHEME}|{_ENCODED_SCHEME}", _FLAGS)
_ENCODED = re.compile(_ENCODED_SCHEME, _FLAGS)
_PERSON = re.compile(r"((?:\\?/){2})[^/?#\\]+@", _FLAGS)
_ENCODED_PERSON = re.compile(r"((?P<e>%(?:25)*)2f(?P=e)2f)(?:(?!(?P=e)(?:2f|3f|23))[^/?#\\])+(?P=e)40", _FLAGS)
_LOOSE_PERSON = re.compile(r"(?<![^\s(\[{'=,;])(?!mailto:)[^\s/:@?#=&]{1,200}:[^\s/@?#]{1,500}@(?=[\w\[])", _FLAGS)
_QUERY = re.compile(r"[?#]")
_NAMED_QUERY = re.compile(rf"(?:[?#]|%(?:25)*(?:3f|23)|{_AND})(?={_NAME}{_EQUALS})", _FLAGS)
_ENCODED_QUERY = re.compile(r"[?#]|%(?:25)*(?:3f|23)", _FLAGS)
_ALONE = re.compile(rf"(?<![a-z0-9])({_TELLING}{_EQUALS})(?:\"[^\"]*\"|[^\s/&;\"<>`]+)", _FLAGS)
_ITEM = re.compile(rf"({_AND}|[?#]|%(?:25)*(?:3f|23))", _FLAGS)
_PAIR = re.compile(rf"({_NAME}{_EQUALS})(.*)", _FLAGS | re.DOTALL)
_SHORTENED = re.compile(r"(?:[=?#&/]|%(?:25)*(?:3d|3f|23|26|2f))(?:…|%e2%80%a6)", _FLAGS)
_PLAIN_PAIR = "[a-z_][a-z0-9_-]{0,39}=[a-z0-9_…-]+"
_PLAIN = re.compile(rf"https?://[a-z0-9.-]+(?::\d+)?/[a-z0-9_./-]*\?{_PLAIN_PAIR}(?:&{_PLAIN_PAIR})*&?", _FLAGS)
"""How most signed addresses are spelled, so that all that is left out of one are its values."""
_VALUE = re.compile(r"=[^&]+")
_CLOSING = " .,;:!?'\"“”‘’«»)]}>。、」\t\r\n"
"""What may stand behind an address in a text, and belong to the text."""


def masked(address: str) -> str:
    """An address without user name, password, fragment and the values of its query, however it is spelled."""
    if not _TOLD.search(address):
        return address
    return _plainly(address) or _masked_piece(address, is_address=True)


def masked_text(text: str) -> str:
    """A text from anywhere, with every address in it, and every piece of one that may hold a secret, masked."""
    if not _TOLD.search(text):
        return text
    return _plainly(text) or _WORD.sub(lambda word: "".join(map(_masked_piece, _NEXT.split(word[0]))), text)


def is_shortened(address: str) -> bool:
    """True for an address of which `masked` left out a part, so that it leads nowhere."""
    return (LEFT_OUT in address or "%" in address) and _SHORTENED.search(address) is not None


def _plainly(address: str) -> str | None:
    """An address as most are spelled, masked: in a tenth of the time. None for any other."""
    return _VALUE.sub(f"={LEFT_OUT}", address) if _PLAIN.fullmatch(address) else None


def _masked_piece(text: str, *, is_address: bool = False) -> str:
    """One address, or whatever stands between two spaces, masked."""
    text = _ENCODED_PERSON.sub(rf"\1{LEFT_OUT}\g<e>40", _PERSON.sub(rf"\1{LEFT_OUT}@", text))
    text = _LOOSE_PERSON.sub(f"{LEFT_OUT}@", text)
    scheme = _ADDRESS.search(text)
    begins = _first_of_query(text, scheme, is_address=is_address)
    if begins is None:
        return _ALONE.sub(rf"\1{LEFT_OUT}", text)
    before, query = text[:begins], text[begins:]
    if not (scheme or is_address or _ENCODED_QUERY.match(query) or re.search(r"[/.]", before)):
        before, query = "", text  # the beginning of the address was cut off, so that this is all query
    inside = query if is_address else query.rstrip(_CLOSING)
    items = "".join(map(_masked_item, _ITEM.split(inside)))
    return _ALONE.sub(rf"\1{LEFT_OUT}", before) + items + query[len(inside) :]


def _first_of_query(text: str, scheme: re.Match[str] | None, *, is_address: bool) -> int | None:
    """Where the query or the fragment of an address begins; None when there is none."""
    found = [_NAMED_QUERY.search(text)]
    if scheme and _ENCODED.search(text):
        found.append(_ENCODED_QUERY.search(text, _ENCODED.search(text).end()))  # type: ignore[union-attr]  # as just seen
    if scheme or is_address:
        found.append(_QUERY.search(text, scheme.end() if scheme else 0))
    elif (bare := text.find("?")) > 0 and "/" in text[:bare] and text[bare:].strip(_CLOSING):
        return min([bare, *(each.start() for each in found if each)])
    return min((each.start() for each in found if each), default=None)


def _masked_item(item: str) -> str:
    """A part of a query: a mark between two parts, `name=value`, or something that is all value."""
    if not item or _ITEM.fullmatch(item):
        return item
    pair = _PAIR.fullmatch(item)
    # What ends in equals signs is a padded value, not a name.
    return f"{pair[1]}{LEFT_OUT}" if pair and re.search(r"[^=]", pair[2]) else LEFT_OUT
