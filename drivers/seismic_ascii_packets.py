"""Rows of a logger, in order and with their times, to waveforms of a tenth of a second."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from drivers.seismic_ascii_config import AsciiConfig
from drivers.seismic_ascii_shape import INT32_MAX, scale_of
from drivers.seismic_ascii_time import SLACK, Floats
from drivers.seismic_clock import ArrivalLine, Forward
from drivers.wire.malformed import Malformed
from fusion.types import MILLISECOND_NS, SECOND_NS, Origin, Sample, StatusSample, WaveformSample

PACKET_S = 0.1
SMALL = 10.0  # whole numbers that never passed this may have been fractions all along
LATE_NS = 250 * MILLISECOND_NS  # of counted samples: less is delay, more is a gap


class AsciiPackets:
    """Rows that follow on each other, told as soon as a packet of them is full.

    `Malformed` of an intact row: `range`, more than an int32.
    """

    def __init__(self, config: AsciiConfig, origin: Origin) -> None:
        self._config = config
        self._origin = origin
        self._forward = Forward()
        self._names: Sequence[str] = ()
        self._rate_hz = 1.0
        self._full = 1
        """Rows of a packet."""
        self._line: ArrivalLine | None = None
        """From the device's clock to UTC; None: it is UTC."""
        self._scale = 0.0
        self._small = True
        self._told_ns: int | None = None
        """By the device's clock: where what was told last ends; None after a start."""
        self._held: NDArray[np.int32] = np.zeros((0, 0), np.int32)
        self._held_ns: NDArray[np.int64] = np.zeros(0, np.int64)

    def begin(
        self, names: Sequence[str], head: Floats, rate_hz: float, line: ArrivalLine | None
    ) -> None:
        """Begin anew; `head` are the first values of the channels with these names."""
        self._names, self._rate_hz, self._line = names, rate_hz, line
        self._full = max(1, round(PACKET_S * rate_hz))
        self._scale = self._scale or scale_of(head)
        self._told_ns = None
        self._held = np.zeros((0, len(names)), np.int32)
        self._held_ns = np.zeros(0, np.int64)

    def hold(
        self, values: Floats, device_ns: NDArray[np.int64], samples: list[Sample | Malformed]
    ) -> None:
        """Rows (rows, channels) at these times of the device."""
        if self._scale == 1.0 and self._small:
            self._small = bool(np.abs(values).max() <= SMALL)
            if self._small and (values != np.rint(values)).any():
                self._scale = scale_of(values)
        counts = np.rint(values * self._scale)
        fits = (np.abs(counts) <= INT32_MAX).all(axis=1)
        if not fits.all():
            samples += [Malformed("range", words(row)) for row in values[~fits]]
            counts = np.clip(counts, -INT32_MAX, INT32_MAX)
        self._held = np.concatenate([self._held, counts.astype(np.int32)])
        self._held_ns = np.concatenate([self._held_ns, device_ns])
        while len(self._held) >= self._full:
            self._tell(self._full, samples)

    def flush(self, samples: list[Sample | Malformed]) -> None:
        """Tell what is held: what comes next does not follow on it."""
        if len(self._held):
            self._tell(len(self._held), samples)

    def say(self, code: str, text: str, samples: list[Sample | Malformed], *, active: bool) -> None:
        """Say something of the device, as of what was told last."""
        samples.append(
            StatusSample(
                sensor_id=self._config.id,
                origin=self._origin,
                start_utc_ns=self._forward.start_utc_ns,
                code=code,
                active=active,
                text=text,
            )
        )

    def _tell(self, count: int, samples: list[Sample | Malformed]) -> None:
        start_ns = int(self._held_ns[0])
        counts, self._held = self._held[:count], self._held[count:]
        self._held_ns = self._held_ns[count:]
        duration_ns = round(count * SECOND_NS / self._rate_hz)
        gap_ns = self._gap_ns(start_ns)
        self._told_ns = start_ns + duration_ns
        if self._line is not None:
            start_ns = self._line.utc_ns(start_ns)
        missing = round(gap_ns * self._rate_hz / SECOND_NS)
        start_ns = self._forward.begin(start_ns, duration_ns)
        sensitivity = self._config.counts_per_m_s
        for column, name in enumerate(self._names):
            samples.append(
                WaveformSample(
                    sensor_id=self._config.id,
                    origin=self._origin,
                    start_utc_ns=start_ns,
                    rate_hz=self._rate_hz,
                    channel=name,
                    counts=counts[:, column].copy(),
                    counts_per_m_s=1.0 if sensitivity is None else sensitivity * self._scale,
                    missing=missing,
                    calibrated=sensitivity is not None,
                )
            )

    def _gap_ns(self, start_ns: int) -> int:
        """From what was told last to here: by the device's clock, after a start by UTC."""
        if self._told_ns is not None:
            gap_ns, least_ns = start_ns - self._told_ns, round(SLACK * SECOND_NS / self._rate_hz)
        elif self._forward.end_utc_ns:
            start_ns = start_ns if self._line is None else self._line.utc_ns(start_ns)
            gap_ns, least_ns = start_ns - self._forward.end_utc_ns, LATE_NS // 2
        else:
            return 0
        return gap_ns if gap_ns >= least_ns else 0


def words(row: Floats) -> str:
    """A row as it is quoted."""
    return ",".join(f"{value:.10g}" for value in row)
