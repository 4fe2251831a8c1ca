"""Detections made by hand, for tests of the core."""

from collections.abc import Mapping

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

START_UTC_NS = 1_790_000_000 * SECOND_NS

CHECKPOINT = Checkpoint(
    site="test",
    lanes=(
        LaneSpec(lane_id="nb-01", direction="northbound", scan_offset_s=(5.0, 60.0)),
        LaneSpec(lane_id="sb-01", direction="southbound", portal_m=(10.0, 0.0)),
    ),
    zones=(ZoneSpec(zone_id="fence"),),
    sensors=(
        SensorSpec(sensor_id="rpm-1", family=Family.RADIATION, place="nb-01"),
        SensorSpec(sensor_id="xray-1", family=Family.XRAY, place="nb-01", silent_after_ms=0),
        *(
            SensorSpec(
                sensor_id=f"geo-{i + 1}",
                family=Family.SEISMIC,
                place="fence",
                position_m=(400.0, 15.0 * i),
                silent_after_ms=5_000,
            )
            for i in range(3)
        ),
    ),
)


def detection(
    kind: str,
    sensor_id: str,
    facts: Mapping[str, Fact],
    *,
    start_s: float = 0.0,
    end_s: float = 8.0,
    final: bool = True,
    origin: Origin = Origin.SENSOR,
) -> Detection:
    families = {"gamma": Family.RADIATION, "neutron": Family.RADIATION, "portal": Family.RADIATION}
    families |= {"seismic": Family.SEISMIC, "xray": Family.XRAY}
    return weigh(
        Detection(
            sensor_id=sensor_id,
            family=families.get(kind.partition(".")[0], Family.RADIATION),
            origin=origin,
            kind=kind,
            start_utc_ns=START_UTC_NS + int(start_s * SECOND_NS),
            end_utc_ns=START_UTC_NS + int(end_s * SECOND_NS),
            facts=facts,
            final=final,
        )
    )


def occupancy(start_s: float, end_s: float | None = None) -> Detection:
    facts: dict[str, Fact] = {"opened": end_s is None, "length_m": 18.0, "speed_m_s": 2.5}
    end = start_s if end_s is None else end_s
    return detection(
        "portal.occupancy", "rpm-1", facts, start_s=start_s, end_s=end, final=end_s is not None
    )


def gamma(sigma: float, *, point: float, extended: float, **facts: Fact) -> Detection:
    start_s, end_s = facts.pop("start_s", 0.0), facts.pop("end_s", 8.0)
    assert isinstance(start_s, float)
    assert isinstance(end_s, float)
    more: dict[str, Fact] = {
        "gamma_sigma": sigma,
        "point_nats": point,
        "extended_nats": extended,
        "extent": "point" if point >= extended else "extended",
        "position_m": 11.0,
        "width_m": 2.4,
        "cab": False,
        "over_range": False,
    }
    return detection("gamma.profile", "rpm-1", more | facts, start_s=start_s, end_s=end_s)


def dense(position_m: float, sigma: float = 12.0, **facts: Fact) -> Detection:
    more: dict[str, Fact] = {
        "position_m": position_m,
        "sigma": sigma,
        "material": "dense",
        "homogeneity": 0.9,
    }
    return detection("xray.dense", "xray-1", more | facts, start_s=10.0, end_s=18.0)


def steps(
    sensor_id: str, at_s: float, share: float = 0.9, peak: float = 10.0, *, final: bool = False
) -> Detection:
    classes: dict[str, Fact] = {"person": share, "animal": (1 - share) / 2}
    classes["vehicle"] = (1 - share) / 2
    return detection(
        "seismic.event",
        sensor_id,
        {"class": "person", "classes": classes, "peak_um_s": peak, "cadence_hz": 1.8},
        start_s=at_s - 3.0,
        end_s=at_s,
        final=final,
    )


def heard(
    sensor_id: str,
    start_s: float,
    end_s: float,
    *at_s: float,
    name: str = "person",
    sd_s: float = 0.3,
    rise: float = 3.0,
    width_s: float = 4.0,
    over: bool = True,
    final: bool = False,
    **facts: Fact,
) -> Detection:
    """An event in which the sensor was passed at these times, all in one clock."""
    passes = tuple(
        {"at_s": at - start_s, "sd_s": sd_s, "width_s": width_s, "rise": rise, "over": over}
        for at in at_s
    )
    rest = "vehicle" if name != "vehicle" else "person"
    more: dict[str, Fact] = {"class": name, "classes": {name: 0.9, rest: 0.1}, "passes": passes}
    return detection(
        "seismic.event", sensor_id, more | facts, start_s=start_s, end_s=end_s, final=final
    )
