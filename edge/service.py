"""`garita run` and `garita record`: started by a configuration, ended by a signal."""

import argparse
import asyncio
import os
import signal
import sys
import threading
from collections.abc import Coroutine
from pathlib import Path

import structlog

from edge import errors
from edge import log as logging
from edge.config import Config, Recording, load_config
from edge.delivery.outbox_file import OutboxError
from edge.recordings.capture import Capture
from edge.station.checkpoint import CheckpointService
from edge.station.committer import AlertsLost

END_S = 4.5  # the promise is 5 s from SIGTERM to the end; what still hangs then is cut off
EXIT_CUT_OFF = 1
EXIT_LOST = 1
SIGNALS = (signal.SIGTERM, signal.SIGINT)

log = structlog.get_logger()


def main(args: argparse.Namespace) -> int:
    """`garita run`: the service until SIGTERM or SIGINT.

    ConfigError, BrokerUnavailable, SensorUnavailable as their exit codes say.
    """
    logging.configure()
    config = load_config(args.config)
    if args.record is not None:
        config = with_recording(config, args.record)
    service = CheckpointService(config, config_text=args.config.read_text(encoding="utf-8"))
    return run_until_signal(service.run())


def record_main(args: argparse.Namespace) -> int:
    """`garita record`: raw bytes to MCAP files until SIGTERM or SIGINT; decides nothing."""
    logging.configure()
    config = load_config(args.config)
    if args.out is not None:
        config = with_recording(config, args.out)
    if config.recording is None:
        sys.stderr.write("garita record: where to? give --out DIR, or recording.dir in the file\n")
        return errors.EXIT_USAGE
    capture = Capture(config, config_text=args.config.read_text(encoding="utf-8"))
    return run_until_signal(capture.run())


def with_recording(config: Config, directory: Path) -> Config:
    """The configuration with its recording in another folder, or with one at all."""
    kept = config.recording
    recording = (
        Recording(dir=directory) if kept is None else kept.model_copy(update={"dir": directory})
    )
    return config.model_copy(update={"recording": recording})


def run_until_signal(work: Coroutine[object, object, None]) -> int:
    """Run until it ends by itself or a signal ends it; a second signal ends it at once."""
    try:
        asyncio.run(_until_signal(work))
    except OutboxError as error:
        sys.stderr.write(f"garita: {error}\n")
        return errors.EXIT_CONFIG
    except AlertsLost as error:
        log.error("alerts lost", error=str(error))
        return EXIT_LOST
    return errors.EXIT_OK


async def _until_signal(work: Coroutine[object, object, None]) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(work, name="service")
    asked: list[signal.Signals] = []

    def end(number: signal.Signals) -> None:
        if asked:
            os._exit(128 + number)
        asked.append(number)
        log.info("ending", signal=number.name)
        _cut_off_after(END_S)
        task.cancel()

    for number in SIGNALS:
        loop.add_signal_handler(number, end, number)
    try:
        await task
    except asyncio.CancelledError:
        if not asked:
            raise
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
    log.info("ended")


def _cut_off_after(seconds: float) -> None:
    def cut_off() -> None:
        log.error("did not end in time, cut off", after_s=seconds)
        os._exit(EXIT_CUT_OFF)

    timer = threading.Timer(seconds, cut_off)
    timer.daemon = True
    timer.start()
