"""From what pydantic says is wrong to what a person can do about it."""

import difflib
from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from edge.errors import Mistake
from edge.settings.addresses import without_secrets
from edge.settings.lines import Document, KeyPath, dotted

VALUE_CHARACTERS = 60  # enough to recognise the value, still one line on a terminal
SECRET_WORDS = ("password", "passwd", "secret", "token", "passphrase")

Schema = dict[str, Any]


def mistakes_of(error: ValidationError, document: Document, schema: Schema) -> list[Mistake]:
    """Every error as a mistake with line, key, value and mend."""
    return [_mistake(details, document, schema) for details in error.errors(include_url=False)]


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """A mend for a word that is none of the choices."""
    known = list(choices)
    close = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    listed = ", ".join(known)
    return f"did you mean {close[0]}? (one of: {listed})" if close else f"use one of: {listed}"


def shown(value: object, key: str) -> str:
    """The value on one line; nothing of a secret, `""` for nothing."""
    if value is None:
        return ""
    if any(word in key.lower() for word in SECRET_WORDS) and not key.endswith(("_file", "_env")):
        return "***"
    if isinstance(value, dict | list):
        return ""  # its keys are told one by one, or its lines are where the key points
    text = without_secrets(" ".join(str(value).split()))
    return text if len(text) <= VALUE_CHARACTERS else text[: VALUE_CHARACTERS - 1] + "…"


def _mistake(details: ErrorDetails, document: Document, schema: Schema) -> Mistake:
    path, parent = _path_and_schema(details["loc"], document, schema)
    if details["type"] == "union_tag_invalid":
        path = (*path, "kind")
    word = str(path[-1]) if path else ""
    message, mend = _said(details, word, parent, schema)
    missing = details["type"] == "missing"
    return Mistake(
        line=document.line(path),
        key=dotted(path),
        value="" if missing else shown(document.at(path), word),
        message=message,
        mend=mend,
    )


def _said(details: ErrorDetails, word: str, parent: Schema, schema: Schema) -> tuple[str, str]:
    """What is wrong and how to mend it."""
    context = details.get("ctx", {})
    match details["type"]:
        case "extra_forbidden" | "unexpected_keyword_argument":
            said = "unknown key", _unknown_key(word, parent)
        case "missing":
            said = "a required key is missing", f"add `{word}:`{_about(word, parent)}"
        case "union_tag_invalid":
            choices = str(context.get("expected_tags", "")).replace("'", "").split(", ")
            said = "unknown kind of sensor", did_you_mean(str(context.get("tag", "")), choices)
        case "union_tag_not_found":
            said = "a sensor needs a kind", f"add `kind:`, one of: {', '.join(_kinds(schema))}"
        case "literal_error" | "enum":
            choices = _choices(str(context.get("expected", "")))
            said = "not one of the choices", did_you_mean(str(details["input"]), choices)
        case "string_pattern_mismatch":
            mend = f"{_as_name(details['input'])} would do"
            said = "only small letters, digits and hyphens, 1 to 32 of them", mend
        case "too_short":
            said = "at least one is needed", f"add one below `{word}:`"
        case _:
            about = _about(word, parent).removeprefix("  # ")
            mend = f"change the value; {word}: {about}" if about else "change the value"
            said = _in_plain_words(details["msg"]), mend
    return said


def _unknown_key(word: str, parent: Schema) -> str:
    known = sorted(parent.get("properties", {}))
    if any(secret in word.lower() for secret in SECRET_WORDS):
        files = [key for key in known if key.endswith(("_file", "_env"))]
        hint = f"; use {' or '.join(files)}" if files else ""
        return f"secrets do not stand in this file: give a file or an environment variable{hint}"
    return did_you_mean(word, known) if known else "remove it"


def _about(word: str, parent: Schema) -> str:
    """What the key is for, from the docs of the field."""
    description = str(parent.get("properties", {}).get(word, {}).get("description", ""))
    return f"  # {' '.join(description.split())}" if description else ""


def _in_plain_words(message: str) -> str:
    return message.removeprefix("Value error, ").replace("Input should", "must").strip()


def _choices(expected: str) -> list[str]:
    """`'a', 'b' or 'c'` as pydantic lists choices."""
    return [piece.strip(" '") for piece in expected.replace(" or ", ", ").split(",")]


def _as_name(value: object) -> str:
    letters = "".join(c if c.isascii() and c.isalnum() else "-" for c in str(value).lower())
    return letters.strip("-")[:32] or "a-name"


def _kinds(schema: Schema) -> list[str]:
    items = schema.get("properties", {}).get("sensors", {}).get("items", {})
    return sorted(items.get("discriminator", {}).get("mapping", {}))


def _path_and_schema(
    loc: tuple[int | str, ...], document: Document, schema: Schema
) -> tuple[KeyPath, Schema]:
    """The key's path in the file, and the schema of the mapping that it stands in.

    pydantic's `loc` also names the kind of a sensor and `[key]`, which are no keys.
    """
    path: KeyPath = ()
    parent = _resolved(schema, schema, None)
    for index, part in enumerate(loc):
        here = document.at(path)
        last = index == len(loc) - 1
        is_kind = isinstance(here, dict) and here.get("kind") == part and part not in here
        if part == "[key]" or is_kind:
            continue
        path = (*path, part)
        if not last:
            parent = _resolved(_below(parent, part), schema, document.at(path))
    return path, parent


def _below(schema: Schema, part: int | str) -> Schema:
    if isinstance(part, int):
        found = schema.get("items", {})
    else:
        found = schema.get("properties", {}).get(part) or schema.get("additionalProperties", {})
    return found if isinstance(found, dict) else {}


def _resolved(schema: Schema, root: Schema, value: object) -> Schema:
    """The schema itself, behind a reference, an optional or a choice by kind."""
    if "discriminator" in schema and isinstance(value, dict):
        mapping = schema["discriminator"].get("mapping", {})
        schema = {"$ref": mapping[value["kind"]]} if value.get("kind") in mapping else {}
    for option in schema.get("anyOf", []):
        if option.get("type") != "null":
            schema = option
            break
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
    return schema
