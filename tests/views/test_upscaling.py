"""What the Upscale form says and proposes."""

from __future__ import annotations

from dataclasses import replace

from journey.history.kinship import Variant
from journey.pictures.traits import Traits
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


FLAT = Traits(is_neutral=False, blockiness=1.0, hard_share=0.1, soft_share=0.2)
SOFT = Traits(is_neutral=False, blockiness=1.0, hard_share=0.01, soft_share=0.7)


def test_a_network_is_proposed_for_what_the_picture_is_like() -> None:
    """Drawings get fast; photos and paintings get faithful, unless it takes longer here than a first result should."""
    quick = {"fast": 1.0, "detail": 30.0, "faithful": 20.0}
    drawn, painted = upscaling.proposal(FLAT, quick), upscaling.proposal(SOFT, quick)
    assert drawn
    assert painted
    assert ("fast", "faithful") == (drawn.network, painted.network)
    slow = upscaling.proposal(SOFT, quick | {"faithful": 600.0})
    assert slow
    assert "fast" == slow.network
    assert slow.reason.endswith("faithful keeps more of it, but takes about 10 min here.")
    jpeg = upscaling.proposal(replace(SOFT, blockiness=1.7), quick)
    assert jpeg
    assert jpeg.reason.endswith("Its traces of JPEG are cleaned first.")
    assert upscaling.proposal(SOFT, {"fast": 1.0, "mine": 2.0}) is None


def test_blends_have_their_words() -> None:
    """A blend is named by its strength, says that both run, and its ends are the networks themselves."""
    assert "Detail 35 % · about 6 s" == upscaling.network_label(upscaling.blend(35), 6)
    assert ("faithful", "detail") == (upscaling.blend(0), upscaling.blend(100))
    assert "35 % detail and 65 % faithful: both run, about 20 s." == upscaling.strength_words(35, 20)
    assert "Takes the time of both." in upscaling.network_words("detail-35")


def test_a_network_of_a_folder_is_named_literally() -> None:
    """The name of a network from a folder is a file's and may be anything, so it is shown literally."""
    assert r"My \*own\* · about 6 s" == upscaling.network_label("my-*own*", 6.4)
    assert "Fast" == upscaling.network_label("fast")
