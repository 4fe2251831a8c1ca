"""The list of all simulators; every driver has one."""

from simulators import radiation, seismic, xray
from simulators.base import SimulatorKind

KINDS: dict[str, SimulatorKind] = {
    row.kind: row for family in (radiation, seismic, xray) for row in family.KINDS
}
