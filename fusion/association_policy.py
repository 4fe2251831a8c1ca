"""Thresholds by which detections are joined to incidents, each with its reason."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationPolicy:
    """Which detections speak of one vehicle or of one thing that moves."""

    place_tolerance_m: float = 1.5
    """Portal and scanner agree on a place along the vehicle this well: half a 200 ms portal
    sample at 2.2 m/s is 0.2 m, the profile of a point at 2.5 m is fitted to about 1 m."""
    scan_skip_share: float = 0.3
    """Vehicles that drive past the scanner, until a lane's own share is known."""
    scan_strays_per_h: float = 1.0
    """Scans of vehicles that no portal has counted; a busy scanner makes twenty scans an hour."""
    scan_overtaking_share: float = 0.02
    """How often one vehicle is scanned before another that was ahead of it in the lane; with one
    lane from portal to scanner that is next to never."""
    scan_odd_share: float = 0.05
    """Drivers who stop between portal and scanner for as long as they like."""
    scan_spread_s: float = 3.0
    """Of the way from portal to scanner, until a lane's own spread is known: 25 m at 2.2 m/s, give
    or take a quarter."""
    scan_spread_floor_s: float = 0.7
    """However regular a lane has been: a portal tells its occupancies within 0.2 s, a scanner the
    start of a scan within half a second."""
    scan_length_sd_m: float = 1.0
    """Portal and scanner agree on a vehicle's length so well: 0.2 s at 2.2 m/s, and what of its
    ends the picture shows."""
    sure_pairing: float = 0.8
    """A scan that is less surely of the vehicle it is told of is called ambiguous."""
    pairing_deadband_nats: float = 1.0
    """Evidence goes to another vehicle only when that is e times likelier: it does not wander."""
    scan_told_s: float = 30.0
    """A scan is told when it is over and was looked at: 18 m at 1 m/s, and some seconds."""
    joined_length_m: float = 23.0
    """What is longer in the beam may be two vehicles: a tractor with the longest single trailer
    has 22 m (53 feet of it trailer); two close together are held as one occupancy."""
    joined_share: float = 0.3
    """Of so long ones, two vehicles; the others have two trailers and up to 31 m."""
    joined_short_share: float = 0.02
    """The same of those that are long enough for two cars."""
    shortest_vehicle_m: float = 3.0
    """Whoever is shorter in the beam has turned round in it; a city car has 3.5 m."""
    reversing_gap_s: float = 10.0
    """Who backs out of the beam is in it again within this: 3 m, a stop and 3 m at 1 m/s."""
    reversing_length_m: float = 7.0
    """Who came 4 m into the beam and backed out again seems as long as the way in and the way out,
    less what it went slower than its usual speed."""
    reversing_speed_ratio: float = 2.0
    """Whoever comes so much faster right behind a vehicle would have run into it."""
    lane_wait_s: float = 15.0
    """A vehicle heard beside a lane enters the portal within this, or it went around it."""
    lane_hearing_m: float = 150.0
    """Lane traffic is heard by ground sensors up to here; facts: trucks 100 to 500 m, but the
    footstep band falls off as exp(-pi f r / Q v) and is gone by then."""
    lane_loud_ratio: float = 1.8
    """So much louder than what a lane's sensor usually hears of its vehicles is nearer than the
    lane. Of 13 simulated trucks the loudest was 1.6 times the usual one of its sensor, a vehicle
    beside the hall 3.3 times."""
    lane_loud_deviations: float = 3.5
    """And so many robust deviations of the logarithm: one lane's trucks differ more than
    another's."""
    lane_meet_m: float = 30.0
    """Whoever is heard on foot this close to a lane is at it: as far as a walker is heard in the
    field."""
    lane_half_m: float = 60.0
    """A lane is taken to reach so far before and behind its portal: its queue, and the scanner."""
    track_gap_s: float = 45.0
    """A walker at 1.2 m/s needs 12 s between sensors 15 m apart; three missed sensors are 45 s."""
    track_speed_m_s: float = 25.0
    """Nothing on the ground beside a checkpoint moves faster (90 km/h)."""
    track_clock_sd_s: float = 0.1
    """Clocks of two stations differ by so much: NTP keeps a Shake within 10 to 100 ms."""
    track_sway_m: float = 0.5
    """Nobody walks a straight line at one speed; so far off it is nothing to wonder at."""
    walker_hearing_m: float = 75.0
    """A walker is heard up to here; facts: 30 m in the field, 60 to 100 m where all is quiet."""
    vehicle_hearing_m: float = 250.0
    """A vehicle is heard up to here; facts: 100 to 500 m, less in the footstep band."""
    file_gap_s: float = 15.0
    """Who passes a sensor so soon after another, the same way, goes with them: 20 m behind. They
    are one alert with a count."""
    stop_distance_m: float = 40.0
    """Footsteps that start this close to where a vehicle stopped may be a drop-off."""
