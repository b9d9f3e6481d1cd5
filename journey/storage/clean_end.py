"""Whether a file is still as the program left it when it last ended by itself.

Nothing has to be done when it did not: whatever a killed program, a backup or a failing disk has written since, the
file's time or size is another one.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def note(file: Path) -> None:
    """Remember how this file is left."""
    with suppress(OSError):  # then it is looked through at the next start
        _mark(file).write_text(_told(file))


def is_as_left(file: Path) -> bool:
    """True when nobody has written to it since `note`, and no transaction waits beside it to be undone or continued."""
    try:
        waits = [beside for end in ("-journal", "-wal") if (beside := file.with_name(file.name + end)).exists()]
        return _mark(file).read_text() == _told(file) and not any(beside.stat().st_size for beside in waits)
    except (OSError, ValueError):
        return False


def _mark(file: Path) -> Path:
    return file.with_name(file.name + ".left")


def _told(file: Path) -> str:
    found = file.stat()
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ino}\n"
