"""The one clock of a running service: UTC that never runs backwards and never jumps unseen.

The wall clock of a box at the edge is set by people, by NTP and by dying batteries. Samples
are stamped with a time that advances with the monotonic clock and follows the wall clock only
where that is safe.
"""

import threading
import time
from collections.abc import Callable

import structlog

from fusion.types import MILLISECOND_NS, SECOND_NS

# Below this, NTP itself slews and does not step: ntpd's "step threshold".
STEP_NS = 128 * MILLISECOND_NS
SLEW_PPM = 500  # the rate at which the kernel's adjtime corrects a clock
# Where the wall clock went back for good we approach it at 1 %, so that a duration between two
# samples stays right within 1 %. Hours are not caught up in this way: a restart takes the new time.
CATCH_UP_PPM = 10_000
STABLE_NS = 10 * SECOND_NS  # a step taken back within this time was a mistake
FAR_NS = 6 * 3_600 * SECOND_NS
STABLE_FAR_NS = 900 * SECOND_NS
"""A wall clock that is suddenly so far ahead is more likely wrong than right, and a time once taken
is not given back: whoever sets it right within a quarter of an hour has harmed nothing."""
BEFORE_US_UTC_NS = 1_767_225_600 * SECOND_NS  # 2026: a clock that says less has never been set
TOLD_FROM_NS = 60 * SECOND_NS  # less is what a clock that was set right by a person leaves
TELL_NS = 3_600 * SECOND_NS  # for so long it is told that the clock was set; who sees it asks why
# Between two looks a stable step may drift by what NTP slews in that time, with a margin.
STABLE_WITHIN_NS = 50 * MILLISECOND_NS

log = structlog.get_logger()


class Clock:
    """UTC nanoseconds for stamping arrivals. Safe to read from any thread."""

    def __init__(
        self,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
        wall_utc_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._monotonic_ns = monotonic_ns
        self._wall_utc_ns = wall_utc_ns
        self._lock = threading.Lock()
        self._read_at_ns = monotonic_ns()
        self._utc_ns = wall_utc_ns()
        self._slew_rest = 0
        self._step_ns = 0
        """Size of a step of the wall clock that is being watched; 0 for none."""
        self._step_seen_at_ns = 0
        self._behind = False
        self._set_at_ns: int | None = None
        self._set_by_ns = 0
        """When the wall clock was last seen to have been set, and by how much."""
        self.offset_ns = 0
        """Wall clock minus this clock at the last reading."""

    def now_utc_ns(self) -> int:
        """Now. Never less than what it returned before."""
        with self._lock:
            monotonic_ns = self._monotonic_ns()
            # A monotonic clock that stands still over a suspend is no harm; one that went
            # back would be a broken kernel, and then time stands still here.
            elapsed_ns = max(0, monotonic_ns - self._read_at_ns)
            self._read_at_ns = max(monotonic_ns, self._read_at_ns)
            self._utc_ns += elapsed_ns
            self.offset_ns = self._wall_utc_ns() - self._utc_ns
            self._follow(elapsed_ns)
            return self._utc_ns

    @property
    def trouble(self) -> str:
        """What is wrong with the machine's clock, for a person; `""` where nothing is."""
        with self._lock:
            if self._behind or self._step_ns:
                step_s = (self.offset_ns or self._step_ns) / SECOND_NS
                side = "ahead of" if step_s > 0 else "behind"
                return (
                    f"the machine's clock is {_duration(abs(step_s))} {side} ours"
                    " (set it right; where it is right, restart to take its time at once)"
                )
            if self._set_at_ns is None or self._read_at_ns - self._set_at_ns > TELL_NS:
                return ""
            by = _duration(self._set_by_ns / SECOND_NS)
            return f"the machine's clock was set ahead by {by} within the last hour (see who did)"

    def _follow(self, elapsed_ns: int) -> None:
        if abs(self.offset_ns) < STEP_NS:
            if self._step_ns or self._behind:
                log.info("clock agrees again", offset_s=self.offset_ns / SECOND_NS)
            self._step_ns, self._behind = 0, False
            self._slew(elapsed_ns, SLEW_PPM)
        elif self._stable():
            self._adopt(elapsed_ns)

    def _stable(self) -> bool:
        """Whether the step in hand has stood for `STABLE_NS`; starts to watch a new one."""
        if self._behind and self.offset_ns < 0:
            return True  # already being caught up, so the offset is meant to change
        if not self._step_ns or abs(self.offset_ns - self._step_ns) > STABLE_WITHIN_NS:
            log.warning("wall clock stepped", step_s=self.offset_ns / SECOND_NS)
            self._step_ns, self._step_seen_at_ns = self.offset_ns, self._read_at_ns
            self._behind = False
        far = self.offset_ns > FAR_NS and self._utc_ns > BEFORE_US_UTC_NS
        return self._read_at_ns - self._step_seen_at_ns >= (STABLE_FAR_NS if far else STABLE_NS)

    def _adopt(self, elapsed_ns: int) -> None:
        if self.offset_ns > 0:
            log.warning("clock set forward", step_s=self.offset_ns / SECOND_NS)
            if self.offset_ns >= TOLD_FROM_NS:
                self._set_at_ns, self._set_by_ns = self._read_at_ns, self.offset_ns
            self._utc_ns += self.offset_ns
            self.offset_ns = self._step_ns = 0
            return
        if not self._behind:
            log.warning(
                "wall clock went back; restart to take its time at once",
                step_s=self.offset_ns / SECOND_NS,
            )
            self._behind = True
        self._slew(elapsed_ns, CATCH_UP_PPM)

    def _slew(self, elapsed_ns: int, ppm: int) -> None:
        # Readings may be microseconds apart; the rest keeps them from rounding to nothing.
        share, self._slew_rest = divmod(elapsed_ns * ppm + self._slew_rest, 1_000_000)
        # `share` is far below `elapsed_ns`, so the sum never runs backwards.
        correction_ns = max(-share, min(share, self.offset_ns))
        self._utc_ns += correction_ns
        self.offset_ns -= correction_ns


def _duration(seconds: float) -> str:
    for unit, size_s in (("days", 86_400.0), ("hours", 3_600.0), ("minutes", 60.0)):
        if seconds >= 2 * size_s:
            return f"{seconds / size_s:.0f} {unit}"
    return f"{seconds:.1f} s"
