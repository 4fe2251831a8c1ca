"""What was measured of a pass or an event: its detection, and the files that are made of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from fusion.pass_record import PassRecord, SpectraRecord
from fusion.spectra.assess import Assessment, Reference
from fusion.spectra.instrument import Instrument
from fusion.spectra.slices import Slice
from fusion.types import Detection, Fact, Origin, SensorSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Slices, what they were compared with, and what was found in them."""

    slices: list[Slice]
    instrument: Instrument
    reference: Reference | None
    found: Assessment

    @property
    def window(self) -> list[Slice]:
        """The slices that the verdict rests on."""
        first, stop = self.found.window
        return self.slices[first:stop] or self.slices


def spectra_record(story: Story) -> SpectraRecord:
    """The spectra of the slices; they are bounded where they are gathered."""
    slices, reference = story.slices, story.reference
    return SpectraRecord(
        detectors=story.instrument.names,
        edges_kev=story.instrument.edges_kev.astype(np.float32),
        starts_utc_ns=np.array([one.start_utc_ns for one in slices], np.int64),
        real_s=np.array([one.real_s for one in slices]),
        live_s=np.array([one.live_s for one in slices]),
        counts=np.array([one.counts for one in slices], np.uint32),
        background_counts=None if reference is None else reference.counts.copy(),
        background_live_s=0.0 if reference is None else float(reference.live_s.mean()),
        window=story.found.window,
        detector_type=story.instrument.detector_type,
    )


def pass_record(sensor_id: str, story: Story) -> PassRecord:
    """Of spectra alone, where nobody has marked a vehicle."""
    spectra = spectra_record(story)
    slices, reference = story.slices, story.reference
    counts = np.array([one.counts.sum(axis=1, dtype=np.int64) for one in slices], np.int64)
    neutrons = [one for one in slices if one.neutrons is not None]
    background = None
    if reference is not None:
        background = reference.counts.sum(axis=1) / np.maximum(reference.live_s, 1e-9)
    return PassRecord(
        sensor_id=sensor_id,
        panels=counts.shape[1],
        opened_utc_ns=slices[0].start_utc_ns,
        closed_utc_ns=slices[-1].end_utc_ns,
        counter=None,
        speed_m_s=None,
        length_m=None,
        starts_utc_ns=spectra.starts_utc_ns,
        scan_s=float(np.median(spectra.real_s)),
        gamma_counts=counts,
        passed_m=np.zeros(len(slices)),
        gamma_background_cps=background,
        gamma_background_s=spectra.background_live_s,
        clean_counts=None,
        fitted_counts=None,
        alarm_counts=None,
        neutron_starts_utc_ns=np.array([one.start_utc_ns for one in neutrons], np.int64),
        neutron_s=np.array([one.real_s for one in neutrons]),
        neutron_counts=np.array([one.neutrons for one in neutrons], np.int64),
        neutron_background_cps=None,
        neutron_background_s=0.0,
        spectra=spectra,
    )


def with_spectra(record: PassRecord | None, sensor_id: str, story: Story) -> PassRecord:
    """The record of the gross counts with the spectra, or one made of the spectra alone."""
    if record is None:
        return pass_record(sensor_id, story)
    return replace(record, spectra=spectra_record(story))


def detection(
    spec: SensorSpec, origin: Origin, story: Story, facts: Mapping[str, Fact]
) -> Detection:
    """Of an event or a measurement that nobody has marked."""
    return Detection(
        sensor_id=spec.sensor_id,
        family=spec.family,
        origin=origin,
        kind="gamma.spectrum",
        start_utc_ns=story.window[0].start_utc_ns,
        end_utc_ns=story.window[-1].end_utc_ns,
        facts=facts,
        record=pass_record(spec.sensor_id, story),
    )
