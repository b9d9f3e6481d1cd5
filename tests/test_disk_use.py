"""The room that pictures take is counted in the background, now and then."""

from __future__ import annotations

import threading
from pathlib import Path

from journey.storage.disk_use import FRESH_SECONDS, Counted, DiskUse
from tests.studio import Clock


def counted(use: DiskUse) -> Counted | None:
    """The last count, after one that was begun has ended."""
    use.look()
    for thread in threading.enumerate():
        if thread.name == "disk-use":
            thread.join(10)
    return use.look()


def test_everything_in_the_folder_is_counted_and_kept_for_a_while(tmp_path: Path) -> None:
    """All files in all folders count; a count is not repeated while it is fresh, and is when it is not."""
    clock = Clock()
    folder = tmp_path / "files"
    (folder / "ab" / "key").mkdir(parents=True)
    (folder / "ab" / "key" / "a.png").write_bytes(bytes(1000))
    (folder / "incoming").write_bytes(bytes(24))
    use = DiskUse(str(folder), clock=clock)
    assert use.look() is None
    assert Counted(1024, clock.now) == counted(use)
    (folder / "more").write_bytes(bytes(1))
    clock.now += FRESH_SECONDS
    assert Counted(1024, clock.now - FRESH_SECONDS) == counted(use)
    clock.now += 1
    assert Counted(1025, clock.now) == counted(use)


def test_storage_elsewhere_is_counted_as_well() -> None:
    """An fsspec address is asked for its size; a folder that is not there is empty."""
    import fsspec

    storage = fsspec.filesystem("memory")
    storage.pipe("/disk-use/a/b", bytes(77))
    assert 77 == (counted(DiskUse("memory://disk-use")) or Counted(-1, 0)).size
    storage.rm("/disk-use", recursive=True)
    assert 0 == (counted(DiskUse("/nowhere/at/all")) or Counted(-1, 0)).size
