"""A watched folder as a transport: each complete file set comes as one bundle of bytes.

Polling, because network shares raise no change events. The disk is visited from worker
threads, one visit at a time, so a slow share holds up nobody else.
"""

import asyncio
import math
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from drivers.address import cause_of, unavailable
from drivers.base import SensorConfig
from drivers.dated_folder import DatedFolders
from drivers.dicos_config import XrayDicosConfig
from drivers.dicos_sets import DicosSets
from drivers.document_folder import document_sets, frame_of
from drivers.radiation_n42 import N42Config
from drivers.scan_filing import Ledger, ScanFiling
from drivers.scan_folder import (
    FEW_ENTRIES,
    STABLE_POLLS,
    WORK_DIRECTORY,
    FileSet,
    ScanFolder,
    TakenSet,
)
from drivers.wire import dicos
from drivers.wire.malformed import Malformed
from drivers.xray import XrayPlanesConfig, is_whole, scan_sets

# A scan that says itself when it is whole is read at the second poll that finds it. Looking so
# often takes 4 % of a core; half as often is 10 ms more until the alert in one scan of twenty.
POLL_S = 0.01
AGAIN_S = 0.003  # and the second comes sooner
# One that does not has to stand still for longer than a copier takes from block to block.
STABLE_S = 0.1
STEADY_S = 0.5
# One that is shorter than it says is still being copied: over a poor link in bursts, with pauses
# of seconds. After this its copier has given up.
SHORT_S = 30.0
# Between the first and the last file of one export lie seconds. A set that has stood
# incomplete for a minute will stay so.
STALE_S = 60.0
CANNOT_WRITE = (
    "what was read is remembered there; in an archive that cannot be written set "
    '"leave: true" and "work:" to a folder of its own'
)
RETRY_S = 5.0  # a full disk or a share's hiccup is over within seconds, or lasts for hours

Result = TypeVar("Result")


class Watched(Protocol):
    """A folder, or several."""

    @property
    def fresh(self) -> bool:
        """As of `ScanFolder`."""
        ...

    def poll(self) -> TakenSet | None:
        """As `ScanFolder.poll`."""
        ...

    def settle(self, taken: TakenSet, reason: str) -> None:
        """As `ScanFolder.settle`."""
        ...


class FolderTransport:
    """File sets of a folder, as bundles or as whatever `form` makes of one."""

    def __init__(
        self, folder: Watched, poll_s: float, form: Callable[[bytes], bytes] = bytes
    ) -> None:
        self._folder = folder
        self._poll_s = poll_s
        self._form = form
        self._taken: TakenSet | None = None
        self._visit: asyncio.Future[Any] | None = None
        self._lost = False

    async def read(self) -> bytes:
        """The next bundle; `b""` when the folder cannot be read any more."""
        quick = False
        while not self._lost:
            try:
                self._taken = await self._in_thread(self._folder.poll)
            except OSError:
                self._lost = True
                break
            if self._taken is not None:
                return self._form(self._taken.data)
            # A set that has just come is looked at again soon; then in turn, for what is counted
            # in polls is meant to last.
            quick = self._folder.fresh and not quick
            await asyncio.sleep(AGAIN_S if quick else self._poll_s)
        return b""

    async def settle(self, reason: str) -> None:
        """File the set that was read last."""
        taken, self._taken = self._taken, None
        if taken is not None:
            await self._in_thread(lambda: self._folder.settle(taken, reason))

    async def close(self) -> None:
        """Wait for the visit in hand: what it holds open is closed when it ends."""
        if self._visit is not None:
            await asyncio.wait([self._visit])

    async def _in_thread(self, visit: Callable[[], Result]) -> Result:
        future = asyncio.get_running_loop().run_in_executor(None, visit)
        self._visit = future
        # A cancelled wait does not end the thread, and `close` must still find it.
        return await asyncio.shield(future)


async def open_folder(
    config: SensorConfig, path: str, *, patient: bool, refuse: Callable[[Malformed], None]
) -> FolderTransport:
    """Watch the folder of an X-ray scanner, or of a portal that leaves a document a pass.

    SensorUnavailable when it is not there within `config.timeout_s`, or cannot be written
    below; `patient` waits for it as long as it takes. `refuse` is told, on the loop, of each
    set that is not worth reading.
    """
    loop = asyncio.get_running_loop()
    inbox = Path(path)

    def refuse_on_loop(one: Malformed) -> None:
        loop.call_soon_threadsafe(refuse, one)

    opener = _opener(config, inbox, refuse_on_loop)
    form = frame_of if isinstance(config, N42Config) else bytes
    ends_s = loop.time() + (math.inf if patient else config.timeout_s)
    while True:
        try:
            return FolderTransport(await asyncio.to_thread(opener), POLL_S, form)
        except OSError as error:
            if loop.time() + POLL_S >= ends_s:
                raise unavailable(config, cause_of(error)) from error
        await asyncio.sleep(POLL_S)


def _opener(
    config: SensorConfig, root: Path, refuse: Callable[[Malformed], None]
) -> Callable[[], Watched]:
    planes = config if isinstance(config, XrayPlanesConfig) else None
    whole = _telling_whole(config)

    def one(inbox: Path, filing: ScanFiling | None = None, few: int = FEW_ENTRIES) -> ScanFolder:
        return ScanFolder(
            inbox=inbox,
            work=inbox / WORK_DIRECTORY,
            group=_grouping(config, inbox),
            stale_polls=round(STALE_S / POLL_S),
            retry_polls=round(RETRY_S / POLL_S),
            refuse=refuse,
            stable_polls=round(STABLE_S / POLL_S) if whole is None else STABLE_POLLS,
            whole=whole,
            steady_polls=round(STEADY_S / POLL_S),
            short_polls=round(SHORT_S / POLL_S),
            few_entries=few,
            filing=filing,
        )

    def visit() -> Watched:
        root.stat()  # a share that is not mounted must not be made up as an empty folder
        if planes is None:
            return one(root)
        work = Path(planes.work) / planes.id if planes.work else root / WORK_DIRECTORY
        try:
            filing = ScanFiling(root, work, leave=planes.leave)
        except OSError as error:
            raise OSError(f"{work}: {cause_of(error)}; {CANNOT_WRITE}") from error
        if planes.folders == "flat":
            return one(root, filing)
        ledger = Ledger(work / "ledger.json")

        def day(inbox: Path) -> ScanFolder:
            # A day has hundreds of files that are dealt with.
            return one(inbox, ScanFiling(inbox, work, ledger=ledger, leave=planes.leave), few=0)

        return DatedFolders(root, planes.days, day)

    return visit


def _telling_whole(config: SensorConfig) -> Callable[[str, bytes], bool | None] | None:
    """What tells of a file whether it is all there; None: that it stands still."""
    match config:
        case XrayPlanesConfig():
            return lambda name, data: is_whole(name, data, config)
        case XrayDicosConfig():
            return lambda name, data: dicos.is_whole(data)
        case _:
            return None


def _grouping(config: SensorConfig, inbox: Path) -> Callable[[Collection[str]], Sequence[FileSet]]:
    match config:
        case XrayPlanesConfig():
            return lambda names: scan_sets(names, config)
        case XrayDicosConfig():
            return DicosSets(inbox, config.planes, config.id)
        case N42Config():
            return document_sets
        case _:
            raise ValueError(f"{config.id}: a sensor of this kind is not read from a folder")
