"""What a person gives us (an address, a task, a file, a sample) becomes a checked picture that is stored here.

Every way in ends in the same `Source`, so that a page can show the picture, its pixels and its print sizes
before anything is queued, and so that the engine gets exactly the bytes that were checked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from journey.api.client import JourneyClient
from journey.api.errors import TaskNotFound
from journey.api.models import GRID_INDEXES, Task, TaskStatus, usable_id
from journey.errors import FileMissing, InvalidRequest, JourneyError
from journey.history import EngineName, Entry, NewEntry, State
from journey.outside.door import Door
from journey.pictures.checking import Decoder, Picture, inspect
from journey.pictures.kinds import KINDS, sniff
from journey.pictures.previews import PREVIEW, THUMBNAIL
from journey.storage.files import Files, key_in_url, safe_name

NAME_SHOWN = 80
SECRET_LIMIT = 500
_ONLY_HERE = (
    "JourneyAPI cannot reach a picture that is only on this machine, such as an upload. "
    "Use the engine on this machine, give a public image URL, or set JOURNEY_PUBLIC_URL."
)


@dataclass(frozen=True)
class Source:
    """A picture ready to be upscaled. `key` and `file` name our own copy.

    `name` is untrusted text for showing, and `digest` is the same for the same bytes. `image_url` is set when
    the picture came from an outside address, `parent_task_id` (and `index`) when it came from a task. Only the
    engine `task_engine` is given that task's id; None: none is, and the id just says where the picture came from.
    """

    kind: Literal["url", "task", "upload", "sample"]
    name: str
    width: int
    height: int
    key: str
    file: str
    digest: str
    notes: tuple[str, ...] = ()
    image_url: str | None = None
    parent_task_id: str | None = None
    index: str | None = None
    task_engine: EngineName | None = None


@dataclass(frozen=True)
class ParentTask:
    """A finished task that can be upscaled further: one source, or the four of a grid in the order of their index."""

    task_id: str
    engine: EngineName
    task_type: str | None
    model: str | None
    sources: tuple[Source, ...]

    @property
    def is_grid(self) -> bool:
        return len(self.sources) > 1

    @property
    def contents(self) -> str:
        """Such as `a grid of 4 pictures, 1024 × 1024 px each`."""
        first = self.sources[0]
        size = f"{first.width} × {first.height} px"
        return f"a grid of {len(self.sources)} pictures, {size} each" if self.is_grid else f"one picture, {size}"


class Sources:
    """Takes pictures in. Every method raises a JourneyError whose message is a sentence for the person."""

    def __init__(
        self,
        files: Files,
        decoder: Decoder,
        door: Door,
        clients: Mapping[EngineName, JourneyClient],
        *,
        own_origins: Sequence[str],
        public_url: str | None,
        max_bytes: int,
    ) -> None:
        self._files = files
        self._decoder = decoder
        self._door = door
        self._clients = clients
        self._own_origins = own_origins
        self._public_url = public_url
        self._max_bytes = max_bytes
        self._outside = Door()

    def from_url(self, url: str) -> Source:
        """Fetch a picture by its address through the one door; an address of our own files is opened by its key."""
        url = url.strip()
        if not url:
            raise InvalidRequest("Enter the address of a picture, for example https://example.com/picture.png.")
        return self._from_address(url, "url", _name_in(url))

    def from_upload(self, name: str, data: bytes) -> Source:
        """Take in a file that a person gave."""
        if len(data) > self._max_bytes:
            raise InvalidRequest(
                f"The file has {len(data) / 2**20:.1f} MiB; up to {self._max_bytes / 2**20:g} MiB are possible."
            )

        def write(path: Path) -> None:
            path.write_bytes(data)

        picture, key, file = self._take_in(write, name)
        return _source("upload", _shown(name), picture, key, file, path=self._files.path(key, file))

    def from_stored(self, key: str, file: str, *, name: str, kind: Literal["sample", "task", "upload"]) -> Source:
        """A picture that is already kept here. Raises FileMissing."""
        path = self._files.path(key, file)
        picture = inspect(path, max_pixels=self._decoder.limits.output)
        return _source(kind, _shown(name), picture, key, file, path=path)

    def from_task(self, task_id: str, engines: Sequence[EngineName]) -> ParentTask:
        """Find a task at one of these engines, in this order, and take in its picture or its four."""
        task_id = task_id.strip()
        if not task_id:
            raise InvalidRequest("Enter the ID of a finished task.")
        if not usable_id(task_id):
            raise InvalidRequest("This cannot be a task ID. Copy the whole ID and try again.")
        task, engine = self._find(task_id, engines)
        if task.status is TaskStatus.FAILED:
            raise InvalidRequest("This task failed, so there is no picture to upscale. Use another one.")
        urls = list(task.image_urls[: len(GRID_INDEXES)]) if task.is_grid else [task.picture()]
        if task.status is not TaskStatus.FINISHED:
            raise InvalidRequest("This task is not finished yet. Try again when it is.")
        if None in urls:
            raise InvalidRequest("This task has no picture. Use another one.")
        with ThreadPoolExecutor(max_workers=len(urls)) as pool:
            pictures = list(pool.map(lambda url: self._from_task_address(str(url), engine, task_id), urls))
        sources = tuple(
            Source(
                kind="task",
                name=f"{_shown(task_id)} #{index}" if task.is_grid else _shown(task_id),
                width=picture.width,
                height=picture.height,
                key=picture.key,
                file=picture.file,
                digest=picture.digest,
                notes=picture.notes,
                image_url=picture.image_url,
                parent_task_id=task_id,
                index=index if task.is_grid else None,
                task_engine=engine,
            )
            for index, picture in zip(GRID_INDEXES, pictures, strict=False)
        )
        return ParentTask(task_id, engine, task.task_type, task.model, sources)

    def from_entry(self, entry: Entry) -> Source:
        """The picture that an entry enlarges: our own copy, else fetched anew from its address."""
        lineage = {
            "name": _shown(entry.name),
            "image_url": entry.image_url,
            "parent_task_id": entry.came_from or entry.parent_task_id,
            "index": entry.came_from_index or entry.index,
            "task_engine": entry.engine if entry.parent_task_id else None,
        }
        try:
            kept = self.from_stored(
                str(entry.source_key),
                str(entry.source_file),
                name=entry.name,
                kind="task" if lineage["parent_task_id"] else "upload",
            )
        except FileMissing:
            if entry.image_url is None:
                raise InvalidRequest(
                    "The picture of this task is no longer stored here, so it cannot be used again. Choose it anew."
                ) from None
            kept = self.from_url(entry.image_url)
        return replace(kept, **lineage)  # type: ignore[arg-type]  # the fields are those of Source

    def can_rescue(self, entry: Entry) -> bool:
        """True when JourneyAPI could not work with the parent task that this entry named to it."""
        return (
            entry.state is State.FAILED
            and entry.engine == "journeyapi"
            and entry.parent_task_id is not None
            and entry.result_url is None
        )

    def can_send_address(self, entry: Entry) -> bool:
        """True when JourneyAPI can be given an address of this entry's picture, judged by form: nothing is resolved."""
        if self._public_url and self._is_kept(entry):
            return True
        try:
            self._outside.check(entry.image_url or "")
        except InvalidRequest:
            return False
        return True

    def rescue(self, entry: Entry, *, engine: EngineName, model: str | None = None, person: str | None) -> NewEntry:
        """The same wish without the parent task: JourneyAPI is given the picture's address, this machine its copy.

        What the picture came from is kept. May resolve a name (3 s).
        """
        source = replace(self.from_entry(entry), task_engine=None)
        if self._public_url:
            source = replace(source, image_url=None)  # our copy cannot have expired, an address of JourneyAPI's can
        if problem := self.problem(source, engine=engine, scale=entry.scale):
            raise InvalidRequest(problem)
        return new_entry(
            source, engine=engine, scale=entry.scale, model=model, webhook_url=entry.webhook_url, person=person
        )

    def upload_problem(self, engine: EngineName) -> str | None:
        """Why a picture that lies here cannot be sent to this engine, and what to do; None when it can."""
        return _ONLY_HERE if engine == "journeyapi" and self._public_url is None else None

    def problem(self, source: Source, *, engine: EngineName, scale: int) -> str | None:
        """Why this picture cannot be sent to this engine at this multiplier, or None. May resolve a name (3 s)."""
        if problem := self._decoder.limits.problem(source.width, source.height, scale):
            return problem
        if engine == "embedded" or (source.parent_task_id and source.task_engine == engine):
            return None
        if source.image_url is None:
            return self.upload_problem(engine)
        try:
            self._door.reachable_by_others(source.image_url)
        except JourneyError as error:
            return f"JourneyAPI cannot use this address: {error} Or use the engine on this machine."
        return None

    def check_webhook(self, url: str, secret: str | None = None) -> None:
        """Raises InvalidRequest when a webhook could not be delivered to this address, judged by its form."""
        try:
            self._door.check(url, https_only=True)
        except InvalidRequest as error:
            raise InvalidRequest(f"Webhook: {error}") from error
        if secret and not (len(secret) <= SECRET_LIMIT and secret.isascii() and secret.isprintable()):
            raise InvalidRequest(
                f"Webhook: the secret goes into a header; use up to {SECRET_LIMIT} plain letters, digits and signs."
            )

    def _is_kept(self, entry: Entry) -> bool:
        return self._files.has(str(entry.source_key), str(entry.source_file))

    def _find(self, task_id: str, engines: Sequence[EngineName]) -> tuple[Task, EngineName]:
        fault: JourneyError | None = None
        for engine in engines:
            try:
                return self._clients[engine].fetch(task_id), engine
            except (TaskNotFound, KeyError):
                continue
            except JourneyError as error:
                fault = fault or error  # another engine may know the task although this one does not answer
        raise fault or TaskNotFound("No task with this ID was found. Copy the whole ID and try again.")

    def _from_task_address(self, url: str, engine: EngineName, task_id: str) -> Source:
        # The embedded engine keeps its pictures here, whatever port its addresses were made for.
        own = key_in_url(url, [url]) if engine == "embedded" else None
        return self._from_own(*own, kind="task", name=task_id) if own else self._from_address(url, "task", task_id)

    def _from_own(self, key: str, file: str, *, kind: Literal["url", "task"], name: str) -> Source:
        try:
            path = self._files.path(key, file)
        except FileMissing:
            raise InvalidRequest("There is no such picture here any more. Upload it again.") from None
        picture = inspect(path, max_pixels=self._decoder.limits.output)
        return _source(kind, name, picture, key, file, path=path)

    def _from_address(self, url: str, kind: Literal["url", "task"], name: str) -> Source:
        if own := key_in_url(url, self._own_origins):
            return self._from_own(*own, kind=kind, name=name)

        def fetch(path: Path) -> None:
            with path.open("wb") as file:
                self._door.get(url, max_bytes=self._max_bytes, into=file)

        picture, key, file = self._take_in(fetch, name)
        path = self._files.path(key, file)
        return _source(kind, name, picture, key, file, path=path, image_url=url)

    def _take_in(self, write: Callable[[Path], None], name: str) -> tuple[Picture, str, str]:
        with self._files.folder() as folder:
            path = folder / "incoming"
            write(path)
            with path.open("rb") as file:
                extension = KINDS[sniff(file.read(32))].extension
            picture = self._decoder.check(path)
            file_name = safe_name(Path(name).stem, extension)
            if file_name in (PREVIEW, THUMBNAIL):  # they lie beside it
                file_name = safe_name("picture", extension)
            path.rename(folder / file_name)
            return picture, self._files.keep(folder), file_name


def new_entry(
    source: Source,
    *,
    engine: EngineName,
    scale: int,
    model: str | None = None,
    webhook_url: str | None = None,
    webhook_secret: str | None = None,
    person: str | None = None,
    batch: str | None = None,
) -> NewEntry:
    """The entry for a source. A parent is named by its task only to the engine that made it; others get the picture."""
    is_parent = source.parent_task_id is not None and source.task_engine == engine
    model = model if engine == "embedded" else None
    return NewEntry(
        engine=engine,
        type="4x" if scale == 4 else "2x",
        name=source.name,
        fingerprint=fingerprint(source, engine, scale, model, person),
        model=model,
        person=person,
        image_url=source.image_url,
        parent_task_id=source.parent_task_id if is_parent else None,
        index=source.index if is_parent else None,
        source_key=source.key,
        source_file=source.file,
        source_width=source.width,
        source_height=source.height,
        webhook_url=webhook_url or None,
        webhook_secret=(webhook_secret or None) if webhook_url else None,
        batch=batch,
        came_from=source.parent_task_id,
        came_from_index=source.index,
    )


def fingerprint(source: Source, engine: EngineName, scale: int, model: str | None, person: str | None) -> str:
    """The same for the same picture, settings and person."""
    return hashlib.sha256(repr((source.digest, engine, scale, model, person)).encode()).hexdigest()


def _source(
    kind: Literal["url", "task", "upload", "sample"],
    name: str,
    picture: Picture,
    key: str,
    file: str,
    *,
    path: Path,
    image_url: str | None = None,
) -> Source:
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return Source(
        kind=kind,
        name=name,
        width=picture.width,
        height=picture.height,
        key=key,
        file=file,
        digest=digest,
        notes=picture.notes,
        image_url=image_url,
    )


def _name_in(url: str) -> str:
    """The last part of the path, for showing."""
    try:
        return _shown(unquote(urlsplit(url).path).rstrip("/").rsplit("/", 1)[-1]) or "picture"
    except ValueError:
        return "picture"


def _shown(name: str) -> str:
    """Untrusted text cut to a line. What turns the direction of writing is not printable, so it is left out."""
    return "".join(char for char in name if char.isprintable())[:NAME_SHOWN] or "picture"
