"""Where pictures are kept: whole or not at all, under keys nobody can guess, served as pictures and nothing else."""

from __future__ import annotations

import errno
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path

import httpx
import pytest
from s3fs import S3FileSystem
from starlette.applications import Starlette

from journey.engine.__main__ import listener_at
from journey.errors import CannotStart, FileMissing
from journey.storage.disk_use import sizes
from journey.storage.files import Files, new_key
from journey.web.files import routes
from tests.conftest import PROCESSES, exit_codes
from tests.harness.engines import served
from tests.harness.servers import ObjectStorage
from tests.harness.studios import free_port


@pytest.fixture(params=["folder", "file", "memory", "s3"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    """A store of each kind: the promises are the same."""
    urls: dict[str, Callable[[], str]] = {
        "folder": lambda: str(tmp_path / "files"),
        "file": lambda: f"file://{tmp_path}/files",
        "memory": lambda: f"memory://{uuid.uuid4().hex}/prefix",
        "s3": lambda: str(request.getfixturevalue("s3_here").address()),
    }
    url = urls[request.param]()
    files = Files(url, work_dir=tmp_path / "work")
    files.start()
    return files


@pytest.fixture
def folder_files(tmp_path: Path) -> Files:
    files = Files(str(tmp_path / "files"), work_dir=tmp_path)
    files.start()
    return files


@dataclass(frozen=True)
class Shelf:
    """A store behind its route, and a client for it."""

    files: Files
    web: httpx.Client
    outside: Path


@pytest.fixture(scope="module", params=["folder", "memory"])
def shelf(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    folder = tmp_path_factory.mktemp("shelf")
    url = str(folder / "files") if request.param == "folder" else f"memory://{uuid.uuid4().hex}"
    files = Files(url, work_dir=folder)
    files.start()
    listener = listener_at("127.0.0.1", 0)
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with served(Starlette(routes=routes(files)), listener), httpx.Client(base_url=origin, trust_env=False) as web:
        yield Shelf(files, web, folder)


def keep(files: Files, content: bytes = b"picture", *, key: str | None = None, name: str = "a.png") -> str:
    with files.folder() as folder:
        (folder / name).write_bytes(content)
        (folder / "preview.webp").write_bytes(b"preview")
        return files.keep(folder, key=key)


def left_over(files: Files) -> list[Path]:
    return list(files._incoming.iterdir())


def refused(*_: object) -> None:
    """What Windows does to a file or folder that is open."""
    raise PermissionError(errno.EACCES, "in use")


# Keeping


def test_what_was_kept_is_there(files: Files) -> None:
    """Every file of the folder can be read by the key, and the private folder is gone."""
    key = keep(files)
    assert (b"picture", b"preview") == tuple(files.path(key, name).read_bytes() for name in ("a.png", "preview.webp"))
    assert files.has(key, "a.png")
    assert [] == left_over(files)


def test_what_was_not_kept_leaves_nothing(files: Files) -> None:
    """A folder whose writer failed is removed."""

    def fail() -> None:
        with files.folder() as folder:
            (folder / "a.png").write_bytes(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [] == left_over(files)


def test_keys_are_unguessable_and_all_different() -> None:
    """A key is 128 random bits: 32 hexadecimal digits, never twice the same."""
    keys = {new_key() for _ in range(1_000)}
    assert 1_000 == len(keys)
    assert {32} == {len(key) for key in keys}
    assert set("0123456789abcdef") == set("".join(keys))


def test_the_same_key_replaces(files: Files) -> None:
    """Keeping under a key again replaces what was there."""
    key = keep(files, b"old", name="old.png")
    assert b"old" == files.path(key, "old.png").read_bytes()
    assert key == keep(files, b"new", key=key)
    assert b"new" == files.path(key, "a.png").read_bytes()
    assert [] == left_over(files)


def test_names_that_are_gone_are_removed_from_a_folder(folder_files: Files) -> None:
    """A folder holds what was kept last, and nothing older."""
    key = keep(folder_files, name="old.png")
    keep(folder_files, key=key)
    assert {"a.png", "preview.webp"} == {path.name for path in folder_files._local(key).iterdir()}


def test_a_file_is_never_missing_while_it_is_replaced(folder_files: Files) -> None:
    """At every moment readers find the whole of the old or of the new content."""
    contents = [bytes([letter]) * 100_000 for letter in b"ab"]
    key = keep(folder_files, contents[0])
    done = threading.Event()
    odd: list[object] = []

    def read() -> None:
        while not done.is_set():
            try:
                found = folder_files.path(key, "a.png").read_bytes()
            except (FileMissing, OSError) as error:
                odd.append(error)
            else:
                odd.extend([] if found in contents else [len(found)])

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for turn in range(100):
        keep(folder_files, contents[turn % 2], key=key)
    done.set()
    for reader in readers:
        reader.join()
    assert [] == odd


@pytest.mark.parametrize("key", ["../../x", "", "0" * 31, "0" * 33, "A" * 32, "0" * 31 + "/", "..", "0" * 32 + "\n"])
def test_odd_keys_lead_nowhere(files: Files, key: str) -> None:
    """Only 32 hexadecimal digits are a key: nothing is read, removed or written under anything else."""
    with pytest.raises(FileMissing):
        files.path(key, "a.png")
    files.delete(key)
    if key:
        with files.folder() as folder, pytest.raises(ValueError, match="32 hexadecimal digits"):
            files.keep(folder, key=key)


@pytest.mark.parametrize(
    "name",
    [
        "../a.png",
        "..",
        ".",
        "",
        ".hidden",
        "a/b",
        "a\\b",
        "/etc/passwd",
        "a\0.png",
        "a.png\n",
        "-rf",
        "x" * 200,
        "é.png",
    ],
)
def test_odd_names_lead_nowhere(files: Files, name: str, tmp_path: Path) -> None:
    """A name with anything but letters, digits and -_. is not looked for."""
    (tmp_path / "a.png").write_bytes(b"outside")
    key = keep(files)
    with pytest.raises(FileMissing):
        files.path(key, name)


def test_deleting_removes_all_of_a_key_and_only_that(files: Files) -> None:
    """A delete removes all of its key and nothing of any other, and deleting again is no error."""
    gone, kept = keep(files), keep(files)
    assert files.has(gone, "a.png")
    files.delete(gone)
    files.delete(gone)
    assert (False, False, True) == (
        files.has(gone, "a.png"), files.has(gone, "preview.webp"), files.has(kept, "a.png"),
    )  # fmt: skip


def test_what_is_being_read_cannot_be_deleted_everywhere(folder_files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system keeps open files, deleting one says so, leaves it whole, and works later."""
    key = keep(folder_files)
    with monkeypatch.context() as windows:
        windows.setattr(Path, "rename", refused)
        with pytest.raises(PermissionError):
            folder_files.delete(key)
    assert b"picture" == folder_files.path(key, "a.png").read_bytes()
    folder_files.delete(key)
    assert not folder_files.has(key, "a.png")


def test_a_copy_that_is_being_read_is_as_good_as_a_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When two fetch the same file, the second one takes the first one's copy where an open file is not replaced."""
    files = Files(f"memory://{uuid.uuid4().hex}", work_dir=tmp_path)
    key = keep(files)

    def taken(_: Path, target: Path) -> None:
        target.write_bytes(b"picture")
        raise PermissionError

    monkeypatch.setattr(Path, "replace", taken)
    assert b"picture" == files.path(key, "a.png").read_bytes()


def test_a_folder_in_use_is_removed_later(folder_files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """A private folder that the system keeps, because something in it is open, goes with the next one."""
    with monkeypatch.context() as windows:
        windows.setattr(shutil, "rmtree", lambda *_, **__: None)
        folder_files.check()
    assert 1 == len(left_over(folder_files))
    folder_files.check()
    assert [] == left_over(folder_files)


def test_asking_for_what_is_not_there_writes_nothing(files: Files, tmp_path: Path) -> None:
    """Strangers who try keys leave no trace on the disk."""
    before = sorted(tmp_path.rglob("*"))
    for _ in range(3):
        assert not files.has(new_key(), "a.png")
    assert before == sorted(tmp_path.rglob("*"))


def working(address: str, folder: Path, ready: Event, done: Event) -> None:
    """Another process with an upload and a print file in hand."""
    files = Files(address, work_dir=folder)
    with files.folder() as upload, files.scratch() as scratch:
        for place in (upload, scratch):
            (place / "a.png").write_bytes(b"half")
        ready.set()
        done.wait(60)


def test_a_takeover_removes_only_what_dead_processes_left(tmp_path: Path) -> None:
    """Half-written folders of a process that was killed go at the next start; those of one that lives stay, and so does
    what was kept."""
    address = str(tmp_path / "files")
    files = Files(address, work_dir=tmp_path)
    key = keep(files)
    (files._incoming / "half").mkdir()  # of an earlier version, which did not say whose it was
    # Whoever is killed while it waits for an event keeps others from setting it, so nobody else uses `never`.
    dead_ready, never, ready, done = (PROCESSES.Event() for _ in range(4))
    dead = PROCESSES.Process(target=working, args=(address, tmp_path, dead_ready, never))
    living = PROCESSES.Process(target=working, args=(address, tmp_path, ready, done))
    dead.start()
    assert dead_ready.wait(60)
    left = {*files._incoming.iterdir(), *files._scratch.iterdir()}
    living.start()
    assert ready.wait(60)
    dead.kill()
    exit_codes(dead)
    with files.folder() as mine:
        files.start()
        now = {*files._incoming.iterdir(), *files._scratch.iterdir()}
        assert mine in now
    assert set() == left & now
    assert 3 == len(now)
    assert all((folder / "a.png").is_file() for folder in now - {mine})
    done.set()
    assert [0] == exit_codes(living)
    files.start()
    assert [] == [*files._incoming.iterdir(), *files._scratch.iterdir()]
    assert 1 == len(list((tmp_path / "files" / "owners").iterdir()))
    assert files.has(key, "a.png")


@pytest.mark.parametrize("errno_said", [errno.ENOLCK, errno.ENOSYS], ids=["no locks", "no such call"])
def test_where_nothing_can_be_locked_nothing_is_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, errno_said: int
) -> None:
    """On a share without locks nobody can tell whether a folder's process lives: it stays, pictures can be kept, and
    the log says so once."""

    def no_locks(*_: object) -> None:
        raise OSError(errno_said, "no locks here")

    monkeypatch.setattr("fcntl.flock", no_locks)
    files = Files(str(tmp_path / "files"), work_dir=tmp_path)
    half = files._incoming / "half"
    half.mkdir(parents=True)
    files.start()
    assert files.has(keep(files), "a.png")
    assert [half] == left_over(files)
    assert 1 == caplog.text.count("cannot be locked")


def test_a_store_that_cannot_be_used_is_said_at_the_start(tmp_path: Path) -> None:
    """An address of an unknown kind, or a folder that cannot be made, stops the start with a sentence."""
    with pytest.raises(CannotStart, match="JOURNEY_FILES_URL"):
        Files("nosuch://bucket/prefix", work_dir=tmp_path)
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(CannotStart, match="folder for pictures"):
        Files(str(tmp_path / "taken"), work_dir=tmp_path).start()


def test_what_other_processes_changed_is_seen(s3_here: ObjectStorage, tmp_path: Path) -> None:
    """Object storage is asked anew each time: what another process kept can be counted and deleted, and nothing is
    added to what it deleted."""
    address = s3_here.address()
    files = Files(address, work_dir=tmp_path / "here")
    files.start()
    first = keep(files)
    assert 14 == sum(sizes(address).values())
    S3FileSystem.clear_instance_cache()  # what is kept in memory about the bucket is each process's own
    others = Files(address, work_dir=tmp_path / "there")
    assert others._fs is not files._fs
    second = keep(others)
    others.delete(first)
    files.delete(second)
    with files.scratch() as scratch:
        (scratch / "tiles").write_bytes(b"tiles")
        with pytest.raises(FileMissing):
            files.add(first, scratch / "tiles", beside="a.png")
    assert [] == [path for path in (s3_here.bucket / Path(address).name).rglob("*") if path.is_file()]
    assert 0 == sum(sizes(address).values())


def test_object_storage_that_refuses_is_said_at_the_start(
    s3_here: ObjectStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bucket that does not exist, or a server that is not there, stops the start with its reason, and while the
    studio runs it is an OSError, as a full disk is."""
    with pytest.raises(CannotStart, match=r"JOURNEY_FILES_URL.*bucket does not exist"):
        Files("s3://no-such-bucket/prefix", work_dir=tmp_path).start()
    S3FileSystem.clear_instance_cache()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    away = Files(s3_here.address(), work_dir=tmp_path)
    with pytest.raises(CannotStart, match=r"JOURNEY_FILES_URL.*Could not connect"):
        away.start()
    for asked in (away.check, lambda: keep(away), lambda: away.has(new_key(), "a.png"), lambda: away.delete(new_key())):
        with pytest.raises(OSError, match="Could not connect"):
            asked()
    S3FileSystem.clear_instance_cache()


def test_the_check_writes_and_cleans_up(files: Files) -> None:
    """Readiness is proved by writing, and nothing of it is left."""
    files.check()
    assert [] == left_over(files)


# Serving


def test_a_picture_is_served_as_a_picture_and_nothing_else(shelf: Shelf) -> None:
    """The type follows from the extension and is never sniffed, no script runs, and the browser keeps the picture."""
    answer = shelf.web.get(f"/files/{keep(shelf.files)}/a.png")
    assert (200, b"picture", "image/png") == (answer.status_code, answer.content, answer.headers["content-type"])
    assert "nosniff" == answer.headers["x-content-type-options"]
    assert "default-src 'none'; sandbox" == answer.headers["content-security-policy"]
    assert "same-origin" == answer.headers["cross-origin-resource-policy"]
    assert "immutable" in answer.headers["cache-control"]
    assert "content-disposition" not in answer.headers


def test_other_types_are_bytes(shelf: Shelf) -> None:
    """A file that is not a picture is served as bytes and never shown as a page."""
    key = keep(shelf.files, b"<script>", name="a.html")
    assert "application/octet-stream" == shelf.web.get(f"/files/{key}/a.html").headers["content-type"]


def test_download_saves_under_its_name(shelf: Shelf) -> None:
    """`?download` makes the picture an attachment with its own name."""
    answer = shelf.web.get(f"/files/{keep(shelf.files)}/a.png?download")
    assert 'attachment; filename="a.png"' == answer.headers["content-disposition"]


@pytest.mark.parametrize(
    ("asked", "header"),
    [
        ("日本_4x.png", "attachment; filename=\"a.png\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC_4x.png"),
        ("Straße_4x.exe", "attachment; filename=\"a.png\"; filename*=UTF-8''Stra%C3%9Fe_4x.exe.png"),
        ("é\r\nX-Evil: 1.png", "attachment; filename=\"a.png\"; filename*=UTF-8''%C3%A9%20X-Evil-%201.png"),
        ("../../é\u202egnp", "attachment; filename=\"a.png\"; filename*=UTF-8''-..-%C3%A9gnp.png"),
        ('24"x36"_4x.png', "attachment; filename=\"a.png\"; filename*=UTF-8''24%22x36%22_4x.png"),
        ("plain.png", 'attachment; filename="a.png"'),
    ],
)
def test_download_has_the_name_that_is_asked_for(shelf: Shelf, asked: str, header: str) -> None:
    """`?download=NAME` adds a name in any script, of the file's own kind, and can add nothing else."""
    answer = shelf.web.get(f"/files/{keep(shelf.files)}/a.png", params={"download": asked})
    assert header == answer.headers["content-disposition"]
    assert "x-evil" not in answer.headers


def test_head_tells_the_size(shelf: Shelf) -> None:
    """HEAD has the headers of GET and no body."""
    answer = shelf.web.head(f"/files/{keep(shelf.files)}/a.png")
    assert (200, "7", b"") == (answer.status_code, answer.headers["content-length"], answer.content)


@pytest.mark.parametrize(
    ("wanted", "status", "content"),
    [
        ("bytes=1-3", 206, b"ict"), ("bytes=5-", 206, b"re"), ("bytes=-2", 206, b"re"), ("bytes=99-", 416, None),
        ("bytes=x", 400, None), ("lines=1", 400, None),
    ],
)  # fmt: skip
def test_ranges(shelf: Shelf, wanted: str, status: int, content: bytes | None) -> None:
    """A part can be asked for; a part that is not there, or senseless, is refused."""
    answer = shelf.web.get(f"/files/{keep(shelf.files)}/a.png", headers={"Range": wanted})
    assert status == answer.status_code
    assert content is None or content == answer.content


@pytest.mark.parametrize(
    "path",
    ["{key}/b.png", "{key}/..%2f..%2fsecret", "{key}/%2e%2e", "0/a.png", "{key}/a.png/", "..%2f..%2fx/a.png", ""],
)
def test_everything_else_is_404(shelf: Shelf, path: str) -> None:
    """Wrong keys, wrong names and ways out of the folder lead to no file."""
    (shelf.outside / "secret").write_bytes(b"secret")
    answer = shelf.web.get("/files/" + path.format(key=keep(shelf.files)), follow_redirects=False)
    assert answer.status_code in (404, 307)
    assert b"secret" not in answer.content


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_can_be_changed(shelf: Shelf, method: str) -> None:
    """The route only reads: other methods are refused."""
    assert 405 == shelf.web.request(method, f"/files/{keep(shelf.files)}/a.png").status_code
