"""Cargo X-ray scanners that leave their scans as files."""

import zlib
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.wire import bundle
from drivers.wire.iso6346 import check_digit, normalise_number
from drivers.wire.sidecar import Sidecar, encode_json, encode_xml
from simulators.base import SimulatorKind
from simulators.scenario import Scenario, SensorPlace, Vehicle
from simulators.xray_cargo import draw_vehicle
from simulators.xray_scanner import SETTINGS, USUAL, Counts, Scanner, expose, healthy
from simulators.xray_scene import Random, Scene

HIGH_MEV, LOW_MEV = USUAL.energies_mev
AIR_M = USUAL.air_m
DARK_COLUMNS = USUAL.dark_columns
AIR_COUNTS = USUAL.air_counts
DARK_COUNTS = USUAL.dark_counts
FILE_DELAY_S = 1.0  # from the last line to the last file
DISPLAY_GAMMA = 2.2  # of the 8-bit composite

TIFF_RAW = (cv2.IMWRITE_TIFF_COMPRESSION, 1)
PNG_FAST = (cv2.IMWRITE_PNG_COMPRESSION, 1)
JPEG_GOOD = (cv2.IMWRITE_JPEG_QUALITY, 90)


class XrayPlanesSimulator:
    """One scanner: a bundle of files for each vehicle that drives through it.

    Option `also_lanes`: further lanes that share it, with spaces between.
    """

    def __init__(self, scenario: Scenario, sensor_id: str) -> None:
        self._scenario = scenario
        self._place = scenario.sensor(sensor_id)
        self._elapsed_ms = 0
        self._last: tuple[NDArray[np.uint16], NDArray[np.uint16]] | None = None
        self._due: list[tuple[int, float, Vehicle]] = []
        lanes = [self._place.lane, *self._place.option("also_lanes", "").split()]
        for lane in map(scenario.lane, lanes):
            for vehicle in scenario.lane_vehicles(lane.lane):
                if not vehicle.scanned:
                    continue
                front_s = vehicle.reaches_s(lane.scanner_after_m)
                done_s = front_s + vehicle.length_m / vehicle.speed_m_s + FILE_DELAY_S
                self._due.append((round(done_s * 1000), front_s, vehicle))
        self._due.sort(key=lambda due: (due[0], due[2].vehicle_id), reverse=True)

    def step(self, dt_ms: int) -> bytes:
        """Let `dt_ms` pass; return the bundles of the scans that are complete by then."""
        self._elapsed_ms += dt_ms
        bundles = []
        while self._due and self._due[-1][0] <= self._elapsed_ms:
            _, front_s, vehicle = self._due.pop()
            if not self._scenario.active(self._place.sensor_id, "silent", front_s):
                bundles.append(self._scan(vehicle, front_s))
        return b"".join(bundles)

    def _scan(self, vehicle: Vehicle, front_s: float) -> bytes:
        """Everything random comes from the scenario, the sensor and the vehicle alone."""
        scan_id = f"{self._place.sensor_id}-{vehicle.vehicle_id}"
        random = np.random.default_rng([self._scenario.seed, zlib.crc32(scan_id.encode())])
        rows = int(self._place.option("rows", "500"))
        pitch_mm = float(self._place.option("pitch_mm", "8"))
        striped = self._scenario.active(self._place.sensor_id, "stripe", front_s)
        high, low = planes(
            vehicle,
            rows=rows,
            pitch_mm=pitch_mm,
            random=random,
            striped=striped,
            scanner=scanner_of(self._place),
        )
        if self._last is not None and self._scenario.active(
            self._place.sensor_id, "stuck", front_s
        ):
            high, low = self._last
        self._last = high, low
        told_s = front_s + self._clock_s(front_s)
        start_utc_ns = self._scenario.start_utc_ns + round(told_s * 1e9)
        sidecar = Sidecar(
            scan_id=scan_id,
            start_utc_ns=start_utc_ns,
            end_utc_ns=start_utc_ns + round(vehicle.length_m / vehicle.speed_m_s * 1e9),
            pitch_x_mm=pitch_mm,
            pitch_y_mm=pitch_mm,
            declared=vehicle.declared,
            container=container_number(vehicle.container, random),
        )
        files = self._files(sidecar, high, low)
        self._damage(files, front_s, random)
        return bundle.encode(files)

    def _clock_s(self, at_s: float) -> float:
        """By how much the scanner's clock is out."""
        return sum(
            fault.size
            for fault in self._scenario.faults
            if fault.sensor_id == self._place.sensor_id
            and fault.kind == "clock-step"
            and fault.start_s <= at_s < fault.end_s
        )

    def _files(
        self, sidecar: Sidecar, high: NDArray[np.uint16], low: NDArray[np.uint16]
    ) -> dict[str, bytes]:
        """What the scanner leaves of a scan; the first is the one that a fault spoils."""
        form = self._place.option("sidecar", "json")
        encode = {"json": encode_json, "xml": encode_xml}[form]
        pictures = self._pictures(sidecar.scan_id, high, low)
        return {**pictures, f"{sidecar.scan_id}.{form}": encode(sidecar)}

    def _pictures(
        self, scan_id: str, high: NDArray[np.uint16], low: NDArray[np.uint16]
    ) -> dict[str, bytes]:
        form = self._place.option("format", "tiff")
        if form == "jpeg":
            return {f"{scan_id}.jpg": _encoded(".jpg", composite(high), JPEG_GOOD)}
        options = {"tiff": TIFF_RAW, "png": PNG_FAST}[form]
        return {
            f"{scan_id}_high.{form}": _encoded(f".{form}", high, options),
            f"{scan_id}_low.{form}": _encoded(f".{form}", low, options),
        }

    def _damage(self, files: dict[str, bytes], at_s: float, random: Random) -> None:
        """What a full disk or a broken export leaves, while such a fault is on."""
        first = next(iter(files))
        if self._scenario.active(self._place.sensor_id, "partial", at_s):
            files[first] = files[first][: len(files[first]) * 6 // 10]
        if self._scenario.active(self._place.sensor_id, "garbage", at_s):
            files[first] = random.bytes(min(len(files[first]), 4096))


def scanner_of(place: SensorPlace) -> Scanner:
    """The instrument at that place: its gains and its dead rows are its own, scan after scan.

    Options: `scanner`, one of `xray_scanner.SETTINGS`, and any number of `Scanner` by its name,
    such as `("dead_rows", "3")`.
    """
    scanner = SETTINGS[place.option("scanner", "usual")]
    changes: dict[str, float | int] = {"device": zlib.crc32(place.sensor_id.encode()) or 1}
    for name, text in place.options:
        usual = getattr(USUAL, name, None)
        if name not in ("rows", "energies_mev") and isinstance(usual, int | float):
            changes[name] = type(usual)(text)
    return replace(scanner, **changes)  # type: ignore[arg-type]


def planes(
    vehicle: Vehicle,
    *,
    rows: int,
    pitch_mm: float,
    random: Random,
    striped: bool = False,
    scanner: Scanner = USUAL,
) -> tuple[Counts, Counts]:
    """(high, low) raw counts of one vehicle, dark and air lines before it included."""
    scanner = replace(scanner, rows=rows, pitch_x_mm=pitch_mm, pitch_y_mm=pitch_mm)
    if striped:
        scanner = replace(scanner, dead_rows=6, uneven_rows=8)
    pitch_m = pitch_mm / 1000.0
    air = round(scanner.air_m / pitch_m)
    columns = 2 * air + round(vehicle.length_m / pitch_m)
    scene = Scene(rows, columns, pitch_m, air)
    draw_vehicle(scene, vehicle, random)
    exposure = expose(scene, healthy(scanner, random), random)
    return exposure.high, exposure.low


def composite(high: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """The 8-bit picture a workstation shows: gamma, air is white, dark lines cut off."""
    share = np.clip((high[:, DARK_COLUMNS:] - DARK_COUNTS) / AIR_COUNTS, 0.0, 1.0)
    return np.asarray(np.round(255.0 * share ** (1 / DISPLAY_GAMMA)), np.uint8)


def container_number(text: str, random: Random) -> str:
    """The box's number with the right check digit; one is painted on where none is given."""
    plain = "".join(c for c in text.upper() if c.isalnum())
    if number := normalise_number(plain):
        return number
    if len(plain) < 10 or not (plain[:4].isalpha() and plain[4:10].isdigit()):
        plain = f"GRTU{int(random.integers(1_000_000)):06d}"
    return f"{plain[:10]}{check_digit(plain[:10])}"


def _encoded(extension: str, picture: NDArray[np.integer], options: tuple[int, int]) -> bytes:
    done, data = cv2.imencode(extension, picture, options)
    if not done:
        raise RuntimeError(f"OpenCV cannot write {extension}")
    return data.tobytes()


KINDS: tuple[SimulatorKind, ...] = (
    SimulatorKind("xray-planes", XrayPlanesSimulator, "2", packets=bundle.split),
)
