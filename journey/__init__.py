"""Upscale pictures with JourneyAPI, hosted or embedded, and plan how large they print."""

from journey.client import JourneyClient
from journey.errors import (
    Ambiguous,
    AuthenticationFailed,
    InsufficientCredits,
    InvalidRequest,
    JourneyError,
    NotSent,
    RateLimited,
    ServerError,
    TaskFailed,
    TaskNotFound,
    Untrusted,
    WaitTimeout,
)
from journey.models import Account, Task, TaskStatus, UpscaleRequest

__all__ = [
    "Account",
    "Ambiguous",
    "AuthenticationFailed",
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
]
