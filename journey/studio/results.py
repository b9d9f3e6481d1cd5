"""Results as they come home: fetched by the tracker, or handed in by a person who got at them in a browser."""

from __future__ import annotations

from pathlib import Path

from journey.errors import InvalidRequest
from journey.history import Entry, History
from journey.pictures.checking import Decoder
from journey.storage.files import Files, new_key
from journey.storage.looked import Looked
from journey.storage.names import safe_name
from journey.storage.stored import StoredPicture

SIZE_TOLERANCE = 2
"""Pixels by which each side of a result may differ from n × the source."""


class HandIn:
    """Takes results from people: of tasks whose results could not be fetched from here."""

    def __init__(self, history: History, files: Files, looked: Looked, decoder: Decoder) -> None:
        self._history = history
        self._files = files
        self._looked = looked
        self._decoder = decoder

    def take(self, entry: Entry, data: bytes, *, asker: str = "") -> Entry:
        """Keep this file as the result of an entry, and end it. `asker` tells visitors apart, who take turns.

        Raises InvalidRequest or PictureRefused with what is wrong; the entry is then as it was.
        """
        with self._files.folder() as folder:
            path = folder / "result"
            path.write_bytes(data)
            key = new_key()
            # Noted first, so that a crash leaves no file behind that nobody knows of.
            self._looked.note([key])
            result = keep(folder, path, entry, self._files, self._decoder, key=key, asker=asker)
        refusal = "This task has its result by now, so the file is not needed. Reload the page to see it."
        if result.size == entry.source_size:
            refusal = (
                f"This picture is as large as the original, {result.width} × {result.height} px. Choose the result."
            )
        elif done := self._history.finish_by_hand(entry.id, result, note=difference(entry, result)):
            return done
        self._files.delete(key)
        raise InvalidRequest(refusal)


def keep(
    folder: Path, path: Path, entry: Entry, files: Files, decoder: Decoder, *, key: str | None, asker: str = ""
) -> StoredPicture:
    """Check the picture at `path` in this private folder of `files`, and store it as the result of an entry.

    Raises PictureRefused when it is none.
    """
    picture = decoder.check(path, max_pixels=decoder.limits.output, asker=asker)
    name = safe_name(Path(entry.name).stem, picture.extension, suffix=f"_{entry.type}")
    path.rename(folder / name)
    size = (folder / name).stat().st_size
    return StoredPicture(files.keep(folder, key=key), name, picture.width, picture.height, size)


def difference(entry: Entry, result: StoredPicture) -> str | None:
    """What to say when a result is not n × the size of its source; None when it is."""
    if entry.source is None:
        return None
    wanted = [side * entry.scale for side in entry.source.size]
    if all(abs(side - want) <= SIZE_TOLERANCE for side, want in zip(result.size, wanted, strict=True)):
        return None
    return (
        f"The result is {result.width} × {result.height} px; {wanted[0]} × {wanted[1]} px were expected. "
        "It is kept as it is."
    )
