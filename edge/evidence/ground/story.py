"""What an alert says of one ground station's event, as its files tell it."""

from collections.abc import Mapping
from dataclasses import dataclass

from edge.evidence.telling import Telling, common, known
from fusion.types import Alert, Contribution, Fact
from fusion.wave_record import WaveRecord

EVENT, MOTION = "seismic.event", "track.motion"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveStory(Telling):
    """The verdict on one event, in words and figures."""

    facts: Mapping[str, Fact]
    """Of the station's detection that the alert rests on."""
    heard: Mapping[str, Fact]
    """Of its last word on the same event."""
    motion: Mapping[str, Fact]
    """Of the track that several stations saw; empty where there is none."""
    footfalls_s: tuple[float, ...]
    """Since the event began."""

    @property
    def name(self) -> str:
        """The class."""
        return str(self.facts.get("class", "unknown"))

    @property
    def classes(self) -> tuple[tuple[str, float], ...]:
        """Shares, the largest first; empty where the station does not class."""
        return _pairs(self.facts.get("classes"))

    @property
    def why(self) -> tuple[tuple[str, float], ...]:
        """Terms and their nats for the class, the strongest first."""
        return _pairs(self.facts.get("why"))

    def figure(self, name: str) -> float | None:
        """Of the station; None where it is not told."""
        return known(self.facts, name)

    def most(self, name: str) -> float | None:
        """The same of what only grows while the event lasts."""
        told = [known(facts, name) for facts in (self.facts, self.heard)]
        return max((value for value in told if value is not None), default=None)


def wave_story_of(alert: Alert, record: WaveRecord) -> WaveStory:
    """The story of one of the alert's events."""
    heard: Mapping[str, Fact] = dict(record.facts)  # type: ignore[arg-type]  # JSON-able as told
    voice = _voice(alert, record.sensor_id, EVENT)
    facts = heard if voice is None else voice.facts
    motion = _voice(alert, "fusion", MOTION)
    # The last word knows all footfalls; what the alert rests on may know a better class.
    return WaveStory(
        **common(alert, record.sensor_id),
        facts=facts,
        heard=heard,
        motion={} if motion is None else motion.facts,
        footfalls_s=max(_numbers(heard), _numbers(facts), key=len),
    )


def _voice(alert: Alert, source: str, kind: str) -> Contribution | None:
    """What it adds to the explanation that the event is named after."""
    voices = [c for c in alert.contributions if c.source == source and c.kind == kind]
    main = alert.facts.get("explanation")
    return next((c for c in voices if c.explanation == main), voices[0] if voices else None)


def _numbers(facts: Mapping[str, Fact]) -> tuple[float, ...]:
    told = facts.get("footfalls_s")
    if not isinstance(told, tuple | list):
        return ()
    return tuple(float(each) for each in told if isinstance(each, int | float))


def _pairs(told: Fact) -> tuple[tuple[str, float], ...]:
    if not isinstance(told, Mapping):
        return ()
    pairs = [(name, float(v)) for name, v in told.items() if isinstance(v, int | float)]
    return tuple(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))
