"""How far sensors that share a trigger err together: correlations measured where nothing was."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.study.calibration_cases import EVENT, Heard, on_foot_times, somebody_nats
from edge.study.fitting import TooLittle
from edge.study.fusion_truth import Joiner, happenings
from edge.study.intervals import Z_95
from fusion.evidence_calibration import EvidenceCalibration
from fusion.radiation_evidence import neutron_excess, profile_excess
from fusion.types import Detection

WINDOW_S = 30.0  # of a track: whoever walks by is heard by two sensors within it
LEAST_VEHICLES = 200
LEAST_WINDOWS = 30
"""Of each distance, in which either sensor of a pair spoke for somebody."""
BELIEF = 50.0
"""What was believed before counts as so many windows or vehicles."""
MOST_RHO = 0.95
MEASURED = {"gamma.profile": profile_excess, "neutron.counts": neutron_excess}
"""Kinds that one vehicle has at one portal, and what each measures, in nats without a bound."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rho:
    """One measured correlation."""

    value: float
    """Shrunk towards what was believed."""
    raw: float
    number: int
    """Pairs of words it rests on."""
    interval: tuple[float, float]
    """95 %, by Fisher's z, of `raw`."""

    def words(self) -> str:
        """For a provenance."""
        low, high = self.interval
        return f"{self.raw:.2f} [{low:.2f}, {high:.2f}] of {self.number}"


def correlation(one: Floats, other: Floats, believed: float, number: int | None = None) -> Rho:
    """Of two detectors' nats where nothing was, shrunk by how few there are.

    number  how many pairs say anything, where not all do
    """
    n = len(one) if number is None else number
    spread = float(one.std() * other.std())
    raw = float(np.mean((one - one.mean()) * (other - other.mean()))) / spread if spread else 0.0
    z, half = math.atanh(min(0.999999, max(-0.999999, raw))), Z_95 / math.sqrt(max(n - 3, 1))
    shrunk = (n * raw + BELIEF * believed) / (n + BELIEF)
    return Rho(
        value=min(MOST_RHO, max(0.0, shrunk)),
        raw=raw,
        number=n,
        interval=(math.tanh(z - half), math.tanh(z + half)),
    )


# --- tests of one portal -----------------------------------------------------------------


def portal_pairs(hours: Sequence[Heard], believed: float) -> Mapping[str, Rho]:
    """Of each two kinds of a portal's words on lawful vehicles without a source.

    TooLittle where such vehicles are few.
    """
    rows: list[dict[str, float]] = []
    for heard in hours:
        joiner = Joiner(happenings(heard.scenario, {}))
        lanes = {place.sensor_id: place.lane for place in heard.scenario.sensors}
        found: dict[tuple[str, int], dict[str, float]] = defaultdict(dict)
        for one in heard.detections:
            if one.kind in MEASURED and one.final:
                at_s = heard.seconds(one.start_utc_ns)
                what = joiner.of(lanes[one.sensor_id], at_s, at_s, ())
                if what is not None and what.name in ("clean", "car"):
                    measured = MEASURED[one.kind](one.facts)
                    found[one.sensor_id, one.start_utc_ns][one.kind] = measured
        rows += [row for _, row in sorted(found.items()) if len(row) == len(MEASURED)]
    if len(rows) < LEAST_VEHICLES:
        raise TooLittle(
            f"pair_rho: {len(rows)} vehicles without a source, {LEAST_VEHICLES} are needed",
            len(rows),
            LEAST_VEHICLES,
        )
    first, second = sorted(MEASURED)
    # By ranks: the tails are long, and one vehicle among six hundred would decide.
    columns = [_ranks(np.array([row[kind] for row in rows])) for kind in (first, second)]
    return {f"{first}+{second}": correlation(columns[0], columns[1], believed)}


def _ranks(values: Floats) -> Floats:
    """From 0 on; those that are equal share their mean."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    middle = (last - counts + last - 1) / 2.0
    return middle[which]


# --- ground sensors ----------------------------------------------------------------------


def ground_pairs(
    hours: Sequence[Heard], known: EvidenceCalibration, believed: tuple[float, float, float]
) -> Mapping[float, Rho]:
    """By metres between them: of two sensors' nats for somebody where nobody was.

    TooLittle where they spoke in too few windows of time.
    """
    pairs: dict[float, tuple[list[Floats], list[Floats]]] = defaultdict(lambda: ([], []))
    for heard in hours:
        places = {
            s.sensor_id: s for s in heard.scenario.sensors if s.kind == "shake-udp" and s.zone
        }
        for zone in sorted({place.zone for place in places.values()}):
            names = [name for name, place in places.items() if place.zone == zone]
            table = _windows(heard, zone, names, known)
            for i, one in enumerate(names):
                for j in range(i + 1, len(names)):
                    away_m = math.dist(places[one].place_m, places[names[j]].place_m)
                    pairs[round(away_m, 1)][0].append(table[i])
                    pairs[round(away_m, 1)][1].append(table[j])
    found = {}
    near, far, reach_m = believed
    for away_m, (ones, others) in sorted(pairs.items()):
        first, second = np.concatenate(ones), np.concatenate(others)
        spoke = int(((first > 0.0) | (second > 0.0)).sum())
        if spoke < LEAST_WINDOWS:
            raise TooLittle(
                f"ground_rho: {spoke} windows of {WINDOW_S:g} s with a word of somebody where "
                f"nobody was, {away_m:g} m apart; {LEAST_WINDOWS} are needed",
                spoke,
                LEAST_WINDOWS,
            )
        at_distance = far + (near - far) * math.exp(-away_m / reach_m)
        found[away_m] = correlation(first, second, at_distance, spoke)
    if not found:
        raise TooLittle("ground_rho: no two ground sensors of one zone")
    return found


def ground_curve(
    found: Mapping[float, Rho], believed: tuple[float, float, float]
) -> tuple[float, float, float]:
    """(side by side, far apart, metres) of the curve through what was found.

    Nobody stood side by side: how far the correlation falls is fitted, and `near` and `reach` are
    as believed. Least squares, each distance by its number.
    """
    near, _, reach_m = believed
    weights = {away_m: rho.number + BELIEF for away_m, rho in found.items()}
    top = bottom = 0.0
    for away_m, rho in found.items():
        share = math.exp(-away_m / reach_m)
        top += weights[away_m] * (1.0 - share) * (rho.value - near * share)
        bottom += weights[away_m] * (1.0 - share) ** 2
    return near, min(near, max(0.0, top / bottom)), reach_m


def _windows(heard: Heard, zone: str, names: Sequence[str], known: EvidenceCalibration) -> Floats:
    """(sensors, windows) loudest nats for somebody in each window in which nobody was about."""
    count = math.floor(heard.scenario.duration_s / WINDOW_S)
    table = np.zeros((len(names), count))
    for one in heard.detections:
        if one.kind == EVENT and one.sensor_id in names:
            row, nats = names.index(one.sensor_id), max(0.0, somebody_nats(one, known))
            for window in _touched(heard, one, count):
                table[row, window] = max(table[row, window], nats)
    quiet = np.ones(count, np.bool_)
    for from_s, to_s in on_foot_times(heard.scenario, zone):
        first = max(0, math.floor(from_s / WINDOW_S) - 1)
        quiet[first : math.floor(to_s / WINDOW_S) + 2] = False
    return table[:, quiet]


def _touched(heard: Heard, one: Detection, count: int) -> range:
    """Numbers of the windows in which it was said."""
    end_s = heard.seconds(one.end_utc_ns)
    return range(
        max(0, math.floor(heard.seconds(one.start_utc_ns) / WINDOW_S)),
        min(count, math.floor(end_s / WINDOW_S) + 1),
    )
