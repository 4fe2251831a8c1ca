"""Ground motion of one station to events: something walked, drove, dug or blew here.

Method: activity by STA/LTA or by level over a slow floor, then once a second a description of
the last window (facts/seismic.md 3.1), evidence for each class, persistence and hysteresis.
"""

from fusion.kernels import seismic as kernel
from fusion.seismic_channel import Channel
from fusion.seismic_event import Event
from fusion.seismic_features import features_of
from fusion.seismic_policy import SeismicPolicy
from fusion.types import (
    SECOND_NS,
    Detection,
    Origin,
    Sample,
    SensorSpec,
    WaveformSample,
)

__all__ = ["SeismicDetector", "SeismicPolicy"]

GAP_S = 0.12  # less is the jitter of a station's clock; a lost packet is 0.25 s


class SeismicDetector:
    """One station. Its vertical ground-velocity channel is used, else the first there is."""

    def __init__(self, spec: SensorSpec, policy: SeismicPolicy) -> None:
        self._spec = spec
        self._policy = policy
        self._name = ""
        self._channel: Channel | None = None
        self._origin = Origin.SENSOR
        self._heard_utc_ns = 0
        self._to_look = 0
        self._event: Event | None = None

    def feed(self, sample: Sample) -> list[Detection]:
        """The `seismic.event` detections that this sample brought.

        Samples other than ground velocity of the chosen channel are passed over. The
        detections do not depend on how the waveform was cut into samples.
        """
        if not isinstance(sample, WaveformSample) or not len(sample.counts):
            return []
        if sample.channel != self._name and not self._prefer(sample):
            return []
        detections: list[Detection] = []
        channel = self._ready(sample, detections)
        counts = sample.counts
        if not counts.flags.writeable:  # numba compiles anew for read-only arrays
            counts = counts.copy()
        taken, size = 0, len(counts)
        while taken < size:
            piece = counts[taken : taken + self._to_look]
            channel.feed(piece)
            taken += len(piece)
            self._to_look -= len(piece)
            if self._to_look == 0:
                self._to_look = round(sample.rate_hz)
                self._look(channel, _after(sample, taken), detections)
        self._heard_utc_ns = _after(sample, size)
        return detections

    def tick(self, utc_ns: int) -> list[Detection]:
        """Time has passed: ends the event of a station that fell silent."""
        detections: list[Detection] = []
        if utc_ns - self._heard_utc_ns >= self._policy.silent_s * SECOND_NS:
            self._end(self._heard_utc_ns, detections)
        return detections

    def _prefer(self, sample: WaveformSample) -> bool:
        """Whether to use this channel from now on instead of the one in use."""
        if sample.counts_per_m_s <= 0.0:
            return False
        lost_ns = sample.start_utc_ns - self._heard_utc_ns
        if (
            not self._name
            or (sample.channel.endswith("Z") and not self._name.endswith("Z"))
            or lost_ns > self._policy.silent_s * SECOND_NS
        ):
            self._name = sample.channel
            self._channel = None
            return True
        return False

    def _ready(self, sample: WaveformSample, detections: list[Detection]) -> Channel:
        """The channel's state, taken over the gap before this sample, or a fresh one."""
        channel = self._channel
        gap_s = (sample.start_utc_ns - self._heard_utc_ns) / SECOND_NS
        if (
            channel is None
            or channel.rate_hz != sample.rate_hz
            or channel.counts_per_m_s != sample.counts_per_m_s
            or gap_s > self._policy.silent_s
        ):
            self._end(self._heard_utc_ns, detections)
            policy = self._policy
            channel = self._channel = Channel(
                rate_hz=sample.rate_hz,
                counts_per_m_s=sample.counts_per_m_s,
                band_hz=policy.band_hz,
                sta_s=policy.sta_s,
                lta_s=policy.lta_s,
                on=policy.on,
                off=policy.off,
            )
            self._to_look = round(sample.rate_hz)
            self._origin = sample.origin
        elif sample.missing or gap_s > GAP_S:
            missing = sample.missing or round(gap_s * sample.rate_hz)
            channel.skip(min(missing, kernel.FRAME_RING), int(sample.counts[0]))
            self._to_look = max(self._to_look - missing, 1)
        return channel

    def _look(self, channel: Channel, utc_ns: int, detections: list[Detection]) -> None:
        """Once a second: is something going on, and what is it like?"""
        policy = self._policy
        peak_m_s, ratio, tripped = channel.take_peaks()
        if channel.seconds < policy.lta_s:
            return
        level = channel.level(4)
        active = tripped or level >= policy.level_on
        event = self._event
        if event is None:
            if not active:
                return
            event = self._event = Event(utc_ns - SECOND_NS, policy)
        event.hear(peak_m_s, ratio, channel.level(2), utc_ns)
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


def _after(sample: WaveformSample, count: int) -> int:
    """When the first so many samples were over."""
    return sample.start_utc_ns + round(count * SECOND_NS / sample.rate_hz)
