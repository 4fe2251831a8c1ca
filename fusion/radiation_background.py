"""The background of a portal: tracked while its lane is vacant, frozen while it is not.

Its level is a running mean, which lags behind where rain raises it within minutes; its slope is
fitted over a longer time, and carries the level on to the middle of the next pass.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.radiation_policy import RadiationPolicy
from fusion.types import SECOND_NS, BackgroundSample


@dataclass(slots=True)
class Slope:
    """Relative change of the total per second: least squares that forget, with a prior of 0."""

    policy: RadiationPolicy
    at_s: float = 0.0
    """Time of the last report, from any fixed moment."""
    weight: float = 0.0
    time_s: float = 0.0
    """Mean of the reports' times, and of the logarithms of their totals."""
    level: float = 0.0
    spread_s2: float = 0.0
    """Sum of squares of the times about their mean, and of their products with the levels."""
    product_s: float = 0.0

    def add(self, at_s: float, total_cps: float) -> None:
        """One report; they come in order."""
        keep = math.exp(-max(0.0, at_s - self.at_s) / self.policy.slope_memory_s)
        self.at_s = at_s
        self.spread_s2 *= keep
        self.product_s *= keep
        self.weight = self.weight * keep + 1.0
        off_s, off = at_s - self.time_s, math.log(max(total_cps, 1.0)) - self.level
        self.time_s += off_s / self.weight
        self.level += off / self.weight
        self.spread_s2 += off_s * off_s * (1.0 - 1.0 / self.weight)
        self.product_s += off_s * off * (1.0 - 1.0 / self.weight)

    def fitted(self, total_cps: float) -> tuple[float, float]:
        """Relative change per second, and its variance."""
        policy = self.policy
        noise = 1.0 / max(total_cps * policy.background_report_s, 1.0) + policy.slope_noise**2
        told = self.spread_s2 + noise / policy.slope_sd**2
        return self.product_s / told, noise / told


class RunningBackground:
    """Exponentially weighted rates of one radiation; device faults and outliers stay out.

    With `sloped` they are carried on to when they are asked for.
    """

    def __init__(self, policy: RadiationPolicy, weight: float, *, sloped: bool = False) -> None:
        self._policy = policy
        self._weight = weight
        self._rates_cps: NDArray[np.float64] | None = None
        self._variance = 1.0
        self._outliers = 0
        self._sloped = sloped
        self._slope = Slope(policy)
        self._announced_s = 0.0
        self._first_utc_ns: int | None = None
        self._mean_s = 0.0

    def averaged_over(self, seconds: float) -> None:
        """Say how long the device counts for one report, where it has said so.

        It reports oftener than that, so its averages overlap: each is worth that time, several
        in a row no more than what they have counted together.
        """
        self._announced_s = seconds

    @property
    def rates_cps(self) -> NDArray[np.float64] | None:
        """(panels,) or None before the first report."""
        return self._rates_cps

    @property
    def seconds(self) -> float:
        """Measuring time that the average is worth; 0 before the first report."""
        if self._rates_cps is None:
            return 0.0
        return max(self._policy.background_report_s / self._variance, self._announced_s)

    def at(self, utc_ns: int) -> tuple[NDArray[np.float64] | None, float]:
        """(panels,) rates expected then, and the measuring time that they are worth."""
        if self._rates_cps is None or not self._sloped:
            return self._rates_cps, self.seconds
        ahead_s = min(max(self._since_s(utc_ns) - self._mean_s, 0.0), self._policy.slope_reach_s)
        total_cps = max(float(self._rates_cps.sum()), 1.0)
        slope, variance = self._slope.fitted(total_cps)
        rates = self._rates_cps * math.exp(slope * ahead_s)
        unknown = 1.0 / self.seconds + total_cps * variance * ahead_s * ahead_s
        return rates, 1.0 / unknown

    def feed(self, sample: BackgroundSample) -> None:
        """Take one report of the vacant lane."""
        if sample.device_fault:
            return
        rates = np.array(sample.rate_cps, np.float64)
        if self._first_utc_ns is None:
            self._first_utc_ns = sample.start_utc_ns
        at_s = self._since_s(sample.start_utc_ns)
        if self._rates_cps is None or len(rates) != len(self._rates_cps):
            self._start(rates, at_s)
            return
        if self._is_outlier(rates, sample.start_utc_ns):
            self._outliers += 1
            if self._outliers >= self._policy.background_accept_after:
                self._start(rates, at_s)
            return
        self._outliers = 0
        self._slope.add(at_s, float(rates.sum()))
        # The first reports are averaged evenly, which is what the weight tends to.
        weight = max(self._weight, self._variance / (1.0 + self._variance))
        self._rates_cps = self._rates_cps + weight * (rates - self._rates_cps)
        self._mean_s += weight * (at_s - self._mean_s)
        self._variance = (1.0 - weight) ** 2 * self._variance + weight**2

    def _start(self, rates: NDArray[np.float64], at_s: float) -> None:
        self._rates_cps, self._variance, self._outliers = rates, 1.0, 0
        self._mean_s = at_s
        self._slope = Slope(self._policy)
        self._slope.at_s = at_s
        self._slope.add(at_s, float(rates.sum()))

    def _since_s(self, utc_ns: int) -> float:
        return (utc_ns - (self._first_utc_ns or 0)) / SECOND_NS

    def _is_outlier(self, rates: NDArray[np.float64], utc_ns: int) -> bool:
        forecast, _ = self.at(utc_ns)
        assert forecast is not None
        expected = float(forecast.sum())
        # Poisson noise as if of one second only, the average's own, and 3 % for the weather.
        variance = (expected + 1.0) * (1.0 + self._variance) + (0.03 * expected) ** 2
        off = abs(float(rates.sum()) - expected)
        return off > self._policy.background_outlier_sigma * math.sqrt(variance)
