"""Samples in, alerts out: `Engine.feed(sample)`, `Engine.tick(utc_ns)`.

The engine runs on the samples' time and on the ticks it is given; it never asks a clock. The same
calls in the same order give the same alerts.
"""

from dataclasses import replace

from fusion.desk import DeskState
from fusion.fuser import Fuser
from fusion.policy import Policy
from fusion.senses import Senses
from fusion.shelving import ShelfEntry
from fusion.types import SECOND_NS, AckSample, Alert, Checkpoint, Detection, Sample, ShelveSample

MAX_DETECTIONS = 10_000  # for whoever shows them; nobody asks, the oldest are forgotten
# A service ticks ten times a second, a replay of device files at least once. A later tick says
# that the clock was set forward, or that the machine stood still: nobody listened meanwhile.
LONGEST_STEP_NS = SECOND_NS


class Engine:
    """Fuses the samples of one checkpoint into alerts: its senses, and what they say together."""

    def __init__(self, checkpoint: Checkpoint, policy: Policy | None = None) -> None:
        known = policy or Policy()
        self._senses = Senses(checkpoint, known)
        self._fuser = Fuser(checkpoint, known, self._senses)
        self._now_utc_ns = 0
        self._detections: list[Detection] = []

    def feed(self, sample: Sample) -> list[Alert]:
        """One sample of any kind. A sensor that the checkpoint does not know is passed over."""
        if isinstance(sample, ShelveSample):
            return self._fuser.shelve(sample)
        if isinstance(sample, AckSample):
            return self._fuser.acknowledge(sample)
        detections = self._senses.feed(sample)
        if not detections:
            return []
        self._show(detections)
        return self._fuser.take(detections)

    def tick(self, utc_ns: int) -> list[Alert]:
        """Time has reached `utc_ns`; earlier than before is passed over."""
        if utc_ns <= self._now_utc_ns:
            return []
        if self._now_utc_ns and utc_ns - self._now_utc_ns > LONGEST_STEP_NS:
            self._senses.pass_over(utc_ns - self._now_utc_ns - LONGEST_STEP_NS)
        self._now_utc_ns = utc_ns
        detections = self._senses.tick(utc_ns)
        self._show(detections)
        return self._fuser.tick(utc_ns, detections)

    def take_detections(self) -> list[Detection]:
        """The detections since the last call, with their nats."""
        taken, self._detections = self._detections, []
        return taken

    def take_entries(self) -> list[ShelfEntry]:
        """What has happened on the shelf since the last call, for the log."""
        return self._fuser.take_entries()

    @property
    def desk(self) -> DeskState:
        """What the operator's desk looks like now, for metrics."""
        return self._fuser.desk

    @property
    def active(self) -> list[Alert]:
        """The last word on every alert that was told and not cleared."""
        return self._fuser.active

    def _show(self, detections: list[Detection]) -> None:
        # What files are made of would only be kept from being let go.
        shown = [d if d.record is None else replace(d, record=None) for d in detections]
        self._detections = (self._detections + shown)[-MAX_DETECTIONS:]
