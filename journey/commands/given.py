"""Which pictures are meant: files, folders, patterns, addresses and standard input."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from journey.errors import InvalidRequest, PictureRefused
from journey.outside.masking import SHORTENED, is_shortened

STANDARD_INPUT = "-"
_WEB = re.compile(r"https?://", re.IGNORECASE)
_PATTERN = re.compile(r"[*?\[]")
_MADE = re.compile(r"(?P<stem>.+)_(2|4|8|16)x")


@dataclass(frozen=True)
class Given:
    """One picture: a file, an address, or standard input where it has neither."""

    name: str
    path: Path | None = None
    url: str | None = None

    @property
    def source(self) -> str:
        """What whoever gave it called it: the path, the address, or `-`."""
        return str(self.path or self.url or STANDARD_INPUT)

    @property
    def stem(self) -> str:
        """What the name of its result begins with."""
        return (self.path.stem if self.path else PurePosixPath(self.name).stem) or "picture"


def pictures(words: Sequence[str]) -> list[Given]:
    """The pictures that these words mean, in their order, each once.

    A folder means the pictures in it, without those that were made here from others beside them. Raises InvalidRequest
    naming every word that means none.
    """
    found: dict[str, Given] = {}
    missing = []
    for word in words:
        meant = list(_meant(word))
        if not meant:
            missing.append(word)
        found |= {str(each.path or each.url or each.name): each for each in meant}
    if missing:
        raise InvalidRequest(f"There is no picture at {', '.join(repr(word[:200]) for word in missing)}.")
    return list(found.values())


def _meant(word: str) -> Iterator[Given]:
    if word == STANDARD_INPUT:
        yield Given("picture")
    elif _WEB.match(word):
        if is_shortened(word):
            raise InvalidRequest(f"{word[:200]!r}: {SHORTENED}")
        yield Given(unquote(PurePosixPath(urlsplit(word).path).name) or "picture", url=word)
    elif (path := Path(word)).is_dir():
        yield from _files(path.iterdir())
    elif path.is_file():
        yield Given(path.name, path)
    elif _PATTERN.search(word):
        # Shells do this before we see it, all but those of Windows.
        yield from _files(Path().glob(word) if not path.is_absolute() else Path(path.anchor).glob(word[1:]))


def _files(paths: Iterator[Path]) -> Iterator[Given]:
    found = [path for path in sorted(paths) if path.is_file() and not path.name.startswith(".") and _is_picture(path)]
    stems = {path.stem for path in found}
    for path in found:
        made = _MADE.fullmatch(path.stem)
        if not (made and made["stem"] in stems):
            yield Given(path.name, path)


def _is_picture(path: Path) -> bool:
    from journey.pictures.kinds import sniff

    with path.open("rb") as file:
        try:
            return bool(sniff(file.read(32)))
        except PictureRefused:
            return False


def read_standard_input(into: Path) -> None:
    """Write all of standard input to a file."""
    import shutil

    with into.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
