"""Mutated X-ray scans: files of every form, DICOS, line streams; what is said of each, and how long
it takes.

Every case goes through a driver, and what comes out as a scan through the whole analysis. Some go
through a watched folder as well, where each must be filed: as done, or with its reason. Last comes
a receiver for the network, beside whose attackers an honest sender must always be heard.
"""

import asyncio
import importlib.util
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from drivers.dicos_config import XrayDicosConfig
from drivers.dicos_unpacking import end_child
from drivers.scan_folder import ScanFolder
from drivers.wire import bundle
from drivers.wire.malformed import Malformed
from drivers.xray import XrayPlanesConfig, XrayPlanesDriver, scan_sets
from drivers.xray_dicos import XrayDicosDriver
from drivers.xray_lines import XrayLinesConfig, XrayLinesDriver
from edge.sensors.scans import Measuring
from edge.study.figures import Figure, Options, at_least, at_most, plain
from edge.study.xray_harm import harmed
from edge.study.xray_hostile_scans import (
    RAW_HEADER_BYTES,
    Files,
    dicos_scans,
    line_stream,
    packed_scans,
    plane_scans,
    truck_planes,
)
from edge.study.xray_hostile_station import attacked
from fusion.scans.policy import XrayPolicy
from fusion.types import Origin, Sample, ScanFinding

CASES = {"planes": 6000, "dicos": 3000, "dicos.packed": 1000, "lines": 2000}
FOLDER_CASES = 300
PEER_CASES = 300
SLOWEST_S = 1.0
RECEIVED_UTC_NS = 1_800_000_100_000_000_000
CUT = b""

Outcome = list[Sample | Malformed]
Read = Callable[[Files], Outcome]


def run(options: Options) -> list[Figure]:
    """Figures of every form."""
    attack = Attack(options.seed)
    figures: list[Figure] = []
    try:
        for name in attack.names:
            cases = CASES[name]
            options.say(f"xray-hostile: {cases:,} mutated scans, {name}")
            figures += attack.run(name, cases)
        options.say(f"xray-hostile: {FOLDER_CASES:,} of them through a watched folder")
        figures += attack.through_folder(FOLDER_CASES)
        if importlib.util.find_spec("pynetdicom"):
            options.say(f"xray-hostile: a C-STORE receiver, {PEER_CASES:,} mutated senders")
            high, _ = truck_planes(options.seed)
            figures += asyncio.run(attacked(high, options.seed, PEER_CASES))
    finally:
        end_child()
    return figures


@dataclass(slots=True)
class _Tally:
    reasons: Counter[str] = field(default_factory=Counter)
    raised: Counter[str] = field(default_factory=Counter)
    unaccounted: int = 0
    read: int = 0
    cleared: int = 0
    slowest_s: float = 0.0


class Attack:
    """Clean scans of every form, and what is done to them."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        high, low = truck_planes(seed)
        self._measuring = Measuring(XrayPolicy())
        self._clean = {
            "planes": plane_scans(high, low),
            "dicos": dicos_scans(high, low),
            "lines": [{"lines": line_stream(seed)}],
        }
        if importlib.util.find_spec("gdcm"):
            self._clean["dicos.packed"] = packed_scans(high)
        self._reads: Mapping[str, Read] = {
            "planes": self._planes,
            "dicos": self._dicos,
            "dicos.packed": self._dicos,
            "lines": self._lines,
        }
        for name, scans in self._clean.items():  # compiled, loaded, and right to begin with
            for files in scans:
                found = self._reads[name](files)
                assert any(not isinstance(one, Malformed) for one in found), (name, found)

    @property
    def names(self) -> list[str]:
        """What there is to harm."""
        return list(self._clean)

    def run(self, name: str, cases: int) -> list[Figure]:
        """One mutated scan after the other; each is read, or a reason is given."""
        tally = _Tally()
        for _ in range(cases):
            self._one(name, self.harmed(name), tally)
        name = f"xray.{name}"
        how, raised = f"{cases:,} mutated scans, seeded; driver and analysis", tally.raised
        return [
            at_least(f"{name}.cases", cases, cases, "", how),
            at_most(f"{name}.exceptions", raised.total(), 0, "", " ".join(raised) or how),
            at_most(f"{name}.slowest", tally.slowest_s * 1e3, SLOWEST_S * 1e3, "ms", "one case"),
            at_most(f"{name}.unaccounted", tally.unaccounted, 0, "", "neither scan nor reason"),
            at_most(f"{name}.cleared", tally.cleared, 0, "", "broken off, and called empty"),
            plain(f"{name}.read", tally.read, "", "still a scan"),
            *(
                plain(f"{name}.{reason}", count, "", "told")
                for reason, count in sorted(tally.reasons.items())
            ),
        ]

    def harmed(self, name: str) -> Files:
        """A clean scan with harm done to it."""
        return harmed(self._random.choice(self._clean[name]), self._random)

    def through_folder(self, cases: int) -> list[Figure]:
        """The same through a watched folder: every set must end up filed, with its reason."""
        lost = told = 0
        with tempfile.TemporaryDirectory() as place:
            inbox = Path(place)
            config = XrayPlanesConfig(id="xray", lane="lane-1", url=f"folder:{inbox}")
            refused: list[Malformed] = []
            folder = ScanFolder(
                inbox=inbox,
                work=inbox / ".garita",
                group=lambda names: scan_sets(names, config),
                stale_polls=3,
                retry_polls=1,
                refuse=refused.append,
            )
            for _ in range(cases):
                files = self.harmed("planes")
                for name, content in files.items():
                    (inbox / name).write_bytes(content)
                for _ in range(8):
                    taken = folder.poll()
                    if taken is not None:
                        found = self._driven(XrayPlanesDriver(config, Origin.SIMULATOR), taken.data)
                        bad = [one.reason for one in found if isinstance(one, Malformed)]
                        folder.settle(taken, bad[0] if bad and len(bad) == len(found) else "")
                left = [path for path in inbox.iterdir() if path.name != ".garita"]
                lost += bool(left)
                for path in left:
                    path.unlink()
            quarantine = list((inbox / ".garita" / "quarantine").iterdir())
            told = sum((path / "reason.txt").is_file() for path in quarantine)
        how = f"{cases:,} mutated scans through a watched folder"
        return [
            at_most("xray.folder.lost", lost, 0, "", f"{how}; neither done nor quarantined"),
            at_most("xray.folder.untold", len(quarantine) - told, 0, "", "without a reason beside"),
            plain("xray.folder.quarantined", len(quarantine), "", "of the latest 200"),
        ]

    def _one(self, name: str, files: Files, tally: _Tally) -> None:
        began = time.perf_counter()
        try:
            found = self._reads[name](files)
        except Exception as error:  # noqa: BLE001 - the very thing that is counted here
            tally.raised[type(error).__name__] += 1
            return
        tally.slowest_s = max(tally.slowest_s, time.perf_counter() - began)
        bad = [one.reason for one in found if isinstance(one, Malformed)]
        tally.reasons.update(bad)
        tally.read += len(bad) < len(found)
        tally.unaccounted += not found
        scans = [one for one in found if isinstance(one, ScanFinding)]
        tally.cleared += any(one.partial and one.empty for one in scans)

    def _planes(self, files: Files) -> Outcome:
        config = XrayPlanesConfig(
            id="xray",
            lane="lane-1",
            url="folder:.",
            raw_header_bytes=RAW_HEADER_BYTES,
            raw_width_at=0,
            raw_height_at=4,
            raw_bits_at=8,
        )
        return self._driven(XrayPlanesDriver(config, Origin.SIMULATOR), bundle.encode(files))

    def _dicos(self, files: Files) -> Outcome:
        config = XrayDicosConfig(id="xray", lane="lane-1", url="folder:.")
        return self._driven(XrayDicosDriver(config, Origin.SIMULATOR), bundle.encode(files))

    def _lines(self, files: Files) -> Outcome:
        config = XrayLinesConfig(id="xray", lane="lane-1", url="tcp://127.0.0.1:1")
        driver = XrayLinesDriver(config, Origin.SIMULATOR)
        # A stream has no end of its own: a cut, and then the time-out of a scan that broke off.
        later_ns = RECEIVED_UTC_NS + 600_000_000_000
        return [
            *self._driven(driver, files["lines"] + b"\0"),
            *self._driven(driver, CUT),
            *self._measuring(lambda: driver.feed(CUT, later_ns)),
        ]

    def _driven(
        self, driver: XrayPlanesDriver | XrayDicosDriver | XrayLinesDriver, data: bytes
    ) -> Outcome:
        return self._measuring(lambda: driver.feed(data, RECEIVED_UTC_NS))
