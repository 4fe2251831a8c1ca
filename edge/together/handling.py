"""What a centre may do about an alert, and what comes of it: an entry, or a refusal.

new -> acknowledged -> dispatched -> on scene -> adjudicated: separate, since to acknowledge is not
to respond; any may be left out, none is gone back to. Either side may take each step, and the
first in the record wins. To adjudicate again is an entry of its own, whose word holds.

offered -> accepted | declined | expired -> closed: until a hand-over is accepted the alert is the
offerer's, and to decline is as good an answer as to accept (facts: fusion 3.1).
"""

from typing import Any

from edge.protocol.commands import (
    AckMessage,
    AdjudicateMessage,
    AssistMessage,
    DispatchMessage,
    HandOverMessage,
    HelpMessage,
    NotedMessage,
    NoteMessage,
    OfferMessage,
    OnSceneMessage,
)
from edge.protocol.messages import rfc3339
from edge.record.entries import EDGE, Draft, Kind
from edge.together.cases import (
    RANK,
    STAGE_OF,
    Case,
    Handling,
    replay,
    side_of,
    take,
    verdict_of,
)
from edge.together.people import About, Author, Refusal
from fusion.types import SECOND_NS

__all__ = ["OFFER_S", "CaseCommand", "apply", "kind_of", "replay", "take", "tick"]

OFFER_S = 900  # as long as an alarm takes (facts: fusion 3.1): nobody waits longer for an answer
MAX_VERDICTS = MAX_NOTES = 16  # of one alert; the state holds them all

CaseCommand = (
    AckMessage
    | DispatchMessage
    | OnSceneMessage
    | AdjudicateMessage
    | NoteMessage
    | AssistMessage
    | HandOverMessage
)
_KIND: dict[type[CaseCommand], Kind] = {
    AckMessage: "ack",
    DispatchMessage: "dispatch",
    OnSceneMessage: "on-scene",
    AdjudicateMessage: "adjudicate",
    NoteMessage: "note",
    AssistMessage: "assist",
    HandOverMessage: "hand-over",
}


def apply(
    state: Handling, command: CaseCommand, by: Author, at_utc_ns: int, about: About | None = None
) -> tuple[Handling, Draft | Refusal]:
    """What comes of a command: the state after it, and its entry or why there is none.

    Whether there is such an alert, and such a side, is for the caller to say.
    """
    case, about = state.of(command.alert), about or About()
    draft = Draft(
        kind=kind_of(command),
        by=by.by,
        key=by.key,
        place=about.place or case.place,
        facts=_facts(command, at_utc_ns, max(about.revision, case.revision)),
    )
    if isinstance(command, HandOverMessage):
        refusal = _refused_step(case, command, by.side, rfc3339(at_utc_ns))
    else:
        refusal = _refused(case, draft, about)
    return (state, refusal) if refusal is not None else (take(state, draft), draft)


def tick(state: Handling, now_utc_ns: int) -> tuple[Handling, list[Draft]]:
    """What time does: offers that nobody has answered expire."""
    now = rfc3339(now_utc_ns)
    drafts = [
        Draft(
            kind="hand-over",
            by=EDGE,
            place=case.place,
            facts={"alert": case.alert, "step": "expired", "to": case.offer.to, "code": ""},
        )
        for case in state.cases.values()
        if case.offer is not None and _open(case.offer) and case.offer.until <= now
    ]
    for draft in drafts:
        state = take(state, draft)
    return state, drafts


def kind_of(command: CaseCommand) -> Kind:
    """The kind of entry that a command becomes."""
    return _KIND[type(command)]


def _refused(case: Case, draft: Draft, about: About) -> Refusal | None:
    """Why there is no such entry; of anything but a hand-over."""
    checks: tuple[tuple[str, bool], ...]
    if draft.kind == "assist":
        asked = HelpMessage(what=draft.facts["what"], by=draft.by)
        checks = (("already", asked in case.assists),)
    elif draft.kind == "note":
        noted = NotedMessage(sha256=draft.facts["note_sha256"], by=draft.by)
        checks = (
            ("already", noted in case.notes),
            ("too-many", len(case.notes) >= MAX_NOTES),
        )
    elif draft.kind == "adjudicate":
        checks = (
            ("already", case.verdicts[-1:] == (verdict_of(draft),)),
            ("too-many", len(case.verdicts) >= MAX_VERDICTS),
        )
    elif draft.kind == "ack":
        # What has changed is told anew, and may be answered anew however far it has come.
        checks = (("already", case.stage != "new" and about.revision <= case.revision),)
    else:
        stage = STAGE_OF[draft.kind]
        checks = (
            ("already", case.stage == stage),
            ("back", RANK[case.stage] > RANK[stage]),
        )
    return _first(checks, case)


def _refused_step(case: Case, command: HandOverMessage, side: str, now: str) -> Refusal | None:
    offer, step = case.offer, command.step
    checks: tuple[tuple[str, bool], ...]
    if step == "offered":
        checks = (
            ("to-itself", command.to == side),
            ("already", offer is not None and _open(offer)),
            ("not-owner", case.owner not in ("", side)),
        )
    elif offer is None or offer.to != command.to:
        checks = (("not-offered", True),)
    elif step == "closed":
        checks = (
            ("already", offer.step == "closed"),
            ("not-owner", side not in (side_of(offer.by), offer.to)),
            ("still-offered", _open(offer)),
        )
    else:
        checks = (
            ("not-owner", side != offer.to),
            ("already", offer.step == step),
            ("not-offered", not _open(offer)),
            ("over", offer.until <= now),
        )
    return _first(checks, case)


def _first(checks: tuple[tuple[str, bool], ...], case: Case) -> Refusal | None:
    why = next((why for why, holds in checks if holds), "")
    return Refusal(why=why, text=_as_it_is(case)) if why else None


def _open(offer: OfferMessage) -> bool:
    return offer.step == "offered"


def _as_it_is(case: Case) -> str:
    text = case.stage + (f", {case.owner}'s" if case.owner else "")
    if case.offer is not None:
        text += f", {case.offer.step} to {case.offer.to}"
    return text


def _facts(command: CaseCommand, at_utc_ns: int, revision: int) -> dict[str, Any]:
    match command:
        case NoteMessage():
            return {"alert": command.alert, "note_sha256": command.note_sha256}
        case AssistMessage():
            return {"alert": command.alert, "what": command.what}
        case HandOverMessage():
            until = {"until": rfc3339(at_utc_ns + OFFER_S * SECOND_NS)}
            step = {"step": command.step, "to": command.to, "code": command.code}
            return {"alert": command.alert} | step | (until if command.step == "offered" else {})
        case AdjudicateMessage():
            may = {"nuclide": command.nuclide, "instrument": command.instrument}
            return {
                "alert": command.alert,
                "revision": revision,
                "code": command.code,
                "confirm": command.confirm,
                "note_sha256": command.note_sha256,
            } | {name: value for name, value in may.items() if value}
        case _:
            return {"alert": command.alert, "revision": revision}
