"""What a spectrum was found to be, and how sure that is."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

BACKGROUND, UNKNOWN = "background", "unknown"
SMALLEST = 1e-12  # share of a category: less than this is never claimed
CATEGORIES = ("norm", "medical", "industrial", "snm", "unknown")

LISTED = frozenset(
    (
        "U-233",
        "U-235",
        "U-238",
        "Np-237",
        "Pu-239",
        "Co-57",
        "Co-60",
        "Se-75",
        "Ba-133",
        "Cs-137",
        "Ir-192",
        "Am-241",
        "F-18",
        "Ga-67",
        "Tc-99m",
        "In-111",
        "I-123",
        "I-131",
        "Tl-201",
        "K-40",
        "Ra-226",
        "Th-232",
    )
)
"""What a portal is expected to name (N42.38, facts/radiation 2), and depleted uranium."""
MISTAKEN_PATIENTS = frozenset(("Ga-67",))
"""Patients that uranium is taken for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One spectrum against everything it might be."""

    sigma: float
    """sqrt(2 nats) of the best explanation over background alone, with what being one of many
    costs it taken off; 0 where none is better."""
    category: str
    """`"background"` or one of `CATEGORIES`."""
    likeliest: str
    """Of `CATEGORIES`, if there is a source at all."""
    confidence: float
    """Of the category."""
    nuclides: tuple[tuple[str, float], ...]
    """(name, confidence), most sure first; those that are more likely there than not, or else
    the likeliest alone. Empty for background."""
    candidates: tuple[tuple[str, float], ...]
    """(name, confidence) of whatever could be meant, most sure first, `"unknown"` among them."""
    nats: Mapping[str, float]
    """ln p(spectrum | category) - ln p(spectrum | background) for each of `CATEGORIES`."""
    suppression: float
    """Share of the measured background that is missing; 0 where none was measured."""
    net_counts: float
    """Of the source."""
    misfit: float
    """Deviance per degree of freedom of the best explanation; about 1 where it is right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifyPolicy:
    """Every threshold of the identification, with its reason."""

    alarm_sigma: float = 4.0
    """Less is background. How often clean passes reach it has not been measured on many."""
    model_error: float = 0.1
    """Relative error of a bin of a template that no mode of it explains: what real detectors differ
    from a response model."""
    background_error: float = 0.01
    """The same of a measured background: it is the detector's own."""
    suppression_sd: float = 0.3
    """Of the background's level: vehicles take away 2-25 % (facts/radiation 5.1); wide, so that
    the level is told by the spectrum's shape."""
    tilt_sd: float = 0.05
    """Of the shape mode: low energies are shielded more than high ones."""
    norm_sd: float = 0.05
    """Change of each natural nuclide, relative to the background, that comes with a vehicle and
    its shadow; a load of them is an explanation of its own."""
    source_nats: float = 3.0
    """What a source that is not natural must gain over natural ones: the price of its free
    amplitude, and most that passes is natural (facts/radiation 3.1)."""
    load_nats: float = 1.5
    """What each natural nuclide in a mixed load must gain."""
    rare_nats: float = 4.0
    """What a nuclide that is not `LISTED` must gain over one that is: it is met a hundred times
    less often."""
    mistaken_patient_nats: float = 1.5
    """What Ga-67 must gain over others that are listed: nine patients in ten have Tc-99m (facts/
    radiation 3.1) and hardly one in a hundred gallium, whose 93 and 185 keV are where uranium has
    its X-rays and its line; a patient who is looked at costs less than uranium that is let go."""
    second_nats: float = 8.0
    """What a second nuclide must gain over one alone."""
    second_share: float = 0.1
    """Less of it than this, relative to the first, could be an error of the first's template; twice
    as much where such errors and not counts limit the fit."""
    unmeasured_norm_sigma: float = 12.0
    """Where no background was measured, natural nuclides alone are background below this. Set on
    one detector: its background came to 8, its radium source to 25."""
    second_misfit: float = 0.67
    """Share of what the first leaves unexplained that a second must explain."""
    unknown_nats: float = 5.0
    """What a line of no listed nuclide must gain over a listed one."""
    misfit_sigma: float = 5.0
    """So far may the deviance of the best explanation lie over what chance gives."""
    misfit_model: float = 11.0
    """And so much, per degree of freedom, where errors of templates and not counts limit it: real
    detectors were somewhat over three times `model_error` away."""
    gain_sd: float = 0.005
    """Relative error of the energy scale that is left after the portal has followed its gain."""
    offset_sd_kev: float = 1.5
    """Error of the scale's zero."""
    width_sd: float = 0.10
    """Relative error of the modelled resolution."""
    scatter_sd: float = 0.25
    """Share of a source's counts that may be scattered more or less than modelled."""
    share_temperature: float = 2.0
    """Divides nats before they become confidences: templates err alike in many bins. Fitted by log
    score on 36 nuclides outside `LISTED` of the simulated 2x4x16 inch set (seed 55, 249 passes)."""
    screened: int = 200
    """So many of the templates with the highest scores are looked at closer."""
    fitted: int = 32
    """So many of these, the best as far as a parabola tells, are fitted at all."""
    refined: int = 12
    """So many of the best templates are fitted with all modes of the model, twice as many
    where errors of templates weigh more than chance."""
    settled: int = 4
    """So many of these, then twice as many, are fitted until nothing changes any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """One explanation of a spectrum."""

    nuclides: tuple[str, ...]
    """The one with most counts first."""
    categories: tuple[str, ...]
    """Of each nuclide; the gravest stands for the whole."""
    nats: float
    """Penalised log-likelihood with the price of the explanation taken off."""
    net_counts: float
    suppression: float
    misfit: float
    mean: NDArray[np.float64] | None = field(default=None, compare=False, repr=False)
    """(bins,) counts that it expects, where they are asked for again."""

    @property
    def category(self) -> str:
        """The gravest of its nuclides' categories."""
        if len(self.categories) == 1:  # asked of dozens, and nearly all have one
            return self.categories[0]
        return max(self.categories, key=GRAVITY.index)


GRAVITY = ("norm", "medical", "unknown", "industrial", "snm")
"""What a mixture is called: the last of these that is in it."""


def judge(
    hypotheses: list[Hypothesis],
    background_nats: float,
    policy: IdentifyPolicy,
    *,
    measured: bool,
) -> Verdict:
    """The verdict over competing explanations, and over none."""
    best = max(hypotheses, key=lambda one: one.nats)
    temperature = max(1.0, best.misfit)
    gain = (best.nats - background_nats) / temperature
    sigma = math.sqrt(2.0 * gain) if gain > 0.0 else 0.0
    spread = max(temperature, policy.share_temperature)
    weights = [math.exp((one.nats - best.nats) / spread) for one in hypotheses]
    whole = sum(weights)
    names: dict[str, float] = {}
    by_category = dict.fromkeys(CATEGORIES, 0.0)
    for one, weight in zip(hypotheses, weights, strict=True):
        by_category[one.category] = min(1.0, by_category[one.category] + weight / whole)
        for name in dict.fromkeys(one.nuclides):
            names[name] = min(1.0, names.get(name, 0.0) + weight / whole)
    place = {name: rank for rank, name in enumerate(best.nuclides)}
    ranked = sorted(
        names.items(), key=lambda item: (-round(item[1], 3), place.get(item[0], 99), item[0])
    )
    category = max(CATEGORIES, key=lambda name: by_category[name])
    line = policy.alarm_sigma
    if category == "norm" and not measured:
        line = policy.unmeasured_norm_sigma
    quiet = sigma < line
    return Verdict(
        sigma=sigma,
        category=BACKGROUND if quiet else category,
        likeliest=category,
        confidence=1.0 - math.exp(-gain) if quiet and gain > 0.0 else by_category[category],
        nuclides=() if quiet else _told(ranked, by_category),
        candidates=tuple((name, share) for name, share in ranked if share >= 0.001),
        nats={name: gain + math.log(max(by_category[name], SMALLEST)) for name in CATEGORIES},
        suppression=best.suppression,
        net_counts=best.net_counts,
        misfit=best.misfit,
    )


def _told(
    ranked: Iterable[tuple[str, float]], by_category: Mapping[str, float]
) -> tuple[tuple[str, float], ...]:
    """Nuclides that are more likely there than not, else the likeliest, never "unknown"."""
    if by_category[UNKNOWN] > 0.5:
        return ()
    named = [item for item in ranked if item[0] != UNKNOWN]
    return tuple(item for item in named if item[1] > 0.5) or tuple(named[:1])
