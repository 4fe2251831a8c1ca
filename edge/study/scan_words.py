"""What a scan showed, as a short table for a person: value, unit and how sure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from edge.study.played import Tried
from fusion.types import Detection

MOST_SURE = 0.99  # a person reads 100 % as certain
LABEL, VALUE = 14, 72  # columns of the table

NOTES = {
    "clock-behind": "dated before the scan before it: the time it arrived counts",
    "no-dark-reference": "nothing in it shows the dark level; 0 was assumed",
    "last-dark-reference": "the dark level is that of a picture before it",
    "last-air-reference": "clear air is that of a picture before it",
    "no-air-columns": "no clear air before or behind the vehicle",
    "no-air-band": "no clear air above the vehicle",
    "no-air-above": "no clear air above the vehicle",
    "gamma-assumed": "the display's curve is not known; a usual one was assumed",
    "inverted": "air was dark: turned to bright",
    "frame-cut": "a frame was cut off",
    "text-left-out": "letters in it were left out",
    "pitch-from-box": "how large a pixel is was found from the box, taken for an ISO one",
    "pitch-assumed": "nobody said how large a pixel is: lengths may be wrong (--set pitch_x_mm=)",
    "no-box": "no box: a car, a tank, a flatbed; nothing is claimed of its load",
    "no-vehicle": "no vehicle in it",
    "no-picture": "too few pixels to measure anything",
    "wall-assumed": "the load hides the walls; usual ones were assumed",
    "deck-assumed": "the floor of the box was not found; a usual height was assumed",
    "emptiness-unknown": "whether it is empty cannot be told",
    "cut-off": "the picture ends within the box: nothing is known of the rest",
    "lines-repeated": "lines in it are others again: what they hide was not seen",
    "rows-repeated": "rows in it are others again: what they hide was not seen",
    "rows-dark": "rows in it show no light at all: what they hide was not seen",
    "flat-parts": "parts of it are of one number, hung or painted over: not seen",
    "walls-unseen": "no walls in parts of the box: what is there was not seen",
    "unmeasured": "rows or lines failed side by side: what they hide was not seen",
    "few-counts": "too few counts to tell light from nothing: never called empty",
    "upside-down": "air is below and not above: upside down, nothing was measured",
    "air-dark": "air is dark: inverted, nothing was measured",
    "planes-swapped": "the low-energy plane was given as the high one: put right",
    "planes-alike": "both planes are the same: no materials",
    "planes-apart": "the low-energy plane is of something else: no materials",
    "three-channels": "three colours alike: one was taken",
    "white-is-zero": "the file says that 0 is white: turned round",
    "eight-bits": "planes of 8 bits: taken for a display picture",
    "signed": "signed numbers: 32,768 was added",
    "scaled": "numbers above 65,535: scaled so that the greatest is 65,535",
    "transmission": "floating point up to 1: taken for transmission",
    "float-counts": "floating point: taken for counts",
    "black-may-be-display": "black may be the display's, and not the load's",
    "full-scale": "scaled as declared",
    "gaps": "some numbers are none: taken for no light",
}
"""Of `ScanFinding.notes`; those that are not here stand as they are."""
_TAKEN = {"composite-only", "no-low-plane"}  # told in the first line

_QUALITY = {
    "picture_columns": "{:.0f} columns",
    "picture_rows": "{:.0f} rows",
    "contrast": "contrast {:.0%}",
    "noise": "noise {:.1%}",
    "clipped": "{:.0%} clipped",
    "air_counts": "air {:.0f} counts",
    "dark_counts": "dark {:.0f} counts",
    "air_noise": "noise {:.1%} of air",
    "dead_rows": "{:.0f} dead rows",
    "hot_rows": "{:.0f} hot rows",
    "missed_lines": "{:.0f} missed lines",
    "saturated": "{:.1%} saturated",
    "unusable": "{:.1%} not usable",
    "edge_mm": "edges {:.0f} mm",
    "penetration_mm": "sees through {:.0f} mm of steel",
}


def table(files: Tried, scan: Detection) -> Iterator[str]:
    """The lines for one `xray.scan`."""
    facts: Mapping[str, Any] = scan.facts
    sure: Mapping[str, float] = facts["sure"]
    said = f" ({files.said})" if files.said else ""
    yield f"{files.names or facts['scan_id']}{said}: {_taken_for(files, facts['notes'])}"
    if files.note:
        yield f"  {files.note}"
    if facts["length_m"] > 0.0:
        yield _row("empty", "yes" if facts["empty"] else "no", sure.get("empty"))
        yield _row("fill", f"{facts['fill']:.0%} of the box, seen from the side", sure.get("fill"))
        yield _row("geometry", _geometry(facts), sure.get("geometry"))
        yield from _regions(facts)
        opaque = f"{facts['unpenetrated']:.1%} of the box too dark to judge"
        yield _row("unpenetrated", opaque, sure.get("unpenetrated"))
        if facts["mass_kg"] is not None:
            mass = f"{facts['mass_kg']:,.0f} kg, give or take {facts['mass_sd_kg']:,.0f} kg"
            yield _row("mass", mass)
    else:
        yield _row("result", "none: neither empty nor loaded")
    told = [
        form.format(facts["quality"][key])
        for key, form in _QUALITY.items()
        if key in facts["quality"]
    ]
    yield from _wrapped("quality", told or ["not measured"])
    assumed = [NOTES.get(one, one) for one in facts["notes"] if one not in _TAKEN]
    yield from (_row("noted" if first == 0 else "", one) for first, one in enumerate(assumed))


def _taken_for(files: Tried, notes: Sequence[str]) -> str:
    what = files.taken_for or "planes of a scan"
    if {"no-air-columns", "no-air-band"} <= set(notes):
        return f"taken for {what}; without air in it no mass and no materials"
    if "composite-only" in notes:
        return f"taken for {what}: no mass and no materials"
    return f"taken for {what}" + (": no materials" if "no-low-plane" in notes else "")


def _geometry(facts: Mapping[str, Any]) -> str:
    where: Mapping[str, float] = facts["geometry"]
    if "box_from_m" not in where:
        return f"no box; {facts['length_m']:.1f} m long"
    feet = where.get("container_ft", 0.0)
    box = f"{feet:.0f} ft box" if feet else "no ISO box"
    if where.get("boxes", 1.0) > 1.0:
        box = f"{where['boxes']:.0f} boxes of 20 ft"
    return (
        f"{box}, {where['box_from_m']:.2f} to {where['box_to_m']:.2f} m from the front, "
        f"{where['deck_m']:.2f} to {where['roof_m']:.2f} m up"
    )


def _regions(facts: Mapping[str, Any]) -> Iterator[str]:
    if not facts["regions"]:
        yield _row(
            "regions",
            "no dense place" if "composite-only" not in facts["notes"] else "not looked for",
        )
    for number, one in enumerate(facts["regions"]):
        share = one["material_share"]
        what = f", {one['material']} ({share:.0%} sure)" if share else ""
        mass = f", {one['mass_kg']:,.0f} kg" if one["mass_kg"] is not None else ""
        place = (
            f"{one['from_m']:.2f} to {one['to_m']:.2f} m from the front, "
            f"{one['bottom_m']:.2f} to {one['top_m']:.2f} m up"
        )
        yield _row("regions" if number == 0 else "", place)
        yield _row("", f"{one['excess_g_cm2']:.0f} g/cm² over its surroundings{what}{mass}")


def _wrapped(label: str, pieces: list[str]) -> Iterator[str]:
    line = ""
    for piece in pieces:
        if line and len(line) + len(piece) + 2 > VALUE:
            yield _row(label, line + ",")
            label, line = "", ""
        line = f"{line}, {piece}" if line else piece
    yield _row(label, line)


def _row(label: str, value: str, sure: float | None = None) -> str:
    told = "" if sure is None else f"{min(sure, MOST_SURE):.0%} sure"
    return f"  {label:<{LABEL}}{value:<{VALUE}}  {told}".rstrip()
