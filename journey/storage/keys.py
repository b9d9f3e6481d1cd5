"""Secrets that are made on the first start and stay the same."""

from __future__ import annotations

import secrets
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from journey.errors import CannotStart

LEAST_CHARACTERS = 16
"""A shorter key could be found by trying."""


def key_file(path: Path) -> str:
    """A random secret that stays the same across restarts, in a file that only its owner can read."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            with tempfile.TemporaryDirectory(dir=path.parent, prefix=f"{path.name}-") as folder:
                fresh = Path(folder, path.name)
                fresh.touch(0o600)
                fresh.write_text(secrets.token_urlsafe(24))
                # A second process may be doing the same: the first one wins, and nobody reads half a key.
                with suppress(FileExistsError):
                    if sys.platform == "win32":
                        fresh.rename(path)  # replaces nothing there; not every disk of Windows knows links
                    else:
                        path.hardlink_to(fresh)
        key = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CannotStart(
            f"The key file {path} cannot be used: {getattr(error, 'strerror', None) or error}."
        ) from error
    if not (key and key.isascii() and key.isprintable() and " " not in key):
        raise CannotStart(f"The key file {path} does not hold a key. Remove it, and a new one will be made.")
    if len(key) < LEAST_CHARACTERS:
        raise CannotStart(
            f"The key in {path} has fewer than {LEAST_CHARACTERS} characters. "
            "Remove the file, and a new one will be made."
        )
    return key
