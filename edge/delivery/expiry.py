"""Certificates and keys that end: how long they last, and what is told before it is too late."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from edge.delivery.certificates import authority_expires_utc_ns, certificate_expires_utc_ns
from edge.delivery.sides import TlsFiles
from edge.trust.keys import Keyring, PublicKey
from fusion.types import SECOND_NS

DAY_S = 86_400.0
SOON_S = 14 * DAY_S  # two weeks: somebody has to carry a file to the checkpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """How long one of a side's certificates still lasts."""

    what: Literal["own", "ca"]
    """What we show the broker, or what we trust."""
    path: Path
    left_s: float | None
    """Negative once it has ended; None where the file cannot be read."""
    fault: str = ""
    """Why it cannot be read."""

    def trouble(self, now_utc_ns: int) -> str:
        """What is wrong and how to mend it; `""` where it lasts."""
        name = "our certificate" if self.what == "own" else "the authority's certificate"
        if self.left_s is None:
            return f"{name} cannot be read ({self.fault})"
        ends = datetime.fromtimestamp(now_utc_ns / SECOND_NS + self.left_s, UTC)
        if self.left_s > SOON_S:
            return ""
        if self.left_s <= 0:
            mend = "put a new one in its place: it is taken at the next connection"
            return f"{name} {self.path} has ended on {ends:%Y-%m-%d %H:%M} UTC ({mend})"
        left = _left(self.left_s)
        mend = "put a new one in its place before: `garita broker renew`"
        return f"{name} {self.path} ends in {left}, on {ends:%Y-%m-%d %H:%M} UTC ({mend})"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyExpiry:
    """How long a key still signs what is believed."""

    key: PublicKey
    left_s: float
    """Negative once it has ended."""
    ours: bool
    """It is what this checkpoint signs with."""

    def trouble(self, now_utc_ns: int) -> str:
        """What is wrong and how to mend it; `""` where it lasts."""
        if self.left_s > SOON_S:
            return ""
        key = self.key
        name = f"our key {key.key_id}" if self.ours else f"{key.role} key {key.key_id}"
        ends = datetime.fromtimestamp(now_utc_ns / SECOND_NS + self.left_s, UTC)
        if self.left_s <= 0:
            lost = "nothing that it signs is believed" if self.ours else "nobody signs for them"
            said = f"has ended on {ends:%Y-%m-%d %H:%M} UTC, {lost}"
        else:
            said = f"ends in {_left(self.left_s)}, on {ends:%Y-%m-%d %H:%M} UTC"
        return f"{name} of {key.owner} {said} (make a successor: `garita keys rotate`)"


def key_expiries(
    signer: PublicKey | None, keyring: Keyring | None, owners: Collection[str], now_utc_ns: int
) -> Sequence[KeyExpiry]:
    """What we sign with, and of each role of these owners the key that lasts longest there:
    one that has a successor may end."""
    last: dict[tuple[str, str], PublicKey] = {}
    for key in keyring.keys if keyring is not None else ():  # in the order of their ends
        if key.owner in owners:
            last[key.owner, key.role] = key
    if signer is not None:  # a successor of ours in the keyring is of no use before we sign with it
        last[signer.owner, signer.role] = signer
    return [
        KeyExpiry(
            key=key, left_s=(key.not_after_utc_ns - now_utc_ns) / SECOND_NS, ours=key == signer
        )
        for _, key in sorted(last.items())
    ]


def expiries(tls: TlsFiles | None, now_utc_ns: int) -> Sequence[Expiry]:
    """The certificates of a side, read now; none where it has no TLS or uses the system's."""
    found: list[Expiry] = []
    if tls is not None and tls.cert is not None:
        found.append(_expiry("own", tls.cert, now_utc_ns))
    if tls is not None and tls.ca is not None:
        found.append(_expiry("ca", tls.ca, now_utc_ns))
    return found


def _expiry(what: Literal["own", "ca"], path: Path, now_utc_ns: int) -> Expiry:
    read = certificate_expires_utc_ns if what == "own" else authority_expires_utc_ns
    try:
        left_s = (read(path) - now_utc_ns) / SECOND_NS
    except (OSError, ValueError) as error:
        return Expiry(what=what, path=path, left_s=None, fault=str(error))
    return Expiry(what=what, path=path, left_s=left_s)


def _left(left_s: float) -> str:
    return f"{left_s / DAY_S:.0f} days" if left_s > 2 * DAY_S else "two days or less"
