"""A sensor that says the same thing again and again: it is alive, and sees nothing.

Two readings of a healthy sensor are rarely the same number for number. How rarely follows from
counting statistics, or from what the sensor itself has shown: one that averages for minutes, or
is coarse, repeats itself and is well.
"""

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass, field

from fusion.types import (
    SECOND_NS,
    BackgroundSample,
    CountSample,
    Radiation,
    Sample,
    ScanFinding,
    SpectrumSample,
    StatusSample,
    WaveformSample,
)

CODE = "stuck"
SURE_NATS = 25.0  # ten million readings a year, and one chance in a hundred thousand of those
LEAST_READINGS = 24  # two minutes of a vacant portal: how often it repeats itself is not known yet
LEAST_NUMBERS = 24  # but of four panels half a minute tells how often each number comes again
COARSE_SHARE = 0.15  # of numbers that do; of counts of 50 and more it is one in 25
ANY_NATS = 30.0  # of whole spectra and scans: chance does not repeat them
PACKET_NATS, FLAT_NATS = 12.0, 6.0  # of a packet of waveform, and of one that is a single number
GONE_NS = 60 * SECOND_NS  # a channel that was stuck and is not sent any more
MAX_CHANNELS = 64  # of a station with 8 channels, or a portal's roles of spectra
LEAST_COUNTS = 100  # of a spectrum; what is nearly empty is soon the same


@dataclass(frozen=True, slots=True)
class Reading:
    """What is compared, of which channel, and how much it says if it comes again."""

    channel: str
    numbers: object
    nats: float
    name: str = ""
    """Of a scan: what is told again under its own name is no second one."""

    def repeats(self, last: "Reading") -> bool:
        """Whether it is the last one again."""
        told_again = self.name != "" and self.name == last.name
        return self.numbers == last.numbers and not told_again


@dataclass(slots=True)
class _Run:
    """Readings of one channel."""

    last: Reading | None = None
    readings: int = 0
    repeats: int = 0
    """Before the run that goes on now."""
    compared: int = 0
    """Numbers of readings that were not the same."""
    alike: int = 0
    """Of those, numbers that were the same all the same."""
    running: int = 0
    nats: float = 0.0
    stuck: bool = False
    """Whether it repeats itself more often than chance and its own habit have it."""
    heard_utc_ns: int = 0

    def feed(self, reading: Reading, utc_ns: int) -> None:
        """One more reading."""
        self.heard_utc_ns = utc_ns
        self.stuck = self._takes(reading)

    def _takes(self, reading: Reading) -> bool:
        last, self.last = self.last, reading
        if last is None or not reading.repeats(last):
            self.repeats += self.running
            self.running, self.nats = 0, 0.0
            self.readings += 1
            self._compare(last, reading)
            return False
        habit = self.repeats / max(1, self.readings + self.repeats)
        self.running += 1
        nats = min(reading.nats, -math.log(habit)) if habit > 0.0 else reading.nats
        self.nats += min(nats, self._coarse_nats(reading))
        usual = self.readings >= LEAST_READINGS or self.compared >= LEAST_NUMBERS
        return (usual or reading.nats >= ANY_NATS) and self.nats >= SURE_NATS

    def _compare(self, last: Reading | None, reading: Reading) -> None:
        """How many numbers of a reading are those of the one before; with one number, none is."""
        if last is None or not isinstance(reading.numbers, tuple):
            return
        if isinstance(last.numbers, tuple) and len(last.numbers) == len(reading.numbers) > 1:
            self.compared += len(reading.numbers)
            self.alike += sum(map(operator.eq, reading.numbers, last.numbers))

    def _coarse_nats(self, reading: Reading) -> float:
        """The same where each number by itself often comes again; infinite where none does."""
        share = self.alike / max(1, self.compared)
        if share <= COARSE_SHARE or not isinstance(reading.numbers, tuple):
            return math.inf
        if reading.nats >= ANY_NATS:
            return math.inf
        return -len(reading.numbers) * math.log(share)


@dataclass(slots=True)
class StuckWatch:
    """Watches the readings of one sensor."""

    _runs: dict[str, _Run] = field(default_factory=dict)
    """By channel, the one that was heard last at the end."""

    def feed(self, sample: Sample) -> StatusSample | None:
        """What a sample says of the sensor, where that has changed."""
        reading = _reading(sample)
        if reading is None:
            return None
        before = self._is_stuck
        run = self._runs.pop(reading.channel, None) or _Run()
        run.feed(reading, sample.start_utc_ns)
        self._runs[reading.channel] = run
        self._forget(sample.start_utc_ns)
        now = self._is_stuck
        if now == before:
            return None
        return StatusSample(
            sensor_id=sample.sensor_id,
            origin=sample.origin,
            start_utc_ns=sample.start_utc_ns,
            code=CODE,
            active=now,
            text="the same reading again and again" if now else "",
        )

    @property
    def _is_stuck(self) -> bool:
        return any(run.stuck for run in self._runs.values())

    def _forget(self, now_utc_ns: int) -> None:
        """Channels that are sent no more: nothing is known of them."""
        for channel, run in list(self._runs.items()):
            if run.stuck and now_utc_ns - run.heard_utc_ns > GONE_NS:
                del self._runs[channel]
        while len(self._runs) > MAX_CHANNELS:
            del self._runs[next(iter(self._runs))]


def _reading(sample: Sample) -> Reading | None:
    """What can be compared; None of what says the same by nature."""
    match sample:
        case CountSample(radiation=Radiation.GAMMA):
            return Reading("counts", sample.counts, poisson_nats(sample.counts))
        case BackgroundSample(radiation=Radiation.GAMMA):
            return Reading("background", sample.rate_cps, poisson_nats(sample.rate_cps))
        case SpectrumSample() if int(sample.counts.sum()) >= LEAST_COUNTS:
            return Reading(f"spectrum/{sample.role}", sample.counts.tobytes(), ANY_NATS)
        case WaveformSample() if sample.counts.size > 1:
            flat = bool((sample.counts == sample.counts[0]).all())
            nats = FLAT_NATS if flat else PACKET_NATS
            return Reading(f"wave/{sample.channel}", sample.counts.tobytes(), nats)
        case ScanFinding(interim=False) if sample.signature:
            numbers = sample.signature, sample.empty_nats, sample.homogeneity, sample.length_m
            return Reading("scan", numbers, ANY_NATS, sample.scan_id)
        case _:
            return None


def poisson_nats(counts: Sequence[float]) -> float:
    """-ln of the chance that independent Poisson counts come again just as they are.

    Two counts of mean m agree with a probability of 1 / (2 sqrt(pi m)), from the normal
    distribution of their difference; a channel without counts says nothing.
    """
    return math.fsum(0.5 * math.log(4.0 * math.pi * n) for n in counts if n >= 1.0)
