"""All results of a batch as one ZIP."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from journey.engine.__main__ import listener_at
from journey.history import State
from journey.storage.files import Files
from journey.storage.stored import StoredPicture
from journey.web import results_zip
from tests.conftest import empty_database
from tests.harness.engines import served
from tests.studio.batches.conftest import Team


@pytest.fixture
def team(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Team]:
    with empty_database("sqlite", request, tmp_path) as database:
        yield Team(database)


def test_all_results_come_as_one_zip(team: Team, tmp_path: Path) -> None:
    """The ZIP holds every stored result under its own name and names what is gone; a wrong key opens nothing."""
    files = Files(str(tmp_path / "files"), work_dir=tmp_path)
    files.start()
    entries = team.queue(3)
    for entry in entries:
        with files.folder() as folder:
            (folder / "koi_4x.png").write_bytes(entry.name.encode() * 400_000)
            key = files.keep(folder)
        for state in (State.SUBMITTING, State.OPEN, State.ARCHIVING):
            team.history.move(entry.id, state)
        team.history.move(entry.id, State.FINISHED, result_key=key, result=StoredPicture(key, "koi_4x.png", 400, 400))
        gone = key
    files.delete(gone)
    batch = team.batches.get("b1")
    assert batch is not None
    listener = listener_at("127.0.0.1", 0)
    app = Starlette(routes=results_zip.routes(team.batches, files))
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with served(app, listener), httpx.Client(base_url=origin, trust_env=False) as client:
        answer = client.get(results_zip.download_url(batch.download_key))
        head = client.head(results_zip.download_url(batch.download_key))
        wrong = client.get(results_zip.download_url(batch.id))
    assert (200, 'attachment; filename="3-pictures.zip"') == (answer.status_code, answer.headers["content-disposition"])
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert ["1_koi_4x.png", "2_koi_4x.png", "not-included.txt"] == archive.namelist()
        assert b"picture 1" * 400_000 == archive.read("2_koi_4x.png")
        assert b"3_koi_4x.png" in archive.read("not-included.txt")
    pieces = list(results_zip.pack(files, results_zip.finished(team.batches, "b1")))
    assert max(map(len, pieces)) < 1.1 * 2**20
    assert (200, b"", 404) == (head.status_code, head.content, wrong.status_code)
