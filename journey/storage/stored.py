"""What is kept in `files`, and the addresses that lead to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, urlsplit

from journey.provider import Provider

KEY = re.compile(r"[0-9a-f]{32}")
NAME_LIMIT = 80
NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_.-]{{0,{NAME_LIMIT - 1}}}")


@dataclass(frozen=True)
class StoredFile:
    """A file: the key of its folder, and its name there."""

    key: str
    file: str

    def url(self, origin: str = "") -> str:
        """Its address under an origin such as `http://127.0.0.1:8501`; a relative one without an origin."""
        return f"{origin.rstrip('/')}/files/{self.key}/{quote(self.file)}"

    def beside(self, name: str) -> StoredFile:
        """Another file in the same folder, such as the preview."""
        return StoredFile(self.key, name)


@dataclass(frozen=True)
class StoredPicture(StoredFile):
    """A picture that is kept here. `width` and `height` are pixels; `bytes` is the size of its file, if known."""

    width: int
    height: int
    bytes: int | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.width, self.height


@dataclass(frozen=True)
class Origins:
    """The addresses under which our own files are reached.

    `public` is where the internet reaches this server, None when it cannot. The first of `local` is the one that is
    handed out on this machine.
    """

    public: str | None = None
    local: tuple[str, ...] = ()

    @classmethod
    def at(cls, host: str, port: int, *, public: str | None = None) -> Self:
        """The origins of a server at this host and port. If the host means "everywhere", loopback reaches it."""
        reach = "127.0.0.1" if host in ("", "0.0.0.0", "::", "localhost") else host  # noqa: S104  compared, not bound
        shown = f"[{reach}]" if ":" in reach else reach
        hosts = dict.fromkeys((shown, "localhost", "127.0.0.1"))
        return cls(public, tuple(f"http://{each}:{port}" for each in hosts))

    def for_provider(self, provider: Provider) -> str | None:
        """Where this provider reaches our files; None when it cannot."""
        return self.local[0] if provider.is_here and self.local else self.public

    def stored(self, url: str, *, by: Provider | None = None) -> StoredFile | None:
        """The file of ours that an address leads to; None for any other address.

        `by` is the provider that gave the address. One that runs here keeps its pictures among our files, whatever
        the host and port: an earlier start may have listened at another port.
        """
        try:
            known = {_origin(each) for each in (self.public, *self.local) if each}
            if not (by and by.is_here) and _origin(url) not in known:
                return None
            pieces = urlsplit(url).path.split("/")
        except ValueError:
            return None
        if len(pieces) == 4 and pieces[1] == "files" and KEY.fullmatch(pieces[2]) and NAME.fullmatch(pieces[3]):
            return StoredFile(pieces[2], pieces[3])
        return None


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").rstrip("."), parts.port or {"http": 80, "https": 443}.get(scheme, 0)
