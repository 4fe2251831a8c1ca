"""Sensors that fail while the crossing goes on: one after the other, or just when it matters."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from simulators.crossing import Hour
from simulators.scenario import Fault, Vehicle

FIRST_S = 150.0  # a sensor is heard in health before it fails
LASTS_S = (180.0, 360.0)
APART_S = 40.0
SKEW_S = 0.5
BLIND_BEFORE_S = (3.0, 10.0)  # of a passage
BLIND_AFTER_S = (5.0, 20.0)
BLINDED = "blinded"


@dataclass(frozen=True, slots=True)
class _Trouble:
    kind: str
    events: tuple[str, ...]
    size: float = 0.0


_FAULT = ("SENSOR_FAULT", "SENSOR_TAMPER")
_SILENT = ("SENSOR_SILENT", *_FAULT)
TROUBLES: Mapping[str, tuple[_Trouble, ...]] = {
    "rpm-tsa": (
        _Trouble("silent", _SILENT),
        _Trouble("stuck", _FAULT),
        _Trouble("late", _FAULT, SKEW_S),
        _Trouble("panel-noisy", _FAULT),
        _Trouble("panel-dead", _FAULT),
        _Trouble("gamma-high", _FAULT),
        _Trouble("beam-blind", _FAULT),
    ),
    "shake-udp": (
        _Trouble("silent", _SILENT),
        _Trouble("stuck", _FAULT),
        _Trouble("clock-step", _FAULT, SKEW_S),
        _Trouble("noisy", _FAULT),
    ),
    "xray-planes": (
        _Trouble("silent", _SILENT),
        _Trouble("stuck", _FAULT),
        _Trouble("clock-step", _FAULT, SKEW_S),
        _Trouble("stripe", _FAULT),
    ),
}
"""What each kind of sensor suffers: dead, stuck, skewed by half a second, noisy."""


def in_turn(made: Hour) -> None:
    """One sensor after the other fails for some minutes, and is well again."""
    random = Random(f"trouble/{made.seed}")
    places = list(made.sensors)
    at_s = FIRST_S
    while at_s + LASTS_S[1] < made.duration_s:
        place = random.choice(places)
        trouble = random.choice(TROUBLES[place.kind])
        fault = Fault(
            sensor_id=place.sensor_id,
            kind=trouble.kind,
            start_s=at_s,
            end_s=at_s + random.uniform(*LASTS_S),
            part=random.randrange(4),
            size=trouble.size,
        )
        made.fail(fault, place.lane or place.zone, trouble.events)
        at_s = fault.end_s + APART_S


def blind(made: Hour, random: Random, vehicle: Vehicle) -> None:
    """Its lane's portal says nothing, or hears nothing, while it passes."""
    kind = random.choice(("silent", "gamma-low"))
    fault = Fault(
        sensor_id=f"rpm-{vehicle.lane}",
        kind=kind,
        start_s=vehicle.at_portal_s - random.uniform(*BLIND_BEFORE_S),
        end_s=vehicle.in_beam_s()[-1][1] + random.uniform(*BLIND_AFTER_S),
    )
    events = _SILENT if kind == "silent" else _FAULT
    made.fail(fault, vehicle.lane, events, detail=BLINDED)


def blind_some(made: Hour, names: frozenset[str], share: float) -> None:
    """Blind the portal for such a share of the vehicles whose label is among these names."""
    random = Random(f"blind/{made.seed}")
    of_name = {row.subject for row in made.truth if row.name in names}
    for vehicle in made.vehicles:
        if vehicle.vehicle_id in of_name and random.random() < share:
            blind(made, random, vehicle)
