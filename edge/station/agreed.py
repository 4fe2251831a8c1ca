"""Whether a start keeps to what both sides have agreed on, and how the common record is told."""

from typing import NamedTuple

import structlog

from edge.config import Config
from edge.errors import ConfigError, Mistake
from edge.record.entries import Draft, decode
from edge.record.record import Record, RecordError
from edge.trust.changes import What
from edge.trust.governance import Governance, Governed, Verdict, keyring_of
from edge.trust.keys import KeyFileError, Keyring
from fusion.policy import Policy

KEYS: dict[What, str] = {
    "thresholds": "policy",
    "inhibits": "inhibits",
    "release": "sides",
    "keys": "keys.keyring",
}
"""Where in a configuration each part stands."""

PAGE = 1_000

log = structlog.get_logger()


class Agreed(NamedTuple):
    """What a start goes on with."""

    keyring: Keyring | None
    """The one in force."""
    drafts: list[Draft]
    """To be entered behind the start."""
    troubles: list[str] = []  # noqa: RUF012 - never added to
    """What is wrong with it, for a person."""


def hold_to_agreed(config: Config, policy: Policy, record: Record, *, at_utc_ns: int) -> Agreed:
    """What both sides have agreed on, as far as it matters here. ConfigError where refused.

    What an earlier start took and could not enter any more, since it ended just then, is entered
    now. A site that never had a keyring is not governed. One that had is, also without: else who
    may write the configuration could do away with both sides by leaving out a line.
    """
    state = Governance(config.state_dir)
    if config.keys.keyring is None and state.in_force is None:
        return Agreed(None, [])
    try:
        verdict = state.check(config, policy, at_utc_ns=at_utc_ns, entries=record.size)
    except (OSError, KeyFileError) as error:
        mistake = Mistake(
            line=None,
            key="keys.keyring",
            value=str(config.keys.keyring or ""),
            message=f"it cannot be seen whether both sides agree ({error})",
            mend="let Garita read the keyring, and write below state_dir",
        )
        raise ConfigError("keys", [mistake]) from error
    if verdict.outcome == "refused":
        _enter_refused(record, verdict)
        raise ConfigError("governed", [_mistake(verdict)])
    assert state.in_force is not None
    text = state.in_force.keyring
    return Agreed(
        keyring_of(text) if text else None,
        _untold(state.in_force, record),
        _troubles(state, at_utc_ns),
    )


def _untold(in_force: Governed, record: Record) -> list[Draft]:
    """The entry of what is in force, where the record has none."""
    facts, first = in_force.entry, in_force.entry_after
    if facts is None:  # taken by an earlier version, which did not note it
        return []
    if first > record.size:  # another record has been begun since
        first = 0
    while found := record.entries(first, PAGE):
        for data in found:
            one = decode(data)
            if one.kind == "change" and one.facts == facts:
                return []
        first += len(found)
    return [Draft(kind="change", facts=facts)]


def _troubles(state: Governance, at_utc_ns: int) -> list[str]:
    found = []
    if ended := state.ended(at_utc_ns):
        found.append(
            f"keys: every officer's key of {' and '.join(ended)} has ended: nothing but the keyring"
            " can be changed; bring new ones into it with garita keys and garita change"
        )
    assert state.in_force is not None
    if (state.in_force.entry or {}).get("outcome") == "lapsed":
        found.append(
            "keys: the keyring was changed while not both sides could sign; let both look at it "
            "(garita keys ls) and sign a change once more"
        )
    return found


def _enter_refused(record: Record, verdict: Verdict) -> None:
    facts = verdict.facts() | {"why": ", ".join(verdict.codes) or "unsigned"}
    try:
        last = record.entries(max(0, record.size - 1), 1)
        # A supervisor that starts it again every 5 s makes no new attempt of it.
        if any((one := decode(data)).kind == "change-refused" and one.facts == facts
               for data in last):  # fmt: skip
            return
        record.append([Draft(kind="change-refused", facts=facts)])
    except (RecordError, ValueError) as error:
        log.error("a refused change cannot be entered", error=str(error), **facts)


def _mistake(verdict: Verdict) -> Mistake:
    said, _, commands = verdict.why.partition("\n")
    return Mistake(
        line=None,
        key=", ".join(KEYS[part] for part in verdict.what),
        value="",
        message=said.removesuffix(":"),
        mend=f"run\n{commands}",
    )
