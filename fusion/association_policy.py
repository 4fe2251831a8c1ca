"""Thresholds by which detections are joined to incidents, each with its reason."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationPolicy:
    """Which detections speak of one vehicle or of one thing that moves."""

    place_tolerance_m: float = 1.5
    """Portal and scanner agree on a place along the vehicle this well: half a 200 ms portal
    sample at 2.2 m/s is 0.2 m, the profile of a point at 2.5 m is fitted to about 1 m."""
    scan_ambiguity_s: float = 3.0
    """Two vehicles whose expected scan times differ by less cannot be told apart by time."""
    ambiguous_weight: float = 0.5
    """An ambiguous pairing says half as much: of two equally good candidates one is right."""
    lane_wait_s: float = 15.0
    """A vehicle heard beside a lane enters the portal within this, or it went around it."""
    lane_hearing_m: float = 150.0
    """Lane traffic is heard by ground sensors up to here; facts: trucks 100 to 500 m, but the
    footstep band falls off as exp(-pi f r / Q v) and is gone by then."""
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
