"""The list of all simulators; every driver has one."""

from simulators import (
    radiation,
    radiation_n42,
    seismic,
    seismic_anyshake,
    seismic_ascii,
    seismic_seedlink,
    xray,
    xray_dicos,
    xray_lines,
)
from simulators.base import SimulatorKind

KINDS: dict[str, SimulatorKind] = {
    row.kind: row
    for family in (
        radiation,
        radiation_n42,
        seismic,
        seismic_anyshake,
        seismic_ascii,
        seismic_seedlink,
        xray,
        xray_dicos,
        xray_lines,
    )
    for row in family.KINDS
}
