"""What is told of a pass at the end: gross counts, spectra and windows in one set of facts."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

from fusion.spectra.assess import Assessment, category_of_counts, spectral_facts
from fusion.spectra.event import CONTINUUM, without_peaks
from fusion.spectra.policy import SpectraPolicy
from fusion.spectra.verdict import BACKGROUND
from fusion.types import Detection, Fact

SIGNIFICANT_GROSS = ("point", "extended")


def is_significant(profile: Mapping[str, Fact], line_sigma: float) -> bool:
    """Whether the gross counts show something, at their own line and at this one."""
    sigma = number(profile.get("gamma_sigma"))
    return profile.get("extent") in SIGNIFICANT_GROSS and sigma >= line_sigma


def is_empty(profile: Mapping[str, Fact], found: Assessment) -> bool:
    """Whether a pass has so little in it that the portal may learn from it what empty ones are."""
    verdict = found.verdict
    quiet = verdict is None or verdict.category == BACKGROUND
    return quiet and not found.over_range and not is_significant(profile, 0.0)


def without_usual_dips(
    found: Iterable[Detection], least_sigma: float, policy: SpectraPolicy
) -> list[Detection]:
    """The detections, of dips only those beyond what every vehicle's own shape casts."""
    told = []
    for one in found:
        sigma = _dip_sigma(one.facts, policy) if one.kind == "gamma.dip" else 0.0
        if one.kind != "gamma.dip":
            told.append(one)
        elif sigma >= least_sigma:
            told.append(replace(one, facts=dict(one.facts) | {"dip_sigma": round(sigma, 3)}))
    return told


def _dip_sigma(facts: Mapping[str, Fact], policy: SpectraPolicy) -> float:
    sigma, depth = number(facts.get("dip_sigma")), number(facts.get("depth"))
    if sigma <= 0.0 or depth <= 0.0:
        return 0.0
    return 1.0 / math.hypot(1.0 / sigma, policy.dip_share / depth)


def pass_facts(
    profile: Mapping[str, Fact], found: Assessment, reference: str, policy: SpectraPolicy
) -> dict[str, Fact]:
    """Facts of a pass with spectra; `profile` are those of its gross counts."""
    gross_sigma = number(profile.get("gamma_sigma"))
    significant = is_significant(profile, policy.gross_sigma)
    facts = spectral_facts(found, policy.significant_sigma)
    if found.over_range or profile.get("over_range") is True:
        facts |= {"over_range": True, "category": "over-range"}
    elif significant and (
        facts["category"] == "background" or _only_a_load(profile, found, policy)
    ):
        facts |= {
            "category": category_of_counts(profile, found),
            "gamma_sigma": round(gross_sigma, 3),
            "nuclides": (),
            "category_nats": {},
        }
        # Of one judgement: nothing stays of what the spectrum alone was taken for.
        for name in ("nuclide", "confidence"):
            facts.pop(name, None)
    elif facts["category"] == "background" and number(facts["gamma_sigma"]) == 0.0:
        # Nothing in the spectrum; the gross counts say on which side of nothing it is.
        facts["gamma_sigma"] = round(min(gross_sigma, 0.0), 3)
    return facts | {"gross_sigma": round(gross_sigma, 3), "reference": reference}


def _only_a_load(profile: Mapping[str, Fact], found: Assessment, policy: SpectraPolicy) -> bool:
    """Metres of goods that look like a source without a peak: they are scattered nature."""
    verdict = found.verdict
    return (
        profile.get("extent") == "extended"
        and verdict is not None
        and bool(verdict.nuclides)
        and all(without_peaks(name) for name, _ in verdict.nuclides)
        and verdict.sigma < CONTINUUM * policy.significant_sigma
    )


def number(fact: Fact) -> float:
    """A fact that should be one; 0 where it is not."""
    return float(fact) if isinstance(fact, int | float) else 0.0
