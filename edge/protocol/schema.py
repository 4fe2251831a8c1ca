"""`garita schema`: JSON Schema of every message and of the configuration, and AsyncAPI.

Everything is generated from the Structs that encode and decode, so the documents cannot
drift from what is sent.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from edge import config
from edge.errors import EXIT_OK
from edge.protocol.commands import COMMANDS
from edge.protocol.contract import MESSAGES, NAME_PATTERN, SOFTWARE
from edge.protocol.topics import EXERCISE_ROOT, ROOT

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ASYNCAPI = "3.0.0"  # the version that tools read; 3.1.0 adds nothing that is used here

Json = dict[str, Any]


def main(arguments: argparse.Namespace) -> int:
    """Write the documents into a folder, or all of them as one object to stdout."""
    found = documents()
    if arguments.out is None:
        sys.stdout.write(_text(found))
        return EXIT_OK
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    for name, document in found.items():
        (out / name).write_text(_text(document), encoding="utf-8")
    print(f"{len(found)} documents in {out}", file=sys.stderr)  # noqa: T201 - to a person
    return EXIT_OK


def documents() -> dict[str, Json]:
    """Every document by its file name."""
    schemas = {f"{short_name(each)}.schema.json": message_schema(each) for each in MESSAGES}
    return schemas | {"config.schema.json": config.json_schema(), "asyncapi.json": asyncapi()}


def short_name(message: type[msgspec.Struct]) -> str:
    """`alert` for `AlertMessage`, `ops-state` for `OpsStateMessage`."""
    words = message.__name__.removesuffix("Message")
    return "".join(f"-{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(words))


def message_schema(message: type[msgspec.Struct]) -> Json:
    """JSON Schema 2020-12 of one message."""
    schema = msgspec.json.schema(message)
    # msgspec names no dialect; a validator would have to guess it (facts: fusion 1.1).
    return {"$schema": DIALECT, "$id": f"urn:garita:{short_name(message)}:1"} | schema


def asyncapi() -> Json:
    """The AsyncAPI document: what this edge sends and receives, topic by topic."""
    references, schemas = msgspec.json.schema_components(
        MESSAGES, ref_template="#/components/schemas/{name}"
    )
    messages = {
        short_name(message): {
            "name": short_name(message),
            "title": (message.__doc__ or "").split("\n", 1)[0],
            "contentType": "application/json",
            "payload": reference,
        }
        for message, reference in zip(MESSAGES, references, strict=True)
        if "schema" in message.__struct_fields__
    }
    messages["evidence"] = {
        "name": "evidence",
        "title": "A file that belongs to an alert: its bytes as they are.",
        "contentType": "application/octet-stream",
        "payload": {"type": "string", "format": "binary"},
    }
    return {
        "asyncapi": ASYNCAPI,
        "info": {
            "title": "Garita",
            "version": SOFTWARE.split()[-1],
            "description": "Alerts of a border checkpoint, the same tree on the brokers of both "
            f"countries. Below {EXERCISE_ROOT} nothing is real.",
        },
        "defaultContentType": "application/json",
        "servers": {
            side: {"host": host, "protocol": "mqtt", "protocolVersion": "5", "title": title}
            for side, host, title in (
                ("north", "127.0.0.1:18831", "The demo's broker of the northern side"),
                ("south", "127.0.0.1:18832", "The demo's broker of the southern side"),
            )
        },
        "channels": {name: _channel(name) for name in _CHANNELS},
        "operations": {_operation_name(name): _operation(name) for name in _CHANNELS},
        "components": {"messages": messages, "schemas": schemas},
    }


# --- topics ----------------------------------------------------------------------------


class _Channel(msgspec.Struct, frozen=True, kw_only=True):
    address: str
    message: str
    about: str
    qos: int = 1
    retain: bool = False
    action: str = "send"


_CHANNELS: dict[str, _Channel] = {}
for _root, _suffix, _what in (
    (ROOT, "", "from sensors alone"),
    (EXERCISE_ROOT, "Exercise", "with any evidence from a simulator or a replay"),
):
    _CHANNELS |= {
        f"alert{_suffix}": _Channel(
            address=f"{_root}/{{site}}/{{place}}/alert",
            message="alert",
            about=f"The alert stream of a lane or zone, {_what}.",
        ),
        f"active{_suffix}": _Channel(
            address=f"{_root}/{{site}}/{{place}}/active/{{id}}",
            message="alert",
            about=f"An alert while it is active, {_what}; cleared by an empty payload.",
            retain=True,
        ),
        f"live{_suffix}": _Channel(
            address=f"{_root}/{{site}}/{{place}}/live/{{kind}}",
            message="live",
            about=f"What a sensor measures, {_what}; expires after seconds.",
            qos=0,
        ),
        f"evidence{_suffix}": _Channel(
            address=f"{_root}/{{site}}/evidence/{{id}}/{{n}}",
            message="evidence",
            about=f"A file of an alert {_what}: sent before the revision that names it, with its "
            "digest; user properties name, media_type, sha256, epoch, seq.",
        ),
        f"state{_suffix}": _Channel(
            address=f"{_root}/{{site}}/state",
            message="state",
            about=f"Whether an edge is there that raises alerts {_what}; its will says lost.",
            retain=True,
        ),
        f"birth{_suffix}": _Channel(
            address=f"{_root}/{{site}}/birth",
            message="birth",
            about=f"What an edge consists of that raises alerts {_what}.",
            retain=True,
        ),
        f"health{_suffix}": _Channel(
            address=f"{_root}/{{site}}/{{place}}/health",
            message="health",
            about="Sensors of a lane or zone, and delivery to both sides; of an edge that raises "
            f"alerts {_what}.",
            retain=True,
        ),
    }
    _CHANNELS |= {
        f"{_verb}{_suffix}": _Channel(
            address=f"{_root}/{{site}}/cmd/{_verb}",
            message=short_name(COMMANDS[_verb]),
            about=f"{_about} Of alerts {_what}. Answered with "
            f"`{'record' if _verb == 'record' else 'answer'}` on the response topic.",
            action="receive",
        )
        for _verb, _about in (
            ("shelve", "A centre does not want to be rung for something, for a while."),
            ("unshelve", "A centre wants to be rung again."),
            ("ack", "A centre has answered an alert."),
            ("dispatch", "A centre has sent somebody."),
            ("on-scene", "Who was sent is there."),
            ("adjudicate", "A centre says what it was."),
            ("note", "A centre wrote something down; the text stays there."),
            ("assist", "A centre asks for help."),
            ("hand-over", "A centre offers an alert to the other, which accepts or declines."),
            ("record", "A centre asks for entries of the common record."),
            ("resend", "A centre asks for alerts again."),
        )
    }
_CHANNELS |= {
    "cursor": _Channel(
        address=f"{ROOT}/ops/{{side}}/cursor/{{site}}",
        message="cursor",
        about="What a centre has stored: the edge keeps everything after it.",
        retain=True,
        action="receive",
    ),
    "opsState": _Channel(
        address=f"{ROOT}/ops/{{side}}/state",
        message="ops-state",
        about="Whether a centre listens.",
        retain=True,
        action="receive",
    ),
}

_PARAMETERS = {
    "site": f"The checkpoint, {NAME_PATTERN}.",
    "place": f"A lane or zone, {NAME_PATTERN}; `site` for what belongs to neither.",
    "id": "The alert's id.",
    "n": "Counts the files of the alert over its revisions, from 1 on.",
    "kind": f"What is measured, {NAME_PATTERN}.",
    "side": "north or south.",
}


def _channel(name: str) -> Json:
    channel = _CHANNELS[name]
    parameters = {
        key: {"description": about}
        for key, about in _PARAMETERS.items()
        if f"{{{key}}}" in channel.address
    }
    return {
        "address": channel.address,
        "description": channel.about,
        "messages": {channel.message: {"$ref": f"#/components/messages/{channel.message}"}},
        "parameters": parameters,
    }


def _operation_name(name: str) -> str:
    return f"{_CHANNELS[name].action}{name[0].upper()}{name[1:]}"


def _operation(name: str) -> Json:
    channel = _CHANNELS[name]
    return {
        "action": channel.action,
        "channel": {"$ref": f"#/channels/{name}"},
        "summary": channel.about,
        "messages": [{"$ref": f"#/channels/{name}/messages/{channel.message}"}],
        "bindings": {"mqtt": {"qos": channel.qos, "retain": channel.retain}},
    }


def _text(document: Json) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
