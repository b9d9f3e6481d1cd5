"""What a tab has kept is read back as it was, and nonsense as nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journey.views import kept
from journey.views.kept import NAMES, Kept

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*NAMES, *Kept.model_fields]), inner),
    max_leaves=10,
)


def test_what_was_entered_comes_back() -> None:
    """Words and choices are kept under their names; what a page keeps for itself is not."""
    session = {
        "image_url": "https://example.com/koi.png",
        "scale": 2,
        "for_bleed": 3,
        "trying": True,
        "source": object(),
    }
    words = kept.entered(session | {"print_fit": "a fit of another version", "way": None})
    assert {name: session[name] for name in ("image_url", "scale", "for_bleed", "trying")} == words
    assert words == kept.read(Kept(words=words).model_dump(mode="json")).words


@given(JSON)
def test_nonsense_is_nothing(told: Any) -> None:
    """Whatever a browser says, a page gets values of the right kind, or none."""
    for name, value in kept.read(told).words.items():
        assert isinstance(value, (int, float) if NAMES[name] is float else NAMES[name])


@pytest.mark.parametrize("change", [{"key": "../../etc"}, {"file": "../x.png"}, {"file": ""}, {"kind": "script"}])
def test_a_picture_is_named_by_its_key_alone(change: dict[str, str]) -> None:
    """What is no key, no name or no kind leads to no file."""
    good = {"key": "0" * 32, "file": "koi.png", "kind": "upload", "name": "koi.png"}
    looked = {"picture": good | change, "way": "upload"}
    assert kept.read({"upscale": looked | {"picture": good}}).upscale is not None
    assert kept.read({"upscale": looked}).upscale is None


def test_what_is_lost_is_said_by_name() -> None:
    """The sentence names the files and says what to do."""
    assert "“a.csv” was not stored yet. Choose it again" in kept.lost_words(["a.csv"])
    assert "“a.csv”, “b.png” were not stored yet. Choose them again" in kept.lost_words(["a.csv", "b.png"])
