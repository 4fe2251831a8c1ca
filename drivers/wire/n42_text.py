"""Numbers, times and names of N42-2012 as text.

The channels of all spectra of a document become text in one sweep, because that is nearly all
of the work of writing: 200 spectra of 1,024 channels are 200,000 numbers.
"""

import math
import re
from collections.abc import Sequence
from functools import lru_cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from drivers.wire.kernels.channels import LONGEST, Written, write_channels
from drivers.wire.rfc3339 import format_utc_ns

NANO = 1_000_000_000
LONGEST_S = 1e9  # thirty years; readers need not cope with more
WORTH_SHARE = 1 / 3  # with fewer zeroes than this, counting them makes nothing shorter
PLAIN, COUNTED = "<ChannelData>", '<ChannelData compressionCode="CountedZeroes">'

# XML 1.0 has no place for other control characters, not even as references.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"}
_SPECIAL = re.compile('[&<>"\r]')
_NON_BLANK = re.compile(r"[A-Za-z0-9 ]*\S+[A-Za-z0-9 ]*")  # NonBlankStringSimpleType


def channel_data(spectra: Sequence[NDArray[np.generic]]) -> list[str]:
    """The ChannelData element of each; those of whole numbers all at once."""
    if all(counts.dtype.kind in "ui" for counts in spectra):
        return _texts(spectra)
    whole = [_whole(counts) for counts in spectra]
    told = iter(_texts([counts for counts in whole if counts is not None]))
    texts = []
    for counts, exact in zip(spectra, whole, strict=True):
        if exact is None:
            values = np.nan_to_num(counts.astype(np.float64), posinf=0.0, neginf=0.0)
            text = msgspec.json.encode(values.tolist())[1:-1].replace(b",", b" ").decode("ascii")
            texts.append(f"<ChannelData>{text}</ChannelData>")
        else:
            texts.append(next(told))
    return texts


def _whole(counts: NDArray[np.generic]) -> NDArray[np.generic] | None:
    if counts.dtype.kind in "ui":
        return counts
    values = counts.astype(np.float64)
    if not (np.all(np.abs(values) < 2.0**53) and np.all(values == np.floor(values))):
        return None
    return values.astype(np.int64)


def _texts(spectra: Sequence[NDArray[np.generic]]) -> list[str]:
    """Of whole numbers; a run of zeroes as 0 and its length (CountedZeroes) where it is shorter."""
    if not spectra:
        return []
    counts = np.concatenate(spectra, dtype=np.int64, casting="unsafe")
    ends = np.cumsum([each.size for each in spectra])
    text = np.empty(counts.size * LONGEST, np.uint8)
    written = Written(text, np.empty_like(ends), np.empty(len(ends), np.bool_))
    write_channels(counts, ends, WORTH_SHARE, written)
    cuts = written.ends.tolist()
    numbers = str(text[: cuts[-1]].data, "ascii")
    return [
        f"{COUNTED if counted else PLAIN}{numbers[begin:end]}</ChannelData>"
        for begin, end, counted in zip([0, *cuts[:-1]], cuts, written.counted.tolist(), strict=True)
    ]


def decimal(value: float) -> str:
    """The shortest text that reads back as the same; 0 for what is no number."""
    if not math.isfinite(value):
        return "0"
    return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(float(value))


def percent(share: float) -> str:
    """A share from 0 to 1."""
    return decimal(round(min(max(share, 0.0), 1.0) * 100.0, 4))


@lru_cache(maxsize=1024)
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
