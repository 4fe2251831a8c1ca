"""The course of one event: how its level rose and fell, what stayed the same, what did not."""

import math
from collections import deque
from collections.abc import Sequence

from fusion.kernels import seismic_spectrum as spectrum
from fusion.kernels import seismic_steps as steps
from fusion.kernels import seismic_window as window
from fusion.seismic_features import NOT_KNOWN, evenness, ln

ONSET_S = 1.0  # an engine that is switched on begins in the middle of a second
ATTACK_S = 2.0
RESTING = 1.5  # rms over the floor: nothing is going on
FEWEST = 15  # bins, from which a parabola means something
SLOW_MEAN = 0.04  # share of a look in the means: five seconds
LINE = 0.12  # share of the power from which a line is followed
SAME_LINE = 0.06  # of ln(frequency) between two spectra a second apart
LINES_KEPT = 40
LOST_LINE_S = 4.0
PACED = 5.0  # steps of a chain from which its pace is followed
SAME_PACE = 0.012
"""Of ln(pace) between the mean so far and now: that of ten steps of a walker wanders by 1 %, that
of an engine by a tenth of it."""
LOST_PACE_S = 10.0
LN_2 = math.log(2.0)


class Pace:
    """For how long the blows have kept one pace, as no legs do."""

    def __init__(self) -> None:
        self._from_s = self._last_s = 0.0
        self._heard = 0
        self._mean = 0.0

    def hear(self, at_s: float, pace: float) -> None:
        """ln(blows a second) of a chain that was heard then; every other one may be missing."""
        off = math.remainder(pace - self._mean, LN_2)
        if not self._heard or abs(off) > SAME_PACE or at_s - self._last_s > LOST_PACE_S:
            self._from_s, self._heard, self._mean = at_s, 0, pace
            off = 0.0
        self._heard += 1
        self._mean += off / self._heard
        self._last_s = at_s

    @property
    def held_s(self) -> float:
        """For how long it has been the same."""
        return self._last_s - self._from_s


class Course:
    """What has been heard of an event since it began."""

    def __init__(self) -> None:
        self.bins = 0
        self._moments = [0.0] * 5
        """Sums of t^0 to t^4."""
        self._levels = [0.0] * 3
        """Sums of t^0 to t^2 times ln(level)."""
        self._level_2 = 0.0
        self.loudest = 0.0
        self._quietest = math.inf
        self._first = 0.0
        self.peak_s = 0.0
        """When it was loudest."""
        self._active = self._resting = 0
        self._square = self._peak = 0.0
        self._looks = 0
        self.best_chain = 0.0
        self._impulse = self._cadence = self._chain = self._step_rate = self._beat = 0.0
        self._line: deque[tuple[float, float]] = deque(maxlen=LINES_KEPT)
        """(s, Hz) of the line that is followed."""
        self._paced = 0
        """Looks with a chain of which the pace is known."""
        self._jitter = self._loads = NOT_KNOWN
        self._pace = Pace()

    def hear(self, at_s: float, now: Sequence[float], *, active: bool) -> None:
        """A bin that ended `at_s` after the start, as `seismic_window.glance` has it."""
        level = now[window.NOW_LEVEL_2S] if at_s > 1.5 else now[window.NOW_LEVEL_1S]
        y = ln(max(level, 1e-3))
        self.bins += 1
        power = 1.0
        for k in range(5):
            self._moments[k] += power
            if k < 3:
                self._levels[k] += power * y
            power *= at_s
        self._level_2 += y * y
        if at_s >= ONSET_S:
            self._quietest = min(self._quietest, level)
        if level > self.loudest:
            self.loudest, self.peak_s = level, at_s
        if at_s <= ATTACK_S:
            self._first = max(self._first, level)
        self._active += active
        self._resting += now[window.NOW_LEVEL] < RESTING
        self._square += now[window.NOW_SQUARE]
        self._peak = max(self._peak, now[window.NOW_PEAK])

    def look(self, at_s: float, of: Sequence[float]) -> None:
        """A window, as `seismic_window.describe` has it, that ended `at_s` after the start."""
        self._looks += 1
        keep = max(1.0 / self._looks, SLOW_MEAN)
        blows = of[window.STEPS_0 :]
        self._impulse += keep * (ln(max(of[window.IMPULSE], 1.0)) - self._impulse)
        self._cadence += keep * (of[window.CADENCE] - self._cadence)
        self._beat += keep * (of[window.BEAT] - self._beat)
        self._chain += keep * (blows[steps.CHAIN_NATS] - self._chain)
        self._step_rate += keep * (blows[steps.RATE] - self._step_rate)
        self.best_chain = max(self.best_chain, blows[steps.CHAIN_NATS])
        if blows[steps.CHAIN] >= PACED:
            jitter, loads, _, _ = evenness(blows)
            self._paced += 1
            keep = max(1.0 / self._paced, SLOW_MEAN)
            first = self._paced == 1
            self._jitter = jitter if first else self._jitter + keep * (jitter - self._jitter)
            self._loads = loads if first else self._loads + keep * (loads - self._loads)
            self._pace.hear(at_s, math.log(blows[steps.CHAIN_HZ]))

    def hum(self, at_s: float, of: Sequence[float]) -> None:
        """A spectrum, as `seismic_spectrum.lines` has it: follow its strongest line."""
        line = self._line
        if of[spectrum.TONE] >= LINE:
            hz = of[spectrum.TONE_HZ]
            if line and abs(math.log(hz / line[-1][1])) > SAME_LINE:
                line.clear()
            line.append((at_s, hz))
        elif line and at_s - line[-1][0] > LOST_LINE_S:
            line.clear()

    def terms(self, at_s: float) -> list[float]:
        """In the order of COURSE_TERMS."""
        bell, swing = self._bell()
        drift, steady = NOT_KNOWN, 0.0
        if len(self._line) >= 3:
            frequencies = [hz for _, hz in self._line]
            drift = math.log(math.log(max(frequencies) / min(frequencies)) + 1e-3)
            steady = math.log(1.0 + self._line[-1][0] - self._line[0][0])
        return [
            ln(at_s),
            ln(self.loudest / self._quietest) if 0.0 < self._quietest < math.inf else NOT_KNOWN,
            bell,
            swing,
            self._active / self.bins,
            ln(self._first / max(self.loudest, 1e-9)),
            self._resting / self.bins,
            (at_s - self.peak_s) / max(at_s, 0.2),
            ln(self._peak / math.sqrt(self._square / self.bins + 1e-30)),
            self.best_chain,
            self._impulse,
            self._cadence,
            self._chain,
            drift,
            steady,
            self._step_rate,
            self._jitter,
            self._loads,
            math.log(1.0 + self._pace.held_s),
            self._beat,
        ]

    def _bell(self) -> tuple[float, float]:
        """How well a parabola fits ln(level), and the level's standard deviation.

        The first is the share of the variance that the parabola explains, less than 0 where it
        opens upwards. What passes by swells and fades (facts/seismic.md 3.2); what stays does not.
        """
        n, t1, t2, t3, t4 = self._moments
        y0, y1, y2 = self._levels
        if self.bins < FEWEST:
            return NOT_KNOWN, NOT_KNOWN
        variance = self._level_2 / n - (y0 / n) ** 2
        if variance < 1e-6:
            return 0.0, 0.0
        # Least squares in t - t1/n: the constant is apart, two equations are left.
        a, b, c = t2 - t1 * t1 / n, t3 - t1 * t2 / n, t4 - t2 * t2 / n
        p, q = y1 - y0 * t1 / n, y2 - y0 * t2 / n
        whole = a * c - b * b
        swing = math.sqrt(variance)
        if whole <= 1e-9 * a * c:
            return 0.0, swing
        rise, bend = (p * c - q * b) / whole, (q * a - p * b) / whole
        share = max(0.0, min(1.0, (rise * p + bend * q) / (n * variance)))
        return (share if bend < 0.0 else -share), swing
