"""Pages that share a picture: what to do at each, and the address of the picture itself where the page's tells it.

Nothing here asks anybody, so an address that comes out may lead nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, quote, urlsplit

_DOWNLOAD = "Download the picture there, and upload the file here."


@dataclass(frozen=True)
class _Service:
    """`hosts` is a pattern of whole hosts, `path` of the beginnings of paths; `itself` gives the picture's address."""

    hosts: str
    path: str
    what_to_do: str
    itself: Callable[[SplitResult], str | None] = lambda _: None


def _dropbox(page: SplitResult) -> str | None:
    given = [field for field in page.query.split("&") if field]
    fields = [field for field in given if field.partition("=")[0] not in ("dl", "raw")]
    if "raw=1" in given or "dl=1" in given:
        return None
    return page._replace(scheme="https", query="&".join([*fields, "raw=1"]), fragment="").geturl()


def _drive(page: SplitResult) -> str | None:
    fields = parse_qs(page.query)
    found = re.search(r"/d/([\w-]{10,})", page.path)
    file = found[1] if found else fields.get("id", [""])[0]
    key = fields.get("resourcekey", [""])[0]
    address = f"https://drive.google.com/uc?export=download&id={quote(file, safe='')}"
    return (address + (f"&resourcekey={quote(key, safe='')}" if key else "")) if file else None


def _imgur(page: SplitResult) -> str | None:
    found = re.fullmatch(r"/([A-Za-z0-9]{5,8})/?", page.path)
    return f"https://i.imgur.com/{found[1]}.png" if found else None


def _midjourney(page: SplitResult) -> str | None:
    found = re.search(r"/jobs/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", page.path)
    index = parse_qs(page.query).get("index", ["0"])[0]
    place = index if re.fullmatch("[0-3]", index) else "0"
    return f"https://cdn.midjourney.com/{found[1]}/0_{place}.png" if found else None


def _repository(page: SplitResult) -> str:
    return page._replace(path=page.path.replace("/blob/", "/raw/", 1), query="", fragment="").geturl()


def _wiki_file(page: SplitResult) -> str | None:
    found = re.fullmatch(r"/wiki/[^/:]+:([^/]+\.(?:png|jpe?g|webp|gif|tiff?))", page.path, re.IGNORECASE)
    return page._replace(path=f"/wiki/Special:FilePath/{found[1]}", query="", fragment="").geturl() if found else None


def _named(field: str) -> Callable[[SplitResult], str | None]:
    def itself(page: SplitResult) -> str | None:
        address = parse_qs(page.query).get(field, [""])[0]
        return address if re.match("https?://", address, re.IGNORECASE) else None

    return itself


_SERVICES = (
    _Service(
        r"(drive|docs)\.google\.com",
        "/",
        f"This is a page of Google Drive, not a picture. {_DOWNLOAD} "
        "An address works only if anyone with the link may see the file.",
        _drive,
    ),
    _Service(
        r"photos\.google\.com|photos\.app\.goo\.gl", "/", f"This is a page of Google Photos, not a picture. {_DOWNLOAD}"
    ),
    _Service(
        r"(www\.)?google\.[a-z.]{2,6}",
        "/imgres",
        "This is a result of Google Images, not a picture. Open the page that it leads to, and copy the image address.",
        _named("imgurl"),
    ),
    _Service(
        r"(www\.)?dropbox\.com",
        "/",
        "This is a page of Dropbox, not a picture. Write raw=1 in place of dl=0 at its end, or download the picture "
        "and upload the file.",
        _dropbox,
    ),
    _Service(
        r"1drv\.ms|(www\.)?onedrive\.live\.com|.+\.sharepoint\.com|photos\.onedrive\.com",
        "/",
        f"This is a page of OneDrive, not a picture. {_DOWNLOAD}",
    ),
    _Service(
        r"(www\.|share\.)?icloud\.com|photos\.icloud\.com", "/", f"This is a page of iCloud, not a picture. {_DOWNLOAD}"
    ),
    _Service(
        r"((www|m)\.)?imgur\.com",
        "/.",
        "This is a page of Imgur, not a picture. Right-click the picture there and copy its image address, which "
        "begins with i.imgur.com.",
        _imgur,
    ),
    _Service(
        r"((www|alpha)\.)?midjourney\.com",
        "/",
        "This is a page of Midjourney, not a picture. Open it, right-click the picture and copy its image address, "
        "or save the picture and upload the file.",
        _midjourney,
    ),
    _Service(
        r"((www|ptb|canary)\.)?discord(app)?\.com",
        "/channels/",
        "This is the link of a message in Discord, which only members can open. Open the picture in the message, "
        "and copy the link of the picture.",
    ),
    _Service(
        r"github\.com|gitlab\.com",
        "/.+/blob/",
        "This is a page that shows a file, not the file. Use the address behind its Raw or Download button.",
        _repository,
    ),
    _Service(
        r".+\.(wikipedia|wikimedia)\.org",
        "/wiki/[^/:]+:.+[.]",
        "This is a page about a file, not the file. Use the address behind “Original file”.",
        _wiki_file,
    ),
    _Service(
        r"wetransfer\.com|we\.tl|mega\.nz|t\.me|(www\.)?box\.com|app\.box\.com|(www\.)?mediafire\.com|pcloud\.link",
        "/",
        f"This is a page from which a file can be downloaded, not a picture. {_DOWNLOAD}",
    ),
)


def shared_by(url: str) -> str | None:
    """What to do with the address of a page that shares a picture; None for any other address."""
    found = _found(url)
    return found[0].what_to_do if found else None


def picture_itself(url: str) -> str | None:
    """The address of the picture that a page shares; None where it cannot be told, and for any other address."""
    found = _found(url)
    address = found[0].itself(found[1]) if found else None
    return None if address == url else address


def _found(url: str) -> tuple[_Service, SplitResult] | None:
    try:
        page = urlsplit(url)
        host = page.hostname or ""
    except ValueError:
        return None
    for service in _SERVICES:
        if re.fullmatch(service.hosts, host) and re.match(service.path, page.path or "/"):
            return service, page
    return None
