"""Portal records of every kind, one function for each."""

import math
from collections.abc import Callable

import numpy as np

from drivers.wire import n42
from edge.study.spectrum_records import Lane, Random, Record, counts_of, lane, pick
from edge.study.spectrum_scene import Expected, Shelf, point, seconds_of
from edge.study.spectrum_sources import INDUSTRIAL, MEDICAL, NEUTRON, SNM, Known


def clean(random: Random, shelf: Shelf) -> Record:
    """Nothing but a vehicle."""
    return lane(random, shelf).record("clean", [])


def industrial(random: Random, shelf: Shelf) -> Record:
    """One source, bare or shielded."""
    return _one(lane(random, shelf), "industrial", pick(random, INDUSTRIAL), counts_of(random))


def snm(random: Random, shelf: Shelf) -> Record:
    """Special nuclear material, bare or shielded."""
    return _one(lane(random, shelf), "snm", pick(random, SNM), counts_of(random))


def weak(random: Random, shelf: Shelf) -> Record:
    """Of 300 to 1,000 counts in all detectors."""
    one = pick(random, [*INDUSTRIAL, *SNM])
    return _one(lane(random, shelf), "weak", one, counts_of(random, 300, 1000))


def patient(random: Random, shelf: Shelf) -> Record:
    """Somebody after nuclear medicine, at the vehicle's front."""
    return _one(
        lane(random, shelf), "patient", pick(random, MEDICAL), counts_of(random), place=0.15
    )


def weak_patient(random: Random, shelf: Shelf) -> Record:
    """The same long after."""
    one = pick(random, MEDICAL)
    return _one(lane(random, shelf), "weak patient", one, counts_of(random, 300, 1000), place=0.15)


def _one(mine: Lane, what: str, one: Known, net: float, place: float | None = None) -> Record:
    at = float(mine.random.uniform(0.15, 0.85)) if place is None else place
    mine.put(one, net, at)
    return mine.record(what, [mine.expected(one.stem, one.category, one.names, net)])


def norm(random: Random, shelf: Shelf) -> Record:
    """A load of minerals over ten metres."""
    mine = lane(random, shelf)
    mine.length_m = float(random.uniform(14.0, 19.0))
    mine.scene.level = mine.shadow()
    shares = random.dirichlet([1.0, 1.0, 1.0])
    net = counts_of(random, 3000.0, 30_000.0) * math.sqrt(mine.detectors)
    for stem, share in zip(
        ("K40_Shielded", "Ra226_Shielded", "Th232_Shielded"), shares, strict=True
    ):
        known = Known(stem=stem, category="norm", names=frozenset())
        mine.put(known, net * float(share), 0.6, width_m=min(10.0, mine.length_m - 3.0))
    names = frozenset(("K-40", "Ra-226", "Th-232", "Th-228"))
    what = "K {:.2f} Ra {:.2f} Th {:.2f}".format(*shares)
    return mine.record("norm", [mine.expected(what, "norm", names, net)])


def masked(random: Random, shelf: Shelf) -> Record:
    """A source within a load of minerals."""
    mine = lane(random, shelf)
    mine.length_m = float(random.uniform(14.0, 19.0))
    mine.scene.level = mine.shadow()
    one = pick(random, [*INDUSTRIAL, *SNM])
    for stem in ("K40_Shielded", "Ra226_Shielded", "Th232_Shielded"):
        known = Known(stem=stem, category="norm", names=frozenset())
        mine.put(known, counts_of(random, 1000.0, 5000.0), 0.6, width_m=10.0)
    net = counts_of(random, 2000.0, 10_000.0)
    mine.put(one, net, float(random.uniform(0.4, 0.8)))
    return mine.record("masked", [mine.expected(one.stem, one.category, one.names, net)])


def mixture(random: Random, shelf: Shelf) -> Record:
    """Two sources in one place; either name is right, and the graver category."""
    mine = lane(random, shelf)
    threat, other = pick(random, [*INDUSTRIAL, *SNM]), pick(random, [*INDUSTRIAL, *MEDICAL])
    net = counts_of(random, 3000.0, 10_000.0)
    place = float(random.uniform(0.2, 0.8))
    mine.put(threat, net, place)
    mine.put(other, net * float(random.uniform(0.3, 1.0)), place)
    names = threat.names | other.names
    both = f"{threat.stem} + {other.stem}"
    return mine.record("mixture", [mine.expected(both, threat.category, names, net)])


def neutrons(random: Random, shelf: Shelf) -> Record:
    """Californium."""
    mine = lane(random, shelf)
    one, net = NEUTRON[0], counts_of(random, 3000.0, 10_000.0)
    place = float(random.uniform(0.2, 0.8))
    mine.put(one, net, place)
    at, speed = mine.at_s(place), mine.speed_m_s
    passing = point(at, speed)
    mine.scene.neutrons = lambda now_s: 25.0 * passing(now_s)
    expected = mine.expected(one.stem, one.category, one.names, net, neutrons=True)
    return mine.record("neutrons", [expected])


def over_range(random: Random, shelf: Shelf) -> Record:
    """So strong that the middle of the pass is saturated."""
    mine = lane(random, shelf, slice_s=float(random.choice([0.1, 0.2])))
    one = pick(random, [k for k in INDUSTRIAL if "_Unshielded" in k.stem])
    place = float(random.uniform(0.3, 0.7))
    profile = point(mine.at_s(place), mine.speed_m_s)
    mine.scene.add(one.stem, float(random.uniform(60e3, 400e3)), profile, mine.shares)
    mine.scene.saturated = 0.6
    expected = mine.expected(one.stem, one.category, one.names, over_range=True)
    return mine.record("over-range", [expected])


def detuned(random: Random, shelf: Shelf) -> Record:
    """A tube 2 % off, or a scale with a zero and as many channels as others like."""
    mine = lane(random, shelf)
    one, net = pick(random, INDUSTRIAL), counts_of(random)
    if random.uniform() < 0.5:
        mine.scene.gain = 1.0 + float(random.choice([-0.02, 0.02]))
    else:
        channels = int(random.choice([512, 1024, 2048]))
        top = float(random.uniform(2800.0, 3060.0))
        mine.scene.channels = channels
        mine.scene.told = n42.Calibration(coefficients=(-12.0, (top + 12.0) / channels))
    mine.put(one, net, float(random.uniform(0.2, 0.8)))
    return mine.record("detuned", [mine.expected(one.stem, one.category, one.names, net)])


def detuned_clean(random: Random, shelf: Shelf) -> Record:
    """The same with nothing in it."""
    mine = lane(random, shelf)
    mine.scene.gain = 1.0 + float(random.choice([-0.02, 0.02]))
    return mine.record("detuned clean", [])


def damaged(random: Random, shelf: Shelf) -> Record:
    """Slices without live time, a gap, and one without calibration."""
    mine = lane(random, shelf)
    one, net = pick(random, INDUSTRIAL), counts_of(random, 3000.0, 10_000.0)
    mine.put(one, net, float(random.uniform(0.2, 0.8)))
    told = mine.measurements()
    kept = [
        _emptied(each) if random.uniform() < 0.05 else each
        for each in told
        if each.class_code == "Background" or random.uniform() > 0.05
    ]
    record = mine.record("damaged", [mine.expected(one.stem, one.category, one.names, net)])
    return Record(
        what=record.what,
        document=mine.scene.document(kept, "portal"),
        expected=record.expected,
        seconds=record.seconds,
        how=record.how,
    )


def _emptied(one: n42.Measurement) -> n42.Measurement:
    spectra = tuple(
        n42.Spectrum(
            detector=each.detector,
            live_s=0.0,
            counts=np.zeros_like(each.counts),
            calibration=each.calibration,
        )
        for each in one.spectra
    )
    return n42.Measurement(
        class_code=one.class_code,
        start_utc_ns=one.start_utc_ns,
        real_s=one.real_s,
        spectra=spectra,
        gross=one.gross,
        occupied=one.occupied,
    )


def stopping(random: Random, shelf: Shelf) -> Record:
    """A vehicle that stands for a while with its source before the portal."""
    mine = lane(random, shelf)
    one, net = pick(random, INDUSTRIAL), counts_of(random, 3000.0, 10_000.0)
    stand_s, at_s = float(random.uniform(10.0, 30.0)), mine.at_s(0.5)
    moving = point(at_s, mine.speed_m_s)

    def profile(now_s: float) -> float:
        return moving(now_s if now_s < at_s else max(at_s, now_s - stand_s))

    shadow = mine.scene.level
    mine.scene.level = lambda now_s: shadow(now_s if now_s < at_s else max(at_s, now_s - stand_s))
    mine.length_m += stand_s * mine.speed_m_s
    seconds = seconds_of(profile, mine.came_s, mine.end_s)
    mine.scene.add(one.stem, net / seconds / float(mine.shares.sum()), profile, mine.shares)
    return mine.record("stopping", [mine.expected(one.stem, one.category, one.names, net)])


def following(random: Random, shelf: Shelf) -> Record:
    """Two vehicles bumper to bumper: the first is clean, the second is not."""
    mine = lane(random, shelf, background="vacant before", slice_s=0.2)
    one, net = pick(random, INDUSTRIAL), counts_of(random, 3000.0, 10_000.0)
    gap_s = float(random.uniform(1.0, 3.0))
    first_end = mine.end_s
    second_s = first_end + gap_s
    profile = point(second_s + 0.5 * mine.stay_s, mine.speed_m_s)
    seconds = seconds_of(profile, second_s, second_s + mine.stay_s)
    mine.scene.add(one.stem, net / seconds / float(mine.shares.sum()), profile, mine.shares)
    shadow, shift = mine.scene.level, mine.stay_s + gap_s
    mine.scene.level = lambda now_s: shadow(now_s) + shadow(now_s - shift) - 1.0
    told = []
    for number in range(round((second_s + mine.stay_s + 3.0) / mine.slice_s)):
        at_s = number * mine.slice_s
        occupied = mine.came_s <= at_s < first_end or second_s <= at_s < second_s + mine.stay_s
        told.append(mine.scene.slice(at_s, mine.slice_s, occupied=occupied))
    expected = Expected(
        from_s=second_s,
        to_s=second_s + mine.stay_s,
        category=one.category,
        names=one.names,
        what=one.stem,
        net_counts=net,
    )
    return Record(
        what="following",
        document=mine.scene.document(told, "portal"),
        expected=(expected,),
        seconds=second_s + mine.stay_s,
        how=f"gap {gap_s:.1f} s",
    )


Maker = Callable[[Random, Shelf], Record]
PORTAL: tuple[Maker, ...] = (
    clean,
    industrial,
    snm,
    weak,
    patient,
    weak_patient,
    norm,
    masked,
    mixture,
    neutrons,
    over_range,
    detuned,
    detuned_clean,
    damaged,
    stopping,
    following,
)
