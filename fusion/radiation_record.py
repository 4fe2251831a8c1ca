"""What a portal saw of one vehicle, as evidence files want it."""

import numpy as np

from fusion.pass_record import PassRecord
from fusion.radiation_pass import Passage
from fusion.radiation_policy import RadiationPolicy
from fusion.radiation_profile import Profile
from fusion.types import SECOND_NS, SensorSpec


def pass_record(
    spec: SensorSpec,
    passage: Passage,
    profile: Profile | None,
    policy: RadiationPolicy,
    *,
    length_m: float | None,
    counter: int | None,
) -> PassRecord:
    """Of the whole pass, or where `length_m` is None of what was seen so far."""
    starts_utc_ns = np.array(passage.starts_utc_ns, np.int64)
    middle_ns = starts_utc_ns + round(passage.scan_s * SECOND_NS / 2)
    intervals = passage.neutrons.intervals
    neutron_s = np.array([one.seconds for one in intervals], np.float64)
    ends_utc_ns = np.array([one.end_utc_ns for one in intervals], np.int64)
    clean = None if profile is None else profile.clean_counts
    panels = len(passage.counts[0]) if passage.counts else spec.panels
    return PassRecord(
        sensor_id=spec.sensor_id,
        panels=panels,
        opened_utc_ns=passage.opened_utc_ns,
        closed_utc_ns=None if length_m is None else passage.last_utc_ns,
        counter=counter,
        speed_m_s=passage.speed_m_s(policy) if passage.speeds else None,
        length_m=length_m,
        starts_utc_ns=starts_utc_ns,
        scan_s=passage.scan_s,
        gamma_counts=np.array(passage.counts, np.int64).reshape(-1, panels),
        passed_m=passage.passed_m(middle_ns, policy),
        gamma_background_cps=passage.gamma_background_cps,
        gamma_background_s=passage.gamma_background_s,
        clean_counts=clean,
        fitted_counts=None if profile is None else profile.fitted_counts,
        alarm_counts=None if clean is None else clean + policy.significant_sigma * np.sqrt(clean),
        neutron_starts_utc_ns=ends_utc_ns - np.rint(neutron_s * SECOND_NS).astype(np.int64),
        neutron_s=neutron_s,
        neutron_counts=np.array([one.counts for one in intervals], np.int64),
        neutron_background_cps=passage.neutrons.background_cps,
        neutron_background_s=passage.neutrons.background_s,
    )
