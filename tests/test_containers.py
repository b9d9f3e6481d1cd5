"""What can be held of the image and the compose file without Docker: their targets, their paths and their settings."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from journey.commands.main import journey
from journey.settings import Settings, read_settings
from tests.harness.studios import ROOT

GIVEN = {"POSTGRES_PASSWORD": "moss", "STORAGE_SECRET": "fern"}


def instructions(word: str) -> list[str]:
    """What follows this word in the Dockerfile, with continued lines joined."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    return re.findall(rf"^{word} (.+)$", text, re.MULTILINE)


def needed(target: str) -> set[str]:
    """A target of the Makefile and all that it needs, by their names there."""
    found = re.search(rf"^{re.escape(target)}:([^|\n]*)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return {target}.union(*map(needed, found[1].split())) if found else set()


def filled(value: str) -> str:
    """A value of the compose file as it reaches the container, when only what must be given is given."""
    return re.sub(r"\$\{(\w+)(?::[-?][^}]*)?\}", lambda name: GIVEN.get(name[1], ""), value).replace("$$", "$")


def test_the_image_is_made_by_targets_that_ci_runs() -> None:
    """Every make target of the Dockerfile is one of those that CI runs, or one that they need."""
    ran = re.search(r"^CI=true make (.+)$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert ran is not None
    in_ci = set().union(*map(needed, ran[1].split()))
    used = {words[1] for each in instructions("RUN") if (words := shlex.split(each))[0] == "make"}
    assert {"installed"} == used & in_ci == used


def test_the_image_starts_a_command_that_exists() -> None:
    """What the image runs is a command of ours, with options that it has."""
    (command,) = instructions("CMD")
    program, name, *options = yaml.safe_load(command)
    known = {option for each in journey.commands[name].params for option in each.opts}
    assert "journey" == program
    assert {each for each in options if each.startswith("--")} <= known


def test_no_secret_gets_into_the_image() -> None:
    """What Git does not keep stays out of the image as well, which may be given to others."""
    kept_out = set((ROOT / ".dockerignore").read_text().replace("**/", "").split("\n"))
    ignored = {line.strip("/") for line in (ROOT / ".gitignore").read_text().split()}
    assert ignored - {"uv.lock", "bench/results"} <= kept_out


def test_the_compose_file_speaks_of_settings_that_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real settings understand the environment of the studio, which finds its database and its pictures there."""
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    for name, value in services["studio"]["environment"].items():
        monkeypatch.setenv(name, filled(value))
    monkeypatch.setenv("JOURNEY_DATA_DIR", "/data")
    assert Settings(
        open=True,
        data_dir=Path("/data"),
        database_url="postgresql://journey:moss@postgres/journey",
        files_url="s3://studio-pictures/prod",
    ) == read_settings(None)
    assert {"postgres", "storage"} == set(services["studio"]["depends_on"]) == services.keys() - {"studio"}
    assert "moss" == filled(services["postgres"]["environment"]["POSTGRES_PASSWORD"])
    assert "fern" == filled(services["studio"]["environment"]["AWS_SECRET_ACCESS_KEY"])


def test_what_has_to_be_kept_is_in_volumes() -> None:
    """Each service keeps what it stores in a volume that the file declares."""
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    used = {volume.partition(":")[0] for each in compose["services"].values() for volume in each["volumes"]}
    assert set(compose["volumes"]) == used
    assert instructions("VOLUME") == ["/data"]
    assert "data:/data" in compose["services"]["studio"]["volumes"]
