"""What passes by itself, such as a full disk, is told to whoever asks in a sentence, and not as a fault of ours."""

from __future__ import annotations

import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from journey.errors import DatabaseAway, passing
from journey.web.answers import refused

log = logging.getLogger(__name__)

AGAIN_SECONDS = 10


class PassingTroubles:
    """ASGI middleware. What cannot be answered because a database is away or a disk is full gets 503, Retry-After and
    the reason; an answer that has begun is cut off, as for any other error."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def send_on(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        except (DatabaseAway, OSError) as error:
            sentence = passing(error)
            if has_begun or sentence is None:
                raise
            log.warning("a request could not be answered", exc_info=True)
            answer = refused(scope["path"], sentence, 503)
            answer.headers["Retry-After"] = str(AGAIN_SECONDS)
            await answer(scope, receive, send)
