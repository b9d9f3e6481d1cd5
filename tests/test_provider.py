"""The table of providers: the names in databases and addresses never change, and every row is complete."""

from __future__ import annotations

from journey.provider import CHEAPEST, PROVIDERS


def test_names_never_change() -> None:
    """The names of the providers never change, because they are in everybody's databases, links and exports."""
    assert ["journeyapi", "embedded"] == list(PROVIDERS)
    assert all(name == provider.name == str(provider) for name, provider in PROVIDERS.items())


def test_a_provider_is_usable() -> None:
    """The pauses between looks never shrink, some of a batch may be under way, and only what runs here is free."""
    for provider in PROVIDERS.values():
        first, longest = provider.poll
        assert 0 < first <= longest
        assert provider.ahead > 0
        assert provider.is_paid is not provider.is_here
        assert provider.label.isprintable()
    assert CHEAPEST.is_paid
