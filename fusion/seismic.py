"""Ground motion of one station to events: something walked, drove, dug or blew here.

Method: activity by STA/LTA or by level over a slow floor, then once a second a description of
the last window (facts/seismic.md 3.1), evidence for each class, persistence and hysteresis.
Every ground-velocity channel is followed; each second is judged by the one that hears best.
"""

from collections.abc import Mapping

from fusion.seismic_channel import Channel
from fusion.seismic_event import Event
from fusion.seismic_features import features_of
from fusion.seismic_policy import SeismicPolicy
from fusion.seismic_stream import Stream
from fusion.types import (
    SECOND_NS,
    Detection,
    Origin,
    Sample,
    SensorSpec,
    WaveformSample,
)

__all__ = ["SeismicDetector", "SeismicPolicy"]

VERTICAL_GAIN = 1.25
"""So much better a horizontal must hear to be used: steps and axles shake the ground up and
down (Rayleigh waves), and the classes are tuned on verticals."""
KEPT_GAIN = 1.5
"""So much better another channel must hear to be used in the middle of an event: levels and
peaks of different channels do not compare."""


class SeismicDetector:
    """One station: one event at a time, whichever of its channels hear it."""

    def __init__(self, spec: SensorSpec, policy: SeismicPolicy) -> None:
        self._spec = spec
        self._policy = policy
        self._silent_ns = round(policy.silent_s * SECOND_NS)
        self._streams: dict[str, Stream] = {}
        """By name, in the order of the names."""
        self._origin = Origin.SENSOR
        self._heard_utc_ns = 0
        """End of the newest sample of any channel."""
        self._look_utc_ns = 0
        """End of the second that is looked at next."""
        self._event: Event | None = None

    def feed(self, sample: Sample) -> list[Detection]:
        """The `seismic.event` detections that this sample brought.

        Samples other than ground velocity are passed over. The detections do not depend on
        how the waveform was cut into samples, nor on which channel of a packet came first.
        """
        if not isinstance(sample, WaveformSample) or sample.counts_per_m_s <= 0.0:
            return []
        if not len(sample.counts):
            return []
        detections: list[Detection] = []
        stream = self._streams.get(sample.channel)
        if (
            stream is None
            or sample.start_utc_ns - stream.end_utc_ns > self._silent_ns
            or sample.rate_hz != stream.rate_hz
            or sample.counts_per_m_s != stream.counts_per_m_s
        ):
            stream = self._begin(sample, detections)
        else:
            stream.take(sample)
        end_utc_ns = stream.end_utc_ns
        if end_utc_ns > self._heard_utc_ns:  # noqa: PLR1730 - a call for every packet
            self._heard_utc_ns = end_utc_ns
        if end_utc_ns >= self._look_utc_ns:
            self._catch_up(detections)
        return detections

    def tick(self, utc_ns: int) -> list[Detection]:
        """Time has passed: ends the event of a station that fell silent."""
        detections: list[Detection] = []
        if utc_ns - self._heard_utc_ns >= self._silent_ns:
            self._finish(detections)
        return detections

    def _begin(self, sample: WaveformSample, detections: list[Detection]) -> Stream:
        """Follow a channel from this sample on; all anew after a silence or a changed rate."""
        known = self._streams.get(sample.channel)
        changed = known is not None and (
            (sample.rate_hz, sample.counts_per_m_s) != (known.rate_hz, known.counts_per_m_s)
        )
        silence_ns = sample.start_utc_ns - self._heard_utc_ns
        if changed or not self._streams or silence_ns > self._silent_ns:
            self._finish(detections)
            self._streams = {}
            self._heard_utc_ns = sample.start_utc_ns
            self._look_utc_ns = sample.start_utc_ns + SECOND_NS
            self._origin = sample.origin
        policy = self._policy
        channel = Channel(
            rate_hz=sample.rate_hz,
            counts_per_m_s=sample.counts_per_m_s,
            band_hz=policy.band_hz,
            sta_s=policy.sta_s,
            lta_s=policy.lta_s,
            on=policy.on,
            off=policy.off,
        )
        stream = Stream(channel, sample)
        self._streams = dict(sorted([*self._streams.items(), (sample.channel, stream)]))
        return stream

    def _catch_up(self, detections: list[Detection]) -> None:
        """Look at every second that all channels have heard to its end.

        A channel that lags so far that it counts as silent is no longer waited for.
        """
        while self._heard_utc_ns >= self._look_utc_ns:
            slow = [n for n, s in self._streams.items() if s.end_utc_ns < self._look_utc_ns]
            if slow and self._heard_utc_ns - self._look_utc_ns < self._silent_ns:
                return
            for name in slow:
                del self._streams[name]
            self._look(detections)

    def _finish(self, detections: list[Detection]) -> None:
        """Nothing more is coming: look at what is whole, and end the event."""
        while self._streams and self._heard_utc_ns >= self._look_utc_ns:
            self._look(detections)
        self._end(self._heard_utc_ns, detections)

    def _look(self, detections: list[Detection]) -> None:
        """Once a second: is something going on, and what is it like?"""
        policy = self._policy
        utc_ns = self._look_utc_ns
        self._look_utc_ns += SECOND_NS
        peaks = {}
        for name, stream in self._streams.items():
            if stream.advance(utc_ns):
                taken = stream.channel.take_peaks()
                if stream.channel.seconds >= policy.lta_s:
                    peaks[name] = taken
        if not peaks:
            return
        event = self._event
        name = _hears_best(peaks, event.channel if event is not None else "")
        channel = self._streams[name].channel
        peak_m_s, ratio, tripped = peaks[name]
        level = channel.level(4)
        active = tripped or level >= policy.level_on
        if event is None:
            if not active:
                return
            event = self._event = Event(utc_ns - SECOND_NS, policy)
        event.hear(name, peak_m_s, ratio, channel.level(2), utc_ns)
        if active:
            window = channel.describe(policy.window_s, policy.slowest_hz, policy.fastest_hz)
            duration_s = (utc_ns - event.start_utc_ns) / SECOND_NS
            event.weigh(features_of(window, level, duration_s, event.swell), utc_ns)
            if event.worth_telling(utc_ns):
                detections.append(self._detection(event, utc_ns, final=False))
        elif utc_ns - event.active_utc_ns >= policy.end_after_s * SECOND_NS:
            self._end(event.active_utc_ns, detections)

    def _end(self, utc_ns: int, detections: list[Detection]) -> None:
        event, self._event = self._event, None
        if event is None:
            return
        duration_s = (event.active_utc_ns - event.start_utc_ns) / SECOND_NS
        if event.name or duration_s >= self._policy.shortest_s:
            detections.append(self._detection(event, max(utc_ns, event.active_utc_ns), final=True))

    def _detection(self, event: Event, utc_ns: int, *, final: bool) -> Detection:
        return Detection(
            sensor_id=self._spec.sensor_id,
            family=self._spec.family,
            origin=self._origin,
            kind="seismic.event",
            start_utc_ns=event.start_utc_ns,
            end_utc_ns=utc_ns,
            facts=event.facts(utc_ns, final=final),
            final=final,
        )


def _hears_best(peaks: Mapping[str, tuple[float, float, bool]], kept: str) -> str:
    """The channel with the highest STA/LTA; of near-equals the one in use, then a vertical."""
    best, most = "", -1.0
    for name, (_, ratio, _) in peaks.items():
        gain = (VERTICAL_GAIN if name.endswith("Z") else 1.0) * (KEPT_GAIN if name == kept else 1.0)
        if ratio * gain > most:
            best, most = name, ratio * gain
    return best
