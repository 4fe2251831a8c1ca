"""policy.yaml: every threshold of the engine, with its value and its reason.

The file is sections of thresholds, each `{value: ..., why: ...}`. What it leaves out keeps its
default. `python -m edge.settings.policy_file` writes the defaults in that form.
"""

import ast
import inspect
import json
import math
import re
import sys
import textwrap
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import Field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError

from edge.errors import ConfigError, Mistake
from edge.settings.lines import Document, KeyPath, dotted, read_yaml
from edge.settings.mend import did_you_mean, shown

if TYPE_CHECKING:  # the engine brings Numba, which alone takes 0.3 s to import
    from _typeshed import DataclassInstance

    from fusion.policy import Policy, ScoringPolicy

HEADER = """\
# Every threshold of Garita's engine, with the reason for its value.
#
# Change a value here and say why beside it; `garita check` tells what it does not understand.
# A threshold that is left out keeps the value below. Probabilities run from 0 to 1, evidence
# is in nats (log-likelihood ratio against "nothing"); other units are in the names.
"""
WIDTH = 96
HOURS = 24
_DEVIATION = re.compile(r"_sd(_|$)")
_SLOPE = re.compile(r"_slope$")


def load_policy(path: Path | None, places: Collection[str] | None = None) -> "Policy":
    """The thresholds of the file, or the defaults without one.

    places  ids of the site's lanes and zones, which no other may be spoken of; None: any may
    ConfigError carries every mistake with its line.
    """
    from fusion.policy import Policy  # noqa: PLC0415 - see above

    policy = Policy()
    if path is None:
        return policy
    document = read_yaml(path)
    mistakes = list(document.mistakes)
    for name, section in _mappings(document, (), [part.name for part in fields(policy)], mistakes):
        values = _section_values(document, (name,), section, getattr(policy, name), mistakes)
        try:
            policy = replace(policy, **{name: replace(getattr(policy, name), **values)})
        except ValueError as error:  # thresholds that are right one by one and not together
            message, _, mend = str(error).partition("; ")
            mistakes.append(_mistake(document, (name,), message, mend))
    mistakes += _of_priors(document, policy.scoring, places)
    if mistakes:
        raise ConfigError(path, sorted(mistakes, key=lambda mistake: mistake.line or 0))
    return policy


def policy_text() -> str:
    """The defaults as a policy.yaml."""
    from fusion.policy import Policy  # noqa: PLC0415 - see above

    policy = Policy()
    lines = [HEADER]
    for section in fields(policy):
        thresholds = getattr(policy, section.name)
        whys = reasons(type(thresholds))
        lines.append(f"{section.name}:")
        for threshold in fields(thresholds):
            value = getattr(thresholds, threshold.name)
            lines += [f"  {threshold.name}:", *_value_lines(value)]
            lines += ["    why: >-", *_wrapped(whys.get(threshold.name, ""))]
        lines.append("")
    return "\n".join(lines)


def reasons(section: type) -> dict[str, str]:
    """The docstring after each field of a class, on one line."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(section))).body[0]
    assert isinstance(tree, ast.ClassDef)
    found = {}
    for statement, following in zip(tree.body, tree.body[1:], strict=False):
        match statement, following:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[name] = " ".join(text.split())
    return found


def _mappings(
    document: Document, at: KeyPath, known: list[str], mistakes: list[Mistake]
) -> Iterator[tuple[str, dict[str, object]]]:
    """The known keys below `at`, each a mapping; everything else is a mistake."""
    found = document.at(at)
    if not isinstance(found, dict):
        mistakes.append(_mistake(document, at, "a mapping is expected here", "see policy.yaml"))
        return
    for key, value in found.items():
        if key not in known:
            mend = did_you_mean(str(key), known)
            mistakes.append(_mistake(document, (*at, str(key)), "unknown name", mend))
        elif not isinstance(value, dict):
            mend = "write `{value: ..., why: ...}`" if at else "list its thresholds below it"
            message = "a mapping is expected here"
            mistakes.append(_mistake(document, (*at, key), message, mend))
        else:
            yield key, value


def _section_values(
    document: Document,
    at: KeyPath,
    section: dict[str, object],
    defaults: "DataclassInstance",
    mistakes: list[Mistake],
) -> dict[str, object]:
    """The section's thresholds that are right."""
    known: dict[str, Field[Any]] = {part.name: part for part in fields(defaults)}
    hints = get_type_hints(type(defaults))
    values = {}
    for name, entry in _mappings(document, at, list(known), mistakes):
        here = (*at, name)
        for key in entry:
            if key not in ("value", "why"):
                mend = did_you_mean(str(key), ["value", "why"])
                mistakes.append(_mistake(document, (*here, str(key)), "unknown key", mend))
        if not isinstance(entry.get("why"), str) or not str(entry["why"]).strip():
            message = "a threshold stands beside its reason"
            mistakes.append(_mistake(document, here, message, "add `why:` with the reason"))
        if "value" not in entry:
            mistakes.append(_mistake(document, here, "it has no value", "add `value:`"))
            continue
        value_at = (*here, "value")
        try:
            value = _value(entry["value"], hints[name], getattr(defaults, name))
            if _DEVIATION.search(name) and not cast("float", value) > 0.0:
                raise ValueError("a deviation must be above 0; what is quite sure has a small one")
            if _SLOPE.search(name) and cast("float", value) < 0.0:
                raise ValueError("a slope is at least 0; more of it would else speak against it")
            values[name] = value
        except ValueError as error:
            message, _, mend = str(error).partition("; ")
            mend = mend or f"the default is {json.dumps(_plain(getattr(defaults, name)))}"
            mistakes.append(_mistake(document, value_at, message, mend))
    return values


def _of_priors(
    document: Document, scoring: "ScoringPolicy", places: Collection[str] | None
) -> Iterator[Mistake]:
    """Priors of places that are not there, of explanations that nobody weighs, of days too short.

    Both tables are empty by default, so that their keys are only known here.
    """
    explanations = list(scoring.priors_nats)
    at: KeyPath = ("scoring", "place_priors_nats", "value")
    for place, offsets in scoring.place_priors_nats.items():
        if places is not None and place not in places:
            mend = did_you_mean(place, sorted(places))
            yield _mistake(document, (*at, place), "there is no such lane or zone", mend)
        yield from _known(document, (*at, place), offsets, explanations)
    at = ("scoring", "hour_priors_nats", "value")
    yield from _known(document, at, scoring.hour_priors_nats, explanations)
    for name, by_hour in scoring.hour_priors_nats.items():
        if len(by_hour) != HOURS:
            message = f"a day has {HOURS} hours, here are {len(by_hour)}"
            yield _mistake(document, (*at, name), message, "the first is from midnight to one")


def _known(
    document: Document, at: KeyPath, given: Iterable[str], explanations: list[str]
) -> Iterator[Mistake]:
    for name in given:
        if name not in explanations:
            mend = did_you_mean(name, explanations)
            yield _mistake(document, (*at, name), "there is no such explanation", mend)


def _value(given: object, hint: object, default: object) -> object:
    """The value in the type of the threshold. ValueError: what is wrong; how to mend it."""
    if isinstance(default, Mapping) and isinstance(given, dict):
        known = [str(key) for key in default]
        for key in given:
            # An empty default says that any name may stand here.
            if known and str(key) not in known:
                raise ValueError(f"{key} is unknown here; {did_you_mean(str(key), known)}")
        given = {**{str(key): value for key, value in default.items()}, **given}
    try:
        value: object = TypeAdapter[object](cast("Any", hint)).validate_python(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = f"{'.'.join(map(str, first['loc']))}: " if first["loc"] else ""
        raise ValueError(
            f"{where}{first['msg'].replace('Input should be', 'it must be')}"
        ) from None
    if any(isinstance(leaf, float) and not math.isfinite(leaf) for leaf in _leaves(value)):
        raise ValueError("a threshold must be a finite number")
    if get_origin(hint) is tuple and not value:
        raise ValueError("the list is empty")
    return value


def _leaves(value: object) -> Iterator[object]:
    if isinstance(value, Mapping):
        value = tuple(value.values())
    if isinstance(value, tuple | list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _plain(value: object) -> object:
    """The value in what JSON knows."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _value_lines(value: object) -> list[str]:
    if isinstance(value, Mapping) and value:
        pairs = [f"      {key}: {json.dumps(_plain(item))}" for key, item in value.items()]
        return ["    value:", *pairs]
    return [f"    value: {json.dumps(_plain(value))}"]


def _wrapped(text: str) -> list[str]:
    indent = " " * 6
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _mistake(document: Document, at: KeyPath, message: str, mend: str) -> Mistake:
    return Mistake(
        line=document.line(at),
        key=dotted(at),
        value=shown(document.at(at), str(at[-1]) if at else ""),
        message=message,
        mend=mend,
    )


if __name__ == "__main__":
    sys.stdout.write(policy_text())
