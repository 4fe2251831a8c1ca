"""What a site is like at each hour of the day: how loud its quiet is, and how restless."""

import math

from fusion.types import SECOND_NS

HOURS = 24
HOUR_NS = 3600 * SECOND_NS
WARM_S = 600.0  # an hour that has been heard for less is not known
SLOW_S = 7200.0  # of listening: two days' worth of an hour
CALM = 0.12
"""Restlessness of noise that does not change: ln(rms of a second) wanders by so much."""
MOST = 0.8
GAIN = 2.0
UNDER = 0.5  # the quiet may be so much of its mean square below the hour's own
LARGEST_STEP = 1.5  # of ln(level): a passer-by is not what the hour is like


class Hours:
    """Quiet level and restlessness by the hour of the day, learned slowly from one channel.

    Both are bounded: nobody teaches a station, by however much noise, not to hear at all.
    """

    def __init__(self) -> None:
        self._heard_s = [0.0] * HOURS
        self._floor = [0.0] * HOURS
        """Mean of ln(mean square)."""
        self._restless_2 = [0.0] * HOURS
        """Mean square of ln(level over the floor)."""

    def learn(self, utc_ns: int, floor_square: float, level: float, seconds: float) -> None:
        """So many seconds of an hour: the quiet level then, and the level over it."""
        hour = utc_ns // HOUR_NS % HOURS
        heard_s = self._heard_s[hour] = min(self._heard_s[hour] + seconds, SLOW_S)
        keep = seconds / heard_s
        floor = math.log(max(floor_square, 1e-30))
        self._floor[hour] += keep * (floor - self._floor[hour])
        off = max(-LARGEST_STEP, min(LARGEST_STEP, math.log(max(level, 1e-9))))
        self._restless_2[hour] += keep * (off * off - self._restless_2[hour])

    def quietest(self, utc_ns: int) -> float:
        """Mean square under which the quiet of this hour is not believed; 0: not known."""
        hour = utc_ns // HOUR_NS % HOURS
        if self._heard_s[hour] < WARM_S:
            return 0.0
        return UNDER * math.exp(self._floor[hour])

    def restless(self, utc_ns: int) -> float:
        """How much more than steady noise the level wanders at this hour, 0 to MOST."""
        hour = utc_ns // HOUR_NS % HOURS
        if self._heard_s[hour] < WARM_S:
            return 0.0
        return min(max(math.sqrt(self._restless_2[hour]) - CALM, 0.0), MOST)

    def raised(self, utc_ns: int) -> float:
        """Factor on the level that counts as activity at this hour, 1 or more."""
        return 1.0 + GAIN * self.restless(utc_ns)
