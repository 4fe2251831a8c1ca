"""What can be wrong with a checkpoint for hours: disk, clock, certificates, key, a broker's rules.

Each harm is done to the whole service while alerts flow, told in words, undone, and has to be over
without anybody's help. What was committed meanwhile must be with both centres at the end.
"""

import contextlib
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from edge.record.record import RECORD_FILE
from edge.study.fault_check import Bystander, Found, check, files_of, truth_of
from edge.study.harm_site import SIDES, SITE, HarmSite
from edge.study.victims import read_rows

TOLD_S = 60.0
OVER_S = 120.0
LASTS_S = 6.0
CLOCK_S = 40.0  # a step is watched for 10 s before it is followed
DAY_S = 86_400
DISK_MB = 48
CHUNK = bytes(65_536)


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm:
    """One of them."""

    name: str
    do: Callable[[HarmSite], None]
    undo: Callable[[HarmSite], None]
    says: tuple[str, ...]
    """What a person is told: all of these stand in one line of it."""
    lasts_s: float = LASTS_S
    dead: bool = False
    """The service does not run meanwhile: it says why with its last words."""

    def told(self, site: HarmSite) -> str:
        """The line that tells it; `""` while there is none."""
        lines = [site.last_words()] if self.dead else site.told()
        return next((one for one in lines if all(part in one for part in self.says)), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Suffered:
    """What came of a harm."""

    name: str
    told_after_s: float | None
    said: str
    over_after_s: float | None
    alerts: int
    """Committed while it lasted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Of all of them."""

    harms: list[Suffered]
    skipped: dict[str, str]
    """Those that cannot be done here, with why."""
    alerts: int
    sides: dict[str, Found]


def run(names: Sequence[str] = (), *, say: Callable[[str], None] = lambda text: None) -> Outcome:
    """Do all harms, or those named, one after the other; every process has ended on return."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="garita-harms-")))
        disk = stack.enter_context(small_disk(folder / "disk"))
        site = HarmSite(folder, state_dir=disk)
        stack.callback(site.stop)
        site.start()
        skipped: dict[str, str] = {}
        suffered = []
        for harm in _harms(disk):
            if names and harm.name not in names:
                continue
            why = _cannot(harm, disk)
            if why:
                skipped[harm.name] = why
                say(f"{harm.name}: not here ({why})")
                continue
            say(harm.name)
            suffered.append(suffer(site, harm))
            say(f"  {suffered[-1]}")
        site.wait_for(site.has_all, OVER_S, "both centres to have everything")
        last_seq = site.last_seq()
        site.stop()
        ledger = folder / "ledger"
        ledger.write_text(_ledger(site.state_dir / RECORD_FILE), "utf-8")
        truth = truth_of(ledger, site.outbox)
        files = files_of(site.outbox)
        return Outcome(
            harms=suffered,
            skipped=skipped,
            alerts=last_seq,
            sides={side: check(site.centre(side), truth, files, Bystander()) for side in SIDES},
        )


def suffer(site: HarmSite, harm: Harm) -> Suffered:
    """One harm from its beginning until it is over."""
    before = site.last_seq()
    harm.do(site)
    told_s: float | None = None
    with contextlib.suppress(TimeoutError):
        told_s = site.wait_for(lambda: harm.told(site), TOLD_S, harm.name)
    said = harm.told(site)
    time.sleep(harm.lasts_s)
    during = site.last_seq() - before
    harm.undo(site)

    def over() -> bool:
        quiet = harm.dead or not harm.told(site)
        return bool(site.ready().get("ready")) and quiet and site.has_all()

    over_s: float | None = None
    with contextlib.suppress(TimeoutError):
        over_s = site.wait_for(over, OVER_S, f"the end of {harm.name}")
    return Suffered(
        name=harm.name, told_after_s=told_s, said=said, over_after_s=over_s, alerts=during
    )


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of `DISK_MB`, where one can be made; else a folder like any."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "none", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(command, check=False).returncode == 0  # noqa: S603
    try:
        yield folder
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=False)  # noqa: S603, S607


def _cannot(harm: Harm, disk: Path) -> str:
    if harm.name == "disk full" and not os.path.ismount(disk):
        return "no small disk can be mounted"
    return ""


def _harms(disk: Path) -> list[Harm]:
    filler = disk / "filler"

    def fill(_site: HarmSite) -> None:
        with filler.open("wb", buffering=0) as taken, contextlib.suppress(OSError):
            while True:
                taken.write(CHUNK)

    def forbid(site: HarmSite) -> None:
        site.forbid("south")
        _restart(site, "south")

    def allow(site: HarmSite) -> None:
        site.allow("south")
        _restart(site, "south")

    def expire(name: str) -> Callable[[HarmSite], None]:
        def do(site: HarmSite) -> None:
            site.expire("south", name)
            _restart(site, "south")

        return do

    def renew(name: str) -> Callable[[HarmSite], None]:
        def undo(site: HarmSite) -> None:
            site.renew("south", name)
            if name == "broker":
                _restart(site, "south")

        return undo

    def lose(site: HarmSite) -> None:
        _hide(site)
        site.end_service()
        site.start_service().wait(60)

    def find(site: HarmSite) -> None:
        _show(site)
        site.start_service()

    return [
        Harm(
            name="disk full", do=fill, undo=lambda _site: filler.unlink(),
            says=("outbox: disk full",),
        ),
        Harm(name="broker refuses", do=forbid, undo=allow, says=("south", "refuses our alerts")),
        Harm(
            name="own certificate ended", do=expire(SITE), undo=renew(SITE),
            says=("south", "our certificate", "has ended", "put a new one"),
        ),
        Harm(
            name="broker's certificate ended", do=expire("broker"), undo=renew("broker"),
            says=("south", "broker not connected", "certificate"),
        ),
        Harm(
            name="centre's certificate ended", do=expire("centre"), undo=renew("centre"),
            says=("south", "wait for its centre"),
        ),
        Harm(
            name="clock a day ahead", do=_clock(DAY_S), undo=_clock(0),
            says=("the machine's clock", "ahead"), lasts_s=CLOCK_S,
        ),
        Harm(
            name="clock a day behind", do=_clock(-DAY_S), undo=_clock(0),
            says=("the machine's clock", "behind"), lasts_s=CLOCK_S,
        ),
        Harm(
            name="key lost while running",
            do=_hide,
            undo=_show,
            says=("our signing key", "cannot be read any more"),
        ),
        Harm(
            name="key lost at a start", do=lose, undo=find,
            says=("keys.signer", "garita keys"), dead=True,
        ),
    ]  # fmt: skip


def _clock(offset_s: int) -> Callable[[HarmSite], None]:
    def set_clock(site: HarmSite) -> None:
        site.clock.write_text(str(offset_s))

    return set_clock


def _ledger(record: Path) -> str:
    """What the common record says was committed: the outbox does not testify for itself."""
    lines = []
    for (data,) in read_rows(record, "SELECT data FROM entry ORDER BY number"):
        entry = json.loads(data)
        if entry["kind"] == "alert":
            told = entry["facts"]
            lines.append(f"c {told['epoch']} {told['seq']} {told['digests']['north'][:16]}\n")
    return "".join(lines)


def _hide(site: HarmSite) -> None:
    site.signing_key.rename(site.signing_key.with_suffix(".lost"))


def _show(site: HarmSite) -> None:
    site.signing_key.with_suffix(".lost").rename(site.signing_key)


def _restart(site: HarmSite, side: str) -> None:
    site.end_broker(side)
    site.start_broker(side)
