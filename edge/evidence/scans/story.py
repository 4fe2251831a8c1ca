"""What an alert says of one scan, as its files tell it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge.evidence.telling import LANGUAGES, Telling, common
from edge.text.why import reason_text, supporting
from fusion.scan_record import ScanRecord
from fusion.types import Alert, Contribution, Fact

DENSE, GAMMA = "xray.dense", ("gamma.profile", "gamma.spectrum", "gamma.dip")
MAX_REGIONS = 9  # a number of one digit


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A place that stands out of the load."""

    number: int
    """From 1 on, the strongest first."""
    from_m: float
    to_m: float
    bottom_m: float
    top_m: float
    rings: bool
    """Whether it speaks for what the alert says."""
    words: tuple[str, ...]
    """Why it was marked, one for each of `LANGUAGES`."""
    facts: Mapping[str, Fact]

    @property
    def position_m(self) -> float:
        """Of its middle behind the vehicle's front."""
        return (self.from_m + self.to_m) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanStory(Telling):
    """The verdict on one scan, in words and figures."""

    facts: Mapping[str, Fact]
    """Of the scan."""
    regions: tuple[Region, ...]
    others: tuple[tuple[str, ...], ...]
    """What else speaks for the verdict, in the words of each language, the strongest first."""
    gamma_m: float | None
    """Where the portal saw a source, or a shadow, behind the vehicle's front."""


def scan_story_of(alert: Alert, record: ScanRecord) -> ScanStory:
    """The story of one of the alert's scans."""
    facts: dict[str, Fact] = dict(record.facts)  # type: ignore[arg-type]  # JSON-able as told
    if record.energies_mev is not None:
        facts["energies_mev"] = record.energies_mev
    voices = supporting(alert)
    ringing = [
        voice.facts for voice in voices if voice.source == record.sensor_id and voice.kind == DENSE
    ]
    told = facts.get("regions")
    regions = tuple(
        _region(number, one, alert, record, ringing)
        for number, one in enumerate(told[:MAX_REGIONS] if isinstance(told, tuple) else (), 1)
        if isinstance(one, Mapping)
    )
    others = tuple(
        tuple(reason_text(voice, language) for language in LANGUAGES)
        for voice in voices
        if voice.kind != DENSE
    )
    return ScanStory(
        **common(alert, record.sensor_id),
        facts=facts,
        regions=regions,
        others=others,
        gamma_m=_gamma_m(alert.contributions),
    )


def _region(
    number: int,
    facts: Mapping[str, Fact],
    alert: Alert,
    record: ScanRecord,
    ringing: Sequence[Mapping[str, Fact]],
) -> Region:
    places = {name: _number(facts, name) for name in ("from_m", "to_m", "bottom_m", "top_m")}
    voice = Contribution(
        source=record.sensor_id,
        kind=DENSE,
        explanation=str(alert.facts.get("explanation", "")),
        nats=0.0,
        age_s=0.0,
        capped=False,
        facts=facts,  # without the place along the vehicle, which stands at the box
    )
    return Region(
        number=number,
        **places,
        rings=any(_same_place(facts, one) for one in ringing),
        words=tuple(reason_text(voice, language) for language in LANGUAGES),
        facts=facts,
    )


def _same_place(one: Mapping[str, Fact], other: Mapping[str, Fact]) -> bool:
    names = ("from_m", "to_m", "bottom_m", "top_m")
    return all(one.get(name) == other.get(name) for name in names)


def _gamma_m(contributions: Sequence[Contribution]) -> float | None:
    """Of the strongest word of a portal on where along the vehicle it is."""
    for each in sorted(contributions, key=lambda c: -c.nats):
        if each.kind in GAMMA and each.nats > 0.0:
            position = each.facts.get("position_m")
            if isinstance(position, int | float):
                return float(position)
    return None


def _number(facts: Mapping[str, Fact], name: str) -> float:
    value = facts.get(name)
    return float(value) if isinstance(value, int | float) else 0.0
