"""The folder that holds everything, made and judged before anything uses it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from journey.errors import CannotStart

_FOLDERS = ("files", "print-files")
_FILES = ("engine-key", "journey.db", "journey.db.worker", "secret-key")


def prepare(path: Path) -> None:
    """Make the folder where there is none. Raises CannotStart with what is wrong with one, and what to do."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as trial:
            trial.write(b"x")
    except OSError as error:
        raise CannotStart(
            f"The data folder {path} cannot be written to: {error.strerror or error}. Make room or set its rights, or "
            "set JOURNEY_DATA_DIR to another folder."
        ) from error
    for name in _FOLDERS:
        if (path / name).exists() and not (path / name).is_dir():
            raise CannotStart(f"{path / name} is a file, where a folder belongs. Move it away.")
    for name in _FILES:
        if (path / name).is_dir():
            raise CannotStart(f"{path / name} is a folder, where a file belongs. Move it away.")
