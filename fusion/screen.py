"""What of an incident may be worth a word: asked of every detection, before any table is made.

Most of what sensors notice is told to nobody. Whether it will be is a few numbers; its table of
reasons, with facts, silent sensors and records, is a hundred times as much work.
"""

from collections.abc import Iterable, Mapping

from fusion.alarm_policy import AlarmPolicy
from fusion.associate import Transit
from fusion.cells import Cell, Floats, Layout, Rows
from fusion.groups import Correlation
from fusion.policy import Policy
from fusion.priors import Onset, hour_of, prior_nats
from fusion.questions import EVENTS, KINDRED, QUESTIONS, TRANSIT_QUESTIONS
from fusion.tracks import Track
from fusion.types import Event


class Screen:
    """Weighs incidents as `fusion.score` does, for the numbers alone."""

    def __init__(self, policy: Policy, correlation: Correlation) -> None:
        """`correlation`: of two ground sensors."""
        self._policy = policy
        self._correlation = correlation
        self._known: dict[tuple[tuple[str, ...], str, int], Floats] = {}
        """Priors, (explanations,), by questions, place and hour of the day."""
        self._passages = layout_of(TRANSIT_QUESTIONS, policy)
        self._motions = layout_of(("motion",), policy)

    def transit(self, transit: Transit, rows: Rows, at: Onset) -> int:
        """Of which of TRANSIT_QUESTIONS anything may be worth a word, as bits in their order.

        rows  its detections, each with its pairing weight
        """
        if transit.cell is None:
            transit.cell = Cell(self._passages, self._priors(self._passages, at))
        transit.cell.hold(rows)
        return transit.cell.worth_telling(transit.end_utc_ns)

    def track(self, track: Track, rows: Rows, at: Onset) -> bool:
        """Whether anything of what moves may be worth a word."""
        cell = self._cell(track, at)
        cell.hold(rows)
        return cell.worth_telling(track.end_utc_ns) != 0

    def is_faint(self, track: Track, own: Rows, at: Onset) -> bool:
        """Whether nothing can be worth a word, whatever silence says besides."""
        return self._cell(track, at).hold(own)

    def _cell(self, track: Track, at: Onset) -> Cell:
        if track.cell is None:
            priors = self._priors(self._motions, at)
            track.cell = Cell(self._motions, priors, self._correlation)
        return track.cell

    def _priors(self, layout: Layout, at: Onset) -> Floats:
        scoring = self._policy.scoring
        key = layout.asked, at.place, hour_of(at.utc_ns, scoring.site_utc_offset_h)
        found = self._known.get(key)
        if found is None:
            nats = {name: prior_nats(name, at, scoring) for name in layout.names}
            found = self._known[key] = layout.priors(nats)
        return found


def layout_of(questions: Iterable[str], policy: Policy) -> Layout:
    """Columns for these questions, by the policy's lines and weights."""
    names = {question: QUESTIONS[question] for question in questions}
    return Layout.of(names, TOLD_AS, _lines(policy.alarms), policy.scoring)


def _told_as(event: Event) -> str:
    """One name for events that are one to the operator."""
    return next((kin[0].value for kin in KINDRED if event in kin), event.value)


TOLD_AS: Mapping[str, str] = {name: _told_as(event) for name, event in EVENTS.items()}


def _lines(alarms: AlarmPolicy) -> Mapping[str, float]:
    """From which probability anything is said of an event; kindred ones have the lowest line."""
    lines: dict[str, float] = {}
    for event in Event:
        name, line = _told_as(event), min(*alarms.level_lines[event], alarms.log_line)
        lines[name] = min(line, lines.get(name, line))
    return lines
