"""A program's view of the stand-in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from journey.testing import StandIn

ORDER = "upscale-2x-4x"


@dataclass(frozen=True)
class Program:
    """Makes calls with a fault that is asked for by the header or as the key, and with none."""

    api: StandIn
    header: str | None = None
    key: str | None = None

    def call(self, name: str, body: Any = None, *, timeout: float = 5.0) -> httpx.Response:
        headers = {"Authorization": self.key or self.api.key} | (
            {"X-Journey-Fault": self.header} if self.header else {}
        )
        with httpx.Client(trust_env=False, timeout=timeout, headers=headers) as http:
            if name == "account":
                return http.get(f"{self.api.url}/{name}")
            return http.post(f"{self.api.url}/{name}", json=body)

    def order(self, **fields: str) -> str:
        """Order a 2x of a picture of 30 × 20 pixels, and return its id."""
        answer = self.call(ORDER, {"image_url": self.api.picture_url(30, 20), "type": "2x"} | fields)
        assert 200 == answer.status_code, answer.text
        return str(answer.json()["task_id"])

    def fetch(self, task_id: str) -> dict[str, Any]:
        return dict(self.call("fetch", {"task_id": task_id}).json())


def asking(api: StandIn, words: str, way: str) -> Program:
    """A program that asks for a fault in one of the two ways."""
    return Program(api, header=words) if way == "header" else Program(api, key=words.replace(" ", "-"))
