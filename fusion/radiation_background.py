"""The background of a portal: tracked while its lane is vacant, frozen while it is not."""

import math

import numpy as np
from numpy.typing import NDArray

from fusion.radiation_policy import RadiationPolicy
from fusion.types import BackgroundSample


class RunningBackground:
    """Exponentially weighted rates of one radiation; device faults and outliers stay out."""

    def __init__(self, policy: RadiationPolicy, weight: float) -> None:
        self._policy = policy
        self._weight = weight
        self._rates_cps: NDArray[np.float64] | None = None
        self._variance = 1.0
        self._outliers = 0

    @property
    def rates_cps(self) -> NDArray[np.float64] | None:
        """(panels,) or None before the first report."""
        return self._rates_cps

    @property
    def seconds(self) -> float:
        """Measuring time that the average is worth; 0 before the first report."""
        if self._rates_cps is None:
            return 0.0
        return self._policy.background_report_s / self._variance

    def feed(self, sample: BackgroundSample) -> None:
        """Take one report of the vacant lane."""
        if sample.device_fault:
            return
        rates = np.array(sample.rate_cps, np.float64)
        if self._rates_cps is None or len(rates) != len(self._rates_cps):
            self._rates_cps, self._variance = rates, 1.0
            return
        if self._is_outlier(rates):
            self._outliers += 1
            if self._outliers >= self._policy.background_accept_after:
                self._rates_cps, self._variance, self._outliers = rates, 1.0, 0
            return
        self._outliers = 0
        # The first reports are averaged evenly, which is what the weight tends to.
        weight = max(self._weight, self._variance / (1.0 + self._variance))
        self._rates_cps = self._rates_cps + weight * (rates - self._rates_cps)
        self._variance = (1.0 - weight) ** 2 * self._variance + weight**2

    def _is_outlier(self, rates: NDArray[np.float64]) -> bool:
        assert self._rates_cps is not None
        expected = float(self._rates_cps.sum())
        # Poisson noise as if of one second only, the average's own, and 3 % for the weather.
        variance = (expected + 1.0) * (1.0 + self._variance) + (0.03 * expected) ** 2
        off = abs(float(rates.sum()) - expected)
        return off > self._policy.background_outlier_sigma * math.sqrt(variance)
