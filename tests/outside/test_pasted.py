"""What people paste becomes the address that they meant."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from journey.outside.pasted import cleaned

PICTURE = "https://example.com/koi.png"

WRAPPED = (
    "  {}  ",
    "\u00a0{}\u3000",
    "\ufeff{}",
    "{}\u200b",
    "\u200e{}\u200f",
    "\u2068{}\u2069",
    "\u202a{}\u202c",
    "\u00ad{}\u2060",
    "{}\n",
    "\t{}\r\n",
    '"{}"',
    "'{}'",
    "`{}`",
    "```{}```",
    "“{}”",
    "„{}“",
    "”{}”",
    "‚{}‘",
    "«{}»",
    "« {} »",
    "»{}«",
    "‹{}›",
    "「{}」",
    "『{}』",
    "《{}》",
    "＂{}＂",
    "<{}>",
    "<URL:{}>",
    "＜{}＞",
    "({})",
    "（{}）",
    "[{}]",
    "【{}】",
    "{{{}}}",
    '("{}").',
    "{},",
    "{};",
    "{}.",
    "{}!",
    "{}?",
    "{}…",
    "{}...",
    "{}。",
    "{}、",
    "{}，",
    "{}؟",
    "{})",
    "{}).",
    "{}',",
    '{}",',
    '"{}",',
    "**{}**",
    "_{}_",
    "*{}*",
    "~~{}~~",
    "| {} |",
    "- {}",
    "* {}",
    "• {}",
    "1. {}",
    "2) {}",
    "> {}",
    "[koi]({})",
    '[koi]({} "A koi")',
    "[koi]({} 'A koi')",
    "[koi](<{}>)",
    "[a [b] c]({})",
    "![koi]({})",
    "![]({}).",
    "[![koi]({})](https://example.com/page)",
    "[1]: {}",
    '[koi]: {} "A koi"',
    "[koi]: <{}>",
    "[img]{}[/img]",
    "[url={}]koi[/url]",
    "[url]{}[/url]",
    '<a href="{}">koi</a>',
    "<a class='x' href='{}'>koi</a>",
    "<a href={}>koi</a>",
    '<A HREF="{}" target=_blank>',
    '<img src="{}" alt="koi">',
    "<img alt='koi' src='{}'/>",
    '<a href="https://example.com/page"><img src="{}"></a>',
    '<meta property="og:image" content="{}">',
    "&lt;{}&gt;",
    '&lt;img src="{}"&gt;',
    "url: {}",
    "URL={}",
    "url:{}",
    "Image URL: {}",
    'image_url = "{}"',
    '"image_url": "{}",',
    "Bild: {}",
    "画像：{}",
    "地址： {}",
    "src='{}'",
    "url({})",
    "background-image: url('{}');",
    "view-source:{}",
)


@pytest.mark.parametrize("wrapping", WRAPPED)
@pytest.mark.parametrize("url", [PICTURE, "https://cdn.example/a_(b)/c.png?sig=a%2Fb==&name=x,y"])
def test_what_is_round_an_address_goes(wrapping: str, url: str) -> None:
    """However programs and people wrap an address, the address itself comes out."""
    assert url == cleaned(wrapping.format(url))


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("HTTPS://example.com/koi.png", PICTURE),
        ("Https://example.com/koi.png", PICTURE),
        ("https：//example.com/koi.png", PICTURE),
        ("https：／／example.com／koi.png", PICTURE),
        ("ｈｔｔｐｓ：／／ｅｘａｍｐｌｅ．ｃｏｍ／ｋｏｉ．ｐｎｇ", PICTURE),
        ("https:/example.com/koi.png", PICTURE),
        ("https:\\\\example.com/koi.png", PICTURE),
        ("https: //example.com/koi.png", PICTURE),
        ("ttps://example.com/koi.png", PICTURE),
        ("//example.com/koi.png", PICTURE),
        ("example.com/koi.png", PICTURE),
        ("“example.com/koi.png”,", PICTURE),
        ("[koi](example.com/koi.png)", PICTURE),
        ("exam\u200bple.com/k\u00adoi.png", PICTURE),
        ("https://example.com/\n  koi.png".replace("  ", ""), PICTURE),
        (r"https:\/\/example.com\/koi.png", PICTURE),
        (r"https://example.com/koi\_1.png", "https://example.com/koi_1.png"),
        ("https%3A%2F%2Fexample.com%2Fkoi.png", PICTURE),
        ("www.example.com/koi.png", "https://www.example.com/koi.png"),
        ("WWW.example.com", "https://WWW.example.com"),
        ("www.example.com?koi", "https://www.example.com?koi"),
        ("bücher.example/koi.png", "https://bücher.example/koi.png"),
        ("例え.テスト/koi.png", "https://例え.テスト/koi.png"),
        ("example.com:8080/koi.png", "https://example.com:8080/koi.png"),
        ("93.184.215.14/koi.png", "https://93.184.215.14/koi.png"),
        ("https://example.com/?a=1&amp;b=2", "https://example.com/?a=1&b=2"),
        (r"https://example.com/?a=1\u0026b=2", "https://example.com/?a=1&b=2"),
        ('<img src="https://example.com/?a=1&amp;b=2">', "https://example.com/?a=1&b=2"),
    ],
)
def test_an_address_is_completed(text: str, url: str) -> None:
    """What a browser or a reader would take for an address is written as one, with https if no scheme is given."""
    assert url == cleaned(text)


@pytest.mark.parametrize(
    "url",
    [
        PICTURE,
        "http://example.com/koi.png",
        "https://en.wikipedia.org/wiki/Koi_(fish)",
        "https://example.com/a(1)(2).png",
        "https://example.com/[a]/b[1]",
        "https://example.com/?sig=abc%2Bd/e==",
        "https://example.com/?sig=abc%2Cd",
        "https://example.com/w_300,h_200/koi.png",
        "https://example.com/?a={b}",
        "https://example.com/koi*",
        "https://example.com/koi~",
        "https://example.com/koi_",
        "https://example.com/koi-",
        "https://example.com/koi$",
        "https://example.com/koi/",
        "https://example.com/koi&",
        "https://example.com/koi@2x.png",
        "https://example.com/koi%",
        "https://example.com/koi#a",
        "https://example.com/'koi'",
        "https://example.com/it's'",
        "https://example.com/a;b=c.png",
        "https://example.com/a|b.png",
        "https://example.com/wait...what!.png",
        "https://example.com/my koi.png",
        "https://example.com/L’Été.png",
        "https://example.com/画像（１）.png",
        "https://example.com/👩\u200d🎨.png",
        "https://example.com/می\u200cخواهم.png",
        "https://example.com/?u=https://other.example/a.png",
        "https://example.com/https%3A%2F%2Fother.example%2Fa.png",
        "https://[2606:4700::1]/koi.png",
        "data:image/png;base64,AAAA==",
        "blob:https://example.com/994c2844",
        "javascript:alert(1)",
        "ftp://example.com/koi.png",
        "file:///home/koi.png",
        "C:\\Users\\koi.png",
        "/home/koi.png",
        "994c2844-85h8-4a2b",
        "sample-grid",
        "994c2844 3",
        "koi.png",
        "",
    ],
)
def test_what_belongs_to_an_address_stays(url: str) -> None:
    """No character that an address may have is taken from it, and what is no address is not made into one."""
    assert url == cleaned(url)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(), st.text("\"'<>()[]*_`!: /\\&;.,hH\u200d\u200bｈ：／")))
@example("www.www.www.a.b")
@example("****https://a.b/c*")
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    """What was cleaned is clean, whatever it was."""
    assert cleaned(text) == cleaned(cleaned(text))


@pytest.mark.parametrize(
    "piece", ["(", "[", "<", "\\", " ", "\n", "'", "[](", "![", "a.", "<a ", "url(", "1. ", "&amp;", "*", "www."]
)
def test_long_texts_are_cleaned_at_once(piece: str) -> None:
    """No text, however long and odd, takes long to clean."""
    started = time.process_time()
    cleaned("https://example.com/" + piece * (60_000 // len(piece)))
    cleaned(piece * (60_000 // len(piece)))
    assert time.process_time() - started < 2
