"""The spectroscopic portal: what its documents say, read back by the plain reader."""

from dataclasses import replace

import numpy as np
import pytest

from drivers.wire import n42
from drivers.wire.n42_frames import FrameDecoder, split
from simulators import radiation_n42
from simulators.radiation_n42 import SpectroscopicPortalSimulator, detector_names, files_of
from simulators.scenario import (
    Cargo,
    Fault,
    LanePlace,
    Rain,
    Scenario,
    SensorPlace,
    Source,
    Vehicle,
)

START_UTC_NS = 1_790_000_000 * 10**9
TRUCK = Vehicle(vehicle_id="t-1", lane="nb-01", at_portal_s=12.0)
KEV = 3000.0 / 1024


def scene(*vehicles, options=(), **keys):
    return Scenario(
        name="test",
        seed=keys.pop("seed", 7),
        start_utc_ns=keys.pop("start_utc_ns", START_UTC_NS),
        duration_s=300.0,
        lanes=(LanePlace(lane="nb-01", portal_m=(0.0, 0.0), heading_deg=0.0),),
        sensors=(SensorPlace(sensor_id="s-1", kind="rpm-n42", lane="nb-01", options=options),),
        vehicles=vehicles,
        **keys,
    )


def sent(scenario, seconds=30):
    return SpectroscopicPortalSimulator(scenario, "s-1").step(seconds * 1000)


def documents(scenario, seconds=30):
    read = [n42.read(one) for one in FrameDecoder().feed(sent(scenario, seconds))]
    assert all(isinstance(one, n42.Document) for one in read)
    return read


def slices(scenario, seconds=30):
    return [
        one
        for document in documents(scenario, seconds)
        for one in document.measurements
        if one.class_code == "Foreground"
    ]


def spectrum(measurements):
    """(channels,) of all detectors together."""
    return sum(np.asarray(one.counts, np.int64) for m in measurements for one in m.spectra)


def carrying(*sources, **keys):
    return replace(TRUCK, sources=sources, **keys)


def cs_137(activity_mbq=1.0, **keys):
    return Source(nuclide="Cs-137", activity_mbq=activity_mbq, from_m=9.0, to_m=9.0, **keys)


BUSY = scene(
    carrying(cs_137()),
    faults=(
        Fault(sensor_id="s-1", kind="tamper", start_s=3.0, end_s=6.0),
        Fault(sensor_id="s-1", kind="garbage", start_s=8.0, end_s=10.0),
        Fault(sensor_id="s-1", kind="silent", start_s=24.0, end_s=27.0),
    ),
    rain=(Rain(start_s=0.0, end_s=20.0),),
    options=(("detectors", "4"), ("channels", "256")),
)


def test_the_same_seed_sends_the_same_bytes_and_another_does_not():
    assert sent(BUSY) == sent(BUSY)
    assert sent(BUSY) != sent(replace(BUSY, seed=8))


@pytest.mark.parametrize("step_ms", [73, 1000, 7001])
def test_the_size_of_the_steps_does_not_change_the_bytes(step_ms):
    simulator = SpectroscopicPortalSimulator(BUSY, "s-1")
    pieces = [simulator.step(step_ms) for _ in range(30_000 // step_ms)]
    pieces.append(simulator.step(30_000 - step_ms * (30_000 // step_ms)))
    assert b"".join(pieces) == sent(BUSY)


def test_each_document_is_a_second_of_ten_slices_with_every_detector():
    (_, first, *_) = documents(scene(), 2)
    assert len(first.measurements) == 10
    starts = [one.start_utc_ns for one in first.measurements]
    assert starts == [START_UTC_NS + 100_000_000 * i for i in range(10)]
    for one in first.measurements:
        assert [part.detector for part in one.spectra] == list(detector_names(8))
        assert {part.counts.size for part in one.spectra} == {1024}
        assert one.occupied is False
        assert len(one.gross) == 1
    assert [d.kind for d in first.detectors] == ["NaI"] * 8 + ["He3"]


def test_the_background_is_that_of_the_facts_and_comes_at_once_and_every_half_minute():
    found = documents(scene(options=(("gain_drift", "0"),)), 65)
    backgrounds = [d.measurements[0] for d in found if d.measurements[0].class_code == "Background"]
    assert [one.real_s for one in backgrounds] == [30.0, 30.0, 30.0]
    total = spectrum(backgrounds)
    live_s = sum(part.live_s for one in backgrounds for part in one.spectra)
    assert backgrounds[0].start_utc_ns == START_UTC_NS - 30 * 10**9
    assert total.sum() / live_s == pytest.approx(1717.0, rel=0.06)
    below = total[: round(200 / KEV)].sum() / total.sum()
    above = total[round(1000 / KEV) :].sum() / total.sum()
    assert below == pytest.approx(0.44, abs=0.04)
    assert above == pytest.approx(0.094, abs=0.015)


def test_the_beam_marks_the_slices_and_the_speed_is_measured_in_it():
    found = slices(scene(TRUCK))
    occupied = [one.start_utc_ns for one in found if one.occupied]
    assert (occupied[0] - START_UTC_NS) / 1e9 == pytest.approx(12.0, abs=0.11)
    lasts_s = 18.0 / 2.2 + radiation_n42.HOLD_IN_S
    assert len(occupied) == pytest.approx(lasts_s * 10, abs=1)
    speeds = [one.speed_m_s for one in found if one.speed_m_s is not None]
    assert speeds == pytest.approx([2.2] * 9, rel=0.1)


def test_a_source_shows_its_peak_when_it_is_at_the_portal():
    found = slices(scene(carrying(cs_137()), options=(("gain_drift", "0"),)))
    peak = np.array(
        [spectrum([one])[round(620 / KEV) : round(705 / KEV)].sum() for one in found]
    ).reshape(-1, 10)
    at_s = peak.sum(axis=1).argmax()
    assert at_s == pytest.approx(12.0 + 9.0 / 2.2, abs=1.0)
    quiet = peak[:8].sum() / 8
    # 340 interactions a second and MBq in one log at 2.5 m (facts 5.4), in eight of them; a third
    # to a half is in the window, and within the second it is a metre off in the mean.
    assert 0.3 < (peak.sum(axis=1).max() - quiet) / (8 * 340.0) < 0.5


def test_suppression_changes_the_shape_terrestrial_lines_more_than_the_sky():
    heavy = replace(TRUCK, suppression=0.25, length_m=19.0, speed_m_s=0.5)
    found = slices(scene(heavy, options=(("gain_drift", "0"),)), 60)
    before = spectrum(found[:80])
    during = spectrum(found[250:400])
    ratio = during / during.sum() * before.sum() / np.maximum(before, 1)
    total = (during.sum() / 15.0) / (before.sum() / 8.0)
    assert 0.7 < total < 0.85
    last = slice(round(2700 / KEV), 1023)
    assert ratio[last].mean() > 1.1  # above 2.7 MeV there is only the sky


def test_rain_brings_bismuth():
    rain = (Rain(start_s=-100.0, end_s=0.0, rise=0.3),)
    wet, dry = (spectrum(slices(scene(rain=rains))) for rains in (rain, ()))
    at_609 = slice(round(575 / KEV), round(640 / KEV))
    at_1461 = slice(round(1400 / KEV), round(1520 / KEV))
    assert wet.sum() / dry.sum() == pytest.approx(1.3, abs=0.04)
    assert wet[at_609].sum() / dry[at_609].sum() > 1.3
    assert wet[at_1461].sum() / dry[at_1461].sum() < 1.25


def test_gain_moves_with_the_day():
    def potassium_kev(hour):
        day = scene(start_utc_ns=(1_790_000_000 // 86_400 * 86_400 + hour * 3600) * 10**9)
        found = slices(day, 60)
        counts = sum(np.asarray(one.spectra[0].counts, np.int64) for one in found)
        window = np.arange(round(1380 / KEV), round(1540 / KEV))
        return (counts[window] * (window + 0.5) * KEV).sum() / counts[window].sum()

    assert abs(potassium_kev(3) - potassium_kev(15)) > 3.0


def test_a_hot_patient_saturates_and_the_live_time_says_so():
    patient = Source(nuclide="F-18", activity_mbq=400.0, from_m=2.0, to_m=2.0, in_body=True)
    found = slices(scene(carrying(patient)), 15)
    hot = min(part.live_s for one in found for part in one.spectra)
    assert hot < 0.1 * 0.8
    quiet = min(part.live_s for one in found[:20] for part in one.spectra)
    assert quiet > 0.1 * 0.98


def test_neutrons_of_the_standards_source_are_those_of_the_facts():
    source = Source(
        nuclide="Cf-252", activity_mbq=0.17, from_m=9.0, to_m=9.0, neutrons_per_s=20_000.0
    )
    counts = []
    for seed in range(12):
        found = slices(scene(carrying(source), seed=seed), 26)
        neutrons = np.array([one.gross[0].counts[0] for one in found])
        counts.append(neutrons[100:230].sum() - 13.0 * neutrons[:90].mean() * 10)
    assert np.mean(counts) == pytest.approx(31.0, rel=0.25)  # facts 5.1, a pass at 2.2 m/s


def test_metal_bursts_come_in_single_slices():
    steel = Cargo(kind="scrap", material="steel", density_g_cm3=0.9, from_m=5.0, to_m=17.0)
    slow = replace(TRUCK, cargo=(steel,), speed_m_s=0.1, at_portal_s=0.0)
    found = slices(scene(slow, options=(("detectors", "1"), ("channels", "32"))), 290)
    neutrons = np.array([one.gross[0].counts[0] for one in found])
    assert neutrons.max() >= 4


def test_faults_are_told_and_shown():
    faults = (
        Fault(sensor_id="s-1", kind="panel-dead", start_s=0.0, end_s=9.0, part=1),
        Fault(sensor_id="s-1", kind="panel-noisy", start_s=0.0, end_s=9.0, part=2),
        Fault(sensor_id="s-1", kind="tamper", start_s=3.0, end_s=6.0),
    )
    found = slices(scene(faults=faults), 9)
    by_detector = [sum(int(one.spectra[i].counts.sum()) for one in found) for i in range(4)]
    assert by_detector[1] == 0
    assert by_detector[2] > 1.3 * by_detector[0]
    told = [one for one in found if one.faults]
    assert [one.faults[0].code for one in told] == ["tamper"] * 3


def test_a_silent_device_sends_nothing():
    simulator = SpectroscopicPortalSimulator(BUSY, "s-1")
    simulator.step(24_000)
    assert simulator.step(3_000) == b""
    assert simulator.step(1_000) != b""


def test_delivered_into_a_folder_it_is_one_document_an_occupancy_with_its_background():
    second = replace(TRUCK, vehicle_id="t-2", at_portal_s=80.0)
    day = scene(replace(TRUCK, at_portal_s=40.0), second, options=(("delivery", "folder"),))
    frames = split(sent(day, 120))
    assert [files_of(frame)[0][0] for frame in frames] == ["0000001.n42", "0000002.n42"]
    for frame in frames:
        ((_, contents),) = files_of(frame)
        document = n42.read(contents)
        assert document.measurements[0].class_code == "Background"
        marks = [one.occupied for one in document.measurements[1:]]
        assert marks[:30] == [False] * 30 or marks[:20] == [False] * 20
        assert marks[-30:] == [False] * 30
        assert sum(marks) == pytest.approx(92, abs=2)
    assert "occupancy number = 2" in document.remarks
