"""Whatever a person gives becomes a checked picture that is stored here, or a sentence that says what to do."""

from __future__ import annotations

import copy
import io
import re
import socket
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from journey.api.errors import AuthenticationFailed, NotSent, TaskNotFound
from journey.api.models import Task, TaskStatus
from journey.errors import FetchFailed, FileMissing, InvalidRequest, JourneyError, PictureRefused, Unreachable
from journey.outside.addresses import URL_LIMIT
from journey.outside.door import BadStatus
from journey.outside.masking import masked
from journey.outside.pasted import cleaned
from journey.pictures.previews import PREVIEW, THUMBNAIL
from journey.provider import JOURNEYAPI, THIS_MACHINE
from journey.storage.files import Files
from journey.storage.looked import Looked
from journey.studio.batches.lines import Wanted
from journey.studio.batches.looks import take
from journey.studio.intake import Intake, Source
from journey.testing import GRID_ID, SINGLE_ID, Change, Reply, StandIn, picture, redirect, web_page
from journey.views import planner
from journey.views.upscaling import found_words
from tests.harness.engines import encoded, gradient
from tests.harness.standing import Clock, DecoderHere, refusing
from tests.studio.conftest import ORIGIN, Desk

PROVIDERS = (JOURNEYAPI, THIS_MACHINE)


def kept(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "files").glob("??/*/*"))


def test_a_picture_by_its_address(intake: Intake, api: StandIn, files: Files) -> None:
    """An address becomes our own copy of its bytes, with previews, size and name; spaces around it do no harm."""
    source = intake.from_url(f"  {api.picture_url(64, 48)}\n")
    assert ("url", "64x48.png", 64, 48) == (source.kind, source.name, *source.size)
    assert api.picture_url(64, 48) == source.image_url
    path = files.path(source.stored.key, source.stored.file)
    assert picture(64, 48) == path.read_bytes()
    assert path.with_name(PREVIEW).is_file()
    assert path.with_name(THUMBNAIL).is_file()


def test_every_picture_taken_in_is_looked_at(desk: Desk, api: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture counts as looked at before it is stored, so that a crash leaves none that nobody knows of, and again
    whenever it is chosen or shown."""
    looked = Looked(desk.files._root, clock=Clock())
    upload = desk.intake.from_upload("fjord.png", picture(64, 48))
    fetched = desk.intake.from_url(api.picture_url(64, 48))
    keys = {upload.stored.key, fetched.stored.key}
    assert keys == looked.recent(keys)
    for look_again in (
        lambda: another(desk).shown(upload, fetched),
        lambda: [another(desk).from_stored(each.stored, name="x", kind="url") for each in (upload, fetched)],
    ):
        looked.forget(keys)
        look_again()
        assert keys == looked.recent(keys)
    monkeypatch.setattr(Files, "keep", _killed)
    with pytest.raises(ZeroDivisionError):
        desk.intake.from_upload("fjord.png", picture(64, 48))
    assert 3 == len(list(Path(desk.files._root, "looks").iterdir()))


def another(desk: Desk) -> Intake:
    """The intake of another process, which remembers no looks."""
    made = copy.copy(desk.intake)
    made._looked = Looked(desk.files._root, clock=Clock())
    return made


def _killed(*_: object, **__: object) -> None:
    raise ZeroDivisionError


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
def test_an_address_that_cannot_be_used(intake: Intake, tmp_path: Path, url: str, error: type, sentence: str) -> None:
    """An empty, malformed, private or unknown address gets a sentence, and nothing is kept."""
    with pytest.raises(error, match=sentence):
        intake.from_url(url)
    assert [] == kept(tmp_path)


ONE_JUDGE = [
    ("{}", True),
    ("“{}”,", True),
    ("[koi]({}).", True),
    ('<img src="{}">', True),
    ("\u200b{}\u200e", True),
    ("{}?sig=a%2Fb==", True),
    ("{}?name=my koi ü.png", True),
    ("{}?long=" + "a" * 3_000, True),
    ("{}?long=" + "a" * 9_000, False),
    ("http://inside.example/koi.png", False),
    ("www.inside.example/koi.png", False),
    ("http://127.0.0.3/koi.png", False),
    ("<http://0x7f.3/koi.png>", False),
    ("http：//１２７。0。0。3/koi.png", False),
    ("http://[64:ff9b::7f00:3]/koi.png", False),
    ("http://me:secret@public.example/koi.png", False),
    ("http://public.example:22/koi.png", False),
    ("http://xn--i-7iq.ws/koi.png", False),  # a name that does not resolve here
    ("ftp://public.example/koi.png", False),
    ("file:///etc/passwd", False),
]
"""What may be given, and whether it is a picture that is fetched. `{}` is the address of one."""


@pytest.mark.parametrize(("text", "is_fetched"), ONE_JUDGE, ids=lambda value: str(value)[:40])
def test_every_way_in_has_one_judge(desk: Desk, api: StandIn, text: str, is_fetched: bool) -> None:
    """Typed, linked, listed, named by an API or redirected to: an address has one verdict, and is kept in one form."""
    given = text.replace("{}", api.picture_url(64, 48))
    linked = planner.from_address({"url": given})[0]["url"]
    said = cleaned(given)  # servers are taken at their word

    def redirected() -> Source:
        api.script("cdn", redirect(said.encode().decode("latin-1")))
        return desk.intake.from_url(api.picture_url(32, 24))

    def named() -> Source:
        api.script("fetch", Change(lambda task: {**task, "image_url": said}))
        return desk.intake.from_task(SINGLE_ID, [JOURNEYAPI]).sources[0]

    ways = {
        "typed": lambda: desk.intake.from_url(given),
        "linked": lambda: desk.intake.from_url(linked),
        "listed": lambda: take(Wanted("url", given), desk.intake, desk.history, PROVIDERS)[0],
        "named": named,
        "redirected": redirected,
    }
    if len(given) > URL_LIMIT:
        del ways["named"]  # such an answer is refused before anybody looks at its picture
    kept = {}
    for way, take_in in ways.items():
        before = len(api.calls_to("cdn"))
        try:
            source = take_in()
            kept[way] = source.size, source.image_url
        except JourneyError:
            kept[way] = None
        assert is_fetched == (kept[way] is not None)
        assert (way == "redirected") + is_fetched == len(api.calls_to("cdn")) - before
    del kept["redirected"]  # whose address is the first one
    assert 1 == len(set(kept.values()))


def test_what_is_kept_is_what_was_asked_for(intake: Intake, api: StandIn) -> None:
    """The address that a provider may be given later is the one that a browser would send."""
    source = intake.from_url(f"<{api.picture_url(64, 48)}?name=my koi ü.png>")
    assert f"{api.picture_url(64, 48)}?name=my%20koi%20%C3%BC.png" == source.image_url


def test_several_addresses_are_told(intake: Intake, api: StandIn) -> None:
    """More than one address in one field is a mistake that is named; a link with two of them is one."""
    url = api.picture_url(64, 48)
    for between in (" ", "\n", "\r\n", " , "):
        with pytest.raises(InvalidRequest, match="more than one address"):
            intake.from_url(f"{url}{between}{url}")
    assert [] == api.calls_to("cdn")
    assert (64, 48) == intake.from_url(f"[![koi]({url})](https://public.example/page)").size


def test_a_shortened_address_is_not_fetched(intake: Intake, api: StandIn) -> None:
    """An address as pages and exports show it is named as that, and nobody is asked for it."""
    for shown in (masked(f"{api.picture_url(64, 48)}?sig=3f9a"), f"{api.picture_url(64, 48)}?sig=%E2%80%A6"):
        with pytest.raises(InvalidRequest, match="was shortened where it was shown"):
            intake.from_url(shown)
    assert [] == api.calls_to("cdn")


def test_the_wait_that_a_host_asks_for_reaches_the_person(intake: Intake, api: StandIn) -> None:
    """A busy host's Retry-After is in the sentence and in the error."""
    api.script("cdn", Reply(503, b"", headers={"Retry-After": "600"}))
    with pytest.raises(BadStatus, match=r"busy \(503\)\. Try again in 10 minutes") as error:
        intake.from_url(api.picture_url(64, 48))
    assert 600 == error.value.retry_after


def test_a_private_address_is_not_asked(intake: Intake) -> None:
    """An internal service that an address names sees no connection."""
    with socket.create_server(("127.0.0.3", 0)) as internal:
        internal.setblocking(False)
        with pytest.raises(JourneyError, match=r"cannot be reached|port is not allowed"):
            intake.from_url(f"http://127.0.0.3:{internal.getsockname()[1]}/a.png")
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
        (Reply(200, picture(1200, 1000)), PictureRefused, "the limit is 1."),
    ],
)
def test_an_address_of_something_else(
    intake: Intake, api: StandIn, tmp_path: Path, answer: Reply, error: type, sentence: str
) -> None:
    """A web page, nothing, no picture, or one that is broken or too large gets a sentence, and nothing is kept."""
    api.script("cdn", answer)
    with pytest.raises(error, match=sentence):
        intake.from_url(api.picture_url())
    assert [] == kept(tmp_path)


def test_our_own_pictures_are_not_fetched(intake: Intake, files: Files) -> None:
    """An address of one of our own files is opened by its key, and a missing file gets a sentence."""
    first = intake.from_upload("fjord.png", picture(64, 48))
    again = intake.from_url(first.stored.url(ORIGIN))
    assert (first.stored, first.digest) == (again.stored, again.digest)
    assert again.image_url is None
    files.delete(first.stored.key)
    with pytest.raises(InvalidRequest, match="no such picture here any more"):
        intake.from_url(first.stored.url(ORIGIN))


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.png", b"", "The file is empty"),
        ("a.png", b"%PDF-1.7", "This is a PDF"),
        ("a.png", b"hello", "not a picture"),
        ("a.png", b"\x00" * (2**20 + 1), "The file is 1.0 MiB; the limit is 1 MiB"),
        ("a.png", picture(1001, 1000), "the limit is 1."),
        ("a.jpg", picture(64, 48, "JPEG")[:200], "damaged or cut short"),
    ],
)
def test_a_file_that_cannot_be_used(intake: Intake, tmp_path: Path, name: str, data: bytes, sentence: str) -> None:
    """A file that is empty, foreign, broken or too large gets a sentence, and nothing is kept."""
    with pytest.raises(JourneyError, match=sentence):
        intake.from_upload(name, data)
    assert [] == kept(tmp_path)


def test_refused_bytes_are_not_decoded_again(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that were refused are refused again with the same sentence, without another look at them."""
    broken = encoded(gradient())[:-60]
    with pytest.raises(PictureRefused) as first:
        intake.from_upload("a.png", broken)
    monkeypatch.setattr(DecoderHere, "check", lambda *_, **__: pytest.fail("it was decoded again"))
    with pytest.raises(PictureRefused, match=re.escape(str(first.value))):
        intake.asked_by("somebody else").from_upload("b.png", broken)


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
def test_any_name_is_only_a_name(intake: Intake, files: Files, tmp_path: Path, name: str, kind: str) -> None:
    """A file's name is shown as printable text, and its path is ours whatever the name says."""
    data = picture(64, 48, kind)
    source = intake.from_upload(name, data)
    assert source.name.isprintable()
    assert 0 < len(source.name) <= 80
    path = files.path(source.stored.key, source.stored.file)
    assert data == path.read_bytes()
    assert path.is_relative_to(tmp_path / "files")
    assert 3 == len(list(path.parent.iterdir()))
    with Image.open(path.with_name(THUMBNAIL)) as thumbnail:
        assert (64, 48) == thumbnail.size


def test_notes_say_what_was_converted(intake: Intake) -> None:
    """A note says what was converted when a picture came in."""
    file = io.BytesIO()
    Image.new("CMYK", (64, 48), (0, 255, 255, 0)).save(file, "JPEG")
    assert ("CMYK colours were converted to sRGB.",) == intake.from_upload("a.jpg", file.getvalue()).notes


def test_a_stored_picture_is_a_source(intake: Intake) -> None:
    """A picture that is already stored here needs no copy."""
    first = intake.from_upload("fjord.png", picture(64, 48))
    again = intake.from_stored(first.stored, name="Fjord", kind="sample")
    assert replace(first, kind="sample", name="Fjord") == again


def test_a_single_task_is_a_source(intake: Intake) -> None:
    """A finished task of one picture is one source that names its parent."""
    parent = intake.from_task(f" {SINGLE_ID} ", PROVIDERS)
    (source,) = parent.sources
    assert (False, JOURNEYAPI, "upscale-1x") == (parent.is_grid, parent.provider, parent.task_type)
    assert (SINGLE_ID, None, JOURNEYAPI, 64) == (
        source.parent_task_id,
        source.index,
        source.task_at,
        source.size[0],
    )


@pytest.mark.parametrize("pasted", ["“{}”", "\u200b{}\ufeff", "'{}'", "\u00a0{}\n", "`{}`"])
def test_an_id_is_understood_as_it_was_meant(intake: Intake, pasted: str) -> None:
    """Quotes and marks that nobody sees are no part of an ID."""
    assert SINGLE_ID == intake.from_task(pasted.format(SINGLE_ID), PROVIDERS).task_id


def test_a_grid_is_four_sources(intake: Intake) -> None:
    """A grid gives its four pictures in the order of their index."""
    parent = intake.from_task(GRID_ID, PROVIDERS)
    assert parent.is_grid
    assert ["1", "2", "3", "4"] == [source.index for source in parent.sources]
    assert 4 == len({source.name for source in parent.sources}) == len({source.stored.key for source in parent.sources})


@pytest.mark.parametrize("hole", range(4))
def test_a_hole_in_a_grid_moves_no_picture(intake: Intake, api: StandIn, hole: int) -> None:
    """Where the provider named no picture, the others keep their index, and the missing one cannot be had."""
    urls: list[str | None] = [api.picture_url(64 + place, 48) for place in range(4)]
    urls[hole] = None
    task = Task.model_construct(task_id=GRID_ID, status=TaskStatus.FINISHED, image_urls=tuple(urls))
    intake._clients = {JOURNEYAPI: SimpleNamespace(fetch=lambda _: task)}
    parent = intake.from_task(GRID_ID, [JOURNEYAPI])
    missing = str(hole + 1)
    assert (True, (missing,)) == (parent.is_grid, parent.missing)
    assert {index: 63 + int(index) for index in "1234" if index != missing} == {
        source.index: source.size[0] for source in parent.sources
    }
    with pytest.raises(InvalidRequest, match=f"Picture {missing} of this task is missing"):
        parent.picture(missing)
    assert f"without number {missing}" in found_words(parent)


def test_a_task_that_cannot_be_used(intake: Intake, api: StandIn) -> None:
    """A missing, impossible or unknown ID and an unfinished, failed or empty task get a sentence each."""
    for task_id, sentence in (
        (" ", "Enter the ID of a finished task"),
        ("x" * 201, "cannot be a task ID"),
        ("a\x00b", "cannot be a task ID"),
        ("unknown", "No task with this ID was found. Copy the whole ID"),
    ):
        with pytest.raises(JourneyError, match=sentence):
            intake.from_task(task_id, PROVIDERS)
    api.hold(SINGLE_ID, 3)
    with pytest.raises(InvalidRequest, match=r"not finished yet\. Try again when it is"):
        intake.from_task(SINGLE_ID, PROVIDERS)
    api.fail(SINGLE_ID)
    with pytest.raises(InvalidRequest, match="This task failed"):
        intake.from_task(SINGLE_ID, PROVIDERS)
    api.script("fetch", Reply(200, {"task_id": GRID_ID, "status": "finished"}))
    with pytest.raises(InvalidRequest, match="has no picture"):
        intake.from_task(GRID_ID, PROVIDERS)


def test_one_provider_that_is_away_does_not_hide_the_others_tasks(
    intake: Intake, api: StandIn, embedded: StandIn
) -> None:
    """A task is found at the second provider even if the first does not answer; otherwise the first fault is told."""
    embedded.tasks.update(api.tasks)
    embedded.tasks[SINGLE_ID].key = embedded.key
    with refusing(api):
        assert THIS_MACHINE == intake.from_task(SINGLE_ID, PROVIDERS).provider
        with pytest.raises(NotSent):
            intake.from_task("unknown", PROVIDERS)
        with pytest.raises(TaskNotFound):
            intake.from_task("unknown", [THIS_MACHINE])
    api.key = "changed-0123456789"
    with pytest.raises(AuthenticationFailed):
        intake.from_task("unknown", PROVIDERS)


def test_a_task_of_the_embedded_engine_lies_here(intake: Intake, api: StandIn, embedded: StandIn) -> None:
    """A picture of the embedded engine is opened by its key, even when its address names an earlier port."""
    mine = intake.from_upload("result.png", picture(64, 48))
    url = mine.stored.url("http://127.0.0.1:1")
    embedded.tasks[SINGLE_ID] = api.tasks.pop(SINGLE_ID)
    embedded.always("fetch", Change(lambda task: {**task, "image_url": url}))
    (source,) = intake.from_task(SINGLE_ID, PROVIDERS).sources
    assert (mine.stored, THIS_MACHINE) == (source.stored, source.task_at)


def test_a_picture_of_a_task_keeps_its_address(intake: Intake, api: StandIn) -> None:
    """The address at which a task's picture was found is remembered, because it may be needed without the task."""
    (source,) = intake.from_task(SINGLE_ID, PROVIDERS).sources
    assert f"{api.origin}/cdn/{SINGLE_ID}.png" == source.image_url


def test_an_entry_gives_its_picture_again(desk: Desk, api: StandIn) -> None:
    """Our copy is used again, with name and lineage; when it is gone, its address is fetched or a sentence says so."""
    source = desk.source(parent_task_id="t-1", index="3", task_at=JOURNEYAPI)
    entry = desk.failed(source)
    assert replace(source, kind="task") == desk.intake.from_entry(entry)
    elsewhere = desk.intake.from_entry(replace(entry, parent_task_id=None, index=None))
    assert ("t-1", "3", None) == (elsewhere.parent_task_id, elsewhere.index, elsewhere.task_at)
    desk.files.delete(source.stored.key)
    with pytest.raises(InvalidRequest, match="no longer stored here"):
        desk.intake.from_entry(entry)
    again = desk.intake.from_entry(replace(entry, image_url=api.picture_url(32, 24)))
    assert ("fjord.png", (32, 24), "t-1") == (again.name, again.size, again.parent_task_id)


def test_a_result_is_enlarged_further(desk: Desk) -> None:
    """The stored result of a task is a source that names the task; without a result there is a sentence."""
    source = desk.source()
    entry = replace(desk.failed(source), task_id="t-9", result=source.stored)
    further = desk.intake.from_result(entry)
    assert ("t-9", JOURNEYAPI, source.stored) == (further.parent_task_id, further.task_at, further.stored)
    with pytest.raises(FileMissing, match="no stored result"):
        desk.intake.from_result(replace(entry, result=None))


def test_the_name_of_an_upload_is_the_one_of_its_file(intake: Intake) -> None:
    """Quotes are read as they were before a browser wrote them into a form, and a long name keeps its ending."""
    for sent, name in (("24%22x36%22.png", '24"x36".png'), (f"{'写' * 83}.png", f"{'写' * 76}.png")):
        source = intake.from_upload(sent, picture(64, 48))
        assert name == source.name
        assert source.stored.file.isascii()
