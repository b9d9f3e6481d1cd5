"""The OpenAPI description of the embedded engine: what `server` does, extensions included."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from journey.api.models import UpscaleRequest
from journey.engine.wire import AccountSaid, ManyTasks, OneTask, Queued, Refusal, TaskSaid, TasksSaid

_MODELS: tuple[type[BaseModel], ...] = (
    UpscaleRequest,
    OneTask,
    ManyTasks,
    Queued,
    TaskSaid,
    TasksSaid,
    AccountSaid,
    Refusal,
)


def description(base_url: str) -> dict[str, Any]:
    """The document, for an engine reached at `base_url` (such as `http://127.0.0.1:8501/api/v1`)."""
    _, schemas = models_json_schema(
        [(model, "validation") for model in _MODELS], ref_template="#/components/schemas/{model}"
    )
    no_such_task = {"404": _answer("No such task", Refusal)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Journey Print Studio, embedded engine",
            "version": "1",
            "description": "The JourneyAPI call upscale-2x-4x, answered by this machine. Nothing is charged. "
            "`model` and `reference` in a request and the path `/cancel` are extensions.",
        },
        "servers": [{"url": base_url}],
        "security": [{"key": []}],
        "paths": {
            "/upscale-2x-4x": _post(
                "Upscale a picture 2x or 4x",
                UpscaleRequest,
                {"200": _answer("Queued", Queued), "429": _answer("The queue is full", Refusal)},
            ),
            "/fetch": _post("The state of one task", OneTask, {"200": _answer("The task", TaskSaid)} | no_such_task),
            "/fetch-many": _post(
                "The state of 2 to 20 tasks; unknown ones are left out",
                ManyTasks,
                {"200": _answer("The tasks", TasksSaid)},
            ),
            "/cancel": _post(
                "Stop a pending or running task (extension)",
                OneTask,
                {"200": _answer("The task", TaskSaid)} | no_such_task,
            ),
            "/account": {
                "get": {
                    "summary": "The account",
                    "responses": {"200": _answer("The account", AccountSaid), "401": _NO_KEY},
                }
            },
            "/openapi.json": {
                "get": {
                    "summary": "This description",
                    "security": [],
                    "responses": {"200": _json("OpenAPI", {"type": "object"})},
                }
            },
        },
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "The raw key."}
            },
        },
    }


def _post(summary: str, body: type[BaseModel], responses: dict[str, Any]) -> dict[str, Any]:
    refusals = {
        "400": _answer("The request breaks a rule; one item for each", Refusal),
        "401": _NO_KEY,
        "408": _answer("The body came too slowly", Refusal),
        "413": _answer("The body is over 64 KiB", Refusal),
        "415": _answer("The body is not JSON", Refusal),
    }
    return {
        "post": {
            "summary": summary,
            "requestBody": {"required": True, "content": {"application/json": {"schema": _ref(body)}}},
            "responses": responses | refusals,
        }
    }


def _answer(words: str, model: type[BaseModel]) -> dict[str, Any]:
    return _json(words, _ref(model))


def _ref(model: type[BaseModel]) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _json(words: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": words, "content": {"application/json": {"schema": schema}}}


_NO_KEY = _json("Key missing or wrong", {"type": "object", "maxProperties": 0})
