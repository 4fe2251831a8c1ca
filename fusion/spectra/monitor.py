"""Spectra without occupancy marks: events in a series of slices, or one long measurement.

A series is watched against a background that follows its quiet slices; the natural series are
free, so a street of granite is no event. An event is judged when there are quiet slices on both
sides of it, or the record is over.
"""

from dataclasses import replace
from functools import reduce

import numpy as np

from fusion.spectra.assess import (
    Reference,
    assess,
    quietest,
    spectral_facts,
    sum_of,
)
from fusion.spectra.detector import detector_of
from fusion.spectra.event import Event, is_natural, is_source, latest_neutrons
from fusion.spectra.instrument import Instrument
from fusion.spectra.policy import SpectraPolicy
from fusion.spectra.quiet import Quiet
from fusion.spectra.record import Story, detection
from fusion.spectra.slices import Slice, Slices, is_over_range, merged, slice_of
from fusion.spectra.static import Heard, judge_static
from fusion.spectra.still import Dwell
from fusion.spectra.verdict import IdentifyPolicy
from fusion.types import SECOND_NS, Detection, Origin, SensorSpec, SpectrumSample

CLOSING_WINDOWS = 3  # the shortest; longer ones still hold what is over
QUIET_SHARE = 0.6  # of the first slices: what passes does not stay for half of them
CLOSING_SIGMA = 1.0  # below the line that opens an event


class Monitor:
    """Watches the slices of one record or device that marks no vehicles."""

    def __init__(self, spec: SensorSpec, policy: SpectraPolicy, identify: IdentifyPolicy) -> None:
        self._spec = spec
        self._policy = replace(
            policy,
            average_s=policy.monitor_average_s,
            significant_sigma=policy.monitor_significant_sigma,
            usual_window_s=policy.monitor_windows_s[-1],
        )
        self._still = identify
        self._moving = replace(
            identify,
            suppression_sd=policy.monitor_level_sd,
            norm_sd=policy.monitor_norm_sd,
            tilt_sd=policy.monitor_tilt_sd,
        )
        self._origin = Origin.SENSOR
        self._instrument: Instrument | None = None
        self._first: SpectrumSample | None = None
        self._marked: SpectrumSample | None = None
        self._waiting: Slices | None = Slices(self._policy)
        """Slices before there is a background; None once there is."""
        self._waited = 0
        """How many have come, whatever became of them."""
        self._long: list[Slice] = []
        self._quiet = Quiet(self._policy)
        self._event: Event | None = None
        self._dwell = Dwell()
        self._heard = False
        self._heard_utc_ns: int | None = None
        self._judged = False
        self._saturated = False

    def take_background(self, sample: SpectrumSample) -> None:
        """What the record marks as background."""
        self._heard = True
        self._origin = sample.origin
        if self._marked is None or sample.duration_ms >= self._policy.marked_background_s * 1000:
            self._marked = sample
            if self._instrument is not None and self._instrument.fits(sample):
                self._start_background(self._instrument)

    def leave(self) -> None:
        """The record marks its vehicles: its background is no measurement of its own."""
        if self._first is None:
            self._marked, self._heard, self._heard_utc_ns = None, False, None

    def feed(self, sample: SpectrumSample) -> list[Detection]:
        """One slice."""
        self._heard = True
        self._origin = sample.origin
        if sample.edges_kev.shape != (sample.counts.shape[0], sample.counts.shape[1] + 1):
            return []
        found: list[Detection] = []
        if self._first is not None and not _alike(self._first, sample):
            found += self._finish()
            self._forget()
        self._first = self._first or sample
        one = slice_of(sample, over_range=is_over_range(sample, self._policy))
        if one.real_s >= self._policy.static_slice_s:
            self._long = [*self._long, one][-self._policy.static_slices :]
            return found
        if self._waiting is None:
            if self._instrument is not None:
                self._instrument.take_calibration(sample)
            return found + self._step(one)
        self._waiting.add(one)
        self._waited += 1
        return found + (self._start() if self._is_enough() else [])

    def tick(self, utc_ns: int) -> list[Detection]:
        """Let time pass: a record that says nothing any more is over."""
        if self._heard:
            self._heard, self._heard_utc_ns = False, utc_ns
        since = self._heard_utc_ns
        if since is None or utc_ns - since < self._policy.end_s * SECOND_NS:
            return []
        self._heard_utc_ns = None
        found = self._finish()
        self._forget()
        return found

    # --- life --------------------------------------------------------------------------

    def _is_enough(self) -> bool:
        assert self._waiting is not None
        waited_s = sum(one.real_s for one in self._waiting)
        marked = self._marked is not None and self._first is not None
        needed_s = 0.0 if marked else self._policy.monitor_start_s
        return self._waited > self._policy.static_slices and waited_s >= needed_s

    def _start(self) -> list[Detection]:
        """There is a background now: go through what has waited for it."""
        first = self._first
        assert self._waiting is not None
        assert first is not None
        waiting = list(self._waiting)
        calm = quietest([one for one in waiting if not one.over_range], QUIET_SHARE)
        if calm is None and self._marked is None:
            return self._all_over_range(waiting)
        total = sum_of(waiting)
        marked = self._marked if self._marked is not None and _alike(first, self._marked) else None
        detector = self._spec.detector or detector_of(
            total.counts if marked is None else marked.counts, first.edges_kev, first.detector_type
        )
        policy = self._policy
        instrument = Instrument(first, detector, policy, policy.monitor_windows_s, self._moving)
        self._instrument = instrument
        if not self._start_background(instrument):
            if calm is None:  # the marked background is of other detectors
                self._instrument = None
                return self._all_over_range(waiting)
            instrument.start_background(calm.counts, calm.live_s)
        self._waiting, self._saturated = None, False
        found: list[Detection] = []
        waiting.reverse()
        while waiting:  # none is kept longer than it waits
            found += self._step(waiting.pop())
        return found

    def _all_over_range(self, waiting: list[Slice]) -> list[Detection]:
        """Nothing that came can be background: told once, and kept as one slice."""
        told, self._saturated = self._saturated, True
        found = [] if told else self._judge_static(waiting)
        self._waiting, self._waited = Slices(self._policy, [reduce(merged, waiting)]), 1
        return found

    def _start_background(self, instrument: Instrument) -> bool:
        marked = self._marked
        if marked is None or not instrument.fits(marked):
            return False
        instrument.start_background(marked.counts, np.array(marked.live_s))
        return True

    def _finish(self) -> list[Detection]:
        """The record is over: what can be said now is said."""
        found: list[Detection] = []
        if self._waiting is not None and self._waited > self._policy.static_slices:
            found += self._start()
        if self._event is not None:
            found += self._judge(self._event)
        measured = self._long or list(self._waiting or ())
        whole = self._dwell.whole
        if not measured and whole is not None and not self._judged and self._dwell.is_steady:
            measured = [whole]
        alone = not measured and not self._judged and self._first is None
        if measured or (alone and self._marked is not None):
            found += self._judge_static(measured)
        self._judged = self._judged or bool(found)
        return found

    def _judge_static(self, measured: list[Slice]) -> list[Detection]:
        heard = Heard(
            spec=self._spec,
            origin=self._origin,
            measured=measured,
            first=self._first,
            marked=self._marked,
        )
        return judge_static(heard, self._policy, self._still)

    def _forget(self) -> None:
        """Whatever comes next is another record."""
        self._dwell = Dwell()
        self._instrument = self._first = self._event = None
        self._waiting, self._waited, self._long = Slices(self._policy), 0, []
        self._quiet.clear()

    # --- a series ----------------------------------------------------------------------

    def _step(self, one: Slice) -> list[Detection]:
        instrument, policy = self._instrument, self._policy
        assert instrument is not None
        if not one.over_range:
            one = instrument.test(one, vacant=False)
        sigmas = instrument.stream.found.sigma[0]
        loud = one.over_range or max(
            float(sigmas.max()), latest_neutrons(one, self._quiet.recent, self._quiet.neutrons)
        ) >= (policy.monitor_sigma)
        event = self._event
        if event is None or event.over:
            if not loud:
                return self._calm(one)
            return self._open(one, sigmas)
        event.slices.add(one)
        closing = float(sigmas[:CLOSING_WINDOWS].max()) >= policy.monitor_sigma - CLOSING_SIGMA
        event.quiet_s = 0.0 if closing or one.over_range else event.quiet_s + one.real_s
        lasted_s = (one.end_utc_ns - event.slices[0].start_utc_ns) / SECOND_NS
        if event.quiet_s >= policy.event_gap_s:
            event.over = True
            instrument.stream.forget_slices(0)
        elif lasted_s >= policy.event_longest_s:
            return self._accept(event)
        return []

    def _calm(self, one: Slice) -> list[Detection]:
        """A quiet slice: background, but not at once."""
        self._dwell.add(one)
        assert self._instrument is not None
        self._quiet.add(one, self._instrument)
        event = self._event
        if event is None:
            return []
        event.after.add(one)
        if sum(each.real_s for each in event.after) < self._policy.event_after_s:
            return []
        self._event = None
        return self._judge(event)

    def _open(
        self, one: Slice, sigmas: np.ndarray[tuple[int], np.dtype[np.float64]]
    ) -> list[Detection]:
        """Loud: an event begins with the window that says so, or the last one goes on."""
        policy = self._policy
        found: list[Detection] = []
        window_s = 0.0
        if float(sigmas.max()) >= policy.monitor_sigma:
            window_s = policy.monitor_windows_s[int(np.argmax(sigmas))]
        since = one.end_utc_ns - round(window_s * SECOND_NS)
        began = [*self._quiet.take_since(since), one]
        earlier = self._event
        if earlier is not None:
            gap_s = (began[0].start_utc_ns - earlier.slices[-1].end_utc_ns) / SECOND_NS
            if gap_s <= policy.event_gap_s:
                for each in [*earlier.after, one]:
                    earlier.slices.add(each)
                earlier.after = Slices(policy)
                earlier.over, earlier.quiet_s = False, 0.0
                return found
            found += self._judge(earlier)
        self._event = Event(
            slices=Slices(policy, began),
            before=list(self._quiet),
            after=Slices(policy),
            neutrons=self._quiet.neutrons,
        )
        return found

    def _accept(self, event: Event) -> list[Detection]:
        """It stays: told, and the background from here on."""
        self._event = None
        found = self._judge(event)
        assert self._instrument is not None
        calm = sum_of(list(event.slices)[len(event.slices) // 2 :])
        self._instrument.start_background(calm.counts, calm.live_s)
        self._quiet.clear()
        return found

    def _judge(self, event: Event) -> list[Detection]:
        instrument, policy = self._instrument, self._policy
        assert instrument is not None
        slices = list(event.slices)
        around = [*event.before, *event.after]
        reference: Reference | None = None
        if sum(one.real_s for one in around) >= policy.background_least_s:
            reference = sum_of(around)
        elif instrument.has_background:
            reference = Reference(
                counts=instrument.background_counts, live_s=instrument.background_live_s
            )
        found = assess(slices, instrument, reference, policy)
        facts = spectral_facts(found, policy.significant_sigma)
        neutron_sigma = event.neutron_sigma
        told = is_source(found, policy.significant_sigma) or is_natural(
            found, policy.significant_sigma
        )
        if not told and neutron_sigma < policy.monitor_sigma:
            for one in slices:
                self._dwell.add(one)
            return []
        self._judged = True
        facts |= {"neutron_sigma": round(neutron_sigma, 3), "extent": "none", "monitored": True}
        facts["reference"] = "none" if reference is None else "quiet slices"
        story = Story(slices=slices, instrument=instrument, reference=reference, found=found)
        return [detection(self._spec, self._origin, story, facts)]


def _alike(one: SpectrumSample, other: SpectrumSample) -> bool:
    return one.detectors == other.detectors and one.counts.shape == other.counts.shape
