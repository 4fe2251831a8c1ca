"""Whether a start keeps to what both sides have agreed on, and how the common record is told."""

import structlog

from edge.config import Config
from edge.errors import ConfigError, Mistake
from edge.record.entries import Draft, decode
from edge.record.record import Record, RecordError
from edge.trust.changes import What
from edge.trust.governance import Governance, Verdict, keyring_of
from edge.trust.keys import KeyFileError, Keyring
from fusion.policy import Policy

KEYS: dict[What, str] = {
    "thresholds": "policy",
    "inhibits": "inhibits",
    "release": "sides",
    "keys": "keys.keyring",
}
"""Where in a configuration each part stands."""

log = structlog.get_logger()


def hold_to_agreed(
    config: Config, policy: Policy, record: Record, *, at_utc_ns: int
) -> tuple[Keyring | None, list[Draft]]:
    """The keyring in force, and what to enter behind the start. ConfigError where refused.

    A site that never had a keyring is not governed. One that had is, also without: else who may
    write the configuration could do away with both sides by leaving out a line.
    """
    state = Governance(config.state_dir)
    if config.keys.keyring is None and state.in_force is None:
        return None, []
    try:
        verdict = state.check(config, policy, at_utc_ns=at_utc_ns)
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
    drafts = [] if verdict.outcome == "ok" else [Draft(kind="change", facts=_facts(verdict))]
    return keyring_of(text) if text else None, drafts


def _enter_refused(record: Record, verdict: Verdict) -> None:
    facts = _facts(verdict) | {"why": ", ".join(verdict.codes) or "unsigned"}
    try:
        last = record.entries(max(0, record.size - 1), 1)
        # A supervisor that starts it again every 5 s makes no new attempt of it.
        if any((one := decode(data)).kind == "change-refused" and one.facts == facts
               for data in last):  # fmt: skip
            return
        record.append([Draft(kind="change-refused", facts=facts)])
    except (RecordError, ValueError) as error:
        log.error("a refused change cannot be entered", error=str(error), **facts)


def _facts(verdict: Verdict) -> dict[str, object]:
    return {
        "what": list(verdict.what),
        "digest": verdict.digest,
        "signers": list(verdict.signers),
        "outcome": verdict.outcome,
    }


def _mistake(verdict: Verdict) -> Mistake:
    said, _, commands = verdict.why.partition("\n")
    return Mistake(
        line=None,
        key=", ".join(KEYS[part] for part in verdict.what),
        value="",
        message=said.removesuffix(":"),
        mend=f"run\n{commands}",
    )
