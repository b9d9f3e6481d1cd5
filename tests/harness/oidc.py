"""A small OpenID Connect provider on a loopback socket: people type the address they want to sign in with.

    with FakeProvider() as provider:
        auth = provider.auth_table("http://127.0.0.1:{port}/oauth2callback")    # [auth] of secrets.toml

It signs ID tokens with RS256, requires PKCE and the client's secret, and redeems each code once.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import secrets
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID = "studio"


@dataclass(frozen=True)
class Grant:
    """What a code stands for until it is redeemed."""

    claims: dict[str, Any]
    redirect_uri: str
    challenge: str


class FakeProvider:
    """The fake. Its listener is open within `with`."""

    def __init__(self) -> None:
        self.client_secret = secrets.token_hex(16)
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
        self.grants: dict[str, Grant] = {}
        self.sign_ins = 0

    def __enter__(self) -> Self:
        provider = self

        class Handler(_Handler):
            fake = provider

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def auth_table(self, redirect_uri: str, **more: str) -> str:
        """The table [auth] of secrets.toml for this provider."""
        values = {
            "redirect_uri": redirect_uri,
            "cookie_secret": secrets.token_hex(32),
            "client_id": CLIENT_ID,
            "client_secret": self.client_secret,
            "server_metadata_url": f"{self.issuer}/.well-known/openid-configuration",
            **more,
        }
        return "[auth]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items())

    def grant(self, asked: dict[str, str], email: str, *, verified: bool) -> str:
        """Sign somebody in and return the address where the browser goes next."""
        code = secrets.token_urlsafe(16)
        claims = {
            "iss": self.issuer,
            "sub": hashlib.sha256(email.encode()).hexdigest()[:16],
            "aud": CLIENT_ID,
            "nonce": asked["nonce"],
            "email": email,
            "email_verified": verified,
        }
        self.grants[code] = Grant(claims, asked["redirect_uri"], asked["code_challenge"])
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def redeem(self, asked: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """The tokens for a code, once, for the client that asked for it; None for anybody else."""
        grant = self.grants.pop(asked.get("code", ""), None)
        expected = base64.b64encode(f"{CLIENT_ID}:{self.client_secret}".encode()).decode()
        digest = hashlib.sha256(asked.get("code_verifier", "").encode()).digest()
        proved = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if grant is None or authorization != f"Basic {expected}":
            return None
        if grant.redirect_uri != asked.get("redirect_uri") or grant.challenge != proved:
            return None
        self.sign_ins += 1
        now = int(time.time())
        token = jwt.encode({"alg": "RS256", "kid": "one"}, {**grant.claims, "iat": now, "exp": now + 300}, self.key)
        return {"access_token": secrets.token_hex(8), "token_type": "Bearer", "expires_in": 300, "id_token": token}


class _Handler(BaseHTTPRequestHandler):
    fake: FakeProvider

    def do_GET(self) -> None:
        fake, parts = self.fake, urlsplit(self.path)
        if parts.path == "/.well-known/openid-configuration":
            self._json(
                {
                    "issuer": fake.issuer,
                    "authorization_endpoint": f"{fake.issuer}/authorize",
                    "token_endpoint": f"{fake.issuer}/token",
                    "jwks_uri": f"{fake.issuer}/jwks",
                    "response_types_supported": ["code"],
                    "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": ["RS256"],
                    "code_challenge_methods_supported": ["S256"],
                }
            )
        elif parts.path == "/jwks":
            self._json({"keys": [fake.key.as_dict(private=False)]})
        elif parts.path == "/authorize":
            hidden = "".join(
                f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(values[0])}">'
                for name, values in parse_qs(parts.query).items()
            )
            page = (
                f'<!doctype html><title>Who are you?</title><form method="post" action="/authorize">{hidden}'
                '<label>E-mail <input name="email"></label>'
                '<label><input type="checkbox" name="verified" checked> verified</label>'
                "<button>Continue</button></form>"
            )
            self._answer(200, page.encode(), {"Content-Type": "text/html"})
        else:
            self._answer(404, b"", {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        asked = {name: values[0] for name, values in parse_qs(body).items()}
        if self.path == "/authorize":
            self._answer(303, b"", {"Location": self.fake.grant(asked, asked["email"], verified="verified" in asked)})
        elif self.path == "/token" and (tokens := self.fake.redeem(asked, self.headers.get("Authorization", ""))):
            self._json(tokens)
        else:
            self._answer(400, b'{"error": "invalid_grant"}', {"Content-Type": "application/json"})

    def _json(self, answer: object) -> None:
        self._answer(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silence."""
