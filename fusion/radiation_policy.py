"""Every threshold of the radiation tests, with its reason."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RadiationPolicy:
    """Thresholds and priors of the portal tests."""

    background_weight: float = 0.1
    """Weight of a new 5 s background in the running one: 50 s follow rain and the day, and
    still average 19 reports."""
    background_report_s: float = 5.0
    """Measuring time behind one report: the device averages at least from one to the next
    (facts/radiation 1.1, SG3 field 3 asks for 20 s or more)."""
    slope_memory_s: float = 120.0
    """Rain raises the background within minutes (facts/radiation 5.2); a longer memory goes on
    rising when the rain has stopped."""
    slope_sd: float = 1e-4
    """1 sd of its relative change per second: 6 % in ten minutes. With the 1.2 % of wander the
    level of a shower of 20 % is wrong by more than 2 % in 8 of 100 reports, not in 12; in dry
    weather by 0.97 % rms, not 0.86 %."""
    slope_noise: float = 0.042
    """1 sd of a report beside Poisson: 1.2 % of noise that lasts 30 s counts as if the twelve
    reports of a minute were one."""
    slope_reach_s: float = 120.0
    """No slope is carried on for longer: a queue leaves no gap for a report."""
    middle_of_pass_s: float = 5.0
    """From the first scan to the middle of an 18 m truck at the usual speed."""
    background_outlier_sigma: float = 6.0
    """A report this far off is the approach of a strong source and not background."""
    background_accept_after: int = 6
    """So many outliers in a row (30 s) are the new background after all."""
    level_sd: float = 0.015
    """Relative error of the background's level within a pass: 1-2 % of correlated noise
    (facts/radiation 5.2)."""
    trend_sd: float = 0.007
    """Relative change of the background from the pass's middle to its end: correlated noise of
    1.2 % and 30 s changes by half of itself in 6 s."""
    suppression_mean: float = 0.12
    """Vehicles shield 2-25 % of the background (facts/radiation 5.1)."""
    suppression_sd: float = 0.1
    """Wide enough for the whole range of 2-25 % to be as good as the mean."""
    suppression_max: float = 0.35
    """More than the 25 % of facts/radiation 5.1 is no vehicle's shadow."""
    waves: int = 3
    """Along the vehicle, as sine and cosine; the fourth of a truck is as short as a point."""
    wave_share: float = 0.13
    """A load varies along the vehicle: 1 sd of the first wave of mass relative to the vehicle's
    suppression; the k-th has 1/k of it. At 0.10 and 0.15 a source must be 1 % stronger."""
    wave_floor: float = 0.002
    """Added to that, for vehicles whose suppression is near none."""
    rough_waves: int = 6
    """Of a load in boxes, which is as uneven as a point is short."""
    rough_wave_share: float = 0.4
    """The same for a load in boxes with gaps between them: what looks like a source must also
    stand against one, or an empty bed between two loads is told as a source, one in 300."""
    rough_sigma: float = 0.7
    """How far below the usual significance the one against a rough load may stay."""
    rough_from_sigma: float = 4.5
    """Less does not ring whatever the load: neither fitted twice nor lowered any further."""
    cab_lighter: float = 0.25
    """By how much a cab shields less than its load."""
    cab_lighter_sd: float = 0.18
    """How far that differs from vehicle to vehicle."""
    shield_reach_m: float = 2.65
    """Half width of the ground that a panel sees, which smooths the shadow."""
    panel_spread: float = 0.3
    """1 sd of a panel's share of a source relative to its share of the background: 0.7 m off the
    lane's middle is 0.5 for the nearer pillar."""
    panel_level_sd: float = 0.01
    """Relative error of one panel's background against that of all."""
    panel_shadow_sd: float = 0.03
    """A high load shields the upper panels more, a vehicle off the middle one pillar."""
    misfit_tolerance: float = 2.0
    """Poisson's own scatter of chi-square, in its standard deviations, before a misfit lowers
    the significance: lowering it for chance costs 2 % of sensitivity."""
    long_vehicle_m: float = 20.5
    """A longer occupancy may be two vehicles that the beam's hold-in has joined."""
    widths_m: tuple[float, ...] = (0.0, 2.0, 3.5, 6.0, 8.0, 11.0, 15.0)
    """Source lengths that are tried before the best is refined."""
    point_width_m: float = 3.5
    """Up to here a source is called a point: a panel without the cosine law sees a true point
    as one of 3 m (facts/radiation 5.1, p = 1)."""
    extended_width_m: float = 6.0
    """From here it is a load. Between the two, portals cannot tell: the profile of a point is
    itself 3.8 m wide at 2.5 m."""
    significant_sigma: float = 5.2
    """The best of many places, forms and panels: clean passes come to 4.3 once in 6,000, and
    exp((5.2^2 - 4.3^2) / 2) = 70 times less often to here (facts/radiation 2: 1e-4 is allowed)."""
    load_waves: int = 4
    """Of a load of minerals along its length; the fifth is as short as a point."""
    load_wave_share: float = 0.12
    """1 sd of the first wave of its activity relative to its mean, the k-th has 1/k of it: as much
    as loads vary that only shield."""
    load_end_sd_m: float = 0.7
    """How far a load's ends may lie from where an even one's would."""
    interim_sigma: float = 6.0
    """While the vehicle is still there a test is made every second: more chances, higher line."""
    interim_growth: float = 1.5
    """An interim result is told again when it has become this much stronger."""
    shape_nats: float = 6.0
    """Point or load is told within the pass only when the one is e^6 = 400 times likelier."""
    over_range_cps: float = 200_000.0
    """Of one panel: a dead time of 1 us loses 20 % there, and shapes can no longer be trusted
    (facts/radiation 8)."""
    dip_sigma: float = 3.5
    """A dip is never evidence alone, so one clean vehicle in 300 may show one."""
    cab_m: float = 3.5
    """From the front: where a driver sits."""
    neutron_sigma: float = 4.6
    """Of a source's profile at the best of some ten places: 3e-6 a pass, for none of 30,000 clean
    ones is to ring, and chance alone came to 4.56 once in 80,000."""
    neutron_beside_sigma: float = 3.6
    """At the one place of a gamma source: no patient of 1,484 and no mineral load of 1,178 comes to
    it, one in 1,500 of those within metal does."""
    neutron_fission_sigma: float = 2.2
    """The same where the gammas are as few as a neutron source's own: at 3.0 one in 100 of the
    standard's sources goes by untold, and hardly any patients or minerals are so weak."""
    fission_gammas_per_neutron: float = 80.0
    """In counts: Cf-252 makes 20 (facts/radiation 5.1, 5.4), and up to 70 by chance where few of
    its neutrons are seen; half of all patients make over 9,000 of each that happens to come."""
    fission_shape_nats: float = 3.0
    """By how much a load may fit the gammas better than a point: a neutron source is small."""
    neutron_joint_sigma: float = 5.8
    """Of gammas and neutrons at one place: vehicles full of metal come to 5.3 once in 2,500, and
    the standard's sources stay below 6.1 once in 700."""
    neutron_level_sd: float = 0.05
    """Hydrogen in a load takes up to a quarter of the neutron background, metal adds a tenth."""
    neutron_bursts_per_s: float = 0.01
    """Bursts of neutrons from metal cargo, the ship effect (facts/radiation 3.1): 10 t beside
    the portal make one in 30 s, most vehicles hold none. Three times as many cost a tenth of the
    standard's sources."""
    neutron_burst_stop: float = 0.25
    """A burst counts 4 neutrons in the mean, one in 300 more than 20."""
    neutron_background_weight: float = 0.05
    """Neutron rates are low and steady: 100 s follow them (facts/radiation 5.1)."""
    lead_in_s: float = 1.0
    """Scans from before the beam was broken, where an occupancy's opening was not heard."""
    hold_in_s: float = 2.0
    """Scans after the beam has cleared, where the device has not said (facts/radiation 1.1)."""
    usual_speed_m_s: float = 2.2
    """Where the device measures none: the 8 km/h of the standards (facts/radiation 2)."""
    stale_s: float = 30.0
    """An occupancy that says nothing for so long has ended unseen."""
