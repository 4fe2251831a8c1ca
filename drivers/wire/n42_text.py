"""Numbers, times and names of N42-2012 as text.

The channels of all spectra of a document become text in one sweep, because that is nearly all
of the work of writing: 200 spectra of 1,024 channels are 200,000 numbers.
"""

import math
import re
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from drivers.wire.rfc3339 import format_utc_ns

NANO = 1_000_000_000
LONGEST_S = 1e9  # thirty years; readers need not cope with more
WORTH_SHARE = 1 / 3  # with fewer zeroes than this, counting them makes nothing shorter

# XML 1.0 has no place for other control characters, not even as references.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"}
_SPECIAL = re.compile('[&<>"\r]')
_NON_BLANK = re.compile(r"[A-Za-z0-9 ]*\S+[A-Za-z0-9 ]*")  # NonBlankStringSimpleType


def channel_data(spectra: Sequence[NDArray[np.generic]]) -> list[str]:
    """The ChannelData element of each; those of whole numbers all at once."""
    whole = [_whole(counts) for counts in spectra]
    runs = _counted_zeroes([counts for counts in whole if counts is not None and _sparse(counts)])
    texts = []
    for counts, exact in zip(spectra, whole, strict=True):
        if exact is None:
            values = np.nan_to_num(counts.astype(np.float64), posinf=0.0, neginf=0.0)
            text = msgspec.json.encode(values.tolist())[1:-1].replace(b",", b" ").decode("ascii")
            texts.append(f"<ChannelData>{text}</ChannelData>")
            continue
        tokens = next(runs) if _sparse(exact) else exact
        if tokens.size < exact.size:
            text = f'<ChannelData compressionCode="CountedZeroes">{_joined(tokens)}</ChannelData>'
        else:
            text = f"<ChannelData>{_joined(exact)}</ChannelData>"
        texts.append(text)
    return texts


def _whole(counts: NDArray[np.generic]) -> NDArray[np.int64] | None:
    if counts.dtype.kind in "ui":
        return counts.astype(np.int64)
    values = counts.astype(np.float64)
    if not (np.all(np.abs(values) < 2.0**53) and np.all(values == np.floor(values))):
        return None
    return values.astype(np.int64)


def _sparse(counts: NDArray[np.int64]) -> bool:
    return bool(counts.size - np.count_nonzero(counts) > WORTH_SHARE * counts.size)


def _counted_zeroes(spectra: Sequence[NDArray[np.int64]]) -> Iterator[NDArray[np.int64]]:
    """Each spectrum with every run of zeroes as 0 and its length (N42-2012, CountedZeroes)."""
    if not spectra:
        return
    ends = np.cumsum([counts.size for counts in spectra])
    every = np.concatenate(spectra)
    is_zero = every == 0
    # A run begins at a zero after no zero, or at the start of a spectrum.
    begins = is_zero.copy()
    begins[1:] &= ~is_zero[:-1]
    starts = ends[:-1]
    starts = starts[starts < every.size]
    begins[starts] = is_zero[starts]
    kept = np.flatnonzero(~is_zero | begins)  # what gets a token of its own, zero or not
    zero = is_zero[kept]
    # A zero's token is followed by the run's length; a run ends where the next token begins.
    wide = 1 + zero
    places = np.cumsum(wide)
    tokens = np.repeat(every[kept], wide)
    tokens[places[zero] - 1] = np.diff(np.append(kept, every.size))[zero]
    cuts = np.append(0, places)[np.searchsorted(kept, ends)].tolist()
    for begin, end in zip([0, *cuts[:-1]], cuts, strict=True):
        yield tokens[begin:end]


# Each whole number below 10,000 as text and a blank, padded with zero bytes to 8.
_TABLE = np.array([f"{number} ".encode() for number in range(10_000)], "S8").view(np.uint64)


def _joined(numbers: NDArray[np.int64]) -> str:
    if numbers.size and numbers.min() >= 0 and numbers.max() < _TABLE.size:
        return _TABLE[numbers].tobytes().translate(None, b"\0").decode("ascii")
    return msgspec.json.encode(numbers.tolist())[1:-1].replace(b",", b" ").decode("ascii")


def decimal(value: float) -> str:
    """The shortest text that reads back as the same; 0 for what is no number."""
    if not math.isfinite(value):
        return "0"
    return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(float(value))


def percent(share: float) -> str:
    """A share from 0 to 1."""
    return decimal(round(min(max(share, 0.0), 1.0) * 100.0, 4))


def duration(seconds: float) -> str:
    """xsd:duration, to the nanosecond."""
    whole = round(min(max(seconds, 0.0), LONGEST_S) * NANO) if math.isfinite(seconds) else 0
    return f"PT{_seconds(whole)}S"


def _seconds(nano: int) -> str:
    whole, rest = divmod(nano, NANO)
    return f"{whole}.{rest:09}".rstrip("0") if rest else str(whole)


def time_text(utc_ns: int) -> str:
    """xsd:dateTime in UTC, with as many decimals as it needs."""
    text = format_utc_ns(utc_ns)[:-1].rstrip("0")
    return (text + "0" if text.endswith(".") else text) + "Z"


def tag(name: str, text: str) -> str:
    """One element that holds text."""
    return f"<{name}>{escaped(text)}</{name}>\n"


def escaped(text: str) -> str:
    """Text as XML 1.0 can carry it."""
    clean = _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text)
    return _SPECIAL.sub(lambda match: _ESCAPES[match[0]], clean)


def non_blank(text: str) -> str:
    """The text as far as the schema's own idea of a name goes, which knows few signs."""
    if _NON_BLANK.fullmatch(text):
        return text
    return "_".join(text.split()) or "unknown"
