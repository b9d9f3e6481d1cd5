"""What can go wrong with a call to the API. No answer, a bad answer and a failed task are three different things.

`journey.errors` draws the whole tree.
"""

from __future__ import annotations

from journey.api.models import Task
from journey.errors import MESSAGE_LIMIT, JourneyError

NO_REASON = "The task failed and gave no reason."


class AuthenticationFailed(JourneyError):
    """The key was refused."""


class GatewayRefused(JourneyError):
    """Something in front of the API turned the call away. Nothing was accepted, and the key is not at fault."""


class InsufficientCredits(JourneyError):
    """The account has too few credits for the call. Nothing was charged."""


class RateLimited(JourneyError):
    """Too many calls. `retry_after` is the wait the server asked for, in seconds, or None."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class WrongAddress(JourneyError):
    """The server that answered does not know this call. Nothing was accepted, and repeating will not help."""


class TaskNotFound(JourneyError):
    """No task with this id belongs to this key."""


class ServerError(JourneyError):
    """The server answered with something that cannot be used. `answer` keeps the start of it."""

    def __init__(self, message: str, answer: str = "") -> None:
        self.answer = answer
        super().__init__(message)


class NotSent(JourneyError):
    """The connection was never made, so nothing was accepted. Safe to repeat."""


class Untrusted(NotSent):
    """The server could not prove who it is. Nothing was sent, and repeating will not help."""


class Ambiguous(JourneyError):
    """The call may have been accepted. `answer` keeps the start of what came back, if anything did."""

    def __init__(self, message: str, answer: str = "") -> None:
        self.answer = answer
        super().__init__(message)


class TaskFailed(JourneyError):
    """The task ended as failed. `task` is its last state."""

    def __init__(self, task: Task) -> None:
        self.task = task
        # Not at the top: its expressions take as long to compile as the rest of the client to import.
        from journey.outside.masking import masked_text

        super().__init__(masked_text(task.error or NO_REASON)[:MESSAGE_LIMIT])


class WaitTimeout(JourneyError):
    """The deadline passed. `task` is the last state seen, if any; the task itself goes on."""

    def __init__(self, task: Task | None, timeout: float) -> None:
        self.task = task
        super().__init__(f"The task is not finished after {timeout:g} s. It goes on; fetch it later.")
