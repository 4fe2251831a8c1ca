"""Records of known truth through the replay, and clean traffic through the portal."""

from pathlib import Path

import pytest

from drivers.radiation_n42 import N42Config, N42Driver
from drivers.wire.malformed import Malformed
from edge.study.packs import Settings
from edge.study.packs.spectra_clean import LANE, by_vehicle, clean_day, crossings, portal_of
from edge.study.packs.spectra_passes import run
from edge.study.spectrum_cases import clean, industrial, over_range, patient
from edge.study.spectrum_rides import dwell_clean, hand_held, quiet_ride
from fusion.policy import Policy
from fusion.types import Origin
from simulators.traffic import played

DATA = Path(__file__).parents[4] / "shared" / "data"
SETTINGS = Settings(seed=7, number=2, data=DATA, pictures=None, say=lambda line: None)
needs_data = pytest.mark.skipif(
    not (DATA / "nai-2x4x16").is_dir(), reason=f"no test data in {DATA}"
)


@needs_data
@pytest.mark.timeout(300)  # the templates of several detectors
def test_records_of_nothing_tell_nothing():
    tallies, released = run(SETTINGS, (clean, quiet_ride, dwell_clean))
    assert {name: one.false for name, one in tallies.items()} == {
        "clean": 0,
        "quiet-ride": 0,
        "dwell-clean": 0,
    }
    assert not released


@needs_data
@pytest.mark.timeout(300)
def test_records_of_a_source_tell_it():
    tallies, released = run(SETTINGS, (industrial, patient, hand_held, over_range))
    assert sum(one.there for one in tallies.values()) == 8
    assert sum(one.detected for one in tallies.values()) >= 7
    assert sum(one.false for one in tallies.values()) == 0
    assert tallies["over-range"].over_range == 2
    assert not released


@pytest.mark.timeout(300)
def test_the_way_without_xml_finds_the_same():
    day, policy = clean_day(3, 4), Policy()
    sensor_id = f"rpm-n42-{LANE}"
    driver = N42Driver(N42Config(id=sensor_id, lane=LANE, url="tcp://a:1"), Origin.SIMULATOR)
    portal = portal_of(sensor_id, policy)
    told = []
    for utc_ns, data in played(day, sensor_id):
        for sample in driver.feed(data, utc_ns):
            if not isinstance(sample, Malformed):
                told += portal.feed(sample)
        told += portal.tick(utc_ns)
    whole = [_plain(one) for one in by_vehicle(day, told)]
    assert whole == [_plain(one) for one in crossings(day, policy)]
    assert sum(len(one) for one in whole) >= 4


def _plain(crossing):
    return [(one.kind, one.start_utc_ns, one.end_utc_ns, dict(one.facts)) for one in crossing.told]
