"""The one thing every decoder returns for bytes that it cannot read."""

from dataclasses import dataclass

TEXT_BYTES = 80  # enough to recognise the input in a log line, too little to flood one


@dataclass(frozen=True, slots=True)
class Malformed:
    """Input that is no record of the protocol; counted and logged, never raised."""

    reason: str
    """A fixed, short, hyphenated word from the codec, usable as a metric label."""
    text: str
    """The start of what was read, printable."""


def malformed(reason: str, data: bytes) -> Malformed:
    """`Malformed` with the first `TEXT_BYTES` of `data` made printable."""
    return Malformed(reason, data[:TEXT_BYTES].decode("ascii", "backslashreplace"))
