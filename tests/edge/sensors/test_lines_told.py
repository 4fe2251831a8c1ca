"""What an operator reads of a scan that is told while it goes on: one truck, one alert."""

from dataclasses import replace
from pathlib import Path

import pytest

from edge.text.render import render
from fusion.engine import Engine
from fusion.policy import Policy
from fusion.scans.test_piece import DECLARED
from fusion.types import (
    SECOND_NS,
    Checkpoint,
    Family,
    LaneSpec,
    Level,
    Origin,
    ScanFinding,
    ScanRegion,
    SensorSpec,
)
from tests.fusion.scan_records import scan_record

GOLDEN = Path(__file__).parents[2] / "golden" / "lines"
START_NS = 1_795_000_000 * SECOND_NS
BLOCK = ScanRegion(
    from_m=6.0,
    to_m=6.6,
    bottom_m=1.8,
    top_m=2.4,
    excess_g_cm2=104.0,
    sigma=25.0,
    material="dense",
    material_share=0.95,
)
FAINT = replace(BLOCK, sigma=7.0, material="organic", excess_g_cm2=12.0)


def part(at_s, *regions, rear_first=False, unpenetrated=0.0):
    """(when, what is certain by then)."""
    return at_s, ScanFinding(
        sensor_id="x",
        origin=Origin.SENSOR,
        start_utc_ns=START_NS,
        duration_ms=int(1000 * at_s),
        scan_id="s-1",
        length_m=2.0 * at_s,
        declared="",
        container="",
        empty=False,
        empty_nats=0.0,
        fill=0.6,
        homogeneity=0.95,
        unpenetrated=unpenetrated,
        regions=regions,
        quality=(),
        notes=(),
        geometry=(("opaque_m", 7.5), ("seen_m", 2.0 * at_s)),
        interim=True,
        rear_first=rear_first,
    )


def whole(at_s, *regions, partial=False, **changes):
    """(when, what the scan says in the end)."""
    _, finding = part(at_s, *regions, **changes)
    return at_s, replace(
        finding,
        empty_nats=-8.0,
        interim=False,
        rear_first=False,
        partial=partial,
        record=scan_record(scan_id="s-1", partial=partial),
    )


def fused(findings):
    site = Checkpoint(
        site="s",
        sensors=(SensorSpec(sensor_id="x", family=Family.XRAY, place="l", silent_after_ms=0),),
        lanes=(LaneSpec(lane_id="l", direction="northbound"),),
    )
    engine, alerts, done = Engine(site, Policy()), [], 0
    for at_s, finding in findings:
        for tenth in range(done + 1, round(10 * at_s) + 1):
            alerts += told(engine.tick(START_NS + tenth * SECOND_NS // 10), tenth / 10)
        done = round(10 * at_s)
        alerts += told(engine.feed(finding), at_s)
    for second in range(int(findings[-1][0]) + 1, 400):
        alerts += told(engine.tick(START_NS + second * SECOND_NS), float(second))
    return alerts


def told(alerts, at_s):
    return [(at_s, alert) for alert in alerts]


def page(alerts):
    """As a person would read them."""
    lines = []
    for at_s, alert in alerts:
        level = Level(alert.level).name.lower()
        words = render(alert, "en-US")
        files = ", with the scan's picture" if alert.records else ""
        lines += [
            f"{at_s:5.1f} s  {alert.phase.value} revision {alert.revision}, {level}{files}",
            f"         {words.headline}",
            f"         {words.description}",
            f"         {words.instruction}",
        ]
    return "\n".join(lines) + "\n"


STORIES = {
    "confirmed": [part(5.0, BLOCK), whole(9.0, BLOCK)],
    "taken-back": [part(5.0, BLOCK), whole(9.0)],
    "lowered": [part(5.0, BLOCK), whole(9.0, FAINT)],
    "one-of-two": [
        part(5.0, BLOCK),
        part(7.0, BLOCK, replace(BLOCK, from_m=10.0, to_m=10.5, sigma=20.0)),
        whole(9.0, BLOCK),
    ],
    "rear-first": [
        part(5.0, BLOCK, rear_first=True),
        whole(9.0, replace(BLOCK, from_m=11.4, to_m=12.0)),
    ],
    "opaque": [part(5.0, unpenetrated=0.3), whole(9.0, unpenetrated=0.35)],
    "broke-off": [part(5.0, BLOCK), whole(20.0, BLOCK, partial=True)],
    "nothing": [part(5.0), whole(9.0)],
}


@pytest.mark.parametrize("name", STORIES)
def test_an_operator_reads(name):
    assert page(fused(STORIES[name])) == (GOLDEN / f"{name}.txt").read_text()


@pytest.mark.parametrize("name", [name for name in STORIES if name != "nothing"])
def test_one_truck_is_one_alert(name):
    alerts = [alert for _, alert in fused(STORIES[name])]
    assert len({alert.alert_id for alert in alerts}) == 1
    assert [alert.revision for alert in alerts] == list(range(1, len(alerts) + 1))


def test_what_is_taken_back_is_over_at_once():
    at_s, last = fused(STORIES["taken-back"])[-1]
    assert (at_s, last.phase.value, last.facts["taken_back"]) == (9.0, "clear", True)


def test_another_scan_that_shows_nothing_takes_nothing_back():
    """The next truck's, behind one whose scan stands."""
    next_truck = replace(whole(60.0)[1], scan_id="s-2", start_utc_ns=START_NS + 50 * SECOND_NS)
    alerts = fused([*STORIES["confirmed"], (60.0, next_truck)])
    assert not any(alert.facts.get("taken_back") for _, alert in alerts)


def test_a_test_piece_that_is_still_coming_alarms_nobody():
    at_s, finding = part(5.0, BLOCK)
    assert fused([(at_s, replace(finding, declared=DECLARED))]) == []
