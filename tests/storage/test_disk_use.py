"""The room that pictures take is counted, wherever they are kept."""

from __future__ import annotations

from pathlib import Path

import fsspec

from journey.storage.disk_use import counted


def test_every_file_in_every_folder_counts(tmp_path: Path) -> None:
    """Every file counts, in whatever folder it is, and a folder that is not there counts as empty."""
    folder = tmp_path / "files"
    (folder / "ab" / "key").mkdir(parents=True)
    (folder / "ab" / "key" / "a.png").write_bytes(bytes(1000))
    (folder / "incoming").write_bytes(bytes(24))
    assert 1024 == counted(str(folder))
    assert 0 == counted("/nowhere/at/all")


def test_storage_elsewhere_is_counted_as_well() -> None:
    """Pictures at an fsspec address are counted by asking for their sizes."""
    storage = fsspec.filesystem("memory")
    storage.pipe("/disk-use/a/b", bytes(77))
    assert 77 == counted("memory://disk-use")
    storage.rm("/disk-use", recursive=True)
