"""One event of ground motion while it lasts: what it was so far, and when to tell of it."""

import math
from dataclasses import dataclass, field

from fusion.seismic_bank import BAND_NAMES
from fusion.seismic_features import CLASSES, Features, evidence, shares
from fusion.seismic_policy import SeismicPolicy
from fusion.types import SECOND_NS, Fact

NOBODY = ("weather", "unknown")
"""Classes that are never named while an event lasts: they ask for nothing."""

ONSET_SECONDS = 2  # an engine that is switched on begins in the middle of a second


@dataclass(slots=True)
class Event:
    """Evidence gathered second by second; `name` is the class it has been given."""

    start_utc_ns: int
    policy: SeismicPolicy
    nats: dict[str, float] = field(default_factory=lambda: dict.fromkeys(CLASSES, 0.0))
    shares: dict[str, float] = field(default_factory=dict)
    name: str = ""
    leader: str = ""
    led: int = 0
    """Windows for which the leader has been sure."""
    steps: int = 0
    channel: str = ""
    """The one that heard the last second best."""
    peak_um_s: float = 0.0
    peak_utc_ns: int = 0
    """Middle of the second with the strongest motion."""
    ratio: float = 0.0
    heard: int = 0
    """Seconds."""
    loudest: float = 0.0
    quietest: float = math.inf
    active_utc_ns: int = 0
    best: Features | None = None
    """The loudest window that spoke for the event's class."""
    best_channel: str = ""
    best_shares: dict[str, float] = field(default_factory=dict)
    told_utc_ns: int = 0
    told_name: str = ""
    told_share: float = 0.0
    told_peak_um_s: float = 0.0

    def hear(self, channel: str, peak_um_s: float, ratio: float, level: float, utc_ns: int) -> None:
        """A second that ended then: its strongest motion and STA/LTA, its rms over the floor."""
        self.channel = channel
        if peak_um_s > self.peak_um_s:
            self.peak_um_s = peak_um_s
            self.peak_utc_ns = utc_ns - SECOND_NS // 2
        self.ratio = max(self.ratio, ratio)
        self.heard += 1
        if self.heard > ONSET_SECONDS:
            self.loudest = max(self.loudest, level)
            self.quietest = min(self.quietest, level)

    @property
    def swell(self) -> float:
        """Loudest over quietest second, the onset left out; 1 before there are any."""
        return self.loudest / self.quietest if self.loudest > 0.0 else 1.0

    def weigh(self, features: Features, utc_ns: int) -> None:
        """Add what one window speaks for; name the event once a class is sure."""
        policy = self.policy
        self.steps += features.new_steps if self.active_utc_ns else features.steps
        self.active_utc_ns = utc_ns
        for name, nats in evidence(features, policy.window_s).items():
            self.nats[name] = policy.memory * self.nats[name] + nats
        self.shares = shares(self.nats)
        leader = max(CLASSES, key=self.shares.__getitem__)
        sure = leader not in NOBODY and self.shares[leader] >= policy.sure_share
        self.led = self.led + 1 if sure and leader == self.leader else int(sure)
        self.leader = leader
        needed = policy.change_windows if self.name else policy.sure_windows
        if leader != self.name and self.led >= needed:
            self.name = leader
            self.best = None
        speaks = leader == self.name or not self.name
        if speaks and (self.best is None or features.level >= self.best.level):
            self.best = features
            self.best_channel = self.channel
            self.best_shares = self.shares

    def worth_telling(self, utc_ns: int) -> bool:
        """Whether an interim report says something new; marks it as told."""
        if not self.name or self.leader != self.name:
            return False
        share = self.shares[self.name]
        new = (
            self.told_name != self.name
            or abs(share - self.told_share) >= self.policy.repeat_share
            or self.peak_um_s >= self.told_peak_um_s * (1.0 + self.policy.repeat_share)
            or utc_ns - self.told_utc_ns >= self.policy.repeat_s * SECOND_NS
        )
        if new:
            self.told_utc_ns, self.told_name = utc_ns, self.name
            self.told_share, self.told_peak_um_s = share, self.peak_um_s
        return new

    def facts(self, end_utc_ns: int, *, final: bool) -> dict[str, Fact]:
        """What a detection says of it."""
        features = self.best
        assert features is not None
        told = self.best_shares if final else self.shares
        best = max(CLASSES, key=told.__getitem__)
        return {
            "channel": self.best_channel,
            "class": self.name or (best if best in NOBODY else "unknown"),
            "classes": {name: round(share, 4) for name, share in told.items()},
            "cadence_hz": round(features.cadence_hz, 2),
            "kurtosis": round(features.kurtosis, 2),
            "peak_um_s": round(self.peak_um_s, 3),
            "peak_s": round((self.peak_utc_ns - self.start_utc_ns) / SECOND_NS, 2),
            "ratio": round(self.ratio, 2),
            "bands": {
                name: round(share, 3)
                for name, share in zip(BAND_NAMES, features.bands, strict=True)
            },
            "duration_s": round((end_utc_ns - self.start_utc_ns) / SECOND_NS, 2),
            "steps": self.steps,
        }
