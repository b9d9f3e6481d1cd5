"""Addresses in a piece of a web page that was copied or saved."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from journey.studio.batches.lines import has_ending

_TAGS = re.compile(
    r"<(?:!doctype|html|body|div|table|tbody|tr|td|th|ul|ol|li|p|br|figure|span)[\s>/]|<(?:a|img)\s|</[a-z][\w:-]*>",
    re.IGNORECASE,
)

_WITHIN_LINES = frozenset({"span", "b", "i", "em", "strong", "u", "s", "small", "sub", "sup", "code", "font", "mark"})


@dataclass
class Found:
    """What a page shows, the pictures that it links to, whatever else it links to, and what people read on it."""

    shown: list[str] = field(default_factory=list)
    linked: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    text: str = ""


def is_markup(text: str) -> bool:
    """True for a piece of a page."""
    return bool(_TAGS.search(text))


def found_in(page: str) -> Found:
    """The addresses in a piece of a page. Those without a host are left out: nobody knows where they belong.

    A link round a picture is left out unless it leads to a picture itself.
    """
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader.found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found = Found()
        self._open: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: (value or "").strip() for name, value in attrs}
        if tag == "img":
            self.found.shown += [given[name] for name in ("src", "data-src") if _is_whole(given.get(name, ""))][:1]
            self._open = None
        elif tag == "a":
            self._leave_link()
            if has_ending(given.get("href", "")) and _is_whole(given["href"]):
                self.found.linked.append(given["href"])
            elif _is_whole(given.get("href", "")):
                self._open = given["href"]
        elif tag == "br":
            self.found.text += "\n"

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._leave_link()
        elif tag in ("td", "th"):
            self.found.text += "\t"
        elif tag not in _WITHIN_LINES:
            self.found.text += "\n"

    def handle_data(self, data: str) -> None:
        self.found.text += " ".join(data.split())

    def close(self) -> None:
        super().close()
        self._leave_link()

    def _leave_link(self) -> None:
        self.found.links += [self._open] if self._open else []
        self._open = None


def _is_whole(address: str) -> bool:
    return bool(re.match(r"(?:https?:)?//", address, re.IGNORECASE))
