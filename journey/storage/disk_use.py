"""How much room the stored pictures take."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from journey.storage.files import storage_at


def counted(url: str) -> int:
    """Total bytes of all files in a folder, or in object storage at an fsspec address.

    Counting a hundred thousand pictures takes seconds: do it in the background.
    """
    storage, root = storage_at(url)
    if "local" not in storage.protocol:
        return int(storage.du(root))
    total = 0
    for folder, _, names in os.walk(root):
        for name in names:
            with suppress(FileNotFoundError):  # deleted meanwhile
                total += (Path(folder) / name).stat().st_size
    return total
