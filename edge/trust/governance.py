"""What both sides have agreed on, kept beside the outbox, and whether a configuration keeps to it.

Governed are all thresholds of the policy, inhibits that last longer than a shift, the release
rules of each side and the keyring. The first start adopts what it finds. From then on only a
change that officers of both sides have signed, by the keyring in force, brings anything else.
Where that keyring has no officers of both sides, nobody could sign: changes are taken and told.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import msgspec
import structlog

from edge.errors import ConfigError, Mistake
from edge.protocol.messages import rfc3339, utc_ns
from edge.trust.changes import SIDES, Approved, Change, What, approve, read_change
from edge.trust.keys import KeyFileError, Keyring, KeyringMessage, Refused, read_key

if TYPE_CHECKING:
    from edge.config import Config
    from fusion.policy import Policy

STATE_FILE = "governance.json"
CHANGES_DIR = "changes"
SHIFT_NS = 8 * 3_600 * 1_000_000_000
MAX_FILES = 200
Outcome = Literal["adopted", "ok", "approved", "unwatched", "refused"]
log = structlog.get_logger()


class Governed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is governed, `garita.governance/1`: the file has what is in force."""

    schema: Literal["garita.governance/1"] = "garita.governance/1"
    thresholds: str
    """SHA-256 in hex, as `release`."""
    release: str
    inhibits: dict[str, str]
    """Each as canonical JSON, and when it ends (RFC 3339)."""
    keyring: str
    """The file's text, as it is believed."""
    used: dict[str, str] = {}
    """Changes that were taken, by SHA-256 of what was signed, and until when they could be."""
    envelope: dict[str, Any] | None = None
    """The change that brought this; None where it was adopted."""

    def parts(self, at_utc_ns: int) -> dict[What, str]:
        """Digests of the four parts; inhibits that have ended no longer count."""
        standing = sorted(one for one, ends in self.inhibits.items() if utc_ns(ends) > at_utc_ns)
        return {
            "thresholds": self.thresholds,
            "inhibits": _sha256(json.dumps(standing, ensure_ascii=False)),
            "release": self.release,
            "keys": _sha256(self.keyring),
        }

    def digest(self, at_utc_ns: int) -> str:
        """SHA-256 in hex of all of it."""
        return _sha256(json.dumps(self.parts(at_utc_ns), sort_keys=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a configuration may be used."""

    outcome: Outcome
    """`adopted` at the first start; `ok`: nothing differs; `approved`; `unwatched`: it differs and
    there are no officers; `refused`."""
    digest: str
    """Of what the configuration would bring."""
    what: tuple[What, ...] = ()
    """The parts that differ."""
    signers: tuple[str, ...] = ()
    """Key ids, where approved."""
    why: str = ""
    """What is wrong and which commands mend it, where refused."""
    codes: tuple[str, ...] = ()
    """Why the changes that lie there were not taken, each once; none where there are none."""


class Governance:
    """What is in force at a checkpoint. One per `state_dir`."""

    def __init__(self, state_dir: Path) -> None:
        """ConfigError where its file cannot be read: that is never taken for a first start."""
        self._path = state_dir / STATE_FILE
        self._changes = state_dir / CHANGES_DIR
        self.in_force: Governed | None = None
        """None before the first start."""
        try:
            if self._path.exists():
                self.in_force = msgspec.json.decode(self._path.read_bytes(), type=Governed)
                keyring_of(self.in_force.keyring)
        except (OSError, ValueError) as error:
            mistake = Mistake(
                line=None,
                key="",
                value="",
                message=f"what both sides agreed on cannot be read ({error})",
                mend="bring it back from a backup; without it the next start adopts what it finds",
            )
            raise ConfigError(self._path, [mistake]) from error

    def check(
        self, config: "Config", policy: "Policy", *, at_utc_ns: int, file: str = "FILE"
    ) -> Verdict:
        """Whether the configuration keeps to what is agreed; takes an approved change.

        file     the configuration's, for the commands that are shown
        returns  enter `adopted`, `approved` and `unwatched` as `change`, `refused` as
                 `change-refused`, and do not start with what was refused
        OSError where the state cannot be written, KeyFileError where the keyring cannot be read.
        """
        before = self.in_force
        now = governed(config, policy, before, at_utc_ns=at_utc_ns)
        digest = now.digest(at_utc_ns)
        if before is None:
            self._take(now)
            log.info("governed from now on", digest=digest)
            return Verdict(outcome="adopted", digest=digest, what=get_args(What))
        what = differing(before, now, at_utc_ns)
        if not what:
            return Verdict(outcome="ok", digest=digest)
        keyring = keyring_of(before.keyring)
        if not {key.owner for key in keyring.keys if key.role == "officer"}.issuperset(SIDES):
            self._take(now)
            log.warning("changed without officers of both sides in the keyring", what=what)
            return Verdict(outcome="unwatched", digest=digest, what=what)
        faults, codes = [], set()
        for path in sorted(self._changes.glob("*.json"))[:MAX_FILES]:
            try:
                found = self._approved(
                    path, before, keyring, config=config, policy=policy, at_utc_ns=at_utc_ns
                )
            except (Refused, KeyFileError) as error:
                faults.append(f"{path.name}: {error}")
                codes.add(error.code if isinstance(error, Refused) else "unreadable")
                continue
            signers = tuple(key.key_id for key in found.signers)
            log.info("changed by both sides", what=what, signers=signers)
            return Verdict(outcome="approved", digest=digest, what=what, signers=signers)
        why = _why(what, faults, file, self._changes)
        log.error("a change that not both sides have signed", what=what, digest=digest)
        return Verdict(
            outcome="refused", digest=digest, what=what, why=why, codes=tuple(sorted(codes))
        )

    def proposal(
        self, config: "Config", policy: "Policy", *, reason: str, at_utc_ns: int, not_after: int
    ) -> Change:
        """The change that a configuration needs. ValueError where it needs none."""
        before = self.in_force
        if before is None:
            raise ValueError(f"{self._path}: nothing is in force; the first start adopts the file")
        now = governed(config, policy, before, at_utc_ns=at_utc_ns)
        what = differing(before, now, at_utc_ns)
        return msgspec.convert(
            {
                "site": config.site.id,
                "what": list(what),
                "before": before.digest(at_utc_ns),
                "after": now.digest(at_utc_ns),
                "reason": reason,
                "created": rfc3339(at_utc_ns),
                "not_after": rfc3339(not_after),
            },
            Change,
        )

    def _approved(
        self,
        path: Path,
        before: Governed,
        keyring: Keyring,
        *,
        config: "Config",
        policy: "Policy",
        at_utc_ns: int,
    ) -> Approved:
        envelope = read_change(path)
        approved = approve(envelope, keyring, at_utc_ns)
        change = approved.change
        created_utc_ns = utc_ns(change.created)
        signed = hashlib.sha256(envelope.payload).hexdigest()
        after = governed(config, policy, before, at_utc_ns=created_utc_ns)
        if change.site != config.site.id:
            raise Refused("other-site", f"it is for {change.site}")
        if signed in before.used:
            raise Refused("replayed", "it was taken before")
        if change.before != before.digest(created_utc_ns):
            raise Refused("other-before", "it follows something that is not in force")
        if change.after != after.digest(created_utc_ns):
            raise Refused("other-after", "it would bring something else than this configuration")
        if set(change.what) != set(differing(before, after, created_utc_ns)):
            raise Refused("other-what", f"it tells of {', '.join(change.what)} only")
        used = {one: until for one, until in before.used.items() if utc_ns(until) > at_utc_ns}
        self._take(
            msgspec.structs.replace(
                after, used={**used, signed: change.not_after}, envelope=envelope.to_dict()
            )
        )
        return approved

    def _take(self, now: Governed) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_name(self._path.name + ".part")
        with partial.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(now), indent=2) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._path)
        self.in_force = now


def governed(
    config: "Config", policy: "Policy", before: Governed | None, *, at_utc_ns: int
) -> Governed:
    """What is governed of a configuration. KeyFileError where its keyring cannot be read.

    Inhibits: those that last longer than a shift from then on, and those that were agreed on.
    """
    from edge.config import policy_digest  # noqa: PLC0415 - brings all drivers
    from edge.station.inhibits import utc_ns_of  # noqa: PLC0415

    agreed = before.inhibits if before is not None else {}
    inhibits = {}
    for one in config.inhibits:
        text, ends_utc_ns = _canonical(one.model_dump(mode="json")), utc_ns_of(one.until)
        if ends_utc_ns > at_utc_ns + (0 if text in agreed else SHIFT_NS):
            inhibits[text] = rfc3339(ends_utc_ns)
    rules = {
        name: [rule.model_dump(mode="json") for rule in side.release]
        for name, side in config.sides.items()
    }
    return Governed(
        thresholds=policy_digest(policy),
        release=_sha256(_canonical(rules)),
        inhibits=inhibits,
        keyring=_keyring_text(config.keys.keyring),
        used=before.used if before is not None else {},
    )


def governed_digest(config: "Config", policy: "Policy", *, at_utc_ns: int) -> str:
    """SHA-256 in hex of what is governed of a configuration on its own. KeyFileError."""
    return governed(config, policy, None, at_utc_ns=at_utc_ns).digest(at_utc_ns)


def differing(before: Governed, after: Governed, at_utc_ns: int) -> tuple[What, ...]:
    """The parts that are not the same."""
    old, new = before.parts(at_utc_ns), after.parts(at_utc_ns)
    return tuple(part for part in old if old[part] != new[part])


def keyring_of(text: str) -> Keyring:
    """The keys of a keyring's text; none where there was no file. ValueError."""
    if not text:
        return Keyring([])
    return Keyring(read_key(one) for one in msgspec.json.decode(text, type=KeyringMessage).keys)


def _keyring_text(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        text = path.read_text(encoding="utf-8")
        keyring_of(text)
    except (OSError, ValueError) as error:
        raise KeyFileError(f"keyring {path}: {error}") from error
    return text


def _why(what: Iterable[What], faults: Iterable[str], file: str, changes: Path) -> str:
    lines = [
        f"{', '.join(what)} differ from what both sides agreed on; both have to sign it:",
        f'  garita change new --config {file} --out change.json --reason "..."',
        "  garita change sign change.json --key NORTH-OFFICER.pem",
        "  garita change sign change.json --key SOUTH-OFFICER.pem",
        f"  cp change.json {changes}/   and start again",
        *(f"not taken: {fault}" for fault in faults),
    ]
    return "\n".join(lines)


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
