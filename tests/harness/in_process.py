"""The stand-in without sockets, for tests that make thousands of calls: the same answers and the same faults."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import BinaryIO

import httpx

from journey.outside.door import BadStatus, Door, Fetched
from journey.testing import Call, Change, Close, Hang, Reply, StandIn


class Wire(httpx.BaseTransport):
    """Hands requests to a stand-in whose listener is not open. While it is `cut`, nothing can be sent."""

    def __init__(self, api: StandIn) -> None:
        self._api = api
        self.cut = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.cut:
            raise httpx.ConnectError("refused", request=request)
        endpoint = PurePosixPath(request.url.path).name
        fault = self._api.next_fault(endpoint)
        if fault is Close.BEFORE_READING:
            raise httpx.ReadError("closed", request=request)
        body = json.loads(request.read() or b"null")
        call = Call(request.method, endpoint, {name.lower(): text for name, text in request.headers.items()}, body)
        self._api.note(call)
        if isinstance(fault, Reply):
            if fault.accepted:
                self._api.answer(call)
            return httpx.Response(fault.status, headers=fault.headers, stream=_stream(fault), request=request)
        reply = self._api.answer(call)
        if isinstance(fault, Hang):
            raise httpx.ReadTimeout("too late", request=request)
        if fault in (Close.AFTER_READING, Close.HALF_ANSWER):
            raise httpx.ReadError("closed", request=request)
        if isinstance(fault, Change) and reply.status == 200:
            reply = Reply(200, fault.change(reply.body))
        return httpx.Response(reply.status, headers=reply.headers, stream=_stream(reply), request=request)


class DoorHere(Door):
    """A door behind which there are only the pictures of the stand-in."""

    def __init__(self, api: StandIn) -> None:
        super().__init__(["127.0.0.1"])
        self._api = api

    def get(self, url: str, *, max_bytes: int, into: BinaryIO) -> Fetched:
        fault = self._api.next_fault("cdn")
        picture = self._api.stored_picture(httpx.URL(url).path)
        if picture is None or isinstance(fault, Reply):
            raise BadStatus("There is no picture.", fault.status if isinstance(fault, Reply) else 404)
        assert len(picture) <= max_bytes
        into.write(picture)
        return Fetched(url, "image/png", len(picture))


def _stream(reply: Reply) -> httpx.ByteStream:
    body = reply.body
    if isinstance(body, str):
        body = body.encode()
    return httpx.ByteStream(body if isinstance(body, bytes) else json.dumps(body).encode())
