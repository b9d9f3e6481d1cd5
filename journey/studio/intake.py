"""What a person gives us (an address, a task, a file, a sample) becomes a checked picture that is stored here.

Every way in ends in the same `Source`, so that a page can show the picture, its pixels and its print sizes before
anything is queued, and so that our copy of it is exactly the bytes that were checked.
"""

from __future__ import annotations

import copy
import hashlib
import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Self
from urllib.parse import unquote, urlsplit

from journey.api.client import JourneyClient
from journey.api.errors import TaskNotFound
from journey.api.models import GRID_INDEXES, Task, TaskStatus, usable_id
from journey.background import Latest
from journey.errors import FileMissing, InvalidRequest, JourneyError, PictureRefused, one_line
from journey.history import Entry
from journey.outside.addresses import as_sent
from journey.outside.door import Door
from journey.outside.masking import SHORTENED, is_shortened, masked_text
from journey.outside.pasted import cleaned, unquoted
from journey.pictures.checking import Decoder, Picture
from journey.pictures.kinds import KINDS, sniff
from journey.pictures.previews import PREVIEW, THUMBNAIL
from journey.pictures.rows import Stream
from journey.pictures.traits import Traits, of_stream
from journey.provider import Provider
from journey.storage.files import Files, new_key
from journey.storage.looked import Looked
from journey.storage.names import safe_name, uploaded_name
from journey.storage.stored import Origins, StoredFile, StoredPicture

log = logging.getLogger(__name__)

NAME_SHOWN = 80
_TRAITS_KEPT = 200
_REFUSALS_KEPT = 1_000

_BEGINNING = re.compile(r"(?:^|\s)https?://", re.IGNORECASE)

Kind = Literal["url", "task", "upload", "sample"]


@dataclass(frozen=True)
class Source:
    """A picture ready to be upscaled. `stored` is our own copy.

    `name` is untrusted text to be shown, and `digest` is the same for the same bytes. `image_url` is set when the
    picture came from an outside address, `parent_task_id` (and `index`) when it came from a task. Only the provider
    `task_at` is given that task's id. If that is None, none is, and the id only says where the picture came from.
    """

    kind: Kind
    name: str
    stored: StoredPicture
    digest: str
    notes: tuple[str, ...] = ()
    image_url: str | None = None
    parent_task_id: str | None = None
    index: str | None = None
    task_at: Provider | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.stored.size


@dataclass(frozen=True)
class ParentTask:
    """A finished task that can be upscaled further: one source, or those of a grid in the order of their index.

    `missing` are the indexes of a grid at which the provider named no picture.
    """

    task_id: str
    provider: Provider
    task_type: str | None
    model: str | None
    sources: tuple[Source, ...]
    missing: tuple[str, ...] = ()

    @property
    def is_grid(self) -> bool:
        return len(self.sources) + len(self.missing) > 1

    def picture(self, index: str) -> Source:
        """The picture of a grid at this index. Raises InvalidRequest when there is none."""
        for source in self.sources:
            if source.index == index:
                return source
        if index in self.missing:
            raise InvalidRequest(f"Picture {index} of this task is missing: {self.provider.label} named none there.")
        raise InvalidRequest(f"This task has only one picture, so there is no picture {index}.")


class Intake:
    """Takes pictures in. Every method may raise a JourneyError, whose message is a sentence for the person."""

    def __init__(
        self,
        files: Files,
        looked: Looked,
        decoder: Decoder,
        door: Door,
        clients: Mapping[Provider, JourneyClient],
        *,
        origins: Origins,
        max_bytes: int,
    ) -> None:
        self._files = files
        self._looked = looked
        self._decoder = decoder
        self._door = door
        self._clients = clients
        self._origins = origins
        self._max_bytes = max_bytes
        self._traits: Latest[str, Traits] = Latest(_TRAITS_KEPT)
        self._refused: Latest[str, str] = Latest(_REFUSALS_KEPT)
        self._asker = ""

    def asked_by(self, asker: str) -> Self:
        """The same for one visitor, so that a visitor with many pictures keeps nobody else waiting."""
        theirs = copy.copy(self)
        theirs._asker = asker
        return theirs

    def from_url(self, url: str) -> Source:
        """Fetch a picture by its address through the one door; an address of our own files is opened by its key."""
        if len(_BEGINNING.findall(url)) > 1:
            raise InvalidRequest("This is more than one address. Give one of them here, or all of them on Batch.")
        if is_shortened(url):
            raise InvalidRequest(SHORTENED)
        url = cleaned(url)
        if not url:
            raise InvalidRequest("Enter the address of a picture, for example https://example.com/picture.png.")
        return self._from_address(url, "url", _name_in(url))

    def from_upload(self, name: str, data: bytes) -> Source:
        """Take in a file that a person gave."""
        if len(data) > self._max_bytes:
            raise InvalidRequest(
                f"The file is {len(data) / 2**20:.1f} MiB; the limit is {self._max_bytes / 2**20:g} MiB."
            )
        return self._take_in(lambda path: path.write_bytes(data), "upload", _shown(uploaded_name(name)))

    def shown(self, *sources: Source) -> None:
        """A tab shows these pictures, so nobody removes them within a day."""
        self._note_look(source.stored.key for source in sources)

    def _note_look(self, keys: Iterable[str]) -> None:
        """Of pictures that are kept already: where that cannot be noted, they are shown all the same."""
        try:
            self._looked.note(keys)
        except OSError as error:
            log.info("a look is not noted: %s", error.strerror or type(error).__name__)

    def traits(self, source: Source) -> Traits:
        """What the picture is like, measured once from its pixels. Raises FileMissing and PictureRefused."""
        key = source.stored.key
        if key not in self._traits:
            path = self._files.path(key, source.stored.file)
            self._traits[key] = self._decoder.apply(_measured, path, path)
        return self._traits[key]

    def from_stored(self, stored: StoredFile, *, name: str, kind: Kind) -> Source:
        """A picture that is already kept here. Raises FileMissing."""
        path = self._files.path(stored.key, stored.file)
        self._note_look([stored.key])
        picture = self._decoder.inspect(path)
        return _source(kind, _shown(name), picture, stored, _digest(path))

    def from_result(self, entry: Entry) -> Source:
        """The stored result of an entry, to be enlarged further. Raises FileMissing when it is no longer there."""
        if entry.result is None:
            raise FileMissing(f"“{entry.name}” has no stored result to enlarge.")
        source = self.from_stored(entry.result, name=entry.name, kind="task")
        return replace(source, parent_task_id=entry.task_id, task_at=entry.provider)

    def from_entry(self, entry: Entry) -> Source:
        """The picture that an entry enlarges: our own copy, or one fetched again from its address."""
        came_from = entry.came_from or entry.parent_task_id
        try:
            if entry.source is None:
                raise FileMissing
            kept = self.from_stored(entry.source, name=entry.name, kind="task" if came_from else "upload")
        except FileMissing:
            if entry.image_url is None:
                raise InvalidRequest(
                    "The picture of this task is no longer stored here, so it cannot be used again. Choose it again."
                ) from None
            kept = self._from_address(entry.image_url, "url", _shown(entry.name))
        return replace(
            kept,
            name=_shown(entry.name),
            image_url=entry.image_url,
            parent_task_id=came_from,
            index=entry.came_from_index or entry.index,
            task_at=entry.provider if entry.parent_task_id else None,
        )

    def from_task(self, task_id: str, providers: Sequence[Provider]) -> ParentTask:
        """Ask these providers for a task, in this order, and take in its picture, or the four of a grid."""
        task_id = unquoted(task_id)
        if not task_id:
            raise InvalidRequest("Enter the ID of a finished task.")
        if not usable_id(task_id):
            raise InvalidRequest("This cannot be a task ID. Copy the whole ID and try again.")
        task, provider = self._find(task_id, providers)
        if task.status is TaskStatus.FAILED:
            raise InvalidRequest("This task failed, so there is no picture to upscale. Use another one.")
        urls = list(task.image_urls[: len(GRID_INDEXES)]) if task.is_grid else [task.picture()]
        if task.status is not TaskStatus.FINISHED:
            raise InvalidRequest("This task is not finished yet. Try again when it is.")
        places = dict(zip(GRID_INDEXES, urls, strict=False))
        named = {index: url for index, url in places.items() if url}
        if not named:
            raise InvalidRequest("This task has no picture. Use another one.")
        with ThreadPoolExecutor(max_workers=len(named)) as pool:
            pictures = list(pool.map(lambda url: self._from_address(url, "task", task_id, provider), named.values()))
        sources = tuple(
            replace(
                picture,
                name=f"{_shown(task_id)} #{index}" if task.is_grid else _shown(task_id),
                parent_task_id=task_id,
                index=index if task.is_grid else None,
                task_at=provider,
            )
            for index, picture in zip(named, pictures, strict=True)
        )
        missing = tuple(index for index in places if index not in named)
        return ParentTask(task_id, provider, task.task_type, task.model, sources, missing)

    def _checked(self, path: Path, digest: str) -> Picture:
        """Check a picture, unless the very same bytes were refused before."""
        if digest in self._refused:
            raise PictureRefused(self._refused[digest])
        try:
            return self._decoder.check(path, asker=self._asker)
        except PictureRefused as error:
            self._refused[digest] = str(error)
            raise

    def _find(self, task_id: str, providers: Sequence[Provider]) -> tuple[Task, Provider]:
        fault: JourneyError | None = None
        for provider in providers:
            try:
                return self._clients[provider].fetch(task_id), provider
            except (TaskNotFound, KeyError):
                continue
            except JourneyError as error:
                fault = fault or error  # another provider may know the task even if this one does not answer
        raise fault or TaskNotFound("No task with this ID was found. Copy the whole ID and try again.")

    def _from_address(self, url: str, kind: Kind, name: str, provider: Provider | None = None) -> Source:
        """`provider` is the one that named the address; None when it was a person."""
        if own := self._origins.stored(url, by=provider):
            try:
                return self.from_stored(own, name=name, kind=kind)
            except FileMissing:
                raise InvalidRequest("There is no such picture here any more. Upload it again.") from None
        url = as_sent(url)

        def fetch(path: Path) -> None:
            with path.open("wb") as file:
                self._door.get(url, max_bytes=self._max_bytes, into=file)

        return replace(self._take_in(fetch, kind, name), image_url=url)

    def _take_in(self, write: Callable[[Path], object], kind: Kind, name: str) -> Source:
        with self._files.folder() as folder:
            path = folder / "incoming"
            write(path)
            with path.open("rb") as file:
                extension = KINDS[sniff(file.read(32))].extension
            digest = _digest(path)
            picture = self._checked(path, digest)
            file_name = safe_name(Path(name).stem, extension)
            if file_name in (PREVIEW, THUMBNAIL):  # these two are put beside it
                file_name = safe_name("picture", extension)
            path.rename(folder / file_name)
            stored = StoredFile(new_key(), file_name)
            self._looked.note([stored.key])
            self._files.keep(folder, key=stored.key)
        return _source(kind, name, picture, stored, digest)


def _measured(picture: Stream, _: Path) -> Traits:
    return of_stream(picture)


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _source(kind: Kind, name: str, picture: Picture, stored: StoredFile, digest: str) -> Source:
    kept = StoredPicture(stored.key, stored.file, picture.width, picture.height)
    return Source(kind, name, kept, digest, picture.notes)


def _name_in(url: str) -> str:
    """The last part of the path, to be shown."""
    try:
        return _shown(masked_text(unquote(urlsplit(url).path).rstrip("/").rsplit("/", 1)[-1]))
    except ValueError:
        return "picture"


def _shown(name: str) -> str:
    """Untrusted text as one line, cut to be shown; the ending of a file's name stays."""
    line = one_line(name, len(name))
    if len(line) > NAME_SHOWN:
        ending = Path(line).suffix if len(Path(line).suffix) <= 6 else ""
        line = line[: NAME_SHOWN - len(ending)].rstrip() + ending
    return line or "picture"
