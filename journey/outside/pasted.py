"""The address in what a person pasted, without the quotes, brackets, labels and links of Markdown or HTML round it.

Nothing is judged here, and nothing that belongs to an address is touched: what comes out is given to the door.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from urllib.parse import unquote

_READ = 16_384
"""More characters than this are no address of anybody's, and are left as they are."""

_UNSEEN = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u180e\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe0e\ufeff\uffa0\ufff9-\ufffc"
)
# Between letters and pictures of other scripts a joiner means something: it holds the parts of an emoji together.
_MARKS = re.compile(rf"[\t\n\r\u2028\u2029{_UNSEEN}]|(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])")

_CLOSING = {"(": ")", "[": "]", "{": "}", "（": "）", "［": "］", "【": "】", "〔": "〕"}
_OPENERS = "\"'`“”„‟‘’‚‛«»‹›「」『』〈〉《》＂＇｢｣<>＜＞|*_~" + "".join(_CLOSING)
_AFTER = '"`“”„‟‘’‚‛«»‹›「」『』〈〉《》＂＇｢｣<>＜＞|,;.!?…。、，；．！？،؛؟।｡､:：\\'

_WORD = r"(?:url|uri|link|href|src|image|img|picture|photo|address|source|download|view-source|image_?url)"
_LABEL = re.compile(
    rf"(?:[-*•–—·>]+|[0-9]{{1,3}}[.)])\s+|@?{_WORD}\s*[:=：]\s*"
    r"|[\w \"'“”#*-]{1,60}?(?:[=：]\s*|:(?:\s+|(?=[\"'<(\[])))",
    re.IGNORECASE,
)
_LABELLED = re.compile(r"[\s\"'“”„‘’«»‹›<(\[]*(?:https?:|www\.)", re.IGNORECASE)

_ESCAPED_MARK = re.compile(r"\\([_*~&?=()\[\]%#!+,;'\"-])")
_SCHEME = re.compile(r"(?:(https?)|ttp(s?))\s?[:：]\s?([/\\／＼]{1,2})(?![/\\／＼])", re.IGNORECASE)
_WIDE_SCHEME = re.compile(r"[ｈＨ][ｔＴ][ｔＴ][ｐＰ][ｓＳ]?[:：]")
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_WIDE_MARKS = {ord(mark): ord(mark) - 0xFEE0 for mark in "：／＼？＆＝＃％．"}
_BARE = re.compile(
    r"(?:www\.[^\s/?#@:]{1,200}\.[^\s/?#@:]{1,63}|(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?::[0-9]{1,5})?/.*"
    r"|(?:[\w-]{1,63}\.){1,9}(?:[^\W\d_]{2,24}|xn--[a-z0-9-]{2,59})\.?(?::[0-9]{1,5})?/.*)(?:[/?#:].*)?",
    re.IGNORECASE | re.DOTALL,
)

_TAG = re.compile(r"<\s*(?:a|img|source|link|meta|image|picture)\b[^>]*", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"\b(src|href|content)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)
_TITLE = re.compile(r"\s(?:\"[^\"]*\"|'[^']*'|\([^()]*\))\s*$")
_REFERENCE = re.compile(r"\[[^\]]{1,200}\]:\s*(?P<url><[^>]+>|\S+)(?:\s+(?:\"[^\"]*\"|'[^']*'|\([^()]*\)))?")
_FORUM = re.compile(r"\[(?:img|url)(?:=(?P<named>[^\]]+))?[^\]]*\](?P<url>.*?)(?:\[/(?:img|url)\].*)?", re.IGNORECASE)
_STYLE = re.compile(r"(?:[\w-]{1,30}\s?:\s?)?url\((?=.*\)$)", re.IGNORECASE | re.DOTALL)


def cleaned(text: str) -> str:
    """The address in what a person gave; any other text without the marks round it.

    `“www.example.com/koi.png”,` gives `https://www.example.com/koi.png`. Cleaning twice changes nothing more. Only how
    an address is wrapped is removed: marks that it may have itself stay, such as balanced brackets, `=`, `*`, `~`, `_`.
    """
    if len(text) > _READ:
        return text.strip()
    kept, before = text, None
    while before != kept:
        before = kept
        for step in _STEPS:
            kept = step(kept).strip()
    return kept


def _out_of_escapes(text: str) -> str:
    """JSON writes \\/ and \\u0026, HTML writes &amp;, other programs escape the whole address."""
    text = text.replace("\\/", "/").replace("\\u0026", "&")
    if re.match(r"https?%3A%2F%2F", text, re.IGNORECASE):
        text = unquote(text)
    if text.startswith(("&lt;", "&quot;", "&#")):
        text = unescape(text)
    return re.sub("&(?:amp|#38|#x26);", "&", text, flags=re.IGNORECASE)


def _out_of_markup(text: str) -> str:
    if text.startswith("<") and (tags := [tag.group() for tag in _TAG.finditer(text)]):
        named = [
            (match[1].lower(), match[2] or match[3] or match[4]) for tag in tags for match in _ATTRIBUTE.finditer(tag)
        ]
        # Of a picture that is a link, the picture is wanted.
        for name in ("src", "href", "content"):
            if found := next((value for each, value in named if each == name and value), None):
                return unescape(found)
    if text.startswith(("[", "![")) and text.endswith(")") and "](" in text:
        linked_picture = text.startswith("[![") and ")](" in text
        address = text[text.index("](") : text.index(")](")] if linked_picture else text[text.rindex("](") : -1]
        return _TITLE.sub("", address[2:])
    if match := _REFERENCE.fullmatch(text):
        return match["url"]
    if match := _STYLE.match(text):
        return text[match.end() : -1]
    if match := _FORUM.fullmatch(text):
        return match["named"] or match["url"]
    return text


def _without_label(text: str) -> str:
    if (label := _LABEL.match(text)) and _LABELLED.match(text, label.end()):
        return text[label.end() :]
    return text


def _without_wrapping(text: str) -> str:
    """Without what opens in front of it, and without what no address ends with."""
    start = text.lstrip(_OPENERS + " ")
    opened = text[: len(text) - len(start)].replace(" ", "")
    emphasis = opened[len(opened.rstrip("*_~")) :]
    # `[::1]/a.png` begins with its host.
    text = text if re.match(r"\[[0-9a-f.]*:[0-9a-f:.]*\]", text, re.IGNORECASE) else start
    if emphasis and text.endswith(emphasis[::-1]):
        text = text[: -len(emphasis)]
    while text and _is_after(text):
        text = text[:-1]
    return text


def _is_after(text: str) -> bool:
    """True when the last character is not the address's own."""
    last = text[-1]
    if last == "'":
        return text.count("'") % 2 == 1
    opening = next((each for each, closing in _CLOSING.items() if closing == last), None)
    return text.count(opening) < text.count(last) if opening else last.isspace() or last in _AFTER


def _with_scheme(text: str) -> str:
    if _WIDE_SCHEME.match(text):
        text = text.translate(_WIDE)
    if match := _SCHEME.match(text):
        if "：" in match.group() or "／" in match.group():
            text = text.translate(_WIDE_MARKS)
        scheme = (match[1] or f"http{match[2]}").lower()
        return f"{scheme}://{text[match.end() :].lstrip()}"
    if text.startswith("//") and _BARE.fullmatch(text[2:]):
        return f"https:{text}"
    return f"https://{text}" if _BARE.fullmatch(text) else text


_STEPS: tuple[Callable[[str], str], ...] = (
    lambda text: _MARKS.sub("", text).strip(),
    _out_of_escapes,
    _out_of_markup,
    _without_label,
    _without_wrapping,
    lambda text: _ESCAPED_MARK.sub(r"\1", text),
    _with_scheme,
)
