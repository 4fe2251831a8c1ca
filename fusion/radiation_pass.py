"""What is gathered of one vehicle while it passes a portal."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fusion.radiation_policy import RadiationPolicy
from fusion.types import SECOND_NS, CountSample

MAX_SCANS = 9_000  # half an hour at 5 Hz; a vehicle parked for longer keeps its first half hour
MAX_SPEEDS = 2_000  # the same at one SP a second
STEADY = 1.3  # fastest over slowest record: below, it is the 2 % of measurement and no braking


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
    neutrons: list[tuple[int, int]] = field(default_factory=list)
    """(end, counts of all panels) of each second."""
    speeds: list[tuple[int, float]] = field(default_factory=list)
    told_sigma: float = 0.0
    told_extent: str = ""
    told_neutron_sigma: float = 0.0

    def add_gamma(self, sample: CountSample) -> None:
        """One scan."""
        self.scan_s = sample.duration_ms / 1000
        self.last_utc_ns = sample.start_utc_ns + sample.duration_ms * 1_000_000
        if len(self.counts) < MAX_SCANS:
            self.starts_utc_ns.append(sample.start_utc_ns)
            self.counts.append(sample.counts)

    def add_neutron(self, sample: CountSample) -> None:
        """One second of neutrons; it ended with the last gamma scan."""
        if len(self.neutrons) < MAX_SCANS:
            self.neutrons.append((self.last_utc_ns, sum(sample.counts)))

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


@dataclass(frozen=True, slots=True, kw_only=True)
class NeutronTest:
    """The more significant of the whole pass and its best two seconds."""

    sigma: float
    counts: int
    expected: float
    end_utc_ns: int
    """End of the window where the counts were highest."""


def neutron_test(passage: Passage) -> NeutronTest:
    """Poisson test of the neutron seconds, in windows of 2 s and as a whole.

    2 s because metal cargo gives bursts that are not Poisson in shorter bins (facts/radiation
    3.1, ship effect).
    """
    rate_cps = passage.neutron_background_cps or 0.0
    seconds = [counts for _, counts in passage.neutrons]
    whole = sum(seconds)
    off_s = passage.neutron_background_s
    best_at, best_sigma, best_counts, best_s = len(seconds) - 1, -math.inf, 0, 2.0
    for i in range(len(seconds)):
        window = seconds[max(0, i - 1) : i + 1]
        sigma = excess_sigma(sum(window), len(window), rate_cps, off_s)
        if sigma > best_sigma:
            best_at, best_sigma, best_counts, best_s = i, sigma, sum(window), float(len(window))
    whole_sigma = excess_sigma(whole, len(seconds), rate_cps, off_s)
    end_ns = passage.neutrons[best_at][0] if seconds else passage.last_utc_ns
    if whole_sigma >= best_sigma or not seconds:
        best_sigma, best_counts, best_s = whole_sigma, whole, float(len(seconds))
    return NeutronTest(
        sigma=best_sigma,
        counts=best_counts,
        expected=rate_cps * best_s,
        end_utc_ns=end_ns,
    )


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
