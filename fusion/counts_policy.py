"""When counts of vehicles disagree more than chance, each limit with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class CountsPolicy:
    """How often each kind of sensor misses a vehicle that another has seen."""

    miss_share: Mapping[str, float] = field(
        default_factory=lambda: {"radiation": 0.03, "xray": 0.6, "seismic": 0.5, "counter": 0.02}
    )
    """Of vehicles that a portal or a scanner has seen. A portal's beam joins two close vehicles;
    not every vehicle is sent through the scanner; a ground sensor hears a queue as one,
    and where it is known to miss more, that counts; a message of the portal's own counter is lost
    now and then. Set by hand, generously."""
    heard_only_share: float = 0.7
    """Of vehicles that only a ground sensor has heard, those that came past no portal anyway: on
    the road nearby, or in another lane."""
    told_below: float = 1e-5
    """So unlikely by chance that a sensor is told: at 45 vehicles an hour and three sensors a lane
    tested each time that is one false alarm in a month."""
    window_s: float = 3600.0
    """Vehicles longer ago say nothing of how the sensor is now."""
    clear_from: int = 4
    """A sensor that has seen as many in a row as this is well again."""
