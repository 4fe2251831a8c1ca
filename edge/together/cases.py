"""How each alert stands between both centres: how far it has come, whose it is, what it was.

Only entries of the common record change it, so whoever reads the record from its start has the
very state that the checkpoint answered with.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, get_args

from msgspec import UNSET

from edge.protocol.commands import (
    CaseMessage,
    HelpMessage,
    NotedMessage,
    OfferMessage,
    Stage,
    StepMessage,
    VerdictMessage,
)
from edge.record.entries import Kind

MAX_CASES = 2_000
"""Handled last; at the six alerts an hour that an operator can answer, two weeks of them. Whoever
handles one that was forgotten begins anew; the record forgets nothing."""

STAGES: tuple[Stage, ...] = get_args(Stage)
RANK = {stage: rank for rank, stage in enumerate(STAGES)}
STAGE_OF: dict[str, Stage] = {
    "ack": "acknowledged",
    "dispatch": "dispatched",
    "on-scene": "on-scene",
    "adjudicate": "adjudicated",
}
"""The stage that an entry leads to, by its kind."""
KINDS = frozenset({*STAGE_OF, "note", "assist", "hand-over"})
_NEEDED = {
    "adjudicate": {"code"},
    "note": {"note_sha256"},
    "assist": {"what"},
    "hand-over": {"step", "to"},
}
"""Facts without which an entry says nothing; whose record it is may be another's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One alert that a centre has done something about."""

    alert: str
    place: str = ""
    revision: int = 0
    """The one that was answered last."""
    stage: Stage = "new"
    owner: str = ""
    steps: tuple[StepMessage, ...] = ()
    """The last one to each stage."""
    verdicts: tuple[VerdictMessage, ...] = ()
    assists: tuple[HelpMessage, ...] = ()
    notes: tuple[NotedMessage, ...] = ()
    offer: OfferMessage | None = None

    def told(self) -> CaseMessage:
        """As an answer carries it."""
        return CaseMessage(
            alert=self.alert,
            stage=self.stage,
            owner=self.owner,
            steps=list(self.steps),
            verdicts=list(self.verdicts),
            assists=list(self.assists),
            notes=list(self.notes),
            hand_over=UNSET if self.offer is None else self.offer,
        )


@dataclass(frozen=True, slots=True)
class Handling:
    """Every alert that was handled, the one handled last at the end; `MAX_CASES` at most."""

    cases: Mapping[str, Case] = field(default_factory=dict)

    def of(self, alert: str) -> Case:
        """How one alert stands; `new` where nobody has done anything about it."""
        return self.cases.get(alert) or Case(alert=alert)


class Told(Protocol):
    """An entry, or the draft of one."""

    @property
    def kind(self) -> Kind:
        """What of."""
        ...

    @property
    def by(self) -> str:
        """The side, with its role; or `edge`."""
        ...

    @property
    def key(self) -> str:
        """Id of the key that signed."""
        ...

    @property
    def place(self) -> str:
        """A lane or a zone."""
        ...

    @property
    def facts(self) -> dict[str, Any]:
        """As `edge.record.entries.Kind` has them."""
        ...


def replay(entries: Iterable[Told]) -> Handling:
    """The state that the entries of a record lead to."""
    state = Handling()
    for entry in entries:
        state = take(state, entry)
    return state


def take(state: Handling, entry: Told) -> Handling:
    """The state after an entry; one of another kind, or of no alert, changes nothing."""
    alert = entry.facts.get("alert")
    if entry.kind not in KINDS or not isinstance(alert, str) or not alert:
        return state
    if not _NEEDED.get(entry.kind, set()) <= set(entry.facts):
        return state
    case = _after(state.of(alert), entry)
    cases = {name: other for name, other in state.cases.items() if name != alert} | {alert: case}
    while len(cases) > MAX_CASES:
        del cases[next(iter(cases))]
    return Handling(cases)


def side_of(by: str) -> str:
    """The side in `by` of an entry."""
    return by.partition("/")[0]


def _after(case: Case, entry: Told) -> Case:
    case = replace(case, place=entry.place or case.place)
    if entry.kind == "assist":
        asked = HelpMessage(what=entry.facts["what"], by=entry.by)
        return replace(case, assists=(*case.assists, asked))
    if entry.kind == "note":
        noted = NotedMessage(sha256=entry.facts["note_sha256"], by=entry.by)
        return replace(case, notes=(*case.notes, noted))
    if entry.kind == "hand-over":
        return _after_step(case, entry)
    stage = STAGE_OF[entry.kind]
    step = StepMessage(stage=stage, by=entry.by, key=entry.key)
    case = replace(
        case,
        revision=entry.facts.get("revision", case.revision),
        owner=case.owner or side_of(entry.by),
        stage=max(case.stage, stage, key=RANK.__getitem__),
        steps=(*(one for one in case.steps if one.stage != stage), step),
    )
    if entry.kind == "adjudicate":
        return replace(case, verdicts=(*case.verdicts, verdict_of(entry)))
    return case


def verdict_of(entry: Told) -> VerdictMessage:
    """What an entry of `adjudicate` says."""
    facts = entry.facts
    return VerdictMessage(
        code=facts["code"],
        by=entry.by,
        key=entry.key,
        confirm=facts.get("confirm", ""),
        nuclide=facts.get("nuclide", ""),
        instrument=facts.get("instrument", ""),
    )


def _after_step(case: Case, entry: Told) -> Case:
    facts = entry.facts
    if facts["step"] == "offered":
        offer = OfferMessage(
            step="offered",
            by=entry.by,
            to=facts["to"],
            until=facts.get("until", ""),
            code=facts.get("code", ""),
        )
        return replace(case, owner=case.owner or side_of(entry.by), offer=offer)
    before = case.offer or OfferMessage(step="offered", by=entry.by, to=facts["to"])
    offer = OfferMessage(
        step=facts["step"],
        by=before.by,
        to=before.to,
        until=before.until,
        code=facts.get("code") or before.code,
    )
    owner = before.to if facts["step"] == "accepted" else case.owner
    return replace(case, owner=owner, offer=offer)
