"""Every setting, its default and its meaning."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ByteSize, ConfigDict, Field, field_validator, model_validator

from journey.api.models import HOSTED_URL
from journey.outside.addresses import HOST_AND_PORT, is_loopback
from journey.outside.agent import contact_problem
from journey.signing_in import normal_domain
from journey.storage.keys import LEAST_CHARACTERS

PREFIX = "JOURNEY_"

MIB = 1024 * 1024
MEGAPIXEL = 1_000_000

Words = tuple[str, ...]
"""A comma-separated list."""


class Settings(BaseModel):
    """The settings of one running program. Build it with `read_settings()`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    api_key: str | None = Field(default=None, repr=False, description="JourneyAPI key. None: only the embedded engine.")
    api_url: str = Field(default=HOSTED_URL, description="Base address of JourneyAPI.")
    public_url: str | None = Field(
        default=None, description="Where the internet reaches this app; enables webhooks and uploads to JourneyAPI."
    )
    contact: str | None = Field(
        default=None,
        description="Whom to ask about this studio's requests, told in their User-Agent: an address or a page.",
    )
    data_dir: Path = Field(default=Path(".journey"), description="Folder for the database, the pictures and the keys.")
    database_url: str | None = Field(
        default=None, repr=False, description="SQLite in the data folder, or postgresql://…"
    )
    files_url: str | None = Field(
        default=None, repr=False, description="files/ in the data folder, or s3://bucket/prefix."
    )
    papers: Path | None = Field(
        default=None, description="File with your own papers and products. Default: papers.toml in the data folder."
    )
    engine: Literal["on", "off"] = Field(default="on", description="off removes the embedded engine.")
    engine_key: Words = Field(
        default=(),
        repr=False,
        description="Keys that callers of the embedded API send. Default: made on first start, in the file engine-key.",
    )
    engine_model: str = Field(
        default="fast", description="Default network: fast, detail, faithful, or detail-1 to detail-99 for a blend."
    )
    engine_models_dir: Path | None = Field(
        default=None, description="Folder with more networks: name.param + name.bin (ncnn), or name.onnx."
    )
    engine_workers: int = Field(
        default=1, ge=1, le=256, description="Processes for tiles. They share the processors evenly."
    )
    engine_device: Literal["auto", "cpu", "gpu"] = Field(
        default="auto", description="auto, cpu, or gpu (Intel graphics; other cards with the extra ncnn)."
    )
    engine_precision: Literal["auto", "f32", "bf16"] = Field(
        default="auto", description="auto: bf16 where the processor computes with it, else f32."
    )
    engine_scheduler: str | None = Field(
        default=None, description="Address of a Dask scheduler; tiles then run on that cluster."
    )
    engine_keep: int = Field(
        default=100_000,
        ge=100,
        description="Tasks that the embedded engine remembers; older ones go, with results that nothing else uses.",
    )
    fetch_allow: Words = Field(
        default=(),
        description="Hosts, CIDRs or host:port exempt from the address, port and HTTPS rules (development, intranets).",
    )
    max_bytes: ByteSize = Field(
        default=ByteSize(250 * MIB),
        ge=1024,
        description="Largest picture file accepted: bytes, or for example 250 MiB.",
    )
    max_input_pixels: int = Field(
        default=100 * MEGAPIXEL, ge=1, description="Largest picture accepted: pixels, or for example 100 MP."
    )
    max_output_pixels: int = Field(
        default=410 * MEGAPIXEL, ge=1, description="Largest result made: pixels, or for example 410 MP."
    )
    allowed_hosts: Words = Field(
        default=(),
        description="More names, as name or name:port, by which people and programs reach this server.",
    )
    max_tabs: int = Field(default=1_000, ge=10, description="Browser tabs that may be open at once.")
    max_uploads: ByteSize = Field(
        default=ByteSize(3 * 1024 * MIB), ge=1024, description="Bytes of uploads held in memory for all tabs."
    )
    max_tab_uploads: ByteSize = Field(
        default=ByteSize(1024 * MIB), ge=1024, description="Bytes of uploads held in memory for one tab."
    )
    sign_in_domains: Words = Field(
        default=(), description="E-mail domains let in when sign-in is configured. None: every address."
    )
    monthly_credits: int | None = Field(
        default=None, ge=0, description="Budget; new paid tasks stop when it is used up."
    )
    keep_days: int | None = Field(
        default=None, ge=1, description="Age in days at which pictures are removed, and the engine's tasks."
    )
    results: Literal["as-made", "smaller"] = Field(
        default="as-made", description="smaller: pack the files of results anew while the machine is idle."
    )
    open: bool = Field(default=False, description="1 allows listening beyond loopback without sign-in.")

    @field_validator("allowed_hosts", "engine_key", "fetch_allow", "sign_in_domains", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("max_input_pixels", "max_output_pixels", mode="before")
    @classmethod
    def _megapixels(cls, value: object) -> object:
        if isinstance(value, str) and value.strip().upper().endswith("MP"):
            try:
                return round(float(value.strip()[:-2]) * MEGAPIXEL)
            except (ValueError, OverflowError):
                raise ValueError("must be a number of pixels, or for example 100 MP") from None
        return value

    @field_validator("sign_in_domains")
    @classmethod
    def _domains(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(normal_domain(each) for each in value)

    @field_validator("allowed_hosts")
    @classmethod
    def _host_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            if not HOST_AND_PORT.fullmatch(host):
                raise ValueError("must be names such as studio.example.com or studio.lan:8443, without https://")
        return value

    @field_validator("engine_key")
    @classmethod
    def _not_to_be_guessed(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(len(key) < LEAST_CHARACTERS for key in value):
            raise ValueError(f"must have at least {LEAST_CHARACTERS} characters; `openssl rand -hex 24` makes one")
        return value

    @field_validator("api_key", "engine_key")
    @classmethod
    def _sendable(cls, value: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        for key in (value,) if isinstance(value, str) else value or ():
            if not key.isascii() or not key.isprintable() or " " in key:
                raise ValueError("must be printable ASCII without spaces or line breaks")
        return value

    @field_validator("contact")
    @classmethod
    def _fits_a_header(cls, value: str | None) -> str | None:
        if value and (problem := contact_problem(value)):
            raise ValueError(problem)
        return value

    @field_validator("api_url", "public_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            parts = urlsplit(value)
            usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and value.isprintable()
        except ValueError:
            usable = False
        if not usable or parts.query or parts.fragment or "@" in parts.netloc or " " in value:
            raise ValueError("must be an address such as https://studio.example.com")
        return _small_scheme(value).rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str | None) -> str | None:
        if value is None:
            return None
        value = _small_scheme(value)
        if not value.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
            raise ValueError("must start with sqlite:/// or postgresql://")
        path = value.removeprefix("sqlite:///")
        return f"sqlite:///{_at_home(Path(path))}" if path.startswith("~") else value

    @field_validator("files_url")
    @classmethod
    def _folder_or_storage(cls, value: str | None) -> str | None:
        if value is None:
            return None
        return _small_scheme(value) if "://" in value else str(_at_home(Path(value)))

    @field_validator("engine_scheduler")
    @classmethod
    def _scheduler(cls, value: str | None) -> str | None:
        return value and _small_scheme(value)

    @field_validator("data_dir", "engine_models_dir", "papers")
    @classmethod
    def _home(cls, value: Path | None) -> Path | None:
        return value and _at_home(value)

    @model_validator(mode="after")
    def _key_only_over_tls(self) -> Settings:
        # Plain HTTP would show the key to everyone on the way, so it is only for stand-ins on this machine.
        parts = urlsplit(self.api_url)
        if self.api_key and parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            raise ValueError(
                "JOURNEY_API_URL must be https:// beyond this machine, because the key is sent with each call"
            )
        return self

    @property
    def database_place(self) -> str | Path:
        """The address of the database, or the file of one in the data folder."""
        return self.database_url or (self.data_dir / "journey.db").resolve()

    @property
    def files_place(self) -> str | Path:
        """The address of object storage, or a folder."""
        return self.files_url or (self.data_dir / "files").resolve()

    @property
    def papers_place(self) -> Path:
        """The file of one's own papers, which need not be there unless it was set."""
        return self.papers or self.data_dir / "papers.toml"

    @property
    def public_is_https(self) -> bool:
        return bool(self.public_url and self.public_url.startswith("https://"))


def _small_scheme(address: str) -> str:
    """The address with its scheme in small letters, as those who take it apart expect it."""
    scheme, separator, rest = address.partition("://")
    return f"{scheme.lower() if separator else scheme}{separator}{rest}"


def _at_home(path: Path) -> Path:
    """The path with `~` as the home folder, which no shell has put in place in a file of settings."""
    try:
        return path.expanduser()
    except RuntimeError:
        raise ValueError("begins with ~, but that home folder is not known; write it out in full") from None
