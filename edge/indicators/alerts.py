"""Alerts as the record tells them: how strong each got, and what people made of it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from edge.indicators.figures import (
    Figure,
    Window,
    Word,
    number,
    share,
    side_of,
    spread,
    text_of,
    whole_of,
)
from edge.indicators.reading import DAY_NS, Reading, day_of
from edge.record.entries import CODES, Entry

RINGS = 2
"""From this level on an alert rings: a person is to do something."""
HIGHEST = 4
DIRECTIONS = ("northbound", "southbound", "elsewhere")
"""`elsewhere`: in no lane of one direction, such as a track over ground."""
ANSWERS = ("ack", "dispatch", "on-scene", "adjudicate", "assist")
CLASSES = {
    "CONFIRMED_THREAT": "confirmed",
    "INNOCENT_NORM": "innocent",
    "INNOCENT_MEDICAL": "innocent",
    "INNOCENT_LEGAL_SHIPMENT": "innocent",
    "NUISANCE_TRAFFIC": "nuisance",
    "NUISANCE_ANIMAL": "nuisance",
    "NUISANCE_WEATHER": "nuisance",
    "FALSE_NOT_CONFIRMED": "false",
    "SENSOR_FAULT": "false",
    "EXERCISE": "exercise",
    "REFERRED_SECONDARY": "referred",
    "UNRESOLVED": "unresolved",
}
DECIDED = ("confirmed", "innocent", "nuisance", "false")
"""What PPV is taken of; the other classes are open, or were no test of the system."""
OPEN = "not-adjudicated"
OUTCOMES = (*DECIDED, "exercise", "referred", "unresolved", OPEN)
EXAMINED = ("REFERRED_SECONDARY", "CONFIRMED_THREAT")
ALL: Word = ("row", "all")


@dataclass(slots=True, kw_only=True)
class Story:
    """One alert, and every answer to it as far as the record goes."""

    first: Entry
    peak: Entry
    """Where it first was at its highest level; what it is counted by."""
    rang: Entry | None
    """Where it first was at level 2 or more."""
    answers: list[Entry] = field(default_factory=list)

    @property
    def level(self) -> int:
        """The highest that it reached; 0 where the record says none."""
        return level_of(self.peak)

    @property
    def event(self) -> str:
        """What it was at its highest level."""
        return text_of(self.peak, "event")

    @property
    def direction(self) -> str:
        """One of `DIRECTIONS`."""
        told = text_of(self.peak, "direction")
        return told if told in DIRECTIONS else "elsewhere"

    @property
    def drill(self) -> bool:
        """Whether it is an exercise; what says neither is taken for real."""
        return self.first.facts.get("exercise") is True

    @property
    def verdict(self) -> Entry | None:
        """The last adjudication of either side with a code that there is."""
        found = [each for each in self.of("adjudicate") if text_of(each, "code") in CLASSES]
        return found[-1] if found else None

    @property
    def outcome(self) -> str:
        """One of `OUTCOMES`."""
        verdict = self.verdict
        if verdict is None:
            return OPEN
        code = text_of(verdict, "code")
        if code == "SENSOR_FAULT" and self.event.startswith("SENSOR_"):
            return "confirmed"  # it told of a sensor, and was right
        return CLASSES[code]

    def of(self, *kinds: str) -> list[Entry]:
        """Its answers of these kinds."""
        return [each for each in self.answers if each.kind in kinds]


def level_of(entry: Entry) -> int:
    """1 to 4; 0 where the record says none of these."""
    level = whole_of(entry, "level") or 0
    return level if level <= HIGHEST else 0


def stories(reading: Reading) -> dict[str, Story]:
    """Every alert of the record, by its id, in the order in which they came."""
    found: dict[str, Story] = {}
    for entry in reading.of("alert", *ANSWERS, "hand-over"):
        if entry.kind != "alert":
            story = found.get(text_of(entry, "alert"))
            if story is not None:
                story.answers.append(entry)
            continue
        name, level = text_of(entry, "id"), level_of(entry)
        story = found.get(name)
        if story is None:
            found[name] = story = Story(first=entry, peak=entry, rang=None)
        if level > story.level:
            story.peak = entry
        if level >= RINGS and story.rang is None:
            story.rang = entry
    return found


def begun_in(
    reading: Reading, found: Iterable[Story], window: Window, *, drill: bool
) -> list[Story]:
    """The real ones, or the drills, that the record first tells of in the window."""
    return [
        story for story in found if story.drill is drill and reading.time_ns(story.first) in window
    ]


def by_event(table: str, chosen: Sequence[Story]) -> list[Figure]:
    """How many by event and level, in columns by direction."""
    made = []
    kinds = sorted({(story.event, -story.level) for story in chosen})
    rows: list[tuple[tuple[Word, ...], list[Story]]] = [((ALL,), list(chosen))]
    for event, negative in kinds:
        those = [each for each in chosen if (each.event, each.level) == (event, -negative)]
        rows.append(((("event", event), ("level", str(-negative))), those))
    for row, those in rows:
        for direction in DIRECTIONS:
            there = [each.peak.index for each in those if each.direction == direction]
            made.append(number(table, row, ("direction", direction), there))
        made.append(number(table, row, ("column", "all"), [each.peak.index for each in those]))
    return made


def by_day(table: str, reading: Reading, chosen: Iterable[Story]) -> list[Figure]:
    """How many began on each day of UTC that had any, at each level, by direction."""
    days: dict[tuple[int, int, str], list[int]] = defaultdict(list)
    for story in chosen:
        day = reading.time_ns(story.first) // DAY_NS
        days[day, -story.level, story.direction].append(story.peak.index)
    return [
        number(
            table,
            (("", day_of(day)), ("level", str(-level))),
            ("direction", direction),
            days.get((day, level, direction), []),
        )
        for day, level in sorted({(day, level) for day, level, _ in days})
        for direction in DIRECTIONS
    ]


def by_code(table: str, chosen: Sequence[Story]) -> list[Figure]:
    """How they were adjudicated, code by code; and where the sides did not agree."""
    made = []
    for code in (*CODES, OPEN):
        row = (("code", code),) if code != OPEN else (("row", OPEN),)
        those = []
        for story in chosen:
            verdict = story.verdict
            if verdict is None and code == OPEN:
                those.append((story.direction, story.peak.index))
            elif verdict is not None and text_of(verdict, "code") == code:
                those.append((story.direction, verdict.index))
        for direction in DIRECTIONS:
            there = [index for where, index in those if where == direction]
            made.append(number(table, row, ("direction", direction), there))
        made.append(number(table, row, ("column", "all"), [index for _, index in those]))
    made.append(number(table, (("row", "disagreed"),), ("column", "all"), _disagreed(chosen)))
    return made


def _disagreed(chosen: Iterable[Story]) -> list[int]:
    indexes = []
    for story in chosen:
        last = {side_of(each): text_of(each, "code") for each in story.of("adjudicate")}
        if len(set(last.values())) > 1:
            indexes.append(story.peak.index)
    return indexes


def by_outcome(table: str, chosen: Sequence[Story]) -> list[Figure]:
    """What they turned out to be, by event."""
    made = []
    events = sorted({story.event for story in chosen})
    for event in (None, *events):
        row: tuple[Word, ...] = (ALL,) if event is None else (("event", event),)
        those = [story for story in chosen if event in (None, story.event)]
        for outcome in OUTCOMES:
            indexes = [
                (story.verdict or story.peak).index for story in those if story.outcome == outcome
            ]
            made.append(number(table, row, ("outcome", outcome), indexes, of=len(those)))
    return made


def how_right(table: str, chosen: Sequence[Story]) -> list[Figure]:
    """PPV and what the rest was, of those that somebody decided; by level, then by event."""
    rows: list[tuple[Word, list[Story]]] = [(ALL, list(chosen))]
    for level in sorted({story.level for story in chosen}, reverse=True):
        rows.append((("level", str(level)), [each for each in chosen if each.level == level]))
    for event in sorted({story.event for story in chosen}):
        rows.append((("event", event), [each for each in chosen if each.event == event]))
    made = []
    for word, those in rows:
        row = (word,)
        outcomes = Counter(story.outcome for story in those)
        verdicts = [story.verdict for story in those]
        decided = [each for each in those if each.outcome in DECIDED]
        indexes = [each.verdict.index for each in decided if each.verdict is not None]
        said = [verdict.index for verdict in verdicts if verdict is not None]
        made.append(number(table, row, ("column", "all"), [each.peak.index for each in those]))
        made.append(number(table, row, ("column", "adjudicated"), said, of=len(those)))
        made.append(number(table, row, ("column", "decided"), indexes, of=len(those)))
        for column, outcome in (
            ("ppv", "confirmed"),
            ("innocent-rate", "innocent"),
            ("nuisance-rate", "nuisance"),
            ("false-rate", "false"),
        ):
            word_ = ("column", column)
            made.append(share(table, row, word_, indexes, hits=outcomes[outcome], of=len(decided)))
    return made


def by_side(
    table: str, reading: Reading, window: Window, known: Mapping[str, Story], *, drill: bool
) -> list[Figure]:
    """Who answered what, and of which direction, when he did so."""
    made = []

    acted: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for entry in reading.within(window, *ANSWERS):
        story = known.get(text_of(entry, "alert"))
        if story is not None and story.drill is drill:
            acted[entry.kind, story.direction][side_of(entry)].append(entry.index)
    sides = sorted({side for each in acted.values() for side in each})
    for kind in ANSWERS:
        for direction in DIRECTIONS:
            for side in sides:
                indexes = acted.get((kind, direction), {}).get(side, [])
                row = (("kind", kind), ("direction", direction))
                made.append(number(table, row, ("side", side), indexes))
    return made


def how_fast(table: str, reading: Reading, chosen: Sequence[Story]) -> list[Figure]:
    """From when an alert rang to each answer: of either side, whichever was first, then of each."""
    rang = [story for story in chosen if story.rang is not None]
    sides = sorted({side_of(each) for story in rang for each in story.answers})
    made = []
    for kind, name in (
        ("ack", "ack"),
        ("dispatch", "dispatch"),
        ("on-scene", "on-scene"),
        ("adjudicate", "decide"),
    ):
        for side in (None, *sides):
            row = (("answer", name), ("row", "either") if side is None else ("side", side))
            lengths, indexes, answered = [], [], []
            for story in rang:
                told = [each for each in story.of(kind) if side in (None, side_of(each))]
                if not told or story.rang is None:
                    continue
                answered.append(told[0].index)
                took = reading.time_ns(told[0]) - reading.time_ns(story.rang)
                if took >= 0:  # else the clock was set back between: nobody measured it
                    lengths.append(took)
                    indexes += [story.rang.index, told[0].index]
            made.append(number(table, row, ("column", "answered"), answered, of=len(rang)))
            made += spread(table, row, lengths, indexes)
    return made
