"""`ground-classes`: one source in each scene, and what it is called, if it is heard at all.

The class is that of the ended event that overlaps the source's time longest. Each scene is played
without its source, too: an event that is there as well is the site's own and not the source's.
There are as many scenes of each class, on sites and seeds that nothing was fitted on; how many
were heard stands beside.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from edge.study.figures import Figure
from edge.study.ground_chain import Heard, heard
from edge.study.ground_chart import confusion
from edge.study.ground_classes import CLASSES, source
from edge.study.ground_scenes import Scene, batches
from edge.study.packs import Settings
from edge.study.packs.spectra_files import share
from fusion.types import Detection
from simulators.seismic import KINDS

NUMBER = 900
GOAL = 0.90
LATE_S = 5.0  # an event may end so long after its source
VERSION = KINDS[0].version


@dataclass(frozen=True, slots=True)
class Called:
    """One source, and its name."""

    scene: Scene
    name: str | None
    """None: nothing was heard."""


def measure(settings: Settings) -> list[Figure]:
    """Accuracy over the heard, the confusion matrix, and the share heard of each class."""
    number = settings.number or NUMBER
    done = list(run(settings, settings.seed, number))
    told = Counter((one.scene.what, one.name) for one in done if one.name is not None)
    matrix = {(truth, name): count for (truth, name), count in told.items() if name is not None}
    for line in table(matrix):
        settings.say(line)
    how = f"{VERSION}, seeds {settings.seed:,}-{settings.seed + number - 1:,}"
    right = sum(count for (truth, name), count in matrix.items() if truth == name)
    if settings.pictures is not None:
        settings.pictures.mkdir(parents=True, exist_ok=True)
        of = sum(matrix.values())
        picture = confusion(
            "Sources heard by one ground sensor, by class",
            CLASSES,
            matrix,
            f"{right} of {of} right ({right / max(of, 1):.1%}); {how}",
        )
        (settings.pictures / "ground-classes.png").write_bytes(picture)
    figures = []
    if matrix:
        figures.append(share("class right", right, sum(matrix.values()), how, GOAL))
    for name in CLASSES:
        mine = [one for one in done if one.scene.what == name]
        known = [one for one in mine if one.name is not None]
        if known:
            hits = sum(one.name == name for one in known)
            called = Counter(one.name for one in known if one.name != name)
            wrong = ", ".join(f"{what} {count}" for what, count in called.most_common())
            how = f"else {wrong}" if wrong else "no other"
            figures.append(share(f"{name}: class right", hits, len(known), how))
        if mine:
            figures.append(share(f"{name}: heard", len(known), len(mine), _kinds(mine)))
    return figures


def run(settings: Settings, seed: int, number: int) -> Iterator[Called]:
    """Scenes of all classes in turn; what is called wrong is said as it comes."""
    wrong = 0
    for seeds in batches(seed, number):
        scenes = [source(each, CLASSES[each % len(CLASSES)]) for each in seeds]
        alone = heard([replace(one.scenario, movers=()) for one in scenes])
        with_it = heard([one.scenario for one in scenes])
        for scene, said, without in zip(scenes, with_it, alone, strict=True):
            event = longest(scene, said, without)
            name = None if event is None else str(event.facts["class"])
            if name != scene.what:
                wrong += name is not None
                settings.say(f"{name or 'nothing'} for {scene.words()}")
            yield Called(scene, name)
        settings.say(f"{seeds.stop - seed:,} of {number:,}, {wrong} wrong")


def longest(scene: Scene, said: Heard, without: Heard) -> Detection | None:
    """The event of the source that lasted longest while it was about."""

    def overlap_s(event: Detection) -> float:
        start_s = max(said.since_start_s(event.start_utc_ns), scene.from_s)
        return min(said.since_start_s(event.end_utc_ns), scene.to_s + LATE_S) - start_s

    own = (event for event in said.detections if not of_the_site(event, without))
    return max((event for event in own if overlap_s(event) > 0.0), key=overlap_s, default=None)


def of_the_site(event: Detection, without: Heard) -> bool:
    """Whether an event of the same class fills most of the same time where nothing was put."""
    length_ns = event.end_utc_ns - event.start_utc_ns
    return any(
        2 * (min(event.end_utc_ns, one.end_utc_ns) - max(event.start_utc_ns, one.start_utc_ns))
        > length_ns
        for one in without.detections
        if one.facts["class"] == event.facts["class"]
    )


def table(told: dict[tuple[str, str], int]) -> list[str]:
    """The confusion matrix as lines: a row for each class, a column for what it was called."""
    width = max(map(len, CLASSES)) + 1
    lines = ["called:".ljust(width) + "".join(name.rjust(width) for name in CLASSES)]
    totals: dict[str, int] = defaultdict(int)
    for (truth, _), count in told.items():
        totals[truth] += count
    for truth in CLASSES:
        cells = [told.get((truth, name), 0) for name in CLASSES]
        row = "".join((f"{count}" if count else ".").rjust(width) for count in cells)
        lines.append(f"{truth.ljust(width)}{row}{f'of {totals[truth]}'.rjust(width)}")
    return lines


def _kinds(done: list[Called]) -> str:
    kinds: Counter[str] = Counter()
    heard_of: Counter[str] = Counter()
    for one in done:
        kinds[one.scene.detail.split(",")[0]] += 1
        heard_of[one.scene.detail.split(",")[0]] += one.name is not None
    return ", ".join(f"{kind} {heard_of[kind]} of {kinds[kind]}" for kind in sorted(kinds))
