"""From what the engine says to the bytes that the centres read, and back.

The messages themselves are in `edge.protocol.contract`; everything of it that others need is
offered here too, so that `edge.protocol.messages` is the one door.
"""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
import numpy as np

from edge.protocol.contract import (
    MESSAGES,
    NAME_PATTERN,
    SCHEMAS,
    SOFTWARE,
    AlertMessage,
    BirthMessage,
    ContributionMessage,
    CursorMessage,
    DetectionMessage,
    EvidenceMessage,
    ExplanationMessage,
    HealthMessage,
    InfoBlock,
    LaneMessage,
    LiveMessage,
    OpsStateMessage,
    SensorHealth,
    SensorMessage,
    SideHealth,
    StateMessage,
    WithheldMessage,
    ZoneMessage,
)
from edge.protocol.handling import HandlingMessage, handling_of
from edge.text import render
from fusion.ledger import CONFIRMED
from fusion.types import Alert, Contribution, Detection, Fact, Level, Phase

__all__ = [
    "MESSAGES",
    "NAME_PATTERN",
    "SCHEMAS",
    "SOFTWARE",
    "AlertMessage",
    "BirthMessage",
    "ContributionMessage",
    "CursorMessage",
    "DetectionMessage",
    "EvidenceMessage",
    "ExplanationMessage",
    "HandlingMessage",
    "HealthMessage",
    "InfoBlock",
    "LaneMessage",
    "LiveMessage",
    "OpsStateMessage",
    "SensorHealth",
    "SensorMessage",
    "SideHealth",
    "StateMessage",
    "WithheldMessage",
    "ZoneMessage",
    "alert_message",
    "certainty",
    "check_name",
    "decode_alert",
    "encode",
    "encode_alert",
    "encode_detection",
    "plain",
    "rfc3339",
    "utc_ns",
]

# --- words of CAP 1.2 ------------------------------------------------------------------

_MSG_TYPE: dict[Phase, Literal["Alert", "Update", "Cancel"]] = {
    Phase.NEW: "Alert",
    Phase.UPDATE: "Update",
    Phase.CLEAR: "Cancel",
}
_URGENCY: dict[Level, Literal["Immediate", "Expected", "Future", "Unknown"]] = {
    Level.CRITICAL: "Immediate",
    Level.WARNING: "Expected",
    Level.ADVISORY: "Future",
    Level.LOG: "Unknown",
}
# "Extreme" (extraordinary threat to life) is for a person to say, not for a score.
_SEVERITY: dict[Level, Literal["Severe", "Moderate", "Minor", "Unknown"]] = {
    Level.CRITICAL: "Severe",
    Level.WARNING: "Moderate",
    Level.ADVISORY: "Minor",
    Level.LOG: "Unknown",
}
UNLIKELY_BELOW = 0.05
"""CAP's `Unlikely` is "p ~ 0"; one in twenty is where this edge draws that line."""


def certainty(probability: float) -> Literal["Likely", "Possible", "Unlikely"]:
    """CAP's word for a probability; `Observed` is only for what a person confirmed."""
    if probability > 0.5:  # CAP 1.2, section 3.2.2: Likely is p > ~50 %
        return "Likely"
    return "Possible" if probability >= UNLIKELY_BELOW else "Unlikely"


# --- values ----------------------------------------------------------------------------

PROBABILITY_DECIMALS = 6
"""Enough to tell 0.9999 from certainty; rounding error stays below any line of a policy."""
FACT_DIGITS = 6
"""Significant digits of a fact: more than any sensor measures, fewer than a machine's rounding."""


def rfc3339(utc_ns: int) -> str:
    """UTC nanoseconds as RFC 3339 with microseconds, rounded down; integers all the way."""
    seconds, nanoseconds = divmod(utc_ns, 1_000_000_000)
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{nanoseconds // 1000:06d}Z"


def utc_ns(time: str) -> int:
    """The inverse of `rfc3339`, to the microsecond. ValueError where it is no such time."""
    moment = datetime.strptime(time, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    whole = moment.replace(microsecond=0)
    return int(whole.timestamp()) * 1_000_000_000 + moment.microsecond * 1000


def check_name(name: str, what: str) -> str:
    """The name itself. ValueError unless it may be one level of a topic."""
    if re.fullmatch("[a-z0-9-]{1,32}", name) is None:
        raise ValueError(f"{what} {name!r} is not a name: use 1 to 32 of a-z, 0-9 and -")
    return name


def plain(fact: Fact) -> object:
    """A fact as JSON can hold it: sorted keys, lists, floats of `FACT_DIGITS` digits."""
    if isinstance(fact, np.generic):  # a detector's arithmetic may leave NumPy's own numbers
        fact = fact.item()
    if isinstance(fact, bool) or fact is None or isinstance(fact, str | int):
        return fact
    if isinstance(fact, float):
        # JSON has no word for infinity or not-a-number.
        return float(f"{fact:.{FACT_DIGITS}g}") if math.isfinite(fact) else None
    if isinstance(fact, Mapping):
        return {key: plain(fact[key]) for key in sorted(fact)}
    return [plain(item) for item in fact]


def _facts(facts: Mapping[str, Fact]) -> dict[str, Any]:
    return {key: plain(facts[key]) for key in sorted(facts)}


# --- encoding --------------------------------------------------------------------------

_encoder = msgspec.json.Encoder()
_alert_decoder = msgspec.json.Decoder(AlertMessage)


def encode(message: msgspec.Struct) -> bytes:
    """Any message as compact JSON, fields in declared order."""
    return _encoder.encode(message)


def encode_alert(
    alert: Alert,
    *,
    seq: int,
    epoch: str,
    config_digest: str,
    languages: Sequence[str],
    evidence: Sequence[EvidenceMessage] = (),
) -> bytes:
    """The bytes of one revision of an alert. ValueError on a name that no topic can hold."""
    return encode(
        alert_message(
            alert,
            seq=seq,
            epoch=epoch,
            config_digest=config_digest,
            languages=languages,
            evidence=evidence,
        )
    )


def alert_message(
    alert: Alert,
    *,
    seq: int,
    epoch: str,
    config_digest: str,
    languages: Sequence[str],
    evidence: Sequence[EvidenceMessage] = (),
) -> AlertMessage:
    """One revision of an alert in the words of the contract."""
    level = Level(alert.level)
    return AlertMessage(
        id=alert.alert_id,
        revision=alert.revision,
        seq=seq,
        epoch=epoch,
        site=check_name(alert.site, "site"),
        lane=None if alert.lane is None else check_name(alert.lane, "lane"),
        zone=None if alert.zone is None else check_name(alert.zone, "zone"),
        direction=None if alert.direction is None else check_name(alert.direction, "direction"),
        status="Exercise" if alert.exercise else "Actual",
        msg_type=_MSG_TYPE[alert.phase],
        event=str(alert.event),
        level=int(level),
        probability=_probability(alert.probability),
        urgency="Past" if alert.phase is Phase.CLEAR else _URGENCY[level],
        severity=_SEVERITY[level],
        certainty="Observed" if CONFIRMED in alert.facts else certainty(alert.probability),
        onset=rfc3339(alert.onset_utc_ns),
        updated=rfc3339(alert.updated_utc_ns),
        explanations=[
            ExplanationMessage(name=name, probability=_probability(probability))
            for name, probability in alert.explanations
        ],
        contributions=[_contribution(each) for each in alert.contributions],
        silent=list(alert.silent),
        down=list(alert.down),
        info=[_info(alert, language) for language in languages],
        evidence=list(evidence),
        config_digest=config_digest,
        software=SOFTWARE,
        handling=handling_of(alert.facts),
    )


def _probability(probability: float) -> float:
    return round(min(max(float(probability), 0.0), 1.0), PROBABILITY_DECIMALS)


def _contribution(contribution: Contribution) -> ContributionMessage:
    return ContributionMessage(
        source=contribution.source,
        kind=contribution.kind,
        explanation=contribution.explanation,
        nats=float(contribution.nats),
        age_s=round(float(contribution.age_s), 3),
        capped=contribution.capped,
        facts=_facts(contribution.facts),
    )


def _info(alert: Alert, language: str) -> InfoBlock:
    info = render(alert, language)
    return InfoBlock(
        language=language,
        headline=info.headline,
        description=info.description,
        instruction=info.instruction,
    )


def decode_alert(payload: bytes) -> AlertMessage:
    """An alert from its bytes. msgspec.DecodeError (a ValueError) where it is none."""
    return _alert_decoder.decode(payload)


def encode_detection(detection: Detection) -> bytes:
    """One detection as one JSON object, nats unrounded and keyed in alphabetical order."""
    return encode(
        DetectionMessage(
            sensor=detection.sensor_id,
            family=detection.family.value,
            kind=detection.kind,
            start=rfc3339(detection.start_utc_ns),
            end=rfc3339(detection.end_utc_ns),
            nats={name: float(detection.nats[name]) for name in sorted(detection.nats)},
            facts=_facts(detection.facts),
        )
    )
