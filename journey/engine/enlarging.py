"""Pictures enlarged on this machine for a program that runs no server: a file in, a PNG out."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from journey.engine.embedded import tile_workers
from journey.engine.networks.backends import unavailable_reason
from journey.engine.networks.finding import find_networks
from journey.engine.networks.network import Hardware
from journey.engine.networks.recipes import Recipe, decided, recipe
from journey.engine.upscaler import tiles_to_fill, upscale
from journey.errors import CannotStart, PictureRefused
from journey.pictures import png
from journey.pictures.checking import Decoder, Limits, Picture
from journey.pictures.rows import Rows
from journey.settings import Settings


@dataclass(frozen=True)
class Enlarged:
    """A picture that was made: its size in pixels, and the networks that made it, in their own names."""

    width: int
    height: int
    model: str


class Enlarger:
    """Tile workers and a decoder, from `with` to its end. Several threads may use one at once.

    Raises CannotStart when no network can run here, or when the settings name one that does not exist.
    """

    def __init__(self, settings: Settings) -> None:
        if reason := unavailable_reason():
            raise CannotStart(reason)
        hardware = Hardware(settings.engine_device, settings.engine_precision, settings.engine_workers)
        found = find_networks(settings.engine_models_dir, hardware)
        self._networks = found.networks
        self._default = found.chosen(settings.engine_model).name
        self._decoder = Decoder(Limits(settings.max_input_pixels, settings.max_output_pixels))
        self._workers = tile_workers(settings, self._networks, self._default)

    def __enter__(self) -> Self:
        self._decoder.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._workers.shutdown(wait=False, cancel_futures=True)
        self._decoder.stop()

    def named(self, network: str | None) -> Recipe:
        """What this name stands for, or the default. Raises InvalidRequest when there is no such network."""
        return recipe(network or self._default, self._networks)

    def look(self, source: Path) -> Picture:
        """What the header of a picture says. Raises PictureRefused."""
        return self._decoder.inspect(source)

    def enlarge(
        self,
        source: Path,
        target: Path,
        steps: tuple[int, ...],
        *,
        network: str | None = None,
        on_progress: Callable[[float], None] = lambda _: None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> Enlarged:
        """Enlarge a picture by these steps, one after the other, into a PNG that appears at `target` once it is whole.

        `on_progress` is told the part that is done, from 0 to 1. Raises PictureRefused, InvalidRequest, and Stopped
        when `should_stop` says so.
        """
        chosen = self.named(network)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".journey-") as name:
            folder = Path(name)
            picture = self._decoder.inspect(source)
            if problem := self._decoder.limits.problem(picture.width, picture.height, *steps):
                raise PictureRefused(problem)
            # Each step has as many pixels to work on as those before it have made.
            work = [math.prod(steps[:number]) ** 2 for number in range(len(steps))]
            for number, scale in enumerate(steps):
                done, part = sum(work[:number]) / sum(work), work[number] / sum(work)
                with self._decoder.rows(source, folder) as rows:
                    source = folder / f"{number}.png"
                    fitting = decided(chosen, rows)
                    self._write(rows, source, fitting, scale, partial(_told, on_progress, done, part), should_stop)
            source.replace(target)
        return Enlarged(rows.width * scale, rows.height * scale, fitting.model)

    def _write(
        self,
        rows: Rows,
        target: Path,
        chosen: Recipe,
        scale: int,
        on_progress: Callable[[int, int], None],
        should_stop: Callable[[], bool],
    ) -> None:
        bands = upscale(
            rows,
            chosen,
            scale,
            workers=self._workers,
            on_progress=on_progress,
            should_stop=should_stop,
            ahead=tiles_to_fill(self._workers.count),
        )
        with png.Writer(target, scale * rows.width, scale * rows.height, rows.channels, icc=rows.icc) as result:
            for band in bands:
                result.add(band)


def _told(on_progress: Callable[[float], None], done: float, part: float, tiles: int, total: int) -> None:
    """Tell how much of all steps is done, from the tiles of the one under way."""
    on_progress(done + part * tiles / total)
