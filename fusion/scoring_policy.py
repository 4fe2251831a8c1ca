"""Priors, caps, correlations and decays of the score, each with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fusion import evidence_fitted as fitted

HOURS = 24


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
            "pick-up": -5.0,
            "person": -2.5,
            "group": -3.0,
            "animal": -2.5,
            "vehicle": -2.5,
            "digging": -4.0,
            "aircraft": -5.0,
            "weather": -1.0,
            "machinery": -2.0,
            "tamper": -5.0,
            "fault": -5.0,
            "drift": -5.0,
            "test-piece": -5.0,
            "miscount": -5.0,
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
    ring for a group. Whoever digs is heard by the one or two sensors that are near: from -4 these
    ring, at -5 none of 7 diggings in three simulated hours (footpaths, seeds 1,001, 1,002, 500,100)
    was a warning, at -4 five were, none was told where nobody dug, and two fewer diggings were told
    as somebody who walks."""
    place_priors_nats: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """What a lane or a zone adds to each prior: `{nb-02: {norm: 1.2}}` where a quarry's trucks
    queue, `{east-fence: {animal: 1.0}}` beside a pasture. Learned from counts of lawful
    explanations, or told by who knows the place; never of a threat because none has come yet."""
    hour_priors_nats: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """What the hour of the site's day adds to each prior, 24 of each: patients come by in the
    afternoon, cattle at dusk."""
    site_utc_offset_h: float = 0.0
    """Hours by which the site's clocks are ahead of UTC, -7 in Arizona: only the priors of the
    hours ask for it. Where clocks are put forward in summer it is that of the winter."""
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
            "fusion.pick-up": 9.5,
            "fusion.blinded": 3.0,
            "fusion.hydrogenous": 3.0,
            "silence.scan": 1.5,
            "silence.steps": 1.5,
            "health.tamper": 10.0,
            "health.fault": 10.0,
            "health.drift": 10.0,
            "health.test-piece": 10.0,
            "health.miscount": 10.0,
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
    pair_rho: Mapping[str, float] = field(default_factory=lambda: dict(fitted.PAIR_RHO))
    """The same of two voices of a family by their kinds, in the order of the alphabet and joined by
    a plus, `{gamma.profile+neutron.counts: 0.1}`: what a fit has found on training seeds. Pairs
    that are not here have the family's."""
    ground_rho: tuple[float, float, float] = fitted.GROUND_RHO
    """Correlation of two ground sensors side by side, far apart, and the metres in which it falls
    from one towards the other: gusts and what shakes one spot reach both, a train reaches all. At
    15 m it is what `group_rho` has for sensors whose places are not known. Measured where nobody
    was: 0.67 at 15 m, 0.79 at 30 m, 0.87 at 45 m, which does not fall with distance."""
    decay_s: Mapping[str, float] = field(
        default_factory=lambda: {
            "seismic.event": 120.0,
            "track.motion": 120.0,
            "silence.steps": 120.0,
        }
    )
    """Evidence about something that moves grows old with this time constant; what was measured
    on a vehicle stays true of it."""
    clear_scan_shares: tuple[tuple[float, float, float, float], ...] = (
        (0.0, 0.78, 0.48, 0.53),
        (0.05, 0.98, 0.32, 0.24),
    )
    """By homogeneity from which: share of whole scans without a dense place, of loads with nothing
    in them, of loads with a thing in them (boxes, tubes, pigs, blocks, cars, compartments in equal
    parts), and of those with a pig or a box of steel. A scan without any is worth the logarithm of
    the second or third over the first. Counted on 318 drawn loads, each with a thing and without,
    simulator xray-planes, tuning families, seeds 520,000 to 521,399; of compartments in walls it
    sees next to none (5 of 54)."""
    unheard_shares: tuple[tuple[float, float, float, float], ...] = (
        (20.0, 10.0, 0.0, 0.11),
        (20.0, 20.0, 0.0, 0.02),
        (50.0, 10.0, 0.0, 0.15),
        (50.0, 20.0, 0.0, 0.05),
        (50.0, 10.0, 6.0, 0.03),
    )
    """Metres between two ground sensors, seconds for which one has told of somebody, its least
    ratio over the quiet: share of such times at which the other has told of nothing yet. Of 553
    events of people on foot at fences of four sensors 15 m apart (dry sand, loess, gravel; seeds
    1,000 to 1,003, 500,003, 500,011, 500,012 and 500,100); further apart nothing was measured. The
    least share that applies counts; who has only just come is not held against anybody."""
    local_share: float = 0.05
    """Share of what fools one ground sensor that is of its own place; the rest, a train or cattle,
    is heard all around as anybody is. On those seeds the next sensor was silent in 1 of 21 false
    events of 10 s and more (0.001 to 0.24 at 95 %), and in 19 of 508 true ones: silence beside a
    sensor says little, and no more than this of it is believed."""

    def rho_of(self, group: str, kind: str, other_kind: str) -> float:
        """Correlation of two voices of a group by what kinds they are."""
        pair = f"{kind}+{other_kind}" if kind <= other_kind else f"{other_kind}+{kind}"
        found = self.pair_rho.get(pair)
        return self.group_rho.get(group, 0.0) if found is None else found
