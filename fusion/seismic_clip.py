"""The last minute of a ground station's raw samples, by reference, for the clip of an event."""

from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from fusion.seismic_presets import PRESETS
from fusion.types import SECOND_NS, Detection, SensorSpec, WaveformSample
from fusion.wave_record import Packet, WaveRecord, WaveTrace

BEFORE_NS = 10 * SECOND_NS
"""Before the event: what the quiet was like."""
LONGEST_NS = 70 * SECOND_NS
"""Of a clip; of a longer event its last part."""
KEPT_NS = 75 * SECOND_NS
"""An event is told of up to some seconds after it has ended."""
MAX_SAMPLES = 200_000
"""Of a clip: in the worst case one takes 4.1 bytes, and a file of evidence may have 900 kB. That
is 70 s at 2.8 kHz, and 40 s at 5 kHz."""
MOST_KEPT = MAX_SAMPLES * KEPT_NS // LONGEST_NS
SELDOM = 32  # packets between two looks at what is too old
MAX_CHANNELS = 8  # a station of three geophones, three accelerometers, a barometer and one more


class _Channel:
    """Packets of one channel."""

    __slots__ = ("calibrated", "counts_per_m_s", "fresh", "packets", "rate_hz", "samples")

    def __init__(self, sample: WaveformSample) -> None:
        self.rate_hz = sample.rate_hz
        self.counts_per_m_s = sample.counts_per_m_s
        self.calibrated = sample.calibrated
        self.packets: deque[Packet] = deque()
        self.samples = 0
        self.fresh = 0
        """Packets since the oldest were let go."""

    def takes(self, sample: WaveformSample) -> bool:
        """Keep the newest packet, unless its units are others or it comes before the last one.

        The oldest go now and then.
        """
        start_utc_ns, packets = sample.start_utc_ns, self.packets
        if (
            sample.rate_hz != self.rate_hz
            or sample.counts_per_m_s != self.counts_per_m_s
            or sample.calibrated != self.calibrated
            or (packets and start_utc_ns <= packets[-1][0])
        ):
            return False
        packets.append((start_utc_ns, sample.counts))
        self.samples += len(sample.counts)
        self.fresh += 1
        if self.fresh > SELDOM or self.samples > MOST_KEPT:
            self.let_go()
        return True

    def let_go(self) -> None:
        """The oldest go, but never the packet that the kept time begins in."""
        self.fresh = 0
        packets = self.packets
        oldest_ns = packets[-1][0] - KEPT_NS
        while len(packets) > 1 and (
            packets[1][0] <= oldest_ns or self.samples - len(packets[0][1]) >= MOST_KEPT
        ):
            self.samples -= len(packets.popleft()[1])


class Clip:
    """Keeps what a station sends, and hands it out with the station's detections."""

    def __init__(self, spec: SensorSpec) -> None:
        self._band_hz = PRESETS[spec.preset].band_hz
        self._channels: dict[str, _Channel] = {}

    def keep(self, sample: WaveformSample) -> None:
        """A packet of one of its channels."""
        channel = self._channels.get(sample.channel)
        if channel is None or not channel.takes(sample):
            if channel is None and len(self._channels) >= MAX_CHANNELS:
                return
            channel = self._channels[sample.channel] = _Channel(sample)
            channel.takes(sample)

    def with_records(self, detections: Iterable[Detection]) -> list[Detection]:
        """The same detections, each with what was heard of it."""
        return [replace(each, record=self._record(each)) for each in detections]

    def _record(self, detection: Detection) -> WaveRecord | None:
        best = str(detection.facts.get("channel", ""))
        if best not in self._channels:
            return None
        names = [best, *sorted(name for name in self._channels if name != best)]
        room = MAX_SAMPLES
        span_ns = min(LONGEST_NS, round(room * SECOND_NS / self._channels[best].rate_hz))
        begin_ns = max(detection.start_utc_ns - BEFORE_NS, detection.end_utc_ns - span_ns)
        traces: list[WaveTrace] = []
        for name in names:
            channel = self._channels[name]
            channel.let_go()
            room -= round((detection.end_utc_ns - begin_ns) * channel.rate_hz / SECOND_NS)
            if room < 0 and traces:
                break  # all of a channel or nothing of it
            traces.append(
                WaveTrace(
                    channel=name,
                    rate_hz=channel.rate_hz,
                    counts_per_m_s=channel.counts_per_m_s,
                    calibrated=channel.calibrated,
                    packets=tuple(channel.packets),
                )
            )
        return WaveRecord(
            sensor_id=detection.sensor_id,
            start_utc_ns=detection.start_utc_ns,
            end_utc_ns=detection.end_utc_ns,
            begin_utc_ns=begin_ns,
            final=detection.final,
            band_hz=self._band_hz,
            traces=tuple(traces),
            facts=detection.facts,
        )
