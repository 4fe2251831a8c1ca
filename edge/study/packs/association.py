"""`association`: which vehicle each scan is of, and how sure that is, on simulated traffic.

Beside the alignment stands the plain way: the vehicle that has not been scanned yet and whose time
is nearest to the usual one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

from edge.study.crossings import TOLD_S, VERSION, Mix, Occupancy, Scanned, stream
from edge.study.figures import Figure
from edge.study.intervals import proportion
from edge.study.packs import Settings
from fusion.associate import Lane, Transit
from fusion.association_policy import AssociationPolicy
from fusion.pairing import Pairing
from fusion.types import SECOND_NS, Detection, Fact, Family, LaneSpec, Origin

VEHICLES = 2_000
WINDOW_S = (5.0, 90.0)
MIXES: Mapping[str, Mix] = {
    "far apart": Mix(),
    "a third skips the scanner": Mix(skip_share=0.3),
    "back to back": Mix(close_share=0.5),
    "two lanes share it": Mix(lanes=2, per_h=25.0),
    "all at once": Mix(lanes=2, per_h=25.0, close_share=0.3, skip_share=0.3, overtaking_share=0.02),
}
BINS = ((0.0, 0.6), (0.6, 0.8), (0.8, 0.95), (0.95, 1.01))
START_NS = 1_790_000_000 * SECOND_NS
CHECKED_S = 5.0  # between two looks for what can grow no more


@dataclass(frozen=True, slots=True)
class Paired:
    """What became of one scan."""

    right: bool
    at_once: bool
    """Whether it was right when it was first told."""
    sure: float


def measure(settings: Settings) -> list[Figure]:
    """For each mix of traffic: right pairings, those of the plain way, and whether the
    probabilities hold."""
    vehicles = settings.number or VEHICLES
    figures: list[Figure] = []
    for number, (name, mix) in enumerate(MIXES.items()):
        seed = settings.seed + number
        settings.say(f"association: {name}")
        occupancies, scans = stream(seed, mix, vehicles)
        found = aligned(occupancies, scans, mix.lanes)
        plain = nearest(occupancies, scans)
        how = f"{len(scans):,} scans of {vehicles:,} vehicles on {VERSION}, seed {seed:,}"
        figures += [
            _share(f"{name}: right", [one.right for one in found], how),
            _share(f"{name}: right when first told", [one.at_once for one in found], how),
            _share(f"{name}: right by the nearest time", plain, how),
            *_calibration(name, found, how),
        ]
    return figures


def _share(name: str, hits: Sequence[bool], how: str) -> Figure:
    return Figure(
        name=name,
        value=sum(hits) / max(len(hits), 1),
        unit="",
        goal="",
        reached=None,
        how=how,
        interval=proportion(sum(hits), len(hits)),
    )


def _calibration(name: str, found: Sequence[Paired], how: str) -> list[Figure]:
    """Share of right pairings among those that were so sure, beside how sure they were."""
    figures = []
    for low, high in BINS:
        mine = [one for one in found if low <= one.sure < high]
        if mine:
            mean = sum(one.sure for one in mine) / len(mine)
            title = f"{name}: right of those {low:g} to {min(high, 1.0):g} sure"
            text = f"{len(mine):,} pairings, {mean:.3f} sure in the mean; {how}"
            figures.append(_share(title, [one.right for one in mine], text))
    return figures


# --- the alignment -------------------------------------------------------------------


@dataclass(slots=True)
class _Book:
    """What is told of each scan, first and last."""

    truth: Mapping[str, int]
    vehicles: Mapping[str, tuple[int, ...]]
    first: dict[str, bool] = field(default_factory=dict)
    last: dict[str, Paired] = field(default_factory=dict)

    def note(self, transit: Transit) -> None:
        rows = transit.of("xray.scan")
        for scan, sure in zip(rows, sorted(transit.scans.items()), strict=True):
            name = str(scan.facts["scan_id"])
            here = self.vehicles.get(transit.key, (-1,))
            right = self.truth[name] in here
            self.first.setdefault(name, right)
            self.last[name] = Paired(right, self.first[name], sure[1])


def aligned(occupancies: Sequence[Occupancy], scans: Sequence[Scanned], lanes: int) -> list[Paired]:
    """Every scan, as the lanes' transits have it in the end."""
    policy = AssociationPolicy()
    known = [
        Lane(LaneSpec(lane_id=f"nb-{i}", direction="northbound", scan_offset_s=WINDOW_S), policy)
        for i in range(lanes)
    ]
    pairing = Pairing(known, policy)
    book = _Book(
        {f"{i}": scan.vehicle for i, scan in enumerate(scans)},
        {f"transit/nb-{o.lane}/{_ns(o.start_s)}": o.vehicles for o in occupancies},
    )
    for at_s, what, number in _events(occupancies, scans):
        if what == "scan":
            found = pairing.take([_scan(scans[number], str(number))])
        elif what == "check":
            for lane in known:
                pairing.settle(lane.over(_ns(at_s)))
            continue
        else:
            lane = known[occupancies[number].lane]
            lane.occupancy(_occupancy(occupancies[number], final=what == "left"))
            found = pairing.heed()
        for change in found:
            book.note(change.transit)
    return list(book.last.values())


def _events(
    occupancies: Sequence[Occupancy], scans: Sequence[Scanned]
) -> Iterable[tuple[float, str, int]]:
    """(when it is heard of, what, number), in order of time."""
    events = [(one.start_s, "came", one.number) for one in occupancies]
    events += [(one.end_s, "left", one.number) for one in occupancies]
    events += [(one.end_s + TOLD_S, "scan", number) for number, one in enumerate(scans)]
    heapify(events)
    due_s = CHECKED_S
    while events:
        if events[0][0] > due_s:
            heappush(events, (due_s, "check", 0))
            due_s += CHECKED_S
        yield heappop(events)


def _ns(at_s: float) -> int:
    return START_NS + round(at_s * SECOND_NS)


def _occupancy(one: Occupancy, *, final: bool) -> Detection:
    measured = one.speed_m_s > 0.0
    facts: dict[str, Fact] = {
        "length_m": one.length_m if measured and final else None,
        "speed_m_s": one.speed_m_s if measured and final else None,
    }
    end_s = one.end_s if final else one.start_s
    return _detection("rpm", "portal.occupancy", one.start_s, end_s, facts, final=final)


def _scan(one: Scanned, name: str) -> Detection:
    facts: dict[str, Fact] = {"scan_id": name, "length_m": one.length_m, "notes": ()}
    return _detection("xray", "xray.scan", one.start_s, one.end_s, facts, final=True)


def _detection(
    sensor_id: str,
    kind: str,
    start_s: float,
    end_s: float,
    facts: dict[str, Fact],
    *,
    final: bool,
) -> Detection:
    return Detection(
        sensor_id=sensor_id,
        family=Family.XRAY if sensor_id == "xray" else Family.RADIATION,
        origin=Origin.SIMULATOR,
        kind=kind,
        start_utc_ns=_ns(start_s),
        end_utc_ns=_ns(end_s),
        facts=facts,
        final=final,
    )


# --- the plain way -------------------------------------------------------------------


def nearest(occupancies: Sequence[Occupancy], scans: Sequence[Scanned]) -> list[bool]:
    """Whether each scan is of the waiting vehicle whose time is nearest to the usual one.

    The usual one is a running mean of scans that only one vehicle waited for.
    """
    usual_s: float | None = None
    waiting = list(occupancies)
    right = []
    for scan in scans:
        in_time = [one for one in waiting if _in_window(scan.start_s - one.start_s)]
        if not in_time:
            right.append(scan.vehicle == -1)
            continue
        expected_s = WINDOW_S[0] if usual_s is None else usual_s
        best = min(in_time, key=lambda one: abs(scan.start_s - one.start_s - expected_s))
        waiting.remove(best)
        right.append(scan.vehicle in best.vehicles)
        if len(in_time) == 1:
            offset_s = scan.start_s - best.start_s
            usual_s = offset_s if usual_s is None else 0.8 * usual_s + 0.2 * offset_s
    return right


def _in_window(offset_s: float) -> bool:
    return WINDOW_S[0] <= offset_s <= WINDOW_S[1]
