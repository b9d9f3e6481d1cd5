"""The engine without its server and its networks, for tests of one part at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image

from journey.api.models import UpscaleRequest
from journey.engine.deliveries import Deliveries
from journey.engine.networks.network import DETAIL, FAITHFUL, FAST, Network
from journey.engine.networks.recipes import Recipe
from journey.engine.queue import Choice, Queue, Upscale
from journey.engine.tasks import Tasks, engine_tasks
from journey.errors import Stopped
from journey.outside.door import Door
from journey.pictures.checking import Decoder, Limits
from journey.pictures.previews import write_previews
from journey.pictures.rows import Rows
from journey.storage.database import Database
from journey.storage.files import Files
from journey.storage.stored import Origins, StoredFile
from tests.harness.engines import gradient
from tests.harness.standing import Clock

ME = "me"
ORIGIN = "http://127.0.0.1:8501"


class Enlarge:
    """Stands in for the network: repeats pixels, in steps 0 to 4; `at_step` is called at the start of each.

    It says of `left` tiles that they are left, from the first step on.
    """

    def __init__(self) -> None:
        self.at_step: Callable[[int], object] = lambda step: None
        self.left = 1
        self.runs = 0

    def __call__(
        self,
        picture: Rows,
        recipe: Recipe,
        scale: int,
        *,
        on_progress: Callable[[int, int], None],
        should_stop: Callable[[], bool],
        on_left: Callable[[int], object],
    ) -> Iterator[np.ndarray]:
        self.runs += 1
        on_left(self.left)
        for step in range(5):
            self.at_step(step)
            if should_stop():
                raise Stopped("asked to")
            on_progress(step, 4)
        yield picture.read(0, picture.height).repeat(scale, 0).repeat(scale, 1)


class Bench:
    """The engine's parts with a real database, files, decoder and door, and what the tests set and look at."""

    def __init__(self, folder: Path, decoder: Decoder) -> None:
        self.database = Database(f"sqlite:///{folder / 'journey.db'}")
        self.database.upgrade()
        self.files = Files(str(folder / "files"), work_dir=folder)
        self.files.start()
        self.folder = folder
        self.clock = Clock()
        self.enlarge = Enlarge()
        self.places = 1
        self.decoder = decoder
        self.door = Door(["127.0.0.1/32"])
        self.tasks = Tasks(self.database, clock=self.clock)
        self.queue = self.another_queue()
        self.deliveries = self.another_deliveries()

    def another_queue(self) -> Queue:
        """A queue on the same data, as in another process or after a restart."""
        return self.queue_for(self.enlarge, FAST, DETAIL, FAITHFUL, places=lambda: self.places, clock=self.clock)

    def queue_for(self, enlarge: Upscale, *networks: Network, **more: Any) -> Queue:
        """A queue whose tasks are enlarged so, by these networks; `more` are its places and its clock."""
        return Queue(
            self.tasks,
            self.files,
            self.decoder,
            self.door,
            enlarge,
            Choice({each.name: each for each in networks}, default="fast"),
            origins=Origins(local=(ORIGIN,)),
            max_bytes=2**20,
            **more,
        )

    def another_deliveries(self) -> Deliveries:
        return Deliveries(self.tasks, self.door)

    def store(self, image: Image.Image) -> str:
        """Put a picture into the files and give its address."""
        with self.files.folder() as folder:
            image.save(folder / "a.png")
            write_previews(image, folder)
            return StoredFile(self.files.keep(folder), "a.png").url(ORIGIN)

    def order(self, owner: str = ME, **order: Any) -> str:
        if "parent_task_id" not in order:
            order.setdefault("image_url", self.source)
        self.clock.now += 1
        return self.queue.submit(UpscaleRequest.checked({"type": "2x", **order}), owner=owner, origin=ORIGIN)

    @property
    def source(self) -> str:
        if not hasattr(self, "_source"):
            self._source = self.store(gradient(16, 12))
        return self._source

    def state(self, task_id: str) -> dict[str, Any]:
        (task,) = self.tasks.get([task_id], owner=ME)
        return task.said(ORIGIN).wire()

    def row(self, task_id: str) -> Any:
        with self.database.read() as connection:
            return connection.execute(sa.select(engine_tasks).where(engine_tasks.c.task_id == task_id)).one()

    def change(self, task_id: str, **values: Any) -> None:
        with self.database.write() as connection:
            connection.execute(engine_tasks.update().where(engine_tasks.c.task_id == task_id).values(**values))

    def stored_keys(self) -> set[str]:
        return {path.name for path in (self.folder / "files").glob("??/*")}


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    decoder = Decoder(Limits(100_000, 400_000))
    decoder.start()
    yield decoder
    decoder.stop()


@pytest.fixture
def bench(tmp_path: Path, decoder: Decoder) -> Iterator[Bench]:
    bench = Bench(tmp_path, decoder)
    yield bench
    assert [] == list((tmp_path / "files" / "incoming").iterdir())
    bench.database.close()
