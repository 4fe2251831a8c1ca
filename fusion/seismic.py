"""Ground motion of all stations to events: samples into banks, finished bins to their station.

A station's detections depend on its own samples alone: not on how they were cut into packets,
not on which of its channels came first, and not on other stations.
"""

from collections.abc import Iterable

import numpy as np

from fusion.kernels.seismic_calm import PLACE_FIELDS
from fusion.seismic_bank import Bank
from fusion.seismic_ears import Ears
from fusion.seismic_policy import SeismicPolicy
from fusion.seismic_presets import Preset
from fusion.seismic_stream import BACK_NS, DRIFT_NS, GAP_NS, Batch, Post, Stream
from fusion.step_curve import StepCurve
from fusion.types import SECOND_NS, Detection, Sample, SensorSpec, WaveformSample

__all__ = ["SeismicDetector", "SeismicField", "SeismicPolicy"]

PACKETS_MISSED = 2  # from then on a station of long packets is silent


class SeismicField:
    """All ground sensors of a checkpoint."""

    def __init__(self, specs: Iterable[SensorSpec], policy: SeismicPolicy) -> None:
        self._silent_ns = round(policy.silent_s * SECOND_NS)
        specs = list(specs)
        self._ears = Ears()
        self._places = np.zeros((len(specs), PLACE_FIELDS), np.int64)
        self._posts = {
            spec.sensor_id: Post(spec, policy, self._ears, row, self._places)
            for row, spec in enumerate(specs)
        }
        self._batches: dict[tuple[float, Preset], Batch] = {}
        self._now_utc_ns = 0
        """Of the last tick."""

    def feed(self, sample: Sample) -> list[Detection]:
        """The `seismic.event` detections that this sample brought, of any station.

        Samples other than ground velocity are passed over, and those of unknown sensors.
        """
        if not isinstance(sample, WaveformSample) or sample.counts_per_m_s <= 0.0:
            return []
        post = self._posts.get(sample.sensor_id)
        counts, missing = sample.counts, sample.missing
        size = len(counts)
        if post is None or not size:
            return []
        detections: list[Detection] = []
        post.fed_utc_ns = self._now_utc_ns
        post.packet_ns = round(size * SECOND_NS / sample.rate_hz)
        start_utc_ns = sample.start_utc_ns
        stream = post.streams.get(sample.channel)
        late_ns = stream.late_ns(start_utc_ns) if stream is not None else 0
        drifts = not -DRIFT_NS < late_ns < DRIFT_NS
        if stream is not None and (
            (stream.pending and stream.pending + size >= stream.ahead) or (drifts and post.waits)
        ):
            # Without those that have given nothing yet; what came before is dated as it was.
            self._run(stream.batch, detections)
            stream = post.streams.get(sample.channel)  # None: it lagged too far behind the others
        if stream is None or not stream.follows(sample, late_ns, self._silent_ns):
            missing = 0
            stream = self._begin(post, sample, detections)
            if stream is None:
                return detections
        elif drifts:
            if not missing and late_ns > GAP_NS:
                missing = round(late_ns * sample.rate_hz / SECOND_NS)
            post.drift(stream, late_ns - round(missing * SECOND_NS / sample.rate_hz))
        stream.keep(sample)
        if size <= stream.longest:
            if stream.put(counts, missing):
                self._run(stream.batch, detections)
            return detections
        for at in range(0, size, stream.longest):
            if stream.put(counts[at : at + stream.longest], 0 if at else missing):
                self._run(stream.batch, detections)
        return detections

    def tick(self, utc_ns: int) -> list[Detection]:
        """Time has passed: ends the events of stations that fell silent.

        A station whose clock is behind is not silent, nor is one between two long packets.
        """
        self._now_utc_ns = utc_ns
        detections: list[Detection] = []
        for post in self._posts.values():
            since_utc_ns = max(post.heard_utc_ns, post.fed_utc_ns)
            allowed_ns = max(self._silent_ns, PACKETS_MISSED * post.packet_ns)
            if post.streams and utc_ns - since_utc_ns >= allowed_ns:
                self._finish(post, detections)
        return detections

    def steps(self, sensor_id: str, end_utc_ns: int) -> StepCurve | None:
        """How strongly a station heard steps in the last minute and a half until then.

        It need not have told of anything: steps that are no event by themselves say which way
        somebody goes of whom another station tells.
        """
        post = self._posts.get(sensor_id)
        return post.steps(end_utc_ns) if post is not None else None

    def _begin(
        self, post: Post, sample: WaveformSample, detections: list[Detection]
    ) -> Stream | None:
        """Follow a channel from this sample on, and all of the station anew where it must be.

        A station has one rate: channels that are slower than the fastest are passed over.
        """
        known = post.streams.get(sample.channel)
        silent = sample.start_utc_ns - post.heard_utc_ns > self._silent_ns
        again = known is not None and (
            not known.fits(sample) or known.late_ns(sample.start_utc_ns) < -BACK_NS
        )
        if not post.streams or silent or again or sample.rate_hz > post.rate_hz:
            self._finish(post, detections)
            post.begin(sample, self._batch(sample.rate_hz, post.preset).bank)
        elif sample.rate_hz < post.rate_hz:
            return None
        elif known is not None:
            self._run(known.batch, detections)
            post.drop(sample.channel)
        return post.follow(sample, self._batch(sample.rate_hz, post.preset))

    def _batch(self, rate_hz: float, preset: Preset) -> Batch:
        batch = self._batches.get((rate_hz, preset))
        if batch is None:
            batch = self._batches[rate_hz, preset] = Batch(
                Bank(rate_hz, preset), self._ears, self._places
            )
        return batch

    def _run(self, batch: Batch, detections: list[Detection]) -> None:
        """Have the bank work on what waits, and stations look where something may go on."""
        for post in batch.advance():
            post.look(self._silent_ns, detections)

    def _finish(self, post: Post, detections: list[Detection]) -> None:
        """Nothing more is coming: look at what is whole, and end the event."""
        for stream in post.streams.values():
            if stream.pending:
                self._run(stream.batch, detections)
        post.finish(detections)


class SeismicDetector:
    """One station alone."""

    def __init__(self, spec: SensorSpec, policy: SeismicPolicy) -> None:
        self._field = SeismicField((spec,), policy)

    def feed(self, sample: Sample) -> list[Detection]:
        """The detections that this sample brought."""
        if isinstance(sample, WaveformSample):
            return self._field.feed(sample)
        return []

    def tick(self, utc_ns: int) -> list[Detection]:
        """Time has passed: ends the event of a station that fell silent."""
        return self._field.tick(utc_ns)
