"""One measurement that stands for itself: a spectrum of minutes, with or without a background."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fusion.radiation_pass import excess_sigma
from fusion.spectra.assess import Assessment, Reference, background_for, spectral_facts, sum_of
from fusion.spectra.detector import detector_of
from fusion.spectra.instrument import Instrument
from fusion.spectra.policy import SpectraPolicy
from fusion.spectra.record import Story, detection
from fusion.spectra.slices import Slice, is_over_range, slice_of
from fusion.spectra.verdict import IdentifyPolicy
from fusion.types import Detection, Origin, SensorSpec, SpectrumSample


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """All that a record holds."""

    spec: SensorSpec
    origin: Origin
    measured: Sequence[Slice]
    first: SpectrumSample | None
    """The sample that the slices' calibration is taken from."""
    marked: SpectrumSample | None
    """What the record calls background."""


def judge_static(heard: Heard, policy: SpectraPolicy, identify: IdentifyPolicy) -> list[Detection]:
    """One detection of everything that was measured.

    A record that is nothing but background is judged as a measurement without one: it is told as
    one detection of the category `background`, unless there is something in it.
    """
    first, marked, spec = heard.first, heard.marked, heard.spec
    sample = first if first is not None else marked
    if sample is None or sample.edges_kev.size == 0:
        return []
    slices = list(heard.measured)
    reference: Reference | None = None
    if not slices:
        slices = [slice_of(sample, over_range=is_over_range(sample, policy))]
    elif marked is not None and marked.counts.shape == sample.counts.shape:
        reference = Reference(
            counts=marked.counts.astype(np.float64), live_s=np.array(marked.live_s, np.float64)
        )
    over_range = any(one.over_range for one in slices)
    usable = [one for one in slices if not one.over_range]
    if not usable:
        usable, identified = slices, False
    else:
        identified = True
    total = sum_of(usable)
    known = total if reference is None else reference
    detector = spec.detector or detector_of(total.counts, sample.edges_kev, sample.detector_type)
    instrument = Instrument(sample, detector, policy, policy.windows_s, identify)
    # For its gain only: there is no stream.
    instrument.start_background(known.counts, known.live_s)
    verdict = None
    if identified:
        rows = list(range(len(instrument.names)))
        background, background_s = None, 0.0
        if reference is not None:
            background, background_s = background_for(rows, total.live_s, instrument, reference)
        verdict = instrument.identifier.identify(
            instrument.binned(total.counts), float(total.live_s.mean()), background, background_s
        )
    found = Assessment(
        verdict=verdict,
        window=(0, len(slices)),
        score_sigma=0.0,
        over_range=over_range,
        detectors=tuple(range(len(instrument.names))),
        identify=identify,
    )
    line = identify.alarm_sigma if reference is not None else policy.unmeasured_sigma
    facts = spectral_facts(found, line)
    neutron_sigma = _neutrons(slices, marked)
    facts |= {"neutron_sigma": round(neutron_sigma, 3), "extent": "none", "static": True}
    facts["reference"] = "none" if reference is None else "background"
    story = Story(slices=slices, instrument=instrument, reference=reference, found=found)
    return [detection(heard.spec, heard.origin, story, facts)]


def _neutrons(slices: Sequence[Slice], marked: SpectrumSample | None) -> float:
    if marked is None or marked.neutron_counts is None:
        return 0.0
    counted = [one for one in slices if one.neutrons is not None]
    seconds = sum(one.real_s for one in counted)
    known_s = marked.duration_ms / 1000
    if not counted or known_s <= 0.0:
        return 0.0
    counts = sum(one.neutrons or 0 for one in counted)
    return max(0.0, excess_sigma(counts, seconds, marked.neutron_counts / known_s, known_s))
