"""A sensor blinded just before somebody comes: chance, or the reason why they come now.

Sensors fail on every day, and vehicles come in every minute, so one beside the other says little:
as much as how seldom this sensor fails. Nothing here rings by itself; it makes what else is seen of
the vehicle, or of whoever walks there, count for more, and the sensor's own alert is raised by a
level where the two are hardly a coincidence.
"""

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from fusion.associate import Transit
from fusion.association_policy import AssociationPolicy
from fusion.cue import cue
from fusion.tracks import Track, Zone
from fusion.types import SECOND_NS, Detection, Fact, SensorSpec

BLINDING = ("health.tamper", "health.fault", "health.silent")
"""What a sensor does not see through. Drifts and counts take hours to be told."""
BY_VEHICLES = ("gamma-high", "gamma-low", "neutron-high", "neutron-low")
"""Codes of a portal's background, which whoever comes with a source changes by coming."""
BEFORE_S = 20.0
"""Whoever blinds a sensor to pass it does so within sight of it: 50 m on at 2.5 m/s."""
AFTER_S = 5.0  # clocks differ, and a silence begins with the last word before it
MEMORY_S = 6 * 3600.0
MAX_EPISODES = 32
ARRIVALS_S = 3600.0
MAX_ARRIVALS = 64
ADVISORY = 2
USUAL_ARRIVALS, USUAL_S = 5, 600.0  # as many are expected where nobody has been counted yet
SELDOM = 0.1  # of faults that somebody follows by chance


@dataclass(slots=True)
class Episode:
    """One time at which a sensor went blind."""

    detection: Detection
    spec: SensorSpec
    is_over: bool = False
    is_raised: bool = False

    @property
    def start_utc_ns(self) -> int:
        """When it began."""
        return self.detection.start_utc_ns


@dataclass(slots=True)
class Blindings:
    """When each sensor of a checkpoint went blind, and when somebody came. Bounded."""

    _episodes: dict[str, deque[Episode]] = field(default_factory=dict)
    _arrivals: dict[str, deque[int]] = field(default_factory=dict)

    def note(self, detection: Detection, spec: SensorSpec) -> bool:
        """A word of a sensor's own condition; whether it has gone blind just now."""
        if detection.kind not in BLINDING or detection.facts.get("code") in BY_VEHICLES:
            return False
        known = self._episodes.setdefault(spec.sensor_id, deque(maxlen=MAX_EPISODES))
        mine = next((one for one in known if one.start_utc_ns == detection.start_utc_ns), None)
        is_on = detection.facts.get("active") is True
        if mine is not None:
            mine.is_over = not is_on
        elif is_on:
            known.append(Episode(detection, spec))
        return is_on and mine is None

    def of_transit(self, transit: Transit) -> Detection | None:
        """The cue of a sensor of its lane that went blind just before a vehicle came."""
        self._arrived(transit.lane.lane_id, transit.start_utc_ns)
        late_s = 0.0 if transit.by_portal else transit.lane.scan_offset_s[1]
        return self.before(transit.lane.lane_id, transit.start_utc_ns, late_s=late_s)

    def of_track(self, track: Track, zone: Zone, policy: AssociationPolicy) -> Detection | None:
        """The same of a sensor beside the one that heard somebody first."""
        self._arrived(track.zone_id, track.start_utc_ns)
        if not self._episodes or not track.detections:
            return None
        first = min(track.detections.values(), key=lambda d: (d.start_utc_ns, d.sensor_id))
        here = zone.places[first.sensor_id]
        near = [
            name
            for name, place in zone.places.items()
            if math.dist(here, place) <= policy.stop_distance_m
        ]
        return self.before(track.zone_id, track.start_utc_ns, near)

    def _arrived(self, place: str, start_utc_ns: int) -> None:
        known = self._arrivals.get(place)
        if known is None:
            known = self._arrivals[place] = deque(maxlen=MAX_ARRIVALS)
        # Most is told of who came last.
        if not known or (known[-1] != start_utc_ns and start_utc_ns not in known):
            known.append(start_utc_ns)

    def before(
        self,
        place: str,
        start_utc_ns: int,
        near: Iterable[str] | None = None,
        *,
        late_s: float = 0.0,
    ) -> Detection | None:
        """The cue of the sensor that went blind most tellingly before somebody came.

        near    sensors that could have seen them; None: all of the place
        late_s  how much earlier they may have been there: a scanner follows its portal
        """
        if not self._episodes:
            return None
        names = None if near is None else set(near)
        found = [
            self._cue(one, start_utc_ns, episodes, late_s)
            for name, episodes in sorted(self._episodes.items())
            if names is None or name in names
            for one in episodes
            if place in (one.spec.place, *one.spec.also) and _is_before(one, start_utc_ns, late_s)
        ]
        found = [one for one in found if any(one.nats.values())]
        return max(found, key=lambda one: max(one.nats.values()), default=None)

    def to_raise(self, found: Detection, place: str, *, told: int) -> Episode | None:
        """What a cue was made of, where its sensor's own alert is to be raised by a level, once.

        Where somebody comes every minute a fault is no sign of them: only one that is told as
        `told` advisory or more is, or one at a place where hardly anybody comes.
        """
        known = self._episodes.get(str(found.facts.get("sensor")), ())
        began = found.facts.get("began_utc_ns")
        episode = next((one for one in known if one.start_utc_ns == began), None)
        if episode is None or episode.is_raised or episode.is_over:
            return None
        if told < ADVISORY and self._is_coincidence(place, found.start_utc_ns):
            return None
        episode.is_raised = True
        return episode

    def _is_coincidence(self, place: str, start_utc_ns: int) -> bool:
        since_ns = start_utc_ns - int(ARRIVALS_S * SECOND_NS)
        known = [one for one in self._arrivals.get(place, ()) if since_ns <= one <= start_utc_ns]
        watched_s = (start_utc_ns - min(known, default=start_utc_ns)) / SECOND_NS
        rate_hz = (len(known) + USUAL_ARRIVALS) / (watched_s + USUAL_S)
        return rate_hz * (BEFORE_S + AFTER_S) >= SELDOM

    def _cue(
        self, one: Episode, start_utc_ns: int, episodes: Iterable[Episode], late_s: float
    ) -> Detection:
        since_ns = start_utc_ns - int(MEMORY_S * SECOND_NS)
        others = sum(other is not one and other.start_utc_ns >= since_ns for other in episodes)
        facts: dict[str, Fact] = {
            "sensor": one.spec.sensor_id,
            "what": one.detection.kind.removeprefix("health."),
            "before_s": round(max(0.0, (start_utc_ns - one.start_utc_ns) / SECOND_NS), 1),
            "began_utc_ns": one.start_utc_ns,
            "chance": round((others + 1) * (BEFORE_S + AFTER_S + late_s) / MEMORY_S, 6),
        }
        made = cue("fusion.blinded", [one.detection], facts, one.spec.family)
        return replace(made, start_utc_ns=start_utc_ns, end_utc_ns=start_utc_ns)


def _is_before(one: Episode, start_utc_ns: int, late_s: float) -> bool:
    gap_s = (start_utc_ns - one.start_utc_ns) / SECOND_NS
    return -AFTER_S <= gap_s <= BEFORE_S + late_s
