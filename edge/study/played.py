"""Which files the scans of a replay are made of, and what became of them."""

from dataclasses import dataclass, field

from drivers.wire.malformed import Malformed

REASONS = {
    "truncated": "it is cut short or spoilt",
    "bad-header": "it is no picture, or its header is wrong",
    "bad-checksum": "it is spoilt: a checksum in it is wrong",
    "unsupported": "this form is not read",
    "too-large": "it is too large",
    "dimension-mismatch": "sizes do not agree",
    "missing-plane": "a plane is missing",
    "bad-sidecar": "its sidecar cannot be read",
    "unresolved-identity": "its sidecar names neither scan nor container",
    "duplicate": "the same picture came before",
    "analysis-error": "the analysis broke on it, a defect of Garita: please report it",
    "driver-error": "reading broke on it, a defect of Garita: please report it",
    "unreadable": "the file cannot be opened",
}


@dataclass(frozen=True, slots=True)
class Unread:
    """A picture that could not be read."""

    name: str
    """Of its file or files."""
    reason: str
    """As of `Malformed`."""
    why: str = ""
    """More of it, where there is more to say."""

    def __str__(self) -> str:
        why = f" ({self.why})" if self.why else ""
        return f"{self.name}: {REASONS.get(self.reason, self.reason)}{why}"


@dataclass(frozen=True, slots=True)
class Tried:
    """One scan that went to the driver."""

    names: str
    """Of its files."""
    said: str = ""
    """What the picture says it is: size and bits."""
    taken_for: str = ""
    """In words; empty where its reader alone knows."""
    note: str = ""
    """What else is to be told of it."""


@dataclass(slots=True)
class Played:
    """The files of one scanner, filled as they are played."""

    scans: list[Tried] = field(default_factory=list)
    """In the order in which they went to the driver."""
    unread: list[Unread] = field(default_factory=list)
    """What did not become a scan, or no scan that could be measured."""
    judged: int = 0
    """Scans of which it is known whether they could be read."""
    read: int = 0
    """Those that could."""

    def judge(self, bad: Malformed | None) -> None:
        """What became of the first scan of which that was not known; None: it was read."""
        self.judged += 1
        if bad is None:
            self.read += 1
        else:  # its text begins with the names in the bundle
            self.unread.append(Unread(self.last.names, bad.reason, bad.text.partition(": ")[2]))

    @property
    def last(self) -> Tried:
        """The scan that was judged last."""
        return self.scans[self.judged - 1] if 0 < self.judged <= len(self.scans) else Tried("")
