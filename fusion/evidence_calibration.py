"""The numbers that turn what ground sensors and scanners measured into nats, and their origin.

`garita calibrate PACK` fits them on simulated days of known truth; what is not fitted says so. A
section of the policy, so that a site sees them and can put its own in their place. Those of portals
are in `fusion.radiation_calibration`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fusion import evidence_fitted as fitted

BY_HAND = "by hand"
"""The provenance of what no fit has bettered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceCalibration:
    """Nats of the detections of ground sensors and scanners, against `nothing`.

    Each is a line, `slope * measured - offset`, between bounds: more of what was measured never
    says less. Slopes and offsets are fitted where a pack has enough of it, with all classes of the
    truth weighing the same, so that how often something comes is left to the priors.
    """

    provenance: Mapping[str, str] = field(default_factory=lambda: dict(fitted.PROVENANCE))
    """What these numbers, and the correlations of `scoring`, were fitted on; no report ever uses
    any of it."""
    foot_slope: float = fitted.FOOT_SLOPE
    """Nats that each nat of the log-odds is worth which a ground sensor gives to somebody on foot,
    alone or not."""
    foot_offset: float = fitted.FOOT_OFFSET
    """What those are worth less, since ground has more kinds of noise than any simulator."""
    foot_clear_nats: float = fitted.FOOT_CLEAR_NATS
    """What steps that are quite clear of the noise say more than faint ones."""
    foot_clear_from: float = fitted.FOOT_CLEAR_FROM
    """ln(height / valley) of steps from which they say more: of an hour of real noise the faint
    walkers far off have 1.4, simulated ones within 10 m 1.9 and more. Not fitted."""
    foot_clear_width: float = fitted.FOOT_CLEAR_WIDTH
    """Over which they come to say all of it. Not fitted."""
    foot_unsure_nats: float = fitted.FOOT_UNSURE_NATS
    """Of somebody on foot without steps that were sure nobody says more. Not fitted."""
    foot_most_nats: float = fitted.FOOT_MOST_NATS
    """No one sensor says more of anybody, before it is asked how many. Not fitted."""
    ground_slope: float = fitted.GROUND_SLOPE
    """As `foot_slope`, of animals, vehicles, digging, aircraft, weather and machines alike."""
    ground_offset: float = fitted.GROUND_OFFSET
    """As `foot_offset`, of the same."""
    share_rest: float = fitted.SHARE_REST
    """More sure than 50 to 1 no simulated class makes anybody of anything. Not fitted."""
    emptiness_slope: float = fitted.EMPTINESS_SLOPE
    """Nats that each nat is worth by which a picture is likelier of a load than of an empty box, at
    most 1: the likelihood is by a model of boxes."""
    emptiness_offset: float = fitted.EMPTINESS_OFFSET
    """What it is worth less where the papers say empty."""
    emptiness_full_nats: float = fitted.EMPTINESS_FULL_NATS
    """More than this on either side is worth no more. Not fitted."""
    dense_slope: float = fitted.DENSE_SLOPE
    """Nats of each sigma by which a dense place stands out of its load, dense or steel or of a
    material that cannot be told: how even the load is, its sigmas have taken into account."""
    dense_offset: float = fitted.DENSE_OFFSET
    """What being the strongest of many places costs it. Beside the fit, on 1,860 other drawn loads
    (seeds 30,000 to 32,643), each scanned with a thing in it and without, regions at the things
    are, from 5, 5.5, 6, 7, 8 and 10 sigma to the next, 1.1, 2.5, 3, 7, 50 and 300 times as frequent
    as others without, in high clutter half to 4 times as; in low clutter one was seen without from
    7 on. In loads of homogeneity below 0.05, as two kinds of goods in one box have, it is 1.2, 2,
    2.4, 7, 25 and 40 times."""
    dense_least_nats: float = fitted.DENSE_LEAST_NATS
    """No dense place speaks more against a thing than this: log of the share of things that show no
    place at all, over that of loads without."""
    dense_other_share: float = fitted.DENSE_OTHER_SHARE
    """What a place of another material says of it: most things that are hidden are metal."""
    dense_shield_nats: float = fitted.DENSE_SHIELD_NATS
    """A dense place says no more of a shielded source by itself. Not fitted."""
    mismatch_slope: float = fitted.MISMATCH_SLOPE
    """Nats of each nat by which a load looks like another chapter's; papers and tables of goods
    are wrong as well. Not fitted: no pack has wrong papers other than of empty boxes."""
    change_nats: float = fitted.CHANGE_NATS
    """Of something new, e-fold `change_kg`, in a load that is else the very same. Not fitted."""
    change_kg: float = fitted.CHANGE_KG
    """Half of how containers differ that were driven past twice. Not fitted."""
    change_most_nats: float = fitted.CHANGE_MOST_NATS
    """What is new says no more than this. Not fitted."""
    opaque_nats: float = fitted.OPAQUE_NATS
    """Of a box that nobody can see through at all, by its share. Not fitted: it is no question of
    truth how much of it nobody has seen."""
    opaque_from: float = fitted.OPAQUE_FROM
    """Every load has so large a share that cannot be seen through. Not fitted."""
