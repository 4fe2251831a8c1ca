"""One station's bins to events: something walked, drove, dug or blew here.

Method: activity by STA/LTA or by level over a slow floor, then once a second a description of
the last window (facts/seismic.md 3.1), evidence for each class, persistence and hysteresis.
Every ground-velocity channel is followed; each second is judged by the one that hears best.
"""

import math
from collections.abc import Mapping

import numpy as np

from fusion.kernels import seismic as kernel
from fusion.kernels import seismic_window
from fusion.seismic_bank import Bank
from fusion.seismic_event import Event
from fusion.seismic_features import features_of
from fusion.seismic_policy import SeismicPolicy
from fusion.types import SECOND_NS, Detection, Origin, SensorSpec

VERTICAL_GAIN = 1.25
"""So much better a horizontal must hear to be used: steps and axles shake the ground up and
down (Rayleigh waves), and the classes are tuned on verticals."""
KEPT_GAIN = 1.5
"""So much better another channel must hear to be used in the middle of an event: levels and
peaks of different channels do not compare."""


class Station:
    """One event at a time, whichever of the channels hear it."""

    def __init__(self, spec: SensorSpec, policy: SeismicPolicy) -> None:
        self.origin = Origin.SENSOR
        """Of the samples; set by whoever feeds the bank."""
        self._spec = spec
        self._policy = policy
        self._event: Event | None = None
        self._look_utc_ns = 0
        self._second: dict[str, tuple[float, float, float]] = {}
        """Of each channel since the last look: peak in um/s, STA/LTA, samples above `on`."""
        self._tripped: dict[str, bool] = {}

    def look(
        self, bank: Bank, columns: Mapping[str, int], bin_number: int, end_utc_ns: int
    ) -> list[Detection]:
        """The bin of that number is finished on all of these columns, by channel, sorted."""
        bins = bank.rings[1]
        at = bin_number % kernel.BIN_RING
        for name, column in columns.items():
            row = bins[column, at]
            if row[kernel.RATIO] == 0.0:
                continue
            peak_um_s, ratio, above = self._second.get(name, (0.0, 0.0, 0.0))
            self._second[name] = (
                max(peak_um_s, float(row[kernel.PEAK])),
                max(ratio, float(row[kernel.RATIO])),
                above + float(row[kernel.ABOVE]),
            )
        if end_utc_ns < self._look_utc_ns:
            return []
        self._look_utc_ns = (end_utc_ns // SECOND_NS + 1) * SECOND_NS
        detections: list[Detection] = []
        second, self._second = self._second, {}
        heard = {name: second[name] for name in columns if name in second}
        if heard:
            self._weigh(bank, columns, heard, bin_number, end_utc_ns, detections)
        return detections

    def finish(self, utc_ns: int) -> list[Detection]:
        """Nothing more is coming: end the event."""
        detections: list[Detection] = []
        self._second = {}
        self._tripped = {}
        self._look_utc_ns = 0
        self._end(utc_ns, detections)
        return detections

    def _weigh(  # noqa: PLR0917 - all of them are of one second
        self,
        bank: Bank,
        columns: Mapping[str, int],
        heard: Mapping[str, tuple[float, float, float]],
        bin_number: int,
        utc_ns: int,
        detections: list[Detection],
    ) -> None:
        """Once a second: is something going on, and what is it like?"""
        policy = self._policy
        for each, (_, ratio, above) in heard.items():
            self._tripped[each] = above > 0.0 or (
                self._tripped.get(each, False) and ratio >= policy.off
            )
        event = self._event
        name = _hears_best(heard, event.channel if event is not None else "")
        peak_um_s, ratio, _ = heard[name]
        column = columns[name]
        level = _level(bank, column, bin_number, 2.0)
        active = self._tripped[name] or level >= policy.level_on
        if event is None:
            if not active:
                return
            event = self._event = Event(utc_ns - SECOND_NS, policy)
        event.hear(name, peak_um_s, ratio, _level(bank, column, bin_number, 1.0), utc_ns)
        if active:
            frames, bins = bank.rings
            window = seismic_window.describe(
                bin_number,
                round(policy.window_s / bank.bin_s),
                policy.slowest_hz,
                policy.fastest_hz,
                bank.bin_samples,
                bank.bin_s,
                frames[column],
                bins[column],
            )
            duration_s = (utc_ns - event.start_utc_ns) / SECOND_NS
            event.weigh(features_of(window.tolist(), level, duration_s, event.swell), utc_ns)
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
            origin=self.origin,
            kind="seismic.event",
            start_utc_ns=event.start_utc_ns,
            end_utc_ns=utc_ns,
            facts=event.facts(utc_ns, final=final),
            final=final,
        )


def _level(bank: Bank, column: int, bin_number: int, seconds: float) -> float:
    """rms of the last bins over the quiet floor."""
    bins = bank.rings[1][column]
    taken = min(round(seconds / bank.bin_s), bin_number + 1)
    rows = bins[np.arange(bin_number + 1 - taken, bin_number + 1) % kernel.BIN_RING]
    floor = float(rows[-1, kernel.FLOOR])
    if floor <= 0.0:
        return 0.0
    return math.sqrt(math.fsum(rows[:, kernel.SUM_2].tolist()) / (taken * bank.bin_samples) / floor)


def _hears_best(heard: Mapping[str, tuple[float, float, float]], kept: str) -> str:
    """The channel with the highest STA/LTA; of near-equals the one in use, then a vertical."""
    best, most = "", -1.0
    for name, (_, ratio, _) in heard.items():
        gain = (VERTICAL_GAIN if name.endswith("Z") else 1.0) * (KEPT_GAIN if name == kept else 1.0)
        if ratio * gain > most:
            best, most = name, ratio * gain
    return best
