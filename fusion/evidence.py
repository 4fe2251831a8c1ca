"""What a detection says for each explanation, in nats against `nothing`.

Each function is one test's calibration, bounded by the caps of the policy; a negative value speaks
against an explanation. Their numbers are in `fusion.evidence_calibration`, those of radiation in
`fusion.radiation_calibration`; all are monotone in what was measured.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from fusion.evidence_calibration import EvidenceCalibration
from fusion.evidence_cues import CUES
from fusion.radiation_calibration import RadiationCalibration
from fusion.radiation_evidence import RADIATION, number
from fusion.types import Detection, Fact

__all__ = ["CALIBRATIONS", "RADIATION", "nats_of", "number", "weigh"]

Facts = Mapping[str, Fact]
OF_PORTALS = RadiationCalibration()
OF_OTHERS = EvidenceCalibration()

ON_FOOT = ("person", "group")
SAME_LOAD = 0.8  # of a load scanned twice, a tenth differs by how it was driven past
INSTEAD = ("animal", "vehicle", "digging")
"""What somebody on foot is mistaken for; anything else that a sensor hears, it hears beside."""
METALS = ("dense", "steel", "unresolved")


def seismic_event(facts: Facts, known: EvidenceCalibration = OF_OTHERS) -> dict[str, float]:
    """Odds of a class by its share; of somebody on foot by both shares and how clear the steps are.

    Whether one walks or several do is another question than whether anybody does: both have what
    speaks for somebody, each less what speaks for the other. Against the prior of a person, a
    share of 0.97 rings, or of 0.78 with clear steps.
    """
    classes = facts.get("classes")
    if not isinstance(classes, Mapping):
        return {}
    told = {
        name: known.ground_slope * class_odds(facts, (name,), known) - known.ground_offset
        for name in sorted(classes)
        if name not in {"unknown", *ON_FOOT}
    }
    somebody = known.foot_slope * class_odds(facts, ON_FOOT, known) - known.foot_offset
    if somebody > 0.0:
        somebody += known.foot_clear_nats * clear_share(facts, known)
    if facts.get("sure") is False:
        somebody = min(somebody, known.foot_unsure_nats)
    contradicts = facts.get("sure") is not False and facts.get("class") in INSTEAD
    if somebody <= 0.0 and not contradicts:
        return told  # who hears wind does not hear that nobody walks at the next sensor
    somebody = min(somebody, known.foot_most_nats)
    shares = {name: number(classes, name) for name in ON_FOOT if name in classes}
    both, rest = min(1.0, math.fsum(shares.values())), known.share_rest
    for name, share in shares.items():
        told[name] = somebody + math.log((share + rest) / (both + rest))
    return told


def class_odds(facts: Facts, names: tuple[str, ...], known: EvidenceCalibration) -> float:
    """Log-odds of the classes together by their shares; what a fit is made on."""
    classes = facts.get("classes")
    assert isinstance(classes, Mapping)
    share = min(1.0, math.fsum(number(classes, name) for name in names))
    return math.log((share + known.share_rest) / (1.0 - share + known.share_rest))


def clear_share(facts: Facts, known: EvidenceCalibration) -> float:
    """How clear steps are of the noise, 0 to 1; what a fit is made on."""
    clear = (number(facts, "clear") - known.foot_clear_from) / known.foot_clear_width
    return max(0.0, min(1.0, clear))


def xray_emptiness(facts: Facts, known: EvidenceCalibration = OF_OTHERS) -> dict[str, float]:
    """Declared empty and not empty is an inconsistency; a load that was declared is none."""
    if facts.get("declared") != "empty":
        return {}
    loaded = load_nats(facts, known)
    return {"not-empty": known.emptiness_slope * loaded - known.emptiness_offset}


def load_nats(facts: Facts, known: EvidenceCalibration) -> float:
    """Log-likelihood ratio of a load against an empty box; what a fit is made on."""
    full = known.emptiness_full_nats
    return max(-full, min(full, -number(facts, "empty_nats")))


def xray_mismatch(facts: Facts, known: EvidenceCalibration = OF_OTHERS) -> dict[str, float]:
    """Loads that look like another chapter's; papers and tables of goods are wrong as well."""
    return {"not-as-declared": known.mismatch_slope * number(facts, "papers_nats")}


def xray_change(facts: Facts, known: EvidenceCalibration = OF_OTHERS) -> dict[str, float]:
    """Something new in a load that is else the very same, since an earlier scan of the container.

    Another load says nothing: containers are there to be filled again. What was taken out is for
    whoever reads the facts.
    """
    if number(facts, "alike") < SAME_LOAD or number(facts, "change_kg") <= 0.0:
        return {}
    nats = known.change_nats * math.log1p(number(facts, "change_kg") / known.change_kg)
    return {"contraband-anomaly": min(known.change_most_nats, nats)}


def xray_dense(facts: Facts, known: EvidenceCalibration = OF_OTHERS) -> dict[str, float]:
    """A place stands out of its load; a faint one is what loads have that hide nothing."""
    told = known.dense_slope * number(facts, "sigma") - known.dense_offset
    thing = max(known.dense_least_nats, told)
    dense = facts.get("material") in METALS
    return {
        "contraband-anomaly": thing if dense else known.dense_other_share * thing,
        "shielded-source": min(known.dense_shield_nats, thing) if dense else 0.0,
    }


def xray_unpenetrated(facts: Facts, known: EvidenceCalibration = OF_OTHERS) -> dict[str, float]:
    """Where the scanner sees nothing, nobody can say what is there."""
    return {"unpenetrated": known.opaque_nats * (number(facts, "share") - known.opaque_from)}


def health_tamper(facts: Mapping[str, Fact]) -> dict[str, float]:
    """The device's own tamper contact: there is no better witness."""
    return {"tamper": 10.0 if facts.get("active") is True else 0.0}


def health_fault(facts: Mapping[str, Fact]) -> dict[str, float]:
    """The device's own word, or input that no healthy device sends."""
    return {"fault": 10.0 if facts.get("active") is True else 0.0}


def health_drift(facts: Mapping[str, Fact]) -> dict[str, float]:
    """The middle of several scans beyond a limit that healthy scanners keep."""
    return {"drift": 10.0 if facts.get("active") is True else 0.0}


def health_test_piece(facts: Mapping[str, Fact]) -> dict[str, float]:
    """What is known to be there was not seen as well as the site asks for."""
    return {"test-piece": 10.0 if facts.get("active") is True else 0.0}


def health_silent(facts: Mapping[str, Fact]) -> dict[str, float]:
    """Nothing arrived for longer than this kind of sensor ever waits."""
    return {"silent": 10.0 if facts.get("active") is True else 0.0}


MEASURED: Mapping[str, Callable[[Facts, EvidenceCalibration], dict[str, float]]] = {
    "seismic.event": seismic_event,
    "xray.emptiness": xray_emptiness,
    "xray.dense": xray_dense,
    "xray.mismatch": xray_mismatch,
    "xray.change": xray_change,
    "xray.unpenetrated": xray_unpenetrated,
}
"""Of ground sensors and scanners, by fitted numbers."""
TOLD: Mapping[str, Callable[[Facts], dict[str, float]]] = {
    "health.tamper": health_tamper,
    "health.fault": health_fault,
    "health.drift": health_drift,
    "health.test-piece": health_test_piece,
    "health.silent": health_silent,
    **CUES,
}
"""What devices say of themselves, and cues."""
CALIBRATIONS = frozenset((*MEASURED, *TOLD))
"""All kinds but those of `RADIATION`."""


def nats_of(
    detection: Detection,
    of_portals: RadiationCalibration = OF_PORTALS,
    of_others: EvidenceCalibration = OF_OTHERS,
) -> dict[str, float]:
    """Nats of a detection for each explanation it speaks for; empty where it speaks for none."""
    kind, facts = detection.kind, detection.facts
    if kind in RADIATION:
        return RADIATION[kind](facts, of_portals)
    if kind in MEASURED:
        return MEASURED[kind](facts, of_others)
    return TOLD[kind](facts) if kind in TOLD else {}


def weigh(
    detection: Detection,
    of_portals: RadiationCalibration = OF_PORTALS,
    of_others: EvidenceCalibration = OF_OTHERS,
) -> Detection:
    """The same detection with its nats filled in."""
    return replace(detection, nats=nats_of(detection, of_portals, of_others))
