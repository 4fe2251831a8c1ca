"""What both sides have agreed on, kept beside the outbox, and whether a configuration keeps to it.

Governed are all thresholds of the policy, inhibits that last longer than a shift, the release
rules of each side and the keyring. The first start adopts what it finds. From then on only a
change that officers of both sides have signed, by the keyring in force, brings anything else.
Where that keyring has no officers of both sides, nobody could sign: changes are taken and told.

Where every officer's key of a side has ended, that side cannot sign. Then the keyring, and nothing
else, is changed by the word of the side that still can; by nobody's where neither can. It is
entered as `lapsed`, and told as a trouble until both sides have signed a change again.
"""

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import msgspec
import structlog
from msgspec import structs

from edge.errors import ConfigError, Mistake
from edge.protocol.messages import rfc3339, utc_ns
from edge.trust.changes import SIDES, Approved, Change, Difference, What, approve, read_change
from edge.trust.governed import (
    Governed,
    differences,
    differing,
    governed,
    governed_digest,
    keyring_of,
)
from edge.trust.keys import KeyFileError, Keyring, Refused

__all__ = ["Governance", "Governed", "Verdict", "governed", "governed_digest", "keyring_of"]

if TYPE_CHECKING:
    from edge.config import Config
    from fusion.policy import Policy

STATE_FILE = "governance.json"
CHANGES_DIR = "changes"
MAX_FILES = 200
MAX_TOLD = 20  # differences that a refusal tells; `garita change` tells all
Outcome = Literal["adopted", "ok", "approved", "unwatched", "lapsed", "refused"]
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a configuration may be used."""

    outcome: Outcome
    """`adopted` at the first start; `ok`: nothing differs; `approved`; `unwatched`: it differs and
    there are no officers; `lapsed`: the keyring differs, and a side's officers' keys have ended;
    `refused`."""
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

    def facts(self) -> dict[str, Any]:
        """As the common record tells of it."""
        return {
            "what": list(self.what),
            "digest": self.digest,
            "signers": list(self.signers),
            "outcome": self.outcome,
        }


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
        self,
        config: "Config",
        policy: "Policy",
        *,
        at_utc_ns: int,
        file: str = "FILE",
        entries: int = 0,
    ) -> Verdict:
        """Whether the configuration keeps to what is agreed; takes an approved change.

        file     the configuration's, for the commands that are shown
        entries  how many the common record has
        returns  enter `refused` as `change-refused` and do not start with it; all else but `ok`
                 as `change`
        OSError where the state cannot be written, KeyFileError where the keyring cannot be read.
        """
        before = self.in_force
        now = governed(config, policy, before, at_utc_ns=at_utc_ns)
        digest = now.digest(at_utc_ns)
        if before is None:
            verdict = Verdict(outcome="adopted", digest=digest, what=get_args(What))
            self._take(now, verdict, entries)
            log.info("governed from now on", digest=digest)
            return verdict
        what = differing(before, now, at_utc_ns)
        if not what:
            if (before.texts, before.software) != (now.texts, now.software):
                self._write(structs.replace(before, texts=now.texts, software=now.software))
            return Verdict(outcome="ok", digest=digest)
        keyring = keyring_of(before.keyring)
        if not _officers(keyring).issuperset(SIDES):
            verdict = Verdict(outcome="unwatched", digest=digest, what=what)
            self._take(now, verdict, entries)
            log.warning("changed without officers of both sides in the keyring", what=what)
            return verdict
        able = [side for side in SIDES if side in _officers(keyring, at_utc_ns)]
        mended = _officers(keyring_of(now.keyring), at_utc_ns).issuperset(SIDES)
        lapsed = len(able) < len(SIDES) and what == ("keys",) and mended
        if lapsed and not able:
            verdict = Verdict(outcome="lapsed", digest=digest, what=what)
            self._take(now, verdict, entries)
            log.warning("keyring taken: every officer's key has ended", digest=digest)
            return verdict
        faults, codes = [], set()
        for path in sorted(self._changes.glob("*.json"))[:MAX_FILES]:
            try:
                found, after = self._approved(
                    path, before, keyring, config=config, policy=policy, at_utc_ns=at_utc_ns,
                    sides=able if lapsed else SIDES,
                )  # fmt: skip
            except (Refused, KeyFileError) as error:
                faults.append(f"{path.name}: {error}")
                codes.add(error.code if isinstance(error, Refused) else "unreadable")
                continue
            verdict = Verdict(
                outcome="lapsed" if lapsed else "approved",
                digest=digest,
                what=what,
                signers=tuple(key.key_id for key in found.signers),
            )
            self._take(after, verdict, entries)
            log.info("changed", by=verdict.outcome, what=what, signers=verdict.signers)
            return verdict
        why = _why(
            what, faults, file, self._changes,
            ended=[side for side in SIDES if side not in able],
            differ=differences(before, now, at_utc_ns),
            updated=(before.software, now.software),
        )  # fmt: skip
        log.error("a change that not both sides have signed", what=what, digest=digest)
        return Verdict(
            outcome="refused", digest=digest, what=what, why=why, codes=tuple(sorted(codes))
        )

    def ended(self, at_utc_ns: int) -> list[str]:
        """Sides that had officers and have none whose key has not ended."""
        keyring = keyring_of(self.in_force.keyring) if self.in_force is not None else Keyring([])
        had, have = _officers(keyring), _officers(keyring, at_utc_ns)
        return [side for side in SIDES if had.issuperset(SIDES) and side not in have]

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
                "differences": msgspec.to_builtins(differences(before, now, at_utc_ns)),
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
        sides: Sequence[str],
    ) -> tuple[Approved, Governed]:
        envelope = read_change(path)
        approved = approve(envelope, keyring, at_utc_ns, sides)
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
        if change.differences != differences(before, after, created_utc_ns):
            raise Refused("other-words", "the values that it tells of are not those that differ")
        used = {one: until for one, until in before.used.items() if utc_ns(until) > at_utc_ns}
        used[signed] = change.not_after
        return approved, structs.replace(after, used=used, envelope=envelope.to_dict())

    def _take(self, now: Governed, verdict: Verdict, entries: int) -> None:
        self._write(structs.replace(now, entry=verdict.facts(), entry_after=entries))

    def _write(self, now: Governed) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_name(self._path.name + ".part")
        with partial.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(now), indent=2) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._path)
        self.in_force = now


def _officers(keyring: Keyring, at_utc_ns: int | None = None) -> set[str]:
    """Owners of officers' keys; of those alone that have not ended then."""
    return {
        key.owner
        for key in keyring.keys
        if key.role == "officer" and (at_utc_ns is None or at_utc_ns < key.not_after_utc_ns)
    }


def _why(
    what: Iterable[What],
    faults: Iterable[str],
    file: str,
    changes: Path,
    *,
    ended: Sequence[str],
    differ: Sequence[Difference],
    updated: tuple[str, str],
) -> str:
    old, new = updated
    told = [f"  {one}" for one in differ[:MAX_TOLD]]
    if len(differ) > MAX_TOLD:
        told.append(f"  and {len(differ) - MAX_TOLD:,} more")
    if "thresholds" in what and old and old != new:
        told.append(
            f"{old} was agreed on, this is {new}: where the policy file names no value it has "
            "another default now. Write the value before the arrow into the policy file to go on "
            "as agreed, or have both sides sign the new one"
        )
    if ended:
        told.append(
            f"every officer's key of {' and '.join(ended)} has ended: first change the keyring "
            "alone, which needs the other side only, or nobody where neither can sign"
        )
    lines = [
        f"{', '.join(what)} differ from what both sides agreed on; both have to sign it:",
        *told,
        f'  garita change new --config {file} --out change.json --reason "..."',
        "  garita change sign change.json --key NORTH-OFFICER.pem",
        "  garita change sign change.json --key SOUTH-OFFICER.pem",
        f"  cp change.json {changes}/   and start again",
        *(f"not taken: {fault}" for fault in faults),
    ]
    return "\n".join(lines)
