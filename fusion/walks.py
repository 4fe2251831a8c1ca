"""Which way somebody went on foot along a line of sensors, from all that they heard of the steps.

Passages (fusion.passages) are one time for each sensor. Where steps are faint, or traffic is
louder, there are none, or false ones; but a straight way at one speed must explain all sensors
together, and few do (fusion.kernels.walk).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fusion.kernels import passage, walk
from fusion.kernels.seismic_layout import BAND_0
from fusion.passages import BETWEEN_S, BETWEEN_SHARE, MOST_BINS, pass_facts, passages
from fusion.seismic_bank import BANDS_HZ, HIGHEST_SHARE, Bank
from fusion.step_curve import SLOT_NS, StepCurve
from fusion.types import SECOND_NS, Fact

BANDS = 4  # of the bank's: 25 to 45 Hz, where a road 100 m away is not heard any more
CARRIED_SHARE = 0.8 * HIGHEST_SHARE
LEAD_NS = 5 * SECOND_NS  # of an event: steps that came before it was one
REST_SHARE = 0.6  # of even noise stands out of its own quiet fifth
FAINTEST_SHARE = 0.1  # of the rest: less stands out by chance
FEWEST_SLOTS = 8
DECIMALS = 9  # of a logarithm
SENSORS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A straight way along the line."""

    up_nats: float
    """How much more speaks for up the line than for down it."""
    slowness: float
    """s/m, below 0 down the line."""
    slowness_sd: float
    at_utc_ns: int
    """When place 0 was passed."""
    passed: int
    """So many of the sensors lie behind."""
    sensors: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsHeard:
    """What a station keeps of steps: the highest band that they reach, and traffic does not."""

    energy: NDArray[np.float64]
    """(bins,) mean squares; 0 where the channel was not heard yet."""
    bin_s: float
    end_utc_ns: int
    """Of the last bin."""

    @classmethod
    def of(
        cls, bins: NDArray[np.float32], last: int, bank: Bank, end_utc_ns: int, done: int = 0
    ) -> "StepsHeard | None":
        """From a column's ring of bins, (BIN_RING, FIELDS), those before number `last`.

        `done`: so many are finished, and have taken the places of the oldest.
        """
        highest_hz = CARRIED_SHARE * bank.kept_hz
        carried = [i for i, (low_hz, _) in enumerate(BANDS_HZ[:BANDS]) if low_hz < highest_hz]
        numbers = np.arange(max(last - MOST_BINS, done - len(bins) + 1, 0), last) % len(bins)
        if not carried or not len(numbers):
            return None
        energy = bins[numbers, BAND_0 + carried[-1]].astype(np.float64) / bank.bin_samples
        return cls(energy=energy, bin_s=bank.bin_s, end_utc_ns=end_utc_ns)

    def since(self, utc_ns: int) -> "StepsHeard":
        """The last part of it."""
        bins = math.ceil((self.end_utc_ns - utc_ns) / (self.bin_s * SECOND_NS))
        energy = self.energy[-max(bins, 1) :]
        return StepsHeard(energy=energy, bin_s=self.bin_s, end_utc_ns=self.end_utc_ns)


def with_steps(
    facts: Mapping[str, Fact], heard: StepsHeard, start_utc_ns: int
) -> tuple[Mapping[str, Fact], ...]:
    """The passages of an event's facts, with those by steps, whatever else has come by."""
    told = facts.get("passes")
    rolled = told if facts.get("class") == "vehicle" and isinstance(told, tuple) else ()
    part = heard.since(start_utc_ns - LEAD_NS)
    first_s = (part.end_utc_ns - start_utc_ns) / SECOND_NS - len(part.energy) * part.bin_s
    found = pass_facts(passages(part.energy, part.bin_s, on_foot=True), first_s)
    return (
        *({**one, "on": "feet"} for one in found),
        *({**one, "on": "wheels"} for one in rolled if isinstance(one, dict)),
    )


def curve(heard: StepsHeard) -> StepCurve | None:
    """What stands out, and what it stands out of, of each whole slot."""
    values, bin_s = heard.energy, heard.bin_s
    over, between = np.zeros((2, len(values)))
    passage.knocks(values, max(1, round(BETWEEN_S / bin_s)), BETWEEN_SHARE, over, between)
    middle = heard.end_utc_ns - (np.arange(len(values))[::-1] + 0.5) * (bin_s * SECOND_NS)
    slots = (middle // SLOT_NS).astype(np.int64)
    first = int(slots[0])
    known = np.bincount(slots - first, values > 0.0)
    whole = np.flatnonzero(known >= round(SLOT_NS / SECOND_NS / bin_s) - 1)
    if not len(whole):
        return None
    last = int(whole[-1]) + 1
    steps, rest = np.full((2, last), np.nan)
    sums = np.bincount(slots - first, over)[whole], np.bincount(slots - first, between)[whole]
    quiet = np.maximum(REST_SHARE * sums[1] / known[whole], float(values.max()) * 1e-9)
    # NumPy's last bit is another on a processor with wider vectors.
    rest[whole] = np.round(np.log(quiet), DECIMALS)
    steps[whole] = np.round(np.log(sums[0] / known[whole] + FAINTEST_SHARE * quiet), DECIMALS)
    return StepCurve(first, steps, rest)


def way(
    curves: Mapping[str, StepCurve], along_m: Mapping[str, float], first: int, end: int
) -> Way | None:
    """The likeliest way in these slots; None where fewer than two sensors know them."""
    parts = {name: curves[name].part(first, end) for name in sorted(curves)}
    names = [name for name, one in parts.items() if _known(one) >= FEWEST_SLOTS]
    if len(names) < SENSORS:
        return None
    slot_s = SLOT_NS / SECOND_NS
    left = np.zeros((len(names), 2 * (end - first + 2 * walk.BEYOND_SLOTS), walk.WIDTHS))
    for i, name in enumerate(names):
        one = parts[name]
        walk.misfits(one.steps, one.rest, float(np.nanmedian(one.rest)), slot_s, left[i])
    found = np.zeros(walk.FIELDS)
    places = np.array([along_m[name] for name in names])
    walk.line(left, places - places.mean(), slot_s, found)
    at_s = found[walk.AT] - places.mean() * found[walk.SLOWNESS]
    behind = at_s + places * found[walk.SLOWNESS] <= (end - first) * slot_s
    return Way(
        up_nats=float(found[walk.UP] - found[walk.DOWN]),
        slowness=float(found[walk.SLOWNESS]),
        slowness_sd=float(found[walk.DEVIATION]),
        at_utc_ns=first * SLOT_NS + round(float(at_s) * SECOND_NS),
        passed=int(np.count_nonzero(behind)),
        sensors=tuple(names),
    )


def _known(one: StepCurve) -> int:
    return int(np.count_nonzero(np.isfinite(one.rest)))
