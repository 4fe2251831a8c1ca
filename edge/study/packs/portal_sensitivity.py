"""`portal-sensitivity`: the source that a gross-count portal finds in 95 of 100 passes.

The study of facts/radiation 5.6 with the detector as shipped. Beside it stand the field's k-sigma
test, the matched profile without a shadow, and the likelihood ratio that knows the laws of the
shadow, which no test of the same counts can surpass.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from edge.study.figures import Figure, at_most, no_alarms, plain
from edge.study.intervals import proportion
from edge.study.packs import Settings
from edge.study.portal_ideal import likelihood_ratio
from edge.study.portal_passes import (
    Statistic,
    World,
    k_sigma,
    matched,
    shipped,
    shipped_sigma,
    statistics,
    study_pass,
)
from fusion.radiation_policy import RadiationPolicy

CLEAN = 100_000  # passes for a threshold: 100 lie beyond 1e-3, 10 beyond 1e-4
SOURCES = 1_500  # passes of each rate
MANY_SOURCES = 5_000  # the same of the figure itself, whose interval they make
RATES_CPS = (150.0, 175.0, 200.0, 225.0, 250.0, 290.0)
K_SIGMA_RATES_CPS = (300.0, 350.0, 400.0, 450.0)
SHIPPED_RATES_CPS = (240.0, 280.0, 320.0, 360.0)
ROUGH_RATES_CPS = (200.0, 240.0, 280.0, 320.0)
BOUND_RATES_CPS = (120.0, 140.0, 160.0, 180.0)
IDEAL_RATES_CPS = (170.0, 190.0, 210.0, 230.0)
GOAL_CPS = 220.0
PUBLISHED = World(noise_share=0.0, panel_shadow=0.0, background_known=True)
BARE = World(noise_share=0.0, panel_shadow=0.0, background_known=True, suppression=(0.0, 1e-9))
WANTED = 0.95


def measure(settings: Settings) -> list[Figure]:
    """Rates for 95 % at false-alarm probabilities of 1e-3 and 1e-4."""
    clean = settings.number or CLEAN
    few = max(200, min(SOURCES, clean // 20))
    many = max(200, min(MANY_SOURCES, clean // 20))
    figures = []
    usual = _Study("shipped", shipped_sigma, World(), RATES_CPS)
    found = usual.run(settings, clean, many)
    for share in (1e-3, 1e-4):
        name = f"portal source rate, 95 % at {share:g}"
        value, interval, how = found(share)
        figures.append(_figure(name, value, interval, how, GOAL_CPS if share == 1e-3 else None))
    figures.append(usual.at_shipped_line(settings, few))
    others = (
        _Study("shipped, no wander (as published)", shipped_sigma, PUBLISHED, RATES_CPS),
        _Study("shipped, 0.7 m off the middle", shipped_sigma, World(off_middle_m=0.7), RATES_CPS),
        _Study("shipped, profile law p = 1", shipped_sigma, World(law=1.0), RATES_CPS),
        _Study("shipped, rough loads", shipped_sigma, World(rough=True), ROUGH_RATES_CPS),
        _Study("likelihood ratio itself", likelihood_ratio, World(), IDEAL_RATES_CPS),
        _Study("k-sigma", k_sigma, PUBLISHED, K_SIGMA_RATES_CPS),
        _Study("matched profile without a shadow", matched, BARE, BOUND_RATES_CPS),
    )
    for study in others:
        value, interval, how = study.run(settings, max(2_000, clean // 4), few)(1e-3)
        figures.append(_figure(f"{study.name}, 95 % at 0.001", value, interval, how, None))
    return [*figures, _rough(settings, max(2_000, clean // 4)), *_shapes(settings, few)]


def _rough(settings: Settings, passes: int) -> Figure:
    """Alarms on clean vehicles whose loads have steps."""
    line = RadiationPolicy().significant_sigma
    seeds = range(settings.seed, settings.seed + passes)
    sigmas = list(statistics(shipped_sigma, World(rough=True), seeds, 0.0, settings.say))
    how = f"clean passes at the shipped line, seeds {seeds[0]:,}-{seeds[-1]:,}"
    alarms = sum(sigma >= line for sigma in sigmas)
    how = f"{passes:,} {how}; strongest {max(sigmas):.2f} of {line:g} sigma"
    return no_alarms("alarms on rough loads", alarms, passes, how)


class _Study:
    """One detector in one world."""

    def __init__(
        self, name: str, statistic: Statistic, world: World, rates_cps: tuple[float, ...]
    ) -> None:
        self.name = name
        self._statistic = statistic
        self._world = world
        self._rates_cps = rates_cps

    def run(
        self, settings: Settings, clean: int, few: int
    ) -> Callable[[float], tuple[float, tuple[float, float], str]]:
        """From a false-alarm probability to the rate, its interval and how it was taken."""
        settings.say(f"{self.name}: {clean:,} clean passes")
        first = settings.seed
        seeds = range(first, first + clean)
        ranked = np.sort(list(statistics(self._statistic, self._world, seeds, 0.0, settings.say)))[
            ::-1
        ]
        settings.say(f"{self.name}: {few:,} passes of each of {len(self._rates_cps)} rates")
        seeds = range(first + clean, first + clean + few)
        found = [
            np.array(list(statistics(self._statistic, self._world, seeds, rate)))
            for rate in self._rates_cps
        ]

        def at(share: float) -> tuple[float, tuple[float, float], str]:
            beyond = max(1.0, share * clean)
            spread = 1.96 * math.sqrt(beyond)
            lines = [
                float(ranked[min(clean, max(1, round(rank))) - 1])
                for rank in (beyond, beyond + spread, beyond - spread)
            ]
            rates = [self._rate(found, line, few) for line in lines]
            low, high = self._rate_bounds(found, lines, few)
            how = (
                f"line {lines[0]:.2f} sigma from {clean:,} clean passes, seeds {first:,}-"
                f"{first + clean + few - 1:,}, {few:,} passes at each of {len(found)} rates"
            )
            return rates[0], (low, high), how

        return at

    def at_shipped_line(self, settings: Settings, few: int) -> Figure:
        """The rate that the detector's own line finds, which odd loads have set."""
        line = RadiationPolicy().significant_sigma
        first = settings.seed + CLEAN
        seeds = range(first, first + few)
        self._rates_cps = SHIPPED_RATES_CPS
        found = [
            np.array(list(statistics(self._statistic, self._world, seeds, rate)))
            for rate in self._rates_cps
        ]
        how = f"{few:,} passes at each of {len(found)} rates, seeds from {first:,}"
        value = self._rate(found, line, few)
        return plain(f"portal source rate, 95 % at {line:g} sigma", value, "cps", how)

    def _rate_bounds(
        self, found: list[NDArray[np.float64]], lines: list[float], few: int
    ) -> tuple[float, float]:
        """The line's uncertainty and that of the detected share at it, added in squares."""
        middle = self._rate(found, lines[0], few)
        by_line = [self._rate(found, line, few) - middle for line in lines[1:]]
        hits = round(WANTED * few)
        low, high = (_probit(share) - _probit(WANTED) for share in proportion(hits, few))
        slope = self._slope(found, lines[0], few)
        down = math.hypot(min(0.0, by_line[0]), high / slope)
        up = math.hypot(max(0.0, by_line[1]), low / slope)
        return middle - down, middle + up

    def _slope(self, found: list[NDArray[np.float64]], line: float, few: int) -> float:
        return float(self._line(found, line, few)[0])

    def _rate(self, found: list[NDArray[np.float64]], line: float, few: int) -> float:
        slope, start = self._line(found, line, few)
        return float((_probit(WANTED) - start) / slope)

    def _line(self, found: list[NDArray[np.float64]], line: float, few: int) -> list[float]:
        """Probit of the detected share over the rate, weighted by what each share can tell."""
        shares = [float((one > line).mean()) for one in found]
        used = [
            (rate, _probit(share), math.sqrt(few * share * (1.0 - share)))
            for rate, share in zip(self._rates_cps, shares, strict=True)
            if 0.5 < share < 1.0
        ]
        if len(used) < 2:
            raise ValueError(f"{self.name}: rates do not bracket 95 %: {shares}")
        rates, probits, weights = zip(*used, strict=True)
        fitted: list[float] = np.polyfit(rates, probits, 1, w=weights).tolist()
        return fitted


def _probit(share: float) -> float:
    return NormalDist().inv_cdf(share)


def _figure(
    name: str, value: float, interval: tuple[float, float], how: str, goal: float | None
) -> Figure:
    made = at_most(name, value, goal, "cps", how) if goal else plain(name, value, "cps", how)
    return replace(made, interval=interval)


def _shapes(settings: Settings, few: int) -> list[Figure]:
    """Points told as points, loads as loads, and how well a point's place is known."""
    policy = RadiationPolicy()
    figures = []
    for width_m, net_cps, name in ((0.0, 400.0, "points"), (10.0, 400.0, "loads of 10 m")):
        right = told = 0
        off_m = []
        for seed in range(settings.seed, settings.seed + few):
            one = study_pass(World(width_m=width_m), policy, seed, net_cps)
            # A load must lie within the vehicle.
            if width_m and not width_m / 2 <= one.place_m <= 18.0 - width_m / 2:
                continue
            profile = shipped(one, policy)
            if profile.sigma < policy.significant_sigma:
                continue
            told += 1
            is_point = profile.point.nats >= profile.extended.nats
            right += is_point == (width_m == 0.0)
            best = profile.point if is_point else profile.extended
            off_m.append(abs(best.position_m - one.place_m))
        how = f"{told:,} told of {few:,} passes, {net_cps:g} cps, seeds from {settings.seed:,}"
        if not told:
            continue
        figures.append(
            Figure(
                name=f"{name} told as such",
                value=right / told,
                unit="",
                goal="",
                reached=None,
                how=how,
                interval=proportion(right, told),
            )
        )
        error_m = float(np.median(off_m))
        figures.append(plain(f"place of {name}, median error", error_m, "m", how))
    return figures
