"""`spectra-passes`: N42 records of every kind through `garita replay`, without a configuration."""

import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from drivers.wire import n42
from edge.study.figures import Figure
from edge.study.intervals import proportion
from edge.study.packs import Settings
from edge.study.packs.spectra_files import share
from edge.study.player import Player
from edge.study.replay import days
from edge.study.spectrum_cases import PORTAL, Maker
from edge.study.spectrum_records import Record
from edge.study.spectrum_rides import RIDES
from edge.study.spectrum_scene import START_UTC_NS, Expected, Shelf
from edge.study.spectrum_sources import INNOCENT, THREATS
from fusion.types import SECOND_NS

FOLDER = "nai-2x4x16"
RECORDS = 20  # of each kind
BESIDE_S = 4.0  # a detection this far from what is there is still of it
NEUTRON_SIGMA = 5.0
QUIET = ("background", "norm")
"""Categories that do not ring."""

Told = dict[str, Any]


@dataclass(slots=True)
class Tally:
    """What was found of one kind of record."""

    records: int = 0
    seconds: float = 0.0
    watched: bool = False
    there: int = 0
    detected: int = 0
    category: int = 0
    nuclide: int = 0
    over_range: int = 0
    over_range_there: int = 0
    neutrons: int = 0
    neutrons_there: int = 0
    false: int = 0
    """Detections of a source where there is none."""
    false_norm: int = 0
    false_neutrons: int = 0
    lines: list[str] = field(default_factory=list)
    called: Counter[tuple[str, str]] = field(default_factory=Counter)


def measure(settings: Settings) -> list[Figure]:
    """Detected, rightly called and falsely told, for every kind of record."""
    tallies, released = run(settings, (*PORTAL, *RIDES))
    figures = []
    for what, one in tallies.items():
        figures += _figures(what, one, settings)
    figures.append(
        Figure(
            name="sources called norm, medical or background",
            value=sum(released.values()),
            unit="",
            goal="",
            reached=None,
            how=", ".join(f"{what}: {number}" for what, number in released.items()) or "none",
        )
    )
    return figures


def run(settings: Settings, makers: tuple[Maker, ...]) -> tuple[dict[str, Tally], Counter[str]]:
    """Tallies by kind, and sources of industry or weapons that were let go."""
    shelf = Shelf(settings.folder(FOLDER))
    tallies: dict[str, Tally] = {}
    released: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for place, maker in enumerate(makers):
            tally = tallies.setdefault(maker.__name__.replace("_", "-"), Tally())
            for number in range(settings.number or RECORDS):
                random = np.random.default_rng([settings.seed, place, number])
                record = maker(random, shelf)
                path = Path(folder) / f"rpm-{number}.n42"
                path.write_bytes(n42.write(record.document))
                _judge(record, list(replayed(path)), tally, released, f"#{number}")
            for line in tally.lines:
                settings.say(line)
            settings.say(f"{maker.__name__}: {_short(tally)}")
    return tallies, released


def replayed(path: Path) -> Iterator[Told]:
    """Detections of a file as the command tells them."""
    for day in days([path]):
        for line in Player(day, show="detections").lines():
            one = json.loads(line)
            one["final"] = not one["facts"].get("interim", False)
            for name in ("start", "end"):
                at = datetime.fromisoformat(one[name])
                one[f"{name}_utc_ns"] = round(at.timestamp() * 1000) * 1_000_000
            yield one


def _judge(
    record: Record, told: list[Told], tally: Tally, released: Counter[str], name: str
) -> None:
    tally.records += 1
    tally.seconds += record.seconds
    tally.watched = record.watched
    spectra = [one for one in told if one["kind"] == "gamma.spectrum" and one["final"]]
    used: list[Told] = []
    for expected in record.expected:
        mine = [one for one in spectra if _overlaps(one, expected)]
        used += mine
        neutrons = [one for one in told if _overlaps(one, expected)]
        heard = Heard(expected, mine, neutrons, f"{record.what} {name} {record.how}")
        _judge_one(heard, tally, released)
    for one in told:
        if one["kind"] not in ("gamma.spectrum", "neutron.counts") or one in used:
            continue
        facts = one["facts"]
        if one["kind"] == "neutron.counts":
            if facts.get("significant") and not any(_overlaps(one, e) for e in record.expected):
                tally.false_neutrons += 1
            continue
        if not one["final"] and any(_overlaps(one, e) for e in record.expected):
            continue
        category = facts["category"]
        tally.called["nothing", category] += 1
        if category == "norm":
            tally.false_norm += 1
        if category not in QUIET:
            tally.false += 1
            at_s = (one["start_utc_ns"] - START_UTC_NS) / SECOND_NS
            tally.lines.append(
                f"  FALSE {record.what} {name} {record.how}: at {at_s:.0f} s {category} "
                f"{facts.get('nuclides')} {facts['gamma_sigma']} {one['final']}"
            )


def _overlaps(one: Told, expected: Expected) -> bool:
    from_ns = START_UTC_NS + int((expected.from_s - BESIDE_S) * SECOND_NS)
    to_ns = START_UTC_NS + int((expected.to_s + BESIDE_S) * SECOND_NS)
    return bool(one["start_utc_ns"] <= to_ns and one["end_utc_ns"] >= from_ns)


class Heard(NamedTuple):
    """Something that was there, and what was told meanwhile."""

    expected: Expected
    mine: list[Told]
    """Spectra."""
    around: list[Told]
    name: str


def _judge_one(heard: Heard, tally: Tally, released: Counter[str]) -> None:
    expected, mine, around, name = heard
    tally.there += 1
    sources = [one for one in mine if one["facts"]["category"] != "background"]
    best = max(sources or mine, key=lambda one: one["facts"]["gamma_sigma"], default=None)
    facts: Told = {"category": "background", "nuclides": [], "gamma_sigma": 0}
    if best is not None:
        facts = best["facts"]
    category = facts["category"]
    nuclides = [nuclide for nuclide, _ in facts.get("nuclides", [])]
    tally.detected += category != "background"
    wanted = "over-range" if expected.over_range else expected.category
    right = category == wanted
    named = not expected.names or (bool(nuclides) and nuclides[0] in expected.names)
    tally.category += right
    tally.nuclide += named
    tally.called[wanted, category] += 1
    if expected.over_range:
        tally.over_range_there += 1
        tally.over_range += facts.get("over_range", False) is True
    if expected.neutrons:
        tally.neutrons_there += 1
        tally.neutrons += any(_neutron_sigma(one) >= NEUTRON_SIGMA for one in around)
    if expected.category in THREATS and category in INNOCENT:
        released[tally_name(expected, category)] += 1
    if not (right and named):
        tally.lines.append(
            f"  {name}: {expected.what} net {expected.net_counts:.0f} called {category} "
            f"{facts.get('nuclides')} sigma {facts['gamma_sigma']} "
            f"gross {facts.get('gross_sigma')} supp {facts.get('suppression')}"
        )


def tally_name(expected: Expected, category: str) -> str:
    """For the list of what was let go."""
    return f"{expected.what} as {category}"


def _neutron_sigma(one: Told) -> float:
    return float(one["facts"].get("neutron_sigma") or 0.0)


def _short(one: Tally) -> str:
    text = f"{one.records} records, there {one.there}: detected {one.detected}"
    text += f", category {one.category}, nuclide {one.nuclide}, false {one.false}"
    text += f" ({one.false / max(one.seconds, 1.0) * 3600:.2f}/h), false norm {one.false_norm}"
    if one.over_range_there:
        text += f", over-range {one.over_range}/{one.over_range_there}"
    if one.neutrons_there:
        text += f", neutrons {one.neutrons}/{one.neutrons_there}"
    return f"{text}, false neutrons {one.false_neutrons}; {dict(one.called)}"


def _figures(what: str, one: Tally, settings: Settings) -> list[Figure]:
    how = f"{one.records} records, seed {settings.seed:,}"
    figures = []
    for name, hits, of in (
        ("detected", one.detected, one.there),
        ("category", one.category, one.there),
        ("nuclide", one.nuclide, one.there),
        ("over-range told", one.over_range, one.over_range_there),
        ("neutrons told", one.neutrons, one.neutrons_there),
    ):
        if of:
            called = ", ".join(
                f"{truth} as {said}: {n}" for (truth, said), n in sorted(one.called.items())
            )
            figures.append(
                share(
                    f"{what}: {name}", hits, of, f"{how}; {called}" if name == "category" else how
                )
            )
    if one.there == 0 or one.watched:
        hours = one.seconds / 3600
        low, high = (
            each * one.records for each in proportion(min(one.false, one.records), one.records)
        )
        figures.append(
            Figure(
                name=f"{what}: false sources",
                value=float(one.false),
                unit="",
                goal="0",
                reached=one.false == 0,
                how=f"{how}; {hours:.2f} h, {one.false / hours:.2f} an hour; {one.false_norm} norm",
                interval=(low, high),
            )
        )
    return figures
