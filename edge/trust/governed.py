"""What of a configuration is governed, by digest and as text, and in what two of them differ."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from edge.protocol.contract import SOFTWARE
from edge.protocol.messages import rfc3339, utc_ns
from edge.trust.changes import Difference, What
from edge.trust.keys import KeyFileError, Keyring, KeyringMessage, read_key

if TYPE_CHECKING:
    from edge.config import Config
    from fusion.policy import Policy

SHIFT_NS = 8 * 3_600 * 1_000_000_000


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
    texts: dict[str, str] = {}
    """Thresholds and release rules as canonical JSON, so that a difference can be told in words;
    none in a file of an earlier version until it is checked again."""
    software: str = ""
    """The version that found it."""
    entry: dict[str, Any] | None = None
    """Facts of the entry that tells of it in the common record."""
    entry_after: int = 0
    """How many entries the record had before."""

    def parts(self, at_utc_ns: int) -> dict[What, str]:
        """Digests of the four parts; inhibits that have ended no longer count."""
        return {
            "thresholds": self.thresholds,
            "inhibits": sha256(json.dumps(sorted(self.standing(at_utc_ns)), ensure_ascii=False)),
            "release": self.release,
            "keys": sha256(self.keyring),
        }

    def standing(self, at_utc_ns: int) -> dict[str, str]:
        """The inhibits that have not ended."""
        return {one: ends for one, ends in self.inhibits.items() if utc_ns(ends) > at_utc_ns}

    def digest(self, at_utc_ns: int) -> str:
        """SHA-256 in hex of all of it."""
        return sha256(json.dumps(self.parts(at_utc_ns), sort_keys=True))


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
        text, ends_utc_ns = canonical(one.model_dump(mode="json")), utc_ns_of(one.until)
        if ends_utc_ns > at_utc_ns + (0 if text in agreed else SHIFT_NS):
            inhibits[text] = rfc3339(ends_utc_ns)
    rules = canonical(
        {
            name: [rule.model_dump(mode="json") for rule in side.release]
            for name, side in config.sides.items()
        }
    )
    return Governed(
        thresholds=policy_digest(policy),
        release=sha256(rules),
        inhibits=inhibits,
        keyring=_keyring_text(config.keys.keyring),
        used=before.used if before is not None else {},
        texts={"thresholds": canonical(asdict(policy)), "release": rules},
        software=SOFTWARE,
    )


def governed_digest(config: "Config", policy: "Policy", *, at_utc_ns: int) -> str:
    """SHA-256 in hex of what is governed of a configuration on its own. KeyFileError."""
    return governed(config, policy, None, at_utc_ns=at_utc_ns).digest(at_utc_ns)


def differing(before: Governed, after: Governed, at_utc_ns: int) -> tuple[What, ...]:
    """The parts that are not the same."""
    old, new = before.parts(at_utc_ns), after.parts(at_utc_ns)
    return tuple(part for part in old if old[part] != new[part])


def differences(before: Governed, after: Governed, at_utc_ns: int) -> list[Difference]:
    """In what they differ, value by value: the same for whoever has both."""
    found: list[Difference] = []
    for part in differing(before, after, at_utc_ns):
        old, new = _values(before, part, at_utc_ns), _values(after, part, at_utc_ns)
        keys = [key for key in sorted({*old, *new}) if old.get(key, "") != new.get(key, "")]
        if part in ("thresholds", "release") and part not in before.texts:
            old, new, keys = {"": getattr(before, part)}, {"": getattr(after, part)}, [""]
        found += [
            Difference(part=part, key=key, before=old.get(key, ""), after=new.get(key, ""))
            for key in keys or [""]  # the same keys in another order are another file
        ]
    return found


def keyring_of(text: str) -> Keyring:
    """The keys of a keyring's text; none where there was no file. ValueError."""
    if not text:
        return Keyring([])
    return Keyring(read_key(one) for one in msgspec.json.decode(text, type=KeyringMessage).keys)


def canonical(value: object) -> str:
    """JSON that is the same for the same value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sha256(text: str) -> str:
    """In hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def _values(of: Governed, part: What, at_utc_ns: int) -> dict[str, str]:
    match part:
        case "thresholds":
            return dict(_flat(json.loads(of.texts.get(part, "{}"))))
        case "release":
            return {
                f"{side}.{number}.{rule['name']}": canonical(
                    {name: value for name, value in rule.items() if name != "name" and value}
                )
                for side, rules in json.loads(of.texts.get(part, "{}")).items()
                for number, rule in enumerate(rules, 1)
            }
        case "inhibits":
            return of.standing(at_utc_ns)
        case "keys":
            return {
                f"{key.owner} {key.role} {key.key_id}": (
                    f"{rfc3339(key.not_before_utc_ns)} to {rfc3339(key.not_after_utc_ns)}"
                )
                for key in keyring_of(of.keyring).keys
            }


def _flat(value: Mapping[str, Any], outer: str = "") -> list[tuple[str, str]]:
    found = []
    for name, inner in value.items():
        key = f"{outer}.{name}" if outer else name
        found += _flat(inner, key) if isinstance(inner, dict) else [(key, canonical(inner))]
    return found


def _keyring_text(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        text = path.read_text(encoding="utf-8")
        keyring_of(text)
    except (OSError, ValueError) as error:
        raise KeyFileError(f"keyring {path}: {error}") from error
    return text
