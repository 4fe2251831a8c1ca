"""Counts that a portal's registers hold, as scans of even length and as backgrounds."""

from dataclasses import dataclass

from fusion.types import MILLISECOND_NS, SECOND_NS

SCAN_NS = 200 * MILLISECOND_NS  # facts 1.2: a sensible poll of an occupied lane
MAX_CPS = 10_000_000  # ten times what dead time lets a panel count: a faster rise is a reset
TURNS = 2**32  # the registers are u32
# By chance, nine counts of equal intervals stand in rising order once in 360,000 times.
STEADY_RISES = 8
FALLS = 2
REPORT_NS = 5 * SECOND_NS  # facts 1.1: as other portals report their backgrounds


@dataclass(frozen=True, slots=True)
class Scan:
    """What was counted in an interval."""

    start_ns: int
    end_ns: int
    gamma: int
    neutron: int


class Counting:
    """Whether a count runs on, or is of one interval: told by how it moves in a quiet lane."""

    def __init__(self, said: str) -> None:
        """said: `"cumulative"`, `"interval"`, or `"auto"`: to be worked out."""
        self.mode = "" if said == "auto" else said
        """`""` while it is not known."""
        self._rises = self._falls = 0

    def look(self, before: int, now: int) -> None:
        """Two readings of the gamma count that follow each other."""
        if self.mode or now == before:
            return
        if now > before:
            self._rises += 1
        else:
            self._rises = 0
            # A count that runs on falls to nothing, at a reset; one of an interval varies.
            self._falls += 2 * now > before
        if self._rises >= STEADY_RISES:
            self.mode = "cumulative"
        elif self._falls >= FALLS:
            self.mode = "interval"


def increase(before: int, now: int, elapsed_ns: int) -> int | None:
    """What a u32 that runs on has counted, over its turn too; None: it was reset."""
    rise = (now - before) % TURNS
    return rise if rise <= MAX_CPS * max(elapsed_ns, SCAN_NS) / SECOND_NS else None


def scans_of(whole: Scan) -> list[Scan]:
    """The interval as scans of about 200 ms that share its counts evenly."""
    length_ns = whole.end_ns - whole.start_ns
    number = max(1, round(length_ns / SCAN_NS))

    def share(total: int, index: int) -> int:
        return total * (index + 1) // number - total * index // number

    return [
        Scan(
            whole.start_ns + length_ns * index // number,
            whole.start_ns + length_ns * (index + 1) // number,
            share(whole.gamma, index),
            share(whole.neutron, index),
        )
        for index in range(number)
    ]


class BackgroundTally:
    """Counts of the vacant lane, until they are worth a report."""

    def __init__(self) -> None:
        self._start_ns: int | None = None
        self._counted_ns = 0
        self._gamma = self._neutron = 0

    def add(self, scans: list[Scan]) -> None:
        """More of the vacant lane."""
        for scan in scans:
            self._counted_ns += scan.end_ns - scan.start_ns
            self._gamma += scan.gamma
            self._neutron += scan.neutron

    def report(self, now_ns: int) -> tuple[int, int, int] | None:
        """(counted nanoseconds, gamma, neutrons) once in five seconds; then it starts anew."""
        if self._start_ns is None:
            self.clear()
            self._start_ns = now_ns
        if now_ns - self._start_ns < REPORT_NS:
            return None
        told = (self._counted_ns, self._gamma, self._neutron)
        self.clear()
        self._start_ns = now_ns
        return told

    def clear(self) -> None:
        """What follows is another quiet time."""
        self._start_ns = None
        self._counted_ns = 0
        self._gamma = self._neutron = 0
