"""Malformed input comes in bursts: a line in the log where one begins and one where it ends."""

from collections import Counter
from collections.abc import Sequence

import structlog

from drivers.wire.malformed import Malformed
from fusion.types import SECOND_NS

BURST_NS = 10 * SECOND_NS  # malformed input this close together is one burst

log = structlog.get_logger()


class Bursts:
    """What one sensor's malformed input was, burst by burst."""

    def __init__(self, sensor_id: str) -> None:
        self._sensor_id = sensor_id
        self._counts: Counter[str] = Counter()
        """Of the burst that goes on; empty between two."""
        self._last_utc_ns = 0

    def add(self, bad: Sequence[Malformed], utc_ns: int) -> None:
        """Malformed input arrived."""
        self.end_if_over(utc_ns)
        if not bad:
            return
        if not self._counts:
            log.warning(
                "input malformed", sensor=self._sensor_id, reason=bad[0].reason, text=bad[0].text
            )
        self._counts.update(one.reason for one in bad)
        self._last_utc_ns = utc_ns

    def end_if_over(self, utc_ns: int) -> None:
        """Sum up the burst once nothing was malformed for a while."""
        if utc_ns - self._last_utc_ns >= BURST_NS:
            self.end()

    def end(self) -> None:
        """Sum up the burst now; one of a single record has been told whole."""
        if self._counts.total() > 1:
            log.warning("input malformed", sensor=self._sensor_id, counts=dict(self._counts))
        self._counts.clear()
