"""One event of ground motion while it lasts: what it was so far, and when to tell of it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from fusion.kernels import seismic_steps as steps
from fusion.kernels import seismic_window as window
from fusion.kernels.seismic_weigh import gather
from fusion.passages import Envelope
from fusion.seismic_bank import BAND_NAMES
from fusion.seismic_course import Course
from fusion.seismic_features import (
    BAND_TOPS_HZ,
    CLASSES,
    COUNTED,
    TERMS,
    Floats,
    nats_of,
    spectrum_terms,
    window_terms,
)
from fusion.seismic_fitted import BIAS
from fusion.seismic_policy import SeismicPolicy
from fusion.seismic_presets import Preset
from fusion.types import SECOND_NS, Fact

NOBODY = ("weather", "unknown")
"""Classes that are never named while an event lasts: they ask for nothing."""
ON_FOOT = ("person", "group")
ON_FEET = ("person", "group", "animal", "digging")
"""Classes whose blows are told."""
PLACES = {name: place for place, name in enumerate(CLASSES)}
LASTING = (*ON_FOOT, "digging")
"""Classes that an event may have in the end only if one was sure while it lasted: a few knocks
are no digging."""
REASONS = 6
MOST_FOOTFALLS = 400
RIPE_S = 0.12  # a younger blow may still be rising
FOOTFALL_APART_S = 0.2
CLEAR, CLEAR_STEPS, CLEAR_MEMORY = 1.6, 3, 0.17
"""`clearness` of steps that are clear, how many of them there are, and how much sooner they are
believed."""
RUNS_HZ, RUN_STEPS = 2.3, 6
"""Pace of who runs, and how many of such steps are believed that stand in each other's ringing;
what a train strikes while it rumbles comes more slowly."""
LONG_MEMORY_S = 20.0
"""What the end of an event tells remembers for so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one bin's end showed of an event."""

    utc_ns: int
    channel: str
    window_s: float
    level: float
    """rms of the window over the quiet."""
    of: Sequence[float]
    """As `seismic_window.describe` has it."""
    bands: Sequence[float]
    spectrum: Sequence[float] | None
    top_hz: float
    blows_utc_ns: Sequence[int]


@dataclass(slots=True)
class Event:
    """Evidence gathered bin by bin; `name` is the class it has been given."""

    start_utc_ns: int
    policy: SeismicPolicy
    preset: Preset
    bin_s: float
    course: Course = field(default_factory=Course)
    envelope: Envelope = field(default_factory=Envelope)
    """By which tracks know when the station was passed."""
    channel: str = ""
    """The one that heard the last bin best."""
    name: str = ""
    leader: str = ""
    led_s: float = 0.0
    """For how long the leader has been sure."""
    walked_s: float = 0.0
    """The same of somebody on foot, whether one or several."""
    shares: Mapping[str, float] = field(default_factory=dict)
    peak: float = 0.0
    peak_utc_ns: int = 0
    ratio: float = 0.0
    active_utc_ns: int = 0
    was_loud: bool = False
    young: bool = False
    """It began before the quiet was known, by steps that speak for themselves."""
    best: Look | None = None
    """The loudest look that spoke for the event's class."""
    best_nats: Floats = field(default_factory=lambda: np.zeros((len(TERMS), len(CLASSES))))
    footfalls_utc_ns: list[int] = field(default_factory=list)
    terms: list[float] = field(default_factory=list)
    """Of the newest look, in the order of TERMS; what `edge.study.seismic_fit` fits on."""
    terms_utc_ns: int = 0
    told_utc_ns: int = 0
    told_name: str = ""
    told_odds: float = 0.0
    clear: float = 0.0
    """`clearness` of the clearest steps of a walk so far."""
    told_peak: float = 0.0
    told_clear: float = 0.0
    _nats: Floats = field(default_factory=lambda: np.zeros((len(TERMS), len(CLASSES))))
    """Of each term for each class, mean of the last looks."""
    _fresh: Floats = field(default_factory=lambda: np.zeros((len(TERMS), len(CLASSES))))
    _totals: Floats = field(default_factory=lambda: np.zeros(len(CLASSES)))
    _long: list[float] = field(default_factory=lambda: [0.0] * len(CLASSES))
    _looks: int = 0

    def hear(
        self, channel: str, now: Sequence[float], utc_ns: int, *, active: bool, loud: bool
    ) -> None:
        """A bin that ended then, as `glance` has it; `loud`: active not by its rhythm alone."""
        self.channel = channel
        self.was_loud = self.was_loud or loud
        if active:
            self.active_utc_ns = utc_ns
        if now[window.NOW_PEAK] > self.peak:
            self.peak = now[window.NOW_PEAK]
            self.peak_utc_ns = utc_ns - round(0.5 * self.bin_s * SECOND_NS)
        self.ratio = max(self.ratio, now[window.NOW_RATIO])
        since_s = self.since_start_s(utc_ns)
        self.course.hear(since_s, now, active=active)
        self.envelope.hear(since_s, self.bin_s, now[window.NOW_SQUARE], now[window.NOW_FLOOR])

    @property
    def surety(self) -> float:
        """Share of the class that has been named; of somebody on foot, whether one or several."""
        of = ON_FOOT if self.name in ON_FOOT else (self.name,)
        return sum(self.shares[name] for name in of)

    @property
    def _leader_walks_too(self) -> bool:
        """Whether it is still somebody on foot, whether one or several."""
        return self.name in ON_FOOT and self.leader in ON_FOOT

    @property
    def is_rhythm_alone(self) -> bool:
        """Whether nothing but faint steps that nobody was named for have been heard."""
        return not self.was_loud and not self.name

    def since_start_s(self, utc_ns: int) -> float:
        """Seconds from the start, at least one bin."""
        return max((utc_ns - self.start_utc_ns) / SECOND_NS, self.bin_s)

    def values(self, look: Look) -> list[float]:
        """The terms of a look, in the order of TERMS."""
        self.course.look(self.since_start_s(look.utc_ns), look.of)
        return (
            window_terms(look.of, look.window_s, look.level, look.bands, look.top_hz)
            + spectrum_terms(look.spectrum)
            + self.course.terms(self.since_start_s(look.utc_ns))
        )

    def weigh(self, look: Look) -> None:
        """Add what one look speaks for; name the event once a class is sure."""
        self.terms, self.terms_utc_ns = self.values(look), look.utc_ns
        nats_of(self.terms, self._fresh)
        self._looks += 1
        memory_s = self.policy.memory_s
        blows = look.of[window.STEPS_0 :]
        if blows[steps.CHAIN] >= CLEAR_STEPS and clearness(look.of) >= CLEAR:
            memory_s *= CLEAR_MEMORY
        keep = max(1.0 / self._looks, 1.0 - math.exp(-self.bin_s / memory_s))
        gather(self._fresh, keep, self._nats, self._totals)
        self.shares = self._shares(self._totals)
        keep = max(1.0 / self._looks, 1.0 - math.exp(-self.bin_s / LONG_MEMORY_S))
        pairs = zip(self.shares.values(), self._long, strict=True)
        self._long = [long + keep * (share - long) for share, long in pairs]
        self._mark(look)
        self._lead(look)
        speaks = not self.name or self.leader == self.name or self._leader_walks_too
        if speaks and (self.best is None or look.level >= self.best.level):
            self.best = look
            self.best_nats[:] = self._nats

    def _shares(self, nats: Floats) -> dict[str, float]:
        """Softmax, in the order of CLASSES."""
        scores = (nats + BIAS).tolist()
        less = self.preset.person_nats
        if not (self.was_loud or self.young):
            less += self.policy.faint_share_nats
        for name in ON_FOOT:
            scores[PLACES[name]] -= less
        top = max(scores)
        weights = [math.exp(score - top) for score in scores]
        total = math.fsum(weights)
        return {name: weight / total for name, weight in zip(CLASSES, weights, strict=True)}

    def _lead(self, look: Look) -> None:
        policy = self.policy
        leader = max(CLASSES, key=self.shares.__getitem__)
        share = self.shares[leader]
        walks = leader in ON_FOOT
        if walks:  # how many walk is another question than whether anybody does
            share = sum(self.shares[name] for name in ON_FOOT)
        stepping = walks and self._walks(look)
        sure = share >= policy.sure_share and (stepping or leader != "person")
        self.led_s = self.led_s + self.bin_s if sure and leader == self.leader else 0.0
        again = sure and walks and self.leader in ON_FOOT
        self.walked_s = self.walked_s + self.bin_s if again else 0.0
        self.leader = leader
        if sure and stepping:
            self.clear = max(self.clear, clearness(look.of))
        if not sure or leader in NOBODY or leader == self.name:
            return
        if walks and self.name not in ON_FOOT:
            # Alike steps are one walker's until they have been several walkers' for long enough.
            named = "person" if stepping and self.led_s < policy.sure_s[leader] else leader
            needed_s, same_s = policy.sure_s[named], self.walked_s
        else:
            named, same_s = leader, self.led_s
            needed_s = policy.sure_s[leader]
        if self.name:
            needed_s += policy.change_s
        if same_s >= needed_s - 1e-9:
            self.name = named
            self.best = None

    def _walks(self, look: Look) -> bool:
        """Whether there are so many alike steps, at a steady pace, clear of the quiet."""
        faint = not (self.was_loud or self.young)
        needed = self.policy.person_chain_nats + (self.policy.faint_nats if faint else 0.0)
        blows = look.of[window.STEPS_0 :]
        return blows[steps.CHAIN_NATS] >= needed and blows[steps.CHAIN] >= self.policy.person_steps

    def _mark(self, look: Look) -> None:
        """Keep the times of the blows."""
        known = self.footfalls_utc_ns
        ripe_utc_ns = look.utc_ns - round(RIPE_S * SECOND_NS)
        apart_ns = round(FOOTFALL_APART_S * SECOND_NS)
        for utc_ns in look.blows_utc_ns:
            apart = not known or utc_ns - known[-1] >= apart_ns
            if apart and self.start_utc_ns <= utc_ns <= ripe_utc_ns:
                known.append(utc_ns)
        del known[:-MOST_FOOTFALLS]

    def worth_telling(self, utc_ns: int) -> bool:
        """Whether an interim report says something new; marks it as told."""
        walks = self._leader_walks_too
        if not self.name or (self.leader != self.name and not walks):
            return False
        policy, odds = self.policy, log_odds(self.surety)
        new = (
            self.told_name != self.name
            or abs(odds - self.told_odds) >= policy.repeat_nats
            or (walks and odds >= self.told_odds + policy.walker_nats)
            or self.peak >= self.told_peak * (1.0 + policy.repeat_share)
            or self.clear >= self.told_clear + policy.walker_nats
            or utc_ns - self.told_utc_ns >= policy.repeat_s * SECOND_NS
        )
        if new:
            self.told_utc_ns, self.told_name = utc_ns, self.name
            self.told_odds, self.told_peak, self.told_clear = odds, self.peak, self.clear
        return new

    def facts(self, end_utc_ns: int, *, final: bool, calibrated: bool) -> dict[str, Fact]:
        """What a detection says of it."""
        shares, name = self.shares, self.name
        if final and self._looks:
            shares = dict(zip(CLASSES, self._long, strict=True))
            name = max(CLASSES, key=shares.__getitem__)
            if name in LASTING and not self.name:
                name = "unknown"  # somebody is said only of steps that were sure
        facts: dict[str, Fact] = {
            "channel": self.channel,
            "class": name or "unknown",
            "classes": {each: round(share, 4) for each, share in shares.items()},
            "sure": bool(self.name),
            "clear": round(self.clear, 2),
            "peak_um_s" if calibrated else "peak_counts": round(self.peak, 3),
            "peak_s": round((self.peak_utc_ns - self.start_utc_ns) / SECOND_NS, 2),
            "ratio": round(self.ratio, 2),
            "duration_s": round((end_utc_ns - self.start_utc_ns) / SECOND_NS, 2),
            "passes": self.envelope.facts(on_foot=name in ON_FEET),
        }
        look = self.best
        if look is None:
            return facts
        facts["channel"] = look.channel
        facts["cadence_hz"] = round(cadence_hz(look.of), 2)
        facts["kurtosis"] = round(look.of[window.KURTOSIS], 2)
        facts["bands"] = self._bands(look)
        facts["why"] = self._why(name)
        if name in ON_FEET:
            facts["steps"] = len(self.footfalls_utc_ns)
            facts["footfalls_s"] = tuple(
                round((utc_ns - self.start_utc_ns) / SECOND_NS, 2)
                for utc_ns in self.footfalls_utc_ns
            )
        count = self._count(look, name)
        if count:
            facts["count"] = count
        return facts

    def _bands(self, look: Look) -> dict[str, Fact]:
        total = sum(look.bands) + 1e-30
        return {
            name: round(energy / total, 3)
            for name, energy, top_hz in zip(BAND_NAMES, look.bands, BAND_TOPS_HZ, strict=True)
            if look.top_hz > top_hz
        }

    def _why(self, name: str) -> dict[str, Fact]:
        """The strongest terms for the class, in nats against the mean of the others."""
        column = CLASSES.index(name or "unknown")
        nats = self.best_nats
        others = (nats.sum(axis=1) - nats[:, column]) / (len(CLASSES) - 1)
        against = (nats[:, column] - others).tolist()
        ranked = sorted(zip(TERMS, against, strict=True), key=lambda pair: (-pair[1], pair[0]))
        return {term: round(value, 2) for term, value in ranked[:REASONS] if value > 0.0}

    @staticmethod
    def _count(look: Look, name: str) -> int:
        """How many walk, where their steps can be told apart."""
        if name == "person":
            return 1
        if name != "group":
            return 0
        rate = look.of[window.STEPS_0 + steps.RATE]
        return max(2, min(COUNTED, round(rate / STEPS_HZ)))


LOG_ODDS_FLOOR = 0.02  # more sure than 50 to 1 no simulator makes anybody


def log_odds(share: float) -> float:
    """Of a share, bounded."""
    return math.log((share + LOG_ODDS_FLOOR) / (1.0 - share + LOG_ODDS_FLOOR))


STEPS_HZ = 1.8  # of one walker


def clearness(of: Sequence[float]) -> float:
    """ln(height / valley) of the steps of the chain; of a runner's, ln(height / quiet level).

    The ground still rings from the step before when a runner treads again.
    """
    blows = of[window.STEPS_0 :]
    runs = blows[steps.CHAIN_HZ] >= RUNS_HZ and blows[steps.CHAIN] >= RUN_STEPS
    return blows[steps.CHAIN_DEPTH] + (max(0.0, blows[steps.CHAIN_VALLEY]) if runs else 0.0)


def cadence_hz(of: Sequence[float]) -> float:
    """Steps a second: of the chain where there is one, else of the envelope's repetition."""
    chain_hz = of[window.STEPS_0 + steps.CHAIN_HZ]
    if of[window.STEPS_0 + steps.CHAIN] >= 4.0 and chain_hz > 0.0:
        return chain_hz
    return of[window.CADENCE_HZ]
