"""The fitted numbers that turn what a portal measured into nats, and what they were fitted on.

`garita calibrate portals` fits them on simulated traffic of known truth; what is not fitted says
so. A section of the policy, so that a site sees them and can put its own in their place.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fusion import radiation_fitted as fitted


@dataclass(frozen=True, slots=True, kw_only=True)
class RadiationCalibration:
    """Nats of the radiation detections for each explanation, against `nothing`.

    An excess of x nats by likelihood ratio says `slope * min(x, full) - offset`, and no less than
    the share of sources that show none; the same of neutrons. What is seen of an excess
    (point or load, where, which category) tells the explanations apart: the log of how many times
    likelier it is under each than under all of them together: shape and category are fitted, the
    place is as people and trucks are built.
    """

    provenance: Mapping[str, str] = field(default_factory=lambda: dict(fitted.PROVENANCE))
    """What the numbers of this section were fitted on; none of it is ever used by a report."""
    profile_slope: float = fitted.PROFILE_SLOPE
    """Nats that each nat of a gross profile's likelihood ratio is worth, at most 1: the profile is
    the best of many places and forms, and its model is not the road."""
    profile_offset: float = fitted.PROFILE_OFFSET
    """What being the best of many costs it."""
    profile_full_nats: float = fitted.PROFILE_FULL_NATS
    """Likelihood ratios beyond this are worth no more: no clean vehicle ever came near, so nobody
    knows how much more they would be worth. Not fitted."""
    profile_missed_nats: float = fitted.PROFILE_MISSED_NATS
    """Log of the share of sources that show no excess, over that of clean vehicles."""
    shape_floor_nats: float = fitted.SHAPE_FLOOR_NATS
    """What a point's likelihood gains over a load's is divided by this, where the source is weak:
    two fits of noise differ by as much. Not fitted."""
    shape_share: float = fitted.SHAPE_SHARE
    """And by this share of the whole excess where it is strong: there no law of the profile is
    right to more than that. Not fitted."""
    cab_m: float = fitted.CAB_M
    """From the front: where a driver sits, and a patient. Not fitted."""
    cab_share: Mapping[str, float] = field(default_factory=lambda: dict(fitted.CAB_SHARE))
    """Of each explanation's sources, those that lie there. Patients do nearly always: not quite,
    for the speed of a vehicle that stops is not known. What is hidden lies there as often as its
    share of a truck's length, 3.5 of 18 m; a load hardly ever does. Not fitted."""
    profile_point: float = fitted.PROFILE_POINT
    """What a shape of 0 says for a point against a load."""
    profile_shape: float = fitted.PROFILE_SHAPE
    """What each unit of shape says for a point: 1 is clearly a point, -1 clearly a load. Patients
    and sources are points alike."""
    on_load_offset: float = fitted.ON_LOAD_OFFSET
    """What a point upon a load of minerals is worth less than its likelihood ratio against the load
    alone, of many places and loads that are less even than they should be. Set by hand: of 846
    loads of minerals on tsa-portal/2 (seeds 110000-110019) 6 come over it, of 471 with a source
    hidden within (seeds 111000-111011) 248. A line through all of them would be at 2.4, but the
    loads' tail is longer than its law: 35 come over 3, and these drive every day."""
    spectrum_slope: float = fitted.SPECTRUM_SLOPE
    """As `profile_slope`, of the best category's likelihood ratio: that of the gross counts, since
    too few clean vehicles are told as anything to fit one."""
    spectrum_offset: float = fitted.SPECTRUM_OFFSET
    """As `profile_offset`: it makes of the weakest that are told what their share is worth over
    that of clean vehicles told."""
    spectrum_full_nats: float = fitted.SPECTRUM_FULL_NATS
    """As `profile_full_nats`; the templates of a spectrum are told apart by far more than counts
    alone, and the weakest that are told have some 25. Not fitted."""
    spectrum_gross_slope: float = fitted.SPECTRUM_GROSS_SLOPE
    """As `profile_slope`, of the gross profile of a portal with spectra where those tell nothing:
    low energies are shielded more than high ones, and its counts are mostly low."""
    spectrum_gross_offset: float = fitted.SPECTRUM_GROSS_OFFSET
    """As `profile_offset`, of the same."""
    spectrum_gross_point: float = fitted.SPECTRUM_GROSS_POINT
    """As `profile_point`, of the same."""
    spectrum_gross_floor_nats: float = fitted.SPECTRUM_GROSS_FLOOR_NATS
    """As `shape_floor_nats`, of the same: ten thousand counts a second show where a box begins, by
    which clean vehicles look like a load, some 7 nats more than like a point. Not fitted."""
    spectrum_category: float = fitted.SPECTRUM_CATEGORY
    """What a nat by which a category lies under the best one is worth: the templates are a model,
    and a likelihood that is sure of a model is too sure."""
    spectrum_most_nats: float = fitted.SPECTRUM_MOST_NATS
    """No category lies further under the best one than this. Not fitted."""
    spectrum_point: float = fitted.SPECTRUM_POINT
    """As `profile_point`, where the categories are equal as well."""
    spectrum_shape: float = fitted.SPECTRUM_SHAPE
    """As `profile_shape`, where there is a spectrum beside the shape."""
    neutron_slope: float = fitted.NEUTRON_SLOPE
    """As `profile_slope`, of half the square of the neutrons' significance."""
    neutron_offset: float = fitted.NEUTRON_OFFSET
    """As `profile_offset`, of the same significance."""
    neutron_full_nats: float = fitted.NEUTRON_FULL_NATS
    """As `profile_full_nats`, of the same significance."""
    neutron_beside_offset: float = fitted.NEUTRON_BESIDE_OFFSET
    """What neutrons are worth less than half the square of their significance where the gammas show
    a point: of three places about it and any strength. Not fitted."""
    dip_slope: float = fitted.DIP_SLOPE
    """Nats for each sigma of a dip beyond where it begins to say something. Not fitted: simulated
    containers leak, and over a leak no dip is told."""
    dip_least_sigma: float = fitted.DIP_LEAST_SIGMA
    """Where a dip begins to say something. Not fitted."""
