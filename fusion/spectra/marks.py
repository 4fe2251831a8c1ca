"""Occupancy marks of documents: one vehicle may be told in several, one after the other."""

from fusion.types import SECOND_NS, OccupancySample

HELD_S = 1.5  # a portal that pushes a document a second goes on within this
JOINED_S = 0.5  # nobody leaves the beam and enters it in less


class Marks:
    """Holds a closing back until it is sure that no other document goes on."""

    def __init__(self) -> None:
        self._held: OccupancySample | None = None
        self._since_utc_ns: int | None = None

    def take(self, sample: OccupancySample, *, holding: bool) -> list[OccupancySample]:
        """The marks that hold now; `holding` says whether a closing is to wait."""
        if holding and not sample.opened:
            self._held, self._since_utc_ns = sample, None
            return []
        held = self._held
        joined = held is not None and (
            sample.opened and sample.start_utc_ns - held.start_utc_ns <= JOINED_S * SECOND_NS
        )
        if joined:
            self._held = None
            return []
        return [*self.release(), sample]

    def tick(self, utc_ns: int) -> list[OccupancySample]:
        """The closing that has waited for long enough."""
        if self._held is None:
            return []
        self._since_utc_ns = self._since_utc_ns or utc_ns
        return self.release() if utc_ns - self._since_utc_ns >= HELD_S * SECOND_NS else []

    def release(self) -> list[OccupancySample]:
        """The closing: the next slice is vacant."""
        held, self._held = self._held, None
        return [] if held is None else [held]
