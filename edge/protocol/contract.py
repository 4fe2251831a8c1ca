"""The messages of the contract: what goes over the wire to the centres and back.

Every message is one msgspec Struct; field order is the order on the wire. A reader ignores
fields it does not know, so a centre of last year reads an edge of this year; only the
cursor, which lets the edge forget rows, is read strictly.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from edge.protocol.commands import COMMANDS, AnswerMessage, RecordMessage
from edge.protocol.handling import HandlingMessage

SOFTWARE = "garita 0.1.0"
"""Name and version that every message names; the version is the one of pyproject.toml."""

NAME_PATTERN = "^[a-z0-9-]{1,32}$"
"""Sites, lanes, zones, sides and sensors: what a topic level may be called."""

Name = Annotated[str, Meta(pattern=NAME_PATTERN)]
Time = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$",
        description="RFC 3339, UTC, microseconds",
    ),
]
Probability = Annotated[float, Meta(ge=0.0, le=1.0)]
Sequence64 = Annotated[int, Meta(ge=0, description="counts per site without gaps")]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
OriginName = Literal["sensor", "simulator", "replay"]

# --- alerts ----------------------------------------------------------------------------


class ExplanationMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One of the competing explanations of an incident."""

    name: str
    probability: Probability


class ContributionMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What one piece of evidence, or the prior, adds to one explanation.

    Nats are not rounded: those of one explanation add to its score within 1e-9.
    """

    source: str
    kind: str
    explanation: str
    nats: float
    age_s: float
    capped: bool
    facts: dict[str, Any]


class InfoBlock(msgspec.Struct, frozen=True, kw_only=True):
    """The words of an alert in one language."""

    language: str
    headline: str
    description: str
    instruction: str


class EvidenceMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A file that belongs to the alert, named by its digest; never carried inline."""

    name: str
    media_type: str
    sha256: Sha256
    bytes: Annotated[int, Meta(ge=0)]


class WithheldMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Stands for what a side is not told, so that it can be checked once it is (see release)."""

    rule: str
    """The name of the rule that withholds it."""
    sha256: Sha256
    """SHA-256 of salt, 0, the field's name, 0, and the value as the whole alert has it."""


class AlertMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One revision of an alert, `garita.alert/1`."""

    schema: Literal["garita.alert/1"] = "garita.alert/1"
    id: Annotated[str, Meta(min_length=1, max_length=64)]
    """The same content has the same id, so a repeat is recognisable."""
    revision: Annotated[int, Meta(ge=1)]
    seq: Sequence64
    epoch: str
    """One boot of the edge."""
    site: Name
    lane: Name | None
    zone: Name | None
    direction: Name | None
    """`northbound` or `southbound` in a lane; where a track goes, else."""
    status: Literal["Actual", "Exercise"]
    msg_type: Literal["Alert", "Update", "Cancel"]
    event: str
    level: Annotated[int, Meta(ge=1, le=4)]
    probability: Probability | None
    """Null only where it is withheld."""
    urgency: Literal["Immediate", "Expected", "Future", "Past", "Unknown"]
    severity: Literal["Extreme", "Severe", "Moderate", "Minor", "Unknown"]
    certainty: Literal["Observed", "Likely", "Possible", "Unlikely", "Unknown"]
    onset: Time
    updated: Time
    explanations: list[ExplanationMessage]
    contributions: list[ContributionMessage]
    silent: list[str]
    """Sensors that were up and saw nothing."""
    down: list[str]
    info: list[InfoBlock]
    evidence: list[EvidenceMessage]
    config_digest: str
    software: str
    handling: HandlingMessage | UnsetType = UNSET
    """Where it is not told as any: shelved, one of a group, a group, or told again."""
    withheld: dict[str, WithheldMessage] | UnsetType = UNSET
    """Where a side's release rules keep something back: by field, with why."""


class DetectionMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What one sensor noticed, as `replay --show detections` prints it."""

    sensor: str
    family: Literal["radiation", "seismic", "xray"]
    kind: str
    start: Time
    end: Time
    nats: dict[str, float]
    facts: dict[str, Any]


# --- what is there, and how it is ------------------------------------------------------


class LaneMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A lane, as the birth document names it."""

    id: Name
    direction: str


class ZoneMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A zone, as the birth document names it."""

    id: Name
    side: str
    """What a person would call it."""


class SensorMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A sensor, as the birth document names it."""

    id: Name
    kind: str
    family: Literal["radiation", "seismic", "xray"]
    place: Name
    """The lane or zone it watches."""
    origin: OriginName


class BirthMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What this edge consists of, `garita.birth/1`; retained, sent at every boot."""

    schema: Literal["garita.birth/1"] = "garita.birth/1"
    site: Name
    names: dict[str, str]
    """The site's name by language tag."""
    epoch: str
    first_seq: Sequence64
    """The first sequence number this boot may use."""
    started: Time
    lanes: list[LaneMessage]
    zones: list[ZoneMessage]
    sensors: list[SensorMessage]
    schemas: list[str]
    """Every message schema this edge speaks."""
    config_digest: str
    software: str


class StateMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the edge is there, `garita.state/1`; retained, and the will as `lost`."""

    schema: Literal["garita.state/1"] = "garita.state/1"
    site: Name
    epoch: str
    state: Literal["init", "ready", "disconnected", "lost"]
    """`disconnected`: it said goodbye. `lost`: the broker noticed."""
    updated: Time
    """When this was written; a will was written when the edge connected."""
    software: str = SOFTWARE


class SensorHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How one sensor is."""

    id: Name
    kind: str
    family: Literal["radiation", "seismic", "xray"]
    origin: OriginName
    up: bool
    last_sample_age_s: float | None
    """None before the first sample, and where release rules keep it back."""
    malformed: Annotated[int, Meta(ge=0)] = 0
    dropped: Annotated[int, Meta(ge=0)] = 0
    text: str = ""
    """Why it is down, for a person."""


class SideHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How delivery to one side is, as the edge sees it."""

    side: Name
    connected: bool
    outbox_depth: Annotated[int, Meta(ge=0)]
    """Alerts committed here that this side has not confirmed."""
    oldest_age_s: float | None
    dead_letters: Annotated[int, Meta(ge=0)] = 0
    text: str = ""
    """What is wrong with it, for a person."""


class HealthMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Health of one lane or zone, `garita.health/1`; retained.

    `sensors` are those of the place, `sides` are the whole site's, so a reader of any one
    place knows whether the other centre is being reached.
    """

    schema: Literal["garita.health/1"] = "garita.health/1"
    site: Name
    place: Name
    epoch: str
    updated: Time
    sensors: list[SensorHealth]
    sides: list[SideHealth]


class LiveMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A glimpse of what a sensor measures, `garita.live/1`; QoS 0, expires."""

    schema: Literal["garita.live/1"] = "garita.live/1"
    site: Name
    place: Name
    sensor: Name
    kind: str
    origin: OriginName
    time: Time
    values: dict[str, float | list[float]]


# --- from the centres ------------------------------------------------------------------


class CursorMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A centre has stored every alert up to `seq`, `garita.cursor/1`; retained.

    Read strictly: the edge forgets rows because of it.
    """

    schema: Literal["garita.cursor/1"] = "garita.cursor/1"
    side: Name
    site: Name
    seq: Sequence64
    """0: nothing stored yet."""
    epoch: str = ""
    """The boot that `seq` was counted in, so that a rebuilt edge is not taken for the old one."""
    updated: Time


class OpsStateMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a centre listens, `garita.ops-state/1`; retained, and the will as offline."""

    schema: Literal["garita.ops-state/1"] = "garita.ops-state/1"
    side: Name
    online: bool
    updated: Time


MESSAGES: tuple[type[msgspec.Struct], ...] = (
    AlertMessage,
    BirthMessage,
    StateMessage,
    HealthMessage,
    LiveMessage,
    DetectionMessage,
    CursorMessage,
    OpsStateMessage,
    *COMMANDS.values(),
    AnswerMessage,
    RecordMessage,
)
"""Every message of its own, in the order of the docs."""

SCHEMAS: tuple[str, ...] = (
    "garita.alert/1",
    "garita.birth/1",
    "garita.state/1",
    "garita.health/1",
    "garita.live/1",
    "garita.cursor/1",
    "garita.ops-state/1",
    "garita.shelve/1",
    "garita.unshelve/1",
    "garita.ack/1",
    "garita.dispatch/1",
    "garita.on-scene/1",
    "garita.adjudicate/1",
    "garita.note/1",
    "garita.assist/1",
    "garita.hand-over/1",
    "garita.record-request/1",
    "garita.resend/1",
    "garita.answer/1",
    "garita.record/1",
)
