"""Metrics."""

from collections import Counter

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from edge import metrics
from edge.sensors.sources import SourceStatus
from fusion.types import SECOND_NS, Event, Family, Level, Origin

NAMES = frozenset(
    """
stage_seconds alert_delay_seconds samples malformed dropped last_sample_age_seconds sensor_up
detections alerts outbox_depth outbox_oldest_age_seconds puback dead_letters broker_connected
broker_restarts engine_cycle_seconds recording_bytes recording_dropped_bytes clock_offset_seconds
scan_seconds build_info
""".split()  # noqa: SIM905 - a list of words
)


def value(name, **labels):
    return metrics.REGISTRY.get_sample_value(f"garita_{name}", labels)


def status(sensor_id, *, samples=0, malformed=None, at=0, up=True, origin="sensor"):
    return SourceStatus(
        sensor_id=sensor_id,
        origin=Origin(origin),
        up=up,
        last_sample_utc_ns=at,
        samples=samples,
        malformed=Counter(malformed or {}),
    )


def families():
    return list(text_string_to_metric_families(generate_latest(metrics.REGISTRY).decode()))


def test_every_metric_of_the_design_is_there_with_a_help_text():
    known = {family.name: family for family in families()}
    for name in NAMES:
        family = known.get(f"garita_{name}") or known[f"garita_{name.removesuffix('_info')}"]
        assert family.documentation.endswith((".", ";"))
        assert len(family.documentation.split()) >= 3


@pytest.mark.parametrize("name", [name for name in sorted(NAMES) if name.endswith("_seconds")])
def test_a_time_says_from_when_to_when(name):
    (family,) = [one for one in families() if one.name == f"garita_{name}"]
    assert any(word in family.documentation for word in (" to ", "minus"))


def test_counts_of_a_source_are_taken_over_once():
    first = status("take-1", samples=10, malformed={"noise": 2}, at=5 * SECOND_NS)
    metrics.take_sensors([first], 7 * SECOND_NS)
    metrics.take_sensors([first], 8 * SECOND_NS)
    metrics.take_sensors([status("take-1", samples=13, malformed={"noise": 3})], 9 * SECOND_NS)
    assert value("samples_total", sensor="take-1") == 13
    assert value("malformed_total", sensor="take-1", reason="noise") == 3
    assert value("last_sample_age_seconds", sensor="take-1") == 3


def test_a_source_that_starts_anew_does_not_count_backwards():
    metrics.take_sensors([status("take-2", samples=10)], 0)
    metrics.take_sensors([status("take-2", samples=4)], 0)
    metrics.take_sensors([status("take-2", samples=6)], 0)
    assert value("samples_total", sensor="take-2") == 12


def test_an_age_is_absent_before_the_first_sample():
    metrics.take_sensors([status("take-3")], SECOND_NS)
    assert value("last_sample_age_seconds", sensor="take-3") is None


def test_a_sensor_that_its_simulator_replaces_has_one_series():
    metrics.take_sensors([status("take-4", up=False)], 0)
    assert value("sensor_up", sensor="take-4", origin="sensor") == 0
    metrics.take_sensors([status("take-4", origin="simulator")], 0)
    assert value("sensor_up", sensor="take-4", origin="sensor") is None
    assert value("sensor_up", sensor="take-4", origin="simulator") == 1


def test_noise_cannot_fill_the_series_budget():
    bound = metrics.sensor_metrics("noisy")
    for i in range(1000):
        bound.malformed(f"reason-{i}")
    shown = [
        sample.labels
        for family in families()
        for sample in family.samples
        if family.name == "garita_malformed" and sample.labels["sensor"] == "noisy"
    ]
    assert len(shown) == metrics.REASONS_PER_SENSOR + 1
    assert value("malformed_total", sensor="noisy", reason=metrics.OTHER) == 994


def test_a_side_shows_its_outbox():
    metrics.take_side("test-side", depth=4, oldest_utc_ns=2 * SECOND_NS, now_utc_ns=5 * SECOND_NS)
    assert value("outbox_depth", side="test-side") == 4
    assert value("outbox_oldest_age_seconds", side="test-side") == 3
    metrics.take_side("test-side", depth=0, oldest_utc_ns=None, now_utc_ns=5 * SECOND_NS)
    assert value("outbox_oldest_age_seconds", side="test-side") == 0
    assert value("broker_connected", side="test-side") == 0
    metrics.side_metrics("test-side").puback("135")
    assert value("puback_total", side="test-side", reason="135") == 1


def test_bound_children_are_made_once():
    assert metrics.sensor_metrics("same") is metrics.sensor_metrics("same")
    assert metrics.side_metrics("same") is metrics.side_metrics("same")


def test_the_reference_checkpoint_stays_within_500_series():
    before = sum(len(family.samples) for family in families())
    for i in range(28 + 4):  # 10 portals, 4 spectroscopic ones, 16 stations of 4 channels, 2 X-ray
        one = status(f"ref-{i}", samples=1, at=1, malformed={"noise": 1})
        metrics.take_sensors([one], 2)
    for side in ("north", "south"):
        metrics.take_side(side, depth=1, oldest_utc_ns=1, now_utc_ns=2)
        for reason in ("0", "16", "135", "151"):
            metrics.side_metrics(side).puback(reason)
    for event in Event:
        for level in Level:
            metrics.alert(event.value, int(level))
    for family in Family:
        for i in range(8):
            metrics.detection(family.value, f"kind-{i}")
    for i in range(10):
        metrics.dropped("somewhere", f"reason-{i}")
    assert before < 500
    mine = [
        sample
        for family in families()
        for sample in family.samples
        if not sample.labels.get("sensor", "ref-").startswith(("take-", "noisy", "same"))
        and sample.labels.get("side") not in ("test-side", "same")
    ]
    assert len(mine) <= 500


def test_a_sensor_that_says_nothing_is_not_up_though_its_link_stands():
    silent = SourceStatus(
        sensor_id="geo-silent",
        origin=Origin.SENSOR,
        up=True,
        last_sample_utc_ns=SECOND_NS,
        silent_after_s=5.0,
    )
    assert silent.trouble(6 * SECOND_NS) == ""
    assert silent.trouble(40 * SECOND_NS) == "silent for 39 s"
    metrics.take_sensors([silent], 40 * SECOND_NS)
    family = next(f for f in families() if f.name == "garita_sensor_up")
    (sample,) = [s for s in family.samples if s.labels["sensor"] == "geo-silent"]
    assert sample.value == 0
