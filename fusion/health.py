"""A sensor's own condition: tamper, faults, silence. Silence is evidence too."""

from dataclasses import dataclass, field

from fusion.alarm_policy import AlarmPolicy
from fusion.stuck import CODE as STUCK
from fusion.types import (
    MILLISECOND_NS,
    SECOND_NS,
    Detection,
    Fact,
    Origin,
    Sample,
    SensorSpec,
    StatusSample,
)

KINDS = {"tamper": "health.tamper", "link": "health.silent"}
"""Status codes that are no plain fault."""


@dataclass(slots=True)
class SensorHealth:
    """What is known of one sensor's condition."""

    spec: SensorSpec
    policy: AlarmPolicy
    origin: Origin = field(init=False)
    heard_utc_ns: int | None = None
    silent: bool = False
    link_lost_utc_ns: int | None = None
    active: dict[str, int] = field(default_factory=dict)
    """Code of each condition that is on, to when it began."""
    ending: dict[str, int] = field(default_factory=dict)
    """Code of each condition that went off just now, to when: chatter is one episode."""
    waiting: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Code of each condition that has to last before it is told, to when it began and its text."""

    def __post_init__(self) -> None:
        self.origin = self.spec.origin

    @property
    def up(self) -> bool:
        """Whether what it does not say means something."""
        return not self.silent and self.link_lost_utc_ns is None and STUCK not in self.active

    def heard(self, sample: Sample, now_utc_ns: int) -> list[Detection]:
        """Anything but a status counts as a sign of life."""
        if isinstance(sample, StatusSample):
            return self._status(sample, now_utc_ns)
        self.heard_utc_ns = now_utc_ns
        self.origin = sample.origin
        return self._end_silence(now_utc_ns) if self.silent else []

    def tick(self, now_utc_ns: int) -> list[Detection]:
        """Silence is noticed when it has lasted, and a fault's end when it stays away."""
        ended = self._ended(now_utc_ns) if self.ending else []
        if self.waiting:
            ended += self._lasted(now_utc_ns)
        if not self.heard_utc_ns:  # never, or before the engine was told the time
            self.heard_utc_ns = now_utc_ns
        lost = self.link_lost_utc_ns
        waited_ns = now_utc_ns - self.heard_utc_ns
        limit_ns = self.spec.silent_after_ms * MILLISECOND_NS
        too_long = 0 < limit_ns < waited_ns
        cut = lost is not None and now_utc_ns - lost >= self.policy.link_delay_s * SECOND_NS
        if self.silent or not (too_long or cut):
            return ended
        self.silent = True
        since = lost if cut and lost is not None else self.heard_utc_ns
        self.active["silent"] = since
        text = "link" if cut else "timeout"
        return [*ended, self._detection("health.silent", "silent", since, now_utc_ns, text=text)]

    def pass_over(self, unheard_ns: int) -> None:
        """Nobody listened for that long, so it counts for no silence.

        What was told already keeps its beginning.
        """
        if self.heard_utc_ns:
            self.heard_utc_ns += unheard_ns
        if self.link_lost_utc_ns is not None:
            self.link_lost_utc_ns += unheard_ns

    def _status(self, sample: StatusSample, now_utc_ns: int) -> list[Detection]:
        self.origin = sample.origin
        if sample.code == "link":
            return self._link(sample, now_utc_ns)
        code, at_utc_ns = sample.code, sample.start_utc_ns
        if not sample.active:
            self.waiting.pop(code, None)
            if code in self.active:
                self.ending.setdefault(code, at_utc_ns)
            return []
        found = []
        ends_utc_ns = self.ending.pop(code, None)
        if ends_utc_ns is not None and at_utc_ns - ends_utc_ns >= self._join_ns:
            found.append(self._end(code, ends_utc_ns))
        if code in self.active:
            return found  # a device that repeats itself says nothing new
        if self.policy.fault_delay_s.get(code, 0.0) > 0.0:
            self.waiting.setdefault(code, (at_utc_ns, sample.text))
            return found
        return [*found, self._begin(code, at_utc_ns, at_utc_ns, sample.text)]

    def _begin(self, code: str, since_utc_ns: int, utc_ns: int, text: str) -> Detection:
        self.active[code] = since_utc_ns
        return self._detection(
            KINDS.get(code, "health.fault"), code, since_utc_ns, utc_ns, text=text
        )

    def _lasted(self, now_utc_ns: int) -> list[Detection]:
        """Conditions that have lasted for as long as it takes to tell them."""
        found = []
        for code, (since_utc_ns, text) in list(self.waiting.items()):
            delay_ns = round(self.policy.fault_delay_s.get(code, 0.0) * SECOND_NS)
            if now_utc_ns - since_utc_ns >= delay_ns:
                del self.waiting[code]
                found.append(self._begin(code, since_utc_ns, now_utc_ns, text))
        return found

    @property
    def _join_ns(self) -> int:
        return round(self.policy.fault_join_s * SECOND_NS)

    def _ended(self, now_utc_ns: int) -> list[Detection]:
        """Episodes whose end has lasted."""
        over = [code for code, at in self.ending.items() if now_utc_ns - at >= self._join_ns]
        return [self._end(code, self.ending.pop(code)) for code in over]

    def _end(self, code: str, at_utc_ns: int) -> Detection:
        began = self.active.pop(code)
        kind = KINDS.get(code, "health.fault")
        return self._detection(kind, code, began, max(began, at_utc_ns))

    def _link(self, sample: StatusSample, now_utc_ns: int) -> list[Detection]:
        if sample.active:
            # A link that comes back at once is a hiccup; tick() says when it has lasted.
            self.link_lost_utc_ns = self.link_lost_utc_ns or now_utc_ns
            return []
        self.link_lost_utc_ns = None
        return self._end_silence(now_utc_ns)

    def _end_silence(self, now_utc_ns: int) -> list[Detection]:
        if not self.silent:
            return []
        self.silent = False
        return [self._detection("health.silent", "silent", self.active.pop("silent"), now_utc_ns)]

    def _detection(
        self, kind: str, code: str, start_utc_ns: int, end_utc_ns: int, text: str = ""
    ) -> Detection:
        active = code in self.active
        facts: dict[str, Fact] = {"active": active, "code": code, "text": text}
        if kind == "health.silent":
            facts["silent_s"] = round((end_utc_ns - start_utc_ns) / SECOND_NS, 1)
        elif not active:
            facts["began_utc_ns"] = start_utc_ns
            facts["duration_s"] = round((end_utc_ns - start_utc_ns) / SECOND_NS, 1)
        return Detection(
            sensor_id=self.spec.sensor_id,
            family=self.spec.family,
            origin=self.origin,
            kind=kind,
            start_utc_ns=start_utc_ns,
            end_utc_ns=max(start_utc_ns, end_utc_ns),
            facts=facts,
            final=not active,
        )
