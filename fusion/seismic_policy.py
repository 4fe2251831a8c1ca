"""Thresholds of the seismic family."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SeismicPolicy:
    """Every threshold of the seismic family, with its reason."""

    band_hz: tuple[float, float] = (5.0, 40.0)
    """Where steps and axles are; below is far traffic, above ends a 100 Hz station."""
    sta_s: float = 0.5
    """One footstep; STA/LTA for earthquakes is longer (facts 3.1)."""
    lta_s: float = 10.0
    """Also the warm-up: nothing is said before one LTA has passed."""
    on: float = 4.0
    """STA/LTA from which motion is an event: four times the ground's own level (facts 3.1)."""
    off: float = 1.5
    """STA/LTA under which an event has ended; well below `on`, so that steps stay one event."""
    level_on: float = 2.0
    """rms over the quiet floor that counts as activity: what approaches slowly never trips
    STA/LTA, whose LTA rises with it."""
    window_s: float = 6.0
    """Ten steps of a walker; four are inside two seconds after the first."""
    slowest_hz: float = 1.3
    """Slowest cadence that is taken for walking (facts 3.1: 1.6 to 1.9, slower off the road)."""
    fastest_hz: float = 3.3
    """Cadence of walking, 1.3 to 2.6, and most running (facts 3.1)."""
    memory: float = 0.6
    """How much of a second's evidence counts in the next: about two windows."""
    sure_share: float = 0.7
    """Share of the best class to be named."""
    sure_windows: int = 2
    """So many windows in a row: persistence is what keeps single knocks quiet."""
    change_windows: int = 5
    """A named class gives way only to one that has been sure for so long: while steps fade
    out of a window, it looks like something else for most of `window_s`."""
    end_after_s: float = 4.0
    """Quiet for so long ends an event: longer than the rest between two spades."""
    repeat_share: float = 0.1
    """An event is told again when its class's share or its peak has changed by so much."""
    repeat_s: float = 10.0
    """An event that lasts is told again after so long."""
    silent_s: float = 5.0
    """No samples for so long ends an event, and the filters start anew after it."""
    shortest_s: float = 2.0
    """Shorter events that were never named are not told."""
