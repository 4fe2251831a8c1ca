"""A small day for one device of any kind: a truck in the lane, a person in the ground."""

from dataclasses import dataclass

from drivers.wire import (
    anyshake_stream,
    ascii_counts,
    bundle,
    datacast,
    miniseed,
    modbus,
    n42_frames,
    xray_lines,
)
from simulators.scenario import (
    Cargo,
    LanePlace,
    Mover,
    Scenario,
    SensorPlace,
    Source,
    Vehicle,
)

DEVICE = "device-1"
LANE, ZONE = "nb-01", "fence"
START_UTC_NS = 1_800_000_000_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """What the suite must be told of a kind, because the catalogs do not say it."""

    serve: tuple[str, ...]
    """The wires of `simulators.serve` on which this kind of device is found."""
    duration_s: float
    """Long enough for the kind to say everything it can say, short enough for a test."""
    records: object
    """Cuts bytes into records: `(data) -> [bytes]`."""
    options: tuple[tuple[str, str], ...] = ()
    """Of the simulator, to keep it small."""
    keys: tuple[tuple[str, object], ...] = ()
    """Of the configuration, to keep pace with a day that is played fast."""
    lane: bool = True
    """Whether it watches the lane; else the zone."""


def _lines(data):
    return data.splitlines(keepends=True)


WIRES = {
    "rpm-tsa": Wire(serve=("tcp", "pty"), duration_s=45.0, records=_lines),
    "rpm-aspect": Wire(
        serve=("tcp",),
        duration_s=45.0,
        records=modbus.split,
        keys=(("poll_s", 0.02), ("busy_poll_s", 0.02)),
    ),
    "rpm-n42": Wire(
        serve=("tcp", "folder"),
        duration_s=45.0,
        records=n42_frames.split,
        options=(("channels", "64"), ("detectors", "2")),
    ),
    "ascii-serial": Wire(
        serve=("tcp", "pty"),
        duration_s=5.0,
        records=ascii_counts.split,
        options=(("rate_hz", "100"), ("hum_um_s", "2")),
        keys=(("columns", ("time", "counts")), ("rate_hz", 100.0)),
        lane=False,
    ),
    "anyshake-serial": Wire(
        serve=("tcp", "pty"),
        duration_s=8.0,
        records=anyshake_stream.split,
        options=(("channels", "6"),),
        lane=False,
    ),
    "seedlink": Wire(
        serve=("tcp",),
        duration_s=20.0,
        records=lambda data: list(miniseed.frames(data)),
        options=(("channels", "EHZ,EHN"),),
        keys=(("streams", "XX_VICE1"),),
        lane=False,
    ),
    "shake-udp": Wire(
        serve=("udp", "tcp"),
        duration_s=20.0,
        records=datacast.split,
        options=(("channels", "EHZ,ENZ"),),
        lane=False,
    ),
    "xray-dicos": Wire(
        serve=("folder", "dicos"),
        duration_s=60.0,
        records=bundle.split,
        options=(("rows", "96"), ("pitch_mm", "40")),
    ),
    "xray-lines": Wire(
        serve=("tcp",),
        duration_s=60.0,
        records=xray_lines.split,
        options=(("rows", "96"), ("pitch_mm", "40")),
    ),
    "xray-planes": Wire(
        serve=("folder",),
        duration_s=60.0,
        records=bundle.split,
        options=(("rows", "96"), ("pitch_mm", "40")),
    ),
}


def small_day(kind, seed=7):
    """The scenario with one device of the kind; deterministic in `seed`."""
    wire = WIRES[kind]
    truck = Vehicle(
        vehicle_id="truck-1",
        lane=LANE,
        at_portal_s=12.0,
        length_m=12.0,
        box_m=(4.0, 11.5),
        cargo=(Cargo(kind="bulk", material="organic", density_g_cm3=0.3, from_m=4.5, to_m=11.0),),
        sources=(Source(nuclide="Cs-137", activity_mbq=5.0, from_m=8.0, to_m=8.0),),
    )
    walker = Mover(
        mover_id="walker-1",
        kind="person",
        zone=ZONE,
        start_s=2.0,
        start_m=(0.0, -8.0),
        end_m=(5.0, 12.0),
    )
    device = SensorPlace(
        sensor_id=DEVICE,
        kind=kind,
        lane=LANE if wire.lane else "",
        zone="" if wire.lane else ZONE,
        options=wire.options,
    )
    return Scenario(
        name="small-day",
        seed=seed,
        start_utc_ns=START_UTC_NS,
        duration_s=wire.duration_s,
        lanes=(LanePlace(lane=LANE, portal_m=(0.0, 0.0), heading_deg=0.0),),
        sensors=(device,),
        vehicles=(truck,),
        movers=(walker,),
    )
