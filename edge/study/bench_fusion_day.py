"""Traffic past 64 places for the bench of fusion: detections as the sensors tell them.

Nothing of it is to be told to anybody: backgrounds, clean trucks, declared loads, wind and animals.
"""

from collections.abc import Iterator

import numpy as np

from fusion.evidence import weigh
from fusion.types import (
    SECOND_NS,
    Checkpoint,
    Detection,
    Fact,
    Family,
    LaneSpec,
    Origin,
    SensorSpec,
    ZoneSpec,
)

CELLS = 64
BEGIN_UTC_NS = 1_790_000_000 * SECOND_NS
APART_M = 1_000.0  # nobody is heard in two zones
CYCLE_S, CYCLES = 90, 3  # a vehicle each, in every lane
SCANNED_S = 30  # after it was in the portal


def checkpoint(lanes: int, zones: int) -> Checkpoint:
    """Lanes with a portal and a scanner, and zones with two ground sensors."""
    sensors: list[SensorSpec] = []
    for number in range(lanes):
        place = f"lane-{number}"
        sensors += [
            SensorSpec(sensor_id=f"rpm-{number}", family=Family.RADIATION, place=place),
            SensorSpec(sensor_id=f"xray-{number}", family=Family.XRAY, place=place),
        ]
    for number in range(zones):
        for part in range(2):
            where_m = (number * APART_M, 5_000.0 + 15.0 * part)
            sensors.append(_ground(f"geo-{number}-{part}", f"zone-{number}", where_m))
    return Checkpoint(
        site="bench",
        sensors=tuple(sensors),
        lanes=tuple(LaneSpec(lane_id=f"lane-{i}", direction="northbound") for i in range(lanes)),
        zones=tuple(ZoneSpec(zone_id=f"zone-{i}") for i in range(zones)),
    )


def _ground(sensor_id: str, place: str, where_m: tuple[float, float]) -> SensorSpec:
    family = Family.SEISMIC
    return SensorSpec(sensor_id=sensor_id, family=family, place=place, position_m=where_m)


def at_each_place(random: np.random.Generator, reports: int) -> Iterator[tuple[int, Detection]]:
    """(cell, detection): portal, scanner and ground sensor of each cell in turn."""
    for number in range(reports):
        cell, round_s = number % CELLS, number // CELLS
        teller = (_gamma, _emptiness, _heard)[round_s % 3]
        yield cell, teller(random, cell, round_s, round_s + 1.0)


def told_again(
    random: np.random.Generator, reports: int
) -> Iterator[tuple[list[tuple[Detection, float]], int]]:
    """(rows, time): a vehicle with a source, whose portal tells of it again and again."""
    rest = [
        (_neutrons(random, 0, 0, 6.0), 1.0),
        (_scan(random, 0, SCANNED_S, SCANNED_S), 1.0),
        (_emptiness(random, 0, SCANNED_S, SCANNED_S), 1.0),
    ]
    for _ in range(reports):
        gamma = _gamma(random, 0, 0, 5.0, more_nats=12.0)
        yield [(gamma, 1.0), *rest], BEGIN_UTC_NS + SCANNED_S * SECOND_NS


def traffic(random: np.random.Generator) -> Iterator[tuple[int, list[Detection]]]:
    """(time, detections that come together), none: a tick, once a second.

    A vehicle in each lane every 90 s, and meanwhile an event in each zone, told five times.
    """
    for second in range(CYCLES * CYCLE_S):
        yield BEGIN_UTC_NS + second * SECOND_NS, []
        for cell in range(CELLS):
            into_s = (second + cell * 7) % CYCLE_S
            told = random, cell, second - into_s, into_s
            for found in (*_passing(*told), *_ground_told(*told)):
                yield BEGIN_UTC_NS + second * SECOND_NS, found


def _passing(
    random: np.random.Generator, cell: int, began_s: int, into_s: int
) -> Iterator[list[Detection]]:
    """What portal and scanner of a lane tell so long after a vehicle came."""
    if into_s == 0:
        yield [_occupancy(cell, began_s, began_s, closed=False)]
    elif into_s < 6:
        yield [_gamma(random, cell, began_s, began_s + into_s, final=into_s == 5)]
    elif into_s == 6:
        yield [_neutrons(random, cell, began_s, began_s + 6.0)]
        yield [_occupancy(cell, began_s, began_s + 6.0, closed=True)]
    elif into_s == SCANNED_S:
        yield [
            _scan(random, cell, began_s + SCANNED_S, began_s + SCANNED_S),
            _emptiness(random, cell, began_s + SCANNED_S, began_s + SCANNED_S),
        ]


def _ground_told(
    random: np.random.Generator, cell: int, began_s: int, into_s: int
) -> Iterator[list[Detection]]:
    """What a ground sensor of a zone tells: an event of 15 s, every 3 s."""
    if 40 <= into_s <= 52 and into_s % 3 == 1:
        yield [_heard(random, cell, began_s + 37, began_s + into_s, final=into_s == 52)]


def _occupancy(cell: int, start_s: float, end_s: float, *, closed: bool) -> Detection:
    facts: dict[str, Fact] = {"opened": not closed, "length_m": 16.0, "speed_m_s": 2.7}
    return _detection("portal.occupancy", f"rpm-{cell}", start_s, end_s, facts, final=closed)


def _gamma(
    random: np.random.Generator,
    cell: int,
    start_s: float,
    end_s: float,
    *,
    final: bool = True,
    more_nats: float = 0.0,
) -> Detection:
    point, extended = random.gamma(1.0, 0.4, 2)
    point += more_nats
    facts: dict[str, Fact] = {
        "gamma_sigma": float(random.normal()),
        "point_nats": float(point),
        "extended_nats": float(extended),
        "extent": "point" if point >= extended else "extended",
        "position_m": float(random.uniform(2.0, 14.0)),
        "width_m": 2.4,
        "cab": False,
        "over_range": False,
    }
    return _detection("gamma.profile", f"rpm-{cell}", start_s, end_s, facts, final=final)


def _neutrons(random: np.random.Generator, cell: int, start_s: float, end_s: float) -> Detection:
    facts: dict[str, Fact] = {"neutron_sigma": float(random.normal()), "significant": False}
    return _detection("neutron.counts", f"rpm-{cell}", start_s, end_s, facts)


def _scan(random: np.random.Generator, cell: int, start_s: float, end_s: float) -> Detection:
    facts: dict[str, Fact] = {
        "scan_id": f"{cell}-{start_s:.0f}",
        "length_m": 16.0,
        "homogeneity": float(random.uniform(0.1, 0.6)),
        "unpenetrated": 0.01,
    }
    return _detection("xray.scan", f"xray-{cell}", start_s, end_s, facts)


def _emptiness(random: np.random.Generator, cell: int, start_s: float, end_s: float) -> Detection:
    facts: dict[str, Fact] = {
        "scan_id": f"{cell}-{start_s:.0f}",
        "declared": "empty",
        "empty_nats": float(random.normal(6.0, 1.0)),
    }
    return _detection("xray.emptiness", f"xray-{cell}", start_s, end_s, facts)


def _heard(
    random: np.random.Generator, cell: int, start_s: float, end_s: float, *, final: bool = True
) -> Detection:
    shares = random.dirichlet((0.4, 0.2, 1.0, 3.0, 1.0))
    names = ("person", "group", "animal", "weather", "machinery")
    facts: dict[str, Fact] = {
        "class": "weather",
        "classes": {name: float(share) for name, share in zip(names, shares, strict=True)},
        "peak_um_s": float(random.gamma(2.0, 1.0)),
    }
    return _detection("seismic.event", f"geo-{cell}-0", start_s, end_s, facts, final=final)


def _detection(
    kind: str,
    sensor_id: str,
    start_s: float,
    end_s: float,
    facts: dict[str, Fact],
    *,
    final: bool = True,
) -> Detection:
    families = {"rpm": Family.RADIATION, "xray": Family.XRAY, "geo": Family.SEISMIC}
    return weigh(
        Detection(
            sensor_id=sensor_id,
            family=families[sensor_id.partition("-")[0]],
            origin=Origin.SENSOR,
            kind=kind,
            start_utc_ns=BEGIN_UTC_NS + int(start_s * SECOND_NS),
            end_utc_ns=BEGIN_UTC_NS + int(end_s * SECOND_NS),
            facts=facts,
            final=final,
        )
    )
