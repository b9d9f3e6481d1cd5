"""What the Upscale form says and proposes."""

from __future__ import annotations

from journey.history.kinship import Variant
from journey.provider import JOURNEYAPI, PROVIDERS, THIS_MACHINE
from journey.storage.stored import StoredPicture
from journey.studio.intake import ParentTask, Source
from journey.views import upscaling

SOURCE = Source("task", "koi", StoredPicture("0" * 32, "koi.png", 64, 48), "digest")


def test_what_was_found_is_told() -> None:
    """A task says whether it holds one picture or a grid, how large they are, and who made it; its text is literal."""
    one = ParentTask("t-1", JOURNEYAPI, "upscale-2x", "[x](y)", (SOURCE,))
    grid = ParentTask("t-2", THIS_MACHINE, None, None, (SOURCE,) * 4)
    assert r"Found: one picture, 64 × 48 px · JourneyAPI · \[x\]\(y\) · upscale\-2x" == upscaling.found_words(one)
    assert "Found: a grid of 4 pictures, 64 × 48 px each · This machine" == upscaling.found_words(grid)


def test_every_way_has_its_price() -> None:
    """Each provider has its price, and a pair the price of both halves together."""
    assert {"journeyapi": "JourneyAPI · 2 credits", "embedded": "This machine · free"} == upscaling.provider_labels(
        list(PROVIDERS.values())
    )
    fast, detail, hosted = Variant(THIS_MACHINE, "fast"), Variant(THIS_MACHINE, "detail"), Variant(JOURNEYAPI)
    assert ["free", "2 credits"] == [upscaling.pair_cost(pair) for pair in ((fast, detail), (hosted, fast))]
    times = {fast: 4.2, detail: None, hosted: 30.0}
    assert upscaling.pair_offer("fast and detail", (fast, detail), times).endswith("to compare them: fast about 4 s.")
    assert upscaling.pair_offer("both", (detail, detail), times).endswith("to compare them.")


def test_a_network_of_a_folder_is_named_literally() -> None:
    """The name of a network from a folder is a file's and may be anything, so it is shown literally."""
    assert r"My \*own\* · about 6 s" == upscaling.network_label("my-*own*", 6.4)
    assert "Fast" == upscaling.network_label("fast")
