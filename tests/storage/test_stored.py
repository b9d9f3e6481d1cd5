"""Addresses of our own files: made in one place, told apart from all others, and handed to whoever can reach them."""

from __future__ import annotations

import pytest

from journey.provider import JOURNEYAPI, THIS_MACHINE
from journey.storage.stored import Origins, StoredFile

LOCAL = "http://127.0.0.1:8501"
PUBLIC = "https://studio.example.com"
KEY = "0" * 32
FILE = StoredFile(KEY, "a.png")
ORIGINS = Origins(PUBLIC, (LOCAL,))


def test_an_address_is_made_below_any_origin_or_none() -> None:
    """An address is absolute for other programs and relative for our own pages."""
    assert f"{LOCAL}/files/{KEY}/a.png" == FILE.url(LOCAL) == FILE.url(f"{LOCAL}/")
    assert f"/files/{KEY}/a.png" == FILE.url()
    assert f"/files/{KEY}/preview.webp" == FILE.beside("preview.webp").url()


@pytest.mark.parametrize(
    "url",
    [
        f"{LOCAL}/files/{KEY}/a.png",
        f"HTTP://127.0.0.1:8501/files/{KEY}/a.png?download",
        f"http://127.0.0.1.:8501/files/{KEY}/a.png#x",
        f"{PUBLIC}/files/{KEY}/a.png",
        f"{PUBLIC}:443/files/{KEY}/a.png",
    ],
)
def test_an_address_of_ours_is_known_in_any_spelling(url: str) -> None:
    """The case of scheme and host, the usual port, a query and a fragment make no difference."""
    assert FILE == ORIGINS.stored(url)


@pytest.mark.parametrize(
    "url",
    [
        "", "x", f"https://127.0.0.1:8501/files/{KEY}/a.png", f"http://127.0.0.1/files/{KEY}/a.png",
        f"http://127.0.0.1:8501@evil.example/files/{KEY}/a.png", f"{LOCAL}/files/{KEY}/../a.png",
        f"{LOCAL}/files/{KEY}", f"{LOCAL}/other/{KEY}/a.png", f"{LOCAL}/files/{KEY}/a%2fb",
        f"{LOCAL}/files/short/a.png", f"{LOCAL}//files/{KEY}/a.png", "http://[::1/files/x/y",
        f"http://127.0.0.1:99999/files/{KEY}/a.png", f"/files/{KEY}/a.png",
    ],
)  # fmt: skip
def test_other_addresses_are_not_ours(url: str) -> None:
    """Another scheme, host or port, or another path, is not opened by key."""
    assert ORIGINS.stored(url) is None


def test_the_engine_here_may_name_its_files_by_an_address_that_is_no_more() -> None:
    """The engine here may name our files at an earlier port of this server; nobody else may."""
    earlier = f"http://127.0.0.1:8599/files/{KEY}/a.png"
    assert FILE == ORIGINS.stored(earlier, by=THIS_MACHINE)
    assert ORIGINS.stored(earlier, by=JOURNEYAPI) is None
    assert ORIGINS.stored(earlier) is None
    assert ORIGINS.stored("http://127.0.0.1:8599/elsewhere/a.png", by=THIS_MACHINE) is None


def test_a_provider_is_given_the_address_that_it_reaches() -> None:
    """This machine reaches itself by loopback; a service on the internet is given the public address, if any."""
    assert (LOCAL, PUBLIC) == (ORIGINS.for_provider(THIS_MACHINE), ORIGINS.for_provider(JOURNEYAPI))
    assert Origins(local=(LOCAL,)).for_provider(JOURNEYAPI) is None


@pytest.mark.parametrize(
    ("host", "first"),
    [
        ("127.0.0.1", "http://127.0.0.1:8501"),
        ("0.0.0.0", "http://127.0.0.1:8501"),
        ("", "http://127.0.0.1:8501"),
        ("::", "http://127.0.0.1:8501"),
        ("localhost", "http://127.0.0.1:8501"),
        ("192.168.1.7", "http://192.168.1.7:8501"),
        ("::1", "http://[::1]:8501"),
    ],
)
def test_a_server_that_listens_everywhere_is_reached_by_loopback(host: str, first: str) -> None:
    """The first local address is one that can be opened here, and both names of loopback are ours as well."""
    local = Origins.at(host, 8501).local
    assert first == local[0]
    assert {"http://127.0.0.1:8501", "http://localhost:8501"} <= set(local)
