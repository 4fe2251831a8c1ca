"""Cargo X-ray scans: what one picture says of its load."""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fusion.scans.calibrate import ScanMemory
from fusion.scans.cells import Cells, cells_of, from_composite, plain
from fusion.scans.clearance import righted, sight_of, weighed, wrong_way
from fusion.scans.composites import display_of, read_composite
from fusion.scans.contents import find_contents, with_contents
from fusion.scans.geometry import Geometry, find_geometry
from fusion.scans.manifest import EMPTY, plain_declared
from fusion.scans.policy import XrayPolicy
from fusion.scans.previous import Change
from fusion.scans.quality import self_check
from fusion.scans.record import scan_record
from fusion.scans.test_piece import DECLARED, scores_of
from fusion.types import (
    MILLISECOND_NS,
    Detection,
    Fact,
    Family,
    ScanFinding,
    ScanRegion,
    ScanSample,
)

__all__ = ["XrayPolicy", "analyse", "changed", "detections"]

NO_AIR, LAST_AIR = {"no-air-columns", "no-air-band"}, "last-air-reference"
DISPLAY_BLACK = "black-may-be-display"  # the load may be seen through, its picture cannot
LEAST_BESIDE_M = 0.1  # of a box, or nobody knows whether it ends there
PITCHES = {"told": (0.0, 0.98), "box": (0.25, 0.9), "assumed": (0.6, 0.5)}
"""Where the pixels' size is from: (relative spread of an area, how sure the size is)."""


def analyse(scan: ScanSample, policy: XrayPolicy, memory: ScanMemory | None = None) -> ScanFinding:
    """Measure one scan: dark and air, box, emptiness, fill, dense regions, opaque share.

    memory  of the scanner: where a scan shows no reference the last good one serves; None: each
            scan stands alone

    Some 10 ms for 1200 x 4000 pixels in two planes; run it in a worker. The same scan gives
    the same finding on any machine: sums are whole numbers or in a fixed order, on one thread.
    An 8-bit composite gives emptiness, fill, geometry and opaque share only. A scan without
    any picture, or without a vehicle in it, is neither empty nor loaded.
    """
    nothing = _nothing(scan)
    if scan.high is None:
        return _of_composite(nothing, scan, policy)
    plane, low = plain(scan.high), None if scan.low is None else plain(scan.low)
    known = {} if memory is None else dict(memory.references)
    cells = cells_of(plane, low, policy, scan.lost_columns, memory)
    if cells is None:
        return replace(nothing, notes=("no-picture",))
    if set(cells.notes) >= NO_AIR and LAST_AIR not in cells.notes:
        # Nothing says what clear air gives: the counts are worth no more than a picture's.
        return _of_airless(nothing, scan, plane, cells, policy)
    pitch_mm = (scan.pitch_x_mm, scan.pitch_y_mm)
    geometry = find_geometry(cells, plane, pitch_mm, policy, pitch_known=scan.pitch_known)
    checked = self_check(scan, plane, cells, geometry)
    nothing = replace(nothing, quality=checked.values, row_gain=checked.row_gain)
    notes = (*scan.notes, *cells.notes)
    if scan.declared == DECLARED:
        pair = cells.calibration, cells.low_calibration
        if scores := scores_of(plane, low if cells.low is not None else None, pair, pitch_mm):
            return replace(nothing, notes=notes, test_piece=scores)
        notes += ("no-test-piece",)  # a vehicle like any other, whatever its papers say
    wrong = wrong_way(cells)
    if wrong and memory is not None:
        memory.references = known  # this scan's are no other's
    if geometry is None or wrong:
        notes += (wrong or "no-vehicle",)
        return replace(nothing, notes=notes, record=scan_record(scan, cells, None))
    right, wrong_planes = righted(cells, scan.energies_mev)
    shown = low if low is not None and "planes-swapped" in wrong_planes else plane
    sight = sight_of(shown, right, geometry, policy)
    found = find_contents(replace(right, usable=sight.usable), geometry, scan.energies_mev, policy)
    notes += () if found.low is not None else ("no-low-plane",)
    notes += () if found.high.wall_known else ("wall-assumed",)
    partial = scan.partial or sight.is_cut
    record = scan_record(replace(scan, partial=partial), cells, geometry, found.groups)
    notes += (*geometry.notes, *wrong_planes, *sight.notes)
    measured = replace(nothing, notes=notes, record=record, partial=partial)
    told = with_contents(measured, found, geometry, policy, sight.nats)
    return _sized(weighed(told, sight, cells, geometry), geometry)


def _sized(finding: ScanFinding, geometry: Geometry) -> ScanFinding:
    """The finding with how far its pixels' size is to be trusted: a mass goes with its square."""
    share, sure = PITCHES[geometry.pitch_from]
    spread = math.hypot(finding.mass_sd_kg or 0.0, share * (finding.mass_kg or 0.0))
    return replace(
        finding,
        mass_sd_kg=round(spread, 1)
        if finding.mass_kg is not None and share
        else finding.mass_sd_kg,
        sure=(*finding.sure, ("pitch", round(sure * (geometry.sure_ft if share else 1.0), 3))),
    )


def _of_composite(nothing: ScanFinding, scan: ScanSample, policy: XrayPolicy) -> ScanFinding:
    """The finding of an 8-bit picture."""
    if scan.composite is None:
        return replace(nothing, notes=("no-picture",))
    cells = cells_of(from_composite(scan.composite, policy), None, policy, scan.lost_columns)
    if cells is None:
        return replace(nothing, notes=("no-picture",))
    return _of_display(
        replace(nothing, notes=(*scan.notes, "composite-only")), scan, scan.composite, cells, policy
    )


def _of_airless(
    nothing: ScanFinding,
    scan: ScanSample,
    plane: NDArray[np.uint16],
    cells: Cells,
    policy: XrayPolicy,
) -> ScanFinding:
    """The finding of a plane that shows no air: what ends with the picture is not all there."""
    picture, notes = display_of(plane), (*scan.notes, *cells.notes)
    found = _of_display(replace(nothing, notes=notes), scan, picture, cells, policy)
    places = dict(found.geometry)
    beside_m = min(
        places.get("box_from_m", found.length_m),
        found.length_m - places.get("box_to_m", 0.0),
    )
    if not found.empty or beside_m > LEAST_BESIDE_M:
        return found
    part = replace(nothing, notes=(*notes, "cut-off"), partial=True)
    return _of_display(part, replace(scan, partial=True), picture, cells, policy)


def _of_display(
    nothing: ScanFinding,
    scan: ScanSample,
    picture: NDArray[np.uint8],
    cells: Cells,
    policy: XrayPolicy,
) -> ScanFinding:
    read = read_composite(nothing, scan, picture, policy)
    return replace(read.finding, record=read.placed(scan_record(scan, cells, None)))


def detections(finding: ScanFinding, policy: XrayPolicy) -> list[Detection]:
    """What a finding says to the fusion core: the scan, its emptiness, its dense places."""
    scan_facts = _scan_facts(finding)
    scanned = _detection(finding, "xray.scan", scan_facts)
    if finding.record is not None:
        scanned = replace(scanned, record=replace(finding.record, facts=scan_facts))
    found = [scanned]
    if finding.length_m <= 0.0:
        return found  # no picture, no vehicle: nothing was looked at
    if not finding.interim:  # how much is in it is known when all of it was seen
        emptiness: dict[str, Fact] = {
            "empty": finding.empty,
            "empty_nats": finding.empty_nats,
            "fill": finding.fill,
            "declared": finding.declared,
            "sure": dict(finding.sure).get("empty", 0.0),
        }
        found.append(_detection(finding, "xray.emptiness", emptiness))
    papers: dict[str, Fact] = dict(finding.mismatches)
    if papers and finding.declared != EMPTY and not finding.interim:
        mismatch: dict[str, Fact] = {
            "declared": finding.declared,
            "what": finding.mismatches[0][0],
            "papers_nats": round(math.fsum(nats for _, nats in finding.mismatches), 3),
            "each": papers,
        }
        found.append(_detection(finding, "xray.mismatch", mismatch))
    for region in finding.regions[: policy.max_regions]:
        facts: dict[str, Fact] = {
            **_place((region.from_m + region.to_m) / 2, finding),
            **_region_facts(region, finding),
            "homogeneity": finding.homogeneity,
        }
        found.append(_detection(finding, "xray.dense", facts))
    if finding.unpenetrated >= policy.notable_unpenetrated and DISPLAY_BLACK not in finding.notes:
        opaque: dict[str, Fact] = {
            "share": finding.unpenetrated,
            **_place(dict(finding.geometry)["opaque_m"], finding),
        }
        found.append(_detection(finding, "xray.unpenetrated", opaque))
    return found


def changed(finding: ScanFinding, change: Change) -> Detection:
    """What the engine says of a scan beside the container's last one."""
    facts: dict[str, Fact] = {
        "container": finding.container,
        "since_s": change.since_s,
        "alike": change.alike,
        "added_kg": change.added_kg,
        "removed_kg": change.removed_kg,
        "change_kg": change.change_kg,
        "position_m": round((change.from_m + change.to_m) / 2, 2),
        "from_m": change.from_m,
        "to_m": change.to_m,
        "bottom_m": change.bottom_m,
        "top_m": change.top_m,
    }
    return _detection(finding, "xray.change", facts)


def _nothing(scan: ScanSample) -> ScanFinding:
    """The finding of a scan in which nothing could be measured."""
    return ScanFinding(
        sensor_id=scan.sensor_id,
        origin=scan.origin,
        start_utc_ns=scan.start_utc_ns,
        duration_ms=scan.duration_ms,
        scan_id=scan.scan_id,
        length_m=0.0,
        declared=plain_declared(scan.declared),
        container=scan.container,
        empty=False,
        empty_nats=0.0,
        fill=0.0,
        homogeneity=0.0,
        unpenetrated=0.0,
        regions=(),
        quality=(),
        notes=(),
        digests=scan.digests,
        partial=scan.partial,
    )


def _place(along_m: float, finding: ScanFinding) -> dict[str, Fact]:
    """A place along the vehicle, and how much of the vehicle had come where that was not all."""
    name = "from_rear_m" if finding.rear_first else "position_m"
    seen: dict[str, Fact] = {"seen_m": finding.length_m} if finding.interim else {}
    return {name: round(along_m, 2), **seen}


def _scan_facts(finding: ScanFinding) -> dict[str, Fact]:
    # Whether it is empty is known when all of it was seen.
    part: dict[str, Fact] = {"interim": True} if finding.interim else {"empty": finding.empty}
    return {
        **part,
        "fill": finding.fill,
        "regions": tuple(_region_facts(region, finding) for region in finding.regions),
        "unpenetrated": finding.unpenetrated,
        "homogeneity": finding.homogeneity,
        "periodicity_m": finding.periodicity_m,
        "mass_kg": finding.mass_kg,
        "mass_sd_kg": finding.mass_sd_kg,
        "materials": dict(finding.materials),
        "mismatches": dict(finding.mismatches),
        "sure": dict(finding.sure),
        "partial": finding.partial,
        "geometry": dict(finding.geometry),
        "quality": dict(finding.quality),
        "declared": finding.declared,
        "container": finding.container,
        "scan_id": finding.scan_id,
        "length_m": finding.length_m,
        "notes": finding.notes,
    }


def _region_facts(region: ScanRegion, finding: ScanFinding) -> dict[str, Fact]:
    along: dict[str, Fact] = {"from_m": region.from_m, "to_m": region.to_m}
    if finding.rear_first:  # nobody knows yet how far it is to the front
        along = {"rear_from_m": region.from_m, "rear_to_m": region.to_m}
    return {
        **along,
        "bottom_m": region.bottom_m,
        "top_m": region.top_m,
        "excess_g_cm2": region.excess_g_cm2,
        "sigma": region.sigma,
        "material": region.material,
        "material_share": region.material_share,
        "mass_kg": region.mass_kg,
    }


def _detection(finding: ScanFinding, kind: str, facts: dict[str, Fact]) -> Detection:
    return Detection(
        sensor_id=finding.sensor_id,
        family=Family.XRAY,
        origin=finding.origin,
        kind=kind,
        start_utc_ns=finding.start_utc_ns,
        end_utc_ns=finding.start_utc_ns + finding.duration_ms * MILLISECOND_NS,
        facts=facts,
        final=not finding.interim,
    )
