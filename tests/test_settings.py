"""Every setting has its default and its meaning, and a wrong one stops the start with a sentence."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from journey.errors import CannotStart
from journey.outside.door import Door
from journey.settings import Settings, read_settings

DEFAULTS: dict[str, Any] = {
    "JOURNEY_API_KEY": None,
    "JOURNEY_API_URL": "https://api.journeyapi.com/api/v1",
    "JOURNEY_PUBLIC_URL": None,
    "JOURNEY_CONTACT": None,
    "JOURNEY_DATA_DIR": Path(".journey"),
    "JOURNEY_DATABASE_URL": None,
    "JOURNEY_FILES_URL": None,
    "JOURNEY_PAPERS": None,
    "JOURNEY_ENGINE": "on",
    "JOURNEY_ENGINE_KEY": (),
    "JOURNEY_ENGINE_MODEL": "fast",
    "JOURNEY_ENGINE_MODELS_DIR": None,
    "JOURNEY_ENGINE_WORKERS": 1,
    "JOURNEY_ENGINE_DEVICE": "auto",
    "JOURNEY_ENGINE_PRECISION": "auto",
    "JOURNEY_ENGINE_SCHEDULER": None,
    "JOURNEY_ENGINE_KEEP": 100_000,
    "JOURNEY_FETCH_ALLOW": (),
    "JOURNEY_MAX_BYTES": 250 * 1024 * 1024,
    "JOURNEY_MAX_INPUT_PIXELS": 100_000_000,
    "JOURNEY_MAX_OUTPUT_PIXELS": 410_000_000,
    "JOURNEY_SIGN_IN_DOMAINS": (),
    "JOURNEY_MONTHLY_CREDITS": None,
    "JOURNEY_ALLOWED_HOSTS": (),
    "JOURNEY_MAX_TABS": 1_000,
    "JOURNEY_MAX_UPLOADS": 3 * 2**30,
    "JOURNEY_MAX_TAB_UPLOADS": 2**30,
    "JOURNEY_KEEP_DAYS": None,
    "JOURNEY_RESULTS": "as-made",
    "JOURNEY_OPEN": False,
}


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting comes from outside the test."""
    for name in list(os.environ):
        if name.upper().startswith("JOURNEY_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_every_setting_has_its_default_and_its_meaning() -> None:
    """With nothing configured each setting has the documented default, and each one says what it means."""
    settings = read_settings()
    assert DEFAULTS == {f"JOURNEY_{name.upper()}": value for name, value in settings}
    assert all(field.description for field in Settings.model_fields.values())
    assert Path.cwd() / ".journey" / "journey.db" == settings.database_place
    assert Path.cwd() / ".journey" / "files" == settings.files_place


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("API_KEY", "k-0123", "k-0123"),
        ("API_URL", "https://api.example.com/v1/", "https://api.example.com/v1"),
        ("PUBLIC_URL", "https://studio.example.com/", "https://studio.example.com"),
        ("DATA_DIR", "/srv/studio", Path("/srv/studio")),
        ("DATABASE_URL", "postgresql://u@h/d", "postgresql://u@h/d"),
        ("FILES_URL", "s3://bucket/prefix", "s3://bucket/prefix"),
        ("ENGINE", "off", "off"),
        ("RESULTS", "smaller", "smaller"),
        (
            "ENGINE_KEY",
            "one-of-sixteen-characters, two-of-sixteen-characters,",
            ("one-of-sixteen-characters", "two-of-sixteen-characters"),
        ),
        ("ALLOWED_HOSTS", "studio.lan, proxy.lan:8443,[fd00::5]", ("studio.lan", "proxy.lan:8443", "[fd00::5]")),
        ("MAX_UPLOADS", "2 GiB", 2**31),
        ("ENGINE_MODEL", "detail", "detail"),
        ("ENGINE_MODELS_DIR", "/srv/models", Path("/srv/models")),
        ("ENGINE_WORKERS", "3", 3),
        ("ENGINE_DEVICE", "gpu", "gpu"),
        ("ENGINE_PRECISION", "bf16", "bf16"),
        ("ENGINE_SCHEDULER", "tcp://scheduler:8786", "tcp://scheduler:8786"),
        ("FETCH_ALLOW", "127.0.0.0/8,intranet:8080", ("127.0.0.0/8", "intranet:8080")),
        ("MAX_BYTES", "10 MiB", 10 * 1024 * 1024),
        ("MAX_BYTES", "4096", 4096),
        ("MAX_INPUT_PIXELS", "12.5 MP", 12_500_000),
        ("MAX_OUTPUT_PIXELS", "4000000", 4_000_000),
        ("SIGN_IN_DOMAINS", "example.com, example.org", ("example.com", "example.org")),
        ("MONTHLY_CREDITS", "0", 0),
        ("KEEP_DAYS", "30", 30),
        ("OPEN", "1", True),
        ("OPEN", "0", False),
        ("API_KEY", "", None),
        ("KEEP_DAYS", "", None),
        ("API_KEY", '"k-0123"', "k-0123"),
        ("API_KEY", "'k-0123'\r", "k-0123"),
        ("KEEP_DAYS", '""', None),
        ("DATA_DIR", '"/srv/my studio"', Path("/srv/my studio")),
        ("DATA_DIR", "~/journey", Path.home() / "journey"),
        ("ENGINE_MODELS_DIR", "~/models", Path.home() / "models"),
        ("FILES_URL", "~/pictures", str(Path.home() / "pictures")),
        ("FILES_URL", "S3://Bucket/Prefix", "s3://Bucket/Prefix"),
        ("DATABASE_URL", "sqlite:///~/studio.db", f"sqlite:///{Path.home() / 'studio.db'}"),
        ("DATABASE_URL", "sqlite:////srv/studio.db", "sqlite:////srv/studio.db"),
        ("DATABASE_URL", "PostgreSQL://u@h/D", "postgresql://u@h/D"),
        ("PUBLIC_URL", "HTTPS://studio.example.com", "https://studio.example.com"),
        ("ENGINE_SCHEDULER", "TCP://scheduler:8786", "tcp://scheduler:8786"),
    ],
)
def test_a_setting_is_read(monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: object) -> None:
    """Each setting is taken from the environment, and an empty one counts as none."""
    monkeypatch.setenv(f"JOURNEY_{name}", text)
    assert value == getattr(read_settings(), name.lower())


def test_a_file_sets_what_the_environment_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """A .env file in the working folder is read, and the environment wins over it."""
    Path(".env").write_text("JOURNEY_ENGINE_WORKERS=2\nJOURNEY_KEEP_DAYS=7\nOTHER=1\n", encoding="utf-8")
    monkeypatch.setenv("JOURNEY_KEEP_DAYS", "9")
    settings = read_settings()
    assert (2, 9) == (settings.engine_workers, settings.keep_days)
    assert 1 == read_settings(None).engine_workers


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("API_KEY", "two words"),
        ("API_KEY", "line\nbreak"),
        ("API_KEY", "schlüssel"),
        ("API_URL", "api.example.com"),
        ("API_URL", "ftp://api.example.com"),
        ("API_URL", "https://api.example.com:99999"),
        ("API_URL", "https://api.example.com:port"),
        ("API_URL", "https://user:hunter22@api.example.com"),
        ("API_URL", "https://api.example.com?x=1"),
        ("API_URL", "https://[::1"),
        ("PUBLIC_URL", "no-address"),
        ("PUBLIC_URL", "https://studio example.com"),
        ("DATABASE_URL", "mysql://u:hunter22@h/d"),
        ("DATABASE_URL", "postgres://u:hunter22@h/d"),
        ("ENGINE", "maybe"),
        ("ENGINE_KEY", "not good, as it has spaces"),
        ("ENGINE_KEY", "good-and-long-enough,short"),
        ("ALLOWED_HOSTS", "https://studio.lan"),
        ("ALLOWED_HOSTS", "*"),
        ("MAX_TABS", "0"),
        ("ENGINE_WORKERS", "0"),
        ("ENGINE_WORKERS", "many"),
        ("ENGINE_DEVICE", "tpu"),
        ("ENGINE_PRECISION", "f16"),
        ("MAX_BYTES", "lots"),
        ("MAX_BYTES", "-1"),
        ("MAX_INPUT_PIXELS", "0"),
        ("MAX_INPUT_PIXELS", "big MP"),
        ("MAX_OUTPUT_PIXELS", "inf MP"),
        ("MAX_OUTPUT_PIXELS", "nan MP"),
        ("MONTHLY_CREDITS", "-1"),
        ("KEEP_DAYS", "0"),
        ("KEEP_DAYS", "1.5"),
        ("OPEN", "perhaps"),
        ("API_KEY", '"k-0123'),
        ("DATA_DIR", "/srv/studio'"),
        ("DATA_DIR", "~nobody-of-this-name/studio"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    """A wrong value stops the start with the setting's name and meaning, and never repeats a secret."""
    monkeypatch.setenv(f"JOURNEY_{name}", text)
    with pytest.raises(CannotStart, match=f"^JOURNEY_{name}: ") as raised:
        read_settings()
    assert str(Settings.model_fields[name.lower()].description) in str(raised.value)
    assert not [part for part in (text, "hunter22") if part in str(raised.value) and len(part) > 4]
    assert "\n" not in str(raised.value)


def test_all_wrong_settings_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several mistakes are told together."""
    monkeypatch.setenv("JOURNEY_ENGINE", "maybe")
    monkeypatch.setenv("JOURNEY_KEEP_DAYS", "soon")
    with pytest.raises(CannotStart, match=r"JOURNEY_ENGINE: .*JOURNEY_KEEP_DAYS: "):
        read_settings()


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("JOURNEY_KEEP_DAYS=7\nJOURNEY_ENGINE=off", (7, "off")),
        ("\ufeffJOURNEY_KEEP_DAYS=7\r\n\r\n# a comment\r\n  JOURNEY_ENGINE = off  # and why\r\n", (7, "off")),
        ("export JOURNEY_KEEP_DAYS=7\nexport\tJOURNEY_ENGINE='off'\n", (7, "off")),
        ("JOURNEY_KEEP_DAYS=\"7\" # days\nOTHER='two\nlines'\nJOURNEY_ENGINE=off\n", (7, "off")),
        ("DAYS=7\nJOURNEY_KEEP_DAYS=${DAYS}\nJOURNEY_ENGINE=${MODE:-off}\n", (7, "off")),
        ("JOURNEY_KEEP_DAYS=\nJOURNEY_ENGINE=off\n", (None, "off")),
    ],
)
def test_lines_of_a_file_are_read(text: str, values: tuple[int | None, str]) -> None:
    """Blank lines, comments, `export`, quotes, values over several lines and values put in place are all read."""
    Path(".env").write_bytes(text.encode())
    settings = read_settings()
    assert values == (settings.keep_days, settings.engine)


def test_single_quotes_keep_what_they_hold() -> None:
    """Between single quotes nothing is put in place, as in a shell."""
    Path(".env").write_text("JOURNEY_DATA_DIR='${HOME}/studio'\nJOURNEY_ENGINE_MODELS_DIR=\"${HOME}/models\"\n")
    settings = read_settings()
    assert Path("${HOME}/studio") == settings.data_dir
    assert Path(os.environ["HOME"]) / "models" == settings.engine_models_dir


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("JOURNEY_MONTHLY_CREDITS: 500", "has no ="),
        ("JOURNEY_API_KEY hunter22-key", "has no ="),
        ("JOURNEY_API_KEY", "has no ="),
        ("export JOURNEY_API_KEY", "has no ="),
        ("hunter22-key", "has no ="),
        ("JOURNEY_API_KEY＝hunter22-key", "has no ="),
        ("set JOURNEY_API_KEY=hunter22-key", "has more than a name before the ="),
        ('$env:JOURNEY_API_KEY="hunter22-key"', "has more than a name before the ="),
        ("JOURNEY-API-KEY=hunter22-key", "has more than a name before the ="),
        ("JOURNEY_API_KEY:=hunter22-key", "has more than a name before the ="),
        ("- JOURNEY_API_KEY=hunter22-key", "has more than a name before the ="),
        ('"JOURNEY_API_KEY"=hunter22-key', "has more than a name before the ="),
        ("=hunter22-key", "has no name before the ="),
        ('JOURNEY_API_KEY="hunter22-key', "(JOURNEY_API_KEY) has an opening quote without a closing one"),
        ("JOURNEY_API_KEY='hunter22-key", "(JOURNEY_API_KEY) has an opening quote without a closing one"),
        ('JOURNEY_API_KEY="hunter22-key" too', "(JOURNEY_API_KEY) goes on after the closing quote"),
        ("JOURNEY_API_KEY=“hunter22-key”", "(JOURNEY_API_KEY) has curly quotes; use straight ones"),
        ('JOURNEY_API_KEY="hunter22-key\nJOURNEY_ENGINE=off"', "(JOURNEY_API_KEY) has an opening quote without"),
        ("\u200bJOURNEY_API_KEY=hunter22-key", "has a character that cannot be seen (U+200B); type the line anew"),
        ("JOURNEY_API_KEY=hunter22-key\u200b", "has a character that cannot be seen (U+200B); type the line anew"),
        ("JOURNEY_API_KEY=hunter22-key\x00", "has a character that cannot be seen (U+0000); type the line anew"),
        ("JOURNEY_DATA_DIR=${NOT_SET_AT_ALL}/studio", "uses ${NOT_SET_AT_ALL}, which is not set"),
    ],
)
def test_a_line_that_cannot_be_understood_stops_the_start(line: str, reason: str) -> None:
    """It is named by its file, its number and what is wrong with it, whatever stands around it, and never repeated."""
    Path(".env").write_text(f"# settings\n\nOTHER='two\nlines'\n{line}\nJOURNEY_KEEP_DAYS=7\n", encoding="utf-8")
    with pytest.raises(CannotStart, match=r"^The file \.env has lines that cannot be understood") as raised:
        read_settings()
    assert f"line 5 {reason}" in str(raised.value)
    assert "hunter22" not in str(raised.value)


def test_all_lines_that_cannot_be_understood_are_named() -> None:
    """Several are told together, each by its number."""
    Path(".env").write_text("JOURNEY_ENGINE off\r\n\r\n\r\nJOURNEY_KEEP_DAYS: 7\r\n", newline="")
    with pytest.raises(CannotStart, match=r"line 1 has no =; line 4 has no =\."):
        read_settings()


@pytest.mark.parametrize("where", ["environment", "file"])
def test_an_unknown_setting_is_named(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """A misspelt setting stops the start with its name and the names that exist, wherever it stands."""
    if where == "file":
        Path(".env").write_text("JOURNEY_API_KEI=k\n", encoding="utf-8")
    else:
        monkeypatch.setenv("JOURNEY_API_KEI", "k")
    with pytest.raises(
        CannotStart, match=r"^JOURNEY_API_KEI: there is no such setting\. Known settings: JOURNEY_ALLOWED_HOSTS, "
    ):
        read_settings()


def test_an_unreadable_file_is_named() -> None:
    """A .env file that is not text stops the start with its name."""
    Path(".env").write_bytes(b"JOURNEY_API_KEY=\xff\xfe\n")
    with pytest.raises(CannotStart, match=r"\.env cannot be read"):
        read_settings()


def test_the_key_travels_over_tls_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a key, plain HTTP is accepted for this machine alone."""
    monkeypatch.setenv("JOURNEY_API_KEY", "k-0123456789")
    for local in ("http://127.0.0.1:8000/api/v1", "http://localhost:1", "http://[::1]:80"):
        monkeypatch.setenv("JOURNEY_API_URL", local)
        assert local == read_settings().api_url
    monkeypatch.setenv("JOURNEY_API_URL", "http://api.example.com")
    with pytest.raises(CannotStart, match="JOURNEY_API_URL must be https://"):
        read_settings()


def test_what_the_door_does_not_understand_is_named() -> None:
    """A wrong place in the allow list stops the start when the door is built."""
    for entry in ("10.0.0.0/40", "http://host/", "host:port", "a b"):
        with pytest.raises(CannotStart, match="JOURNEY_FETCH_ALLOW"):
            Door([entry])


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Printing the settings shows no key, no password and no credentials for storage."""
    secrets = {
        "API_KEY": "s3cr3t-api-key",
        "ENGINE_KEY": "s3cr3t-engine-key",
        "DATABASE_URL": "postgresql://u:s3cr3t-database@h/d",
        "FILES_URL": "s3://key:s3cr3t-files@bucket",
    }
    for name, value in secrets.items():
        monkeypatch.setenv(f"JOURNEY_{name}", value)
    settings = read_settings()
    assert "s3cr3t" not in f"{settings} {settings!r}"
