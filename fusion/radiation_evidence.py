"""What a portal's detections say for each explanation, in nats, by the fitted calibration.

More of a point never speaks for a load. What an excess looks like counts only as far as there is
one: the shape and the place of noise say nothing.
"""

import math
from collections.abc import Callable, Mapping

from fusion.radiation_calibration import RadiationCalibration
from fusion.types import Fact

KINDS_OF_SOURCE = ("norm", "medical", "threat-source", "shielded-source")
"""What the calibration tells apart."""
POINTS = ("medical", "threat-source", "shielded-source")
"""Those that are points; of one another only the place and a spectrum tell them."""
OF_CATEGORY: Mapping[str, tuple[str, ...]] = {
    "norm": ("norm",),
    "medical": ("medical",),
    "threat-source": ("industrial", "snm", "unknown"),
    "shielded-source": ("industrial", "snm", "unknown"),
}
"""Which categories of a spectrum speak for an explanation; the best of them does."""
LEGAL_CATEGORIES = ("industrial",)
LEGAL_NUCLIDES = frozenset(("U-235", "U-238"))
"""Shipped by the ton as oxide (facts/radiation 3.1)."""
HIDDEN = "shielded-source"
MOST_SHAPE = 3.0
LEAST_NATS = -12.0  # an explanation is never worse than this: the simulator is not the world


def number(facts: Mapping[str, Fact], name: str, default: float = 0.0) -> float:
    """A numeric fact, or `default` where it is missing or no number."""
    value = facts.get(name, default)
    return float(value) if isinstance(value, int | float) else default


def gamma_profile(facts: Mapping[str, Fact], calibration: RadiationCalibration) -> dict[str, float]:
    """A point source, an extended load, or neither."""
    known = calibration
    excess = said(
        profile_excess(facts), known.profile_slope, known.profile_offset, known.profile_full_nats
    )
    scores = place(facts, known)
    shape = profile_shape(facts, known)
    point = known.profile_point + known.profile_shape * shape
    upon = number(facts, "point_on_load_nats") - known.on_load_offset
    # What looks like a point is one; what is in the cab is a patient of whatever shape.
    is_load = shape < 0.0 and number(facts, "position_m") > known.cab_m
    if is_load and upon > max(0.0, point):
        # A load with a point upon it: the load is where it is, and the point where that is.
        at_point = place(facts, known, "point_on_load_m")
        scores |= {name: at_point[name] for name in POINTS}
        point = min(upon, known.profile_point + known.profile_shape * MOST_SHAPE)
    for name in POINTS:
        scores[name] += point
    return _against_nothing(excess, scores, known.profile_missed_nats)


def gamma_spectrum(
    facts: Mapping[str, Fact], calibration: RadiationCalibration
) -> dict[str, float]:
    """What the spectrum is, by category; the shape and the place as for a profile.

    `category_nats` are log-likelihood ratios against background. Their largest is the excess; how
    far each of the others lies under it is the evidence of the spectrum. Without them the profile
    alone speaks.
    """
    known = calibration
    # Where nobody has marked a vehicle no other test looks at its neutrons.
    unmarked = facts.get("monitored") is True or facts.get("static") is True
    neutrons = neutron_counts(facts, known) if unmarked else {}
    found = _spectrum(facts, known, category_lags(facts, known))
    found = {name: nats + neutrons.get(name, 0.0) for name, nats in found.items()}
    if is_shipped(facts):
        # The portal cannot tell a lawful source from another: only papers and people can.
        found["legal-source"] = found["threat-source"]
    return found


def gamma_dip(facts: Mapping[str, Fact], calibration: RadiationCalibration) -> dict[str, float]:
    """A place where the vehicle shields the background more than its neighbourhood does."""
    beyond = max(0.0, number(facts, "dip_sigma") - calibration.dip_least_sigma)
    return {"shielded-source": calibration.dip_slope * beyond}


def neutron_counts(
    facts: Mapping[str, Fact], calibration: RadiationCalibration
) -> dict[str, float]:
    """Neutrons have no lawful everyday source: neither NORM nor patients emit them.

    Where the verdict rests on neutrons at the very place of a gamma point, there was nothing to
    search: they are worth nearly all that they are. The gammas have spoken for themselves.
    """
    known = calibration
    nats = said(
        neutron_excess(facts), known.neutron_slope, known.neutron_offset, known.neutron_full_nats
    )
    if facts.get("significant") is True:
        beside = min(0.5 * number(facts, "beside_sigma") ** 2, known.neutron_full_nats)
        nats = max(nats, beside - known.neutron_beside_offset)
    return {"threat-source": nats, "shielded-source": nats} if nats > 0.0 else {}


# --- features, as the calibration is fitted on them --------------------------------------


def profile_excess(facts: Mapping[str, Fact]) -> float:
    """Log-likelihood ratio of the best profile of any form."""
    return max(0.0, number(facts, "point_nats"), number(facts, "extended_nats"))


def spectrum_excess(facts: Mapping[str, Fact]) -> float:
    """Log-likelihood ratio of the best category, or of the gross counts where they say more."""
    categories = facts.get("category_nats")
    nats = categories.values() if isinstance(categories, Mapping) else ()
    return max(0.0, *(float(x) for x in nats if isinstance(x, int | float)), profile_excess(facts))


def neutron_excess(facts: Mapping[str, Fact]) -> float:
    """Half the square of the significance."""
    return 0.5 * max(0.0, number(facts, "neutron_sigma")) ** 2


def profile_shape(
    facts: Mapping[str, Fact], calibration: RadiationCalibration, floor_nats: float | None = None
) -> float:
    """From -3, a load, to 3, a point; `floor_nats` in the place of the calibration's."""
    apart = number(facts, "point_nats") - number(facts, "extended_nats")
    floor = calibration.shape_floor_nats if floor_nats is None else floor_nats
    scale = floor + calibration.shape_share * profile_excess(facts)
    return max(-MOST_SHAPE, min(MOST_SHAPE, apart / scale))


def place(
    facts: Mapping[str, Fact], calibration: RadiationCalibration, at: str = "position_m"
) -> dict[str, float]:
    """How likely the source lies where it is, of each explanation: beside the driver or behind.

    How strong it is says nothing: most patients are far stronger than a source that somebody
    hides, but to let the strongest pass for that would be to let anything pass. Where the place is
    not known it says nothing either.
    """
    at_m = facts.get(at)
    if not isinstance(at_m, int | float):
        return dict.fromkeys(KINDS_OF_SOURCE, 0.0)
    in_cab = at_m <= calibration.cab_m
    return {
        name: math.log(calibration.cab_share[name] if in_cab else 1.0 - calibration.cab_share[name])
        for name in KINDS_OF_SOURCE
    }


def category_lags(facts: Mapping[str, Fact], calibration: RadiationCalibration) -> dict[str, float]:
    """How far each explanation's best category lies under the best of all; empty without any."""
    categories = facts.get("category_nats")
    if not isinstance(categories, Mapping) or not categories:
        return {}
    highest = max(number(categories, name) for name in categories)
    most = calibration.spectrum_most_nats
    return {
        name: min(
            most, highest - max(number(categories, one, highest - most) for one in categories_of)
        )
        for name, categories_of in OF_CATEGORY.items()
    }


def is_shipped(facts: Mapping[str, Fact]) -> bool:
    """Whether all that was named is shipped lawfully as well, with papers."""
    nuclides = facts.get("nuclides")
    if not isinstance(nuclides, tuple) or not nuclides:
        return False
    named = {str(one[0]) for one in nuclides if isinstance(one, tuple) and one}
    return facts.get("category") in LEGAL_CATEGORIES or named <= LEGAL_NUCLIDES


def said(excess: float, slope: float, offset: float, full: float) -> float:
    """Nats of an excess against nothing."""
    return slope * min(excess, full) - offset


def _gross(facts: Mapping[str, Fact], known: RadiationCalibration) -> dict[str, float]:
    """Of a portal with spectra, where those tell nothing."""
    excess = said(
        profile_excess(facts),
        known.spectrum_gross_slope,
        known.spectrum_gross_offset,
        known.profile_full_nats,
    )
    shape = profile_shape(facts, known, known.spectrum_gross_floor_nats)
    point = known.spectrum_gross_point + known.profile_shape * shape
    scores = place(facts, known)
    for name in POINTS:
        scores[name] += point
    return _against_nothing(excess, scores, known.profile_missed_nats)


def _spectrum(
    facts: Mapping[str, Fact], known: RadiationCalibration, lags: Mapping[str, float]
) -> dict[str, float]:
    if not lags:
        return _gross(facts, known)
    excess = said(
        spectrum_excess(facts),
        known.spectrum_slope,
        known.spectrum_offset,
        known.spectrum_full_nats,
    )
    point = known.spectrum_point + known.spectrum_shape * profile_shape(facts, known)
    scores = {
        name: where - known.spectrum_category * lags[name]
        for name, where in place(facts, known).items()
    }
    for name in POINTS:
        scores[name] += point
    return _against_nothing(excess, scores, known.profile_missed_nats)


def _against_nothing(excess: float, scores: Mapping[str, float], missed: float) -> dict[str, float]:
    """The excess, and how many times likelier the rest is under each than under all together.

    Below an excess that says anything, its look counts less and less. That a portal sees nothing
    says nothing against a source in a shield.
    """
    known = max(excess, missed)
    certain = 1.0 if missed >= 0.0 else min(1.0, (known - missed) / -missed)
    top = max(scores.values())
    mean = math.fsum(math.exp(score - top) for score in scores.values()) / len(scores)
    level = top + math.log(mean)
    nats = {
        name: max(LEAST_NATS, known + certain * (score - level)) for name, score in scores.items()
    }
    return nats | {HIDDEN: certain * nats[HIDDEN]}


RADIATION: Mapping[str, Callable[[Mapping[str, Fact], RadiationCalibration], dict[str, float]]] = {
    "gamma.profile": gamma_profile,
    "gamma.spectrum": gamma_spectrum,
    "gamma.dip": gamma_dip,
    "neutron.counts": neutron_counts,
}
