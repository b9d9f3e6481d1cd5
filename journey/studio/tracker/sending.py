"""What of a picture leaves this machine: its pixels upright, its colours, and nothing else that was in its file."""

from __future__ import annotations

from collections.abc import Callable

from journey.pictures.checking import Decoder
from journey.pictures.copying import SENT_JPEG, SENT_PNG
from journey.storage.files import Files
from journey.storage.stored import StoredFile

Sendable = Callable[[StoredFile], StoredFile]
"""The file that may be sent in place of a stored one, which may say where and by whom it was taken."""


def sendable(files: Files, decoder: Decoder) -> Sendable:
    """Makes that file beside the stored one when it is first needed; it goes when that goes."""

    def of(stored: StoredFile) -> StoredFile:
        """Raises FileMissing when the picture is gone, and PictureRefused."""
        source = files.path(stored.key, stored.file)
        made = next((name for name in (SENT_PNG, SENT_JPEG) if files.nearby(stored.key, name)), None)
        if made is None:
            with files.scratch() as folder:
                made = decoder.only_the_picture(source, folder)
                files.add(stored.key, folder / made, beside=stored.file)
        return stored.beside(made)

    return of
