"""Which passages are of one thing that moves along a line of sensors.

A few hypotheses are carried through the passages in the order of time: each passage is noise,
begins something new, or continues what passed another sensor before. What continues is weighed by
the innovation of a Kalman filter (fusion.kernels.track); a turn costs, and so does a sensor that
was passed over. The best few hypotheses are kept (Reid 1979, IEEE TAC 24:843, with a beam).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fusion.association_policy import AssociationPolicy
from fusion.kernels.track import State, predict, update
from fusion.track_line import Line
from fusion.types import SECOND_NS

KEPT = 8  # hypotheses; two walkers who cross make four
LONGEST_LINK_S = 120.0  # two sensors 60 m apart, at 0.5 m/s
NOISE_NATS = 2.5  # a passage that belongs to nobody, and
NOISE_PER_NAT = 1.25  # so much more for each nat of its rise, up to
CLEAREST_NATS = 4.0
NEW_NATS = 5.0  # something new
TURN_NATS = 3.5  # it has turned, or stood still for a while
MISSED_NATS = 1.0  # for each sensor between that noticed nothing
MEANWHILE_NS = 2 * SECOND_NS  # who crosses the line square passes all sensors within this
ANY_TIME_S = 10.0  # passages that have nothing to do with one another lie so far apart
GATE = 16.0  # four deviations
HURRY = 1.5  # who turns round does not run back
STOP_S = 10.0  # a turn, or a rest, takes about so long
SHORTEST_TURN_S = 3.0
SURE_NATS = 4.0  # two gusts that happen to fit gain two or three
SURE_TURN = 2  # passages on the way back: one may be a gust
SURE_DEVIATIONS = 1.65  # one in twenty directions may be wrong
WALKS, DRIVES = "feet", "wheels"


@dataclass(frozen=True, slots=True)
class Manner:
    """How something moves."""

    slowness_sd: float
    """Deviation of its slowness along the line in s/m, before anything is known of it."""
    usual_m_s: float
    fastest_m_s: float
    drift: float
    """Growth of the slowness's variance, (s/m)^2 for each metre."""


MANNERS = {
    # Walkers 0.8 to 2.2 m/s, who keep their pace within a tenth for a minute; runners to 8.
    WALKS: Manner(0.9, 1.4, 8.0, 5e-5),
    DRIVES: Manner(0.15, 10.0, 40.0, 5e-6),
}
NEAR_M_S = {WALKS: 4.0, DRIVES: 45.0}
"""The width of a passage is its offset over the speed within a factor of 2.5 (measured on
simulated walkers and cars): times this it is the greatest offset."""


@dataclass(slots=True, eq=False)
class Pass:
    """One sensor was passed; told again, its time may become better."""

    sensor_id: str
    along_m: float
    at_utc_ns: int
    sd_s: float
    rise_nats: float
    width_s: float
    manner: str


@dataclass(frozen=True, slots=True)
class Chain:
    """The passages of one thing, in order of time."""

    passes: tuple[Pass, ...]
    state: State
    """When it passed the last sensor, in seconds after the first passage, and its slowness."""
    turns: int = 0
    since_turn: int = 0
    """Passages after the last one."""
    gain_nats: float = 0.0
    """By how much it explains its passages better than noise would."""

    @property
    def last(self) -> Pass:
        """The latest passage."""
        return self.passes[-1]

    @property
    def manner(self) -> Manner:
        """How it moves."""
        return MANNERS[self.last.manner]

    @property
    def heading(self) -> int:
        """1 where it surely moves up the line, -1 down; 0: across it, or not to be told."""
        slowness, sd = self.state[1], math.sqrt(self.state[4])
        if len(self.passes) < 2 or self.gain_nats < SURE_NATS:
            return 0
        if abs(slowness) < SURE_DEVIATIONS * sd:
            return 0
        if abs(slowness) * self.manner.fastest_m_s < 1.0:
            return 0
        if self.turns and self.since_turn < SURE_TURN:
            return 0
        return 1 if slowness > 0.0 else -1

    def along_m(self, utc_ns: int) -> float:
        """Where it is then, as far as can be told."""
        if not self.heading:
            return math.fsum(one.along_m for one in self.passes) / len(self.passes)
        return self.last.along_m + (self.since_s(utc_ns) - self.state[0]) / self.state[1]

    def gaining(self, gain_nats: float) -> "Chain":
        """The same, which explains its passages so much better."""
        return Chain(self.passes, self.state, self.turns, self.since_turn, gain_nats)

    def since_s(self, utc_ns: int) -> float:
        """Seconds after the first passage."""
        return (utc_ns - self.passes[0].at_utc_ns) / SECOND_NS


@dataclass(frozen=True, slots=True)
class _Hypothesis:
    nats: float
    """What speaks against it."""
    chains: tuple[Chain, ...] = ()


class Chains:
    """Puts passages into chains."""

    def __init__(self, line: Line, policy: AssociationPolicy) -> None:
        self._line = line
        self._policy = policy
        self._passes: list[Pass] = []

    def of(self, passes: Sequence[Pass]) -> tuple[Chain, ...]:
        """The passages as chains, the one that begins first foremost; noise is in none."""
        kept = [_Hypothesis(0.0)]
        self._passes = sorted(passes, key=lambda p: (p.at_utc_ns, p.sensor_id))
        for one in self._passes:
            grown = [more for each in kept for more in self._grown(each, one)]
            kept = sorted(grown, key=lambda each: each.nats)[:KEPT]  # stable: ties keep their order
        return kept[0].chains

    def _grown(self, old: _Hypothesis, one: Pass) -> list[_Hypothesis]:
        noise = NOISE_NATS + NOISE_PER_NAT * min(max(one.rise_nats, 0.0), CLEAREST_NATS)
        manner = MANNERS[one.manner]
        state = (0.0, 0.0, self._variance(one), 0.0, manner.slowness_sd**2)
        begun = Chain((one,), state, gain_nats=noise - NEW_NATS)
        grown = [
            _Hypothesis(old.nats + noise, old.chains),
            _Hypothesis(old.nats + NEW_NATS, (*old.chains, begun)),
        ]
        for i, chain in enumerate(old.chains):
            if (link := self._linked(chain, one)) is not None:
                nats, longer = link
                longer = longer.gaining(chain.gain_nats + noise - nats)
                rest = (*old.chains[:i], longer, *old.chains[i + 1 :])
                grown.append(_Hypothesis(old.nats + nats, rest))
        return grown

    def _linked(self, chain: Chain, one: Pass) -> tuple[float, Chain] | None:
        """The chain with one passage more, and what speaks against it; None: it cannot be."""
        after_s = (one.at_utc_ns - chain.last.at_utc_ns) / SECOND_NS
        way_m = abs(one.along_m - chain.last.along_m)
        if one.manner != chain.last.manner or after_s > LONGEST_LINK_S:
            return None
        near_m = NEAR_M_S[one.manner] * (one.width_s + chain.last.width_s)
        if way_m > near_m + chain.manner.fastest_m_s * after_s:
            return None  # one thing cannot have been so near to both
        missed = self._missed(chain.last, one)
        found = None
        if one.sensor_id != chain.last.sensor_id:
            found = self._moved(chain, chain.state, one)
        if len(chain.passes) > 1 and not missed and _could_turn(chain, way_m, after_s):
            found = _better(found, self._turned(chain, one))
        return None if found is None else (found[0] + missed * MISSED_NATS, found[1])

    def _missed(self, last: Pass, one: Pass) -> int:
        """How many sensors between the two noticed nobody meanwhile."""
        between = self._line.between(last.along_m, one.along_m)
        if not between:
            return 0
        from_ns, to_ns = last.at_utc_ns - MEANWHILE_NS, one.at_utc_ns + MEANWHILE_NS
        noticed = {p.sensor_id for p in self._passes if from_ns <= p.at_utc_ns <= to_ns}
        return len(between - noticed)

    def _moved(self, chain: Chain, state: State, one: Pass) -> tuple[float, Chain] | None:
        """It has gone on as it did."""
        ahead = predict(state, one.along_m - chain.last.along_m, chain.manner.drift)
        variance = self._variance(one)
        at_s = chain.since_s(one.at_utc_ns)
        spread = ahead[2] + variance
        off = (at_s - ahead[0]) ** 2 / spread
        if off > GATE:
            return None
        nats = 0.5 * off + 0.5 * math.log1p(spread / ANY_TIME_S**2)
        after = update(ahead, at_s, variance)
        since = chain.since_turn + (1 if chain.turns else 0)
        return nats, Chain((*chain.passes, one), after, chain.turns, since, chain.gain_nats)

    def _turned(self, chain: Chain, one: Pass) -> tuple[float, Chain] | None:
        """It has turned round, or stood still and gone on."""
        at_s, slowness, p00, _, _ = chain.state
        onward = one.along_m - chain.last.along_m
        back = onward * slowness <= 0.0
        still = (
            at_s + 0.5 * STOP_S,
            -slowness if back else slowness,
            p00 + STOP_S**2,
            0.0,
            (0.3 * slowness) ** 2,
        )
        moved = self._moved(chain, still, one)
        if moved is None:
            return None
        nats, on = moved
        if back:
            on = Chain(on.passes, on.state, chain.turns + 1, 1, on.gain_nats)
        return nats + TURN_NATS, on

    def _variance(self, one: Pass) -> float:
        """Of a passage's time: the fit's, the clock's, and of a way that is not quite straight."""
        sway_s = self._policy.track_sway_m / MANNERS[one.manner].usual_m_s
        return one.sd_s**2 + self._policy.track_clock_sd_s**2 + sway_s**2


def _could_turn(chain: Chain, way_m: float, after_s: float) -> bool:
    """Whether it can have come here another way than straight on, without hurrying."""
    return after_s >= SHORTEST_TURN_S and way_m * abs(chain.state[1]) <= HURRY * after_s


def _better(
    one: tuple[float, Chain] | None, other: tuple[float, Chain] | None
) -> tuple[float, Chain] | None:
    if one is None or (other is not None and other[0] < one[0]):
        return other
    return one
