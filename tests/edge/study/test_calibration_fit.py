import numpy as np
import pytest

from edge.study.calibration_cases import DENSE, EMPTINESS, EVENT, NOBODY, SOMEBODY, Case
from edge.study.calibration_fit import fit, judged, known_now, nats_of
from edge.study.calibration_packs import PACKS, Material
from edge.study.fitting import TooLittle
from fusion.evidence_calibration import EvidenceCalibration

KNOWN = EvidenceCalibration()


def drawn(cases, pack="loads"):
    return Material(pack=PACKS[pack], hours=(), drawn=tuple(cases), simulators="drawn-1")


def dense(sigma, truth, material="steel"):
    return Case(test=DENSE, truth=truth, facts={"sigma": sigma, "material": material})


def loads(number, seed=0):
    """Half of them hide something at 9 sigma, nearly always seen; of the others half show 6."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(number):
        for truth, middle, clear in (("contraband-anomaly", 9.0, 0.03), (NOBODY, 6.0, 0.5)):
            if random.uniform() < clear:
                found.append(Case(test=DENSE, truth=truth, facts={}))
            else:
                found.append(dense(random.normal(middle, 1.2), truth))
    return found


def test_a_dense_place_is_worth_its_likelihood_ratio():
    fitted = fit(known_now(), drawn(loads(3_000)), "told", (DENSE,)).evidence
    # Two Gaussians 3 apart of width 1.2: 3 / 1.44 nats a sigma, none in the middle; and that
    # anything is seen at all is 0.97 / 0.5 times as likely.
    assert fitted.dense_slope == pytest.approx(2.08, rel=0.15)
    middle = 7.5 - np.log(0.97 / 0.5) / 2.08
    assert fitted.dense_offset / fitted.dense_slope == pytest.approx(middle, abs=0.1)
    assert fitted.dense_least_nats == pytest.approx(np.log(0.03 / 0.5), abs=0.3)
    assert fitted.provenance[DENSE] == "3000 contraband-anomaly, 3000 nothing on told"
    assert fitted.emptiness_slope == KNOWN.emptiness_slope


def test_a_fit_loses_less_on_cases_it_has_not_seen():
    fresh = loads(1_000, seed=9)
    fitted = fit(known_now(), drawn(loads(1_000)), "told", (DENSE,)).evidence
    before, after = judged(KNOWN, fresh, DENSE), judged(fitted, fresh, DENSE)
    assert after.log_loss < before.log_loss
    assert after.held.error < 3.0 * after.held.floor


def test_the_same_cases_give_the_same_numbers():
    assert fit(known_now(), drawn(loads(100)), "", (DENSE,)) == fit(
        known_now(), drawn(loads(100)), "", (DENSE,)
    )


def test_too_few_cases_are_refused_by_name_and_number():
    some = [dense(6.0, NOBODY)] * 50 + [dense(9.0, "contraband-anomaly")] * 7
    with pytest.raises(
        TooLittle, match=r"xray.dense: 7 of contraband-anomaly, 30 are needed"
    ) as no:
        fit(known_now(), drawn(some), "", (DENSE,))
    assert (no.value.have, no.value.needed) == (7, 30)


def test_a_likelihood_ratio_of_emptiness_is_never_worth_more_than_it_is():
    random = np.random.default_rng(1)
    found = [
        Case(
            test=EMPTINESS,
            truth=truth,
            facts={"declared": "empty", "empty_nats": -sign * random.normal(0.3, 0.3)},
        )
        for truth, sign in (("not-empty", 1.0), (NOBODY, -1.0))
        for _ in range(200)
    ]
    fitted = fit(known_now(), drawn(found), "", (EMPTINESS,)).evidence
    assert 0.0 <= fitted.emptiness_slope <= 1.0


def event(truth, *, sure=True, clear=0.0, **shares):
    rest = (1.0 - sum(shares.values())) / 2
    facts = {"classes": shares | {"weather": rest, "unknown": rest}, "sure": sure, "clear": clear}
    return Case(test=EVENT, truth=truth, facts=facts | {"class": max(shares, key=shares.get)})


def events(number=200, seed=3):
    random = np.random.default_rng(seed)

    def shares(mean):
        person = min(0.95, max(0.01, random.normal(mean["person"], 0.25)))
        vehicle = min(0.97 - person, max(0.01, random.normal(mean["vehicle"], 0.25)))
        return {"person": person, "group": 0.01, "vehicle": vehicle}

    means = {
        SOMEBODY: {"person": 0.7, "vehicle": 0.1},
        "vehicle": {"person": 0.1, "vehicle": 0.7},
        NOBODY: {"person": 0.2, "vehicle": 0.2},
    }
    return [
        event(truth, clear=random.uniform(1.0, 3.0) if truth == SOMEBODY else 1.5, **shares(mean))
        for truth, mean in means.items()
        for _ in range(number)
    ]


def test_classes_of_a_ground_sensor_compete():
    fitted = fit(known_now(), drawn(events(), "footpaths"), "", (EVENT,)).evidence
    assert fitted.foot_slope > 0.0
    assert fitted.ground_slope > 0.0
    assert fitted.foot_clear_nats > 0.0
    fresh = events(seed=4)
    before, after = judged(KNOWN, fresh, EVENT), judged(fitted, fresh, EVENT)
    assert after.log_loss < before.log_loss + 0.02


def test_a_pack_without_anybody_fits_no_ground_sensor():
    found = [case for case in events() if case.truth != SOMEBODY]
    with pytest.raises(TooLittle, match=r"seismic.event: 0 of somebody, 30 are needed"):
        fit(known_now(), drawn(found, "footpaths"), "", (EVENT,))


def test_what_is_judged_is_what_the_engine_hears_within_its_caps():
    assert nats_of(KNOWN, dense(40.0, NOBODY), "contraband-anomaly") == 7.0
    assert nats_of(KNOWN, Case(test=DENSE, truth=NOBODY, facts={}), "contraband-anomaly") == 0.0
    assert nats_of(KNOWN, dense(40.0, NOBODY), NOBODY) == 0.0
    assert judged(KNOWN, [dense(6.0, NOBODY)] * 5, DENSE) is None
