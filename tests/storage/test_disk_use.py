"""The room that pictures take is counted, wherever they are kept, and told by what they are for."""

from __future__ import annotations

from pathlib import Path

import fsspec

from journey.storage.disk_use import Room, room, sizes
from journey.storage.files import new_key
from journey.storage.uses import User


def test_every_file_in_every_folder_counts(tmp_path: Path) -> None:
    """Every file counts for its picture or for the rest, and a folder that is not there counts as empty."""
    folder, key = tmp_path / "files", new_key()
    (folder / key[:2] / key).mkdir(parents=True)
    (folder / key[:2] / key / "a.png").write_bytes(bytes(1000))
    (folder / key[:2] / key / "preview.webp").write_bytes(bytes(24))
    (folder / "incoming").write_bytes(bytes(7))
    assert {key: 1024, "": 7} == sizes(str(folder))
    assert {} == sizes("/nowhere/at/all")


def test_storage_elsewhere_is_counted_as_well() -> None:
    """Pictures at an fsspec address are counted by asking for their sizes."""
    storage, key = fsspec.filesystem("memory"), new_key()
    storage.pipe(f"/disk-use/{key}/b", bytes(77))
    storage.pipe(f"/disk-use/looks/{key}", bytes(3))
    assert {key: 77, "": 3} == sizes("memory://disk-use")
    storage.rm("/disk-use", recursive=True)


def test_each_picture_counts_for_what_it_is_for() -> None:
    """A result that is enlarged further counts once, as a result; what nobody uses counts only among all files."""
    taken = {"result": 1, "original": 10, "look": 100, "task": 1_000, "nobody": 10_000, "": 100_000}
    used = {
        "result": {User.SOURCE, User.RESULT, User.TASK},
        "original": {User.SOURCE, User.LOOK},
        "look": {User.LOOK},
        "task": {User.TASK},
    }
    assert Room(111_111, results=1, sources=10, looks=100) == room(taken, used)
