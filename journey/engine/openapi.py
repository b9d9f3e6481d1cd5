"""The OpenAPI description of the embedded engine. It says what `server.py` does, extensions included."""

from __future__ import annotations

from typing import Any

from journey.api.models import ID_LIMIT, UpscaleRequest

_STATUS = ["staged", "pending", "starting", "processing", "finished", "failed"]

_TASK = {
    "type": "object",
    "required": ["task_id", "task_type", "model", "status"],
    "properties": {
        "task_id": {"type": "string"},
        "task_type": {"type": "string", "examples": ["upscale-2x", "upscale-4x"]},
        "model": {"type": "string", "examples": ["realesr-animevideov3"]},
        "status": {"type": "string", "enum": _STATUS},
        "percentage": {"type": "string", "pattern": "^(100|[0-9]{1,2})$"},
        "image_url": {"type": "string"},
        "image_urls": {"type": "array", "items": {"type": "string"}},
        "original_image_url": {"type": "string"},
        "error": {"type": "string"},
    },
}

_ERRORS = {
    "type": "object",
    "required": ["errors"],
    "properties": {
        "errors": {
            "type": "array",
            "items": {"type": "object", "required": ["msg"], "properties": {"msg": {"type": "string"}}},
        }
    },
}

_ACCOUNT = {
    "type": "object",
    "required": ["email", "credits", "total_images", "plan"],
    "properties": {
        "email": {"type": "string"},
        "credits": {"type": "integer"},
        "total_images": {"type": "integer"},
        "plan": {"type": "string"},
    },
}

_TASK_ID = {"type": "string", "minLength": 1, "maxLength": ID_LIMIT}


def description(base_url: str) -> dict[str, Any]:
    """The document, for an engine reached at `base_url` (such as `http://127.0.0.1:8501/api/v1`)."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Journey Print Studio, embedded engine",
            "version": "1",
            "description": "The JourneyAPI call upscale-2x-4x, answered by this machine. Nothing is charged. "
            "`model` in a request and the path `/cancel` are extensions.",
        },
        "servers": [{"url": base_url}],
        "security": [{"key": []}],
        "paths": {
            "/upscale-2x-4x": {
                "post": _operation(
                    "Upscale a picture 2x or 4x",
                    _body(_request_schema()),
                    {"200": _answer("Queued", _object(task_id={"type": "string"})), "429": _refusal("Queue full")},
                )
            },
            "/fetch": {
                "post": _operation(
                    "The state of one task",
                    _body(_object(task_id=_TASK_ID)),
                    {"200": _answer("The task", _TASK), "404": _refusal("No such task")},
                )
            },
            "/fetch-many": {
                "post": _operation(
                    "The state of 2 to 20 tasks; unknown ones are left out",
                    _body(_object(task_ids={"type": "array", "items": _TASK_ID, "minItems": 2, "maxItems": 20})),
                    {"200": _answer("The tasks", _object(tasks={"type": "array", "items": _TASK}))},
                )
            },
            "/cancel": {
                "post": _operation(
                    "Stop a pending or running task (extension)",
                    _body(_object(task_id=_TASK_ID)),
                    {"200": _answer("The task", _TASK), "404": _refusal("No such task")},
                )
            },
            "/account": {"get": _operation("The account", None, {"200": _answer("The account", _ACCOUNT)})},
            "/openapi.json": {
                "get": {
                    "summary": "This description",
                    "security": [],
                    "responses": {"200": _answer("OpenAPI", {"type": "object"})},
                }
            },
        },
        "components": {
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "The raw key."}
            }
        },
    }


def _request_schema() -> dict[str, Any]:
    schema = UpscaleRequest.model_json_schema()
    schema["properties"]["model"]["description"] = "Extension: fast, detail or a network of the models folder."
    # The rule that a model validator holds, in JSON Schema's words.
    schema["oneOf"] = [
        {"required": ["parent_task_id"], "properties": {"parent_task_id": _TASK_ID}},
        {"required": ["image_url"], "properties": {"image_url": {"type": "string", "minLength": 1}}},
    ]
    return schema


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _answer(words: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": words, "content": {"application/json": {"schema": schema}}}


def _refusal(words: str) -> dict[str, Any]:
    return _answer(words, _ERRORS)


def _operation(summary: str, body: dict[str, Any] | None, responses: dict[str, Any]) -> dict[str, Any]:
    refusals = {"401": _answer("Key missing or wrong", {"type": "object", "maxProperties": 0})}
    if body:
        refusals |= {
            "400": _refusal("The request breaks a rule; one entry for each"),
            "408": _refusal("The body came too slowly"),
            "413": _refusal("The body is over 64 KiB"),
            "415": _refusal("The body is not JSON"),
        }
    operation: dict[str, Any] = {"summary": summary, "responses": responses | refusals}
    if body:
        operation["requestBody"] = body
    return operation
