"""Which sign-in configuration is accepted, who is let in, and where they come back to."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from journey.errors import CannotStart
from journey.settings import Settings
from journey.signing_in import Gate, domain_of, normal_domain, services, way_back

ISSUER = {
    "client_id": "studio",
    "client_secret": "s",
    "server_metadata_url": "https://id.example.com/.well-known/openid-configuration",
}
SHARED = {"redirect_uri": "https://studio.example.com/oauth2callback", "cookie_secret": "0123456789abcdef" * 2}


@pytest.mark.parametrize(
    ("auth", "names"),
    [
        (None, ()),
        ({**SHARED, **ISSUER}, ("default",)),
        ({**SHARED, **ISSUER, "client_kwargs": {"prompt": "login"}}, ("default",)),
        ({**SHARED, **ISSUER, "redirect_uri": "http://localhost:{port}/oauth2callback"}, ("default",)),
        ({**SHARED, "google": ISSUER, "okta": ISSUER}, ("google", "okta")),
        ({**SHARED, **ISSUER, "okta": ISSUER, "expose_tokens": ["id"]}, ("default", "okta")),
        (
            {**SHARED, **ISSUER, "server_metadata_url": "http://127.0.0.1:9/.well-known/openid-configuration"},
            ("default",),
        ),
    ],
    ids=["none", "one", "with parameters", "port", "named", "both", "on loopback"],
)
def test_a_whole_configuration_names_its_services(auth: dict[str, Any] | None, names: tuple[str, ...]) -> None:
    """A whole configuration names the services that people can sign in with; without it there is no sign-in."""
    assert names == services(auth)


@pytest.mark.parametrize(
    ("auth", "said"),
    [
        ({}, "[auth] in secrets.toml is empty"),
        ("yes", "[auth] in secrets.toml is empty"),
        ({**SHARED, **ISSUER, "cookie_secret": "xxx"}, "cookie_secret"),
        ({"redirect_uri": SHARED["redirect_uri"], **ISSUER}, "cookie_secret"),
        ({"cookie_secret": SHARED["cookie_secret"], **ISSUER}, "redirect_uri"),
        ({**SHARED, **ISSUER, "redirect_uri": "https://studio.example.com/"}, "redirect_uri"),
        ({**SHARED, **ISSUER, "redirect_uri": "studio.example.com/oauth2callback"}, "redirect_uri"),
        ({**SHARED, **ISSUER, "redirect_uri": "https://[/oauth2callback"}, "redirect_uri"),
        (SHARED, "[auth] in secrets.toml lacks client_id, client_secret, server_metadata_url"),
        ({**SHARED, **ISSUER, "client_secret": ""}, "[auth] in secrets.toml lacks client_secret"),
        ({**SHARED, "okta": {"client_id": "s"}}, "[auth.okta] in secrets.toml lacks client_secret"),
        ({**SHARED, "my_okta": ISSUER}, "underscores"),
        ({**SHARED, **ISSUER, "server_metadata_url": "http://id.example.com/x"}, "https://"),
        ({**SHARED, **ISSUER, "server_metadata_url": "id.example.com"}, "https://"),
        ({**SHARED, **ISSUER, "expose_tokens": "refresh"}, "expose_tokens"),
    ],
)
def test_a_wrong_configuration_is_one_sentence(auth: object, said: str) -> None:
    """What is missing is named, and the start is refused: a studio that was meant to be closed is never open."""
    with pytest.raises(CannotStart) as caught:
        services(auth)
    assert said in str(caught.value)


def test_a_studio_that_was_meant_to_be_closed_does_not_start_open(tmp_path: Path) -> None:
    """A secrets.toml with a typing error ends the start with one sentence, even on loopback."""
    (tmp_path / "secrets.toml").write_text("[auth\n")
    ended = subprocess.run(
        [sys.executable, "-m", "streamlit", "run", "app.py"],
        cwd=Path(__file__).parent.parent,
        env={
            **os.environ,
            "STREAMLIT_SECRETS_FILES": str(tmp_path / "secrets.toml"),
            "JOURNEY_DATA_DIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert 1 == ended.returncode
    assert "Cannot start: The file secrets.toml cannot be read as TOML" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("version", [None, "1.6.9", "1.5"])
def test_a_missing_or_old_authlib_is_one_sentence(version: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing or old Authlib stops the start with a sentence that names the extra to install."""

    def installed(name: str) -> str:
        if version is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return version

    monkeypatch.setattr(importlib.metadata, "version", installed)
    with pytest.raises(CannotStart, match="EXTRAS=auth"):
        services({**SHARED, **ISSUER})


@pytest.mark.parametrize(
    ("email", "domains"),
    [
        ("anna@example.com", ("example.com",)),
        ("Anna@EXAMPLE.com", ("example.com",)),
        ("anna@example.com", ("other.org", "Example.COM")),
        ("anna+studio@example.com", ("example.com",)),
        ("anna@bücher.example", ("xn--bcher-kva.example",)),
        ("anna@xn--bcher-kva.example", ("Bücher.example",)),
        ('"a@evil.com"@example.com', ("example.com",)),
        ("anybody@anywhere.org", ()),
        (None, ()),
    ],
)
def test_an_address_of_an_allowed_domain_is_let_in(email: str | None, domains: tuple[str, ...]) -> None:
    """Case and the spelling of an international domain do not matter; without domains everybody is let in."""
    assert None is Gate(domains, set()).refusal({"email": email})


@pytest.mark.parametrize(
    "email",
    [
        "anna@evil.com",
        "anna@notexample.com",
        "anna@sub.example.com",
        "anna@example.com.evil.com",
        "anna@example.com@evil.com",
        "anna@example.com.",
        "anna@example.com\n",
        "anna@evil.com example.com",
        "anna@exаmple.com",  # the second a is Cyrillic
        "anna@straße.example",
        "@example.com",
        "example.com",
        "anna@",
        "",
        None,
        7,
        ["anna@example.com"],
    ],
)
def test_every_other_address_is_refused(email: object) -> None:
    """Parts of a domain, look-alikes, more than one @, and what is not an address at all are refused."""
    assert Gate(("example.com", "strasse.example"), set()).refusal({"email": email})


@pytest.mark.parametrize("said", [False, "false", "False"])
@pytest.mark.parametrize("domains", [(), ("example.com",)])
def test_an_address_that_is_not_verified_is_refused(said: object, domains: tuple[str, ...]) -> None:
    """An address that is not verified is refused, because whoever signs in could have typed any address."""
    assert "anna@example.com is not verified" in str(
        Gate(domains, set()).refusal({"email": "anna@example.com", "email_verified": said})
    )
    assert None is Gate(domains, set()).refusal({"email": "anna@example.com", "email_verified": True})


@pytest.mark.parametrize(
    "setting", ["@example.com", "*.example.com", "example", "https://example.com", "a b.com", "example.com."]
)
def test_a_setting_that_is_no_domain_stops_the_start(setting: str) -> None:
    """What is not a domain stops the start, so that a typing error locks nobody out and lets nobody in."""
    with pytest.raises(ValueError, match=r"such as example\.com"):
        Settings(sign_in_domains=setting)


def test_domains_are_kept_in_their_normal_form() -> None:
    """Domains are kept in their normal form, so that they can be compared as they are."""
    settings = Settings(sign_in_domains=" Example.com, Bücher.example,")
    assert ("example.com", "xn--bcher-kva.example") == settings.sign_in_domains
    assert "example.com" == domain_of("a@EXAMPLE.com") == normal_domain("example.com")


def test_a_sign_in_that_is_over_is_over_in_all_tabs() -> None:
    """Claims that were ended are over, in whatever order they come; the person's next sign-in is another one."""
    gate, claims = Gate((), set()), {"email": "anna@example.com", "iat": 1, "nonce": "a", "aud": ["studio"]}
    assert not gate.is_over(claims)
    gate.end(claims)
    assert gate.is_over(dict(reversed(claims.items())))
    assert not gate.is_over({**claims, "nonce": "b"})


def test_a_button_names_its_service() -> None:
    """A button names its service, unless that is configured in [auth] itself and has no name."""
    gate = Gate((), set())
    assert ["Sign in", "Sign in with Google"] == [gate.label(service) for service in ("default", "google")]


@pytest.mark.parametrize(
    ("referer", "place"),
    [
        ("https://studio.example.com/history?task=0123", "/history?task=0123"),
        ("https://studio.example.com/", "/"),
        ("https://studio.example.com/print_size?w=1024&paper=A3#x", "/print_size?w=1024&paper=A3"),
        ("https://studio.example.com//evil.com/", None),
        ("https://studio.example.com/\\evil.com", None),
        ("https://studio.example.com/a\r\nset-cookie:b", "/aset-cookie:b"),
        ("https://studio.example.com/sign_out", None),
        ("https://studio.example.com/oauth2callback?code=1", None),
        ("https://studio.example.com/auth/login?provider=x", None),
        ("https://studio.example.com/" + "a" * 3000, None),
        ("https://studio.example.com", None),
        ("https://[", None),
        ("", None),
    ],
)
def test_the_way_back_leads_to_a_page_of_ours(referer: str, place: str | None) -> None:
    """The way back never leads to another site, and never into signing out."""
    assert place == way_back(referer)
