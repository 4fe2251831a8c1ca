"""`quiet-day`, `busy-day`, `smuggling`, `footpaths`, `adversary`: hours of the crossing.

Every hour is simulated and perceived once and fused in many ways. A figure rests on the simulator's
version, the seeds and the number of hours or threats that it names; threats come more often than in
the field, and what depends on how often they come says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from edge.study.figures import Figure
from edge.study.fusion_beside import against_rules, against_sensors, all_curves, beside
from edge.study.fusion_chart import Panel, Point, det_chart
from edge.study.fusion_curves import Curve
from edge.study.fusion_holds import alerts_hold, calibration
from edge.study.fusion_hours import Hour, orders, played, seeds_of
from edge.study.fusion_measures import ADVISORY, WARNING, Tally, share, tally
from edge.study.fusion_systems import GARITA, systems
from edge.study.fusion_tables import (
    WAYS,
    Goals,
    detection,
    held,
    operator,
    precision,
    proportion_of,
    waits,
)
from edge.study.packs import Settings
from fusion.policy import Policy
from simulators.catalog import KINDS
from simulators.crossing_days import Options
from simulators.traffic import HOUR_S

SHIELDED, SHIELDED_FOUND, ALONE = "shielded-source", 0.90, 0.5
ALONE_WAYS = ("portals alone", "scanners alone")
DRAWN = {"radiation": 61 / 3482, "cargo": 40 / 707}
"""Of the vehicles, and of the scanned loads that hide no source, of `busy-day`'s seeds 100,000 to
100,011 with 24 threats an hour: none that is evaluated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """What is played, how long, and what it is held to."""

    day: str
    hours: int
    options: Options = field(default_factory=Options)
    goals: Goals = field(default_factory=Goals)
    all_ways: int | None = None
    """Hours that are fused in all ways; None: all of them."""
    title: str = ""


PACKS: dict[str, Pack] = {
    "quiet-day": Pack(
        day="quiet-day",
        hours=6,
        goals=Goals(budget_at=0.0),
        all_ways=2,
        title="A quiet night at the crossing",
    ),
    "busy-day": Pack(
        day="busy-day",
        hours=4,
        all_ways=2,
        options=Options(threats_per_hour=24.0),
        goals=Goals(found=True, budget_at=4.0, precise=True, fewer=True, drawn=DRAWN),
        title="Busy hours at the crossing",
    ),
    "smuggling": Pack(
        day="smuggling",
        hours=4,
        all_ways=2,
        options=Options(threats_per_hour=40.0),
        goals=Goals(found=True),
        title="Smuggling through the lanes",
    ),
    "footpaths": Pack(
        day="footpaths",
        hours=4,
        all_ways=1,
        goals=Goals(found=True),
        title="On foot and off the lanes, at two fences",
    ),
    "sensor-trouble": Pack(
        day="sensor-trouble",
        hours=3,
        all_ways=1,
        title="Sensors that fail",
    ),
    "adversary": Pack(
        day="adversary",
        hours=4,
        all_ways=2,
        title="Who knows how it works",
    ),
}


def measure_quiet(settings: Settings) -> list[Figure]:
    """Lawful traffic at night."""
    return measured(PACKS["quiet-day"], settings)


def measure_busy(settings: Settings) -> list[Figure]:
    """Everything at once."""
    return measured(PACKS["busy-day"], settings)


def measure_smuggling(settings: Settings) -> list[Figure]:
    """Sources and contraband in the lanes."""
    pack = PACKS["smuggling"]
    hours = hours_of(pack, settings)
    return [*figures(pack, hours, settings), *shielded(hours)]


def measure_footpaths(settings: Settings) -> list[Figure]:
    """Two lines of ground sensors."""
    return measured(PACKS["footpaths"], settings)


def measure_adversary(settings: Settings) -> list[Figure]:
    """Shields, splits, decoys, jamming, timing between scans."""
    return measured(PACKS["adversary"], settings)


def measured(pack: Pack, settings: Settings) -> list[Figure]:
    """All figures of a pack."""
    return figures(pack, hours_of(pack, settings), settings)


def hours_of(pack: Pack, settings: Settings) -> list[Hour]:
    """Play them, with the report's seeds where none were asked for."""
    number = settings.number or pack.hours
    ways = [system.name for system in systems()[1:]]
    asked = orders(
        pack.day, settings.crossing_seed, number, pack.options, ways, ways_of=pack.all_ways
    )
    return played(asked, settings.say)


def figures(pack: Pack, hours: Sequence[Hour], settings: Settings) -> list[Figure]:
    """The table of a pack."""
    mine = tally(hours, GARITA)
    rests = rests_on(hours)
    settings.say(f"{pack.day}: {rests}")
    found = [
        *detection(mine, pack.goals, rests),
        *operator(mine, pack.goals, rests),
        *precision(mine, pack.goals),
        *waits(mine),
        *calibration(hours, pack.goals, Policy().scoring),
        *alerts_hold(mine),
        *beside(hours, [system.name for system in systems()[1:]]),
    ]
    if mine.outcomes:
        found += against_sensors(hours, pack.goals)
        found += against_rules(hours, all_curves(hours))
        _draw(pack, hours, settings)
    return found


def rests_on(hours: Sequence[Hour]) -> str:
    """On what."""
    total_h = sum(one.duration_s for one in hours) / HOUR_S
    vehicles = sum(one.passages for one in hours)
    seeds = seeds_of([one.order for one in hours])
    kinds = ("rpm-tsa", "xray-planes", "shake-udp")
    versions = ", ".join(f"{kind} {KINDS[kind].version}" for kind in kinds)
    return f"simulators {versions}; {seeds}; {total_h:.3g} h, {vehicles:,} vehicles"


def shielded(hours: Sequence[Hour]) -> list[Figure]:
    """A shielded source, told by both sensors together and by either alone, as whatever."""
    figures_ = []
    for way in (GARITA, *ALONE_WAYS):
        shared = [one for one in hours if way in one.ways]
        rows = [one for one in tally(shared, way).outcomes if one.of.name == SHIELDED]
        if not rows:
            continue
        ours = way == GARITA
        hits = sum((one.level if ours else one.any_level) >= WARNING for one in rows)
        words = "told as a source" if ours else "told as whatever"
        one = proportion_of(f"shielded source, {way}", hits, len(rows), words)
        value = hits / len(rows)
        if ours:
            one = held(one, f">= {SHIELDED_FOUND:g}", value >= SHIELDED_FOUND)
        else:
            one = held(one, f"<= {ALONE:g}", value <= ALONE)
        figures_.append(one)
    return figures_


def _draw(pack: Pack, hours: Sequence[Hour], settings: Settings) -> None:
    if settings.pictures is None:
        return
    panels = []
    for direction in WAYS:
        curves = all_curves([one.going(direction) for one in hours])
        if curves[0].threats:
            points = _points(tally(hours, GARITA).going(direction), curves[0])
            panels.append(Panel(direction, curves, points))
    if not panels:
        return
    settings.pictures.mkdir(parents=True, exist_ok=True)
    path = settings.pictures / f"{pack.day}-det.png"
    path.write_bytes(det_chart(pack.title, rests_on(hours), panels))
    settings.say(f"picture: {path}")


def _points(mine: Tally, garita: Curve) -> list[Point]:
    """Where Garita's alerts are: at level 2 and at level 3."""
    return [
        Point(
            f"level {level}",
            sum(mine.nuisances(level).values()) / max(1, garita.lawful),
            1.0 - share(*mine.found(level))[0],
        )
        for level in (ADVISORY, WARNING)
    ]
