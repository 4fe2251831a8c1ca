"""Glimpses of what the sensors measure, for a screen: QoS 0, never stored, never vital."""

import time
from collections.abc import Callable, Mapping

import numpy as np

from edge.protocol import topics
from edge.protocol.messages import LiveMessage, encode, rfc3339
from fusion.types import (
    BackgroundSample,
    CountSample,
    Origin,
    Sample,
    WaveformSample,
)

EVERY_S = 0.5  # what an eye follows; the bench's 84 sensors are then 168 small messages a second
MICRO = 1e6

Values = dict[str, float | list[float]]


class Glimpses:
    """Looks at every sample and tells some: at most two a second and sensor."""

    def __init__(
        self,
        *,
        site: str,
        places: Mapping[str, str],
        publish: Callable[[str, bytes, str], object],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`publish` takes a topic, a message and the place that it is of."""
        self._site = site
        self._places = places
        self._publish = publish
        self._monotonic = monotonic
        self._due: dict[tuple[str, str], float] = {}

    def look(self, sample: Sample) -> None:
        """Publish what the sample shows, unless the sensor was shown a moment ago."""
        if isinstance(sample, WaveformSample):
            kind = "ground"
        elif isinstance(sample, CountSample | BackgroundSample):
            kind = sample.radiation.value
        else:
            return
        now = self._monotonic()
        if now < self._due.get((sample.sensor_id, kind), 0.0):
            return
        self._due[sample.sensor_id, kind] = now + EVERY_S
        values = glimpse(sample)
        place = self._places.get(sample.sensor_id)
        if not values or not place:
            return
        message = LiveMessage(
            site=self._site,
            place=place,
            sensor=sample.sensor_id,
            kind=kind,
            origin=sample.origin.value,
            time=rfc3339(sample.start_utc_ns),
            values=values,
        )
        root = topics.root(sample.origin is not Origin.SENSOR)
        self._publish(topics.live_topic(root, self._site, place, kind), encode(message), place)


def glimpse(sample: Sample) -> Values:
    """A few numbers that a person reads: panel rates, or how strongly the ground moves."""
    if isinstance(sample, CountSample):
        rates = [round(count * 1000 / sample.duration_ms, 1) for count in sample.counts]
        return {"panels_cps": rates, "total_cps": round(sum(rates), 1), "occupied": 1.0}
    if isinstance(sample, BackgroundSample):
        rates = [round(rate, 1) for rate in sample.rate_cps]
        return {"panels_cps": rates, "total_cps": round(sum(rates), 1), "occupied": 0.0}
    if isinstance(sample, WaveformSample) and sample.counts_per_m_s > 0 and sample.counts.size:
        # The mean is the digitizer's offset and drifts; only what moves is of interest.
        motion = (sample.counts - sample.counts.mean()) / sample.counts_per_m_s * MICRO
        rms = float(np.sqrt(np.mean(np.square(motion))))
        return {"rms_um_s": round(rms, 4), "peak_um_s": round(float(np.abs(motion).max()), 4)}
    return {}
