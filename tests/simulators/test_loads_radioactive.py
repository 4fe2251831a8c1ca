from random import Random

import numpy as np
import pytest

from simulators import loads_radioactive as radioactive
from simulators import radiation_physics as physics
from simulators.loads_radioactive import COMMODITIES, INDUSTRIAL, MEDICINES, SHIELDS, SPECIAL
from simulators.scenario import Vehicle

TRUCK = Vehicle(vehicle_id="t", lane="nb-01", at_portal_s=0.0, length_m=18.0)
ALONG_M = np.linspace(-10.0, 30.0, 401)


def of_one_panel(load):
    """The highest counts per second of one panel at 2.5 m."""
    return sum(physics.gamma_cps(one, ALONG_M, 2.5) for one in load.sources).max()


@pytest.mark.parametrize("commodity", COMMODITIES)
@pytest.mark.parametrize("seed", range(20))
def test_goods_weigh_what_they_should_lie_in_the_box_and_raise_the_counts(commodity, seed):
    load = radioactive.norm(Random(seed), commodity)
    (bulk,) = load.cargo
    assert 5.0 <= bulk.from_m < bulk.to_m <= 17.5
    assert bulk.top_m <= 2.2
    least, most = COMMODITIES[commodity].tonnes
    assert least * 0.6 <= physics.mass_t(bulk) <= most * 1.001  # a box is full at 2.2 m
    assert 5.0 < of_one_panel(load) < 3000.0  # over 234 of background
    assert load.events == ("RAD_INNOCENT",)
    assert load.nuclides == tuple(one.nuclide for one in load.sources)


def test_commodities_come_as_often_as_they_alarm_in_the_field():
    random = Random(1)
    names = [radioactive.any_norm(random).detail for _ in range(4000)]
    total = sum(one.share for one in COMMODITIES.values())
    for name, goods in COMMODITIES.items():
        assert names.count(name) / 4000 == pytest.approx(goods.share / total, abs=0.03)


@pytest.mark.parametrize(
    ("nuclide", "days", "low", "high"),
    [
        # Physical and biological half-lives together, for a dose of 100 MBq.
        ("Tc-99m", 0.25, 40.0, 50.0),  # one physical half-life, and a little excreted
        ("Tc-99m", 1.0, 2.5, 6.3),
        ("F-18", 0.5, 0.5, 1.2),
        ("I-131", 8.02, 10.0, 20.0),  # half has decayed, most of the rest was excreted
        ("Tl-201", 10.0, 4.0, 6.0),  # 3.3 physical half-lives and one biological
        ("Lu-177", 6.65, 8.0, 13.0),
    ],
)
def test_activity_by_day_after_the_dose(nuclide, days, low, high):
    assert low < MEDICINES[nuclide].activity_mbq(100.0, 24.0 * days) < high


@pytest.mark.parametrize("nuclide", MEDICINES)
def test_what_is_left_only_falls_and_is_the_dose_at_first(nuclide):
    medicine = MEDICINES[nuclide]
    left = [medicine.activity_mbq(1.0, hours) for hours in np.linspace(0.0, 300.0, 60)]
    assert left[0] == pytest.approx(1.0)
    assert (np.diff(left) < 0.0).all()


def test_a_patient_sits_in_the_cab_and_is_mostly_technetium():
    random = Random(2)
    people = [radioactive.any_patient(random) for _ in range(2000)]
    nuclides = [one.sources[0].nuclide for one in people]
    assert nuclides.count("Tc-99m") / 2000 == pytest.approx(0.915, abs=0.02)
    for one in people[:50]:
        (body,) = one.sources
        assert body.in_body
        assert body.from_m < TRUCK.box_m[0]
        assert body.activity_mbq > 0.0


@pytest.mark.parametrize("nuclide", (*INDUSTRIAL, *SPECIAL))
@pytest.mark.parametrize("shield", SHIELDS)
def test_a_source_is_as_strong_outside_its_shield_as_was_asked(nuclide, shield):
    load = radioactive.source(Random(3), nuclide, shield=shield, strength_cps=150.0)
    assert of_one_panel(load) == pytest.approx(150.0, rel=0.01)
    assert load.nuclides == (nuclide,)
    bare = radioactive.source(Random(3), nuclide, strength_cps=150.0)
    assert load.sources[0].activity_mbq >= bare.sources[0].activity_mbq


def test_neutron_sources_give_what_the_standard_asks():
    load = radioactive.neutron_source(Random(4))
    (californium,) = load.sources
    assert californium.neutrons_per_s == 20_000.0
    assert californium.activity_mbq == pytest.approx(0.172, rel=0.01)  # 8.6 ng, facts 5.1
    (amber,) = radioactive.neutron_source(Random(4), "AmBe").sources
    assert amber.nuclide == "Am-241"
    # A little lead keeps its 60 keV in, so that what is left to find are the neutrons.
    assert of_one_panel(radioactive.neutron_source(Random(4), "AmBe")) < 100.0


def test_plutonium_has_neutrons_uranium_has_none():
    plutonium, uranium = (radioactive.source(Random(5), one) for one in ("Pu-239", "U-235"))
    assert plutonium.sources[0].neutrons_per_s > 1.0
    assert uranium.sources[0].neutrons_per_s == 0.0
