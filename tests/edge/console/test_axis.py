"""What the page draws along a vehicle is what the alert's own files say."""

import json
from dataclasses import replace

import numpy as np
import pytest

from drivers.wire.miniseed import encode
from drivers.wire.n42_model import Detector, Document, Gross, Instrument, Measurement, Spectrum
from drivers.wire.n42_write import write
from edge.console.axis import axis_of
from edge.console.routes import API
from fusion.types import SECOND_NS

START_NS = 1_780_000_000 * SECOND_NS
ONSET = "2026-05-28T20:26:40.000000Z"
SPEED_M_S, SLICE_S = 2.5, 0.2


def counted(start_s, gamma, neutrons=None, **changes):
    spectra = tuple(
        Spectrum(detector=f"panel{n}", live_s=SLICE_S, counts=np.array([gamma], np.uint32))
        for n in (1, 2)
    )
    gross = (Gross(detector="neutrons", live_s=SLICE_S, counts=(float(neutrons or 0),)),)
    given = {
        "class_code": "Foreground",
        "start_utc_ns": START_NS + round(start_s * SECOND_NS),
        "real_s": SLICE_S,
        "spectra": spectra,
        "gross": gross if neutrons is not None else (),
        "occupied": True,
        "speed_m_s": SPEED_M_S,
    }
    return Measurement(**(given | changes))


@pytest.fixture(scope="module")
def n42():
    # A second before the beam is broken, then 10 m of vehicle at 2.5 m/s.
    slices = [counted(n * SLICE_S, 20 + (30 if n == 17 else 0), n % 3) for n in range(25)]
    behind = replace(counted(-30, 19, 1), class_code="Background", occupied=False)
    document = Document(
        instrument=Instrument(serial="rpm-1", class_code="Portal Monitor"),
        detectors=(
            *(Detector(name=f"panel{n}", kind="PVT") for n in (1, 2)),
            Detector(name="neutrons", kind="He3", category="Neutron"),
        ),
        measurements=(behind, *slices),
    )
    return write(document)


def alert(*files, contributions=()):
    evidence = [{"name": name, "sha256": name} for name in files]
    return json.dumps(
        {"onset": ONSET, "evidence": evidence, "contributions": contributions, "silent": ["x"],
         "down": ["y"]}
    ).encode()  # fmt: skip


PROFILE = {
    "source": "rpm-1", "kind": "gamma.profile",
    "facts": {"position": 0.6, "position_m": 6.0, "width_m": 0.5},
}  # fmt: skip


def test_counts_stand_at_their_seconds_with_their_background(n42):
    axis = axis_of(alert("pass.n42"), lambda name: n42)
    gamma, neutron = axis.series
    assert [gamma.kind, neutron.kind] == ["gamma", "neutron"]
    assert len(gamma.t_s) == 25
    assert gamma.t_s[:2] == [-1.0, -0.8]
    assert gamma.cps[0] == 2 * 20 / SLICE_S
    assert max(gamma.cps) == gamma.cps[17] == 2 * 50 / SLICE_S
    assert gamma.background_cps == 2 * 19 / SLICE_S
    assert neutron.cps[:3] == [0.0, 5.0, 10.0]
    assert axis.speed_m_s == SPEED_M_S
    assert (axis.silent, axis.down) == (["x"], ["y"])


def test_a_place_that_a_portal_names_is_where_it_counted_most(n42):
    axis = axis_of(alert("pass-2.n42", contributions=[PROFILE]), lambda name: n42)
    (mark,) = axis.marks
    assert (mark.position_m, mark.from_m, mark.to_m) == (6.0, 5.75, 6.25)
    gamma = axis.series[0]
    peak_s = gamma.t_s[gamma.cps.index(max(gamma.cps))]
    assert axis.zero == "2026-05-28T20:26:41.100000Z"
    assert peak_s * SPEED_M_S == pytest.approx(mark.position_m, abs=SPEED_M_S * SLICE_S)


def test_ground_motion_comes_with_its_footfalls_and_spectrogram():
    rate_hz, size = 100.0, 1500
    seconds = np.arange(size) / rate_hz
    motion = np.where(seconds > 10.0, 1000 * np.sin(2 * np.pi * 20 * seconds), 0.0)
    data = b"".join(
        encode(
            ("XX", "GEO01", "", "EHZ"), START_NS - 10 * SECOND_NS, rate_hz,
            (motion + 7000).astype(np.int32),
        )
    )  # fmt: skip
    event = {
        "source": "geo-01", "kind": "seismic.event", "facts": {"footfalls_s": [0.5, 1.1]}
    }  # fmt: skip
    axis = axis_of(alert("clip.mseed", contributions=[event]), lambda name: data)
    (trace,) = axis.traces
    assert (trace.sensor, trace.channel, trace.rate_hz) == ("geo-01", "EHZ", rate_hz)
    assert trace.footfalls_s == [0.5, 1.1]
    assert trace.begin_s == -10.0
    assert len(trace.low) * trace.step_s == pytest.approx(15.0, abs=0.1)
    assert max(trace.high) - min(trace.low) == pytest.approx(2000, rel=0.05)
    told = trace.spectrogram
    levels = np.frombuffer(told.levels, np.uint8).reshape(told.rows, told.columns)
    loud = levels[:, -5:].mean(axis=1).argmax()
    assert loud * told.hz_step == pytest.approx(20.0, abs=2.5)
    assert levels[:, : told.columns // 2].max() < levels[:, -5:].max()


@pytest.mark.parametrize("data", [b"", b"garbage", b"<RadInstrumentData/>", bytes(4096)])
def test_files_that_are_none_draw_nothing(data):
    axis = axis_of(alert("pass.n42", "clip.mseed"), lambda name: data)
    assert (axis.series, axis.traces, axis.marks) == ([], [], [])
    assert axis.zero == ONSET


def test_the_route_says_what_there_is_not(station):
    assert station.client("operator").get(f"{API}/alerts/A9/axis").status_code == 404
