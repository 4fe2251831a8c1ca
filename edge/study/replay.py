"""`garita replay`: recordings and device files through the live service's own three calls."""

import argparse
import gc
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import structlog

from edge import errors
from edge import log as logging
from edge.evidence.files import EvidenceFile
from edge.evidence.keep import keep
from edge.recordings.format import RecordingDamaged, is_recording
from edge.study import recorded, scan_words
from edge.study.day import Day, ReplayError, check_settings
from edge.study.device_files import find
from edge.study.played import Played
from edge.study.player import Player
from fusion.types import SECOND_NS, Detection

if TYPE_CHECKING:
    from edge.config import Config
    from edge.study.replay_console import ReplayConsole

log = structlog.get_logger()


class EvidenceNotKept(Exception):  # noqa: N818 - says what happened
    """The folder of `--evidence` cannot be written."""


def main(args: argparse.Namespace) -> int:
    """Replay; JSON Lines on stdout, progress and summary on stderr."""
    logging.configure()
    config = None if args.config is None else _config(args.config)
    played: list[Played] = []
    try:
        for day in days(args.inputs, config, kind=args.kind, settings=args.settings):
            _play(day, args, sys.stdout.buffer)
            played += day.played.values()
    except (ReplayError, RecordingDamaged, EvidenceNotKept) as error:
        sys.stderr.write(f"garita replay: {error}\n")
        return errors.EXIT_USAGE
    # The process ends here, and the collector would take Numba apart first: half a second.
    gc.freeze()
    return _tell_unread(played)


def _tell_unread(played: list[Played]) -> int:
    """Name every picture that could not be read, with why; the exit code."""
    unread = [one for each in played for one in each.unread]
    if not unread:
        return errors.EXIT_OK
    for one in unread:
        sys.stderr.write(f"garita replay: not read: {one}\n")
    read = sum(each.read for each in played)
    sys.stderr.write(f"garita replay: {read} of {read + len(unread)} pictures read\n")
    return errors.EXIT_OK if read else errors.EXIT_USAGE


def _tell_scan(day: Day, detection: Detection) -> None:
    """What a picture showed, for whoever sits before it."""
    played = day.played.get(detection.sensor_id)
    if played is not None and detection.kind == "xray.scan":
        for line in scan_words.table(played.last, detection):
            sys.stderr.write(f"{line}\n")


def _config(path: Path) -> "Config":
    # Only here: reading a configuration takes a fifth of a second to import.
    from edge.config import load_config  # noqa: PLC0415 - see above

    return load_config(path)


def days(
    inputs: list[Path],
    config: "Config | None" = None,
    *,
    kind: str | None = None,
    settings: list[tuple[str, str]] | None = None,
) -> Iterator[Day]:
    """What the inputs hold: a day for each boot in the recordings, one for all device files.

    ReplayError, RecordingDamaged, OSError where an input cannot be used.
    """
    settings = settings or []
    recordings, others = _sorted(inputs)
    found = find(others, kind) if others else []
    every = [*recorded.days(recordings, config, settings)]
    if found:
        from edge.study import devices  # noqa: PLC0415 - as in `_config`

        every.append(devices.day(found, config, settings))
    check_settings([sensor.config for day in every for sensor in day.sensors], settings)
    yield from every


def _sorted(inputs: list[Path]) -> tuple[list[Path], list[Path]]:
    """Garita's own recordings, those in folders too, and everything else."""
    recordings: list[Path] = []
    others: list[Path] = []
    for given in inputs:
        found = sorted(given.rglob("*.mcap")) if given.is_dir() else []
        inside = [path for path in found if path.is_file()]  # a pipe would be waited for
        if inside:
            recordings += inside
        elif given.is_file() and is_recording(_head(given)):
            recordings.append(given)
        else:
            others.append(given)
    return recordings, others


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(16)


def _play(day: Day, args: argparse.Namespace, out: BinaryIO) -> None:
    if not args.console:
        return _run(day, args, out)
    from edge.study.replay_console import shown  # noqa: PLC0415 - as in `_config`

    with shown(day, args) as console:
        return _run(day, args, out, console)


def _run(
    day: Day, args: argparse.Namespace, out: BinaryIO, console: "ReplayConsole | None" = None
) -> None:
    player = Player(
        day,
        show=args.show,
        as_recorded=args.as_recorded,
        speed=args.speed,
        progress=_tell if sys.stderr.isatty() else lambda utc_ns, speed: None,
        take_detection=partial(_tell_scan, day),
        take_file=None if args.evidence is None else partial(_keep, args.evidence),
        take_row=None if console is None else console.take,
        keep_whole=None if console is None else console.whole.put,
    )
    began = time.monotonic()
    lines = 0
    for line in player.lines():
        out.write(line)
        lines += 1
        if args.speed is not None:
            out.flush()
    out.flush()
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")  # over the progress
    took_s = time.monotonic() - began
    log.info(
        "replayed",
        day=day.name,
        recorded_s=round(player.recorded_s, 1),
        took_s=round(took_s, 2),
        times_real_time=round(player.recorded_s / took_s, 1) if took_s else None,
        events=player.events,
        malformed=player.malformed,
        alerts=player.alerts,
        lines=lines,
    )


def _keep(folder: Path, alert_id: str, file: EvidenceFile) -> None:
    try:
        keep(folder, alert_id, file.n, file.message.name, file.data)
    except OSError as error:
        raise EvidenceNotKept(f"--evidence: {error}") from error


def _tell(utc_ns: int, speed: float) -> None:
    at = datetime.fromtimestamp(utc_ns // SECOND_NS, UTC)
    sys.stderr.write(f"\r{at:%Y-%m-%d %H:%M:%S} UTC, {speed:.0f}x ")
    sys.stderr.flush()
