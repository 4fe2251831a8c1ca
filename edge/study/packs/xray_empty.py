"""`xray-empty`: is a box told empty when it is, and not when something is in it.

Empties hold what real ones do: straps, a broom, dunnage, dirt. Beside them boxes with a single
small thing of about 1.5 kg or 1 L at a wall, on the floor or under the roof, with 50 to 500 kg, and
with a whole load. "Found" is: not told empty.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from edge.study.figures import Figure
from edge.study.ground_chart import Row, bars
from edge.study.intervals import proportion
from edge.study.packs import Settings
from edge.study.xray_runs import OTHER_SHARE, Run, how, runs
from simulators.xray_cases import SETTINGS, USUAL, CaseOptions

NUMBER = 2_400
GOAL_HEAVY, GOAL_SMALL, GOAL_FALSE = 0.99, 0.90, 0.005
PLACES = ("floor", "wall", "roof")
# Of every ten seeds: five empty, three with a small thing, a light and a whole load.
TURN = (
    CaseOptions(load="empty"),
    CaseOptions(load="small", mass_kg=1.5, place="floor"),
    CaseOptions(load="empty"),
    CaseOptions(load="small", mass_kg=1.5, place="wall"),
    CaseOptions(load="empty"),
    CaseOptions(load="small", mass_kg=1.5, place="roof"),
    CaseOptions(load="empty"),
    CaseOptions(load="light"),
    CaseOptions(load="empty"),
    CaseOptions(load="loaded"),
)
OTHER = next(name for name, one in SETTINGS.items() if one != USUAL)
"""Another noise, pitch and pair of energies than thresholds were fitted on."""


@dataclass(frozen=True, slots=True)
class Told:
    """One scan."""

    what: str
    place: str
    empty: bool
    nats: float
    reefer: bool


def options_of(seed: int) -> CaseOptions:
    """What a seed draws."""
    return TURN[seed % len(TURN)]


def told(done: Run) -> Told:
    """What was said of a scan, beside what it was."""
    options, truth = done.options, done.truth
    place = options.place if options.load == "small" else ""
    what = "heavy" if options.load in ("light", "loaded") and truth.load_kg >= 50 else options.load
    return Told(what, place, done.finding.empty, done.finding.empty_nats, truth.reefer)


def measure(settings: Settings) -> list[Figure]:
    """Shares found and false, by place, by kind of box and for another scanner; and nats."""
    number = settings.number or NUMBER
    seeds = range(settings.seed, settings.seed + number)
    usual = list(_tell(settings, runs(seeds, options_of)))
    rest = range(seeds.stop, seeds.stop + max(number // OTHER_SHARE, 1))
    other = list(_tell(settings, runs(rest, options_of, setting=OTHER)))
    figures = _figures(usual, how(seeds))
    figures += _figures(other, how(rest, OTHER), f"{OTHER}: ")
    if settings.pictures is not None:
        settings.pictures.mkdir(parents=True, exist_ok=True)
        picture = bars("Loads and empties told right", _rows(usual), line=GOAL_SMALL, most=1.0)
        (settings.pictures / "xray-empty.png").write_bytes(picture)
    return figures


def _tell(settings: Settings, done: Iterable[Run]) -> Iterable[Told]:
    for one in done:
        said = told(one)
        if said.empty != one.truth.empty:
            settings.say(
                f"seed {one.seed}: {said.what} {said.place} told "
                f"{'empty' if said.empty else 'loaded'}, {said.nats:+.1f} nats, "
                f"{one.truth.load_kg:.1f} kg, debris {one.truth.debris_kg:.1f} kg"
                f"{', reefer' if said.reefer else ''}"
            )
        yield said


def _figures(done: list[Told], source: str, before: str = "") -> list[Figure]:
    goals = not before
    empties = [one for one in done if one.what == "empty"]
    figures = []
    for name, chosen, goal in (
        ("loads of 50 kg and more found", "heavy", GOAL_HEAVY),
        ("loads of 1.5 kg found", "small", GOAL_SMALL),
    ):
        mine = [one for one in done if one.what == chosen]
        if mine:
            figures.append(_found(before + name, mine, source, goal if goals else None))
    for place in PLACES:
        mine = [one for one in done if one.what == "small" and one.place == place]
        if mine:
            figures.append(_found(f"{before}1.5 kg found at the {place}", mine, source, None))
    reefers = [one for one in empties if one.reefer]
    if empties:
        figures.append(_false(f"{before}empties told loaded", empties, source, goals))
    if reefers:
        figures.append(_false(f"{before}reefers among them", reefers, source, goal=False))
    return figures + _reliability(done, source, before)


def _found(name: str, done: list[Told], source: str, goal: float | None) -> Figure:
    hits = sum(not one.empty for one in done)
    return Figure(
        name=name,
        value=hits / len(done),
        unit="",
        goal="" if goal is None else f">= {goal:g}",
        reached=None if goal is None else hits / len(done) >= goal,
        how=f"{source}; {hits:,} of {len(done):,}",
        interval=proportion(hits, len(done)),
    )


def _false(name: str, done: list[Told], source: str, goal: bool) -> Figure:
    wrong = sum(not one.empty for one in done)
    return Figure(
        name=name,
        value=wrong / len(done),
        unit="",
        goal=f"<= {GOAL_FALSE:g}" if goal else "",
        reached=wrong / len(done) <= GOAL_FALSE if goal else None,
        how=f"{source}; {wrong:,} of {len(done):,}",
        interval=proportion(wrong, len(done)),
    )


def _reliability(done: list[Told], source: str, before: str) -> list[Figure]:
    """How often a box was empty among those told so with as many nats; half of them are."""
    bins: dict[str, list[Told]] = defaultdict(list)
    for one in done:
        if one.what in ("empty", "small"):
            name = "under -2" if one.nats < -2 else "over 2" if one.nats > 2 else "-2 to 2"
            bins[name].append(one)
    figures = []
    for name in ("under -2", "-2 to 2", "over 2"):
        if mine := bins[name]:
            hits = sum(one.what == "empty" for one in mine)
            figures.append(
                Figure(
                    name=f"{before}empty or 1.5 kg, {name} nats: empty",
                    value=hits / len(mine),
                    unit="",
                    goal="",
                    reached=None,
                    how=f"{source}; {hits:,} of {len(mine):,}",
                    interval=proportion(hits, len(mine)),
                )
            )
    return figures


def _rows(done: list[Told]) -> list[Row]:
    rows = []
    for name, chosen, empty in (
        ("50 kg and more", [one for one in done if one.what == "heavy"], False),
        *(
            (f"1.5 kg at the {place}", [one for one in done if one.place == place], False)
            for place in PLACES
        ),
        ("empties", [one for one in done if one.what == "empty"], True),
    ):
        if chosen:
            hits = sum(one.empty == empty for one in chosen)
            low, high = proportion(hits, len(chosen))
            rows.append(Row(name, hits / len(chosen), low, high, f"{hits} of {len(chosen)}"))
    return rows
