"""How a station listens, by the kind of site it stands at.

A preset sets the band and the windows of STA/LTA, the lines of activity, and whether what is heard
is classed. Those for earthquakes and quiet vaults are rsudp's scenarios (facts/seismic.md 3.1).
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """One way of listening."""

    name: str
    band_hz: tuple[float, float]
    """Band-pass ahead of STA/LTA; narrowed where the rate does not carry it."""
    sta_s: float
    lta_s: float
    """Also the warm-up: nothing is said before one LTA has passed."""
    on: float
    """STA/LTA from which motion is an event."""
    off: float
    """STA/LTA under which the trigger lets go."""
    level_on: float
    """rms over the quiet floor that is activity too: what swells slowly never trips STA/LTA, whose
    LTA rises with it. Infinite: STA/LTA alone."""
    end_after_s: float
    """Quiet for so long ends an event; 0: it ends where the trigger lets go."""
    person_nats: float = 0.0
    """Taken off the evidence for anybody on foot: ground that people lawfully share."""
    classed: bool = True
    """False: an event is told as `unknown`, from trigger to trigger."""


NEVER = float("inf")

PRESETS: Mapping[str, Preset] = {
    preset.name: preset
    for preset in (
        # One footstep, and ten of them; steps and axles are in 5-40 Hz: below is far traffic,
        # above ends a 100 Hz station. `end_after_s` is longer than the rest between two spades.
        Preset(
            name="footsteps",
            band_hz=(5.0, 40.0),
            sta_s=0.5,
            lta_s=10.0,
            on=4.0,
            off=1.5,
            level_on=2.0,
            end_after_s=5.0,
        ),
        # rsudp "general": regional and local earthquakes on a station in a house.
        Preset(
            name="earthquake",
            band_hz=(0.8, 9.0),
            sta_s=6.0,
            lta_s=30.0,
            on=4.5,
            off=0.5,
            level_on=NEVER,
            end_after_s=0.0,
            classed=False,
        ),
        # rsudp's quiet vault triggers from 1.0; steps beside a vault are clear long before.
        Preset(
            name="vault",
            band_hz=(5.0, 40.0),
            sta_s=0.5,
            lta_s=20.0,
            on=3.0,
            off=1.2,
            level_on=1.6,
            end_after_s=5.0,
        ),
        # A floor that rings at 5-25 Hz over mains hum: steps overlap, and the LTA follows them.
        Preset(
            name="indoor",
            band_hz=(8.0, 45.0),
            sta_s=0.3,
            lta_s=10.0,
            on=3.0,
            off=1.3,
            level_on=1.6,
            end_after_s=4.0,
        ),
        # Beside a road the floor is traffic: more is asked before anybody is named.
        Preset(
            name="roadside",
            band_hz=(10.0, 45.0),
            sta_s=0.5,
            lta_s=20.0,
            on=5.0,
            off=1.5,
            level_on=2.5,
            end_after_s=5.0,
            person_nats=1.0,
        ),
    )
}
"""By name; `footsteps` is the default."""
