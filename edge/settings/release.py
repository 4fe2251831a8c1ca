"""What the release rules of a side name: something of each, and only what there is."""

from collections.abc import Iterator

from edge.errors import Mistake
from edge.settings.lines import Document, KeyPath, dotted
from edge.settings.mend import did_you_mean, shown
from fusion.types import Event

WITHHOLDING = ("fields", "evidence", "all")


def check_release(document: Document) -> Iterator[Mistake]:
    """Mistakes that no key of a rule shows by itself."""
    places = [*_ids(document, "lanes"), *_ids(document, "zones")]
    events = [event.value for event in Event]
    sides = document.at(("sides",))
    for side in sides if isinstance(sides, dict) else ():
        names: set[object] = set()
        for path, rule in _rules(document, side):
            if not any(rule.get(key) for key in WITHHOLDING):
                message = "the rule withholds nothing"
                yield _mistake(document, path, message, "add `fields:`, `evidence:` or `all: true`")
            if (name := rule.get("name")) in names and isinstance(name, str):
                message = "another rule of this side has this name"
                yield _mistake(document, (*path, "name"), message, "give every one its own")
            names.add(name if isinstance(name, str) else None)
            yield from _unknown(document, (*path, "events"), "event", events)
            yield from _unknown(document, (*path, "places"), "lane or zone", places)


def _unknown(document: Document, path: KeyPath, what: str, known: list[str]) -> Iterator[Mistake]:
    found = document.at(path)
    for number, given in enumerate(found if isinstance(found, list) else ()):
        if isinstance(given, str) and given not in known:
            mend = did_you_mean(given, known)
            yield _mistake(document, (*path, number), f"there is no such {what}", mend)


def _rules(document: Document, side: object) -> Iterator[tuple[KeyPath, dict[str, object]]]:
    found = document.at(("sides", str(side), "release"))
    for number, item in enumerate(found if isinstance(found, list) else ()):
        if isinstance(item, dict):
            yield ("sides", str(side), "release", number), item


def _ids(document: Document, key: str) -> list[str]:
    found = document.at((key,))
    items = found if isinstance(found, list) else []
    return [str(item["id"]) for item in items if isinstance(item, dict) and "id" in item]


def _mistake(document: Document, path: KeyPath, message: str, mend: str) -> Mistake:
    return Mistake(
        line=document.line(path),
        key=dotted(path),
        value=shown(document.at(path), str(path[-1])),
        message=message,
        mend=mend,
    )
