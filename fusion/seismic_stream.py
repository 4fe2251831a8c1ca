"""Where each channel of a station is on the station's grid of bins, and what waits for its bank."""

import math

import numpy as np
from numpy.typing import NDArray

from fusion import walks
from fusion.kernels import seismic_calm as calm
from fusion.seismic_bank import Bank
from fusion.seismic_clip import Clip
from fusion.seismic_ears import Ears
from fusion.seismic_policy import SeismicPolicy
from fusion.seismic_presets import PRESETS
from fusion.seismic_station import Station
from fusion.step_curve import StepCurve
from fusion.types import SECOND_NS, Detection, SensorSpec, WaveformSample

Counts = NDArray[np.int32]

GAP_NS = 120_000_000  # less is the jitter of a station's clock; a lost packet is 0.25 s
BACK_NS = SECOND_NS  # no jitter goes so far back: the clock was set
DRIFT_NS = 30_000_000  # a clock that is off by more takes the grid along
PIECE_S = 2.0  # of a longer sample: the rings must keep what has not been looked at
AHEAD_S = 0.3  # packets come four times a second; who is later than that is not waited for
EARLIER_BINS = 50  # of a channel that begins before the one that the grid began with
MICRO = 1e6
DUE = 512  # spectra of the quiet that one run learns at most; more are learned one by one

Places = NDArray[np.int64]


class Batch:
    """A bank, and which of its streams have given it something since it last ran."""

    def __init__(self, bank: Bank, ears: Ears, places: Places) -> None:
        self.bank = bank
        self._ears = ears
        self._places = places
        self._seats: Places | None = None
        self._calm: calm.Calm | None = None
        self._due = np.zeros((DUE, 2), np.int64)
        self.live = 0
        """Streams that gave something for the last run but one, or since."""
        self.streams: list[Stream] = []
        self.fresh: list[Stream] = []

    def advance(self) -> list["Post"]:
        """Have the bank run; the stations that heard something, in the order that they came."""
        self.bank.advance()
        if len(self.fresh) < self.live:
            for stream in self.streams:
                stream.late = not stream.pending
            self.live = len(self.fresh)
        left = self._rest()
        posts: dict[Post, None] = {}
        for stream in self.fresh:
            stream.pending = 0
            if left and stream.post.place[calm.LEFT]:
                posts[stream.post] = None
        self.fresh.clear()
        return list(posts)

    def changed(self) -> None:
        """Streams came or went."""
        self._seats = None

    def _rest(self) -> int:
        """Pass over the bins in which nothing happens; how many stations have others."""
        seats = self._seats
        if seats is None or self._calm is None:
            if not self.streams:
                return 0
            seats = self._seats = self._seated()
            self._calm = self.streams[0].post.station.calm(self.bank)
        left, count = calm.rest(
            *self.bank.rings,
            self.bank.done,
            self._calm,
            seats,
            self._places,
            self._ears.memory,
            self._due,
        )
        if count:
            for ear, utc_ns in self._due[:count].tolist():
                self._ears.ears[ear].tail.learn(utc_ns)
        return left

    def _seated(self) -> Places:
        """The channels, those of a station in a row by name."""
        seats = [
            (post.row, column, post.station.ear(name).row, name.endswith("Z"))
            for post in dict.fromkeys(stream.post for stream in self.streams)
            for name, column in post.columns.items()
        ]
        return np.array(seats, np.int64).reshape(-1, calm.SEAT_FIELDS)


class Stream:
    """One channel: its column, and its place on the grid."""

    __slots__ = (
        "_clip",
        "_counts_per_m_s",
        "_size",
        "_span_ns",
        "_tail",
        "ahead",
        "batch",
        "column",
        "late",
        "longest",
        "pending",
        "place",
        "post",
        "rate_hz",
    )

    def __init__(self, post: "Post", batch: Batch, first: WaveformSample, at: int) -> None:
        """`at`: the kept sample of the grid that the first one is."""
        self.post = post
        self.batch = batch
        self.rate_hz = first.rate_hz
        self._counts_per_m_s = first.counts_per_m_s
        scale = MICRO / first.counts_per_m_s if first.calibrated else 1.0
        self.column = batch.bank.open(scale, at)
        self.place = at * batch.bank.factor
        """Raw samples from the beginning of the grid to the next."""
        self.pending = 0
        """Samples that the bank has not taken yet."""
        self.longest = round(PIECE_S * first.rate_hz)
        """Samples that are given to the bank at once."""
        self.ahead = AHEAD_S * first.rate_hz
        """So many samples are not kept waiting for those of others."""
        self._size = self._span_ns = 0
        self._tail = post.station.open(first).tail
        self._clip = post.clip
        self.late = False
        """It gave nothing for the last run: the next will not wait for it."""
        batch.live += 1
        batch.streams.append(self)
        batch.changed()

    def fits(self, sample: WaveformSample) -> bool:
        """Whether rate and sensitivity are what they were."""
        return sample.rate_hz == self.rate_hz and sample.counts_per_m_s == self._counts_per_m_s

    def late_ns(self, start_utc_ns: int) -> int:
        """How much later that is than the end of the last sample; below 0 it overlaps."""
        ended_ns = self.post.anchor_utc_ns + round(self.place * SECOND_NS / self.rate_hz)
        return start_utc_ns - ended_ns

    def follows(self, sample: WaveformSample, late_ns: int, silent_ns: int) -> bool:
        """Whether the sample goes on with what there was, a gap in between or not."""
        return (
            -BACK_NS <= late_ns <= silent_ns
            and sample.rate_hz == self.rate_hz
            and sample.counts_per_m_s == self._counts_per_m_s
            and sample.missing * SECOND_NS <= silent_ns * self.rate_hz
        )

    def keep(self, sample: WaveformSample) -> None:
        """A packet that it is about to take: its spectrum may be asked for, and its samples."""
        size = len(sample.counts)
        if size != self._size:  # packets are as long as the one before them
            self._size = size
            self._span_ns = round(size * SECOND_NS / self.rate_hz)
        end_utc_ns = sample.start_utc_ns + self._span_ns
        if end_utc_ns > self.post.heard_utc_ns:  # noqa: PLR1730 - a call for every packet
            self.post.heard_utc_ns = end_utc_ns
        self._tail.keep(sample)
        self._clip.keep(sample)

    def put(self, counts: Counts, missing: int) -> bool:
        """Give the bank what follows; whether it should run now."""
        size, batch = len(counts), self.batch
        batch.bank.put(self.column, counts, missing)
        if not self.pending:
            batch.fresh.append(self)
            if self.late:
                self.late = False
                batch.live += 1
        self.pending += size
        self.place += size + missing
        return self.pending >= self.ahead or len(batch.fresh) >= batch.live

    def end(self) -> None:
        """Give the column back; the bank must have run."""
        self.batch.live -= not self.late
        self.batch.streams.remove(self)
        self.batch.changed()
        self.batch.bank.close(self.column)


class Post:
    """One station: its channels on one grid of bins, which are looked at in turn."""

    def __init__(
        self, spec: SensorSpec, policy: SeismicPolicy, ears: Ears, row: int, places: Places
    ) -> None:
        """`row` is its own of `places`, (stations, PLACE_FIELDS), where its next bin stands."""
        self.row = row
        self.place = places[row]
        self.preset = PRESETS[spec.preset]
        self.streams: dict[str, Stream] = {}
        """By channel, sorted."""
        self.heard_utc_ns = 0
        """End of the newest sample of any channel."""
        self.fed_utc_ns = 0
        """When, by the engine's time, a sample last came."""
        self.packet_ns = 0
        """Length of the last packet."""
        self.anchor_utc_ns = 0
        """Where bin 0 begins."""
        self.rate_hz = 0.0
        self.station = Station(spec, policy, ears)
        self.columns: dict[str, int] = {}
        self.clip = Clip(spec)
        self._bank: Bank | None = None
        self._bin_ns = 0.0

    @property
    def waits(self) -> bool:
        """Whether the bank has not taken all that there is."""
        return any(stream.pending for stream in self.streams.values())

    def begin(self, sample: WaveformSample, bank: Bank) -> None:
        """A new grid. It lies on multiples of a bin in UTC, whichever channel comes first."""
        self._bank, self._bin_ns = bank, bank.bin_s * SECOND_NS
        whole_ns = round(self._bin_ns)
        self._anchor((sample.start_utc_ns // whole_ns - EARLIER_BINS) * whole_ns)
        self.place[calm.NEXT_BIN] = 0
        self.place[calm.CALM] = self.station.is_calm
        self.rate_hz = sample.rate_hz
        self.heard_utc_ns = sample.start_utc_ns
        self.station.origin = sample.origin

    def follow(self, sample: WaveformSample, batch: Batch) -> Stream | None:
        """Take a channel in; None where it begins before the grid."""
        after_ns = sample.start_utc_ns - self.anchor_utc_ns
        at = round(after_ns * batch.bank.kept_hz / SECOND_NS)
        if at < 0:
            return None
        stream = Stream(self, batch, sample, at)
        if not self.streams:
            self.place[calm.NEXT_BIN] = at // batch.bank.bin_samples
        self.streams = dict(sorted([*self.streams.items(), (sample.channel, stream)]))
        self.columns = {name: each.column for name, each in self.streams.items()}
        return stream

    def drop(self, name: str) -> None:
        """Follow a channel no longer."""
        self.streams.pop(name).end()
        del self.columns[name]

    def drift(self, stream: Stream, late_ns: int) -> None:
        """Have the grid follow the clock of its first channel."""
        if stream is next(iter(self.streams.values())):
            self._anchor(self.anchor_utc_ns + late_ns)

    def _anchor(self, utc_ns: int) -> None:
        self.anchor_utc_ns = utc_ns
        self.place[calm.ANCHOR_NS] = utc_ns

    def look(self, silent_ns: int, detections: list[Detection]) -> None:
        """Look at every bin that all channels have finished and that was not passed over.

        A channel that lags so far that it counts as silent is no longer waited for.
        """
        bank = self._bank
        assert bank is not None
        done = [bank.bins(column) for column in self.columns.values()]
        next_bin = int(self.place[calm.NEXT_BIN])
        lag_ns = self.heard_utc_ns - self._end_utc_ns(next_bin)
        if lag_ns >= silent_ns and max(done) > min(done):
            for name in [n for n, c in self.columns.items() if bank.bins(c) <= next_bin]:
                self.drop(name)
            done = [bank.bins(column) for column in self.columns.values()]
        for number in range(next_bin, min(done)):
            self.place[calm.NEXT_BIN] = number + 1  # also where the look fails
            found = self.station.look(bank, self.columns, number, self._end_utc_ns(number))
            if found:
                detections += self.clip.with_records(found)
        self.place[calm.CALM] = self.station.is_calm

    def steps(self, end_utc_ns: int) -> StepCurve | None:
        """How strongly it heard steps until then, by a vertical if there is one.

        A horizontal that points along the way hears nothing of who is beside it.
        """
        bank = self._bank
        names = [name for name in self.columns if name.endswith("Z")] or list(self.columns)
        if bank is None or not names or not self.preset.classed:
            return None
        column = self.columns[names[0]]
        done = bank.bins(column)
        last = min(done, math.floor((end_utc_ns - self.anchor_utc_ns) / self._bin_ns))
        ended_utc_ns = self._end_utc_ns(last - 1)
        heard = walks.StepsHeard.of(bank.rings[1][column], last, bank, ended_utc_ns, done)
        return walks.curve(heard) if heard is not None else None

    def finish(self, detections: list[Detection]) -> None:
        """Look at what is whole, end the event, and follow no channel any more."""
        bank = self._bank
        if bank is None or not self.streams:
            return
        last = max(bank.bins(column) for column in self.columns.values())
        for number in range(int(self.place[calm.NEXT_BIN]), last):
            whole = {name: c for name, c in self.columns.items() if bank.bins(c) > number}
            found = self.station.look(bank, whole, number, self._end_utc_ns(number))
            detections += self.clip.with_records(found)
        detections += self.clip.with_records(self.station.finish(self.heard_utc_ns))
        for name in list(self.streams):
            self.drop(name)

    def _end_utc_ns(self, number: int) -> int:
        return self.anchor_utc_ns + round((number + 1) * self._bin_ns)
