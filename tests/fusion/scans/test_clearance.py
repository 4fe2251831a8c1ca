"""Only what was seen is told clear: faults of a scanner that keep the form of its files right."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.evidence import weigh
from fusion.scans.calibrate import ScanMemory
from fusion.types import Origin, ScanSample
from fusion.xray import XrayPolicy, analyse, detections
from simulators.xray_cases import CaseOptions, case

POLICY = XrayPolicy()
MM = 8.0


@cache
def scan(load):
    """(scan, columns and rows of the box's inside, columns and rows of its load) in pixels."""
    drawn = case(23, CaseOptions(load=load, box="40", mass_kg=49.0 * (load == "light")))
    return ScanSample(
        sensor_id="xray-1",
        origin=Origin.SIMULATOR,
        start_utc_ns=0,
        duration_ms=0,
        scan_id="s",
        high=drawn.high,
        low=drawn.low,
        composite=None,
        pitch_x_mm=drawn.pitch_mm[0],
        pitch_y_mm=drawn.pitch_mm[1],
        declared="empty",
        container="",
        digests=(),
        energies_mev=drawn.energies_mev,
    )


@cache
def places():
    """Pixels: box from, to; load from, to; load's upper and lower row."""
    light = scan("light")
    told = analyse(light, POLICY)
    (thing,) = case(23, CaseOptions(load="light", box="40", mass_kg=49.0)).truth.threats
    front, rows = told.record.front_column, light.high.shape[0]
    geometry = dict(told.geometry)
    along = [geometry["box_from_m"], geometry["box_to_m"], thing.extent.from_m, thing.extent.to_m]
    columns = [front + round(1000.0 * place / MM) for place in along]
    up = [thing.extent.top_m, thing.extent.bottom_m]
    return *columns, *(rows - round(1000.0 * place / MM) for place in up)


def changed(plane, columns, rows, value):
    plane = plane.copy()
    plane[slice(*rows), slice(*columns)] = value
    return plane


def clipped(times):
    return lambda plane: np.minimum(plane.astype(np.uint32) * times, 65_535).astype(np.uint16)


def frozen(before, behind):
    """Every line is the one before the load."""

    def fault(plane):
        _, _, first, last, _, _ = places()
        first, last = first - before, last + behind
        return changed(plane, (first, last), (0, None), plane[:, first - 1 : first])

    return fault


def tail(value):
    def fault(plane):
        _, _, first, _, _, _ = places()
        if value == "beam off":
            random = np.random.default_rng(3)
            counts = random.integers(170, 190, (plane.shape[0], plane.shape[1] - first + 40))
            return changed(plane, (first - 40, None), (0, None), counts)
        return changed(plane, (first - 40, None), (0, None), value)

    return fault


def ends(pasted):
    def fault(plane):
        _, _, first, _, _, _ = places()
        seen = plane[:, : first - 40]
        return (
            np.concatenate([seen, plane[:, 30:50], plane[:, 30:50]], axis=1)
            if pasted
            else seen.copy()
        )

    return fault


def patch(value):
    def fault(plane):
        _, _, first, last, top, bottom = places()
        return changed(plane, (first - 8, last + 8), (top - 8, bottom + 8), value)

    return fault


def module(kind):
    """The rows in which the load is show something else."""

    def fault(plane):
        _, _, _, _, top, bottom = places()
        top, bottom = top - 5, bottom + 5
        random = np.random.default_rng(2)
        shape = bottom - top, plane.shape[1]
        value = {
            "row above": plane[top - 1],
            "module above": plane[2 * top - bottom : top],
            "air": random.normal(58_000, 560, shape),
            "dead": 0,
            "dark": random.integers(150, 210, shape),
        }[kind]
        return changed(plane, (0, None), (top, bottom), value)

    return fault


def again(plane):
    """A ring of lines is sent twice."""
    _, _, first, last, _, _ = places()
    width = last - first + 40
    return changed(
        plane, (first - 20, last + 20), (0, None), plane[:, first - 20 - width :][:, :width]
    )


def stuck_halfway(plane):
    """Converters of some rows hang from the load on."""
    _, _, first, _, top, bottom = places()
    return changed(plane, (first - 20, None), (top, bottom), plane[top:bottom, first - 21][:, None])


FAULTS = {
    "frozen": (frozen(30, 30), "lines-repeated"),
    "frozen long": (frozen(200, 200), "lines-repeated"),
    "lines sent again": (again, "lines-repeated"),
    "black tail": (tail(0), "cut-off"),
    "white tail": (tail(65_535), "cut-off"),
    "beam off": (tail("beam off"), "cut-off"),
    "file ends": (ends(pasted=False), "cut-off"),
    "air pasted": (ends(pasted=True), "cut-off"),
    "white patch": (patch(65_535), "saturated"),
    "painted over": (patch(48_000), "flat-parts"),
    "row repeated": (module("row above"), "rows-repeated"),
    "module repeated": (module("module above"), "rows-repeated"),
    "module of air": (module("air"), "walls-unseen"),
    "module dead": (module("dead"), "unmeasured"),
    "module dark": (module("dark"), "rows-dark"),
    "converters hang": (stuck_halfway, "flat-parts"),
    "2 x": (clipped(2), "saturated"),
    "4 x": (clipped(4), ""),
    "10 x": (clipped(10), ""),
    "upside down": (lambda plane: np.ascontiguousarray(plane[::-1]), "upside-down"),
    "inverted": (lambda plane: 65_535 - plane, "air-dark"),
    "top cut": (lambda plane: plane[110:].copy(), "cut-off"),
    "coarse": (lambda plane: plane >> 12, "few-counts"),
}
LOADS = ("empty", "light", "loaded")


def faulty(load, fault):
    whole = scan(load)
    return replace(whole, high=fault(whole.high), low=fault(whole.low))


@pytest.mark.parametrize("load", LOADS)
def test_a_healthy_scan_is_told_without_a_word(load):
    found = analyse(scan(load), POLICY)
    assert found.notes == ()
    assert found.empty is (load == "empty")
    assert not found.partial


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("name", FAULTS)
def test_what_was_not_seen_is_never_clear(name, load):
    fault, note = FAULTS[name]
    found = analyse(faulty(load, fault), POLICY)
    assert not found.empty
    assert found.empty_nats <= 0.0
    assert found.notes
    if load != "loaded":
        assert note in found.notes or not note


@pytest.mark.parametrize("name", FAULTS)
def test_what_was_not_seen_is_no_load(name):
    found = analyse(faulty("empty", FAULTS[name][0]), POLICY)
    for told in detections(found, POLICY):
        assert all(nats <= 0.5 for nats in weigh(told).nats.values())


@pytest.mark.parametrize("name", [name for name in FAULTS if name != "coarse"])
def test_a_mass_is_as_sure_as_what_was_seen(name):
    whole, found = (
        analyse(scan("loaded"), POLICY),
        analyse(faulty("loaded", FAULTS[name][0]), POLICY),
    )
    if found.mass_kg is not None:
        assert abs(found.mass_kg - whole.mass_kg) < 2.5 * found.mass_sd_kg


@pytest.mark.parametrize("load", LOADS)
def test_swapped_planes_are_put_right_and_told(load):
    whole = scan(load)
    found, right = (
        analyse(replace(whole, high=whole.low, low=whole.high), POLICY),
        analyse(whole, POLICY),
    )
    assert found.notes == ("planes-swapped",)
    assert found.empty is right.empty
    assert found.mass_kg == pytest.approx(right.mass_kg, rel=0.05)


@pytest.mark.parametrize(
    ("low", "note"), [(lambda high: high.copy(), "planes-alike"), (np.zeros_like, "planes-apart")]
)
def test_a_low_plane_that_is_none_tells_no_materials(low, note):
    whole = scan("loaded")
    found = analyse(replace(whole, low=low(whole.high)), POLICY)
    assert {note, "no-low-plane"} <= set(found.notes)
    assert found.materials == ()


def test_a_scan_cut_to_its_box_has_an_honest_mass():
    first, last, *_ = places()
    whole = scan("loaded")
    part = np.s_[:, first - 20 : last + 20]
    found = analyse(replace(whole, high=whole.high[part], low=whole.low[part]), POLICY)
    assert not found.partial
    assert abs(found.mass_kg - analyse(whole, POLICY).mass_kg) < 2.0 * found.mass_sd_kg


def test_a_scan_cut_in_its_box_has_a_mass_of_a_part():
    first, last, *_ = places()
    whole = scan("loaded")
    for part in (np.s_[:, : (first + last) // 2], np.s_[:, (first + last) // 2 :]):
        found = analyse(replace(whole, high=whole.high[part], low=whole.low[part]), POLICY)
        assert found.partial
        assert abs(found.mass_kg - analyse(whole, POLICY).mass_kg) < 2.0 * found.mass_sd_kg


def test_the_wrong_way_round_is_no_reference_for_other_scans():
    memory = ScanMemory()
    analyse(scan("empty"), POLICY, memory)
    known = dict(memory.references)
    analyse(faulty("empty", FAULTS["upside down"][0]), POLICY, memory)
    assert memory.references == known


def test_every_line_twice_is_a_picture_made_longer():
    whole = scan("light")
    twice = replace(
        whole,
        high=np.repeat(whole.high, 2, axis=1),
        low=np.repeat(whole.low, 2, axis=1),
        pitch_x_mm=whole.pitch_x_mm / 2,
    )
    found = analyse(twice, POLICY)
    assert found.notes == ()
    assert found.mass_kg == pytest.approx(analyse(whole, POLICY).mass_kg, rel=0.1)


@settings(max_examples=15)
@given(
    times=st.floats(0.1, 30.0),
    top=st.integers(0, 300),
    left=st.integers(0, 1200),
    columns=st.integers(40, 1400),
)
def test_no_saturation_and_no_crop_breaks_it_or_is_clear_by_it(times, top, left, columns):
    def fault(plane):
        part = plane[top:, left : left + columns]
        return np.minimum(part * times, 65_535).astype(np.uint16)

    assert not analyse(faulty("light", fault), POLICY).empty
