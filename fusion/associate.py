"""Detections to incidents: which of them speak of one vehicle's passage through a lane.

A `Transit` keeps only the latest detection of each sensor and test, so an interim finding is
replaced by the final one and never counted twice. What moves over the ground is in `tracks`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from fusion.association_policy import AssociationPolicy
from fusion.evidence import number
from fusion.types import SECOND_NS, Detection, LaneSpec

MAX_TRANSITS_PER_LANE = 16  # at 45 vehicles an hour and a scan window of 2 min there are 2


@dataclass(slots=True, eq=False)
class Transit:
    """One vehicle's passage through a lane."""

    lane: LaneSpec
    start_utc_ns: int
    end_utc_ns: int
    portal_id: str = ""
    """The portal that opened it; empty where only the scanner or a ground sensor saw it."""
    closed: bool = False
    scanned: bool = False
    ambiguous: bool = False
    length_m: float = 0.0
    speed_m_s: float = 0.0
    detections: dict[tuple[str, str, int], Detection] = field(default_factory=dict)
    taken_back: bool = False
    """A whole scan does not show what a part of it had shown."""
    weights: dict[str, float] = field(default_factory=dict)
    """Pairing weight of sensors whose part in this transit is not certain."""

    @property
    def key(self) -> str:
        """What tells this incident from all others of the site."""
        return f"transit/{self.lane.lane_id}/{self.start_utc_ns}"

    @property
    def by_portal(self) -> bool:
        """Whether a portal counted it."""
        return bool(self.portal_id)

    def add(self, detection: Detection, index: int = 0) -> None:
        """Keep a detection; an earlier one of the same sensor, test and index is replaced."""
        self.detections[detection.sensor_id, detection.kind, index] = detection
        self.end_utc_ns = max(self.end_utc_ns, detection.end_utc_ns)

    def drop(self, kind: str) -> None:
        """Forget a cue that does not hold any more."""
        self.detections = {k: d for k, d in self.detections.items() if k[1] != kind}

    def replace_scan(self, scans: Sequence[Detection]) -> bool:
        """Take what a scanner tells now for all that it has told: more of the scan is known.

        Returns whether the whole scan has replaced a part of it.
        """
        was_part = any(d.sensor_id == scans[0].sensor_id and not d.final for d in self.of_scans())
        sensor_id, before = scans[0].sensor_id, Counter(self._found(scans[0].sensor_id))
        self.detections = {
            key: found
            for key, found in self.detections.items()
            if key[0] != sensor_id or not key[1].startswith("xray.")
        }
        for index, detection in enumerate(scans):
            self.add(detection, index)
        self.taken_back = bool(before - Counter(self._found(sensor_id)))
        return was_part and scans[0].final

    def of_scans(self) -> list[Detection]:
        """Its detections of scanners."""
        return [found for key, found in self.detections.items() if key[1].startswith("xray.")]

    def _found(self, sensor_id: str) -> list[str]:
        """What stands out in its scan, each by its kind."""
        kinds = ("xray.dense", "xray.unpenetrated")
        return [
            kind for sensor, kind, _ in self.detections if sensor == sensor_id and kind in kinds
        ]

    def of(self, kind: str) -> list[Detection]:
        """Its detections of one kind, in a fixed order."""
        return [self.detections[k] for k in sorted(self.detections) if k[1] == kind]

    @property
    def gammas(self) -> list[Detection]:
        """What its portals saw of gamma, with spectra or without, in a fixed order."""
        return self.of("gamma.profile") + self.of("gamma.spectrum")

    def weighed(self) -> list[tuple[Detection, float]]:
        """All detections with their pairing weights, in a fixed order."""
        return [(self.detections[k], self.weights.get(k[0], 1.0)) for k in sorted(self.detections)]


class Lane:
    """The transits of one lane, oldest first."""

    def __init__(self, spec: LaneSpec, policy: AssociationPolicy) -> None:
        self.spec = spec
        self.transits: list[Transit] = []
        self._policy = policy
        self._offset_s: float | None = None  # learned from pairings that were certain

    def occupancy(self, detection: Detection) -> Transit:
        """A vehicle entered or left a portal of the lane."""
        if detection.final:
            transit = self._at_portal(detection)
            transit.closed = transit.closed or transit.portal_id == detection.sensor_id
            transit.length_m = number(detection.facts, "length_m")
            transit.speed_m_s = number(detection.facts, "speed_m_s")
        else:
            transit = self._entered(detection)
        transit.add(detection)
        return transit

    def portal(self, detection: Detection) -> Transit:
        """Any other detection of the lane's portal: it belongs to the vehicle in the beam."""
        if detection.facts.get("monitored") is True or detection.facts.get("static") is True:
            # Nobody has marked a vehicle, so nobody will say that it has left.
            transit = self._open(detection.start_utc_ns, detection.sensor_id)
            transit.closed = True
        else:
            transit = self._at_portal(detection)
        transit.add(detection)
        return transit

    def scan(self, start_utc_ns: int) -> Transit:
        """The transit that a scan belongs to: same lane, in order, within the lane's offset.

        An ambiguous pairing says so and weighs less. A scan without any candidate is a vehicle
        that the portal did not see.
        """
        low_s, high_s = self.spec.scan_offset_s
        waiting = [
            transit
            for transit in self.transits
            if transit.by_portal
            and not transit.scanned
            and low_s <= (start_utc_ns - transit.start_utc_ns) / SECOND_NS <= high_s
        ]
        if not waiting:
            return self._open(start_utc_ns, "")
        expected_s = self._offset_s if self._offset_s is not None else low_s

        def miss_s(transit: Transit) -> float:
            return abs((start_utc_ns - transit.start_utc_ns) / SECOND_NS - expected_s)

        ranked = sorted(waiting, key=lambda transit: (miss_s(transit), transit.start_utc_ns))
        best = ranked[0]
        best.scanned = True
        if len(ranked) > 1 and miss_s(ranked[1]) - miss_s(best) < self._policy.scan_ambiguity_s:
            best.ambiguous = True
        elif len(ranked) == 1:
            self._learn((start_utc_ns - best.start_utc_ns) / SECOND_NS)
        return best

    def occupied(self, from_utc_ns: int, to_utc_ns: int) -> bool:
        """Whether the portal saw any vehicle in the lane in that time."""
        return any(
            transit.by_portal
            and transit.start_utc_ns <= to_utc_ns
            and (not transit.closed or transit.end_utc_ns >= from_utc_ns)
            for transit in self.transits
        )

    def open_bypass(self, heard: Detection) -> Transit | None:
        """A transit for a vehicle that no portal counted; None where there is one already."""
        wait_ns = int(self._policy.lane_wait_s * SECOND_NS)
        for transit in self.transits:
            near = (
                transit.start_utc_ns - wait_ns <= heard.end_utc_ns
                and heard.start_utc_ns - wait_ns <= transit.end_utc_ns
            )
            if near and not transit.by_portal:
                return None
        return self._open(heard.start_utc_ns, "")

    def over(self, now_utc_ns: int) -> list[Transit]:
        """Take out what can grow no more: the scan's time is past, or there are too many."""
        if not self.transits:
            return []
        wait_s = max(self.spec.scan_offset_s[1], self._policy.lane_wait_s)
        done = [
            transit
            for transit in self.transits
            if (transit.closed or not transit.by_portal)
            and now_utc_ns - transit.end_utc_ns > wait_s * SECOND_NS
        ]
        self.transits = [transit for transit in self.transits if transit not in done]
        done += self.transits[:-MAX_TRANSITS_PER_LANE]
        self.transits = self.transits[-MAX_TRANSITS_PER_LANE:]
        return done

    def _entered(self, detection: Detection) -> Transit:
        for earlier in self.transits:
            if earlier.closed or not earlier.by_portal:
                continue
            if earlier.portal_id != detection.sensor_id:
                return earlier  # a second portal of the lane sees the same vehicle
            # Whoever was still in this beam has left: one vehicle at a time.
            earlier.closed = True
        return self._open(detection.start_utc_ns, detection.sensor_id)

    def _learn(self, offset_s: float) -> None:
        old = self._offset_s
        self._offset_s = offset_s if old is None else 0.8 * old + 0.2 * offset_s

    def _at_portal(self, detection: Detection) -> Transit:
        for transit in reversed(self.transits):
            overlaps = (
                transit.start_utc_ns <= detection.end_utc_ns
                and detection.start_utc_ns <= transit.end_utc_ns
            )
            if transit.by_portal and (overlaps or not transit.closed):
                return transit
        return self._open(detection.start_utc_ns, detection.sensor_id)

    def _open(self, start_utc_ns: int, portal_id: str) -> Transit:
        transit = Transit(self.spec, start_utc_ns, start_utc_ns, portal_id)
        self.transits.append(transit)
        return transit
