"""Addresses in texts, in every spelling, are shown without what may be a secret."""

from __future__ import annotations

import re
import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journey.outside import masking
from journey.outside.masking import is_shortened, masked, masked_text


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://a.example/koi.png", "https://a.example/koi.png"),
        ("https://a.example/koi.png?id=7", "https://a.example/koi.png?id=…"),
        ("HTTPS://a.example/k?X-Amz-Date=1&X-Amz-Signature=3f9a#top", "HTTPS://a.example/k?X-Amz-Date=…&X-Amz-Signature=…#…"),
        ("https://a.example/koi.png?3f9a", "https://a.example/koi.png?…"),
        ("https://a.example/koi.png?M2Y5YQ==", "https://a.example/koi.png?…"),
        ("https://a.example/koi.png?sig=raw space&x", "https://a.example/koi.png?sig=…&…"),
        ("https://me:pass@a.example/koi.png", "https://…@a.example/koi.png"),
        ("https://3f9a@a.example/koi.png", "https://…@a.example/koi.png"),
        ("https://a.example/@me/koi.png", "https://a.example/@me/koi.png"),
        ("https://a.example/w_400,h_300/koi.png", "https://a.example/w_400,h_300/koi.png"),
        ("https://a.example/width=400,quality=75/koi.png", "https://a.example/width=400,quality=75/koi.png"),
        ("https://a.example/hdnts=exp=1~hmac=3f9a/koi.png", "https://a.example/hdnts=exp=1~hmac=…/koi.png"),
        ("https://a.example/f/https%3A%2F%2Fb%2Fx%3Fsig%3D3f9a", "https://a.example/f/https%3A%2F%2Fb%2Fx%3Fsig%3D…"),
        ("a.example/koi.png?sig=3f9a", "a.example/koi.png?sig=…"),
        ("https://a.example/what%3F.png", "https://a.example/what%3F.png"),
        ("", ""),
    ],
)  # fmt: skip
def test_an_address_keeps_its_path_and_names(address: str, shown: str) -> None:
    """The path and the names of the parameters stay, so that addresses can be told apart; values go."""
    assert shown == masked(address) == masked(shown) == masked_text(shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("could not fetch https://a.example/x?sig=3f9a: 403.", "could not fetch https://a.example/x?sig=…: 403."),
        ('{"error": "at https://a.example/x?sig=3f9a", "id": 7}', '{"error": "at https://a.example/x?sig=…", "id": 7}'),
        ("(https://a.example?a=3f9a), <http://b.example?b=3f9a>", "(https://a.example?a=…), <http://b.example?b=…>"),
        ("https://a.example?a=3f9a,https://b.example?b=3f9a", "https://a.example?a=…,https://b.example?b=…"),
        (r"https:\/\/a.example\/x?a=3f9a\u0026b=3f9a", r"https:\/\/a.example\/x?a=…\u0026b=…"),
        ("src=a.example/x?a=3f9a&amp;b=3f9a", "src=a.example/x?a=…&amp;b=…"),
        ('https://a.example/x?name="3f9a"&sig=3f9a', "https://a.example/x?name=…&sig=…"),
        ("…mz-Date=3f9a&X-Amz-Signature=3f9a", "…&X-Amz-Signature=…"),
        ("koi?a=3f9a and /files/koi?3f9a#b", "koi?a=… and /files/koi?…#…"),
        ("3f9a&X-Amz-Expires=60", "…&X-Amz-Expires=…"),
        ("X-Amz-Signature=3f9a was refused", "X-Amz-Signature=… was refused"),
        ("postgresql://me:3f9a@db.example:5432/j", "postgresql://…@db.example:5432/j"),
        ("me:3f9a@a.example/x and //me:3f9a@a.example", "…@a.example/x and //…@a.example"),
    ],
)
def test_every_address_in_a_text_is_masked(text: str, shown: str) -> None:
    """Addresses are found whatever stands around them, and pieces of those that were cut off as well."""
    assert shown == masked_text(text) == masked_text(shown)


@pytest.mark.parametrize(
    "text",
    [
        "Is it 3? Yes: a=b, c & d, picture #3, 50% off; 4 of 5 and/or more? Who/what?",
        "Write to help@example.com or mailto:help@example.com.",
        "The result is 4096 × 6144 px; it should be 4096 × 6140.",
        "Ölbild “Koi” – 富士山.png",
    ],
)
def test_other_text_is_left_as_it_is(text: str) -> None:
    """A sentence without an address loses nothing."""
    assert text == masked_text(text)


SECRETS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~+/:@!$*,;()'%", min_size=8).map(
    lambda text: f"S3{text}9z"
)
NAMES = st.sampled_from(["id", "ex", "hm", "Signature", "X-Amz-Signature", "se", "a.b", "x[0]"])
AUTHORITIES = st.sampled_from(["a.example", "A.EXAMPLE:8443", "[2001:db8::1]", "127.0.0.1:9000", "画像.example"])
SCHEMES = st.sampled_from(["https://", "HTTP://", "ftp://", "s3://", "//", ""])
WORDS = st.text(max_size=30).filter(lambda text: '"' not in text)


@st.composite
def addresses(draw: st.DrawFn, secret: str) -> str:
    """An address with the secret in one or several places of it, perhaps inside another, perhaps cut off."""
    scheme, path = draw(SCHEMES), draw(st.sampled_from(["/koi.png", "/w_400,h_300/koi.png", "/a%20b", "/図.png"]))
    made = scheme
    if scheme and draw(st.booleans()):
        user = quote(secret, safe="")
        made += draw(st.sampled_from([f"{user}@", f"me:{user}@", f"{user}:@"]))
    items = [f"{draw(NAMES)}={draw(st.sampled_from([secret, '1', '']))}" for _ in range(draw(st.integers(0, 3)))]
    items += [f"{draw(NAMES)}={secret}"]
    and_ = draw(st.sampled_from(["&", "&amp;", r"\u0026"]))
    made += draw(AUTHORITIES) + path + draw(st.sampled_from(["?", "#"])) + and_.join(items)
    if draw(st.booleans()):
        made += f"#{draw(NAMES)}={secret}"
    for _ in range(draw(st.integers(0, 2))):
        made = f"https://proxy.example/fetch/{quote(made, safe='')}"
    return made


@given(st.data())
def test_no_secret_is_ever_shown(data: st.DataObject) -> None:
    """Whatever text stands around addresses, and however they are spelled, no secret in them is shown."""
    secret = data.draw(SECRETS)
    between = data.draw(st.lists(WORDS, min_size=2, max_size=4))
    spaces = data.draw(st.sampled_from([" ", "\n", "\t", ' "', " <", " (", " '", ", "]))
    text = spaces.join(part for word in between for part in (word, data.draw(addresses(secret))))
    shown = masked_text(text)
    for spelled in (secret, quote(secret, safe=""), quote(quote(secret, safe=""), safe="")):
        assert spelled not in shown
    assert shown == masked_text(shown)


PARTS = st.sampled_from(
    [
        "https://",
        "a.example",
        ":80",
        "/",
        "koi",
        ".png",
        "?",
        "&",
        "=",
        "ex",
        "3f9a",
        "_hm",
        "-",
        "…",
        "#",
        "%3D",
        " ",
        ".",
    ]
)


@given(
    st.lists(PARTS, max_size=12),
    st.lists(st.sampled_from(["ex=3f9a", "hm=…", "is=", "&", "a-b_=1", "x", "hm=3f9a."]), max_size=6),
)
def test_the_quick_way_is_the_thorough_one(parts: list[str], query: list[str]) -> None:
    """An address that is spelled as most are is masked exactly as by the rules for all others."""
    with pytest.MonkeyPatch.context() as patch:
        for text in ("".join(parts), "https://a.example/koi.png?" + "&".join(query)):
            quick = masked(text), masked_text(text)
            patch.setattr(masking, "_PLAIN", re.compile("(?!)"))
            assert (masked(text), masked_text(text)) == quick
            patch.undo()


def test_what_was_shortened_is_known() -> None:
    """A masked address is never taken for a whole one, and a whole one is never taken for masked."""
    for whole in ("https://a.example/x?id=1", "https://me:p@a.example/x", "https://a.example/x#y"):
        assert is_shortened(masked(whole))
        assert is_shortened(quote(masked(whole)))
        assert not is_shortened(whole)
    assert not is_shortened("https://a.example/koi…png")


def test_long_texts_are_masked_fast() -> None:
    """The time grows with the text and not faster, whatever it holds."""
    began = time.process_time()
    for piece in ("a", "a:", "?", "a=", "&", "https://", "%3f", "token=", "//@", "'(", "a.", ")", "=\""):  # fmt: skip
        masked_text(piece * (100_000 // len(piece)) + "?")
    assert time.process_time() - began < 5
