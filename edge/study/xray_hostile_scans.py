"""Clean X-ray scans of every form, small enough that a case is a few milliseconds."""

import importlib
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.wire import dicos
from drivers.wire.dicos_write import ANY_PICTURE, Attributes, begin, file_of, grey
from drivers.wire.sidecar import Sidecar, encode_json, encode_xml
from simulators.scenario import Cargo, LanePlace, Scenario, SensorPlace, Vehicle
from simulators.xray import planes
from simulators.xray_dicos import DxOptions, dx
from simulators.xray_lines import XrayLinesSimulator

ROWS, PITCH_MM = 96, 40.0  # a truck of 300 columns
FIRST_ELEMENT = b"\x08\x00\x08\x00CS"  # Image Type, with which our data sets begin
RAW_HEADER_BYTES = 12  # width, height and bits, four bytes each

Files = dict[str, bytes]
Plane = NDArray[np.uint16]

TRUCK = Vehicle(
    vehicle_id="truck-1",
    lane="lane-1",
    at_portal_s=12.0,
    length_m=12.0,
    box_m=(4.0, 11.5),
    cargo=(Cargo(kind="bulk", material="organic", density_g_cm3=0.3, from_m=4.5, to_m=11.0),),
)
SCAN = Sidecar(
    scan_id="scan-1",
    start_utc_ns=1_800_000_000_000_000_000,
    end_utc_ns=1_800_000_008_000_000_000,
    pitch_x_mm=PITCH_MM,
    pitch_y_mm=PITCH_MM,
    container="CSQU3054383",
    declared="empty",
)


def truck_planes(seed: int) -> tuple[Plane, Plane]:
    """High and low counts of one truck."""
    random = np.random.default_rng(seed)
    return planes(TRUCK, rows=ROWS, pitch_mm=PITCH_MM, random=random)


def plane_scans(high: Plane, low: Plane) -> list[Files]:
    """One of each form of file."""
    json, xml = encode_json(SCAN), encode_xml(SCAN)
    grey = (high >> 8).astype(np.uint8)
    ok, pages = cv2.imencodemulti(".tiff", [high, low])
    assert ok
    raw = [
        np.array([plane.shape[1], plane.shape[0], 16], "<u4").tobytes() + plane.tobytes()
        for plane in (high, low)
    ]
    return [
        _both("tiff", high, low) | {"s.json": json},
        _both("tif", high, low, (cv2.IMWRITE_TIFF_COMPRESSION, 5)) | {"s.xml": xml},
        _both("png", high, low) | {"s.xml": xml},
        {"s_high.raw": raw[0], "s_low.raw": raw[1], "s.json": json},
        {"s_planes.tiff": pages.tobytes(), "s.json": json},
        {"s.jpg": written(".jpg", grey), "s.xml": xml},
    ]  # fmt: skip


def _both(suffix: str, high: Plane, low: Plane, options: Sequence[int] = ()) -> Files:
    planes = {"high": high, "low": low}
    return {
        f"s_{name}.{suffix}": written(f".{suffix}", plane, options)
        for name, plane in planes.items()
    }


def dicos_scans(high: Plane, low: Plane) -> list[Files]:
    """Two files, one file, and one that is deflated."""
    first = dx(high, SCAN, DxOptions(characteristics="HIGH_ENERGY"))[1]
    second = dx(low, SCAN, DxOptions(characteristics="LOW_ENERGY", energy_mev=4.0, number=2))[1]
    alone = dx(high, SCAN)[1]
    start = alone.index(FIRST_ELEMENT)
    packer = zlib.compressobj(wbits=-15)
    deflated = packer.compress(alone[start:]) + packer.flush()
    head = begin(dicos.DX_PROCESSING, "1.2", dicos.DEFLATED)
    return [{"1.dcs": first, "2.dcs": second}, {"1.dcs": alone}, {"1.dcs": head + deflated}]


def packed_scans(high: Plane) -> list[Files]:
    """Files whose pixels GDCM packs."""
    with tempfile.TemporaryDirectory() as place:
        return [
            {"1.dcs": _packed(dx(high, SCAN)[1], high, syntax, Path(place))}
            for syntax in ("JPEGLosslessProcess14_1", "JPEGLSLossless", "RLELossless")
        ]


def _packed(file: bytes, plane: Plane, syntax: str, place: Path) -> bytes:
    gdcm: Any = importlib.import_module("gdcm")
    uncompressed, done = place / "plain.dcm", place / "packed.dcm"
    told: Attributes = {
        0x00080016: ("UI", ANY_PICTURE),
        0x00080018: ("UI", "1.2"),
        **grey(plane.shape[0], plane.shape[1], 16),
        0x7FE00010: ("OW", plane.astype("<u2").tobytes()),
    }
    uncompressed.write_bytes(file_of(ANY_PICTURE, told, dicos.EXPLICIT))
    reader = gdcm.ImageReader()
    reader.SetFileName(str(uncompressed))
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, syntax)))
    assert reader.Read()
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetImage(change.GetOutput())
    writer.SetFile(reader.GetFile())
    writer.SetFileName(str(done))
    assert writer.Write()
    laid, own = dicos.layout(done.read_bytes()), dicos.layout(file)
    assert isinstance(laid, dicos.Layout)
    assert isinstance(own, dicos.Layout)
    head = begin(dicos.DX_PROCESSING, "1.2", laid.syntax)
    elements = own.header[own.header.index(FIRST_ELEMENT) :]
    return head + elements + b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff" + bytes(laid.pixels)


def line_stream(seed: int) -> bytes:
    """The bytes of one scan, line by line."""
    scenario = Scenario(
        name="hostile",
        seed=seed,
        start_utc_ns=1_800_000_000_000_000_000,
        duration_s=60.0,
        lanes=(LanePlace(lane="lane-1", portal_m=(0.0, 0.0), heading_deg=0.0),),
        sensors=(
            SensorPlace(
                sensor_id="xray",
                kind="xray-lines",
                lane="lane-1",
                options=(("rows", str(ROWS)), ("pitch_mm", f"{PITCH_MM:g}")),
            ),
        ),
        vehicles=(TRUCK,),
    )
    return XrayLinesSimulator(scenario, "xray").step(60_000)


def written(extension: str, picture: NDArray[np.integer], options: Sequence[int] = ()) -> bytes:
    """The picture as a file of OpenCV's."""
    ok, data = cv2.imencode(extension, picture, options)
    assert ok
    return data.tobytes()
