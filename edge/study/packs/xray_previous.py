"""`xray-previous`: one container scanned twice, with and without something put into its load.

The second scan has other pulses, noise and speed. A cube of steel, organic goods or lead of 5, 20
or 50 kg is in the second scan and not in the first (put in), the other way round (taken out), or at
another place (moved). Unchanged loads are scanned by the same scanner, from the other end, without
the vehicle under the box, and by another scanner. A change counts as the engine takes it up: in a
load that is else the same. It is found where it covers the thing's middle to within 0.3 m.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from edge.study.figures import Figure
from edge.study.packs import Settings
from edge.study.packs.spectra_files import share
from edge.study.packs.xray_empty import OTHER
from edge.study.xray_runs import families, how, sample
from fusion.evidence import SAME_LOAD
from fusion.scans.previous import Change, PreviousScans
from fusion.types import SECOND_NS, ScanFinding, ScanSample
from fusion.xray import XrayPolicy, analyse
from simulators.xray_cases import SETTINGS, CaseOptions, Threat, XrayCase, case

NUMBER = 90
MATERIALS = ("steel", "organic", "lead")
MASSES_KG = (5.0, 20.0, 50.0)
NEAR_M = 0.3
ADDS = 0.25  # attenuation: what a block of 1 cm of steel adds
SAME, TURNED, YARD = "same scanner", "from the other end", "box alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two scans of one container."""

    kind: str
    """How the second was taken of an unchanged load, or what was done to it."""
    threat: Threat | None
    """The thing that is in one of them only, or where it is now."""
    change: Change | None

    @property
    def told(self) -> bool:
        """Whether anything was told of a load that is else the same."""
        found = self.change
        return found is not None and found.alike >= SAME_LOAD and found.change_kg != 0.0

    def found(self, sign: float) -> bool:
        """Whether the largest change is the thing: put in where `sign` is 1, taken out at -1."""
        if self.change is None or self.threat is None or not self.told:
            return False
        extent, change = self.threat.extent, self.change
        middle = (extent.from_m + extent.to_m) / 2
        inside = change.from_m - NEAR_M <= middle <= change.to_m + NEAR_M
        return inside and sign * change.change_kg > 0.0


def pairs(seed: int) -> Iterator[Pair]:
    """All pairs of one load."""
    plain = CaseOptions(load="loaded", families=families(seed))
    again = replace(plain, scan=1)
    first, second = _finding(_drawn(seed, plain)), _finding(_drawn(seed, again))
    turned = _finding(_drawn(seed, again), turned=True)
    yard = _finding(_drawn(seed, replace(again, whole=False)))
    other = _finding(_drawn(seed, replace(again, scanner=SETTINGS[OTHER])))
    for kind, now in ((SAME, second), (TURNED, turned), (YARD, yard), (OTHER, other)):
        yield Pair(kind=kind, threat=None, change=_compared(first, now))
    thing = replace(again, threat="block", material=MATERIALS[seed % len(MATERIALS)])
    for mass_kg in MASSES_KG:
        drawn = _drawn(seed, replace(thing, place="cargo", mass_kg=mass_kg))
        with_it, threat = _finding(drawn), drawn.truth.threats[0]
        yield Pair(kind=f"put in {mass_kg:.0f}", threat=threat, change=_compared(first, with_it))
        yield Pair(kind=f"taken out {mass_kg:.0f}", threat=threat, change=_compared(with_it, first))
    moved = _finding(_drawn(seed, replace(thing, scan=2, place="floor", mass_kg=mass_kg)))
    yield Pair(kind="moved", threat=None, change=_compared(with_it, moved))


def _drawn(seed: int, options: CaseOptions) -> XrayCase:
    return case(seed, options)


def _finding(drawn: XrayCase, *, turned: bool = False) -> ScanFinding:
    scan = sample(drawn)
    if turned:
        scan = _turned(scan, drawn.truth.scanner.dark_columns)
    found = analyse(replace(scan, container="GRTU0000010"), XrayPolicy())
    return replace(found, record=None)


def _turned(scan: ScanSample, dark: int) -> ScanSample:
    """As a gantry takes it on its way back: dark lines first, then the vehicle from its rear."""
    planes = []
    for plane in (scan.high, scan.low):
        assert plane is not None  # a drawn case has both
        lit = plane[:, dark:][:, ::-1]
        planes.append(np.ascontiguousarray(np.concatenate((plane[:, :dark], lit), axis=1)))
    return replace(scan, high=planes[0], low=planes[1])


def _compared(before: ScanFinding, now: ScanFinding) -> Change | None:
    kept = PreviousScans()
    kept.compare(replace(before, scan_id="before"), XrayPolicy())
    later = replace(now, scan_id="now", start_utc_ns=now.start_utc_ns + 3_600 * SECOND_NS)
    return kept.compare(later, XrayPolicy())


def measure(settings: Settings) -> list[Figure]:
    """False changes by how the second scan was taken; things put in, taken out and moved."""
    number = settings.number or NUMBER
    seeds = range(settings.seed, settings.seed + number)
    done: dict[str, list[Pair]] = {}
    for seed in seeds:
        for pair in pairs(seed):
            done.setdefault(pair.kind, []).append(pair)
    figures = []
    for kind in (SAME, TURNED, YARD, OTHER):
        mine = done[kind]
        told = sum(pair.told for pair in mine)
        figures.append(share(f"unchanged, {kind}: told", told, len(mine), how(seeds)))
    for mass_kg in MASSES_KG:
        for way, sign in (("put in", 1.0), ("taken out", -1.0)):
            mine = done[f"{way} {mass_kg:.0f}"]
            figures.append(_found(f"{mass_kg:.0f} kg {way}", mine, sign, how(seeds)))
        put_in = done[f"put in {mass_kg:.0f}"]
        for material in MATERIALS:
            one = [pair for pair in put_in if pair.threat and pair.threat.material == material]
            if one:
                figures.append(_found(f"{mass_kg:.0f} kg of {material} put in", one, 1.0, ""))
        seen = [pair for pair in put_in if pair.threat and pair.threat.adds >= ADDS]
        if seen:
            name = f"{mass_kg:.0f} kg put in that adds as much as 1 cm of steel"
            figures.append(_found(name, seen, 1.0, ""))
    told = sum(pair.told for pair in done["moved"])
    figures.append(share("50 kg moved: told", told, len(done["moved"]), how(seeds)))
    return figures


def _found(name: str, mine: list[Pair], sign: float, source: str) -> Figure:
    hits = sum(pair.found(sign) for pair in mine)
    return share(f"{name}: found", hits, len(mine), source or "of these")
