"""What a centre may ask of a site below `{site}/cmd/{verb}`, and the answer.

Read strictly: what was meant otherwise than it is understood would leave an alert untold.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

AlertId = Annotated[str, Meta(min_length=1, max_length=64, pattern="^[A-Za-z0-9-]+$")]
SideName = Annotated[str, Meta(pattern="^[a-z0-9-]{1,32}$")]
Word = Annotated[str, Meta(pattern="^[a-z0-9-]{0,32}$")]
"""A short word and no free text: the record names no people."""
Index = Annotated[int, Meta(ge=0, lt=2**53)]
Seq = Annotated[int, Meta(ge=1, lt=2**53)]
"""Number of an alert."""
Code = Literal[
    "FALSE_NOT_CONFIRMED",
    "INNOCENT_NORM",
    "INNOCENT_MEDICAL",
    "INNOCENT_LEGAL_SHIPMENT",
    "NUISANCE_TRAFFIC",
    "NUISANCE_ANIMAL",
    "NUISANCE_WEATHER",
    "SENSOR_FAULT",
    "EXERCISE",
    "REFERRED_SECONDARY",
    "CONFIRMED_THREAT",
    "UNRESOLVED",
]
"""How an alert was adjudicated (facts: fusion 3.1)."""
Help = Literal["officers", "spectroscopist", "canine", "medical", "traffic"]
"""What one side may ask the other for."""
Stage = Literal["new", "acknowledged", "dispatched", "on-scene", "adjudicated"]
"""How far an alert has come; separate, since to acknowledge is not to respond."""

Reason = Annotated[str, Meta(max_length=200, pattern=r"\S")]
Scope = Annotated[str, Meta(max_length=64)]


class ShelveMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Not to be rung for something until a time, `garita.shelve/1`; never for a source."""

    schema: Literal["garita.shelve/1"] = "garita.shelve/1"
    until: Annotated[str, Meta(max_length=40)]
    """RFC 3339 with its zone; the policy says how far ahead."""
    reason: Reason
    """Why; every affected alert says it."""
    event: Scope = ""
    """An event code. Of these three at least one is given; empty is any."""
    sensor: Scope = ""
    """What this sensor says alone."""
    place: Scope = ""
    """A lane or a zone."""


class UnshelveMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The end of a shelving before its time, `garita.unshelve/1`: of the very same scope."""

    schema: Literal["garita.unshelve/1"] = "garita.unshelve/1"
    event: Scope = ""
    sensor: Scope = ""
    place: Scope = ""


class AckMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An alert has been answered, `garita.ack/1`: it is not told again before it changes."""

    schema: Literal["garita.ack/1"] = "garita.ack/1"
    alert: AlertId


class DispatchMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody is on the way, `garita.dispatch/1`."""

    schema: Literal["garita.dispatch/1"] = "garita.dispatch/1"
    alert: AlertId


class OnSceneMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody is there, `garita.on-scene/1`."""

    schema: Literal["garita.on-scene/1"] = "garita.on-scene/1"
    alert: AlertId


class AdjudicateMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What it was, `garita.adjudicate/1`; said again, the later word holds and both are kept."""

    schema: Literal["garita.adjudicate/1"] = "garita.adjudicate/1"
    alert: AlertId
    code: Code
    confirm: Word = ""
    """By what it was confirmed: `second-pass`, `spectrum`, `search`, `papers`."""
    nuclide: Annotated[str, Meta(pattern="^[A-Za-z0-9-]{0,16}$")] = ""
    """Such as `Cs-137`."""
    instrument: Annotated[str, Meta(pattern="^[A-Za-z0-9./_-]{0,48}$")] = ""
    """Model and serial number."""
    note_sha256: Annotated[str, Meta(pattern="^([0-9a-f]{64})?$")] = ""
    """Digest of a note that stays with the centre."""


class NoteMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something was written down about an alert, `garita.note/1`."""

    schema: Literal["garita.note/1"] = "garita.note/1"
    alert: AlertId
    note_sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    """Digest of the note's UTF-8, which stays with the centre."""


class AssistMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Help is asked for, `garita.assist/1`."""

    schema: Literal["garita.assist/1"] = "garita.assist/1"
    what: Help
    alert: Annotated[str, Meta(max_length=64)] = ""
    """For which alert; empty: for the checkpoint."""


class HandOverMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step of giving an alert to the other side, `garita.hand-over/1`.

    Until the other side has accepted, the alert is the offerer's.
    """

    schema: Literal["garita.hand-over/1"] = "garita.hand-over/1"
    alert: AlertId
    step: Literal["offered", "accepted", "declined", "closed"]
    """`offered` by whom it belongs to, `accepted` or `declined` by the other, `closed` by either
    when that is settled."""
    to: SideName
    """The side that is to have it, in every step."""
    code: Word = ""
    """Why, such as `no-officers`."""


class RecordRequestMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Entries of the common record are asked for, `garita.record-request/1`, verb `record`.

    The answer is one `garita.record/1` with as many of them as fit.
    """

    schema: Literal["garita.record-request/1"] = "garita.record-request/1"
    from_: Index = msgspec.field(name="from")
    """The first, counted from 0."""
    to: Index
    """The one after the last."""


class ResendMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Alerts are to be sent once more to this side, `garita.resend/1`.

    The same bytes with the same numbers come in their order, behind what is fresh. The answer says
    how many, and which are no longer kept.
    """

    schema: Literal["garita.resend/1"] = "garita.resend/1"
    from_: Seq | UnsetType = msgspec.field(name="from", default=UNSET)
    """The first; without it the one after this side's cursor."""
    to: Seq | UnsetType = UNSET
    """The last; without it everything comes, and the side's cursor is put back to before `from`."""
    epoch: Annotated[str, Meta(pattern="^[0-9A-Za-z]{0,64}$")] = ""
    """The boot that counted the first; empty: whichever."""


class RecordMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Entries of the common record in their order, `garita.record/1`; at most 256 kB."""

    schema: Literal["garita.record/1"] = "garita.record/1"
    site: str
    from_: Index = msgspec.field(name="from")
    """Place of the first."""
    entries: list[bytes]
    """The exact bytes that are hashed, each in base64."""


class StepMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Who took an alert to a stage."""

    stage: Stage
    by: str
    """A side, with its role where the key has one."""
    key: str = ""
    """Id of the key that signed."""


class VerdictMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one side has said that an alert was."""

    code: Code
    by: str
    key: str = ""
    confirm: str = ""
    nuclide: str = ""
    instrument: str = ""


class HelpMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Help that was asked for."""

    what: Help
    by: str


class NotedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A note that one side keeps."""

    sha256: str
    by: str


class OfferMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The last hand-over of an alert, and how far it has come."""

    step: Literal["offered", "accepted", "declined", "expired", "closed"]
    by: str
    """Who offered it."""
    to: str
    until: str = ""
    """RFC 3339; not answered by then, it has expired."""
    code: str = ""


class CaseMessage(msgspec.Struct, frozen=True, kw_only=True):
    """How an alert stands between both centres, as an answer tells it."""

    alert: str
    stage: Stage
    owner: str
    """The side that it belongs to; empty before anybody has taken it."""
    steps: list[StepMessage]
    """In the order of the record."""
    verdicts: list[VerdictMessage]
    """The last one holds."""
    assists: list[HelpMessage]
    notes: list[NotedMessage] = []
    hand_over: OfferMessage | UnsetType = UNSET


class GoneMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts that this side cannot be sent any more."""

    from_: Seq = msgspec.field(name="from")
    to: Seq
    """The last of them; one after it is kept."""


class AnswerMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a command, `garita.answer/1`; on its response topic, with its correlation."""

    schema: Literal["garita.answer/1"] = "garita.answer/1"
    site: str
    verb: str
    accepted: bool
    refusal: str = ""
    """Why not: `unreadable`, `unknown-verb`, `retained`, `unknown`, `no-scope`, `source`, `over`,
    `too-long`, `too-many`, `already`, `back`, `not-owner`, `not-offered`, `still-offered`,
    `to-itself`, `unavailable`, `not-recorded`, `gone`; or of its signature."""
    text: str = ""
    """The same for a person, where there is more to say."""
    state: CaseMessage | UnsetType = UNSET
    """How the alert stands now, where the command was of one."""
    again: int | UnsetType = UNSET
    """How many alerts come once more, where they were asked for."""
    gone: GoneMessage | UnsetType = UNSET
    """What was asked for and is no longer kept."""


CommandMessage = (
    ShelveMessage
    | UnshelveMessage
    | AckMessage
    | DispatchMessage
    | OnSceneMessage
    | AdjudicateMessage
    | NoteMessage
    | AssistMessage
    | HandOverMessage
    | RecordRequestMessage
    | ResendMessage
)
COMMANDS: dict[str, type[CommandMessage]] = {
    "shelve": ShelveMessage,
    "unshelve": UnshelveMessage,
    "ack": AckMessage,
    "dispatch": DispatchMessage,
    "on-scene": OnSceneMessage,
    "adjudicate": AdjudicateMessage,
    "note": NoteMessage,
    "assist": AssistMessage,
    "hand-over": HandOverMessage,
    "record": RecordRequestMessage,
    "resend": ResendMessage,
}
"""By verb."""
