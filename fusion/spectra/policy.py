"""Every threshold of a spectroscopic portal, with its reason."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SpectraPolicy:
    """Thresholds of the stream, the passes, and of records without marks."""

    windows_s: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)
    """Looked at while a vehicle passes: a point at 2.5 m is seen for 1.7 s at 2.2 m/s and for
    4.8 s at 1.07 m/s (facts/radiation 5.1)."""
    monitor_windows_s: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
    """Where nothing says when something passes: from a car beside the road to a walk past it."""
    average_s: float = 120.0
    """Time constant of the background: rain decays with 30 min (facts/radiation 5.2), and two
    minutes are thirty times as long as the window that is compared with them."""
    refresh_s: float = 5.0
    """So often the score test takes the running background over: that is 4 % of `average_s`."""
    block_s: float = 20.0
    """So often the detectors' own spectra are averaged; nothing needs them sooner."""
    rate_floor: float = 0.05
    """Share of the mean bin's rate below which no bin is trusted to be: a count where hardly any
    are expected must not outweigh a peak."""
    least_bin_counts: float = 0.5
    """Nor is a bin taken to expect less than this in a middle window: the bins of a germanium
    detector are so many that most expect nothing, and one count would be a discovery."""
    templates: int = 29
    """In the score test; with the three natural series 32 columns, whole vector registers."""
    look_sigma: float = 3.5
    """Best score of a pass from which it is worth an identification."""
    significant_sigma: float = 6.0
    """An identified source below this is background: its window, its detectors and its template
    were chosen among hundreds, and one pass in 10,000 may alarm (facts/radiation 2). Of 2,400
    simulated clean passes two came over 5, the highest to 5.6."""
    gross_sigma: float = 6.5
    """Gross counts alone, with nothing in the spectrum, tell a source or a load from here on: a
    shadow takes more low energies than high ones, and of 2,400 simulated clean passes 15 came
    over 5, the highest to 5.9."""
    dip_share: float = 0.04
    """Of the background: so much more than their neighbourhood do axles, tanks and the ends of a
    box shield, one standard deviation. Where ten thousand counts a second show every one of them, a
    block of lead must stand out of these and not out of chance: of 400 simulated clean passes 111
    showed a dip of `dip_sigma` by counts alone, and 2 beyond this."""
    interim_sigma: float = 8.0
    """While the vehicle is still there a test is made every slice, and a strong source need not
    wait for its end."""
    interim_growth: float = 1.5
    """An interim result is told again when it has become this much stronger."""
    interim_every_s: float = 1.0
    """An identification takes milliseconds and nobody reads faster."""
    quiet_sigma: float = 4.5
    """A vacant slice over this is the approach of a source and is not learned."""
    accept_after_s: float = 60.0
    """What stays for so long in a vacant lane is the background after all."""
    dead_time: float = 0.2
    """Share of the time: beyond it peaks shift and pile up (facts/radiation 8)."""
    over_range_cps: float = 200_000.0
    """Of one detector, where the dead time is not told: 1 us of it loses 20 % there."""
    usual_window_s: float = 8.0
    """Longest window of a pass that is taken for a point; a load may take all of it."""
    gain_every_s: float = 60.0
    """A K-40 peak of a 2 x 4 x 16 inch log has a thousand counts then: 0.1 % of the scale."""
    gain_sigma: float = 5.0
    """Less is no peak to be followed."""
    gain_step: float = 0.005
    """Most that one look may move the scale: a tube drifts by 0.3 % a degree."""
    gain_drift: float = 0.002
    """What a scale may drift between two looks; a peak that tells it worse than that is believed
    only as far."""
    gain_unknown: float = 0.015
    """What it may have drifted before the first look: devices are trimmed once a day."""
    gain_deadband: float = 0.0005
    """Less is not worth binning anew."""
    gain_limit: float = 0.1
    """More is a detector to be repaired and not one to be followed."""
    gain_search: float = 0.03
    """The peak is looked for this far from where it was."""
    background_least_s: float = 5.0
    """Less is no background that a pass could be compared with."""
    marked_background_s: float = 10.0
    """A background that the record marks as such takes the place of the average from here on."""
    kept_bytes: int = 96_000_000
    """Of one vehicle's spectra: 8 detectors of 16,384 channels for 180 slices. Beyond it two
    slices become one. Where nothing marks a vehicle it is three times as much at most: an event,
    what is quiet after it, and half as much each of what was quiet before it and of what is now."""
    kept_slices: int = 1_200
    """Slices of one vehicle: four minutes at 5 a second; beyond it as above."""
    monitor_start_s: float = 30.0
    """Slices that are waited for before a record without marks is judged: its background."""
    monitor_average_s: float = 60.0
    """Time constant of the background there: what moves is elsewhere after a minute."""
    monitor_level_sd: float = 1.0
    """Of the background's level there: a street between houses has twice the counts of a bridge,
    where a vehicle in a portal only takes some away."""
    monitor_norm_sd: float = 3.0
    """Of the natural nuclides there, relative to the background: brick, granite, asphalt."""
    monitor_tilt_sd: float = 0.2
    """Of the share of scattered radiation there: open ground has more of it than a street."""
    monitor_delay_s: float = 10.0
    """A slice is learned as background when it has been quiet for so long after it: what comes
    slowly must not become the background before it is seen."""
    monitor_sigma: float = 4.5
    """Best score from which such a record has an event that is worth an identification."""
    monitor_significant_sigma: float = 6.0
    """An identified event below this is background: an hour has a thousand windows, and what
    moves has a background that wanders."""
    event_gap_s: float = 5.0
    """An event that has been quiet for so long is over."""
    event_after_s: float = 15.0
    """Quiet slices after an event that are waited for, as background beside those before it."""
    event_around_s: float = 60.0
    """Quiet slices this far from an event are its background: what moves is elsewhere then."""
    event_longest_s: float = 120.0
    """What lasts longer is told, and becomes the background."""
    static_slice_s: float = 60.0
    """A slice this long is a measurement of its own and not part of a pass."""
    unmeasured_sigma: float = 5.0
    """A measurement beside which no background was taken is background below this: a model of
    nature is not the place itself. Of 30 simulated dwells before nothing the highest came to 4.5;
    of 18 before a source those that were told at all came to 6.0 and more."""
    static_slices: int = 8
    """Fewer slices are not enough to tell an event from a background: one measurement."""
    end_s: float = 30.0
    """A record that says nothing for so long is over."""
