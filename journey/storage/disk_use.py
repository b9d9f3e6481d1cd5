"""How much room the stored pictures take, and for what."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from journey.storage.files import storage_at
from journey.storage.stored import KEY
from journey.storage.uses import User, Uses


@dataclass(frozen=True)
class Room:
    """Bytes of all files, and of those that belong to results, to sources and to what is only being looked at.

    Each picture is counted once, with its previews and tiles: a result that is enlarged further counts as a result.
    """

    in_all: int
    results: int
    sources: int
    looks: int


def counted(place: str | Path, uses: Uses) -> Room:
    """The room that everything takes now. A hundred thousand pictures take seconds: do it in the background."""
    taken = sizes(place)
    return room(taken, uses.of(taken.keys()))


def sizes(place: str | Path) -> Counter[str]:
    """Bytes under each key, in a folder or in object storage at an fsspec address; "" is for all other files."""
    storage, root = storage_at(place)
    found: Counter[str] = Counter()
    if "local" not in storage.protocol:
        for path, about in storage.find(root, detail=True).items():
            found[_key(str(path).rsplit("/", 2)[-2])] += int(about["size"])
        return found
    for folder, _, names in os.walk(root):
        for name in names:
            with suppress(FileNotFoundError):  # deleted meanwhile
                found[_key(Path(folder).name)] += (Path(folder) / name).stat().st_size
    return found


def room(taken: Mapping[str, int], used: Mapping[str, set[User]]) -> Room:
    """The totals of these sizes, by who uses what."""
    totals: Counter[User] = Counter()
    for key, users in used.items():
        user = next((each for each in (User.RESULT, User.SOURCE, User.LOOK) if each in users), User.TASK)
        totals[user] += taken.get(key, 0)
    return Room(sum(taken.values()), totals[User.RESULT], totals[User.SOURCE], totals[User.LOOK])


def _key(name: str) -> str:
    return name if KEY.fullmatch(name) else ""
