"""`journey networks`: what can enlarge pictures on this machine."""

from __future__ import annotations

import click

from journey.commands.showing import say, table


@click.command(short_help="List what can enlarge pictures on this machine.")
@click.option("--json", "as_json", is_flag=True)
def networks(as_json: bool) -> None:
    """List the networks, and say why one cannot be used."""
    from journey.engine.networks.finding import find_networks
    from journey.engine.networks.network import Hardware
    from journey.settings import read_settings

    settings = read_settings()
    hardware = Hardware(settings.engine_device, settings.engine_precision, settings.engine_workers)
    found = find_networks(settings.engine_models_dir, hardware)
    default = found.chosen(settings.engine_model).name if found.networks else None
    rows = [("Name", "Network", "")]
    rows += [(name, each.model, "default" if name == default else "") for name, each in found.networks.items()]
    facts = {
        "networks": [{"name": name, "model": each.model} for name, each in found.networks.items()],
        "default": default,
        "problems": list(found.problems.values()),
    }
    say(facts, [*table(rows), *found.problems.values()], as_json=as_json)
