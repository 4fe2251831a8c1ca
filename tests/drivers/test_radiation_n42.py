from dataclasses import replace

import numpy as np
import pytest

from drivers.radiation import TsaConfig
from drivers.radiation_n42 import DetectorKeys, N42Config, N42Driver
from drivers.wire import n42
from drivers.wire.malformed import Malformed
from drivers.wire.n42_frames import encode
from fusion.types import (
    SECOND_NS,
    BackgroundSample,
    CountSample,
    DetectorSpec,
    OccupancySample,
    Origin,
    Radiation,
    SpectrumSample,
    SpeedSample,
    StatusSample,
)
from tests.drivers.n42_documents import START_UTC_NS, STEP_NS, a_pass, portal_of_panels

ARRIVAL_NS = START_UTC_NS + SECOND_NS


def config(url="tcp://127.0.0.1:1", **keys):
    return N42Config(id="srpm-1", lane="nb-01", url=url, **keys)


def driver(url="tcp://127.0.0.1:1"):
    return N42Driver(config(url), Origin.SENSOR)


def feed(document, *, to=None, at=ARRIVAL_NS):
    return (to or driver()).feed(encode(n42.write(document)), at)


def of(kind, found):
    return [one for one in found if isinstance(one, kind)]


def shifted(document, seconds):
    return replace(
        document,
        measurements=tuple(
            replace(one, start_utc_ns=one.start_utc_ns + round(seconds * SECOND_NS))
            for one in document.measurements
        ),
    )


def without_background(document):
    return replace(document, measurements=document.measurements[1:])


def test_a_pass_becomes_samples_background_first():
    written = a_pass(slices=4)
    found = feed(written)
    background, *items = of(SpectrumSample, found)
    assert found[0] is background
    assert (background.role, background.duration_ms) == ("background", 300_000)
    assert [one.role for one in items] == ["item"] * 4
    assert [one.occupied for one in items] == [False, False, True, True]
    assert [one.start_utc_ns for one in items] == [START_UTC_NS + n * STEP_NS for n in range(4)]
    for sample, one in zip(items, written.measurements[1:], strict=True):
        assert sample.detectors == ("D1", "D2", "D3", "D4")
        assert np.array_equal(sample.counts, [spectrum.counts for spectrum in one.spectra])
        assert sample.counts.dtype == np.uint32
        assert sample.neutron_counts == one.gross[0].counts[0]
        assert sample.live_s == (0.0995,) * 4
        assert (sample.duration_ms, sample.detector_type) == (100, "NaI")


def test_edges_are_one_object_while_the_calibration_stays():
    to = driver()
    items = of(SpectrumSample, feed(a_pass(), to=to) + feed(shifted(a_pass(), 1), to=to))
    assert items[0].edges_kev.shape == (4, 65)
    assert all(one.edges_kev is items[0].edges_kev for one in items)
    assert not items[0].edges_kev.flags.writeable


def test_an_occupancy_opens_and_goes_on_into_the_next_document():
    to = driver()
    found = feed(a_pass(slices=4), to=to, at=START_UTC_NS + 4 * STEP_NS)
    ((opened,), (speed, again)) = of(OccupancySample, found), of(SpeedSample, found)
    assert (opened.opened, opened.start_utc_ns) == (True, START_UTC_NS + 2 * STEP_NS)
    assert speed.speed_m_s == again.speed_m_s == 2.2
    later = without_background(shifted(a_pass(slices=2), 0.4))
    found = feed(later, to=to, at=START_UTC_NS + 6 * STEP_NS)
    (closed,) = of(OccupancySample, found)
    assert (closed.opened, closed.start_utc_ns) == (False, START_UTC_NS + 4 * STEP_NS)


def test_an_occupancy_that_is_told_of_no_more_has_ended():
    to = driver()
    feed(a_pass(slices=4), to=to)
    found = feed(without_background(shifted(a_pass(slices=4), 60)), to=to, at=0)
    closed, opened = of(OccupancySample, found)
    assert (closed.opened, closed.start_utc_ns) == (False, START_UTC_NS + 4 * STEP_NS)
    assert opened.opened


def test_in_a_folder_an_occupancy_ends_with_its_document():
    found = feed(a_pass(slices=4), to=driver("folder:."))
    assert [one.opened for one in of(OccupancySample, found)] == [True, False]


def test_the_devices_own_counter_is_carried():
    document = replace(a_pass(), remarks=("Occupancy number = 18",))
    assert of(OccupancySample, feed(document))[0].counter == 18


def test_panels_become_counts_and_background():
    panels = portal_of_panels(2)
    vacant = replace(
        panels, measurements=tuple(replace(one, occupied=False) for one in panels.measurements)
    )
    counted = of(CountSample, feed(panels))
    assert [(one.counts, one.duration_ms) for one in counted] == [((50, 50, 50, 50), 200)] * 2
    assert {one.radiation for one in counted} == {Radiation.GAMMA}
    assert [one.rate_cps for one in of(BackgroundSample, feed(vacant))] == [(250.0,) * 4] * 2


def test_a_fault_lasts_until_a_document_does_not_name_it():
    to = driver()
    faulty, clean = a_pass(slices=3), without_background(shifted(a_pass(slices=2), 1))
    (began,) = of(StatusSample, feed(faulty, to=to))
    assert (began.code, began.active, began.text) == ("tamper", True, "D1: door open")
    assert of(StatusSample, feed(faulty, to=to)) == []
    # A document of background alone says nothing of faults.
    background = replace(faulty, measurements=faulty.measurements[:1])
    assert of(StatusSample, feed(background, to=to)) == []
    (ended,) = of(StatusSample, feed(clean, to=to, at=ARRIVAL_NS + SECOND_NS))
    assert (ended.code, ended.active) == ("tamper", False)


def with_spectra(document, change):
    return replace(
        document,
        measurements=tuple(
            replace(one, spectra=tuple(map(change, one.spectra))) for one in document.measurements
        ),
    )


@pytest.mark.parametrize(
    "absurd", [n42.UNKNOWN_CALIBRATION, n42.Calibration(coefficients=(0.0, -3.0, 0.0))]
)
def test_without_energies_there_are_counts_all_the_same(absurd):
    to = driver()
    document = with_spectra(
        a_pass(slices=2), lambda spectrum: replace(spectrum, calibration=absurd)
    )
    found = feed(document, to=to)
    assert [one.edges_kev.size for one in of(SpectrumSample, found)] == [0, 0, 0]
    assert [one.reason for one in of(Malformed, found)] == ["no-calibration"]
    assert of(Malformed, feed(shifted(document, 1), to=to)) == []  # told once


def test_a_detector_without_energies_does_not_take_them_from_the_others():
    document = with_spectra(
        a_pass(slices=1),
        lambda one: (
            replace(one, calibration=n42.UNKNOWN_CALIBRATION) if one.detector == "D2" else one
        ),
    )
    item = [one for one in of(SpectrumSample, feed(document)) if one.role == "item"]
    assert [(one.detectors, one.edges_kev.shape) for one in item] == [
        (("D1", "D3", "D4"), (3, 65)),
        (("D2",), (0, 0)),
    ]
    assert [one.neutron_counts is None for one in item] == [False, True]


def test_detectors_of_other_channels_are_apart():
    document = with_spectra(
        a_pass(slices=1),
        lambda one: replace(one, counts=one.counts[:32]) if one.detector == "D4" else one,
    )
    item = [one for one in of(SpectrumSample, feed(document)) if one.role == "item"]
    assert [one.counts.shape for one in item] == [(3, 64), (1, 32)]


def test_a_detector_told_twice_counts_once():
    one = a_pass(slices=1).measurements[1]
    linear = one.spectra[0]
    squeezed = replace(linear, calibration=n42.Calibration(coefficients=(0.0, 1.0, 0.5)))
    document = replace(
        a_pass(), measurements=(replace(one, spectra=(linear, squeezed, *one.spectra[1:])),)
    )
    (item,) = of(SpectrumSample, feed(document))
    assert item.detectors == ("D1", "D2", "D3", "D4")


def test_a_document_from_the_future_gets_the_arrivals_time():
    found = feed(shifted(a_pass(slices=5), 3600))
    assert [one.reason for one in of(Malformed, found)] == ["clock-ahead"]
    item = of(SpectrumSample, found)[-1]
    assert item.start_utc_ns == ARRIVAL_NS - STEP_NS


def test_a_clock_that_was_set_back_does_not_stop_the_time():
    to = driver()
    feed(a_pass(slices=5), to=to)
    found = feed(
        without_background(shifted(a_pass(slices=5), -3600)), to=to, at=ARRIVAL_NS + SECOND_NS
    )
    assert [one.reason for one in of(Malformed, found)] == ["clock-behind"]
    starts = [one.start_utc_ns for one in of(SpectrumSample, found)]
    assert starts[-1] == ARRIVAL_NS + SECOND_NS - STEP_NS
    assert starts == sorted(starts)


def test_a_document_without_times_has_just_ended():
    document = replace(
        a_pass(),
        measurements=tuple(
            replace(one, start_utc_ns=None) for one in a_pass(slices=5).measurements[1:]
        ),
    )
    starts = [one.start_utc_ns for one in of(SpectrumSample, feed(document))]
    assert starts == [ARRIVAL_NS - n * STEP_NS for n in (5, 4, 3, 2, 1)]


def test_a_mobile_detector_has_no_occupancy():
    one = a_pass(slices=1).measurements[1]
    document = replace(
        a_pass(),
        measurements=tuple(
            replace(one, occupied=None, real_s=4.0, start_utc_ns=START_UTC_NS + n * 4 * SECOND_NS)
            for n in range(3)
        ),
    )
    found = feed(document, at=0)
    assert of(OccupancySample, found) == []
    assert [(s.occupied, s.duration_ms) for s in of(SpectrumSample, found)] == [(None, 4000)] * 3


def test_what_a_document_says_of_calibrations_is_not_measured():
    one = a_pass(slices=1).measurements[1]
    document = replace(a_pass(), measurements=(replace(one, class_code="Calibration"),))
    assert feed(document) == []


def test_a_spoilt_document_costs_itself_alone():
    to = driver()
    assert [one.reason for one in to.feed(encode(b"<no/>"), 0)] == ["not-n42"]
    assert of(SpectrumSample, feed(a_pass(), to=to))


def test_a_folder_may_be_silent_and_a_link_not():
    assert config("folder:/x").silent_after_s == 0.0
    assert config("folder:/x", silent_after_s=60).silent_after_s == 60
    assert config().silent_after_s is None


def test_the_detectors_keys_are_the_engines():
    assert DetectorKeys().spec() == DetectorSpec()
    assert DetectorKeys(material="HPGe", resolution_percent=0.2).spec() == DetectorSpec(
        material="HPGe", resolution_percent=0.2
    )


def test_another_kinds_configuration_is_a_mistake():
    with pytest.raises(TypeError, match="srpm-1"):
        N42Driver(TsaConfig(id="srpm-1", url="tcp://a:1"), Origin.SENSOR)
