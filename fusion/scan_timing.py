"""When and how long: what is known of a lane's way from portal to scanner, learned as it goes.

Only pairings that are sure teach, and what they have taught is forgotten with the oldest. Medians,
so that a driver who stops for a chat moves nothing.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from fusion.association_policy import AssociationPolicy

MOST_KEPT = 32  # crossings: half an hour of a busy lane, and no longer than its habits last
PRIOR_CROSSINGS = 4.0  # so many are worth as much as the policy's spread
FEW_CROSSINGS = 2.0  # of so few nobody knows yet whether they are the rule
FEWEST_SPEEDS = 4  # to tell a way from a time
DEVIATION = 1.35  # a t distribution's scale over its median deviation, for four degrees of freedom
REMEMBERED = 0.98  # of what is known of skipping, from vehicle to vehicle: the last fifty count
PRIOR_VEHICLES = 4.0
LEAST_SKIP_SHARE, MOST_SKIP_SHARE = 0.02, 0.9  # a scanner that was down for an hour comes back
USUAL_LENGTHS_M = 20.0  # lengths of vehicles lie within this, from a car's to a road train's
OTHER_LENGTH_SHARE = 0.2  # of scans that show the box only, or a picture that was cut off
LEAST_SHARE = 1e-3  # of what is expected by a speed, within a window that is too narrow for it
DRIVES_IN_S = 2.5  # who has waited before the tunnel, from its being free
SPEED_SD = 0.04  # relative, of a portal's speed, and of the length that comes with it


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """One vehicle's way from portal to scanner."""

    offset_s: float
    """From entering the portal to the start of the scan."""
    speed_m_s: float = 0.0
    """In the portal; 0: not measured."""
    longer_m: float | None = None
    """By how much it is longer in the scan than in the portal; None: one of them is not known."""


class ScanTiming:
    """One lane's vehicles on their way to one scanner."""

    def __init__(self, window_s: tuple[float, float], policy: AssociationPolicy) -> None:
        self.window_s = window_s
        self._policy = policy
        self.changes = 0
        """How often it has become another."""
        self._known: dict[int, Crossing] = {}
        self._usual: tuple[float, float] | None = None
        self._way: tuple[float, float] | None = None
        self._vehicles, self._skipped = PRIOR_VEHICLES, PRIOR_VEHICLES * policy.scan_skip_share

    @property
    def usual_s(self) -> float:
        """The usual time from portal to scan; the earliest while nothing is known."""
        return self.window_s[0] if self._usual is None else self._usual[0]

    @property
    def skip_share(self) -> float:
        """Vehicles of the lane that are not scanned."""
        return min(max(self._skipped / self._vehicles, LEAST_SKIP_SHARE), MOST_SKIP_SHARE)

    def learn(self, scan: int, crossing: Crossing) -> None:
        """A pairing of a numbered scan that is sure; told again it may have become another."""
        if self._known.get(scan) == crossing:
            return
        self._known[scan] = crossing
        while len(self._known) > MOST_KEPT:
            del self._known[next(iter(self._known))]
        self._settle()

    def unlearn(self, scan: int) -> None:
        """Its pairing is not sure any more."""
        if self._known.pop(scan, None) is not None:
            self._settle()

    def note(self, *, scanned: bool) -> None:
        """A vehicle will be scanned no more, or was."""
        self.changes += 1
        self._vehicles = REMEMBERED * self._vehicles + 1.0
        self._skipped = REMEMBERED * self._skipped + (0.0 if scanned else 1.0)

    def density(
        self,
        offset_s: float,
        speed_m_s: float = 0.0,
        taken_s: tuple[float, ...] | None = None,
    ) -> float:
        """Of scans that start then, per second; 0 outside the lane's window.

        taken_s  from when to when the tunnel was taken before: who came meanwhile has waited
        """
        first_s, last_s = self.window_s
        if not first_s <= offset_s <= last_s:
            return 0.0
        density = self._density(offset_s, speed_m_s)
        if taken_s is not None:
            waited = self.later(taken_s[0], speed_m_s) - self.later(taken_s[1], speed_m_s)
            after_s = max(offset_s - taken_s[1], 0.0)
            density += max(waited, 0.0) * math.exp(-after_s / DRIVES_IN_S) / DRIVES_IN_S
        return density

    def _density(self, offset_s: float, speed_m_s: float) -> float:
        """The same where nobody had to wait."""
        first_s, last_s = self.window_s
        even = 1.0 / max(last_s - first_s, 1.0)
        if (expected := self.expected(speed_m_s)) is None:
            return even
        mean_s, spread_s = expected
        early, late = (student_later((end_s - mean_s) / spread_s) for end_s in self.window_s)
        core = student_density((offset_s - mean_s) / spread_s) / spread_s
        # All of them come within the window.
        return (1.0 - self._odd) * core / max(early - late, LEAST_SHARE) + self._odd * even

    def later(self, offset_s: float, speed_m_s: float = 0.0) -> float:
        """Share of scans that start later than that."""
        first_s, last_s = self.window_s
        if offset_s >= last_s:
            return 0.0
        even = min(1.0, (last_s - offset_s) / max(last_s - first_s, 1.0))
        if (expected := self.expected(speed_m_s)) is None:
            return even
        mean_s, spread_s = expected
        early, later, late = (
            student_later((at_s - mean_s) / spread_s) for at_s in (first_s, offset_s, last_s)
        )
        core = min(1.0, (later - late) / max(early - late, LEAST_SHARE))
        return (1.0 - self._odd) * core + self._odd * even

    def expected(self, speed_m_s: float = 0.0) -> tuple[float, float] | None:
        """Middle and spread of the time from portal to scan; None while nothing is known."""
        if self._way is None or speed_m_s <= 0.0:
            return self._usual
        way_m, spread_s = self._way
        return way_m / speed_m_s, spread_s

    def length_ratio(self, scan_m: float, portal_m: float) -> float:
        """How much likelier the two lengths are of one vehicle than of two; 1 where one is not
        known, which is 0."""
        if scan_m <= 0.0 or portal_m <= 0.0:
            return 1.0
        longer = [c.longer_m for c in self._known.values() if c.longer_m is not None]
        usual_m = median(longer) if len(longer) >= FEWEST_SPEEDS else 0.0
        sd_m = math.hypot(self._policy.scan_length_sd_m, SPEED_SD * portal_m)
        off = (scan_m - portal_m - usual_m) / sd_m
        density = math.exp(-0.5 * off * off) / (sd_m * math.sqrt(2.0 * math.pi))
        return (1.0 - OTHER_LENGTH_SHARE) * density * USUAL_LENGTHS_M + OTHER_LENGTH_SHARE

    @property
    def _odd(self) -> float:
        """Share of vehicles that come at any time: all of them while hardly one was seen."""
        known = float(len(self._known))
        return (known * self._policy.scan_odd_share + FEW_CROSSINGS) / (known + FEW_CROSSINGS)

    def _settle(self) -> None:
        self.changes += 1
        crossings = self._known.values()
        self._usual = self._way = None
        if not crossings:
            return
        usual_s = median(c.offset_s for c in crossings)
        self._usual = usual_s, self._spread(c.offset_s - usual_s for c in crossings)
        rolling = [c for c in crossings if c.speed_m_s > 0.0]
        if len(rolling) < FEWEST_SPEEDS:
            return
        way_m = median(c.offset_s * c.speed_m_s for c in rolling)
        spread_s = self._spread(c.offset_s - way_m / c.speed_m_s for c in rolling)
        if spread_s < self._usual[1]:  # they roll on as they were measured
            self._way = way_m, spread_s

    def _spread(self, errors_s: Iterable[float]) -> float:
        """Of as many as there are, and of as many again that the policy speaks for."""
        sizes = [abs(error) for error in errors_s]
        seen = DEVIATION * median(sizes) * len(sizes)
        mixed = (PRIOR_CROSSINGS * self._policy.scan_spread_s + seen) / (
            PRIOR_CROSSINGS + len(sizes)
        )
        return max(mixed, self._policy.scan_spread_floor_s)


def student_density(off: float) -> float:
    """Of a t distribution with four degrees of freedom: drivers differ more than errors do."""
    return 0.375 * math.pow(1.0 + off * off / 4.0, -2.5)


def student_later(off: float) -> float:
    """Share of that distribution beyond `off`, in closed form."""
    square = off * off / (4.0 + off * off)
    return 0.5 - math.copysign(0.25 * math.sqrt(square) * (3.0 - square), off)
