"""Commands that were not carried out, as the record keeps them: counted, so that garbage sent by
the thousand is a few lines."""

from dataclasses import dataclass

from edge.record.entries import Draft
from fusion.types import SECOND_NS

BURST_S = 10
"""One entry of a side and a reason in this time; with two sides and thirty reasons a full record
would take years of it."""


@dataclass(slots=True)
class _Burst:
    told_utc_ns: int
    verb: str
    key: str
    left: int = 0
    """Since it was told."""


class Refusals:
    """What was refused of late, by side and reason; both are from small sets."""

    def __init__(self) -> None:
        self._bursts: dict[tuple[str, str], _Burst] = {}

    def note(self, by: str, key: str, verb: str, why: str, now_utc_ns: int) -> list[Draft]:
        """One more; its entry, unless there was one of the side and the reason just now.

        key, verb  such as were found to be right; empty else, for both go into the record
        """
        burst = self._bursts.get((by, why))
        if burst is not None and now_utc_ns - burst.told_utc_ns < BURST_S * SECOND_NS:
            burst.left, burst.verb, burst.key = burst.left + 1, verb, key
            return []
        left = 0 if burst is None else burst.left
        self._bursts[(by, why)] = _Burst(now_utc_ns, verb, key)
        return [_draft(by, key, verb, why, left + 1)]

    def tick(self, now_utc_ns: int) -> list[Draft]:
        """What was counted and not told, once its time has come."""
        drafts = []
        for (by, why), burst in list(self._bursts.items()):
            if now_utc_ns - burst.told_utc_ns < BURST_S * SECOND_NS:
                continue
            if not burst.left:
                del self._bursts[(by, why)]
                continue
            drafts.append(_draft(by, burst.key, burst.verb, why, burst.left))
            burst.told_utc_ns, burst.left = now_utc_ns, 0
        return drafts


def _draft(by: str, key: str, verb: str, why: str, count: int) -> Draft:
    facts = {"verb": verb, "why": why, "count": count}
    return Draft(kind="refused", by=by, key=key, facts=facts)
