"""Stations whose samples come as miniSEED records: from a SeedLink server, or from files.

A file's records come in order of time and under the number 0; what is numbered comes from a
link, where each channel fills its own record at its own pace: there they wait for each other.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from drivers.wire.malformed import Malformed
from drivers.wire.miniseed import MiniSeedDecoder, MiniSeedRecord, Values
from fusion.types import MILLISECOND_NS, SECOND_NS, Origin, Sample, WaveformSample

PIECE_NS = SECOND_NS // 2
"""Records are cut on this grid of UTC, so that all channels of a station advance together."""
SHAKE_COUNTS_PER_M_S = 3.9965e8
"""Network AM is the Raspberry Shakes', and this their geophones' nominal sensitivity, ±10 %
(facts/seismic.md 1.1)."""
FROM_FILE = 0
"""Number of a record that no server has numbered."""
BANDS = frozenset("FGDCESHBMLVURPTQ")
"""Band codes of SEED: what else begins a code of three letters is a name of somebody's own."""
NOT_VELOCITY = frozenset("ND")  # instrument codes: accelerometers, and pressure or infrasound
FLOAT_PEAK = 2.0**14
"""Floats become counts by a power of two: the first record that is not constant swings so far
from its middle. That leaves 17 bits for what is louder, and noise of a thousandth has 4."""
FLOAT_TOP = 2.0**28  # where a large offset would otherwise push the counts out of int32
INT32_TOP = 2**31 - 1
SLACK_NS = MILLISECOND_NS  # many writers round the start of a record to a millisecond
SAME_RATE = 1e-3  # two rates that differ by less are one that was written in two ways
WAIT_RECORDS, WAIT_NS = 2, 2 * SECOND_NS
"""A channel that is later than so many of its own records, and so long, delays nobody."""
MAX_CHANNELS = 32  # three instruments of three axes each, at some rates; noise must not add more
MAX_HELD_PIECES = 8192  # over two minutes of all of them
AHEAD_NS = 60 * SECOND_NS
"""On a link, a record that ends so long after its arrival has a wrong time."""


class Told(Protocol):
    """What of a configuration the driver reads."""

    @property
    def id(self) -> str: ...
    @property
    def counts_per_m_s(self) -> float | None: ...
    @property
    def velocity_channels(self) -> tuple[str, ...]: ...
    @property
    def counts_per_unit(self) -> float | None: ...


@dataclass(slots=True)
class _Channel:
    """What is remembered of one channel."""

    name: str
    counts_per_m_s: float
    calibrated: bool
    rate_hz: float
    expected_utc_ns: int = -1
    """When the next record should begin."""
    start_utc_ns: int = -1
    """When the last one began."""
    wait_ns: int = WAIT_NS
    missing: int = 0
    held: list[WaveformSample] = field(default_factory=list)


class MiniSeedDriver:
    """Records of one station to waveform samples of half a second."""

    def __init__(self, config: Told, origin: Origin) -> None:
        self._config = config
        self._origin = origin
        self._decoder = MiniSeedDecoder(framed=True)
        self._channels: dict[tuple[str, str], _Channel] = {}
        self._names: set[str] = set()
        self._scale = config.counts_per_unit or 0.0
        self._held = 0

    def feed(self, data: bytes, received_utc_ns: int) -> list[Sample | Malformed]:
        """Samples of a channel in order of time, each once; a gap is told by the next sample.

        `Malformed` of an intact record: `duplicate`, `late`, `overlap` (its new part is
        used), `clock` (ends after it arrived), `channels` (more than a station has),
        `not-finite` (values that are no numbers; the last number stands for them).
        """
        samples: list[Sample | Malformed] = []
        if not data:
            self._decoder.cut()
            self._release(samples, everything=True)
            return samples
        for record in self._decoder.feed(data):
            if isinstance(record, Malformed):
                samples.append(record)
            else:
                self._take(record, received_utc_ns, samples)
                # At each record, not at the end: how a link cuts its bytes must not matter.
                if self._held:
                    self._release(samples, everything=self._held > MAX_HELD_PIECES)
        return samples

    def _take(
        self, record: MiniSeedRecord, received_utc_ns: int, samples: list[Sample | Malformed]
    ) -> None:
        channel = self._channel(record)
        if channel is None:
            samples.append(Malformed("channels", record.channel))
            return
        if abs(record.rate_hz - channel.rate_hz) > SAME_RATE * channel.rate_hz:
            channel.rate_hz = plain_rate(record.rate_hz)
        period_ns = SECOND_NS / channel.rate_hz
        end_utc_ns = record.start_utc_ns + round(record.count * period_ns)
        linked = record.sequence != FROM_FILE
        if linked and end_utc_ns > received_utc_ns + AHEAD_NS:
            samples.append(Malformed("clock", _told(record)))
            return
        skipped = self._skipped(record, channel, end_utc_ns, period_ns, samples)
        if skipped < 0:
            return
        channel.start_utc_ns, channel.expected_utc_ns = record.start_utc_ns, end_utc_ns
        channel.wait_ns = max(WAIT_NS, WAIT_RECORDS * round(record.count * period_ns))
        counts = self._counts(record, samples)
        for piece in self._pieces(channel, record.start_utc_ns, counts, skipped):
            if linked:
                channel.held.append(piece)
                self._held += 1
            else:
                samples.append(piece)

    def _skipped(
        self,
        record: MiniSeedRecord,
        channel: _Channel,
        end_utc_ns: int,
        period_ns: float,
        samples: list[Sample | Malformed],
    ) -> int:
        """How many of the record's samples have been there already; -1: there is no new one.

        Notes what is missing before it.
        """
        expected = channel.expected_utc_ns
        tolerance_ns = max(SLACK_NS, round(period_ns / 2))
        late_ns = record.start_utc_ns - expected
        if expected < 0 or abs(late_ns) <= tolerance_ns:
            return 0
        if late_ns > 0:
            channel.missing += round(late_ns / period_ns)
            return 0
        skipped = round(-late_ns / period_ns)
        if end_utc_ns <= expected + tolerance_ns or skipped >= record.count:
            same = record.start_utc_ns == channel.start_utc_ns
            samples.append(Malformed("duplicate" if same else "late", _told(record)))
            return -1
        samples.append(Malformed("overlap", _told(record)))
        return skipped

    def _channel(self, record: MiniSeedRecord) -> _Channel | None:
        key = (record.location, record.channel)
        channel = self._channels.get(key)
        if channel is None:
            if len(self._channels) >= MAX_CHANNELS:
                return None
            # Two instruments at a station may call their channels alike.
            name = record.channel or "raw"
            name = name if name not in self._names else f"{record.location}.{name}"
            self._names.add(name)
            velocity = is_velocity(record.channel)
            velocity = velocity or record.channel in self._config.velocity_channels
            known = self._config.counts_per_m_s
            if known is None and record.network == "AM" and record.channel[1:2] == "H":
                known = SHAKE_COUNTS_PER_M_S
            channel = _Channel(
                name=name,
                counts_per_m_s=(known or 1.0) if velocity else 0.0,
                calibrated=known is not None,
                rate_hz=plain_rate(record.rate_hz),
            )
            self._channels[key] = channel
        return channel

    def _counts(
        self, record: MiniSeedRecord, samples: list[Sample | Malformed]
    ) -> NDArray[np.int32]:
        values = record.values
        if values.dtype == np.int32:
            return values.astype(np.int32, copy=False)
        floats = values.astype(np.float64)
        finite = np.isfinite(floats)
        if not finite.all():
            samples.append(Malformed("not-finite", _told(record)))
            floats = _without_gaps(floats, finite)
        given = self._config.counts_per_unit
        if not self._scale or (
            given is None and float(np.abs(floats).max()) * self._scale > INT32_TOP
        ):
            self._scale = scale_of(floats)
        scaled = np.rint(floats * (self._scale or 1.0))
        return np.clip(scaled, -INT32_TOP, INT32_TOP).astype(np.int32)

    def _pieces(
        self, channel: _Channel, start_utc_ns: int, counts: NDArray[np.int32], skipped: int
    ) -> Iterator[WaveformSample]:
        scale = self._scale or 1.0
        for first, last, utc_ns in pieces(start_utc_ns, channel.rate_hz, len(counts), skipped):
            yield WaveformSample(
                sensor_id=self._config.id,
                origin=self._origin,
                start_utc_ns=utc_ns,
                rate_hz=channel.rate_hz,
                channel=channel.name,
                counts=counts[first:last],
                counts_per_m_s=channel.counts_per_m_s * (scale if channel.calibrated else 1.0),
                missing=channel.missing,
                calibrated=channel.calibrated,
            )
            channel.missing = 0

    def _release(self, samples: list[Sample | Malformed], *, everything: bool) -> None:
        """Hand out what no channel that is still coming can precede, in order of time."""
        channels = self._channels.values()
        newest = max((one.expected_utc_ns for one in channels), default=0)
        coming = [one for one in channels if one.expected_utc_ns >= newest - one.wait_ns]
        until = min((one.expected_utc_ns for one in coming), default=0)
        ready: list[WaveformSample] = []
        for channel in channels:
            kept: list[WaveformSample] = []
            for piece in channel.held:
                (ready if everything or _end(piece) <= until else kept).append(piece)
            channel.held = kept
        self._held -= len(ready)
        ready.sort(key=lambda piece: (piece.start_utc_ns // PIECE_NS, piece.channel))
        samples += ready


def pieces(
    start_utc_ns: int, rate_hz: float, count: int, skipped: int = 0
) -> Iterator[tuple[int, int, int]]:
    """Cut a record on the grid: (first sample, one after the last, time of the first)."""
    period_ns = SECOND_NS / rate_hz
    first = skipped
    while first < count:
        utc_ns = start_utc_ns + round(first * period_ns)
        # The first sample at or after the next line of the grid begins the next piece.
        line_utc_ns = (utc_ns // PIECE_NS + 1) * PIECE_NS
        last = first + max(1, round((line_utc_ns - utc_ns) / period_ns))
        last = min(last, count)
        yield first, last, utc_ns
        first = last


def scale_of(values: NDArray[np.float64]) -> float:
    """What to multiply floats with: 1 for whole numbers, a power of two for others, 0 where they
    are all the same and tell nothing."""
    low, high = float(values.min()), float(values.max())
    if low == high:
        return 0.0
    top = max(abs(low), abs(high))
    if top < FLOAT_TOP and np.array_equal(values, np.rint(values)):
        return 1.0
    return min(_power_up_to(FLOAT_PEAK, (high - low) / 2.0), _power_up_to(FLOAT_TOP, top))


def scale_up_to(top: float) -> float:
    """What to multiply floats with of which none is larger than `top`."""
    return _power_up_to(FLOAT_TOP, top) if top else 1.0


def _power_up_to(wanted: float, value: float) -> float:
    """The power of two that brings a value above 0 to `wanted`, itself one, or just below."""
    exponent = math.frexp(wanted)[1] - 1 - math.frexp(value)[1]
    return math.ldexp(1.0, max(-1000, min(1000, exponent)))


def is_velocity(channel: str) -> bool:
    """Whether a SEED channel code stands for ground velocity: all but accelerometers and
    microphones, and what is no code of SEED."""
    coded = len(channel) == 3 and channel[0] in BANDS
    return not (coded and channel[1] in NOT_VELOCITY)


def plain_rate(rate_hz: float) -> float:
    """A rate without the noise of single precision: 99.99999 is 100."""
    whole = round(rate_hz)
    return float(whole) if whole and abs(rate_hz - whole) < 1e-4 * whole else rate_hz


def _without_gaps(values: NDArray[np.float64], finite: NDArray[np.bool_]) -> NDArray[np.float64]:
    if not finite.any():
        return np.zeros_like(values)
    # Each sample points at the last finite one up to it, and the first ones at the first.
    last = np.maximum.accumulate(np.where(finite, np.arange(len(values)), -1))
    return values[np.where(last < 0, int(np.argmax(finite)), last)]


def _end(piece: WaveformSample) -> int:
    return piece.start_utc_ns + round(len(piece.counts) * SECOND_NS / piece.rate_hz)


def _told(record: MiniSeedRecord) -> str:
    return f"{record.channel} {record.start_utc_ns}"


__all__ = ["PIECE_NS", "MiniSeedDriver", "Values", "is_velocity", "pieces", "plain_rate"]
