"""What the configuration inhibits: of something that there is, never of a source, for a while."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from edge.errors import Mistake
from edge.settings.lines import Document, KeyPath, dotted
from edge.settings.mend import did_you_mean, shown
from fusion.handling_policy import HandlingPolicy
from fusion.types import Event

SCOPES = ("sensor", "event", "place")


def check_inhibits(document: Document) -> Iterator[Mistake]:
    """Mistakes that a file has at any time."""
    sources = {event.value for event in HandlingPolicy().never_shelved}
    for path, inhibit in _inhibits(document):
        if not any(inhibit.get(scope) for scope in SCOPES):
            message = "it says of nothing what it inhibits"
            yield _mistake(document, path, message, "add `sensor:`, `event:` or `place:`")
        for scope in SCOPES:
            given, known = inhibit.get(scope), _known(document, scope)
            if isinstance(given, str) and given not in known:
                mend = did_you_mean(given, known)
                yield _mistake(document, (*path, scope), f"there is no such {scope}", mend)
        if inhibit.get("event") in sources:
            message = "nobody may ask not to be told of a source"
            yield _mistake(document, (*path, "event"), message, "remove it")


def check_times(document: Document, now: datetime) -> Iterator[Mistake]:
    """Mistakes that a file has now: what is over, and what is for too long.

    now  with its zone
    """
    longest = timedelta(days=HandlingPolicy().inhibit_max_days)
    for path, inhibit in _inhibits(document):
        until = moment(inhibit.get("until"))
        if until is None:
            continue  # told by its shape
        if until <= now:
            message = "it has expired"
            yield _mistake(document, (*path, "until"), message, "remove it, or say why it goes on")
        elif until > now + longest:
            message = f"it is for more than {longest.days} days, and is refused at the start"
            yield _mistake(document, (*path, "until"), message, "give it an earlier end")


def moment(given: object) -> datetime | None:
    """A time of RFC 3339 with its zone; None where it is none."""
    try:
        found = given if isinstance(given, datetime) else datetime.fromisoformat(str(given))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _inhibits(document: Document) -> Iterator[tuple[KeyPath, dict[str, object]]]:
    found = document.at(("inhibits",))
    for number, item in enumerate(found if isinstance(found, list) else ()):
        if isinstance(item, dict):
            yield ("inhibits", number), item


def _known(document: Document, scope: str) -> list[str]:
    if scope == "event":
        return [event.value for event in Event]
    keys = ("sensors",) if scope == "sensor" else ("lanes", "zones")
    lists = [document.at((key,)) for key in keys]
    items = [item for found in lists if isinstance(found, list) for item in found]
    return [str(item["id"]) for item in items if isinstance(item, dict) and "id" in item]


def _mistake(document: Document, path: KeyPath, message: str, mend: str) -> Mistake:
    return Mistake(
        line=document.line(path),
        key=dotted(path),
        value=shown(document.at(path), str(path[-1])),
        message=message,
        mend=mend,
    )


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)
