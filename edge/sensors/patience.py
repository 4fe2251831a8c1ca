"""How long to wait before a link is opened again, and what is said of one that keeps breaking."""

import random

import structlog

RETRY_S = (0.5, 15.0)
"""Shortest and longest pause before opening again: a device that restarts is back within
seconds, and one that stays away costs four attempts a minute."""
STEADY_S = 10.0  # a link that has stood so long is no reason to wait, whatever came over it
FLAPS = 3  # links in a row without a sample: by chance two, from there on it is a habit

log = structlog.get_logger()


class Patience:
    """One sensor's attempts. A connection by itself proves nothing: a sample does, or time."""

    def __init__(
        self,
        sensor_id: str,
        url: str,
        *,
        seed: int,
        retry_s: tuple[float, float],
        quiet: bool = True,
    ) -> None:
        """`quiet`: a link that stands is a good one, also if nothing comes over it."""
        self._quiet = quiet
        self._who = {"sensor": sensor_id, "url": url}
        self._retry_s = retry_s
        # Twenty sensors behind one switch must not all knock in the same instant.
        self._random = random.Random(f"{seed} {sensor_id}")
        self._attempts = 0
        self._flaps = 0
        self._since_s = 0.0

    def pause_s(self) -> float:
        """The pause before the next attempt, which is counted with this."""
        shortest, longest = self._retry_s
        pause_s = shortest * 2.0 ** min(self._attempts, 16) * self._random.uniform(1.0, 1.5)
        self._attempts += 1
        return min(longest, pause_s)

    def opened_again(self) -> None:
        """An attempt was answered."""
        if self._flaps < FLAPS:
            log.info("sensor connected", **self._who)

    def begin(self, now_s: float) -> None:
        """A link stands from now on."""
        self._since_s = now_s

    def arrived(self, now_s: float, *, good: bool) -> None:
        """Bytes came over it; `good`: a sample was in them."""
        if good or self._stood(now_s):
            if self._flaps >= FLAPS:
                log.info("sensor steady again", **self._who)
            self._attempts = self._flaps = 0

    def cut(self, now_s: float) -> None:
        """The link broke."""
        if self._stood(now_s):  # a scanner may have had nothing to say for so long
            self._attempts = self._flaps = 0
        self._flaps += 1
        if self._flaps < FLAPS:
            log.warning("sensor link cut", **self._who)
        elif self._flaps == FLAPS:
            log.warning("sensor link flapping", **self._who)

    def _stood(self, now_s: float) -> bool:
        return self._quiet and now_s - self._since_s >= STEADY_S
