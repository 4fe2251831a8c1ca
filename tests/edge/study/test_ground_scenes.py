import math

import pytest

from edge.study.ground_classes import CLASSES, KINDS, source
from edge.study.ground_hours import OUTDOORS, QUIET, animal_hour, quiet_hour
from edge.study.ground_passes import BESIDE_M, GAITS, pass_by
from edge.study.ground_scenes import TOGETHER, WARM_S, batches
from simulators.ground_sites import REPORT_SITES, SITES, TUNING_SITES
from simulators.movers import WALKING

TUNING, REPORT = 4_000, 1_000_000


@pytest.mark.parametrize("seed", [*range(TUNING, TUNING + 20), *range(REPORT, REPORT + 20)])
def test_a_pass_is_as_near_as_it_says_at_a_site_of_its_seed(seed):
    scene = pass_by(seed)
    assert scene == pass_by(seed)
    walker = scene.scenario.movers[0]
    place = walker.place_m(scene.nearest_s)
    assert math.hypot(*place) == pytest.approx(scene.range_m)
    assert BESIDE_M[0] <= scene.range_m <= BESIDE_M[1]
    assert GAITS["walking"][0] <= walker.speed_m_s <= GAITS["walking"][1]
    assert walker.start_s == WARM_S
    assert scene.site in (REPORT_SITES if seed >= REPORT else TUNING_SITES)
    assert not SITES[scene.site].indoors
    assert not SITES[scene.site].cut_hz


def test_seeds_that_are_played_together_share_their_hour():
    for seeds in batches(TUNING + 5, 2 * TOGETHER):
        assert len(seeds) <= TOGETHER
        starts = {pass_by(seed).scenario.start_utc_ns for seed in seeds}
        assert len(starts) == 1
    everything = [seed for seeds in batches(TUNING + 5, 19) for seed in seeds]
    assert everything == list(range(TUNING + 5, TUNING + 24))


@pytest.mark.parametrize("condition", QUIET)
def test_in_a_quiet_hour_nothing_has_legs(condition):
    for seed in range(TUNING, TUNING + 6):
        scene = quiet_hour(seed, condition)
        kinds = {mover.kind for mover in scene.scenario.movers}
        assert not kinds & {*WALKING, "animal", "horse", "cattle", "digging"}
        assert condition not in OUTDOORS or not SITES[scene.site].indoors


def test_animals_have_hours_of_their_own():
    movers = animal_hour(TUNING).scenario.movers
    assert {mover.class_name for mover in movers} == {"animal"}


@pytest.mark.parametrize("name", CLASSES)
def test_a_source_is_of_its_class(name):
    for seed in range(TUNING, TUNING + 12):
        scene = source(seed, name)
        (mover,) = scene.scenario.movers
        assert mover.class_name == name
        assert mover.kind in KINDS[name]
        assert scene.scenario.duration_s > scene.to_s > scene.from_s
