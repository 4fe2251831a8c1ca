"""Readings of an Aspect portal to samples."""

import itertools
from dataclasses import replace

import pytest

from drivers.radiation import KINDS
from drivers.radiation_aspect import AspectDriver
from drivers.radiation_aspect_config import AspectConfig
from drivers.wire.aspect import Channel, ChannelStatus, Description, Inputs, Monitor, encode
from drivers.wire.malformed import Malformed
from fusion.types import (
    MILLISECOND_NS,
    SECOND_NS,
    BackgroundSample,
    CountSample,
    OccupancySample,
    Origin,
    Radiation,
    SpeedSample,
    StatusSample,
)

NOW = 1_800_000_000 * SECOND_NS
TURN = 2**32


class Portal:
    """A driver, fed with readings at chosen times."""

    def __init__(self, gamma=5_000, **keys):
        keys.setdefault("counting", "cumulative")
        config = AspectConfig(id="rpm-1", lane="nb-01", url="tcp://127.0.0.1:502", **keys)
        self.driver = AspectDriver(config, Origin.SENSOR)
        self.at_ms = 0
        self.state = Monitor(
            gamma=Channel(count=gamma, background=980.0), neutron=Channel(count=9, background=3.0)
        )

    def read(self, after_ms=200, gamma=200, neutron=1, **changes):
        """One reading later: what it counted meanwhile, and what else has changed."""
        self.at_ms += after_ms
        channels = {}
        for name, more in (("gamma", gamma), ("neutron", neutron)):
            channel = getattr(self.state, name)
            status = changes.pop(f"{name}_status", channel.status)
            channels[name] = replace(channel, count=(channel.count + more) % TURN, status=status)
        self.state = replace(self.state, **channels, **changes)
        return self.driver.feed(encode(self.state), NOW + self.at_ms * MILLISECOND_NS)

    def quiet(self, seconds):
        """The vacant lane, read once a second."""
        return [one for _ in range(seconds) for one in self.read(1000, 1000, 3)]


IN, OUT = Inputs.OCCUPANCY_0, 0


def of(kind, samples):
    return [one for one in samples if isinstance(one, kind)]


def gamma_counts(samples):
    return [one.counts[0] for one in of(CountSample, samples) if one.radiation == Radiation.GAMMA]


def opened(samples):
    return [one.opened for one in of(OccupancySample, samples)]


def codes(samples):
    return [(one.code, one.active) for one in of(StatusSample, samples)]


def a_pass(portal, scans=10, **first):
    samples = portal.read(1000, 1000, inputs=IN, **first)
    for _ in range(scans):
        samples += portal.read()
    for _ in range(6):
        samples += portal.read(inputs=OUT)
    return samples


def test_it_is_in_the_catalog_and_takes_tcp_only():
    (row,) = [row for row in KINDS if row.kind == "rpm-aspect"]
    assert (row.config, row.build) == (AspectConfig, AspectDriver)
    assert AspectConfig.url_forms == ("tcp",)


def test_a_pass_is_an_occupancy_with_the_second_before_it():
    portal = Portal()
    portal.quiet(3)
    samples = a_pass(portal, objects=1)
    first, *_, last = of(OccupancySample, samples)
    assert (first.opened, last.opened, last.counter) == (True, False, 1)
    # Read once a second: it broke the beam in the middle of one, as far as can be told.
    assert 900 <= first.lead_in_ms <= 1100
    assert 1000 <= last.hold_in_ms <= 1200
    gamma = [one for one in of(CountSample, samples) if one.radiation == Radiation.GAMMA]
    assert {one.duration_ms for one in gamma} == {200}
    assert {one.counts for one in gamma} == {(200,)}
    starts = [one.start_utc_ns for one in gamma]
    assert [b - a for a, b in itertools.pairwise(starts)] == [200_000_000] * (len(gamma) - 1)
    assert starts[0] == first.start_utc_ns
    assert last.start_utc_ns == starts[-1] + 200_000_000


def test_neutrons_are_told_by_the_second():
    portal = Portal()
    portal.quiet(3)
    samples = a_pass(portal, scans=20)
    neutrons = [one for one in of(CountSample, samples) if one.radiation == Radiation.NEUTRON]
    assert {one.duration_ms for one in neutrons} == {1000}
    assert {one.counts for one in neutrons[2:]} == {(5,)}


def test_no_count_is_lost_when_a_reading_is_late():
    portal = Portal()
    portal.quiet(2)
    portal.read(inputs=IN)
    late = portal.read(700, 1001)
    assert sum(gamma_counts(late)) == 1001
    assert len(gamma_counts(late)) == 4


def test_two_readings_in_one_instant_are_told_as_one():
    portal = Portal()
    portal.quiet(2)
    portal.read(inputs=IN)
    assert gamma_counts(portal.read(1, 30)) == []
    assert gamma_counts(portal.read(199, 170)) == [200]


def test_a_counter_turns_over():
    portal = Portal(gamma=TURN - 100)
    portal.read(1000, 0, inputs=IN)
    assert gamma_counts(portal.read(gamma=300)) == [300]


def test_a_reset_costs_one_reading_and_no_more():
    portal = Portal()
    portal.quiet(2)
    portal.read(inputs=IN)
    portal.state = replace(portal.state, gamma=Channel(count=0))
    assert gamma_counts(portal.read(gamma=40)) == []
    assert gamma_counts(portal.read(gamma=210)) == [210]


def test_the_reset_bit_is_told_and_starts_the_counts_anew():
    portal = Portal()
    portal.quiet(2)
    samples = portal.read(1000, 500, inputs=Inputs.RESET, objects=0)
    assert codes(samples) == [("device-reset", True)]
    assert codes(portal.read(inputs=OUT)) == [("device-reset", False)]


def test_an_occupancy_opens_when_the_counter_moves_between_two_readings():
    portal = Portal(hold_in_s=0)
    portal.quiet(2)
    assert opened(portal.read(1000, 1000, objects=7)) == [True, False]


def test_a_counter_that_moves_late_counts_the_vehicle_that_has_just_gone():
    portal = Portal(hold_in_s=0)
    portal.quiet(2)
    assert opened(portal.read(inputs=IN)) == [True]
    assert opened(portal.read(inputs=OUT)) == [False]
    assert opened(portal.read(objects=1)) == []
    assert opened(portal.read(objects=2)) == [True, False]


def test_a_counter_that_moves_within_an_occupancy_is_the_next_vehicle():
    portal = Portal()
    portal.quiet(2)
    assert opened(portal.read(inputs=IN, objects=1)) == [True]
    assert opened(portal.read()) == []
    assert opened(portal.read(objects=2)) == [False, True]
    # Where the beam was broken first and counted then, it is still the same.
    other = Portal()
    other.quiet(2)
    assert opened(other.read(inputs=IN)) == [True]
    assert opened(other.read(objects=1)) == []


def test_a_gap_between_tractor_and_trailer_is_no_end():
    portal = Portal()
    portal.quiet(2)
    portal.read(inputs=IN, objects=1)
    assert opened(portal.read(inputs=OUT) + portal.read(inputs=OUT) + portal.read(inputs=IN)) == []


def test_a_long_silence_within_an_occupancy_ends_it_and_a_short_one_does_not():
    for gap_ms, ends in ((10_000, [False, True]), (1_000, [])):
        portal = Portal()
        portal.quiet(2)
        portal.read(inputs=IN)
        assert portal.driver.feed(b"", NOW) == []
        samples = portal.read(gap_ms, 5_000)
        assert opened(samples) == ends
        assert bool(gamma_counts(samples)) == (not ends)


def test_backgrounds_are_counted_every_five_seconds_of_the_vacant_lane():
    portal = Portal()
    neutron, gamma = of(BackgroundSample, portal.quiet(7))
    assert (gamma.radiation, gamma.rate_cps, gamma.duration_ms) == ("gamma", (1000.0,), 5000)
    assert (neutron.radiation, neutron.rate_cps) == ("neutron", (3.0,))


def test_backgrounds_may_be_the_devices_own():
    neutron, gamma = of(BackgroundSample, Portal(background="device").quiet(7))
    assert (gamma.rate_cps, neutron.rate_cps) == ((980.0,), (3.0,))


def test_counts_that_run_on_are_told_from_counts_of_an_interval():
    running = Portal(counting="auto")
    assert of(BackgroundSample, running.quiet(8)) == []
    assert of(BackgroundSample, running.quiet(8))
    assert running.driver._counting.mode == "cumulative"
    interval = Portal(counting="auto")
    for number in range(12):
        interval.state = replace(interval.state, gamma=Channel(count=190 + number * 7 % 20))
        interval.read(1000, 0)
    assert interval.driver._counting.mode == "interval"
    interval.read(inputs=IN, gamma=0)
    assert gamma_counts(interval.read(gamma=0)) == [interval.state.gamma.count]


def test_a_reset_is_no_sign_of_counts_of_an_interval():
    portal = Portal(counting="auto")
    for _ in range(3):
        portal.quiet(3)
        portal.state = replace(portal.state, gamma=Channel(count=0))
    portal.quiet(12)
    assert portal.driver._counting.mode == "cumulative"


def test_speed_is_told_when_it_changes_and_is_one():
    portal = Portal()
    portal.state = replace(portal.state, speed_mm_s=2222)  # of the vehicle before
    portal.quiet(2)
    told = portal.read(inputs=IN) + portal.read(speed_mm_s=0) + portal.read(speed_mm_s=2300)
    told += portal.read() + portal.read(speed_mm_s=65_000)
    assert [one.speed_m_s for one in of(SpeedSample, told)] == [2.3]


@pytest.mark.parametrize(
    ("bit", "code"),
    [
        (Inputs.OPEN, "tamper"),
        (Inputs.POWER_FAIL, "power"),
        (Inputs.LOW_BATTERY, "battery"),
        (Inputs.ERROR, "device-error"),
    ],
)
def test_the_devices_own_condition_is_told_when_it_begins_and_when_it_ends(bit, code):
    portal = Portal()
    told = portal.read() + portal.read(inputs=bit) + portal.read() + portal.read(inputs=OUT)
    assert codes(told) == [(code, True), (code, False)]
    # Also in the first reading ever, and within an occupancy.
    assert codes(Portal().read(inputs=bit | IN)) == [(code, True)]


@pytest.mark.parametrize("radiation", ["gamma", "neutron"])
@pytest.mark.parametrize(
    ("bit", "word", "fault"),
    [
        (ChannelStatus.LOW_COUNT, "low", "low"),
        (ChannelStatus.HIGH_COUNT, "high", "high"),
        (ChannelStatus.OVERLOAD, "overload", "high"),
    ],
)
def test_a_channels_fault_is_told_once_and_its_background_is_marked(radiation, bit, word, fault):
    portal = Portal()
    told = portal.read(**{f"{radiation}_status": bit}) + portal.quiet(7)
    told += portal.read(**{f"{radiation}_status": ChannelStatus.READY})
    assert codes(told) == [(f"{radiation}-{word}", True), (f"{radiation}-{word}", False)]
    marks = {one.radiation: one.device_fault for one in of(BackgroundSample, told)}
    assert marks[radiation] == fault
    assert sorted(marks.values()) == ["", fault]


def test_a_source_that_passes_is_no_fault_of_the_background_but_an_alarm():
    portal = Portal()
    portal.quiet(2)
    portal.read(inputs=IN)
    high = ChannelStatus.HIGH_COUNT | ChannelStatus.ALARM_1
    told = portal.read(gamma=2_000, gamma_status=high)
    assert codes(told) == []
    assert [one.device_alarm for one in of(CountSample, told) if one.radiation == "gamma"] == [True]
    assert codes(portal.read(gamma_status=ChannelStatus.OVERLOAD)) == [("gamma-overload", True)]


def test_what_cannot_be_read_is_malformed_and_the_next_reading_is_as_ever():
    portal = Portal()
    (bad,) = portal.driver.feed(bytes.fromhex("f001 0000 0003 01 83 02"), NOW)
    assert bad == Malformed("refused-address", bad.text)
    assert of(BackgroundSample, portal.quiet(7))


def test_what_the_device_is_is_told_when_it_is_new_and_not_link_after_link():
    portal = Portal()
    described = Description(signature=5, registers=121, monitor_id=1)
    (setup,) = portal.driver.feed(encode(described), NOW)
    assert (setup.record, dict(setup.settings)["signature"]) == ("monitor-setup", "5")
    assert portal.driver.feed(b"", NOW) == []
    assert portal.driver.feed(encode(described), NOW) == []
    assert len(portal.driver.feed(encode(replace(described, base=200)), NOW)) == 1
