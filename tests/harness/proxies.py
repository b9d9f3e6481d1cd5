"""The proxies of docs/how-to/team.md, with the settings that are written there."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.harness.servers import absent
from tests.harness.services import Service
from tests.harness.studios import ROOT

UPSTREAM = "http://127.0.0.1:8501"
"""Where the documents say that the studio listens."""

REPLICAS = 8501, 8502, 8503
"""Where they say that three of them do."""

_AROUND = r"""
daemon off;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    map $upstream_http_set_cookie $encoded_cookie {{
        "~^(_streamlit_xsrf=2)\|([^|]*)\|([^|]*)\|(.*)$" "$1%7C$2%7C$3%7C$4";
    }}
    {around}
    server {{
        listen 127.0.0.1:{port};
        {location}
    }}
}}
"""


def documented_nginx(place: int = 0) -> str:
    """What docs/how-to/team.md shows of an nginx configuration: 0 is before one studio, 1 adds two more."""
    found = re.findall(
        r"^```nginx\n(.*?)^```", (ROOT / "docs" / "how-to" / "team.md").read_text(), re.MULTILINE | re.DOTALL
    )
    return str(found[place])


@contextmanager
def nginx(port: int, upstream: str, *, encodes_cookies: bool = False) -> Iterator[None]:
    """nginx with the documented configuration on a loopback port, before the studio at `upstream`.

    With `encodes_cookies` it hands Streamlit's XSRF cookie to the browser percent-encoded, as some other proxies do.
    """
    location = documented_nginx().replace(UPSTREAM, upstream)
    assert upstream in location
    if encodes_cookies:
        location = location.replace("{", "{ proxy_hide_header Set-Cookie; add_header Set-Cookie $encoded_cookie;", 1)
    # Not pytest's folder, which only its owner may enter: nginx does not need to be root, so it is not.
    with tempfile.TemporaryDirectory(prefix="journey-nginx-") as folder, nginx_service(Path(folder), port, location):
        yield


def nginx_service(folder: Path, port: int, location: str, around: str = "") -> Service:
    """nginx on a loopback port; `location` stands in its server, and `around` beside that."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        absent("nginx is not installed (on Debian: apt-get install nginx-light)")
    config, owner = folder / "nginx.conf", "www-data" if os.geteuid() == 0 else None
    config.write_text(_AROUND.format(folder=folder, port=port, location=location, around=around))
    if owner:
        shutil.chown(folder, owner, owner)
    return Service([program, "-p", str(folder), "-c", str(config), "-e", "stderr"], folder / "log", port, user=owner)


def before_replicas(folder: Path, port: int, replicas: Sequence[int]) -> Service:
    """nginx as documented before three studios, which listen at these ports."""
    around, location = documented_nginx(1), documented_nginx()
    for documented, real in zip(REPLICAS, replicas, strict=True):
        assert str(documented) in around
        around = around.replace(f":{documented}", f":{real}")
    return nginx_service(
        folder, port, f"add_header Set-Cookie $stay;\n{location.replace(UPSTREAM, 'http://$replica')}", around
    )
