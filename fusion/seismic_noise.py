"""What a site is like at each hour of the day: how loud its quiet is, and how restless."""

import numpy as np

from fusion.kernels import seismic_calm as calm
from fusion.kernels.seismic_calm import GAIN, HOUR_NS, HOURS, MOST

__all__ = ["GAIN", "HOUR_NS", "MOST", "Hours"]


class Hours:
    """Quiet level and restlessness by the hour of the day, learned slowly from one channel.

    Both are bounded: nobody teaches a station, by however much noise, not to hear at all.
    """

    __slots__ = ("_hours",)

    def __init__(self, hours: calm.Floats | None = None) -> None:
        """`hours`: (3 * HOURS,) where they are kept."""
        self._hours = np.zeros(3 * HOURS) if hours is None else hours

    def learn(self, utc_ns: int, floor_square: float, level: float, seconds: float) -> None:
        """So many seconds of an hour: the quiet level then, and the level over it."""
        calm.learn(self._hours, utc_ns, floor_square, level, seconds)

    def quietest(self, utc_ns: int) -> float:
        """Mean square under which the quiet of this hour is not believed; 0: not known."""
        return calm.quietest(self._hours, utc_ns)

    def raised(self, utc_ns: int) -> float:
        """Factor on the level that counts as activity at this hour, 1 to `1 + GAIN * MOST`."""
        return calm.raised(self._hours, utc_ns)
