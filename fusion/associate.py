"""Detections to incidents: which of them speak of one vehicle's passage through a lane.

A `Transit` keeps only the latest detection of each sensor and test, so an interim finding is
replaced by the final one and never counted twice. Whose a scan is says `pairing`; what moves over
the ground is in `tracks`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from fusion.association_policy import AssociationPolicy
from fusion.cells import Cell
from fusion.evidence import number
from fusion.types import SECOND_NS, Detection, Family, LaneSpec

MAX_TRANSITS_PER_LANE = 16  # at 45 vehicles an hour and a scan window of 2 min there are 2
MAX_PARTS = 4  # who is in the beam for a fifth time has turned round twice, or is somebody else
FUSION = "fusion"
CUES_OF_SCANS = frozenset(
    {"fusion.shielding", "fusion.bulk-norm", "fusion.bypass", "fusion.hydrogenous"}
)
"""Cues that say something of a scan and a vehicle: they are as sure as it is that they belong
together."""
SCAN = 1_000  # detections of a vehicle's second scan are numbered from here on


@dataclass(slots=True, eq=False)
class Transit:
    """One vehicle's passage through a lane."""

    lane: LaneSpec
    start_utc_ns: int
    end_utc_ns: int
    portal_id: str = ""
    """The portal that opened it; empty where only the scanner or a ground sensor saw it."""
    closed: bool = False
    ambiguous: bool = False
    """It is not sure that a scan in it is of this vehicle."""
    length_m: float = 0.0
    """As the portal has it; 0: it cannot tell."""
    speed_m_s: float = 0.0
    detections: dict[tuple[str, str, int], Detection] = field(default_factory=dict)
    taken_back: bool = False
    """A whole scan does not show what a part of it had shown."""
    scans: dict[tuple[str, int], float] = field(default_factory=dict)
    """By scanner and seat how likely it is that the scan is of this vehicle. Two vehicles in one
    occupancy have seats 0 and 1."""
    part: int = 0
    """How often it was in the beam before."""
    entered_utc_ns: int = 0
    """When it came into the beam for good; 0: no portal saw it."""
    has_cues: bool = False
    """Whether it has had any."""
    cell: Cell | None = None
    """Its evidence in columns, as it was weighed last."""

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
        self.has_cues = self.has_cues or detection.sensor_id == FUSION
        self.end_utc_ns = max(self.end_utc_ns, detection.end_utc_ns)

    def drop(self, *kinds: str) -> None:
        """Forget cues that may not hold any more."""
        if self.has_cues:
            for kind in kinds:
                self.detections.pop((FUSION, kind, 0), None)

    def replace_scan(self, scans: Sequence[Detection], seat: int = 0, weight: float = 1.0) -> None:
        """Take what a scanner tells now for all that it has told: more of the scan is known.

        weight  how likely it is that the scan is of this vehicle
        """
        key = scans[0].sensor_id, seat
        before = [found for k, found in self.detections.items() if _scan_of(k) == key]
        self.remove_scan(key)
        for index, detection in enumerate(scans):
            self.add(detection, SCAN * seat + index)
        self.scans[key] = weight
        self.taken_back = bool(Counter(_striking(before)) - Counter(_striking(scans)))

    def remove_scan(self, key: tuple[str, int]) -> None:
        """Forget a scan that is another vehicle's, and where nobody else saw one the vehicle."""
        self.scans.pop(key, None)
        self.detections = {k: d for k, d in self.detections.items() if _scan_of(k) != key}
        if not self.by_portal and all(k[0] == FUSION for k in self.detections):
            self.detections.clear()

    def of(self, kind: str) -> list[Detection]:
        """Its detections of one kind, in a fixed order."""
        found = [key for key in self.detections if key[1] == kind]
        return [self.detections[key] for key in sorted(found)] if found else []

    @property
    def gammas(self) -> list[Detection]:
        """What its portals saw of gamma, with spectra or without, in a fixed order."""
        return self.of("gamma.profile") + self.of("gamma.spectrum")

    def weighed(self) -> list[tuple[Detection, float]]:
        """All detections with their pairing weights, in a fixed order."""
        if not self.scans:  # nothing of it may be another vehicle's
            return [(self.detections[k], 1.0) for k in sorted(self.detections)]
        return [(self.detections[k], self._weight(k)) for k in sorted(self.detections)]

    def _weight(self, key: tuple[str, str, int]) -> float:
        scan = _scan_of(key)
        if scan is not None:
            return self.scans.get(scan, 1.0)
        return min(self.scans.values(), default=1.0) if key[1] in CUES_OF_SCANS else 1.0


def _scan_of(key: tuple[str, str, int]) -> tuple[str, int] | None:
    """The scanner and seat that a detection is of; None: it is of no scan."""
    return (key[0], key[2] // SCAN) if key[1].startswith("xray.") else None


def _striking(scans: Iterable[Detection]) -> list[str]:
    """What stands out in a scan, each by its kind."""
    return [found.kind for found in scans if found.kind in ("xray.dense", "xray.unpenetrated")]


class Lane:
    """The transits of one lane, oldest first."""

    def __init__(
        self, spec: LaneSpec, policy: AssociationPolicy, *, has_scanner: bool = True
    ) -> None:
        self.spec = spec
        self.transits: list[Transit] = []
        self._policy = policy
        # A scan is told when it is over.
        told_s = spec.scan_offset_s[1] + policy.scan_told_s if has_scanner else 0.0
        self._absorbed: list[Transit] = []
        self._wait_ns = max(spec.scan_offset_s[1], told_s, policy.lane_wait_s) * SECOND_NS

    def occupancy(self, detection: Detection) -> Transit:
        """A vehicle entered or left a portal of the lane."""
        if detection.final:
            transit = self._at_portal(detection)
            transit.closed = transit.closed or transit.portal_id == detection.sensor_id
            # Without a speed a length is only guessed from the time.
            transit.speed_m_s = number(detection.facts, "speed_m_s")
            measured = transit.speed_m_s > 0.0
            transit.length_m = number(detection.facts, "length_m") if measured else 0.0
            self._absorb(transit)
        else:
            transit = self._entered(detection)
        transit.add(detection, transit.part)
        return transit

    def portal(self, detection: Detection) -> Transit:
        """Any other detection of the lane's portal: it belongs to the vehicle in the beam."""
        if detection.facts.get("monitored") is True or detection.facts.get("static") is True:
            # Nobody has marked a vehicle, so nobody will say that it has left.
            transit = self.open(detection.start_utc_ns, detection.sensor_id)
            transit.closed = True
        else:
            transit = self._at_portal(detection)
        transit.add(detection, transit.part)
        return transit

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
        return self.open(heard.start_utc_ns)

    def over(self, now_utc_ns: int) -> list[Transit]:
        """Take out what can grow no more: the scan's time is past, or there are too many."""
        wait_ns = self._wait_ns
        done = [
            transit
            for transit in self.transits
            if now_utc_ns - transit.end_utc_ns > wait_ns
            and (transit.closed or not transit.by_portal)
        ]
        if not done and len(self.transits) <= MAX_TRANSITS_PER_LANE:
            return []
        self.transits = [transit for transit in self.transits if transit not in done]
        done += self.transits[:-MAX_TRANSITS_PER_LANE]
        self.transits = self.transits[-MAX_TRANSITS_PER_LANE:]
        return done

    def open(self, start_utc_ns: int, portal_id: str = "") -> Transit:
        """A new transit; without a portal of a vehicle that none has counted."""
        transit = Transit(self.spec, start_utc_ns, start_utc_ns, portal_id)
        transit.entered_utc_ns = start_utc_ns if portal_id else 0
        self.transits.append(transit)
        return transit

    def _entered(self, detection: Detection) -> Transit:
        for earlier in self.transits:
            if earlier.closed or not earlier.by_portal:
                continue
            if earlier.portal_id != detection.sensor_id:
                return earlier  # a second portal of the lane sees the same vehicle
            # Whoever was still in this beam has left: one vehicle at a time.
            earlier.closed = True
        backed = self._backed_out(detection)
        if backed is not None:
            backed.closed = False
            backed.part += 1
            backed.entered_utc_ns = detection.start_utc_ns
            return backed
        return self.open(detection.start_utc_ns, detection.sensor_id)

    def _backed_out(self, detection: Detection) -> Transit | None:
        """The vehicle that has just left this beam by where it came from: less of it was in it
        than any vehicle has."""
        last = self._just_before(detection.sensor_id, detection.start_utc_ns)
        if last is None or last.part >= MAX_PARTS:
            return None
        return last if 0.0 < last.length_m < self._policy.shortest_vehicle_m else None

    def _absorb(self, transit: Transit) -> None:
        """Take in what was seen of the same vehicle before it backed out of the beam.

        Slowly in and out again, and then quickly through: nobody follows another like that.
        """
        policy = self._policy
        last = self._just_before(transit.portal_id, transit.start_utc_ns)
        if last is None or last.part + transit.part >= MAX_PARTS:
            return
        crept = 0.0 < last.length_m < min(policy.reversing_length_m, transit.length_m)
        if not crept or transit.speed_m_s < policy.reversing_speed_ratio * last.speed_m_s:
            return
        for (sensor_id, kind, index), found in last.detections.items():
            if found.family is Family.RADIATION and sensor_id != FUSION:
                transit.detections[sensor_id, kind, transit.part + 1 + index] = found
        self.transits.remove(last)
        last.detections.clear()
        self._absorbed.append(last)

    def take_absorbed(self) -> list[Transit]:
        """Those since the last call that have turned out to be of another's vehicle."""
        taken, self._absorbed = self._absorbed, []
        return taken

    def _just_before(self, portal_id: str, start_utc_ns: int) -> Transit | None:
        """Who was in this beam last, if that was a moment ago."""
        before = [
            one
            for one in self.transits
            if one.portal_id == portal_id and one.closed and one.end_utc_ns <= start_utc_ns
        ]
        if not before:
            return None
        gap_s = (start_utc_ns - before[-1].end_utc_ns) / SECOND_NS
        return before[-1] if gap_s <= self._policy.reversing_gap_s else None

    def _at_portal(self, detection: Detection) -> Transit:
        for transit in reversed(self.transits):
            overlaps = (
                transit.start_utc_ns <= detection.end_utc_ns
                and detection.start_utc_ns <= transit.end_utc_ns
            )
            if transit.by_portal and (overlaps or not transit.closed):
                return transit
        return self.open(detection.start_utc_ns, detection.sensor_id)
