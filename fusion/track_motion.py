"""What is said of a track: where it goes, how fast, how far it has come, how many they are."""

import math

from fusion.evidence import number
from fusion.track_chains import DRIVES, SURE_DEVIATIONS, SURE_NATS, Chain
from fusion.tracks import ANY_WIDTH_S, Track, Zone
from fusion.types import SECOND_NS, Fact
from fusion.walks import Way

SENSORS = 2  # order and speed need two places
SURE_WAY_NATS = 6.0  # of simulated walks that say so much one in fifty is wrong
DOUBTFUL_WAY_NATS, SURE_LEG_NATS = 4.0, 8.0
OTHER_SPEED = 1.6
BLUNT_SD_S = 0.5
BESIDE_M = 60.0  # of drawn vehicles up to 15 m beside the line none seems further away than 30 m


def motion_facts(track: Track, zone: Zone) -> dict[str, Fact] | None:
    """Facts of a `track.motion`; None where there is nothing new to say of it."""
    leg, way = track.incident.leg, track.way
    if way is not None and not _turned(track):
        if _wins(way, leg):
            return _told(track, zone, way.sensors, *_of_way(way, track.end_utc_ns))
        if leg is not None and _doubts(way, leg):
            return None
    sensors = tuple(dict.fromkeys(one.sensor_id for one in leg.passes)) if leg else ()
    if leg is None or len(sensors) < SENSORS or leg.gain_nats < SURE_NATS or not zone.line.is_one:
        return None
    return _of_leg(track, zone, leg, sensors)


def _of_leg(
    track: Track, zone: Zone, leg: Chain, sensors: tuple[str, ...]
) -> dict[str, Fact] | None:
    """What its passages say."""
    if _is_far_off(leg):
        width_s = min(one.width_s for one in leg.passes)
        return {
            "sensors": sensors,
            "count": _count(track),
            "course": "far-off",
            "width_s": round(width_s, 1),
        }
    if leg.heading and not _drives_elsewhere(leg):
        motion = leg.state[1], math.sqrt(leg.state[4]), *_position(leg, track.end_utc_ns)
        return _told(track, zone, sensors, *motion)
    if leg.heading or not _is_across(leg):
        return None
    # All at once: it crosses the line, nearest to the sensor that heard it for the shortest.
    nearest = min(leg.passes, key=lambda one: (one.width_s, one.at_utc_ns))
    return {
        "sensors": sensors,
        "count": _count(track),
        "course": "across",
        "near": nearest.sensor_id,
    }


def _wins(way: Way, leg: Chain | None) -> bool:
    """Whether the way says more than the passages do, and other things.

    Who has passed one sensor only may yet come or go.
    """
    nats = abs(way.up_nats)
    if nats < SURE_WAY_NATS or way.passed < SENSORS:
        return False
    if leg is None or not leg.heading:
        return True
    if leg.heading * way.up_nats < 0.0:
        return nats > leg.gain_nats
    speeds = abs(way.slowness / leg.state[1])  # passages are sharper where they are right
    return not 1.0 / OTHER_SPEED < speeds < OTHER_SPEED


def _doubts(way: Way, leg: Chain) -> bool:
    """Whether the two say opposite things, and neither says much."""
    return (
        leg.heading * way.up_nats <= -DOUBTFUL_WAY_NATS
        and way.passed >= SENSORS
        and leg.gain_nats < SURE_LEG_NATS
    )


def _told(  # noqa: PLR0917 - in the order of what is told
    track: Track,
    zone: Zone,
    sensors: tuple[str, ...],
    slowness: float,
    slowness_sd: float,
    position_m: float,
    position_sd_m: float,
) -> dict[str, Fact]:
    speed = 1.0 / abs(slowness)
    east_m, north_m = zone.line.place_m(position_m)
    return {
        "sensors": sensors,
        "count": _count(track),
        "course": "along",
        "direction": zone.line.compass(forward=slowness > 0.0),
        "speed_m_s": round(speed, 2),
        "speed_sd_m_s": round(speed * slowness_sd / abs(slowness), 2),
        "position_m": round(position_m, 1),
        "position_sd_m": round(position_sd_m, 1),
        "place_m": (round(east_m, 1), round(north_m, 1)),
        "near": zone.line.nearest(position_m),
        "turned": _turned(track),
    }


def _is_across(chain: Chain) -> bool:
    """Whether it surely passed all sensors sooner than anything goes that runs along them."""
    sd = math.sqrt(chain.state[4])
    fastest = 1.0 / chain.manner.fastest_m_s
    return abs(chain.state[1]) - SURE_DEVIATIONS * sd < fastest and sd < ACROSS_SD * fastest


ACROSS_SD = 1.0
FAR_OFF_S, FAR_OFF_M = 3.0, 30.0
"""On 2 h of simulated fences (tuning seeds 600301 to 600303) what drove beside the sensors rose and
fell at the nearest of them within 0.3 to 2.1 s, on a road 150 m off within 3.9 to 7.4 s."""


def _is_far_off(chain: Chain) -> bool:
    """Whether it came and went slowly at every sensor, for the speed at which it passed them."""
    width_s = min(one.width_s for one in chain.passes)
    if chain.last.manner != DRIVES or not FAR_OFF_S <= width_s < ANY_WIDTH_S:
        return False
    return width_s > FAR_OFF_M * abs(chain.state[1])


def _drives_elsewhere(chain: Chain) -> bool:
    """Whether it was loud for too long, and at no clear time: traffic on a road, not beside us.

    Which of several vehicles each sensor heard loudest is not known then.
    """
    width_s = min(one.width_s for one in chain.passes)
    if chain.last.manner != DRIVES or width_s >= ANY_WIDTH_S:
        return False
    blunt = min(one.sd_s for one in chain.passes) > BLUNT_SD_S
    return blunt and width_s > BESIDE_M * abs(chain.state[1])


def _of_way(way: Way, utc_ns: int) -> tuple[float, float, float, float]:
    """Slowness and place, with their deviations."""
    gone_m = (utc_ns - way.at_utc_ns) / SECOND_NS / way.slowness
    return way.slowness, way.slowness_sd, gone_m, abs(gone_m * way.slowness_sd / way.slowness)


def _position(chain: Chain, utc_ns: int) -> tuple[float, float]:
    """Metres along the line at that time, and their deviation."""
    passed_s, slowness, p00, p01, p11 = chain.state
    after_s = (utc_ns - chain.passes[0].at_utc_ns) / SECOND_NS - passed_s
    way_m = after_s / slowness
    variance = (p00 + 2.0 * way_m * p01 + way_m**2 * p11) / slowness**2
    return chain.last.along_m + way_m, math.sqrt(max(variance, 0.0))


def _count(track: Track) -> int:
    """How many: those whose passages could be told apart, or as a station counts them."""
    told = [number(d.facts, "count", 1.0) for d in track.detections.values()]
    return max(1 + len(track.incident.followers), *(int(count) for count in told), 1)


def _turned(track: Track) -> bool:
    headings = [leg.heading for leg in track.incident.legs if leg.heading]
    return len(set(headings)) > 1 or any(leg.turns and leg.heading for leg in track.incident.legs)
