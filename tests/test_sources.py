"""Whatever a person gives becomes a checked picture that is stored here, or a sentence that says what to do."""

from __future__ import annotations

import io
import socket
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from PIL import Image

from journey.api.client import JourneyClient
from journey.api.errors import AuthenticationFailed, NotSent, TaskNotFound
from journey.errors import FetchFailed, InvalidRequest, JourneyError, PictureRefused, Unreachable
from journey.history import EngineName, Entry, State
from journey.outside.door import Door
from journey.pictures.checking import Limits
from journey.pictures.previews import PREVIEW, THUMBNAIL
from journey.storage.files import Files, file_url
from journey.studio.intake import Source, Sources, fingerprint, new_entry
from tests.fakes.hosted import GRID_ID, SINGLE_ID, Change, FakeHosted, Reply, picture, web_page
from tests.studio import DecoderHere

ORIGIN = "http://studio.test:8501"
ENGINES: tuple[EngineName, ...] = ("journeyapi", "embedded")
PUBLIC = {"public.example": ["8.8.8.8"], "inside.example": ["10.0.0.1"]}


@pytest.fixture
def api() -> Iterator[FakeHosted]:
    with FakeHosted() as fake:
        yield fake


@pytest.fixture
def embedded() -> Iterator[FakeHosted]:
    with FakeHosted() as fake:
        fake.tasks.clear()
        yield fake


@pytest.fixture
def files(tmp_path: Path) -> Files:
    made = Files(str(tmp_path / "files"), work_dir=tmp_path)
    made.start()
    return made


@pytest.fixture
def sources(api: FakeHosted, embedded: FakeHosted, files: Files, tmp_path: Path) -> Iterator[Sources]:
    clients: dict[EngineName, JourneyClient] = {
        "journeyapi": JourneyClient(api.key, api.url, attempts=1, timeout=5),
        "embedded": JourneyClient(embedded.key, embedded.url, attempts=1, timeout=5),
    }
    yield Sources(
        files,
        DecoderHere(Limits(10**6, 16 * 10**6)),
        Door(["127.0.0.1"], resolver=lambda host, _: PUBLIC.get(host, [])),
        clients,
        own_origins=[ORIGIN],
        public_url=None,
        max_bytes=2**20,
    )
    for client in clients.values():
        client.close()
    assert [] == list((tmp_path / "files" / "incoming").iterdir())


def stored(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "files").rglob("*") if path.is_file()]


def source_of(sources: Sources, **changes: object) -> Source:
    return replace(sources.from_upload("fjord.png", picture(64, 48)), **changes)  # type: ignore[arg-type]


def test_a_picture_by_its_address(sources: Sources, api: FakeHosted, files: Files) -> None:
    """An address becomes our own copy of its bytes, with previews, size and name; spaces around it do no harm."""
    source = sources.from_url(f"  {api.picture_url(64, 48)}\n")
    assert ("url", "64x48.png", 64, 48) == (source.kind, source.name, source.width, source.height)
    assert api.picture_url(64, 48) == source.image_url
    path = files.path(source.key, source.file)
    assert picture(64, 48) == path.read_bytes()
    assert path.with_name(PREVIEW).is_file()
    assert path.with_name(THUMBNAIL).is_file()


@pytest.mark.parametrize(
    ("url", "error", "sentence"),
    [
        ("", InvalidRequest, "Enter the address of a picture, for example https://"),
        (" \n", InvalidRequest, "Enter the address"),
        ("picture.png", InvalidRequest, "must start with https://"),
        ("file:///etc/passwd", InvalidRequest, "must start with https://"),
        ("http://169.254.169.254/latest", Unreachable, "cannot be reached"),
        ("https://inside.example/a.png", Unreachable, "cannot be reached"),
        ("https://nowhere.example/a.png", Unreachable, "cannot be reached"),
    ],
)
def test_an_address_that_cannot_be_used(sources: Sources, tmp_path: Path, url: str, error: type, sentence: str) -> None:
    """Nothing typed, no address, a private or an unknown one: a sentence, and nothing is kept."""
    with pytest.raises(error, match=sentence):
        sources.from_url(url)
    assert [] == stored(tmp_path)


def test_a_private_address_is_not_asked(sources: Sources) -> None:
    """An internal service sees no connection."""
    with socket.create_server(("127.0.0.3", 0)) as internal:
        internal.setblocking(False)
        with pytest.raises(JourneyError, match=r"cannot be reached|port is not allowed"):
            sources.from_url(f"http://127.0.0.3:{internal.getsockname()[1]}/a.png")
        with pytest.raises(BlockingIOError):
            internal.accept()


@pytest.mark.parametrize(
    ("answer", "error", "sentence"),
    [
        (web_page(), FetchFailed, "address of a web page, not of a picture"),
        (web_page(404), FetchFailed, "no file at this address"),
        (Reply(200, b""), FetchFailed, "is empty"),
        (Reply(200, "just text"), PictureRefused, "not a picture. Only PNG, JPEG and WebP"),
        (Reply(200, b"GIF89a" + b"\x00" * 99), PictureRefused, "This is a GIF. Only PNG, JPEG and WebP"),
        (Reply(200, picture(64, 48)[:-60]), PictureRefused, "damaged or cut short"),
        (Reply(200, picture(64, 48) + b"\x00" * 2**20), FetchFailed, "larger than the limit of 1 MiB"),
        (Reply(200, picture(1200, 1000)), PictureRefused, "up to 1 are possible"),
    ],
)
def test_an_address_of_something_else(
    sources: Sources, api: FakeHosted, tmp_path: Path, answer: Reply, error: type, sentence: str
) -> None:
    """A web page, nothing, no picture, a broken, a heavy or a large one: a sentence, and nothing is kept."""
    api.script("cdn", answer)
    with pytest.raises(error, match=sentence):
        sources.from_url(api.picture_url())
    assert [] == stored(tmp_path)


def test_our_own_pictures_are_not_fetched(sources: Sources, files: Files) -> None:
    """An address of one of our own files is opened by its key, and a missing one is said."""
    first = sources.from_upload("fjord.png", picture(64, 48))
    again = sources.from_url(file_url(ORIGIN, first.key, first.file))
    assert (first.key, first.file, first.digest) == (again.key, again.file, again.digest)
    assert again.image_url is None
    files.delete(first.key)
    with pytest.raises(InvalidRequest, match="no such picture here any more"):
        sources.from_url(file_url(ORIGIN, first.key, first.file))


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.png", b"", "The file is empty"),
        ("a.png", b"%PDF-1.7", "This is a PDF"),
        ("a.png", b"hello", "not a picture"),
        ("a.png", b"\x00" * (2**20 + 1), "The file has 1.0 MiB; up to 1 MiB are possible"),
        ("a.png", picture(1001, 1000), "up to 1 are possible"),
        ("a.jpg", picture(64, 48, "JPEG")[:200], "damaged or cut short"),
    ],
)
def test_a_file_that_cannot_be_used(sources: Sources, tmp_path: Path, name: str, data: bytes, sentence: str) -> None:
    """An empty, foreign, heavy, large or broken file: a sentence, and nothing is kept."""
    with pytest.raises(JourneyError, match=sentence):
        sources.from_upload(name, data)
    assert [] == stored(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "a\x00b.png",
        "x" * 300 + ".png",
        "\u202egnp.exe",
        "-rf",
        "CON",
        "preview.webp",
        "thumbnail.webp",
        "",
        "...",
        "\ud800.png",
        "<script>.png",
        "C:\\a\\b.png",
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_any_name_is_only_a_name(sources: Sources, files: Files, tmp_path: Path, name: str, kind: str) -> None:
    """A file's name is shown as printable text, and its path is ours whatever the name says."""
    data = picture(64, 48, kind)
    source = sources.from_upload(name, data)
    assert source.name.isprintable()
    assert 0 < len(source.name) <= 80
    path = files.path(source.key, source.file)
    assert data == path.read_bytes()
    assert path.is_relative_to(tmp_path / "files")
    assert 3 == len(list(path.parent.iterdir()))
    with Image.open(path.with_name(THUMBNAIL)) as thumbnail:
        assert (64, 48) == thumbnail.size


def test_notes_say_what_was_converted(sources: Sources) -> None:
    """What a picture loses on its way in is told."""
    file = io.BytesIO()
    Image.new("CMYK", (64, 48), (0, 255, 255, 0)).save(file, "JPEG")
    assert ("CMYK colours were converted to sRGB.",) == sources.from_upload("a.jpg", file.getvalue()).notes


def test_a_stored_picture_is_a_source(sources: Sources) -> None:
    """A picture that is kept here already needs no copy."""
    first = sources.from_upload("fjord.png", picture(64, 48))
    again = sources.from_stored(first.key, first.file, name="Fjord", kind="sample")
    assert replace(first, kind="sample", name="Fjord") == again


def test_a_single_task_is_a_source(sources: Sources) -> None:
    """A finished task of one picture is one source that names its parent."""
    parent = sources.from_task(f" {SINGLE_ID} ", ENGINES)
    (source,) = parent.sources
    assert (False, "journeyapi", "upscale-1x") == (parent.is_grid, parent.engine, parent.task_type)
    assert (SINGLE_ID, None, "journeyapi", 64) == (
        source.parent_task_id,
        source.index,
        source.task_engine,
        source.width,
    )


def test_a_grid_is_four_sources(sources: Sources) -> None:
    """A grid gives its four pictures in the order of their index."""
    parent = sources.from_task(GRID_ID, ENGINES)
    assert parent.is_grid
    assert ["1", "2", "3", "4"] == [source.index for source in parent.sources]
    assert 4 == len({source.name for source in parent.sources}) == len({source.key for source in parent.sources})


def test_a_task_that_cannot_be_used(sources: Sources, api: FakeHosted) -> None:
    """Nothing typed, no id, an unknown, an unfinished, a failed or an empty task: a sentence for each."""
    for task_id, sentence in (
        (" ", "Enter the ID of a finished task"),
        ("x" * 201, "cannot be a task ID"),
        ("a\x00b", "cannot be a task ID"),
        ("unknown", "No task with this ID was found. Copy the whole ID"),
    ):
        with pytest.raises(JourneyError, match=sentence):
            sources.from_task(task_id, ENGINES)
    api.hold(SINGLE_ID, 3)
    with pytest.raises(InvalidRequest, match=r"not finished yet\. Try again when it is"):
        sources.from_task(SINGLE_ID, ENGINES)
    api.fail(SINGLE_ID)
    with pytest.raises(InvalidRequest, match="This task failed"):
        sources.from_task(SINGLE_ID, ENGINES)
    api.script("fetch", Reply(200, {"task_id": GRID_ID, "status": "finished"}))
    with pytest.raises(InvalidRequest, match="has no picture"):
        sources.from_task(GRID_ID, ENGINES)


def test_one_engine_that_is_away_does_not_hide_the_others_tasks(
    sources: Sources, api: FakeHosted, embedded: FakeHosted
) -> None:
    """A task is found at the second engine although the first does not answer; else the first fault is told."""
    embedded.tasks.update(api.tasks)
    embedded.tasks[SINGLE_ID].key = embedded.key
    api.stop()
    assert "embedded" == sources.from_task(SINGLE_ID, ENGINES).engine
    with pytest.raises(NotSent):
        sources.from_task("unknown", ENGINES)
    with pytest.raises(TaskNotFound):
        sources.from_task("unknown", ["embedded"])
    api.start()
    api.key = "changed-0123456789"
    with pytest.raises(AuthenticationFailed):
        sources.from_task("unknown", ENGINES)


def test_a_task_of_the_embedded_engine_lies_here(sources: Sources, api: FakeHosted, embedded: FakeHosted) -> None:
    """A picture of the embedded engine is opened by its key, even when its address names an earlier port."""
    kept = sources.from_upload("result.png", picture(64, 48))
    url = file_url("http://127.0.0.1:1", kept.key, kept.file)
    embedded.tasks[SINGLE_ID] = api.tasks.pop(SINGLE_ID)
    embedded.always("fetch", Change(lambda task: {**task, "image_url": url}))
    (source,) = sources.from_task(SINGLE_ID, ENGINES).sources
    assert (kept.key, "embedded") == (source.key, source.task_engine)


def test_what_an_engine_cannot_take_is_said_before_it_is_sent(sources: Sources) -> None:
    """Too large a result, a picture that only lies here, an address that works only here: a sentence each."""
    upload = source_of(sources)
    assert sources.problem(upload, engine="embedded", scale=4) is None
    assert "only on this machine" in str(sources.problem(upload, engine="journeyapi", scale=4))
    large = replace(upload, width=1000, height=1001)
    assert "megapixels" in str(sources.problem(large, engine="embedded", scale=2))
    wide = replace(upload, width=4000, height=250)
    assert sources.problem(wide, engine="embedded", scale=4) is None
    wider = replace(upload, width=4001, height=250)
    assert "Choose 2x or a smaller picture" in str(sources.problem(wider, engine="embedded", scale=4))
    for url, usable in (
        ("https://public.example/a.png", True),
        ("https://inside.example/a.png", False),
        ("http://127.0.0.1:8080/a.png", False),
        ("https://nowhere.example/a.png", False),
    ):
        problem = sources.problem(replace(upload, image_url=url), engine="journeyapi", scale=4)
        assert usable is (problem is None)
        assert usable or "Or use the engine on this machine." in str(problem)
    parent = replace(upload, parent_task_id="t-1", task_engine="journeyapi")
    assert sources.problem(parent, engine="journeyapi", scale=4) is None


def test_a_webhook_is_judged_before_anything_is_queued(sources: Sources) -> None:
    """Plain HTTP, no address or a secret that no header can hold: a sentence that names the webhook."""
    sources._door = Door()  # a listed network would leave the judgement of names for later
    sources.check_webhook("https://public.example/hook")
    sources.check_webhook("https://public.example/hook", "a secret, with spaces!")
    for url, secret in (
        ("http://public.example/hook", None),
        ("hook", None),
        ("https://169.254.169.254/", None),
        ("https://public.example/hook", "schlüssel"),
        ("https://public.example/hook", "two\nlines"),
        ("https://public.example/hook", "x" * 501),
    ):
        with pytest.raises(InvalidRequest, match=r"^Webhook: "):
            sources.check_webhook(url, secret)


def test_an_entry_names_its_parent_to_its_own_engine_only(sources: Sources) -> None:
    """The engine that made a task is given its id, another one the picture; a secret needs a webhook."""
    source = source_of(sources, parent_task_id="t-1", index="2", task_engine="journeyapi")
    own = new_entry(source, engine="journeyapi", scale=2, model="fast", webhook_secret="s")
    other = new_entry(source, engine="embedded", scale=4, model="fast", webhook_url="https://h/", webhook_secret="s")
    assert ("t-1", "2", None, "2x", None) == (own.parent_task_id, own.index, own.model, own.type, own.webhook_secret)
    assert (None, None, "fast", "4x", "s") == (
        other.parent_task_id,
        other.index,
        other.model,
        other.type,
        other.webhook_secret,
    )
    assert (source.key, source.file, 64, 48) == (
        own.source_key,
        own.source_file,
        own.source_width,
        own.source_height,
    )


def test_the_same_wish_has_the_same_fingerprint(sources: Sources) -> None:
    """The same picture and settings of the same person are one wish, whatever way the picture came."""
    first, second = source_of(sources), source_of(sources, image_url="https://public.example/a.png")
    base = fingerprint(first, "embedded", 4, "fast", "ann")
    assert first.key != second.key
    assert base == fingerprint(second, "embedded", 4, "fast", "ann")
    others = [
        fingerprint(replace(first, digest="0"), "embedded", 4, "fast", "ann"),
        fingerprint(first, "journeyapi", 4, "fast", "ann"),
        fingerprint(first, "embedded", 2, "fast", "ann"),
        fingerprint(first, "embedded", 4, "detail", "ann"),
        fingerprint(first, "embedded", 4, "fast", "bob"),
    ]
    assert 6 == len({base, *others})
    assert 64 == len(base)
    hosted = [new_entry(first, engine="journeyapi", scale=4, model=model).fingerprint for model in ("fast", "detail")]
    assert hosted[0] == hosted[1]


def entry_of(source: Source, **changes: object) -> Entry:
    """An entry at JourneyAPI that named the source's task and failed there."""
    fields = {"engine": "journeyapi", "scale": 4, "webhook_url": "https://public.example/hook"}
    wish = asdict(new_entry(source, **fields)) | {"state": State.FAILED, "id": "e1"}  # type: ignore[arg-type]
    counts = {"credits": 2, "attempts": 1, "archive_attempts": 0, "created_at": 0.0, "changed_at": 0.0}
    kept = {name: value for name, value in wish.items() if name not in ("fingerprint", "webhook_secret")}
    return Entry(**kept | counts | changes)  # type: ignore[arg-type]


def test_a_picture_of_a_task_keeps_its_address(sources: Sources, api: FakeHosted) -> None:
    """The address at which a task's picture was found is remembered: it may be needed without the task."""
    (source,) = sources.from_task(SINGLE_ID, ENGINES).sources
    assert f"{api.origin}/cdn/{SINGLE_ID}.png" == source.image_url
    own = new_entry(source, engine="journeyapi", scale=2)
    assert (SINGLE_ID, source.image_url) == (own.parent_task_id, own.image_url)


def test_what_was_found_is_told(sources: Sources) -> None:
    """A task says whether it holds one picture or a grid, and how large they are."""
    assert "one picture, 64 × 48 px" == sources.from_task(SINGLE_ID, ENGINES).contents
    assert "a grid of 4 pictures, 64 × 48 px each" == sources.from_task(GRID_ID, ENGINES).contents


def test_an_entry_gives_its_picture_again(sources: Sources, files: Files, api: FakeHosted) -> None:
    """Our copy is what is used again, with name and lineage; when it is gone its address is fetched, or it is said."""
    source = source_of(sources, parent_task_id="t-1", index="3", task_engine="journeyapi")
    assert replace(source, kind="task") == sources.from_entry(entry_of(source))
    elsewhere = sources.from_entry(entry_of(source, parent_task_id=None, index=None))
    assert ("t-1", "3", None) == (elsewhere.parent_task_id, elsewhere.index, elsewhere.task_engine)
    assert new_entry(elsewhere, engine="journeyapi", scale=2).parent_task_id is None
    files.delete(source.key)
    with pytest.raises(InvalidRequest, match="no longer stored here"):
        sources.from_entry(entry_of(source))
    again = sources.from_entry(entry_of(source, image_url=api.picture_url(32, 24)))
    assert ("fjord.png", 32, "t-1") == (again.name, again.width, again.parent_task_id)


def test_only_a_parent_that_failed_at_journeyapi_is_rescued(sources: Sources) -> None:
    """A failure that has nothing to do with the parent task, or that is none, offers no other way to send it."""
    failed = entry_of(source_of(sources, parent_task_id="t-1", task_engine="journeyapi"))
    assert sources.can_rescue(failed)
    for changes in (
        {"state": State.FINISHED},
        {"state": State.AMBIGUOUS},
        {"engine": "embedded"},
        {"parent_task_id": None},
        {"result_url": "https://public.example/a.png"},
    ):
        assert not sources.can_rescue(replace(failed, **changes))


def test_a_rescue_sends_the_picture_without_its_task(sources: Sources) -> None:
    """Neither engine is given the parent's id again; the lineage, the multiplier and the webhook stay."""
    source = source_of(
        sources, parent_task_id="t-1", index="2", task_engine="journeyapi", image_url="https://public.example/a.png"
    )
    failed = entry_of(source)
    assert sources.can_send_address(failed)
    for engine, model in (("journeyapi", None), ("embedded", "fast")):
        new = sources.rescue(failed, engine=engine, model="fast", person="ann@example.com")  # type: ignore[arg-type]
        assert (None, None, "t-1", "2") == (new.parent_task_id, new.index, new.came_from, new.came_from_index)
        assert (engine, model, "4x", "ann@example.com") == (new.engine, new.model, new.type, new.person)
        assert (source.key, source.image_url, failed.webhook_url) == (new.source_key, new.image_url, new.webhook_url)


def test_an_address_that_others_cannot_reach_is_no_rescue(sources: Sources) -> None:
    """No address, or one of this network, is not offered; one that leads inside is refused at the click."""
    source = source_of(sources, parent_task_id="t-1", task_engine="journeyapi")
    for url, offered in ((None, False), ("http://127.0.0.1:8080/a.png", False), ("https://inside.example/a.png", True)):
        failed = entry_of(source, image_url=url)
        assert offered is sources.can_send_address(failed)
        with pytest.raises(InvalidRequest, match="JourneyAPI cannot"):
            sources.rescue(failed, engine="journeyapi", person=None)


def test_a_public_studio_sends_its_own_copy(sources: Sources, files: Files) -> None:
    """Where JourneyAPI reaches us, our copy is sent: it cannot have expired, as an address of JourneyAPI's can."""
    sources._public_url = "https://studio.example"
    source = source_of(
        sources, parent_task_id="t-1", task_engine="journeyapi", image_url="https://public.example/a.png"
    )
    failed = entry_of(source)
    assert sources.rescue(failed, engine="journeyapi", person=None).image_url is None
    assert sources.upload_problem("journeyapi") is None
    files.delete(source.key)
    assert not sources.can_send_address(replace(failed, image_url=None))


def test_an_upload_is_judged_before_it_is_chosen(sources: Sources) -> None:
    """Without a public address JourneyAPI cannot get files; the sentence names three ways on."""
    assert sources.upload_problem("embedded") is None
    said = str(sources.upload_problem("journeyapi"))
    assert all(way in said for way in ("engine on this machine", "public image URL", "JOURNEY_PUBLIC_URL"))
