"""What a channel has learned of its site's hours, as the kernels keep it."""

import numpy as np

from fusion.kernels import seismic_calm as calm


class Hours:
    """Quiet level and restlessness by the hour of the day."""

    def __init__(self, hours=None):
        self._hours = np.zeros(3 * calm.HOURS) if hours is None else hours

    def learn(self, utc_ns, floor_square, level, seconds):
        calm.learn(self._hours, utc_ns, floor_square, level, seconds)

    def quietest(self, utc_ns):
        return calm.quietest(self._hours, utc_ns)

    def raised(self, utc_ns):
        return calm.raised(self._hours, utc_ns)
