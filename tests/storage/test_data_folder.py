"""The data folder, judged before anything uses it."""

from __future__ import annotations

from pathlib import Path

import pytest

from journey.errors import CannotStart
from journey.settings import Settings
from journey.storage import data_folder
from journey.storage.database import Database
from journey.storage.disk_use import sizes
from journey.storage.files import Files
from journey.storage.keys import key_file
from journey.storage.looked import Looked


def test_a_folder_is_made(tmp_path: Path) -> None:
    """The first start makes the folder, and judging it leaves nothing in it."""
    folder = tmp_path / "new" / "data"
    data_folder.prepare(folder)
    data_folder.prepare(folder)
    assert [] == list(folder.iterdir())


@pytest.mark.parametrize("name", ["files", "print-files"])
def test_a_file_in_place_of_a_folder_is_named(tmp_path: Path, name: str) -> None:
    """A file where a folder belongs stops the start with its path and what to do."""
    (tmp_path / name).touch()
    with pytest.raises(CannotStart, match=rf"{name} is a file, where a folder belongs\. Move it away\."):
        data_folder.prepare(tmp_path)


@pytest.mark.parametrize("name", ["secret-key", "engine-key", "journey.db", "journey.db.worker"])
def test_a_folder_in_place_of_a_file_is_named(tmp_path: Path, name: str) -> None:
    """A folder where a file belongs stops the start with its path and what to do."""
    (tmp_path / name).mkdir()
    with pytest.raises(CannotStart, match=rf"{name} is a folder, where a file belongs\. Move it away\."):
        data_folder.prepare(tmp_path)


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    """A path that leads to a file stops the start, and the sentence names the setting."""
    (tmp_path / "data").touch()
    with pytest.raises(CannotStart, match=r"data cannot be written to: .*JOURNEY_DATA_DIR"):
        data_folder.prepare(tmp_path / "data")


@pytest.mark.parametrize("content", ["qx", "fifteen-letters"])
def test_a_short_key_is_no_key(tmp_path: Path, content: str) -> None:
    """A key that could be guessed stops the start; the sentence names its file and not the key."""
    (tmp_path / "engine-key").write_text(content)
    with pytest.raises(CannotStart, match=r"engine-key has fewer than 16 characters\. Remove the file") as raised:
        key_file(tmp_path / "engine-key")
    assert content not in str(raised.value).replace(str(tmp_path), "")


@pytest.mark.parametrize(
    "name", ["what?", "what?x=1", "%41", "a::b", "a#b", "a&b=c", "[x]*", "mine & yours", "~", "日本"]
)
def test_everything_lies_in_the_folder_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    """Database, pictures and notes are inside of a folder with any name, and nothing lies beside it."""
    settings = Settings(data_dir=tmp_path / name)
    data_folder.prepare(settings.data_dir)
    database = Database(settings.database_place)
    database.upgrade()
    database.close()
    files = Files(settings.files_place, work_dir=settings.data_dir)
    files.start()
    with files.folder() as folder:
        (folder / "picture.png").write_bytes(b"picture")
        key = files.keep(folder)
    Looked(settings.files_place).note([key])
    assert [name] == [path.name for path in tmp_path.iterdir()]
    assert {"journey.db", "journey.db.left", "files"} == {
        path.name for path in settings.data_dir.iterdir() if "journey.db-" not in path.name
    }
    assert b"picture" == files.path(key, "picture.png").read_bytes()
    assert len(b"picture") == sizes(settings.files_place)[key]
    files.delete(key)
    assert not (settings.data_dir / "files" / key[:2] / key).exists()
