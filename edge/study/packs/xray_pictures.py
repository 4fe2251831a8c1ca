"""`xray-pictures`: single display pictures as customs systems keep them, nothing known of them.

Simulated scans, displayed, resampled, framed, written on, turned, inverted and packed as JPEG by
`edge.study.xray_pictures`, go through the driver and the analysis as `garita replay PICTURE` takes
them: no pitch, no papers, no sidecar. Half of the boxes are empty; of the loads a quarter has 50
to 500 kg. How sure each result says to be is held against how often it is right.

A harder set follows (`edge.study.xray_pictures_hard`): viewers' frames and colours, every filter,
pixels twice as high as wide, parts of boxes, two lorries; and pictures that show no cargo.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from drivers.wire.malformed import Malformed
from drivers.xray import XrayPlanesConfig, XrayPlanesDriver
from drivers.xray_files import DEFAULT_PATTERNS, bundles_of
from edge.study.figures import Figure, percentile, plain
from edge.study.packs import Settings
from edge.study.packs.spectra_files import share
from edge.study.xray_pictures import Truth, picture
from edge.study.xray_pictures_hard import WAYS, HardTruth, hard_picture
from edge.study.xray_pictures_other import KINDS as OTHER_KINDS
from edge.study.xray_pictures_other import other_picture
from fusion.types import Origin, ScanFinding, ScanSample
from fusion.xray import XrayPolicy, analyse
from simulators.xray import KINDS

NUMBER = 600
GOAL = 0.95  # facts 2.1: networks trained on 20,845 real pictures reach an F1 of 0.954 to 0.963
HEAVY_KG = 1_000.0
NEAR = 0.1  # of the box's height
HARD_GOAL = 0.97
TOLD = 0.65  # how sure a picture says to be that is told empty or loaded at all
OTHER_SHARE = 4  # of as many cargo pictures one of something else
SURE = ((0.5, 0.75), (0.75, 0.9), (0.9, 1.01))
VERSION = KINDS[0].version


@dataclass(frozen=True, slots=True)
class Looked:
    """One picture and what was said of it."""

    truth: Truth
    finding: ScanFinding
    off: float
    """Largest error of the box's front, rear and roof, in heights of the box; 9: no box."""

    @property
    def right(self) -> bool:
        """Whether empty was told empty, and loaded loaded."""
        return self.finding.empty == self.truth.empty

    def sure(self, of: str) -> float:
        """How sure a result says to be."""
        return dict(self.finding.sure).get(of, 0.0)


def measure(settings: Settings) -> list[Figure]:
    """Shares told right, by load and by picture; errors of the outline; what `sure` is worth."""
    number = settings.number or NUMBER
    done = []
    for one in looked(settings.seed, number):
        done.append(one)
        if len(done) % 100 == 0:
            settings.say(f"xray-pictures: {len(done)} of {number}")
    empties = [one for one in done if one.truth.empty]
    heavy = [one for one in done if one.truth.load_kg >= HEAVY_KG]
    light = [one for one in done if not one.truth.empty and one.truth.load_kg < HEAVY_KG]
    how = f"xray-planes {VERSION}, seeds {settings.seed:,}-{settings.seed + number - 1:,}"
    figures = [
        _right("empty boxes told empty", empties, how, GOAL),
        _right("loads of 1 t and more told loaded", heavy, how, GOAL),
        _right("loads of less told loaded", light, f"{how}, most of 50 to 500 kg"),
        *(_right(name, [one for one in done if of(one.truth)], how) for name, of in GROUPS.items()),
    ]
    boxed = [one.off <= NEAR for one in done]
    figures.append(
        share("box's ends and roof within a tenth of its height", sum(boxed), number, how)
    )
    feet = [dict(one.finding.geometry).get("container_ft") == one.truth.length_ft for one in done]
    figures.append(share("20, 40 or 45 ft told right", sum(feet), number, f"{how}, no pitch given"))
    pitches = [_pitch_error(one) for one in done]
    figures.append(plain("error of the pitch, median", 100 * percentile(pitches, 0.5), "%", ""))
    filled = [abs(one.finding.fill - one.truth.fill) for one in done if not one.truth.empty]
    figures.append(plain("error of the fill, median", percentile(filled, 0.5), "", "of loads"))
    for low, high in SURE:
        some = [one for one in done if low <= one.sure("empty") < high]
        told = f"told with {low:g} to {min(high, 1.0):g}"
        figures += [_right(f"empty or loaded right, {told}", some, how)] if some else []
        outlines = [one.off <= NEAR for one in done if low <= one.sure("geometry") < high]
        if outlines:
            figures.append(share(f"box right, {told}", sum(outlines), len(outlines), how))
    return [*figures, *_harder(settings, number), *_others(settings, number)]


def _harder(settings: Settings, number: int) -> list[Figure]:
    """The same of the harder set, by what was done to a picture."""
    done: list[tuple[HardTruth, ScanFinding]] = []
    first, policy = settings.seed, XrayPolicy()
    for count in range(number):
        data, truth = hard_picture(first + count // WAYS, count % WAYS)
        done.append((truth, analysed(f"hard-{count}", data, policy)))
        if len(done) % 100 == 0:
            settings.say(f"xray-pictures: {len(done)} of {number} harder")
    how = f"harder, seeds {first:,}-{first + (number - 1) // WAYS:,}"
    told = [one for one in done if _sure(one[1]) >= TOLD]
    figures = [
        _told("harder: empty or loaded right", done, how),
        share(f"harder: told, {TOLD:g} sure or more", len(told), len(done), how),
        _told("harder: right where told", told, how, HARD_GOAL),
    ]
    for low, high in SURE:
        some = [one for one in done if low <= _sure(one[1]) < high]
        name = f"harder: right, told with {low:g} to {min(high, 1.0):g}"
        figures += [_told(name, some, how)] if some else []
    for name in sorted({name for truth, _ in done for name in truth.done}):
        figures.append(_told(f"harder: {name}", [one for one in done if name in one[0].done], how))
    for feet in (20, 40, 45):
        some = [one for one in done if one[0].length_ft == feet]
        right = sum(dict(one[1].geometry).get("container_ft") == feet for one in some)
        figures += [share(f"harder: {feet} ft told right", right, len(some), how)] if some else []
    return figures


def _others(settings: Settings, number: int) -> list[Figure]:
    """How often something is claimed of what shows no cargo."""
    some = max(number // OTHER_SHARE, len(OTHER_KINDS))
    sures = []
    for seed in range(settings.seed, settings.seed + some):
        data, _ = other_picture(seed)
        sures.append(_sure(analysed(f"other-{seed}", data, XrayPolicy())))
    how = f"noise, pages, screens, drawn photographs, seeds from {settings.seed:,}"
    return [
        share(
            f"no cargo, told with {least:g} or more", sum(one >= least for one in sures), some, how
        )
        for least in (TOLD, 0.9)
    ]


def _sure(finding: ScanFinding) -> float:
    return dict(finding.sure).get("empty", 0.0)


def _told(
    name: str, some: list[tuple[HardTruth, ScanFinding]], how: str, goal: float | None = None
) -> Figure:
    right = sum(finding.empty == truth.empty for truth, finding in some)
    return share(name, right, len(some), how, goal)


GROUPS: dict[str, Callable[[Truth], bool]] = {
    "whole trucks": lambda truth: truth.whole,
    "boxes alone": lambda truth: not truth.whole,
    "less than 800 columns": lambda truth: truth.columns < 800,
    "JPEG quality below 60": lambda truth: truth.quality < 60,
    "inverted": lambda truth: truth.inverted,
    "histogram evened out": lambda truth: truth.curve == "equalised",
    "with text": lambda truth: truth.text > 0,
    "coloured": lambda truth: truth.colour in {"warm", "bone"},
}


def looked(first: int, number: int) -> Iterator[Looked]:
    """The pictures of these seeds, each through a driver of its own."""
    policy = XrayPolicy()
    for seed in range(first, first + number):
        data, truth = picture(seed)
        finding = analysed(f"picture-{seed}", data, policy)
        yield Looked(truth, finding, _off(truth, finding))


def analysed(name: str, data: bytes, policy: XrayPolicy) -> ScanFinding:
    """What is found in a JPEG of which nothing else is known, through a driver of its own."""
    config = XrayPlanesConfig(id="pictures", url="folder:.", lane="lane-1")
    (bundle,) = bundles_of({f"{name}.jpg": data}, DEFAULT_PATTERNS, "auto")
    (scan,) = XrayPlanesDriver(config, Origin.REPLAY).feed(bundle, 0)
    if isinstance(scan, Malformed) or not isinstance(scan, ScanSample):
        raise TypeError(f"{name}: {scan}")
    return analyse(scan, policy)


def _off(truth: Truth, finding: ScanFinding) -> float:
    places, record = dict(finding.geometry), finding.record
    if record is None or places.get("box_to_m", 0.0) <= 0.0:
        return 9.0
    left, top, right, bottom = truth.box
    errors = (
        record.front_column + places["box_from_m"] * 1000.0 / record.pitch_x_mm - left,
        record.front_column + places["box_to_m"] * 1000.0 / record.pitch_x_mm - right,
        record.bottom_row - places["roof_m"] * 1000.0 / record.pitch_y_mm - top,
    )
    return max(map(abs, errors)) / (bottom - top)


def _pitch_error(one: Looked) -> float:
    pitch_mm = dict(one.finding.geometry).get("pitch_x_mm", 0.0)
    return abs(pitch_mm / one.truth.pitch_mm - 1.0)


def _right(name: str, some: list[Looked], how: str, goal: float | None = None) -> Figure:
    return share(name, sum(one.right for one in some), len(some), how, goal)
