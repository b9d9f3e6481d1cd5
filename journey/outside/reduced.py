"""Addresses of reduced copies (previews, thumbnails, sizes for a screen), and where the full picture lies.

It is told from the address alone, by the habits of the services and programs that make such copies. Nobody is asked, so
what is uncertain is only ever offered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, unquote, urljoin, urlsplit

_PICTURE = r"\.(?:png|jpe?g|webp|avif|gif)"
_SIZES = ("w", "h", "width", "height", "maxwidth", "maxheight", "max_width", "max_height", "max-w", "max-h", "resize")
_LOOKS = (
    "fit",
    "crop",
    "quality",
    "q",
    "dpr",
    "format",
    "auto",
    "fm",
    "zoom",
    "strip",
    "cs",
    "trim",
    "sharp",
    "method",
)
_SIGNED = re.compile(r"sig|hmac|token|x-amz|policy|hash|^s$|^k$", re.IGNORECASE)
_SCREEN = 2_000
"""Pixels. A size in an address that is larger asks for a picture that is hardly reduced."""


@dataclass(frozen=True)
class Full:
    """Where the full picture lies; None when that cannot be told. `is_certain` when the service is known to do so."""

    address: str | None
    is_certain: bool = True


_Judge = Callable[[SplitResult], Full | None]


def reduced(url: str) -> Full | None:
    """What is known of the full picture, if this is the address of a reduced copy; None if it is not known to be."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").removesuffix(".")
        if parts.scheme.lower() not in ("http", "https") or not host:
            return None
        for hosts, judge in _RULES:
            if re.fullmatch(hosts, host) and (found := judge(parts)) and found.address != url:
                return found
    except ValueError:
        pass
    return None


def _without(parts: SplitResult, names: Iterable[str]) -> SplitResult:
    """The same without these parameters; the others stay letter for letter."""
    fields = [field for field in parts.query.split("&") if field.partition("=")[0].lower() not in names]
    return parts._replace(query="&".join(field for field in fields if field))


def _by_path(pattern: str, replacement: str, *, certain: bool = True, drop_query: bool = False) -> _Judge:
    """Reduced when the path has this pattern; the full one has the replacement instead."""
    compiled = re.compile(pattern, re.IGNORECASE)

    def judge(parts: SplitResult) -> Full | None:
        path, times = compiled.subn(replacement, parts.path, count=1)
        if not times:
            return None
        parts = parts._replace(path=path, query="" if drop_query else parts.query)
        return Full(parts.geturl(), certain)

    return judge


def _by_query(names: Iterable[str], *, others: Iterable[str] = _LOOKS, certain: bool = True) -> _Judge:
    """Reduced when the query has one of these parameters; the full one has none of them, and none of the others."""
    marks, gone = frozenset(names), frozenset((*names, *others))

    def judge(parts: SplitResult) -> Full | None:
        given = dict(parse_qsl(parts.query.lower(), keep_blank_values=True))
        if not marks & given.keys():
            return None
        return Full(_without(parts, gone).geturl(), certain)

    return judge


def _with_query(name: str, value: str, *, certain: bool = True) -> _Judge:
    """Reduced when this parameter has another value."""

    def judge(parts: SplitResult) -> Full | None:
        given = dict(parse_qsl(parts.query, keep_blank_values=True))
        if given.get(name, value) == value:
            return None
        rest = _without(parts, [name]).query
        return Full(parts._replace(query="&".join(filter(None, [rest, f"{name}={value}"]))).geturl(), certain)

    return judge


def _somewhere(pattern: str) -> _Judge:
    """Reduced when the path has this pattern, and nobody can tell where the full one lies."""
    return lambda parts: Full(None) if re.search(pattern, parts.path) else None


def _discord_proxy(parts: SplitResult) -> Full | None:
    """`…/external/SIGNATURE/https/host/path` is a copy of a picture elsewhere; all else lies at Discord itself."""
    if found := re.fullmatch(r"/external/[^/]+/(?:[^/]*%3D[^/]*/)?(https?)/(.+)", parts.path):
        return Full(f"{found[1]}://{found[2]}", is_certain=False)
    given = {field.partition("=")[0] for field in parts.query.split("&")}
    if not given & {"width", "height", "format", "quality", "size"}:
        return None
    query = _without(parts, ("width", "height", "format", "quality", "animated", "size")).query.strip("&=")
    return Full(parts._replace(netloc="cdn.discordapp.com", query=query).geturl())


def _wikimedia(parts: SplitResult) -> Full | None:
    found = re.fullmatch(r"(/.+)/thumb(/[^/]/[^/]{2}/([^/]+))/[^/]*\d+px-[^/]+", parts.path)
    is_picture = found and re.search(_PICTURE + r"|\.tiff?", found[3], re.IGNORECASE)
    return Full(parts._replace(path=found[1] + found[2], query="").geturl()) if found and is_picture else None


def _reddit(parts: SplitResult) -> Full | None:
    """The name may have the title of its post before it: `a-title-v0-ID.png`."""
    found = re.fullmatch(rf"/(?:.*-v0-)?([a-z0-9]+{_PICTURE})", parts.path, re.IGNORECASE)
    return Full(f"https://i.redd.it/{found[1]}") if found else None


def _imgur(parts: SplitResult) -> Full | None:
    """Names have five or seven letters, and one more, or `_d`, for a size."""
    found = re.fullmatch(rf"/([A-Za-z0-9]{{7}}|[A-Za-z0-9]{{5}})(?:[sbtmlhgr]|_d)({_PICTURE})", parts.path)
    if not found:
        return _by_query(["maxwidth", "width"], others=["fidelity", "shape", "fb"])(parts)
    ending = ".png" if found[2] == ".webp" else found[2]
    return Full(f"https://{parts.netloc}/{found[1]}{ending}", is_certain=len(found[1]) == 7)


def _photon(parts: SplitResult) -> Full | None:
    return _by_query([*_SIZES, "fit"])(parts)


def _inner(parts: SplitResult) -> Full | None:
    """Services that resize other servers' pictures name those in their own address."""
    if found := re.search(r"/cdn-cgi/image/[^/]+/(.+)", parts.path):
        inner = found[1] + (f"?{parts.query}" if parts.query else "")
    elif parts.path.endswith(("/_next/image", "/_vercel/image", "/_image", "/.netlify/images")):
        fields = dict(parse_qsl(parts.query))
        inner = fields.get("url") or fields.get("href") or ""
    else:
        return None
    inner = inner if re.match("https?://", inner) else f"/{inner.lstrip('/')}"
    return Full(urljoin(parts.geturl(), inner)) if inner != "/" else None


def _wordpress(parts: SplitResult) -> Full | None:
    """The sizes of WordPress: sure in its own folder of uploads; elsewhere only those too small for a title."""
    found = re.search(rf"-(\d{{2,4}})x(\d{{2,4}})(?={_PICTURE}$)", parts.path, re.IGNORECASE)
    is_wordpress = "/wp-content/" in parts.path or "/uploads/" in parts.path
    if not found or not (is_wordpress or 100 <= max(int(found[1]), int(found[2])) <= 1024):
        return None
    path = parts.path[: found.start()] + parts.path[found.end() :]
    return Full(parts._replace(path=path).geturl(), is_certain=is_wordpress)


def _by_habit(parts: SplitResult) -> Full | None:
    """`?w=400` and its like, at a service that nobody has told us of. A signed address would not outlive the change."""
    fields = dict(parse_qsl(parts.query, keep_blank_values=True))
    if any(_SIGNED.search(name) for name in fields):
        return None
    sizes = [fields[name] for name in fields if name.lower() in _SIZES]
    numbers = [int(number) for size in sizes for number in re.findall(r"\d{1,5}", unquote(size))]
    if not numbers or max(numbers) > _SCREEN:
        return None
    return Full(_without(parts, frozenset((*_SIZES, *_LOOKS))).geturl(), is_certain=False)


_GOOGLE = r".*\.(?:googleusercontent|ggpht|blogspot)\.com|yt3\.ggpht\.com"
_GOOGLE_SIZE = r"=(?!s0\b)(?!d\b)(?:[swh]\d{1,5}|w\d+-h\d+)(?:-[a-z0-9]+)*$"
_SHOPIFY_SIZE = (
    r"_(?:\d{1,4}x\d{0,4}|x\d{1,4}|pico|icon|thumb|small|compact|medium|large|grande)"
    r"(?:_crop_\w+)?(?:@\dx)?(?=\.\w{3,4}$)"
)

_RULES: tuple[tuple[str, _Judge], ...] = (
    (r"media\.discordapp\.net|images-ext-\d\.discordapp\.net", _discord_proxy),
    (r"cdn\.discordapp\.com", _with_query("size", "4096", certain=False)),
    (
        r"cdn\.midjourney\.com",
        _by_path(r"/((?:grid_)?\d+(?:_\d+)?)_\d{2,4}(?:_[a-z]+)?" + _PICTURE + "$", r"/\1.png", drop_query=True),
    ),
    (r"pbs\.twimg\.com", _with_query("name", "orig")),
    (r"pbs\.twimg\.com", _by_path(r"(/media/[^:]+):(?!orig$)\w+$", r"\1:orig")),
    (r"pbs\.twimg\.com", _by_path(r"(/profile_images/.+)_(?:normal|bigger|mini|\d+x\d+)(\.\w+)$", r"\1\2")),
    (_GOOGLE, _by_path(_GOOGLE_SIZE, "=s0")),
    (_GOOGLE, _by_path(r"/(?!s0[/-])(?:[swh]\d{2,4}|w\d+-h\d+)(?:-[a-z0-9]+)*/(?=[^/]+$)", "/s0/")),
    (r"i\.pinimg\.com", _by_path(r"^/\d+x\d*(?:_[A-Z]+)?/", "/originals/", certain=False)),
    (
        r"(?:\d+\.)?media\.tumblr\.com",
        _by_path(r"_(?:75sq|100|250|400|500|540|640)(\.\w+)$", r"_1280\1", certain=False),
    ),
    (r"(?:\d+\.)?media\.tumblr\.com", _somewhere(r"/s\d{2,4}x\d{2,4}/")),
    (
        r"(?:live|farm\d+)\.static\.?flickr\.com",
        _by_path(r"(/\d+_[0-9a-f]+)(?:_[sqtmnwzc])?(\.\w+)$", r"\1_b\2", certain=False),
    ),
    (r"(?:live|farm\d+)\.static\.?flickr\.com", _somewhere(r"_b\.\w+$")),
    (r"cdn\.shopify\.com", _by_path(_SHOPIFY_SIZE, "")),
    (r".+", lambda parts: _by_path(_SHOPIFY_SIZE, "")(parts) if "/cdn/shop/" in parts.path else None),
    (r"preview\.redd\.it", _reddit),
    (r"external-preview\.redd\.it", _somewhere("/")),
    (r"i\.imgur\.com", _imgur),
    (r"upload\.wikimedia\.org", _wikimedia),
    (r"i[0-3]\.wp\.com|.+\.files\.wordpress\.com", _photon),
    (r"images\.unsplash\.com|plus\.unsplash\.com|images\.pexels\.com|.+\.imgix\.net", _by_query([*_SIZES, "q"])),
    (
        r"images\.ctfassets\.net|cdn\.sanity\.io|cdn\.shopify\.com|cdn\.dribbble\.com|cdn\.prod\.website-files\.com",
        _by_query(_SIZES),
    ),
    (r"images\.squarespace-cdn\.com|static\d\.squarespace\.com", _with_query("format", "original")),
    (r"static\.wixstatic\.com", _by_path(r"^(/media/[^/]+)/v1/.+$", r"\1")),
    (r"miro\.medium\.com", _by_path(r"/(?:v2/)?(?:resize|max|fit)[:/][^/]*(?:\d+/)*/?(?=[^/]+$)", "/", certain=False)),
    (r"res\.cloudinary\.com", _by_path(r"(/upload/)(?:[a-z]{1,3}_[^/]+/)+", r"\1", certain=False)),
    (r"i\.etsystatic\.com", _by_path(r"/il_\d+x(?:\d+|N)\.", "/il_fullxfull.")),
    (r"i\.ebayimg\.com", _by_path(r"/s-l(?!1600)\d+\.", "/s-l1600.", certain=False)),
    (r".+\.media-amazon\.com|.+\.ssl-images-amazon\.com", _by_path(r"\._[A-Z0-9_,]+_(?=\.\w+$)", "")),
    (r".+\.artstation\.com", _by_path(r"/(?:small|medium|small_square|smaller_square)/", "/large/", certain=False)),
    (r"mir-s3-cdn-cf\.behance\.net", _by_path(r"/(?:disp|\d{3}|max_\d+|\d+_opt_\d)/", "/source/", certain=False)),
    (
        r"i\d?\.ytimg\.com|img\.youtube\.com",
        _by_path(r"/(?:hq|mq|sd)?default\.jpg$", "/maxresdefault.jpg", certain=False),
    ),
    (r"images-wixmp-.+\.wixmp\.com", _somewhere("/v1/f(?:it|ill)/")),
    (r".+\.(?:fbcdn\.net|cdninstagram\.com)", _somewhere(r"/[sp]\d{3}x\d{3}/")),
    (r".+", _inner),
    (r".+", _by_path(r"/content/images/size/w\d+(?:h\d+)?/", "/content/images/")),
    (r".+", _wordpress),
    (r".+", _by_path(_GOOGLE_SIZE, "=s0", certain=False)),
    (r".+", _by_habit),
)
"""Patterns of whole hosts, and what to think of an address there; the first that knows something decides."""
