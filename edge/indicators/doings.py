"""What people and the service did besides answering: hand-overs, shelves, refusals, changes."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from edge.indicators.alerts import ALL, Story
from edge.indicators.figures import (
    SHOWN,
    Figure,
    Window,
    Word,
    number,
    raw,
    seconds,
    side_of,
    spread,
    text_of,
    whole_of,
)
from edge.indicators.reading import Reading, ns_of
from edge.record.entries import Entry

ENDINGS = ("accepted", "declined", "expired", "open")
SCOPES = ("event", "sensor", "place")
VERBS = (
    "ack",
    "dispatch",
    "on-scene",
    "adjudicate",
    "note",
    "assist",
    "hand-over",
    "shelve",
    "unshelve",
    "resend",
    "record",
    "change",
)
"""What a refused command may have been; of any other verb only that it was another."""


@dataclass(slots=True, kw_only=True)
class HandOver:
    """One offer, and what became of it."""

    offer: Entry
    steps: list[Entry] = field(default_factory=list)

    @property
    def answer(self) -> Entry | None:
        """The step that settled it."""
        return next((one for one in self.steps if text_of(one, "step") in ENDINGS), None)

    @property
    def ending(self) -> str:
        """One of `ENDINGS`."""
        answer = self.answer
        return "open" if answer is None else text_of(answer, "step")


def hand_overs(
    table: str, reading: Reading, window: Window, chosen: Mapping[str, Story], *, drill: bool
) -> list[Figure]:
    """Those offered in the window, from whom to whom, by outcome; how long the answer took."""
    latest: dict[str, HandOver] = {}
    rows: dict[tuple[str, str], list[HandOver]] = defaultdict(list)
    for entry in reading.of("hand-over"):
        name = text_of(entry, "alert")
        story = chosen.get(name)
        if story is None or story.drill is not drill:
            continue
        if text_of(entry, "step") == "offered":
            latest[name] = HandOver(offer=entry)
            if reading.time_ns(entry) in window:
                rows[side_of(entry), text_of(entry, "to")].append(latest[name])
        elif name in latest:
            latest[name].steps.append(entry)
    made = []
    for (giver, taker), offers in sorted(rows.items()):
        row = (("from", giver), ("to", taker))
        heads = [each.offer.index for each in offers]
        made.append(number(table, row, ("column", "offered"), heads))
        for ending in ENDINGS:
            told = [(each.answer or each.offer).index for each in offers if each.ending == ending]
            made.append(number(table, row, ("step", ending), told, of=len(offers)))
        closed = [
            step.index
            for each in offers
            for step in [one for one in each.steps if text_of(one, "step") == "closed"][:1]
        ]
        made.append(number(table, row, ("step", "closed"), closed, of=len(offers)))
        made += _waits(table, row, reading, offers)
    return made


def _waits(
    table: str, row: Sequence[Word], reading: Reading, offers: Sequence[HandOver]
) -> list[Figure]:
    lengths, indexes = [], []
    for each in offers:
        if each.answer is not None:
            took = reading.time_ns(each.answer) - reading.time_ns(each.offer)
            if took >= 0:
                lengths.append(took)
                indexes += [each.offer.index, each.answer.index]
    return spread(table, row, lengths, indexes)


def shelved(table: str, reading: Reading, window: Window) -> list[Figure]:
    """What nobody was to be rung for: how often that was asked, and for how long it held."""
    open_: dict[tuple[str, ...], tuple[int, int, int]] = {}
    held: dict[tuple[str, ...], list[tuple[int, int, tuple[int, int]]]] = defaultdict(list)
    asked: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for entry in reading.of("shelve", "inhibit", "unshelve", "shelf-expired"):
        scope = tuple(text_of(entry, name)[:SHOWN] for name in SCOPES)
        now = reading.time_ns(entry)
        if entry.kind in ("unshelve", "shelf-expired"):
            what = ("shelve", *scope)
            if what in open_:
                began, until, index = open_.pop(what)
                held[what].append((began, min(now, until), (index, entry.index)))
            continue
        what = (entry.kind, *scope)
        if what in open_:  # asked again: the later request says how long
            began, until, index = open_.pop(what)
            held[what].append((began, min(now, until), (index, entry.index)))
        open_[what] = (now, _until(entry, reading), entry.index)
        held.setdefault(what, [])
        if now in window:
            asked[what].append(entry.index)
    for what, (began, until, index) in open_.items():
        held[what].append((began, min(until, reading.end_utc_ns), (index, index)))
    made = []
    for what in sorted(held):
        there = [one for one in held[what] if window.overlap_ns(one[0], one[1])]
        if not there and what not in asked:
            continue
        row = (("kind", what[0]), *(_scope(*each) for each in zip(SCOPES, what[1:], strict=True)))
        made.append(number(table, row, ("column", "requests"), asked[what]))
        ns = sum(window.overlap_ns(began, ended) for began, ended, _ in there)
        indexes = [index for _, _, both in there for index in both] or asked[what]
        made.append(seconds(table, row, ("column", "in-force"), ns, indexes))
    return made


def _scope(name: str, value: str) -> Word:
    if not value:
        return "any", name
    return (name, value) if name == "event" else raw(value)


def _until(entry: Entry, reading: Reading) -> int:
    """When it was to end; where that cannot be read, it is as if it never did."""
    try:
        return ns_of(text_of(entry, "until"))
    except ValueError:
        return reading.end_utc_ns


def refused(table: str, reading: Reading, window: Window) -> list[Figure]:
    """Commands that were not carried out, by verb and reason, in columns by who asked."""
    found: dict[tuple[str, str], dict[str, list[Entry]]] = defaultdict(lambda: defaultdict(list))
    for entry in reading.within(window, "refused"):
        verb = text_of(entry, "verb")
        known = verb if verb in VERBS else "other"
        found[known, text_of(entry, "why")[:SHOWN]][side_of(entry)].append(entry)
    sides = sorted({side for each in found.values() for side in each})
    every = [one for each in found.values() for some in each.values() for one in some]
    made = [_commands(table, (ALL,), ("column", "all"), every)]
    for verb, why in sorted(found):
        row = (("verb", verb), ("why", why))
        made += [
            _commands(table, row, ("side", side), found[verb, why].get(side, [])) for side in sides
        ]
        here = [one for some in found[verb, why].values() for one in some]
        made.append(_commands(table, row, ("column", "all"), here))
    return made


def _commands(table: str, row: tuple[Word, ...], column: Word, entries: Sequence[Entry]) -> Figure:
    """How many commands they tell of: many alike in a short time are one entry."""
    counted = number(table, row, column, [each.index for each in entries])
    told = (whole_of(each, "count") for each in entries)
    return replace(counted, value=sum(1 if each is None else each for each in told))


def changes(table: str, reading: Reading, window: Window) -> list[Figure]:
    """Changes with the keys that signed them; those refused; configurations that changed."""
    rows: dict[tuple[Word, ...], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for entry in reading.within(window, "change", "change-refused", "config"):
        column = "not-made" if entry.kind == "change-refused" else "made"
        rows[_changed(entry)][column].append(entry.index)
    return [
        number(table, row, ("column", column), rows[row].get(column, []))
        for row in sorted(rows)
        for column in ("made", "not-made")
    ]


def _changed(entry: Entry) -> tuple[Word, ...]:
    if entry.kind == "config":
        return ("what", "config"), raw(text_of(entry, "digest")[:12]), ("row", "unsigned")
    whats = tuple(("what", each) for each in _texts(entry, "what")) or (("what", "unknown"),)
    signers = ", ".join(_texts(entry, "signers"))
    why: tuple[Word, ...] = (("why", text_of(entry, "why")),) if "why" in entry.facts else ()
    signed: Word = raw(signers) if signers else ("row", "unsigned")
    return *whats, raw(text_of(entry, "digest")[:12]), signed, *why


def _texts(entry: Entry, name: str) -> list[str]:
    """A fact that is a list of texts, or one text."""
    value = entry.facts.get(name)
    if isinstance(value, str):
        return [value[:SHOWN]]
    items = value if isinstance(value, list) else []
    return [each[:SHOWN] for each in items[:8] if isinstance(each, str)]
