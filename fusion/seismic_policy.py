"""Thresholds of the seismic family; how a station listens is its preset's (`seismic_presets`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class SeismicPolicy:
    """Every threshold of the seismic family, with its reason."""

    window_s: float = 6.0
    """Ten steps of a walker; four are inside two seconds after the first."""
    lead_s: float = 1.0
    """Of what was before an event its first windows see so much: the first step is whole."""
    memory_s: float = 1.2
    """Time constant with which what was said before is forgotten: two steps of a walker; a sixth
    of it where the steps are clear."""
    sure_share: float = 0.7
    """Share of the best class to be named."""
    sure_s: Mapping[str, float] = field(
        default_factory=lambda: {
            "person": 0.2,
            "group": 1.6,
            "animal": 1.6,
            "vehicle": 2.0,
            "digging": 4.0,
            "aircraft": 3.0,
            "machinery": 3.0,
        }
    )
    """For so long a class must have been sure before it is named: persistence is what keeps single
    knocks quiet. A person waits for four alike steps instead. Weather and what is unknown are
    never named while they last: they ask for nothing."""
    person_chain_nats: float = 3.5
    """What the chain of steps must say for a walker against chance before one is named: four clear
    ones have six, four faint ones four; of windows of real noise two in a hundred have so much."""
    faint_nats: float = 3.5
    """So much more of steps that neither STA/LTA nor the level has noticed."""
    faint_share_nats: float = 0.7
    """So much is taken off the evidence for anybody on foot while that is so: who is so far off
    that only the rhythm tells of him may be beyond what is watched."""
    person_steps: int = 4
    """Alike steps before a person is named."""
    change_s: float = 3.0
    """A named class gives way only to one that has been sure for so much longer: while steps fade
    out of a window, it looks like something else for most of `window_s`."""
    repeat_nats: float = 0.5
    """An event is told again when the odds of its class have changed by a factor of 1.6."""
    walker_nats: float = 0.15
    """Of somebody on foot, who is to ring as soon as anything can be said, so much more is told."""
    repeat_share: float = 0.1
    """And when its peak has grown by so much."""
    repeat_s: float = 2.0
    """An event that lasts is told again after so long: a track follows who passes."""
    silent_s: float = 5.0
    """No samples for so long ends an event, and the filters start anew after it."""
    shortest_s: float = 2.0
    """Shorter events that were never named are not told."""
