"""Upscale pictures with JourneyAPI, hosted or embedded, and plan how large they print."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from journey.api.client import JourneyClient
    from journey.api.errors import (
        Ambiguous,
        AuthenticationFailed,
        GatewayRefused,
        InsufficientCredits,
        NotSent,
        RateLimited,
        ServerError,
        TaskFailed,
        TaskNotFound,
        Untrusted,
        WaitTimeout,
        WrongAddress,
    )
    from journey.api.models import Account, Task, TaskStatus, UpscaleRequest
    from journey.errors import InvalidRequest, JourneyError

__all__ = [
    "Account",
    "Ambiguous",
    "AuthenticationFailed",
    "GatewayRefused",
    "InsufficientCredits",
    "InvalidRequest",
    "JourneyClient",
    "JourneyError",
    "NotSent",
    "RateLimited",
    "ServerError",
    "Task",
    "TaskFailed",
    "TaskNotFound",
    "TaskStatus",
    "Untrusted",
    "UpscaleRequest",
    "WaitTimeout",
    "WrongAddress",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for: worker processes need none and start sooner without."""
    if name in __all__:
        for module in ("journey.errors", "journey.api.errors", "journey.api.models", "journey.api.client"):
            if found := vars(import_module(module)).get(name):
                return found
    raise AttributeError(f"module 'journey' has no attribute {name!r}")
