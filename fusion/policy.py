"""Every threshold of the engine that is not a family's own, each with its reason.

The values are the defaults of `configs/policy.yaml`; the docstring after a field is the
reason that the file shows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fusion.radiation import RadiationPolicy
from fusion.radiation_calibration import RadiationCalibration
from fusion.scans.scanner_policy import ScannerPolicy
from fusion.seismic import SeismicPolicy
from fusion.spectra.policy import SpectraPolicy
from fusion.spectra.verdict import IdentifyPolicy
from fusion.types import Event
from fusion.xray import XrayPolicy


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringPolicy:
    """Priors, weights and caps, all in nats against `nothing`."""

    priors_nats: Mapping[str, float] = field(
        default_factory=lambda: {
            "norm": -3.5,
            "medical": -4.3,
            "legal-source": -9.0,
            "threat-source": -7.5,
            "shielded-source": -8.0,
            "contraband-anomaly": -4.5,
            "not-empty": -3.0,
            "not-as-declared": -4.0,
            "unpenetrated": -3.0,
            "bypass": -4.0,
            "drop-off": -5.0,
            "person": -2.5,
            "group": -3.0,
            "animal": -2.5,
            "vehicle": -2.5,
            "digging": -5.0,
            "aircraft": -5.0,
            "weather": -1.0,
            "machinery": -2.0,
            "tamper": -5.0,
            "fault": -5.0,
            "drift": -5.0,
            "test-piece": -5.0,
            "silent": -5.0,
        }
    )
    """How likely each explanation is before anything is measured. NORM is 1 to 3 % of trucks and
    patients 1 in 2,600 people (facts: radiation 3.1); a threat is set far more likely than it is,
    because missing one costs more than a second look. Of a point of gammas only the ratio matters:
    a patient is set 15 times as likely as all sources together, where the field has hundreds. With
    the place, a point in the cab is then a source with 0.013 and one behind it with 0.7: a
    gross-count portal lets the first go and refers the second, each by more than a factor 3.
    Who crosses ground comes in groups nearly as often as alone, and one geophone must be able to
    ring for a group."""
    caps_nats: Mapping[str, float] = field(
        default_factory=lambda: {
            "gamma.profile": 14.0,
            "gamma.spectrum": 14.0,
            "gamma.dip": 4.0,
            "neutron.counts": 10.0,
            "seismic.event": 3.5,
            "track.motion": 2.5,
            "xray.emptiness": 8.0,
            "xray.dense": 7.0,
            "xray.mismatch": 6.0,
            "xray.change": 2.5,
            "xray.unpenetrated": 4.0,
            "fusion.shielding": 6.0,
            "fusion.bulk-norm": 3.0,
            "fusion.bypass": 6.0,
            "fusion.drop-off": 9.5,
            "health.tamper": 10.0,
            "health.fault": 10.0,
            "health.drift": 10.0,
            "health.test-piece": 10.0,
            "health.silent": 10.0,
        }
    )
    """The most that one source may say. A portal alone may ring, by policy, since it is the only
    one that sees radiation; one geophone alone may not pass the warning line."""
    group_rho: Mapping[str, float] = field(
        default_factory=lambda: {"radiation": 0.3, "seismic": 0.5, "xray": 0.3, "fusion": 0.0}
    )
    """Correlation of sensors that share a trigger; n of them weigh 1/(1+(n-1) rho) each
    (facts: fusion 2.1, three sensors at 0.5 ignored give 14 times the false alarms)."""
    ground_rho: tuple[float, float, float] = (0.8, 0.3, 15.0)
    """Correlation of two ground sensors side by side, far apart, and the metres in which it falls
    from one towards the other: gusts and what shakes one spot reach both, a train reaches all. At
    15 m it is what `group_rho` has for sensors whose places are not known."""
    decay_s: Mapping[str, float] = field(
        default_factory=lambda: {"seismic.event": 120.0, "track.motion": 120.0}
    )
    """Evidence about something that moves grows old with this time constant; what was measured
    on a vehicle stays true of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmPolicy:
    """When an alert is raised, told again and cleared."""

    level_lines: Mapping[Event, tuple[float, float, float]] = field(
        default_factory=lambda: {
            Event.RAD_THREAT: (0.05, 0.50, 0.90),
            Event.RAD_OVERRANGE: (0.0, 0.0, 0.50),
            Event.SHIELDED_SOURCE: (0.05, 0.50, 0.90),
            Event.RAD_INNOCENT: (2.0, 2.0, 2.0),
            Event.CARGO_ANOMALY: (0.50, 0.90, 2.0),
            Event.CARGO_MISMATCH: (0.50, 0.90, 2.0),
            Event.CARGO_UNPENETRATED: (0.60, 2.0, 2.0),
            Event.PERSON: (0.50, 0.80, 2.0),
            Event.GROUP: (0.40, 0.70, 2.0),
            Event.ANIMAL: (2.0, 2.0, 2.0),
            Event.VEHICLE_OFF_LANE: (0.50, 0.80, 2.0),
            Event.DIGGING: (0.40, 0.80, 2.0),
            Event.AIRCRAFT_LOW: (0.50, 0.80, 2.0),
            Event.PORTAL_BYPASS: (0.50, 0.85, 2.0),
            Event.DROP_OFF: (0.50, 0.80, 2.0),
            Event.SENSOR_TAMPER: (0.50, 0.90, 2.0),
            Event.SENSOR_FAULT: (0.50, 2.0, 2.0),
            Event.SENSOR_SILENT: (0.50, 2.0, 2.0),
        }
    )
    """Probability from which each event is advisory, warning and critical; 2 is never. Lines are
    lower where a miss costs more; lawful explanations are logged and never ring. A source is
    advisory from 0.05: on simulated traffic a gross-count portal then finds as many as the field's
    test at its usual 7 sigma, and sends hardly any load of minerals to secondary."""
    log_line: float = 0.50
    """An explanation more likely than not is worth a line in the log, with no sound."""
    deadband_nats: float = 1.0
    """A score that wanders by less is not told again (facts: fusion 2.3, 397 to 247 alarms)."""
    update_gap_s: float = 1.0
    """Nobody reads the same alert twice within a second."""
    on_delay_s: Mapping[str, float] = field(
        default_factory=lambda: {"transit": 0.0, "track": 0.0, "device": 0.0}
    )
    """A pass lasts seconds, so radiation waits for nothing; what moves over the ground has been
    waited for by its sensors: four alike steps of a walker, seconds of anything else."""
    hold_s: Mapping[str, float] = field(
        default_factory=lambda: {"transit": 0.0, "track": 30.0, "device": 0.0}
    )
    """A level rises at once and falls after less has been believed for so long: a walker is louder
    at each sensor than between two, and rings once. A truck that is cleared is cleared."""
    off_delay_s: Mapping[str, float] = field(
        default_factory=lambda: {"transit": 90.0, "track": 30.0, "device": 0.0}
    )
    """How long the cause must be gone before the alert is cleared: a truck needs a minute and a
    half to reach secondary; a walker is gone when no sensor has heard steps for 30 s."""
    fault_join_s: float = 1.0
    """A fault or tamper contact that comes back within this has not ended: loose contacts
    chatter, and its end is told so much later."""
    link_delay_s: float = 5.0
    """A link that comes back within this is a hiccup, not an alert."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All thresholds of one site."""

    radiation: RadiationPolicy = field(default_factory=RadiationPolicy)
    spectra: SpectraPolicy = field(default_factory=SpectraPolicy)
    identify: IdentifyPolicy = field(default_factory=IdentifyPolicy)
    radiation_evidence: RadiationCalibration = field(default_factory=RadiationCalibration)
    seismic: SeismicPolicy = field(default_factory=SeismicPolicy)
    xray: XrayPolicy = field(default_factory=XrayPolicy)
    scanner: ScannerPolicy = field(default_factory=ScannerPolicy)
    association: AssociationPolicy = field(default_factory=AssociationPolicy)
    scoring: ScoringPolicy = field(default_factory=ScoringPolicy)
    alarms: AlarmPolicy = field(default_factory=AlarmPolicy)
