"""What is gathered of one vehicle while it passes a portal."""

import math
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fusion.radiation_neutrons import Beside, Interval, Neutrons, NeutronTest
from fusion.radiation_policy import RadiationPolicy
from fusion.types import SECOND_NS, CountSample

MAX_SCANS = 3_000  # ten minutes at 5 Hz: a vehicle that stays longer is parked in the beam
KEPT_SCANS = 1_000  # of them when it does, so that what it moves next is seen whole
MAX_SPEEDS = 2_000  # half an hour at one SP a second
STOP_S, BRAKES_S = 4.0, 1.0  # facts/radiation 1.1: speed records come every 1.0 to 1.2 s
STEADY = 1.3  # fastest over slowest record: below, it is the 2 % of measurement and no braking


@dataclass(slots=True, kw_only=True)
class Passage:
    """One occupancy: its scans, neutron seconds and speeds, in order."""

    opened_utc_ns: int
    gamma_background_cps: NDArray[np.float64] | None
    gamma_background_s: float
    neutrons: Neutrons
    last_utc_ns: int
    lead_in_s: float
    """From the first scan's beginning to the beam's being broken."""
    scan_s: float = 0.2
    starts_utc_ns: list[int] = field(default_factory=list)
    counts: list[tuple[int, ...]] = field(default_factory=list)
    speeds: list[tuple[int, float]] = field(default_factory=list)
    told_sigma: float = 0.0
    told_extent: str = ""
    told_neutron_sigma: float = 0.0

    def add_gamma(self, sample: CountSample) -> None:
        """One scan."""
        self.scan_s = sample.duration_ms / 1000
        self.last_utc_ns = sample.start_utc_ns + sample.duration_ms * 1_000_000
        self.starts_utc_ns.append(sample.start_utc_ns)
        self.counts.append(sample.counts)

    def drop_old(self) -> None:
        """Forget all but the last scans of a vehicle that stays."""
        del self.starts_utc_ns[:-KEPT_SCANS], self.counts[:-KEPT_SCANS]

    def add_neutron(self, sample: CountSample) -> None:
        """Neutrons of one interval; it ended with the last gamma scan."""
        self.neutrons.add(
            Interval(
                end_utc_ns=self.last_utc_ns,
                seconds=sample.duration_ms / 1000,
                counts=sum(sample.counts),
            )
        )

    def neutron_test(
        self, distance_m: float, policy: RadiationPolicy, beside: Beside | None = None
    ) -> NeutronTest:
        """What the neutrons say so far, also at the place of a gamma source."""
        parts = self.neutrons.parts_utc_ns()
        passed_m = self.passed_m(parts.ravel(), policy).reshape(parts.shape)
        return self.neutrons.test(passed_m, distance_m, policy, beside)

    def add_speed(self, at_utc_ns: int, speed_m_s: float) -> None:
        """One speed record."""
        if len(self.speeds) < MAX_SPEEDS:
            self.speeds.append((at_utc_ns, speed_m_s))

    def speed_m_s(self, policy: RadiationPolicy) -> float:
        """The usual speed of the pass."""
        if not self.speeds:
            return policy.usual_speed_m_s
        return _median([speed for _, speed in self.speeds])

    def passed_m(
        self, at_utc_ns: NDArray[np.int64], policy: RadiationPolicy
    ) -> NDArray[np.float64]:
        """How far the front was beyond the beam at these times, rising.

        The beam is broken in the first live scan; until the first and after the last speed
        record the vehicle goes on as it was.
        """
        beam_s = self.lead_in_s + self.scan_s / 2
        since_s = (at_utc_ns - self.opened_utc_ns) / SECOND_NS - beam_s
        speed = self.speed_m_s(policy)
        values = [value for _, value in self.speeds]
        stops = self._stops()
        if not values or (max(values) < STEADY * min(values) and not stops):
            return np.asarray(since_s * speed)
        record_s = (np.array([at for at, _ in self.speeds]) - self.opened_utc_ns) / SECOND_NS
        rates = np.array(values)
        for stop in reversed(stops):  # it brakes and starts again within a second each
            still_s = record_s[stop] + BRAKES_S, record_s[stop + 1] - BRAKES_S
            record_s = np.insert(record_s, stop + 1, still_s)
            rates = np.insert(rates, stop + 1, (0.0, 0.0))
        first_s, last_s = (since_s.min(), since_s.max()) if len(since_s) else (0.0, 0.0)
        knots_s = np.concatenate(([min(0.0, first_s)], record_s - beam_s, [last_s + 60.0]))
        knots_s = np.maximum.accumulate(knots_s)
        rates = np.concatenate((rates[:1], rates, rates[-1:]))
        way_m = np.cumsum(np.diff(knots_s) * (rates[:-1] + rates[1:]) / 2)
        way_m = np.concatenate(([0.0], way_m))
        return np.asarray(np.interp(since_s, knots_s, way_m - np.interp(0.0, knots_s, way_m)))

    def _stops(self) -> list[int]:
        """After which speed records none came for long: a device measures no speed of a vehicle
        that stands."""
        if len(self.speeds) < 3:
            return []
        times_ns = [at for at, _ in self.speeds]
        gaps_s = [(after - at) / SECOND_NS for at, after in pairwise(times_ns)]
        if max(gaps_s) <= STOP_S:
            return []
        longest_s = max(STOP_S, 3.0 * _median(gaps_s))
        return [gap for gap, seconds in enumerate(gaps_s) if seconds > longest_s]

    def length_m(self, hold_in_s: float, policy: RadiationPolicy) -> float:
        """Of the vehicle: how far it went from breaking the beam to clearing it."""
        # It clears within a scan: on average in its middle.
        cleared_ns = self.last_utc_ns - round((hold_in_s + self.scan_s / 2) * SECOND_NS)
        length = float(self.passed_m(np.array([cleared_ns]), policy)[0])
        return max(1.0, length)


def _median(values: list[float]) -> float:
    """Of at least one. They are few: NumPy would take ten times as long."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def excess_sigma(counts: int, live_s: float, background_cps: float, background_s: float) -> float:
    """Significance of counts over a measured background, negative where they are missing.

    Li & Ma 1983, ApJ 272:317, equation 17, with the live time over the background's.
    """
    if live_s <= 0.0 or background_s <= 0.0:
        return 0.0
    on, off, ratio = float(counts), background_cps * background_s, live_s / background_s
    total = on + off
    log_ratio = 0.0  # x ln x tends to 0, so an empty side adds nothing
    if on > 0.0:
        log_ratio += on * math.log((1.0 + ratio) / ratio * on / total)
    if off > 0.0:
        log_ratio += off * math.log((1.0 + ratio) * off / total)
    return math.copysign(math.sqrt(2.0 * max(log_ratio, 0.0)), on - ratio * off)
