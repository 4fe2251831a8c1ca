"""A portal, with spectra or without: samples in, detections out.

Gross counts go the way they go at every portal. Where there are spectra, each pass is told as one
`gamma.spectrum` in the place of its `gamma.profile`; records without occupancy marks are watched
by the `Monitor`.
"""

from dataclasses import replace

from fusion.pass_record import PassRecord
from fusion.radiation import RadiationDetector, RadiationPolicy
from fusion.spectra.assess import (
    Assessment,
    Reference,
    assess,
    quietest,
    spectral_facts,
)
from fusion.spectra.detector import detector_of
from fusion.spectra.gross import GrossCounts
from fusion.spectra.instrument import Instrument
from fusion.spectra.marks import Marks
from fusion.spectra.monitor import Monitor
from fusion.spectra.place import place_facts
from fusion.spectra.plastic import Plastic, is_plastic
from fusion.spectra.policy import SpectraPolicy
from fusion.spectra.record import Story, pass_record, with_spectra
from fusion.spectra.slices import Slice, Slices, is_over_range, slice_of
from fusion.spectra.telling import (
    is_empty,
    is_significant,
    number,
    pass_facts,
    without_usual_dips,
)
from fusion.spectra.verdict import IdentifyPolicy
from fusion.spectra.verdicts import Verdicts
from fusion.types import (
    SECOND_NS,
    Detection,
    DetectorSpec,
    Fact,
    OccupancySample,
    Sample,
    SensorSpec,
    SpectrumSample,
)

NATURAL = ("norm", "background")
TELLING_COUNTS = 20_000  # a spectrum with fewer tells little of its detector


class _Pass:
    """One vehicle in front of the detectors."""

    def __init__(self, policy: SpectraPolicy) -> None:
        self.slices = Slices(policy)
        self.verdicts = Verdicts()
        self.told_sigma = 0.0
        self.looked_utc_ns = 0


class Portal:
    """One portal. Bounded; never asks a clock."""

    def __init__(
        self,
        spec: SensorSpec,
        radiation: RadiationPolicy,
        spectra: SpectraPolicy,
        identify: IdentifyPolicy,
    ) -> None:
        self._spec = spec
        self._policy = spectra
        self._identify = identify
        self._gross_policy = radiation
        self._radiation = RadiationDetector(spec, radiation)
        self._gross = GrossCounts(spec.sensor_id)
        self._monitor = Monitor(spec, spectra, identify)
        self._instrument: Instrument | None = None
        self._settled = spec.detector is not None
        self._passage: _Pass | None = None
        self._disturbed_s = 0.0
        self._marked_utc_ns: int | None = None
        self._plastic = Plastic()
        self._marks = Marks()
        self._has_marks = False
        """Whether slices say if there is a vehicle."""

    def feed(self, sample: Sample) -> list[Detection]:
        """What this sample adds."""
        if isinstance(sample, OccupancySample):
            spectral = self._passage is not None and len(self._passage.slices) > 0
            return self._mark(self._marks.take(sample, holding=spectral))
        if isinstance(sample, SpectrumSample):
            if sample.role == "background" and not sample.counts.any():
                return []  # minutes without one count are no background: the spectrum was not read
            left = sample.occupied is False and sample.role != "background"
            found = self._mark(self._marks.release()) if left else []
            return found + self._spectrum(sample)
        return self._joined(self._radiation.feed(sample))

    def tick(self, utc_ns: int) -> list[Detection]:
        """Let time pass: an occupancy that went silent ends, and so does a record."""
        marks = self._marks.tick(utc_ns)
        found = self._mark(marks) if marks else []
        if ended := self._radiation.tick(utc_ns):
            found += self._joined(ended)
        if found and any(one.kind == "portal.occupancy" and one.final for one in found):
            self._passage = None
        return found + self._monitor.tick(utc_ns)

    def _mark(self, marks: list[OccupancySample]) -> list[Detection]:
        found: list[Detection] = []
        for mark in marks:
            found += self._joined(self._radiation.feed(mark))
            self._plastic.clear()
            if self._instrument is not None:
                self._passage = _Pass(self._policy) if mark.opened else None
                self._instrument.finish_block()
        return found

    # --- spectra -----------------------------------------------------------------------

    def _spectrum(self, sample: SpectrumSample) -> list[Detection]:
        plastic = is_plastic(sample)
        if sample.occupied is None and sample.role != "background":
            # Without a vehicle's marks there is nothing that windows could be held against.
            return [] if plastic else self._monitor.feed(sample)
        found: list[Detection] = []
        if sample.role == "background" and not sample.occupied:
            told_again = sample.start_utc_ns == self._marked_utc_ns
            frozen = self._passage is not None and len(self._passage.slices) > 0
            if told_again or frozen:  # each document of a pass may bring the same background
                return []
            self._marked_utc_ns = sample.start_utc_ns
            if not self._has_marks and not plastic:
                self._monitor.take_background(sample)
        elif not self._has_marks:
            self._has_marks = True
            self._monitor.leave()
        usable = _is_usable(sample) and not plastic
        if plastic:
            self._plastic.take(sample)
        if usable:
            self._take_instrument(sample)
        if not sample.occupied:
            if (
                self._passage is not None and sample.occupied is False
            ):  # the record marks its slices and not its vehicles
                found += self._close(sample)
            for report in self._gross.vacant(sample):
                self._radiation.feed(report)
            if usable:
                self._vacant(sample)
            return found
        for scan in self._gross.occupied(sample):
            found += self._joined(self._radiation.feed(scan))
        return found + (self._occupied(sample) if usable else [])

    def _close(self, sample: SpectrumSample) -> list[Detection]:
        closed = OccupancySample(
            sensor_id=sample.sensor_id,
            origin=sample.origin,
            start_utc_ns=sample.start_utc_ns,
            opened=False,
            counter=None,
        )
        return self._mark([closed])

    def _take_instrument(self, sample: SpectrumSample) -> None:
        instrument = self._instrument
        if instrument is not None and instrument.fits(sample):
            instrument.take_calibration(sample)
            return
        detector = self._spec.detector or detector_of(
            sample.counts, sample.edges_kev, sample.detector_type
        )
        self._instrument = self._new_instrument(sample, detector)
        self._passage = None

    def _new_instrument(self, sample: SpectrumSample, detector: DetectorSpec) -> Instrument:
        policy = self._policy
        return Instrument(sample, detector, policy, policy.windows_s, self._identify)

    def _vacant(self, sample: SpectrumSample) -> None:
        instrument = self._instrument
        assert instrument is not None
        one = slice_of(sample, over_range=is_over_range(sample, self._policy))
        if one.over_range:
            return
        if one.real_s >= self._policy.marked_background_s and sample.role == "background":
            instrument.start_background(one.counts, one.live_s)
        else:
            quiet = instrument.stream.highest(0) < self._policy.quiet_sigma
            self._disturbed_s = 0.0 if quiet else self._disturbed_s + one.real_s
            if self._disturbed_s > self._policy.accept_after_s:
                instrument.stream.forget_background(0)
            instrument.test(one, vacant=quiet)
        self._settle(sample)

    def _settle(self, sample: SpectrumSample) -> None:
        """Look at the detector again once its background has counts enough."""
        instrument = self._instrument
        assert instrument is not None
        if self._settled or instrument.background_counts.sum() < TELLING_COUNTS:
            return
        self._settled = True
        detector = detector_of(
            instrument.background_counts, instrument.edges_kev, sample.detector_type
        )
        if detector != instrument.detector:
            other = self._new_instrument(sample, detector)
            other.start_background(instrument.background_counts, instrument.background_live_s)
            self._instrument = other

    def _occupied(self, sample: SpectrumSample) -> list[Detection]:
        instrument = self._instrument
        assert instrument is not None
        if self._passage is None:
            self._passage = _Pass(self._policy)
            instrument.finish_block()
        one = slice_of(sample, over_range=is_over_range(sample, self._policy))
        if not one.over_range:
            one = instrument.test(one, vacant=False)
        self._passage.slices.add(one)
        return self._interim(sample, one)

    # --- detections --------------------------------------------------------------------

    def _interim(self, sample: SpectrumSample, one: Slice) -> list[Detection]:
        """A strong source is told while the vehicle is still there."""
        passage, instrument, policy = self._passage, self._instrument, self._policy
        assert passage is not None
        assert instrument is not None
        line = max(policy.interim_sigma, policy.interim_growth * passage.told_sigma)
        since_s = (one.end_utc_ns - passage.looked_utc_ns) / SECOND_NS
        strong = not one.over_range and instrument.stream.highest(0) >= line
        new_over_range = one.over_range and passage.told_sigma == 0.0
        if since_s < policy.interim_every_s or not (strong or new_over_range):
            return []
        passage.looked_utc_ns = one.end_utc_ns
        found = self._assess(passage, 0.0)
        facts = spectral_facts(found, policy.significant_sigma)
        if not found.over_range:
            if found.verdict is None or found.verdict.sigma < line:
                return []
            if facts["category"] == "background":
                return []
        passage.told_sigma = max(float(str(facts["gamma_sigma"])), policy.interim_sigma)
        story = Story(
            slices=list(passage.slices),
            instrument=instrument,
            reference=self._reference(passage),
            found=found,
        )
        return [
            Detection(
                sensor_id=self._spec.sensor_id,
                family=self._spec.family,
                origin=sample.origin,
                kind="gamma.spectrum",
                start_utc_ns=passage.slices[0].start_utc_ns,
                end_utc_ns=one.end_utc_ns,
                facts=facts | {"extent": "none", "interim": True},
                final=False,
                record=pass_record(self._spec.sensor_id, story),
            )
        ]

    def _joined(self, detections: list[Detection]) -> list[Detection]:
        """The detections, spectra in the place of profiles."""
        if not detections:  # nearly always
            return detections
        passage = self._passage
        if passage is None or not len(passage.slices):
            return [
                self._plastic.told(one) if one.kind == "gamma.profile" else one
                for one in detections
            ]
        neutrons: dict[str, Fact] = {}
        emits = False
        detections = without_usual_dips(detections, self._gross_policy.dip_sigma, self._policy)
        for one in detections:
            if one.kind == "neutron.counts":
                neutrons = {"neutron_sigma": one.facts["neutron_sigma"]}
                emits = one.facts.get("significant") is True
        return [
            self._told(one, passage, neutrons, emits=emits) if one.kind == "gamma.profile" else one
            for one in detections
        ]

    def _told(
        self, profile: Detection, passage: _Pass, neutrons: dict[str, Fact], *, emits: bool
    ) -> Detection:
        instrument = self._instrument
        assert instrument is not None
        gross_sigma = number(profile.facts.get("gamma_sigma"))
        found = self._assess(passage, gross_sigma if is_significant(profile.facts, 0.0) else 0.0)
        reference = self._reference(passage)
        known = "none" if reference is None else "quiet slices"
        if instrument.has_background:
            known = "background"
        spectral = pass_facts(profile.facts, found, known, self._policy)
        if emits and spectral["category"] in NATURAL:  # no rock emits neutrons that show
            spectral["category"] = "unknown"
        measured = profile.record if isinstance(profile.record, PassRecord) else None
        record = measured
        if profile.final:
            story = Story(
                slices=list(passage.slices),
                instrument=instrument,
                reference=reference,
                found=found,
            )
            record = with_spectra(record, self._spec.sensor_id, story)
            if known == "background" and not emits and is_empty(profile.facts, found):
                instrument.learn_shape(passage.slices)
        passage.told_sigma = max(passage.told_sigma, number(spectral["gamma_sigma"]))
        place = place_facts(
            found,
            spectral,
            list(passage.slices),
            measured,
            distance_m=self._spec.panel_distance_m,
            cab_m=self._gross_policy.cab_m,
        )
        facts = dict(profile.facts) | spectral | neutrons | place
        return replace(profile, kind="gamma.spectrum", facts=facts, record=record)

    def _assess(self, passage: _Pass, gross_sigma: float) -> Assessment:
        instrument = self._instrument
        assert instrument is not None
        return assess(
            list(passage.slices),
            instrument,
            self._reference(passage),
            self._policy,
            gross_sigma=gross_sigma,
            verdicts=passage.verdicts,
        )

    def _reference(self, passage: _Pass) -> Reference | None:
        """The background when the vehicle came, or else the pass's own quiet slices."""
        instrument = self._instrument
        assert instrument is not None
        if instrument.has_background:
            return Reference(
                counts=instrument.background_counts, live_s=instrument.background_live_s
            )
        return quietest(list(passage.slices))


def _is_usable(sample: SpectrumSample) -> bool:
    detectors, channels = sample.counts.shape
    return detectors > 0 and sample.edges_kev.shape == (detectors, channels + 1)
