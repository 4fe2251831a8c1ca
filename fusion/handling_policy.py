"""How many alerts an operator is given, what may be shelved, and what is told again."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fusion.types import Event, Level

CRITICAL_RADIATION = (Event.RAD_THREAT, Event.SHIELDED_SOURCE, Event.RAD_OVERRANGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlingPolicy:
    """What becomes of an alert once it is made."""

    operators: int = 1
    """How many people share the alerts of the checkpoint; every limit of load is for one."""
    alerts_per_h: float = 6.0
    """What one person can answer, hour after hour (ISA-18.2; facts: fusion 2.3)."""
    flood_alerts: int = 10
    """From so many within the window it is a flood: nobody reads the eleventh (ISA-18.2, and
    EEMUA 191 for the first ten minutes after an upset)."""
    flood_window_s: float = 600.0
    """The ten minutes of both."""
    flood_singles: int = 6
    """So many ring each for itself; the four that are left of ten are for what is the first of its
    kind at its place, and for groups, so that what comes later still has a place to be told at."""
    group_update_s: float = 10.0
    """A group that grows is told again no more often; one whose worst level rises, at once."""
    group_off_s: float = 60.0
    """How long a group has had no active member before it is over; never before its ten minutes
    are, lest it rings twice within them."""
    never_folded: Mapping[Event, int] = field(
        default_factory=lambda: {
            **dict.fromkeys(Event, int(Level.CRITICAL)),
            **dict.fromkeys(CRITICAL_RADIATION, int(Level.ADVISORY)),
            Event.CARGO_ANOMALY: int(Level.WARNING),
            Event.CARGO_MISMATCH: int(Level.WARNING),
            Event.CARGO_UNPENETRATED: int(Level.WARNING),
            Event.PORTAL_BYPASS: int(Level.WARNING),
            Event.SENSOR_TAMPER: int(Level.WARNING),
        }
    )
    """Level from which an event rings for itself even in a flood: a source is never one of many,
    a truck is stopped now or not at all, and a flood may be made so that nobody hears of the sensor
    that is opened meanwhile."""
    never_shelved: tuple[Event, ...] = CRITICAL_RADIATION
    """Nobody may ask not to be told of a source."""
    shelve_max_level: int = int(Level.WARNING)
    """Alerts above this are told whatever is shelved."""
    shelve_max_h: float = 8.0
    """One shift: who comes next decides anew (facts: fusion 2.3, shelved is time-limited)."""
    inhibit_max_days: float = 30.0
    """What the configuration itself inhibits is for building works, which take weeks."""
    shelve_max_entries: int = 29
    """Fewer than 30 at a time (EEMUA 191; facts: fusion 2.3)."""
    realarm_critical_s: float = 600.0
    """A critical alert that nobody answered and that has not changed is told again: ten minutes
    are longer than it takes to walk to a lane."""
    realarm_warning_s: float = 1800.0
    """The same of a warning; every half hour is within the budget."""
    realarm_times: int = 6
    """Who has not answered six times will not be helped by a seventh; the metrics go on."""
    stale_h: float = 24.0
    """What is active for longer is stale (ISA-18.2: fewer than 5 on any day)."""

    def __post_init__(self) -> None:
        mistakes = {
            "operators: there is one at least": self.operators < 1,
            "flood_singles: two rings must be left for groups": not (
                0 <= self.flood_singles <= self.flood_alerts - 2
            ),
            "shelve_max_entries: fewer than 30 may be shelved": self.shelve_max_entries >= 30,
            "shelve_max_level: what is critical is always told": (
                self.shelve_max_level >= Level.CRITICAL
            ),
            "never_shelved: sources must be among them": not (
                set(CRITICAL_RADIATION) <= set(self.never_shelved)
            ),
            "never_folded: a source rings from level 2 on": any(
                self.never_folded.get(event, Level.CRITICAL) > Level.ADVISORY
                for event in CRITICAL_RADIATION
            ),
        }
        told = [text for text, holds in mistakes.items() if holds]
        if told:
            raise ValueError("; ".join(told))
