"""A better address is offered for a reduced copy and for a page, and shown without what may be secret in it."""

from __future__ import annotations

import pytest

from journey.views.offers import Offer, better_address


@pytest.mark.parametrize(
    ("given", "size", "offer"),
    [
        (
            "<https://media.discordapp.net/attachments/1/2/koi.png?ex=65&hm=ab&width=400&height=300>",
            (400, 300),
            Offer(
                "This is a reduced copy of 400 × 300 px. The full picture prints larger:",
                "https://cdn.discordapp.com/attachments/1/2/koi.png?ex=65&hm=ab",
                "Use the full picture",
            ),
        ),
        (
            "https://pictures.example/koi.png?w=400",
            None,
            Offer(
                "This may be a reduced copy. The full picture prints larger:",
                "https://pictures.example/koi.png",
                "Use the full picture",
            ),
        ),
        (
            "https://64.media.tumblr.com/a/b/s640x960/c.jpg",
            (640, 960),
            Offer(
                "This is a reduced copy of 640 × 960 px. Its address does not say where the full picture is: "
                "open that, and copy its address."
            ),
        ),
        (
            "https://www.dropbox.com/s/a/koi.png?dl=0",
            None,
            Offer(
                "The picture itself may be at this address:",
                "https://www.dropbox.com/s/a/koi.png?raw=1",
                "Use this address",
            ),
        ),
        ("https://www.dropbox.com/s/a/koi.png?dl=0", (4, 3), None),
        ("https://pictures.example/koi.png", (4, 3), None),
        ("https://pictures.example/koi.png", None, None),
        ("994c2844", None, None),
    ],
)
def test_what_is_offered(given: str, size: tuple[int, int] | None, offer: Offer | None) -> None:
    """The full picture in place of a reduced copy, the picture in place of a page that gave none, and else nothing."""
    assert offer == better_address(given, size)


def test_an_offered_address_is_shown_without_its_query() -> None:
    """A signature is in no text; a long path is cut to be shown."""
    assert "https://a.example/koi.png?…" == Offer("", "https://a.example/koi.png?sig=secret").shown
    assert "https://a.example/koi.png" == Offer("", "https://a.example/koi.png").shown
    assert len(Offer("", "https://a.example/" + "a" * 500).shown) == 161
