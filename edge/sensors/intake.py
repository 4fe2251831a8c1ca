"""One sensor's bytes to samples: the step that is the same live and in a replay.

Whatever depends on the bytes and their arrival alone is here, so that a recording of both
gives the same samples again. What waits or fails by itself is in `sources`.
"""

from dataclasses import dataclass

import structlog

from drivers.base import DriverKind, SensorConfig
from drivers.catalog import KINDS
from drivers.wire.malformed import Malformed, malformed
from fusion.types import Origin, Sample, StatusSample

LINK = "link"
"""Code of the status sample for a link that is cut, or works again."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Taken:
    """What one chunk of bytes came to."""

    samples: list[Sample]
    malformed: list[Malformed]
    trigger: str
    """Names the bytes: sensor id and how many of its bytes had been fed with these."""
    refused: str
    """Why the bytes were of no use at all; `""` where they were of some."""


def kind_of(config: SensorConfig) -> DriverKind:
    """The catalog's row for a sensor. KeyError where its kind is not in the catalog."""
    for row in KINDS.values():
        if type(config) is row.config:
            return row
    raise KeyError(type(config).__name__)


class Intake:
    """Feeds one sensor's driver and follows its link."""

    def __init__(self, config: SensorConfig, origin: Origin) -> None:
        self.kind = kind_of(config)
        self.config = config
        self.origin = origin
        self.bytes_fed = 0
        self._driver = self.kind.build(config, origin)
        self._link_down = False

    def feed(self, data: bytes, received_utc_ns: int) -> Taken:
        """What arrived; `b""`: the link was cut, or could not be opened."""
        return self.sort(self.read(data, received_utc_ns), data, received_utc_ns)

    def read(self, data: bytes, received_utc_ns: int) -> list[Sample | Malformed]:
        """The driver's part of `feed`, the one that may be heavy."""
        try:
            return self._driver.feed(data, received_utc_ns)
        except Exception as error:  # a defect of one driver must not end other lanes
            log.exception("driver failed", sensor=self.config.id, kind=self.kind.kind)
            self._driver = self.kind.build(self.config, self.origin)
            return [malformed("driver-error", repr(error).encode())]

    def sort(self, read: list[Sample | Malformed], data: bytes, received_utc_ns: int) -> Taken:
        """The rest of `feed`, given what `read` returned for the same bytes."""
        self.bytes_fed += len(data)
        samples = [one for one in read if not isinstance(one, Malformed)]
        bad = [one for one in read if isinstance(one, Malformed)]
        return Taken(
            self._link(data, received_utc_ns) + samples,
            bad,
            f"{self.config.id}@{self.bytes_fed}",
            bad[0].reason if bad and not samples else "",
        )

    def _link(self, data: bytes, received_utc_ns: int) -> list[Sample]:
        # The link counts as mended when bytes arrive, not when a connection stands: that is
        # what an operator wants to know, and what a recording can tell again.
        down = not data
        if down == self._link_down:
            return []
        self._link_down = down
        return [
            StatusSample(
                sensor_id=self.config.id,
                origin=self.origin,
                start_utc_ns=received_utc_ns,
                code=LINK,
                active=down,
                text=self.config.url if down else "",
            )
        ]
