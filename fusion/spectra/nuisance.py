"""What a spectrum holds besides a source, and how the model of a source may be wrong.

A measured background may be shielded, evenly or more at low energies, and a vehicle may bring
natural nuclides of its own. Where no background was measured, natural nuclides at ordinary
ratios and smooth continua stand in for it.
"""

import math
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from fusion.kernels.identify import Parts
from fusion.kernels.identify_errors import (
    ERRORS,
    Axis,
    all_template_errors,
    piled_up,
)
from fusion.kernels.identify_rounds import FREE, Wrong
from fusion.spectra.binning import SHARPEST_PERCENT
from fusion.spectra.response import response_rows
from fusion.spectra.steady import steady
from fusion.spectra.verdict import IdentifyPolicy
from fusion.spectra.widths import fwhm_kev
from fusion.types import DetectorSpec

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

CONTINUA_KEV = (60.0, 120.0, 250.0, 600.0, 1500.0)
"""Fall-off of scattered and cosmic rays: any smooth falling background is a sum of these."""
ORDINARY = {"K-40": 0.35, "Ra-226": 0.3, "Th-232": 0.35}
"""Assumed shares of the natural nuclides in the counts of ordinary ground and walls."""
COSMIC = ((0, 511.0, 1.0), (1, 72.8, 0.6), (1, 75.0, 1.0), (1, 84.9, 0.35), (1, 87.3, 0.1))
"""(shape, keV, share) of lines from cosmic rays and from lead around a detector."""
ORDINARY_SD = 0.5
"""Assumed: how far one share varies from place to place, relative."""
UNMEASURED_SHARE = 0.3  # of the counts that are natural, before a fit tells it
COSMIC_SHARE, LEAD_SHARE, HARD_SHARE, OWN_SHARE = 0.1, 0.2, 0.1, 0.7
"""At most so much of it beside ordinary ground; of the last, alphas beside the crystal's gammas."""
PILE_UP_SD = 0.01  # share of the counts; sums of a cascade's photons look the same
PEAK_MODES = 3  # gain, zero and resolution come first
TILTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Bins:
    """The bins of a library, with what is often asked of them."""

    detector: DetectorSpec
    edges_kev: Vector
    axis: Axis = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "axis", _axis(self.detector, self.edges_kev))

    @property
    def middle_kev(self) -> Vector:
        """(bins,)"""
        return self.axis.middle_kev

    @property
    def width_kev(self) -> Vector:
        """(bins,)"""
        return self.axis.width_kev


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything that is there without a source, as parts of a fit."""

    parts: Parts
    start: Vector
    """(parts,)"""
    natural: slice
    """Parts that are natural nuclides over and above an ordinary background."""
    natural_names: tuple[str, ...]
    background: int | None
    """The part that is the measured background."""
    modes: tuple[int, int] = (0, 0)
    """First, and one past the last, of the parts that are errors of the background's shape."""
    amount: float = 1.0
    """Of background, for which `parts` have the bounds of the modes."""

    def with_modes(self, shape: Vector, bins: "Bins", policy: IdentifyPolicy) -> "Scene":
        """The same where the scale and the peaks of `shape` (bins,), in counts, may be wrong."""
        modes, sd = source_modes(shape[None], bins, policy)
        sd = sd[:PEAK_MODES]
        return self._with(modes[0, :PEAK_MODES], 1.0 / sd**2, -2.5 * sd, 2.5 * sd)

    def with_pile_up(self, counts: Vector, bins: "Bins") -> "Scene":
        """The same where two photons at once may have been counted as one."""
        together = piled_up(counts, bins.axis)
        shape = together / max(float(together.sum()), 1.0) * float(counts.sum())
        return self._with(
            shape[None], np.full(1, PILE_UP_SD**-2), np.zeros(1), np.full(1, 3.0 * PILE_UP_SD)
        )

    def with_shape(self, mode: Vector) -> "Scene":
        """The same where the measured background may differ by a learned mode (bins,) too."""
        if self.background is None:
            return self
        shape = mode * float(self.parts.shapes[self.background].sum())
        return self._with(shape[None], np.ones(1), np.full(1, -3.0), np.full(1, 3.0))

    def _with(self, shapes: Matrix, precision: Vector, lower: Vector, upper: Vector) -> "Scene":
        """More parts, before the natural nuclides, which stay the last."""
        parts, first, number = self.parts, self.natural.start, len(shapes)
        grown = Parts(
            np.ascontiguousarray(np.insert(parts.shapes, first, shapes, axis=0)),
            np.insert(parts.prior_mean, first, np.zeros(number)),
            np.insert(parts.prior_precision, first, precision),
            np.insert(parts.lower, first, lower),
            np.insert(parts.upper, first, upper),
        )
        return replace(
            self,
            parts=grown,
            start=np.insert(self.start, first, np.zeros(number)),
            natural=slice(first + number, len(grown.shapes)),
        )

    def with_load(self) -> Parts:
        """The same with a load of natural nuclides, of any amount."""
        precision = self.parts.prior_precision.copy()
        precision[self.natural] = 0.0
        return self.parts._replace(prior_precision=precision)


def measured_scene(
    background: Vector, bins: Bins, naturals: tuple[tuple[str, ...], Matrix], policy: IdentifyPolicy
) -> Scene:
    """With a measured background, (bins,) counts expected in the spectrum's live time."""
    names, shapes = naturals
    total = max(float(background.sum()), 1.0)
    tilt = background * _centred(steady(np.log(bins.middle_kev / 600.0)), background)
    stack = np.vstack((background, tilt, shapes * total))
    size = len(stack)
    mean, sd = np.zeros(size), np.full(size, policy.norm_sd)
    lower, upper = np.zeros(size), np.full(size, FREE)
    mean[0], sd[0] = 1.0, policy.suppression_sd
    sd[1], lower[1], upper[1] = policy.tilt_sd, -0.3, 0.3
    lower[2:] = -3.0 * policy.norm_sd
    start = np.zeros(size)
    start[0] = 1.0
    return Scene(
        parts=Parts(np.ascontiguousarray(stack), mean, 1.0 / sd**2, lower, upper),
        start=start,
        natural=slice(2, size),
        natural_names=names,
        background=0,
        modes=(1, 2),
    )


def unmeasured_scene(
    counts: Vector,
    bins: Bins,
    naturals: tuple[tuple[str, ...], Matrix],
    policy: IdentifyPolicy,
) -> Scene:
    """Without one: natural nuclides at ordinary ratios, which may be wrong too, and continua.

    What comes with an ordinary background only is mixed with it: hard continua of cosmic rays,
    511 keV and lead's X-rays alone are a source. A spectrum that its background has been taken
    off has nothing of all this.
    """
    names, shapes = naturals
    total = max(float(counts.sum()), 1.0)
    ordinary = (np.array([[ORDINARY[name]] for name in names]) * shapes).sum(axis=0)
    continua = np.array([_continuum(bins, fall) for fall in CONTINUA_KEV])
    shares = np.array((HARD_SHARE, COSMIC_SHARE, LEAD_SHARE))[:, None]
    with_it = np.vstack((continua[-1], cosmic_lines(bins))) * shares + ordinary * (1.0 - shares)
    continua = np.vstack((continua[:-1], with_it))
    if bins.detector.material == "LaBr3":
        continua = np.vstack((continua, _lanthanum(bins)))
    modes, mode_sd = source_modes(ordinary[None], bins, policy)
    mode_sd *= UNMEASURED_SHARE
    stack = np.vstack((ordinary, continua, modes[0], shapes)) * total
    size = len(stack)
    natural = slice(size - len(shapes), size)
    wrong = slice(1 + len(continua), size - len(shapes))
    start = np.full(size, 1.0 / size)
    start[wrong] = 0.0
    start[natural] = 1e-3
    zero = np.zeros(size)
    precision, lower, upper = zero.copy(), zero.copy(), np.full(size, FREE)
    precision[natural] = 1.0 / (ORDINARY_SD * np.array([ORDINARY[name] for name in names])) ** 2
    precision[wrong] = 1.0 / mode_sd**2
    lower[wrong], upper[wrong] = -2.0 * mode_sd, 2.0 * mode_sd
    parts = Parts(np.ascontiguousarray(stack), zero, precision, lower, upper)
    return Scene(
        parts=parts,
        start=start,
        natural=natural,
        natural_names=names,
        background=None,
        modes=(wrong.start, wrong.stop),
        amount=UNMEASURED_SHARE,
    )


def source_modes(shapes: Matrix, bins: Bins, policy: IdentifyPolicy) -> tuple[Matrix, Vector]:
    """How the response to a source may differ from its template (sources, bins).

    returns  (sources, modes, bins) changes per unit, and (modes,) their standard deviations:
             gain and zero of the energy scale, resolution, more or less scatter, and smooth
             errors of the efficiency
    """
    modes = all_template_errors(np.ascontiguousarray(shapes), bins.axis)
    if bins.detector.resolution_percent < SHARPEST_PERCENT:
        modes[:, ERRORS - 1] = 0.0  # its continuum is told by the spectrum, whatever made it
    return modes, mode_sd(bins, policy)


def mode_sd(bins: Bins, policy: IdentifyPolicy) -> Vector:
    """(modes,) standard deviations of what `source_modes` has."""
    percent = bins.detector.resolution_percent
    # A scintillator's scale is not linear; a germanium detector's is known by its peaks.
    scale = math.sqrt(percent / 7.0) if percent < SHARPEST_PERCENT else 1.0
    sd = [
        policy.gain_sd * scale,
        policy.offset_sd_kev * scale,
        policy.width_sd,
        policy.scatter_sd,
        *(policy.scatter_sd / k for k in range(1, TILTS + 1)),
    ]
    return np.array(sd)


def wrong_of(bins: Bins, policy: IdentifyPolicy) -> Wrong:
    """How templates on these bins may be wrong, for the kernels."""
    sharp = bins.detector.resolution_percent < SHARPEST_PERCENT
    return Wrong(bins.axis, mode_sd(bins, policy), sharp)


def _axis(detector: DetectorSpec, edges_kev: Vector) -> Axis:
    middle = 0.5 * (edges_kev[1:] + edges_kev[:-1])
    place = steady(np.log(middle / middle[0]) / np.log(middle[-1] / middle[0]))
    return Axis(
        edges_kev=np.ascontiguousarray(edges_kev),
        middle_kev=middle,
        width_kev=np.diff(edges_kev),
        sigma_kev=fwhm_kev(detector, middle) / 2.3548,
        waves=steady(np.array([np.cos(np.pi * k * place) for k in range(1, TILTS + 1)])),
    )


def cosmic_lines(bins: Bins) -> Matrix:
    """(2, bins) peaks that are everywhere: annihilation at 511 keV, and lead's K X-rays."""
    sigma = fwhm_kev(bins.detector, bins.middle_kev) / 2.3548
    shapes = np.zeros((2, len(bins.middle_kev)))
    for row, energy_kev, share in COSMIC:
        away = (bins.middle_kev - energy_kev) / sigma
        shapes[row] += share * steady(np.exp(-0.5 * away**2)) / sigma * bins.width_kev
    return np.asarray((shapes + 1e-12) / (shapes + 1e-12).sum(axis=1, keepdims=True))


def _lanthanum(bins: Bins) -> Matrix:
    """(shapes, bins) what a lanthanum bromide crystal counts of its own radioactivity.

    La-138: 1435.8 keV alone and with the 32 and 37 keV of barium, 788.7 keV with its beta of up to
    263 keV, the beta alone; and alphas of actinium's daughters (Quarati et al. 2012, Nuclear
    Instruments and Methods A 683:46). Nothing of it comes without the rest: the beta alone, which
    falls as any soft continuum does, and the alphas are mixed with the gammas.
    """
    low = np.array([1435.8, 1468.0, 788.7, 788.7, 1.0])
    high = np.array([1435.8, 1468.0, 870.0, 1050.0, 255.0])
    own = response_rows(bins.detector, low, high, bins.edges_kev)
    humps = np.array([1720.0, 1870.0, 2020.0, 2170.0, 2330.0, 2500.0, 2700.0])
    away = (bins.middle_kev - humps[:, None]) / 90.0
    alphas = steady(np.exp(-0.5 * away**2)) * bins.width_kev
    own /= own.sum(axis=1, keepdims=True)
    alphas /= alphas.sum(axis=1, keepdims=True)
    captures = 0.5 * (own[0] + own[1])
    # 34 % of decays are betas, and the gamma of half of them or more leaves the crystal.
    own[4] = 0.3 * captures + 0.2 * own[3] + 0.5 * own[4]
    return np.vstack((own, OWN_SHARE * alphas + (1.0 - OWN_SHARE) * captures))


def _continuum(bins: Bins, fall_kev: float) -> Vector:
    shape = steady(np.exp(-bins.middle_kev / fall_kev)) * bins.width_kev
    return np.asarray(shape / shape.sum())


def _centred(values: Vector, weights: Vector) -> Vector:
    """Less the weighted mean, so that a tilt does not change the sum."""
    return np.asarray(values - (values * weights).sum() / max(float(weights.sum()), 1e-12))
