"""The list of all drivers. A new kind is a row in its family's `KINDS`."""

from drivers import radiation, seismic, xray, xray_dicos, xray_lines
from drivers.base import DriverKind

KINDS: dict[str, DriverKind] = {
    row.kind: row
    for family in (radiation, seismic, xray, xray_dicos, xray_lines)
    for row in family.KINDS
}
