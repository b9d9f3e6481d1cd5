"""The upscaler: exact sizes, no seams, alpha and grey kept, and faults survived."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import psutil
import pytest

from journey.engine.networks.network import DETAIL, FAST
from journey.engine.networks.recipes import Recipe
from journey.engine.upscaler import tile_count, upscale
from journey.errors import JourneyError, Stopped
from journey.pictures.rows import ArrayRows
from journey.processes import WorkerDied, Workers
from tests.engine.test_networks import difference, soft_noise
from tests.harness.standing import Inline

SMALL_TILES = replace(FAST, tile=(40, 56))


def bands(picture, scale=4, network=FAST, workers=None, on_progress=None, should_stop=None, **more):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN003, ANN201
    return upscale(
        ArrayRows(picture),
        network if isinstance(network, Recipe) else Recipe(network),
        scale,
        workers=workers or Inline(),
        on_progress=on_progress or (lambda done, total: None),
        should_stop=should_stop or (lambda: False),
        **more,
    )


def enlarge(*order, **more):  # type: ignore[no-untyped-def] # noqa: ANN002, ANN003, ANN201
    return np.concatenate(list(bands(*order, **more)))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(1, 1), (1, 37), (2, 3), (13, 1)])
def test_the_result_has_exactly_the_size_asked_for(size: tuple[int, int], channels: int) -> None:
    """A picture of any kind and any size, even one pixel, grows to exactly 2 or 4 times its width and height."""
    picture = np.random.default_rng(3).integers(0, 256, (*size, channels), dtype=np.uint8)
    for scale in (2, 4):
        assert (scale * size[0], scale * size[1], channels) == enlarge(picture, scale).shape


def test_a_long_strip_is_cut_into_tiles() -> None:
    """A strip longer than a tile comes out whole."""
    strip = soft_noise(3, 600)
    assert (12, 2400, 3) == enlarge(strip).shape


@pytest.mark.parametrize("scale", [2, 4])
def test_tiles_leave_no_seams(scale: int) -> None:
    """A picture in many tiles is the same picture as in one tile, to the last level."""
    picture = soft_noise(100, 130)
    assert np.array_equal(enlarge(picture, scale), enlarge(picture, scale, SMALL_TILES))


def test_the_border_is_that_of_a_picture_continued_outwards() -> None:
    """Beyond the picture the network sees its outermost pixels again, not black."""
    picture = soft_noise(30, 30)
    padded = np.pad(picture, ((19, 19), (19, 19), (0, 0)), "edge")
    inside = enlarge(padded)[76:-76, 76:-76]
    assert 1 >= difference(inside, enlarge(picture))


@pytest.mark.parametrize("level", [0, 1, 127, 255])
def test_a_constant_picture_stays_constant(level: int) -> None:
    """Flat parts come out flat to one level, across tiles and up to the border, and as bright as they were."""
    result = enlarge(np.full((90, 90, 3), level, np.uint8), network=SMALL_TILES)
    assert 0.2 > np.abs(result.mean((0, 1)) - level).max()
    assert 1 >= int(np.ptp(result.reshape(-1, 3), axis=0).max())
    assert 5 >= difference(np.full_like(result, level), result)


def test_a_gradient_has_no_steps_at_tile_edges() -> None:
    """A smooth ramp in tiles is the ramp in one tile, to one level."""
    ramp = np.linspace(0, 255, 120).astype(np.uint8)[None, :, None].repeat(90, 0).repeat(3, 2)
    assert 1 >= difference(enlarge(ramp), enlarge(ramp, network=SMALL_TILES))


def test_a_picture_keeps_its_looks() -> None:
    """The mean of each 4×4 block of the result is close to the pixel it came from."""
    smooth = np.add.outer(np.arange(60) * 2, np.arange(60) * 2)[..., None].repeat(3, 2).astype(np.uint8)
    smooth[..., 1] //= 2
    back = enlarge(smooth).reshape(60, 4, 60, 4, 3).mean((1, 3))
    assert 10 >= np.abs(back - smooth).max()


def test_grey_stays_grey_and_equals_its_colour_twin() -> None:
    """A grey picture comes out as the mean of what its RGB twin gives."""
    grey = soft_noise(40, 40)[..., :1]
    twin = enlarge(grey.repeat(3, 2))
    assert 1 >= difference(np.rint(twin.mean(2, keepdims=True)), enlarge(grey))


def test_opaque_alpha_changes_nothing() -> None:
    """A fully opaque picture has the colours of the picture without alpha, and alpha 255."""
    picture = soft_noise(40, 40)
    opaque = np.concatenate((picture, np.full((40, 40, 1), 255, np.uint8)), 2)
    result = enlarge(opaque)
    assert np.array_equal(enlarge(picture), result[..., :3])
    assert (result[..., 3] == 255).all()


@pytest.mark.parametrize("hidden", [0, 255])
def test_no_fringe_of_hidden_colours(hidden: int) -> None:
    """What is stored under transparent pixels does not show in the visible ones, and alpha follows the shape."""
    picture = np.full((60, 60, 4), hidden, np.uint8)
    picture[..., 3] = 0
    picture[20:40, 20:40] = (200, 60, 40, 255)
    result = enlarge(picture, network=SMALL_TILES)
    visible = result[result[..., 3] > 0][:, :3]
    assert 4 >= difference(np.full_like(visible, 0) + np.array([200, 60, 40], np.uint8), visible)
    assert (result[84:156, 84:156, 3] == 255).all()
    assert not result[:72, :, 3].any()
    assert not result[:, 168:, 3].any()
    covered = result[..., 3].sum() / 255 / 16
    assert 400 == pytest.approx(covered, rel=0.05)


def test_transparent_pictures_in_tiles_have_no_seams() -> None:
    """Colours spread under transparency do not depend on where the tiles lie."""
    picture = np.concatenate((soft_noise(90, 120), soft_noise(90, 120, 2)[..., :1]), 2)
    picture[..., 3][picture[..., 3] < 110] = 0
    whole, tiled = enlarge(picture), enlarge(picture, network=SMALL_TILES)
    visible = whole[..., 3] > 0
    assert 1 >= difference(whole[..., 3], tiled[..., 3])
    assert 1 >= difference(whole[visible], tiled[visible])


def test_detail_gives_2x_as_the_mean_of_4x() -> None:
    """2x of a network that only knows 4x is its 4x result halved."""
    picture = soft_noise(12, 10)
    halved = enlarge(picture, 4, DETAIL).reshape(24, 2, 20, 2, 3).mean((1, 3))
    assert 1 >= difference(np.rint(halved), enlarge(picture, 2, DETAIL))


def test_progress_counts_every_tile_once() -> None:
    """Progress starts at 0, goes up by one and ends at the total."""
    seen: list[tuple[int, int]] = []
    enlarge(soft_noise(90, 120), network=SMALL_TILES, on_progress=lambda *now: seen.append(now))
    assert [(done, 9) for done in range(10)] == seen


def test_only_a_few_tiles_are_submitted_ahead() -> None:
    """The number of tiles under way is bounded, and so is the memory they need."""
    pool = Inline()
    seen: list[int] = []
    enlarge(soft_noise(60, 500), 2, replace(FAST, tile=(20, 20)), pool, lambda done, _: seen.append(pool.jobs - done))
    assert 75 == pool.jobs
    assert 3 >= max(seen)


def test_only_the_bands_under_way_are_held() -> None:
    """The first rows come before the last tiles are begun, and all come in order."""
    picture, pool = soft_noise(200, 60), Inline()
    network = replace(FAST, tile=(20, 20))
    before = []
    rows = []
    for band in bands(picture, 2, network, pool):
        before.append(pool.jobs)
        rows.append(band)
    assert 30 == pool.jobs == tile_count(60, 200, Recipe(network))
    assert all(3 * (number + 1) + 3 >= jobs for number, jobs in enumerate(before))
    assert np.array_equal(enlarge(picture, 2), np.concatenate(rows))


def test_the_workers_have_tiles_while_rows_are_written() -> None:
    """Before rows are given, the workers have got the next tiles, so that none of them waits for the writer."""
    pool, network = Inline(), replace(FAST, tile=(20, 20))
    jobs = [pool.jobs for _ in bands(soft_noise(200, 60), 2, network, pool)]
    assert [min(30, 3 * (number + 1) + 3) for number in range(10)] == jobs


def test_what_is_left_is_told() -> None:
    """It falls to the tiles that the workers still have, then it is what waits to be taken; few are all handed over."""
    pool, network = Inline(), replace(FAST, tile=(20, 20))
    told: list[int] = []

    def note(tiles: int) -> None:
        told.append(tiles)
        assert tiles >= 4 or pool.jobs == 30

    for _ in bands(soft_noise(200, 60), 2, network, pool, on_left=note, ahead=4):
        pass
    assert [*range(30, 0, -4), 3] == told


def test_stopping_cancels_what_is_not_started() -> None:
    """A stop is raised as Stopped at once, and waiting tiles never run."""
    ran: list[int] = []
    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(Stopped):
            enlarge(soft_noise(90, 900), 4, SMALL_TILES, pool, lambda done, _: ran.append(done), lambda: len(ran) > 1)
        assert 3 >= pool._work_queue.qsize()
    assert 3 > len(ran)


def test_workers_that_were_shut_down_stop_the_work() -> None:
    """An executor that takes no more work counts as a stop, not as a crash."""
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.raises(Stopped):
        enlarge(soft_noise(8, 8), workers=pool)


def test_a_tile_that_kills_its_worker_three_times_ends_the_work() -> None:
    """A tile that kills its worker is sent again, but the third death ends the work."""

    def die(_: int) -> None:
        raise WorkerDied("gone")

    pool = Inline(die)
    with pytest.raises(JourneyError, match="3 times"):
        enlarge(soft_noise(8, 8), workers=pool)
    assert 3 == pool.jobs


def test_only_lost_tiles_are_sent_again() -> None:
    """One lost tile costs one more job and changes nothing in the picture."""

    def die_once(job: int) -> None:
        if job == 4:
            raise BrokenExecutor("gone")

    picture, pool = soft_noise(90, 120), Inline(die_once)
    assert np.array_equal(enlarge(picture, network=SMALL_TILES), enlarge(picture, network=SMALL_TILES, workers=pool))
    assert 10 == pool.jobs


@pytest.fixture
def workers() -> Iterator[Workers]:
    pool = Workers(2)
    pool.start()
    yield pool
    pool.stop()


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_a_worker_killed_in_mid_job_changes_nothing(workers: Workers) -> None:
    """The real pool survives a killed process and the picture is the same."""
    victim = workers.submit(os.getpid).result(30)

    def kill(done: int, _: int) -> None:
        if done == 1 and psutil.pid_exists(victim):
            os.kill(victim, signal.SIGKILL)

    picture = soft_noise(90, 120)
    result = enlarge(picture, 4, SMALL_TILES, workers, kill)
    assert np.array_equal(enlarge(picture, network=SMALL_TILES), result)
    assert victim not in {workers.submit(os.getpid).result(30) for _ in range(4)}
