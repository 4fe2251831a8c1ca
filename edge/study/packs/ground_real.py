"""`ground-real`: recordings of real ground that come with obspy, through the replay.

Two of them are an hour of noise each: whoever is told of in these is a false one. What comes of
the other recordings is listed. obspy is installed with the tests' packages.
"""

import importlib.util
from collections import Counter
from pathlib import Path

from edge.study.day import ReplayError
from edge.study.figures import Figure, plain
from edge.study.ground_chain import ON_FOOT, RINGS
from edge.study.ground_replay import Replayed, replayed
from edge.study.intervals import events
from edge.study.packs import PackError, Settings

NOISE = ("signal/tests/data/ref_STS2", "signal/tests/data/ref_unknown")
"""Two instruments side by side, an hour each at 200 Hz (facts/seismic.md 6)."""
GOAL = 2
OTHERS = (
    "signal/tests/data/timingquality.mseed",
    "io/mseed/tests/data/gaps.mseed",
    "io/mseed/tests/data/1T_MONN_00_EDH.mseed",
    "io/seisan/tests/data/2005-07-23-1452-04S.CER___030.mseed",
    "io/seisan/tests/data/2011-09-06-1311-36S.A1032_001BH_Z.mseed",
    "io/seisan/tests/data/D1360930.203.mseed",
    "io/reftek/tests/data/2015282_225051_0ae4c_1_1.msd",
)
"""What is long enough for a detector to settle, and at 50 Hz or more."""


def measure(settings: Settings) -> list[Figure]:
    """Person alerts in the two hours of noise, and what is told of the rest."""
    folder = obspy_folder()
    hours = [_replayed(folder / name, settings) for name in NOISE]
    rest = [_replayed(folder / name, settings) for name in OTHERS if (folder / name).is_file()]
    total = sum(one.ringing(ON_FOOT) for one in hours)
    noise = Figure(
        name="person alerts in two hours of real noise",
        value=float(total),
        unit="",
        goal=f"<= {GOAL}",
        reached=total <= GOAL,
        how="; ".join(_words(one) for one in hours),
        interval=events(total),
    )
    others = sum(one.ringing(ON_FOOT) for one in rest)
    words = "; ".join(_words(one) for one in rest)
    return [noise, plain("person alerts in other recordings", others, "", words)]


def obspy_folder() -> Path:
    """Where obspy is installed. PackError where it is not."""
    spec = importlib.util.find_spec("obspy")
    if spec is None or spec.origin is None:
        raise PackError("needs the recordings that come with obspy: pip install obspy")
    return Path(spec.origin).parent


def _replayed(path: Path, settings: Settings) -> Replayed:
    try:
        one = replayed(path)
    except (ReplayError, OSError) as error:
        raise PackError(str(error)) from error
    settings.say(_words(one))
    return one


def _words(one: Replayed) -> str:
    """Every alert of a recording that rings, and the ended events by class."""
    ringing = Counter(
        alert["event"] for alert in one.last_of_each_alert() if alert["level"] >= RINGS
    )
    classes = Counter(str(event["facts"]["class"]) for event in one.ended)
    told = ", ".join(f"{what} {count}" for what, count in sorted(ringing.items())) or "no alert"
    heard = ", ".join(f"{what} {count}" for what, count in sorted(classes.items())) or "none"
    return f"{one.path.name}: {told}; events: {heard}"
