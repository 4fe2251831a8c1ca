"""What is gathered of one vehicle while it passes a portal."""

import math
from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from fusion.radiation_policy import RadiationPolicy
from fusion.types import SECOND_NS, CountSample

MAX_SCANS = 3_000  # ten minutes at 5 Hz: a vehicle that stays longer is parked in the beam
KEPT_SCANS = 1_000  # of them when it does, so that what it moves next is seen whole
# Reports are in whole counts, so a panel's few tenths may read 0; a portal sees 1 to 5 cps
# (facts/radiation 5.1).
MIN_NEUTRON_CPS = 1.0
MAX_SPEEDS = 2_000  # half an hour at one SP a second
# Metal cargo gives bursts that are Poisson in 2 s and not in shorter bins (facts/radiation 3.1,
# ship effect); 3 s hold the whole of a point's profile at 2.2 m/s.
NEUTRON_WINDOWS_S = (2, 3)
STEADY = 1.3  # fastest over slowest record: below, it is the 2 % of measurement and no braking


@dataclass(frozen=True, slots=True, kw_only=True)
class NeutronTest:
    """The more significant of the whole pass and its best short window."""

    sigma: float
    counts: int
    expected: float
    end_utc_ns: int
    """End of the window where the counts were highest."""


@dataclass(slots=True, kw_only=True)
class Passage:
    """One occupancy: its scans, neutron seconds and speeds, in order."""

    opened_utc_ns: int
    gamma_background_cps: NDArray[np.float64] | None
    gamma_background_s: float
    neutron_background_cps: float | None
    neutron_background_s: float
    last_utc_ns: int
    scan_s: float = 0.2
    starts_utc_ns: list[int] = field(default_factory=list)
    counts: list[tuple[int, ...]] = field(default_factory=list)
    neutrons: deque[int] = field(default_factory=lambda: deque(maxlen=max(NEUTRON_WINDOWS_S)))
    """Counts of all panels in the last seconds."""
    neutron_counts: int = 0
    neutron_s: int = 0
    neutron_window: NeutronTest | None = None
    """The best so far."""
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
        """One second of neutrons; it ended with the last gamma scan."""
        self.neutrons.append(sum(sample.counts))
        self.neutron_counts += self.neutrons[-1]
        self.neutron_s += 1
        seconds = list(self.neutrons)
        for length in NEUTRON_WINDOWS_S:
            test = self._neutron_test(sum(seconds[-length:]), min(length, len(seconds)))
            if self.neutron_window is None or test.sigma > self.neutron_window.sigma:
                self.neutron_window = test

    def neutron_test(self) -> NeutronTest:
        """The more significant of the whole pass and its best short window."""
        whole = self._neutron_test(self.neutron_counts, self.neutron_s)
        window = self.neutron_window
        if window is None or whole.sigma <= window.sigma:
            return window or whole
        # Its place is still that of the best window.
        return replace(whole, end_utc_ns=window.end_utc_ns)

    def _neutron_test(self, counts: int, live_s: int) -> NeutronTest:
        known_cps = self.neutron_background_cps
        rate_cps = max(known_cps or 0.0, MIN_NEUTRON_CPS)
        return NeutronTest(
            # What is not known is not zero: without a background there is no excess over it.
            sigma=0.0
            if known_cps is None
            else excess_sigma(counts, live_s, rate_cps, self.neutron_background_s),
            counts=counts,
            expected=rate_cps * live_s,
            end_utc_ns=self.last_utc_ns,
        )

    def add_speed(self, at_utc_ns: int, speed_m_s: float) -> None:
        """One speed record."""
        if len(self.speeds) < MAX_SPEEDS:
            self.speeds.append((at_utc_ns, speed_m_s))

    def speed_m_s(self, policy: RadiationPolicy) -> float:
        """The usual speed of the pass."""
        if not self.speeds:
            return policy.usual_speed_m_s
        return float(np.median([speed for _, speed in self.speeds]))

    def passed_m(
        self, at_utc_ns: NDArray[np.int64], policy: RadiationPolicy
    ) -> NDArray[np.float64]:
        """How far the front was beyond the beam at these times, rising.

        The beam is broken in the first live scan; until the first and after the last speed
        record the vehicle goes on as it was.
        """
        beam_s = policy.lead_in_s + self.scan_s / 2
        since_s = (at_utc_ns - self.opened_utc_ns) / SECOND_NS - beam_s
        speed = self.speed_m_s(policy)
        values = [value for _, value in self.speeds]
        if not values or max(values) < STEADY * min(values):
            return np.asarray(since_s * speed)
        record_s = (np.array([at for at, _ in self.speeds]) - self.opened_utc_ns) / SECOND_NS
        knots_s = np.concatenate(([min(0.0, since_s[0])], record_s - beam_s, [since_s[-1] + 60.0]))
        knots_s = np.maximum.accumulate(knots_s)
        rates = np.concatenate((values[:1], values, values[-1:]))
        way_m = np.cumsum(np.diff(knots_s) * (rates[:-1] + rates[1:]) / 2)
        way_m = np.concatenate(([0.0], way_m))
        return np.asarray(np.interp(since_s, knots_s, way_m - np.interp(0.0, knots_s, way_m)))

    def length_m(self, hold_in_s: float, policy: RadiationPolicy) -> float:
        """Of the vehicle: how far it went from breaking the beam to clearing it."""
        # It clears within a scan: on average in its middle.
        cleared_ns = self.last_utc_ns - round((hold_in_s + self.scan_s / 2) * SECOND_NS)
        length = float(self.passed_m(np.array([cleared_ns]), policy)[0])
        return max(1.0, length)


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
