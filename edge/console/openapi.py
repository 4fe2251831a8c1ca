"""The OpenAPI 3.1 document of the console's interface, made from the table of its routes."""

import re
from typing import Any

import msgspec

from edge.console.people import RIGHTS
from edge.console.routes import API, CHANGES, ROUTES, Route
from edge.protocol.contract import SOFTWARE

_PARAMETER = re.compile(r"\{([a-z0-9]+)\}")


def document() -> dict[str, Any]:
    """All of it, as JSON has it."""
    kinds = [one for route in ROUTES for one in (route.takes, route.gives) if one is not None]
    unique = list(dict.fromkeys(kinds))
    schemas, components = msgspec.json.schema_components(
        unique, ref_template="#/components/schemas/{name}"
    )
    by_kind = dict(zip(unique, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(API + route.path, {})[route.method.lower()] = _operation(route, by_kind)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Garita: the operator's console",
            "version": SOFTWARE.partition(" ")[2],
            "description": "What the console's page is made with. Whoever is logged in has a"
            f" cookie; what changes something carries the page's token in `{CHANGES}` as well.",
        },
        "paths": paths,
        "components": {
            "schemas": {**components, "Problem": _PROBLEM},
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "garita"},
                "page": {"type": "apiKey", "in": "header", "name": CHANGES},
            },
        },
    }


def _operation(route: Route, kinds: dict[type[msgspec.Struct], dict[str, Any]]) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": kinds[route.gives]} if route.gives else {}
    responses: dict[str, Any] = {
        "200": {"description": "as asked", "content": {route.media_type: content}},
        "4XX": {
            "description": "refused, with why",
            "content": {"application/problem+json": {"schema": _ref("Problem")}},
        },
    }
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.what,
        "parameters": [
            *(
                {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
                for name in _PARAMETER.findall(route.path)
            ),
            *(
                {"name": name, "in": "query", "description": what, "schema": {"type": "string"}}
                for name, what in route.query
            ),
        ],
        "responses": responses,
    }
    if route.takes is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": kinds[route.takes]}},
        }
    if route.needs is not None:
        scheme: dict[str, list[str]] = {"session": []}
        operation["security"] = [scheme | ({"page": []} if route.changes else {})]
        operation["x-roles"] = [role for role, acts in RIGHTS.items() if route.needs in acts]
    return operation


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457",
    "properties": {
        "type": {"type": "string", "description": "`garita:` and a code"},
        "status": {"type": "integer"},
        "title": {"type": "string", "description": "the same for a person"},
    },
    "required": ["type", "status", "title"],
}
