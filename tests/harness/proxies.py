"""The proxies of docs/how-to/team.md, with the settings that are written there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.harness.standing import wait_for_server
from tests.harness.studios import ROOT

UPSTREAM = "http://127.0.0.1:8501"
"""Where the documents say that the studio listens."""

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
    server {{
        listen 127.0.0.1:{port};
        {location}
    }}
}}
"""


def documented_nginx() -> str:
    """The part of an nginx configuration that docs/how-to/team.md shows."""
    found = re.search(
        r"^```nginx\n(.*?)^```", (ROOT / "docs" / "how-to" / "team.md").read_text(), re.MULTILINE | re.DOTALL
    )
    assert found is not None
    return found[1]


@contextmanager
def nginx(port: int, upstream: str, *, encodes_cookies: bool = False) -> Iterator[None]:
    """nginx with the documented configuration on a loopback port, before the studio at `upstream`.

    With `encodes_cookies` it hands Streamlit's XSRF cookie to the browser percent-encoded, as some other proxies do.
    """
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        missing = "nginx is not installed (on Debian: apt-get install nginx-light)"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    location = documented_nginx().replace(UPSTREAM, upstream)
    assert upstream in location
    if encodes_cookies:
        location = location.replace("{", "{ proxy_hide_header Set-Cookie; add_header Set-Cookie $encoded_cookie;", 1)
    # Not pytest's folder, which only its owner may enter: nginx does not need to be root, so it is not.
    with tempfile.TemporaryDirectory(prefix="journey-nginx-") as folder:
        config, log = Path(folder, "nginx.conf"), Path(folder, "log")
        config.write_text(_AROUND.format(folder=folder, port=port, location=location))
        owner = "www-data" if os.geteuid() == 0 else None
        if owner:
            shutil.chown(folder, owner, owner)
        with log.open("wb") as written:
            process = subprocess.Popen(
                [program, "-p", folder, "-c", str(config), "-e", "stderr"],
                user=owner,
                group=owner,
                extra_groups=[] if owner else None,
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=subprocess.STDOUT,
            )
        try:
            wait_for_server(process, port, log)
            yield
        finally:
            process.terminate()
            process.wait(30)
