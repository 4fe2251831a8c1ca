"""Cargo X-ray scanners that write DICOS files, or send them (C-STORE)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.wire import bundle, dicos
from drivers.wire.dicos_write import Attributes, day_and_clock, file_of, grey, uid_of
from drivers.wire.sidecar import Sidecar
from simulators.base import SimulatorKind
from simulators.xray import HIGH_MEV, XrayPlanesSimulator, scanner_of

_DAYS = (0x00080012, 0x00080020, 0x00080021, 0x00080022, 0x00080023)
_CLOCKS = (0x00080013, 0x00080030, 0x00080031, 0x00080032, 0x00080033)
"""Of instance, study, series, acquisition and content."""


class XrayDicosSimulator(XrayPlanesSimulator):
    """One scanner: two DX images, high and low, for each vehicle that drives through it."""

    def _files(
        self, sidecar: Sidecar, high: NDArray[np.uint16], low: NDArray[np.uint16]
    ) -> dict[str, bytes]:
        files = {}
        high_mev, low_mev = scanner_of(self._place).energies_mev
        for number, (plane, flag, mev) in enumerate(
            ((high, "HIGH_ENERGY", high_mev), (low, "LOW_ENERGY", low_mev)), start=1
        ):
            uid, file = dx(
                plane,
                sidecar,
                DxOptions(
                    characteristics=flag,
                    energy_mev=mev,
                    number=number,
                    tip_type=self._place.option("tip_type", ""),
                ),
            )
            files[f"{uid}.dcs"] = file
        return files


@dataclass(frozen=True, slots=True, kw_only=True)
class DxOptions:
    """What a DX image says besides the scan that it is of."""

    characteristics: str = ""
    """Third value of Image Type: `HIGH_ENERGY`, `LOW_ENERGY`, or empty."""
    energy_mev: float = HIGH_MEV
    number: int = 1
    """Of the image in its scan."""
    object_type: str = "CARGO"
    tip_type: str = ""
    """Of a threat drawn into the picture; empty: there is none."""


def dx(
    plane: NDArray[np.uint16], scan: Sidecar, options: DxOptions | None = None
) -> tuple[str, bytes]:
    """(SOP Instance UID, the file) of a DX image for processing, as version 3 has it.

    plane  (rows, columns) raw counts, column 0 is the vehicle's front

    Carries the 59 attributes without which the vendors' own reader refuses a file.
    """
    options = options or DxOptions()
    uid = uid_of(scan.scan_id, scan.start_utc_ns, options.number, plane.tobytes())
    values = described(plane, scan, options, uid)
    return uid, file_of(dicos.DX_PROCESSING, values, dicos.EXPLICIT)


def described(plane: NDArray[np.uint16], scan: Sidecar, options: DxOptions, uid: str) -> Attributes:
    """Every element of the image."""
    rows, columns = plane.shape
    duration_s = ((scan.end_utc_ns or 0) - (scan.start_utc_ns or 0)) / 1e9
    pitch_x_mm, pitch_y_mm = scan.pitch_x_mm or 8.0, scan.pitch_y_mm or 8.0
    day, clock = day_and_clock(scan.start_utc_ns or 0)
    flags = [options.characteristics] if options.characteristics else []
    return {
        0x00080008: ("CS", ["ORIGINAL", "INTENSITY", *flags]),
        0x00080016: ("UI", dicos.DX_PROCESSING),
        0x00080018: ("UI", uid),
        **dict.fromkeys(_DAYS, ("DA", day)),
        **dict.fromkeys(_CLOCKS, ("TM", clock)),
        0x00080060: ("CS", "XRAY"),
        0x00080068: ("CS", "FOR PROCESSING"),
        0x00080070: ("LO", "Garita simulators"),
        0x00080080: ("LO", "simulated checkpoint"),
        0x00080081: ("ST", "simulated"),
        0x00080118: ("CS", "MACHINE"),
        0x00080201: ("SH", "+0000"),
        0x00081010: ("SH", "simulator"),
        0x00081090: ("LO", "xray-dicos"),
        0x00082108: ("CS", "LHS"),
        0x00100020: ("LO", scan.container or scan.scan_id),
        0x00100021: ("LO", "simulated"),
        0x00100022: ("CS", "TEXT"),
        0x00180060: ("DS", f"{options.energy_mev * 1000:g}"),
        0x00181000: ("LO", "1"),
        0x00181020: ("LO", "1"),
        0x00181164: ("DS", [f"{pitch_y_mm:g}", f"{pitch_x_mm:g}"]),
        0x00181200: ("DA", day),
        0x00181201: ("TM", clock),
        0x00187004: ("CS", "SCINTILLATOR"),
        0x00188151: ("DS", "100"),
        0x00189073: ("FD", duration_s),
        0x00189309: ("FD", columns * pitch_x_mm / duration_s if duration_s > 0.0 else 0.0),
        0x0020000D: ("UI", uid_of(scan.scan_id, scan.start_utc_ns)),
        0x0020000E: ("UI", uid_of(scan.scan_id, scan.start_utc_ns, "series")),
        0x00200010: ("SH", scan.scan_id[-16:]),
        0x00200013: ("IS", str(options.number)),
        0x00200032: ("DS", ["0", "0", "0"]),
        0x00200037: ("DS", ["1", "0", "0", "0", "1", "0"]),
        **grey(rows, columns, 16),
        0x00400555: ("SQ", b""),
        0x20500020: ("CS", "IDENTITY"),
        **({0x40101039: ("CS", options.tip_type)} if options.tip_type else {}),
        0x4010103A: ("CS", dicos.VERSION),
        0x40101042: ("CS", options.object_type),
        0x40101044: ("CS", "SUCCESSFUL"),
        0x40101048: ("CS", "OPERATIONAL"),
        0x40101062: ("FL", 0.0),
        0x40101068: ("LT", scan.declared),
        0x43000902: ("FL", 0.0),
        0x7FE00010: ("OW", plane.astype("<u2").tobytes()),
    }


def files_of(packet: bytes) -> list[tuple[str, bytes]]:
    """(name, contents) of a scan's files."""
    decoded = bundle.BundleDecoder().feed(packet)
    return [file for one in decoded if isinstance(one, bundle.Bundle) for file in one.files]


KINDS: tuple[SimulatorKind, ...] = (
    SimulatorKind("xray-dicos", XrayDicosSimulator, "2", packets=bundle.split, files=files_of),
)
