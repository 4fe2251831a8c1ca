"""Vehicles that are heard beside a lane: its own traffic, or somebody who goes around the portal.

A truck is heard before it reaches the portal and after it has left, so nothing is said until the
portals have had the time to count it. A count explains whatever is as loud as the lane's vehicles
are at that sensor; who goes around the portal and past the sensor is louder, and no truck's count
explains that.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from statistics import NormalDist, median

from fusion.associate import Lane
from fusion.association_policy import AssociationPolicy
from fusion.evidence import number
from fusion.types import SECOND_NS, Detection, SensorSpec

MAX_HELD = 64  # four lanes' trucks within the wait, each heard by sixteen stations
MOST_PEAKS = 32  # of a sensor: half an hour of a busy lane
FEWEST_PEAKS = 3  # of fewer nobody knows what is usual
FEWEST_EVENTS, FEWEST_VEHICLES = 2, 8  # unless each is of many
FEW_MORE = 1.0  # the logarithm of the ratio is so much more, over as many as were heard
USUAL_SPREAD, AS_MANY = 0.25, 8  # of 13 simulated trucks; worth as many as were heard of a lane
DEVIATION = 1.4826  # a normal distribution's standard deviation over its median deviation


class Loudness:
    """How loud the lanes' own vehicles are at one sensor."""

    def __init__(self, policy: AssociationPolicy) -> None:
        self._policy = policy
        self._peaks: dict[int, tuple[float, int]] = {}
        """The logarithm of what one vehicle of an event is taken for, and of how many it is."""

    def learn(self, start_utc_ns: int, peak: float, vehicles: int = 1) -> None:
        """Vehicles that portals have counted, by when their event began; told again it is one.

        peak      in any unit, but always in one
        vehicles  that came by during the event: it is as loud as the loudest of them
        """
        if peak > 0.0:
            self._peaks[start_utc_ns] = math.log(peak) - _loudest_of(vehicles), vehicles
        while len(self._peaks) > MOST_PEAKS:
            del self._peaks[next(iter(self._peaks))]

    def louder(self, peak: float, vehicles: int = 1) -> float:
        """By which factor it is louder than usual, where it is too loud for one of them; else 1."""
        known, of_all = len(self._peaks), sum(n for _, n in self._peaks.values())
        few = known < FEWEST_EVENTS or of_all < FEWEST_VEHICLES
        if peak <= 0.0 or (known < FEWEST_PEAKS and few):
            return 1.0
        usual = median(one for one, _ in self._peaks.values())
        own = DEVIATION * median(abs(one - usual) for one, _ in self._peaks.values())
        spread = (own * known + USUAL_SPREAD * AS_MANY) / (known + AS_MANY)
        line = math.log(self._policy.lane_loud_ratio) + FEW_MORE / max(known, of_all)
        more = math.log(peak) - _loudest_of(vehicles) - usual
        is_other = more > max(line, self._policy.lane_loud_deviations * spread)
        return math.exp(more) if is_other else 1.0


class Roadside:
    """Holds what is heard until the portals have spoken."""

    def __init__(self, lanes: Mapping[str, Lane], policy: AssociationPolicy) -> None:
        self._lanes = lanes
        self._policy = policy
        self._held: list[tuple[Detection, SensorSpec]] = []
        self._loudness: dict[str, Loudness] = {}
        self._passing: dict[tuple[str, int], set[tuple[str, int]]] = {}
        """By event the vehicles, by lane and time, that portals counted while it lasted: a lane
        remembers them for less long than a queue is heard."""

    def hold(self, detection: Detection, spec: SensorSpec) -> bool:
        """Whether it has to wait: a vehicle within earshot of a lane."""
        is_vehicle = detection.facts.get("class") == "vehicle"
        if spec.place in self._lanes:
            self._note(detection, spec)
        # A truck that is taken for something else still says how loud trucks are.
        if not is_vehicle and not (detection.final and spec.place in self._lanes):
            return False
        if not self._near(spec):
            return False
        # The same event told again takes the place of what was told before.
        self._held = [
            held
            for held in self._held
            if (held[0].sensor_id, held[0].start_utc_ns)
            != (detection.sensor_id, detection.start_utc_ns)
        ]
        self._held.append((detection, spec))
        del self._held[:-MAX_HELD]
        return is_vehicle

    def due(self, now_utc_ns: int) -> list[tuple[Detection, SensorSpec]]:
        """Those whose time is out and whom no portal nearby has counted.

        Who is too loud for the vehicles that were counted has a fact `louder`: by which factor.
        """
        wait_ns = int(self._policy.lane_wait_s * SECOND_NS)
        due = [held for held in self._held if now_utc_ns - held[0].end_utc_ns >= wait_ns]
        self._held = [held for held in self._held if held not in due]
        told = [(self._heard(*held), held[1]) for held in due]
        return [(heard, spec) for heard, spec in told if heard is not None]

    def forget(self) -> None:
        """Nobody was listening for a while: no portal can be blamed."""
        self._held.clear()
        self._passing.clear()

    def _heard(self, detection: Detection, spec: SensorSpec) -> Detection | None:
        """What is told of a vehicle; None: it is one that a portal has counted.

        Those teach what is usual.
        """
        counted = self._counted(detection, spec)
        if spec.place not in self._lanes:  # a fence is as far from the lanes as it is
            return None if counted else detection
        loudness = self._loudness.setdefault(spec.sensor_id, Loudness(self._policy))
        peak, vehicles = _peak(detection), self._passed(detection, spec)
        if detection.facts.get("class") != "vehicle":
            if counted and loudness.louder(peak, vehicles) == 1.0:
                loudness.learn(detection.start_utc_ns, peak, vehicles)
            return None
        louder = loudness.louder(peak, vehicles)
        if louder > 1.0:
            return replace(detection, facts={**detection.facts, "louder": round(louder, 2)})
        if counted:
            loudness.learn(detection.start_utc_ns, peak, vehicles)
        return None if counted else detection

    def _note(self, detection: Detection, spec: SensorSpec) -> None:
        """Who is counted while an event lasts."""
        wait_ns = int(self._policy.lane_wait_s * SECOND_NS)
        first, last = detection.start_utc_ns - wait_ns, detection.end_utc_ns + wait_ns
        key = detection.sensor_id, detection.start_utc_ns
        self._passing.setdefault(key, set()).update(
            (lane.spec.lane_id, transit.start_utc_ns)
            for lane in self._near(spec)
            for transit in lane.transits
            if transit.by_portal and transit.start_utc_ns <= last and transit.end_utc_ns >= first
        )
        while len(self._passing) > MAX_HELD:
            del self._passing[next(iter(self._passing))]

    def _passed(self, detection: Detection, spec: SensorSpec) -> int:
        """How many vehicles an event is of; one, where nobody knows."""
        self._note(detection, spec)
        return max(1, len(self._passing[detection.sensor_id, detection.start_utc_ns]))

    def _counted(self, detection: Detection, spec: SensorSpec) -> bool:
        # Trucks of a neighbouring lane are heard as well, so any portal's count explains it.
        wait_ns = int(self._policy.lane_wait_s * SECOND_NS)
        return any(
            lane.occupied(detection.start_utc_ns - wait_ns, detection.end_utc_ns + wait_ns)
            for lane in self._near(spec)
        )

    def _near(self, spec: SensorSpec) -> list[Lane]:
        """The lanes whose vehicles a sensor hears; its own lane's at least."""
        places = [spec.position_m]
        if (own := self._lanes.get(spec.place)) is not None:
            places.append(own.spec.portal_m)
        reach_m = self._policy.lane_hearing_m
        return [
            lane
            for lane in self._lanes.values()
            if any(math.dist(place, lane.spec.portal_m) <= reach_m for place in places)
        ]


def _peak(detection: Detection) -> float:
    """How loud it was at most, in whatever unit its station tells."""
    return number(detection.facts, "peak_um_s", number(detection.facts, "peak_counts"))


def _loudest_of(vehicles: int) -> float:
    """By how much the logarithm of the loudest of so many exceeds the usual one.

    The normal scores of Blom 1958, Statistical Estimates and Transformed Beta-Variables.
    """
    return USUAL_SPREAD * NormalDist().inv_cdf((vehicles - 0.375) / (vehicles + 0.25))
