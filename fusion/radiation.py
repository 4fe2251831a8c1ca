"""One portal: samples in, detections out."""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fusion.radiation_background import RunningBackground
from fusion.radiation_bins import Pass
from fusion.radiation_facts import gamma_facts, is_over_range, neutron_facts
from fusion.radiation_neutrons import Beside, Neutrons
from fusion.radiation_pass import MAX_SCANS, Passage
from fusion.radiation_policy import RadiationPolicy
from fusion.radiation_profile import MIN_BINS, Profile, profile_if, profile_of
from fusion.radiation_record import pass_record
from fusion.types import (
    SECOND_NS,
    BackgroundSample,
    CountSample,
    Detection,
    Fact,
    Family,
    OccupancySample,
    Origin,
    Radiation,
    Sample,
    SensorSpec,
    SetupSample,
    SpeedSample,
)

__all__ = ["RadiationDetector", "RadiationPolicy"]

INTERIM_SCANS = 5  # a look every second: the device's own window (facts/radiation 2)
LOOK_SIGMA = 4.0  # of that second over the frozen background; less cannot become an interim result
LOOK_NEUTRON_SIGMA = 3.5  # of the last seconds over the background, before all places are tried
HOLD_IN_UNIT_S = 0.2  # facts/radiation 1.1, SG1 field 4


class RadiationDetector:
    """Background, occupancies, and the tests of each pass. Bounded; never asks a clock."""

    def __init__(self, spec: SensorSpec, policy: RadiationPolicy) -> None:
        self._spec = spec
        self._policy = policy
        self._gamma = RunningBackground(policy, policy.background_weight, sloped=True)
        self._neutron = RunningBackground(policy, policy.neutron_background_weight)
        self._hold_in_s = policy.hold_in_s
        self._passage: Passage | None = None
        self._origin = Origin.SENSOR

    def feed(self, sample: Sample) -> list[Detection]:
        """What this sample adds."""
        match sample:
            case CountSample():
                return self._count(sample)
            case BackgroundSample():
                gamma = sample.radiation is Radiation.GAMMA
                (self._gamma if gamma else self._neutron).feed(sample)
            case OccupancySample():
                self._origin = sample.origin
                return self._occupancy(sample)
            case SpeedSample() if self._passage:
                self._passage.add_speed(sample.start_utc_ns, sample.speed_m_s)
            case SetupSample(record="gamma-setup"):
                self._take_setup(dict(sample.settings))
        return []

    def tick(self, utc_ns: int) -> list[Detection]:
        """Let time pass: an occupancy that went silent ends."""
        passage = self._passage
        if passage is None or utc_ns - passage.last_utc_ns < self._policy.stale_s * SECOND_NS:
            return []
        return self._finish(passage, None)

    def _take_setup(self, settings: Mapping[str, str]) -> None:
        intervals = settings.get("occupancy_hold_in", "")
        # 99 intervals are the two digits of the field; anything else is no such setting.
        if intervals.isdecimal() and len(intervals) <= 2:
            self._hold_in_s = int(intervals) * HOLD_IN_UNIT_S
        averaged = settings.get("gamma_background_s", "")
        # What GB averages over is stated nowhere else; facts/radiation 1.1, SG3 field 3.
        if averaged.isdecimal() and len(averaged) <= 3 and 20 <= int(averaged) <= 120:
            self._gamma.averaged_over(float(averaged))

    # --- life of an occupancy ----------------------------------------------------------

    def _occupancy(self, sample: OccupancySample) -> list[Detection]:
        if not sample.opened:
            return self._close(sample)
        return self._open(sample.start_utc_ns, sample.lead_in_ms / 1000)

    def _open(self, at_utc_ns: int, lead_in_s: float) -> list[Detection]:
        found = self._finish(self._passage, None) if self._passage else []
        neutrons = self._neutron.rates_cps
        middle_utc_ns = at_utc_ns + round(self._policy.middle_of_pass_s * SECOND_NS)
        background_cps, background_s = self._gamma.at(middle_utc_ns)
        self._passage = Passage(
            opened_utc_ns=at_utc_ns,
            last_utc_ns=at_utc_ns,
            gamma_background_cps=background_cps,
            gamma_background_s=background_s,
            neutrons=Neutrons(
                background_cps=None if neutrons is None else float(neutrons.sum()),
                background_s=self._neutron.seconds,
            ),
            lead_in_s=lead_in_s,
        )
        facts: dict[str, Fact] = {"opened": True, "counter": None, "duration_s": 0.0}
        facts |= {"speed_m_s": None, "length_m": None}
        return [*found, self._detection("portal.occupancy", self._passage, facts, final=False)]

    def _close(self, sample: OccupancySample) -> list[Detection]:
        if sample.hold_in_ms is not None:
            self._hold_in_s = sample.hold_in_ms / 1000
        return self._finish(self._passage, sample.counter) if self._passage else []

    def _count(self, sample: CountSample) -> list[Detection]:
        self._origin = sample.origin
        found = [] if self._passage else self._open(sample.start_utc_ns, self._policy.lead_in_s)
        passage = self._passage
        assert passage is not None
        if sample.radiation is Radiation.NEUTRON:
            passage.add_neutron(sample)
            return found + self._interim_neutron(passage)
        passage.add_gamma(sample)
        scans = len(passage.counts)
        if passage.gamma_background_cps is None:
            self._use_lead_in(passage)
        if scans >= MAX_SCANS:
            found += self._part_gamma(passage)
        elif scans % INTERIM_SCANS == 0:
            found += self._interim_gamma(passage)
        return found

    def _use_lead_in(self, passage: Passage) -> None:
        """Nothing is known from before: the buffered scans, when the beam was still free."""
        scans = max(1, round(passage.lead_in_s / passage.scan_s))
        if len(passage.counts) >= scans:
            passage.gamma_background_s = scans * passage.scan_s
            counts = np.array(passage.counts[:scans], np.float64)
            passage.gamma_background_cps = counts.sum(axis=0) / passage.gamma_background_s

    def _finish(self, passage: Passage, counter: int | None) -> list[Detection]:
        self._passage = None
        length_m = passage.length_m(self._hold_in_s, self._policy)
        profile = self._profile(passage, length_m)
        found = [self._gamma_result(passage, profile, length_m, counter)]
        if profile and profile.dip_sigma >= self._policy.dip_sigma:
            facts: dict[str, Fact] = {
                "dip_sigma": round(profile.dip_sigma, 3),
                "position_m": round(profile.dip_position_m, 2),
                "width_m": round(profile.dip_width_m, 2),
                "depth": round(profile.dip_depth, 4),
            }
            found.append(self._detection("gamma.dip", passage, facts, final=True))
        test = passage.neutron_test(
            self._spec.panel_distance_m, self._policy, _point_of(profile) if profile else None
        )
        neutrons = neutron_facts(test, self._policy)
        found.append(self._detection("neutron.counts", passage, neutrons, final=True))
        facts = {
            "opened": False,
            "counter": counter,
            "duration_s": round((passage.last_utc_ns - passage.opened_utc_ns) / SECOND_NS, 3),
            "speed_m_s": round(passage.speed_m_s(self._policy), 3) if passage.speeds else None,
            "length_m": round(length_m, 2),
        }
        found.append(self._detection("portal.occupancy", passage, facts, final=True))
        return found

    # --- tests -------------------------------------------------------------------------

    def _interim_gamma(self, passage: Passage) -> list[Detection]:
        background = passage.gamma_background_cps
        if background is None or len(passage.counts) < MIN_BINS:
            return []
        window = np.array(passage.counts[-INTERIM_SCANS:])
        seconds = INTERIM_SCANS * passage.scan_s
        expected = max(float(background.sum()) * seconds, 1.0)
        over_range = is_over_range(window, passage.scan_s, self._policy)
        if not over_range and window.sum() < expected + LOOK_SIGMA * math.sqrt(expected):
            return []

        def is_telling(profile: Profile) -> bool:
            return self._is_telling(passage, profile, over_range=over_range)

        profile = profile_if(self._pass(passage, background, None), self._policy, is_telling)
        if profile is None or not is_telling(profile):
            return []
        found = self._gamma_result(passage, profile, None, None)
        passage.told_sigma, passage.told_extent = profile.sigma, str(found.facts["extent"])
        return [found]

    def _part_gamma(self, passage: Passage) -> list[Detection]:
        """A vehicle stays in the beam: judge what was seen, and go on with the last scans."""
        profile = self._profile(passage, None)
        found = self._gamma_result(passage, profile, None, None)
        passage.drop_old()
        if profile is None or profile.sigma < self._policy.significant_sigma:
            return []
        passage.told_sigma, passage.told_extent = profile.sigma, str(found.facts["extent"])
        return [found]

    def _is_telling(self, passage: Passage, profile: Profile, *, over_range: bool) -> bool:
        """Whether an interim result is sure, of one shape, and new.

        Never true of less sigma and nats in the same share where it is not of more.
        """
        policy = self._policy
        if profile.sigma < policy.interim_sigma:
            return False
        stronger = profile.sigma >= policy.interim_growth * passage.told_sigma
        if over_range:
            return stronger
        shape_nats = profile.point.nats - profile.extended.nats
        if abs(shape_nats) < policy.shape_nats:
            return False
        # A load's front looks like a point that has just come, and a strong point like a load
        # until its flank falls: wait until the whole of either has gone by.
        last = np.array(passage.starts_utc_ns[-1:])
        seen_m = float(passage.passed_m(last, policy)[0])
        source = profile.point if shape_nats > 0.0 else profile.extended
        front_m = source.position_m - source.width_m / 2
        needed_m = policy.point_width_m if shape_nats > 0.0 else policy.extended_width_m
        if seen_m < front_m + needed_m:
            return False
        extent = "point" if shape_nats > 0.0 else "extended"
        return stronger or extent != passage.told_extent

    def _interim_neutron(self, passage: Passage) -> list[Detection]:
        if passage.neutrons.background_cps is None or passage.neutrons.excess < LOOK_NEUTRON_SIGMA:
            return []
        test = passage.neutron_test(self._spec.panel_distance_m, self._policy)
        line = max(
            self._policy.neutron_sigma,
            passage.told_neutron_sigma,
            self._policy.interim_growth * passage.told_neutron_sigma,
        )
        if test.sigma < line:
            return []
        passage.told_neutron_sigma = test.sigma
        facts = neutron_facts(test, self._policy)
        return [self._detection("neutron.counts", passage, facts, final=False)]

    def _profile(self, passage: Passage, length_m: float | None) -> Profile | None:
        background = passage.gamma_background_cps
        if background is None or len(passage.counts) < MIN_BINS:
            return None
        return profile_of(self._pass(passage, background, length_m), self._policy)

    def _pass(
        self, passage: Passage, background: NDArray[np.float64], length_m: float | None
    ) -> Pass:
        middle_ns = np.array(passage.starts_utc_ns) + round(passage.scan_s * SECOND_NS / 2)
        return Pass(
            counts=np.array(passage.counts, np.float64),
            passed_m=passage.passed_m(middle_ns, self._policy),
            scan_s=passage.scan_s,
            background_cps=background,
            background_s=passage.gamma_background_s,
            length_m=length_m,
            distance_m=self._spec.panel_distance_m,
        )

    def _gamma_result(
        self,
        passage: Passage,
        profile: Profile | None,
        length_m: float | None,
        counter: int | None,
    ) -> Detection:
        """The gamma result, final where the vehicle's length is known, and what was measured."""
        facts = gamma_facts(passage, profile, length_m, self._policy)
        final = length_m is not None
        record = pass_record(
            self._spec, passage, profile, self._policy, length_m=length_m, counter=counter
        )
        found = self._detection("gamma.profile", passage, facts, final=final)
        return replace(found, record=record)

    def _detection(
        self, kind: str, passage: Passage, facts: Mapping[str, Fact], *, final: bool
    ) -> Detection:
        return Detection(
            sensor_id=self._spec.sensor_id,
            family=Family.RADIATION,
            origin=self._origin,
            kind=kind,
            start_utc_ns=passage.opened_utc_ns,
            end_utc_ns=passage.last_utc_ns,
            facts=facts,
            final=final,
        )


def _point_of(profile: Profile) -> Beside | None:
    """The point that the gammas show, if they show any."""
    point = profile.point
    if point.nats <= 0.0:
        return None
    return Beside(
        position_m=point.position_m,
        nats=point.nats,
        net_cps=point.net_cps,
        load_nats=profile.extended.nats,
    )
