"""`garita simulate`: the simulators on their own, as recordings or live on their wires."""

import argparse
import asyncio
import contextlib
import signal
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from drivers.address import parse_address
from drivers.base import SensorConfig
from drivers.dicos_config import XrayDicosConfig
from edge.config import load_config
from edge.errors import EXIT_OK, EXIT_SENSOR, EXIT_USAGE
from edge.sensors.standin import with_sensor
from fusion.types import SECOND_NS
from simulators.catalog import KINDS
from simulators.dicos_sending import sending_url
from simulators.record import record
from simulators.scenario import Scenario, SensorPlace
from simulators.scripts import SCENARIOS
from simulators.serve import Stage, open_stage

HOST = "127.0.0.1"
LAST_PORT = 65535
SHAKES_AFTER = 100  # more portals than any checkpoint has
SERIAL_AFTER = 200  # more shakes than any line has
SERIAL = ("anyshake-serial", "ascii-serial")  # ground sensors on serial lines
SCANS = Path("run") / "scans"
# Recordings say the same whenever they are made: Monday 2026-01-05, 08:00 in Arizona.
RECORDED_START_UTC_NS = 1_767_625_200 * SECOND_NS
HOLD_S = 86_400.0  # whoever holds for longer has forgotten it


def main(args: argparse.Namespace) -> int:
    """Write recordings with their truth, or serve live; returns the exit code."""
    script = SCENARIOS.get(args.scenario)
    if script is None:
        return _usage(f"no scenario {args.scenario!r}; there are {', '.join(sorted(SCENARIOS))}")
    if args.out is not None:
        return _record(script(args.seed, RECORDED_START_UTC_NS), args)
    if not args.serve:
        return _usage("choose --out DIR for recordings, or --serve for live sensors")
    with contextlib.suppress(asyncio.CancelledError):  # SIGTERM or Ctrl+C: the usual end
        return asyncio.run(_serve(args))
    return EXIT_OK


# --- recordings ------------------------------------------------------------------------


def _record(scenario: Scenario, args: argparse.Namespace) -> int:
    began_s = time.monotonic()
    try:
        paths = record(scenario, args.out, duration_s=args.for_s, progress=_progress)
    except OSError as error:
        return _usage(f"cannot write below {args.out} ({error.strerror or error})")
    took_s = time.monotonic() - began_s
    _say(f"{len(paths)} files of {scenario.name!r} in {args.out} after {took_s:.1f} s")
    return EXIT_OK


def _progress(sensor_id: str, share: float) -> None:
    if sys.stderr.isatty():
        end = "\n" if share >= 1.0 else ""
        sys.stderr.write(f"\r{sensor_id:24} {100 * share:4.0f} %{end}")
        sys.stderr.flush()
    elif share >= 1.0:
        _say(f"{sensor_id} written")


# --- live ------------------------------------------------------------------------------


async def _serve(args: argparse.Namespace) -> int:
    loop = asyncio.get_running_loop()
    this = asyncio.current_task()
    assert this is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, this.cancel)
    configured = () if args.config is None else load_config(args.config).sensors

    def day_of() -> Scenario:
        return _with_simulated(SCENARIOS[args.scenario](args.seed, time.time_ns()), configured)

    scenario = day_of()
    try:
        urls = _urls(scenario, args, {sensor.id: sensor for sensor in configured})
    except ValueError as error:
        return _usage(str(error))
    try:
        stage = await open_stage(scenario, urls)
    except OSError as error:
        _say(f"garita simulate: {error.strerror}; end what uses it, or choose --base-port")
        return EXIT_SENSOR
    async with stage:
        _say(_table(scenario, stage.addresses))
        if args.hold and not await _held(stage, scenario):
            return EXIT_OK
        # Devices with clocks tell the time: the day begins now, not when it was scripted.
        day = day_of()
        _say(f"playing {day.name!r} for {min(day.duration_s, args.for_s or day.duration_s):.0f} s")
        await stage.run(day, duration_s=args.for_s)
    _say("the scenario has ended")
    return EXIT_OK


async def _held(stage: Stage, scenario: Scenario) -> bool:
    """Let the devices idle until a line comes on stdin; False where stdin was closed instead.

    They are not mute meanwhile: a real device sends background before anything happens, and
    a geophone that sends nothing has not answered.
    """
    idle = replace(
        scenario,
        name="idle",
        seed=scenario.seed + 1,
        start_utc_ns=time.time_ns(),
        duration_s=HOLD_S,
        vehicles=(),
        movers=(),
        faults=(),
        rain=(),
        truth=(),
    )
    idling = asyncio.create_task(stage.run(idle))
    try:
        return await _line_on_stdin()
    finally:
        idling.cancel()
        await asyncio.wait([idling])


async def _line_on_stdin() -> bool:
    loop = asyncio.get_running_loop()
    heard: asyncio.Future[bool] = loop.create_future()

    def answer(line: str) -> None:
        if not heard.done():
            heard.set_result(bool(line))

    def read() -> None:
        line = sys.stdin.readline()
        with contextlib.suppress(RuntimeError):  # the loop has ended in the meantime
            loop.call_soon_threadsafe(answer, line)

    # A daemon: a read of a terminal cannot be interrupted and must not keep the process alive.
    threading.Thread(target=read, name="stdin", daemon=True).start()
    return await heard


def _with_simulated(scenario: Scenario, configured: Sequence[SensorConfig]) -> Scenario:
    """With a device for each simulated sensor that the script lacks: it sees its lane's vehicles.

    Devices have random numbers of their own, so those of the script send what they always send.
    """
    for sensor in configured:
        if sensor.origin == "simulator":
            scenario = with_sensor(scenario, sensor)
    return scenario


def _urls(
    scenario: Scenario, args: argparse.Namespace, configured: Mapping[str, SensorConfig]
) -> dict[str, str]:
    """Where to serve each sensor: as the configuration says, else on ports in a row.

    ValueError where the ports in a row would go beyond the last.
    """
    if args.config is None:
        return dict(_own_urls(scenario.sensors, _base_port(scenario, args), pty=args.pty))
    places = {place.sensor_id: place for place in scenario.sensors}
    if absent := sorted(places.keys() - configured.keys()):
        _say(f"not in the configuration, so not served: {', '.join(absent)}")
    if unknown := sorted(configured.keys() - places.keys()):
        _say(f"not simulated and not in the scenario, so not served: {', '.join(unknown)}")
    return {
        name: _serving_url(configured[name], pty=args.pty and _on_line(places[name]))
        for name in places
        if name in configured
    }


def _base_port(scenario: Scenario, args: argparse.Namespace) -> int:
    urls = [url for _, url in _own_urls(scenario.sensors, 0, pty=args.pty)]
    highest = max((parse_address(url).port for url in urls if "://" in url), default=0)
    base_port: int = args.base_port
    if base_port + highest > LAST_PORT:
        raise ValueError(
            f"--base-port {base_port}: the sensors of {scenario.name!r} need ports up to "
            f"{highest} above it; choose {LAST_PORT - highest} or lower"
        )
    return base_port


def _serving_url(sensor: SensorConfig, *, pty: bool) -> str:
    """The sending end of a sensor's address."""
    address = parse_address(sensor.url)
    if pty or address.form == "serial":
        return "pty:"  # its path is the system's choice; the table tells it
    if address.form not in {"udp", "dicos"}:
        return sensor.url
    # It listens everywhere; we send to this machine.
    everywhere = address.host in ("0.0.0.0", "::")  # noqa: S104 - not bound here
    host = HOST if everywhere else address.host
    if isinstance(sensor, XrayDicosConfig):
        calling = sensor.callers[0] if sensor.callers else ""
        return sending_url(host, address.port, called=sensor.ae_title, calling=calling)
    return f"{address.form}://{HOST}:{address.port}" if everywhere else sensor.url


def _own_urls(
    sensors: Iterable[SensorPlace], base_port: int, *, pty: bool
) -> Iterable[tuple[str, str]]:
    portals = shakes = serial = 0
    for place in sensors:
        if _is_portal(place):
            yield (
                place.sensor_id,
                "pty:" if pty and _on_line(place) else f"tcp://{HOST}:{base_port + portals}",
            )
            portals += 1
        elif place.kind in SERIAL:
            on_line = pty and _on_line(place)
            yield (
                place.sensor_id,
                "pty:" if on_line else f"tcp://{HOST}:{base_port + SERIAL_AFTER + serial}",
            )
            serial += 1
        elif place.kind == "shake-udp":
            yield place.sensor_id, f"udp://{HOST}:{base_port + SHAKES_AFTER + shakes}"
            shakes += 1
        else:
            yield place.sensor_id, f"folder:{SCANS / place.sensor_id}"


def _is_portal(place: SensorPlace) -> bool:
    return place.kind.startswith("rpm-")


def _on_line(place: SensorPlace) -> bool:
    """Whether it may be on a serial line; what answers questions is on TCP."""
    return (_is_portal(place) or place.kind in SERIAL) and KINDS[place.kind].responder is None


# --- words -----------------------------------------------------------------------------


def _table(scenario: Scenario, addresses: dict[str, str]) -> str:
    kinds = {place.sensor_id: place.kind for place in scenario.sensors}
    rows = [("sensor", "kind", "url"), *((n, kinds[n], url) for n, url in addresses.items())]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return "\n".join(f"{a:{widths[0]}}  {b:{widths[1]}}  {c}" for a, b, c in rows)


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _usage(text: str) -> int:
    _say(f"garita simulate: {text}")
    return EXIT_USAGE
