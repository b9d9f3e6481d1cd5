"""The sample pictures that a first-time visitor sees."""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from PIL import Image

from journey.pictures import samples

MAX_PNG_BYTES = 4 * 1024 * 1024
NAMES = [sample.name for sample in samples.SAMPLES]
EVERY_SAMPLE = [*samples.SAMPLES, samples.GRID, *samples.GRID.parts]


@cache
def drawn(name: str) -> Image.Image:
    return samples.draw(name)


@cache
def drawn_grid() -> tuple[list[Image.Image], Image.Image]:
    return samples.draw_grid()


def every_picture() -> dict[str, Image.Image]:
    parts, whole = drawn_grid()
    pictures = {name: drawn(name) for name in NAMES}
    pictures |= {sample.name: part for sample, part in zip(samples.GRID.parts, parts, strict=True)}
    return pictures | {samples.GRID.name: whole}


def sha256(picture: Image.Image) -> str:
    return hashlib.sha256(picture.tobytes()).hexdigest()


def mean_colour(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture, np.float64).mean(axis=(0, 1))


@pytest.fixture(scope="module", autouse=True)
def fresh() -> Iterator[subprocess.Popen[str]]:
    """Another interpreter that draws the same pictures; it starts first, so that both draw at the same time."""
    script = """
import hashlib, sys
from journey.pictures import samples
drawing = [name for name in sys.modules if name == "numpy" or name.startswith("journey.pictures.samples.")]
print("loaded:" + ",".join(drawing))
parts, whole = samples.draw_grid()
for picture in [*(samples.draw(sample.name) for sample in samples.SAMPLES), *parts, whole]:
    print(hashlib.sha256(picture.tobytes()).hexdigest())
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


@pytest.fixture(scope="module")
def fresh_interpreter(fresh: subprocess.Popen[str]) -> list[str]:
    """What it printed: the modules loaded before it drew, then the digest of each picture."""
    printed, _ = fresh.communicate(timeout=60)
    assert 0 == fresh.returncode
    return printed.split()


def test_the_samples_cover_the_three_shapes_of_prints() -> None:
    """A visitor finds one portrait, one square and one landscape picture, in that order."""
    assert [(1024, 1536), (1024, 1024), (1536, 1024)] == [(sample.width, sample.height) for sample in samples.SAMPLES]
    assert "fjord" == samples.SAMPLES[0].name


@pytest.mark.parametrize("sample", EVERY_SAMPLE, ids=lambda sample: sample.name)
def test_a_sample_is_drawn_as_it_is_described(sample: samples.Sample) -> None:
    """Every picture has the size that its description promises, in plain RGB."""
    picture = every_picture()[sample.name]
    assert ((sample.width, sample.height), "RGB") == (picture.size, picture.mode)


def test_names_are_unique_and_safe_in_file_names() -> None:
    """A name can be used in a file name and in a URL as it is, and no two samples share one."""
    names = [sample.name for sample in EVERY_SAMPLE]
    assert len(names) == len(set(names))
    assert [] == [name for name in names if not re.fullmatch(r"[a-z][a-z0-9-]*", name)]


@pytest.mark.parametrize("sample", EVERY_SAMPLE, ids=lambda sample: sample.name)
def test_words_about_a_sample_are_short_sentences(sample: samples.Sample) -> None:
    """Titles are in sentence case without a full stop; the alternative text is one short sentence."""
    assert sample.title[0].upper() + sample.title[1:].lower() == sample.title
    assert not sample.title.endswith(".")
    assert 1 == sample.alt.count(".")
    assert sample.alt.endswith(".")
    assert len(sample.alt) <= 100


def test_another_process_draws_the_same_pixels(fresh_interpreter: list[str]) -> None:
    """Drawing is the same in every run: a fresh interpreter arrives at the same bytes."""
    assert [sha256(picture) for picture in every_picture().values()] == fresh_interpreter[1:]


def test_words_about_samples_need_no_drawing_code(fresh_interpreter: list[str]) -> None:
    """A start that only reads names, titles and sizes loads no module that draws, and not NumPy either."""
    assert "loaded:" == fresh_interpreter[0]


@pytest.mark.parametrize("name", [*NAMES, *(part.name for part in samples.GRID.parts)])
def test_pictures_are_rich_but_files_stay_small(name: str) -> None:
    """No picture is flat, as a whole or in detail, and each fits into 4 MiB as a PNG of the fastest compression.

    The grid has exactly the pixels of its parts, so it is as rich and no larger than the four of them.
    """
    picture = every_picture()[name]
    grey = picture.convert("L")
    assert grey.entropy() > 6
    assert np.abs(np.diff(np.asarray(grey, np.int16), axis=1)).mean() > 1
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    assert len(buffer.getvalue()) < MAX_PNG_BYTES


def test_the_grid_is_made_of_its_parts_in_the_order_of_their_index() -> None:
    """Indexes 1 to 4 are top left, top right, bottom left and bottom right, pixel for pixel."""
    parts, whole = drawn_grid()
    boxes = [(0, 0, 1024, 1024), (1024, 0, 2048, 1024), (0, 1024, 1024, 2048), (1024, 1024, 2048, 2048)]
    assert [part.tobytes() for part in parts] == [whole.crop(box).tobytes() for box in boxes]


def test_the_parts_of_the_grid_are_told_apart_by_their_mean_colour() -> None:
    """Any two parts differ by at least 20 levels in the mean of some channel, so a mix-up shows."""
    means = [mean_colour(part) for part in drawn_grid()[0]]
    distances = [np.abs(means[a] - means[b]).max() for a in range(4) for b in range(a)]
    assert min(distances) >= 20


def test_an_unknown_name_is_refused() -> None:
    """Asking for a picture that does not exist raises KeyError and draws nothing."""
    with pytest.raises(KeyError, match="sunflower"):
        samples.draw("sunflower")
