"""How an alert was handled, in words: it came again, was put aside, is one of many."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from edge.text.catalogue import Catalogue
from fusion.types import SECOND_NS, Level

MOST = 1_000_000  # no site has more alerts; a message from outside may say anything
MAX_PLACES = 3
"""Places of a group before the rest is only counted."""


def group_headline(texts: Catalogue, facts: Mapping[str, Any], headline: str) -> str:
    """The headline of many alerts in one: how many, then the worst of them."""
    size = facts.get("group_size")
    if isinstance(size, bool) or not isinstance(size, int) or not 0 < size < MOST:
        return headline
    return texts.fill(texts.text("handling", "group_headline"), {"group_size": size}) + headline


def handling(texts: Catalogue, facts: Mapping[str, Any]) -> list[str]:
    """A sentence for each thing that the alarm book has done with an alert."""
    told = _plain(facts)
    if told.get("own_level") not in list(Level):
        told.pop("own_level", None)
    shelved = facts.get("shelved")
    if isinstance(shelved, Mapping):
        told |= _plain(shelved) | {"until": _clock(shelved.get("until_utc_ns"))}
    if isinstance(places := facts.get("places"), tuple | list):
        told["places"] = _listed(texts, [str(place) for place in places])
    names = {
        "reopened": "reopened",
        "chattering": "chattering",
        "realarm": "realarm",
        "shelved": "shelved",
        "group": "member",
        "group_size": "group",
    }
    return [
        texts.fill(texts.text("handling", name), told)
        for fact, name in names.items()
        if facts.get(fact) is not None
    ]


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Those that are words or numbers: nothing else is a part of a sentence."""
    return {name: fact for name, fact in facts.items() if isinstance(fact, str | int | float)}


def _listed(texts: Catalogue, names: list[str]) -> str:
    more = len(names) - MAX_PLACES
    rest = texts.fill(texts.text("phrase", "more"), {"n": more}) if more > 0 else ""
    return ", ".join(names[:MAX_PLACES]) + rest


def _clock(utc_ns: object) -> str | None:
    """Day and time in UTC: both countries read the same."""
    if isinstance(utc_ns, bool) or not isinstance(utc_ns, int):
        return None
    try:
        return f"{datetime.fromtimestamp(utc_ns // SECOND_NS, UTC):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError, OSError):  # a year that no calendar has
        return None
