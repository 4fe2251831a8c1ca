"""Garita beside other ways: ablations by their alerts, baselines at equal detection."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge.study.figures import Figure
from edge.study.fusion_curves import (
    OF_FAMILIES,
    Curve,
    curve,
    measure,
    odds,
    of_beliefs,
    of_sensors,
)
from edge.study.fusion_hours import Hour
from edge.study.fusion_measures import ADVISORY, WARNING, share, tally
from edge.study.fusion_systems import GARITA, NAIVE
from edge.study.fusion_tables import Goals, an_hour, held, proportion_of
from edge.study.fusion_truth import Happening
from edge.study.intervals import proportion
from fusion.types import Family

FEWER = 0.9
LEAST = -9.0  # ten times as many; a ratio to none has no end
CALLED: Mapping[Family, str] = {
    Family.RADIATION: "portals",
    Family.XRAY: "scanners",
    Family.SEISMIC: "ground sensors",
}


def beside(hours: Sequence[Hour], ways: Sequence[str]) -> list[Figure]:
    """Each other way of fusing the same tapes, by its own alerts."""
    figures = []
    shared = [one for one in hours if all(way in one.ways for way in ways)]
    if not shared:
        return []
    for way in (GARITA, *ways):
        mine = tally(shared, way)
        hits, of = mine.found(WARNING)
        wrong, loud = sum(mine.nuisances(ADVISORY).values()), sum(mine.nuisances(WARNING).values())
        if not of:
            how = f"{loud / mine.hours:.3g}/h at level >= 3"
            figures.append(an_hour(f"{way}: nuisances of level >= 2", wrong, mine.hours, how))
            continue
        true, all_ = mine.precise(WARNING)
        how = (
            f"nuisances {wrong / mine.hours:.3g}/h at level >= 2, {loud / mine.hours:.3g}/h at "
            f">= 3; PPV {true} of {all_}; {mine.hours:.3g} h"
        )
        figures.append(proportion_of(f"{way}: threats at level >= 3", hits, of, how))
    return figures


@dataclass(frozen=True, slots=True)
class Versus:
    """Nuisances of two ways at equal detection."""

    detection: float
    ours: int
    theirs: int


def versus(ours: Curve, theirs: Curve, detection_: float) -> Versus:
    """At that detection, or at the most that both can find."""
    equal = min(detection_, ours.most, theirs.most)
    return Versus(
        equal, ours.rung_for(ours.line_for(equal)), theirs.rung_for(theirs.line_for(equal))
    )


def fewer(name: str, ours: int, theirs: int, how: str) -> Figure:
    """Share of their nuisances that we save; the interval is that of the ratio of two counts."""
    low, high = proportion(ours, ours + theirs) if theirs else (0.0, 0.5)
    if not theirs and not ours:
        how = f"{how}; nothing to save"
    return Figure(
        name=name,
        value=1.0 - ours / theirs if theirs else 0.0,
        unit="",
        goal="",
        reached=None,
        how=f"{ours} against {theirs}; {how}",
        interval=(max(LEAST, 1.0 - high / max(1.0 - high, 1e-9)), 1.0 - low / (1.0 - low)),
    )


def against_sensors(hours: Sequence[Hour], goals: Goals) -> list[Figure]:
    """Each family at its best threshold against Garita, at equal detection of what it can tell."""
    figures, ours, theirs = [], 0, 0
    for family, events in OF_FAMILIES.items():

        def is_of(one: Happening, events: frozenset[object] = events) -> bool:
            return one.event in events

        garita = curve(GARITA, hours, of_beliefs(GARITA, events), is_of)
        if not garita.threats:
            continue
        target = share(*tally(hours, GARITA).found(WARNING, is_of))[0]
        best: tuple[Versus, str] | None = None
        for words, score in (("as the field thresholds them", measure), ("calibrated", odds)):
            single = curve(words, hours, of_sensors((family,), score), is_of)
            found = versus(garita, single, target)
            how = f"both find {found.detection:.2f} of {len(garita.threats)}"
            name = f"fewer nuisances than {CALLED[family]} {words}"
            figures.append(fewer(name, found.ours, found.theirs, how))
            if best is None or found.theirs - found.ours < best[0].theirs - best[0].ours:
                best = found, words
        if best is not None:
            ours, theirs = ours + best[0].ours, theirs + best[0].theirs
    if figures:
        name = "fewer nuisances than the best single sensors, all families"
        one = fewer(name, ours, theirs, "each family with the better of its two thresholds")
        figures.append(held(one, f">= {FEWER:g}", one.value >= FEWER) if goals.fewer else one)
    return figures


def all_curves(hours: Sequence[Hour]) -> list[Curve]:
    """Garita and the baselines, every threat of the hours."""
    every = tuple(Family)
    found = [curve(GARITA, hours, of_beliefs(GARITA))]
    if all(NAIVE in one.ways for one in hours):
        found.append(curve("naive sum", hours, of_beliefs(NAIVE)))
    found.append(curve("any sensor", hours, of_sensors(every, odds)))
    found.append(curve("2 of 3 sensors", hours, of_sensors(every, odds), voices=2))
    for family in every:
        name = f"{CALLED[family]} alone"
        found.append(curve(name, hours, of_sensors((family,), odds)))
    return found


def against_rules(hours: Sequence[Hour], curves: Sequence[Curve]) -> list[Figure]:
    """Any-of, 2-of-3 and the naive sum against Garita at equal detection."""
    garita = curves[0]
    target = share(*tally(hours, GARITA).found(WARNING))[0]
    figures = []
    for other in curves[1:]:
        found = versus(garita, other, target)
        how = f"both find {found.detection:.2f} of {len(garita.threats)}, it finds {other.most:.2f}"
        name = f"fewer nuisances than {other.name}"
        figures.append(fewer(name, found.ours, found.theirs, how))
    return figures
