import hashlib
import struct
import tracemalloc
from zlib import crc32

import cv2
import numpy as np
import pytest

from drivers.wire.bundle import MAGIC, encode
from drivers.wire.malformed import Malformed
from drivers.wire.sidecar import Sidecar, encode_json, encode_xml
from drivers.xray import (
    KINDS,
    XrayPlanesConfig,
    XrayPlanesDriver,
    bundles_of,
    scan_sets,
)
from fusion.types import Origin, ScanSample

CONFIG = XrayPlanesConfig(id="xray-1", lane="nb-01", url="folder:/scans")
START_NS = 1_795_000_000 * 10**9
SIDECAR = Sidecar(
    scan_id="s-1",
    start_utc_ns=START_NS,
    end_utc_ns=START_NS + 9 * 10**9,
    pitch_x_mm=5.0,
    pitch_y_mm=6.0,
    declared="empty",
    container="CSQU3054383",
)
REASONS = {
    *("noise", "bad-checksum", "truncated", "bad-header", "dimension-mismatch", "unsupported"),
    *("too-large", "duplicate", "bad-sidecar", "unresolved-identity", "missing-plane"),
    *("bad-container", "clock-ahead", "clock-behind", "no-time-zone"),
}


def driver(**changes) -> XrayPlanesDriver:
    settings = {"id": "xray-1", "lane": "nb-01", "url": "folder:/scans", **changes}
    return XrayPlanesDriver(XrayPlanesConfig(**settings), Origin.SENSOR)


def noise(seed: int = 1, shape: tuple[int, int] = (40, 60)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 65_536, shape).astype(np.uint16)


def written(extension: str, picture: np.ndarray) -> bytes:
    return cv2.imencode(extension, picture)[1].tobytes()


def dual(seed: int = 1, sidecar: Sidecar = SIDECAR, form: str = ".tiff") -> dict[str, bytes]:
    name = sidecar.scan_id or "x"
    return {
        f"{name}_high{form}": written(form, noise(seed)),
        f"{name}_low{form}": written(form, noise(seed + 1000)),
        f"{name}.json": encode_json(sidecar),
    }


def only(found: list) -> ScanSample:
    (sample,) = found
    assert isinstance(sample, ScanSample), sample
    return sample


def reason(found: list) -> str:
    (bad,) = found
    assert isinstance(bad, Malformed)
    return bad.reason


@pytest.mark.parametrize("form", [".tiff", ".png"])
def test_planes_and_sidecar_become_a_scan(form):
    files = dual(form=form)
    scan = only(driver().feed(encode(files), START_NS + 10**10))
    assert np.array_equal(scan.high, noise(1))
    assert np.array_equal(scan.low, noise(1001))
    assert scan.composite is None
    assert (scan.sensor_id, scan.origin, scan.scan_id) == ("xray-1", Origin.SENSOR, "s-1")
    assert (scan.start_utc_ns, scan.duration_ms) == (START_NS, 9000)
    assert (scan.pitch_x_mm, scan.pitch_y_mm) == (5.0, 6.0)
    assert (scan.declared, scan.container) == ("empty", "CSQU3054383")
    assert scan.digests == tuple(
        (name, hashlib.sha256(files[name]).hexdigest()) for name in sorted(files)
    )


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_composite_becomes_a_grey_picture(channels):
    grey = (noise() >> 8).astype(np.uint8)
    picture = grey if channels == 1 else np.dstack([grey] * 3 + [grey * 0 + 255] * (channels - 3))
    name, form = ("s-1_composite.png", ".png") if channels == 4 else ("s-1.jpg", ".jpg")
    files = {name: written(form, picture), "s-1.xml": encode_xml(SIDECAR)}
    scan = only(driver().feed(encode(files), 0))
    assert scan.high is None
    assert scan.composite.dtype == np.uint8
    assert scan.composite.shape == (40, 60)
    assert np.abs(scan.composite.astype(int) - grey).mean() < 8  # JPEG of pure noise


def test_byte_by_byte_is_the_same_as_whole():
    data = encode(dual())
    bytewise = driver()
    found = [item for at in range(len(data)) for item in bytewise.feed(data[at : at + 1], START_NS)]
    assert only(found).digests == only(driver().feed(data, START_NS)).digests


def test_a_link_cut_drops_the_scan_half_read():
    data, reader = encode(dual()), driver()
    assert reader.feed(data[:-1], 0) == []
    assert reason(reader.feed(b"", 0)) == "truncated"
    assert only(reader.feed(data, 0))


def test_a_rear_first_scan_is_turned_round_and_twice_is_not():
    rear = Sidecar(scan_id="s-1", direction="rear-first")
    turned = only(driver().feed(encode(dual(sidecar=rear)), 0))
    assert np.array_equal(turned.high, noise(1)[:, ::-1])
    assert turned.high.flags.c_contiguous
    twice = only(driver(flip=True).feed(encode(dual(sidecar=rear)), 0))
    assert np.array_equal(twice.high, noise(1))


def test_what_the_sidecar_leaves_out_comes_from_config_and_arrival():
    scan = only(driver(pitch_x_mm=4.0).feed(encode(dual(sidecar=Sidecar(scan_id="s"))), 77))
    assert (scan.pitch_x_mm, scan.pitch_y_mm) == (4.0, 8.0)
    assert (scan.start_utc_ns, scan.duration_ms) == (77, 0)


def dated(name: str, start_s: float, end_s: float | None = None) -> Sidecar:
    """A sidecar with times from `START_NS` on."""
    end = None if end_s is None else START_NS + int(end_s * 10**9)
    return Sidecar(scan_id=name, start_utc_ns=START_NS + int(start_s * 10**9), end_utc_ns=end)


def test_scans_of_a_backlog_or_of_a_clock_set_back_are_told_and_each_has_a_time_of_its_own():
    reader, arrival = driver(), START_NS + 60 * 10**9
    only(reader.feed(encode(dual(0, dated("late", 50))), arrival))
    starts = []
    for seed in (1, 2, 3):
        scan, told = reader.feed(encode(dual(seed, dated(f"early-{seed}", 10 * seed))), arrival)
        starts.append(scan.start_utc_ns)
        assert scan.notes == ("clock-behind",)
        assert told.reason == "clock-behind"
        assert f"early-{seed}" in told.text
    assert starts == [arrival, arrival + 10**6, arrival + 2 * 10**6]
    after = only(reader.feed(encode(dual(4, dated("next", 120))), START_NS + 180 * 10**9))
    assert (after.start_utc_ns, after.notes) == (START_NS + 120 * 10**9, ())


def test_two_scans_of_one_time_are_still_two():
    reader, arrival = driver(), START_NS + 60 * 10**9
    starts = [
        only(reader.feed(encode(dual(seed, dated(f"s-{seed}", 5))), arrival)).start_utc_ns
        for seed in range(2)
    ]
    assert starts == [START_NS + 5 * 10**9, START_NS + 5 * 10**9 + 10**6]


@pytest.mark.parametrize("ahead_s", [5.1, 90, 3600, 86_000, 10**9])
def test_a_clock_ahead_is_told_and_the_arrival_counts_for_each_scan(ahead_s):
    reader = driver()
    for vehicle in range(3):
        arrival = START_NS + vehicle * 120 * 10**9
        sidecar = dated(f"s-{vehicle}", vehicle * 120 + ahead_s, vehicle * 120 + ahead_s + 9)
        scan, told = reader.feed(encode(dual(vehicle, sidecar)), arrival)
        assert (scan.start_utc_ns, scan.duration_ms) == (arrival - 9 * 10**9, 9000)
        assert told == Malformed(
            "clock-ahead", f"dated {ahead_s:.1f} s after it arrived: s-{vehicle}"
        )


def test_a_clock_a_little_ahead_is_drift_and_still_no_scan_begins_after_it_arrived():
    reader = driver()
    first = only(reader.feed(encode(dual(1, dated("a", 4))), START_NS))
    second = only(reader.feed(encode(dual(2, dated("b", 0.5))), START_NS + 10**9))
    assert (first.start_utc_ns, second.start_utc_ns) == (START_NS, START_NS + 5 * 10**8)


def test_a_picture_of_unknown_arrival_keeps_its_own_time():
    assert only(driver().feed(encode(dual()), 0)).start_utc_ns == START_NS


def test_digests_that_came_with_the_files_are_not_made_again():
    digests = ["0" * 64, "1" * 64, "2" * 64]
    scan = only(driver().feed(encode(dual(), digests), START_NS))
    assert sorted(digest for _, digest in scan.digests) == digests


def test_the_same_pictures_are_taken_once_under_any_name():
    reader = driver()
    assert only(reader.feed(encode(dual()), 0))
    again = {name.replace("s-1", "s-2"): data for name, data in dual().items()}
    again["s-2.json"] = encode_json(Sidecar(scan_id="s-2"))
    assert reason(reader.feed(encode(again), 0)) == "duplicate"
    assert only(reader.feed(encode(dual(2)), 0))


def test_a_wrong_container_number_is_told_and_the_scan_kept():
    wrong = Sidecar(scan_id="s", container_as_read="CSQU3054384")
    scan, bad = driver().feed(encode(dual(sidecar=wrong)), 0)
    assert scan.container == ""
    assert bad == Malformed("bad-container", "CSQU3054384")


@pytest.mark.parametrize(
    "start", ["2026-11-22T10:00:00", "2026-11-22 10:00", "2026-11-22t10:00:00,5"]
)
def test_a_time_without_a_zone_is_told_and_the_scan_kept_with_its_arrival(start):
    files = {**dual(), "s-1.json": f'{{"scan_id": "s-1", "start": "{start}"}}'.encode()}
    scan, told = driver().feed(encode(files), START_NS)
    assert (scan.scan_id, scan.start_utc_ns) == ("s-1", START_NS)
    assert told == Malformed("no-time-zone", start)


def changed(name: str, data: bytes | None) -> dict[str, bytes]:
    files = dual()
    files.pop(name)
    return files if data is None else {**files, name: data}


def enormous_png() -> bytes:
    """A header with the right checksum that promises 20,000 x 20,000 pixels."""
    body = b"IHDR" + struct.pack(">IIBBBBB", 20_000, 20_000, 16, 0, 0, 0, 0)
    rest = written(".png", noise())[33:]
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", crc32(body)) + rest
    )


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (changed("s-1_high.tiff", dual()["s-1_high.tiff"][:2000]), "truncated"),
        (changed("s-1_high.tiff", b""), "truncated"),
        (changed("s-1_low.tiff", b"no picture at all"), "bad-header"),
        (changed("s-1_low.tiff", written(".tiff", noise(2, (40, 61)))), "dimension-mismatch"),
        (changed("s-1_low.tiff", written(".tiff", noise().astype(np.uint8))), "unsupported"),
        (
            changed("s-1_low.tiff", written(".tiff", np.dstack(list(map(noise, (1, 2, 3)))))),
            "unsupported",
        ),
        (changed("s-1_high.tiff", enormous_png()), "too-large"),
        (changed("s-1.json", None), "bad-sidecar"),
        (changed("s-1.json", b"{}"), "unresolved-identity"),
        (changed("s-1.json", b"<!DOCTYPE x><x/>"), "bad-sidecar"),
        (changed("s-1_high.tiff", None), "missing-plane"),
    ],
)
def test_a_bad_scan_has_its_reason_and_the_next_one_is_read(files, expected):
    reader = driver()
    (told,) = reader.feed(encode(files), 0)
    assert told.reason == expected
    assert told.text.startswith(" ".join(files)[:40])  # it can be found again
    assert only(reader.feed(encode(dual(9)), 0))


def test_mutated_files_are_read_or_refused_but_never_raise():
    random = np.random.default_rng(11)
    reader, refused = driver(), 0
    for turn in range(500):
        files = dual(turn % 7, form=(".tiff", ".png")[turn % 2])
        name = list(files)[turn % 3]
        data = bytearray(files[name])
        for at in random.integers(0, min(len(data), 300 if turn % 4 else len(data)), 3):
            data[at] = random.integers(0, 256)
        if turn % 5 == 0:
            del data[random.integers(0, len(data)) :]
        for item in reader.feed(encode({**files, name: bytes(data)}), turn):
            assert isinstance(item, ScanSample) or item.reason in REASONS
            refused += isinstance(item, Malformed)
    assert refused > 100


def test_a_million_random_bytes_raise_nothing_and_are_not_kept():
    random, reader = np.random.default_rng(12), driver()
    tracemalloc.start()
    for _ in range(100):
        reader.feed(random.bytes(5000) + MAGIC + random.bytes(5000), 0)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 2 << 20
    reader.feed(b"", 0)
    assert only(reader.feed(encode(dual()), 0))


def test_files_are_grouped_by_scan_and_complete_only_with_all_that_is_declared():
    names = [
        "b_HIGH.TIF",
        "a_high.tiff",
        "a_low.tiff",
        "a.json",
        "b.xml",
        "c.jpg",
        "c.json",
        "x.txt",
    ]
    found = {scan.name: scan for scan in scan_sets(names, CONFIG)}
    assert found["a"].complete
    assert found["a"].names == ("a_high.tiff", "a_low.tiff", "a.json")
    assert (found["b"].complete, found["b"].missing) == (False, ("low",))
    assert found["c"].complete
    assert set(found) == {"a", "b", "c"}


def test_the_case_of_names_parts_no_scan():
    names = ["A.JPG", "a.xml", "T1_HIGH.TIF", "t1_low.tiff", "t1.JSON", "B.jpeg", "b.XML"]
    found = {scan.name.lower(): scan for scan in scan_sets(names, CONFIG)}
    assert set(found) == {"a", "b", "t1"}
    assert all(scan.complete for scan in found.values())
    twice = scan_sets(["A.JPG", "A.XML", "a.jpg", "a.xml"], CONFIG)
    assert [(scan.names, scan.complete) for scan in twice] == [
        (("A.JPG", "A.XML"), True),
        (("a.jpg", "a.xml"), True),
    ]


@pytest.mark.parametrize(
    "lock", ["a_low.tiff.part", "a.lock", ".a_high.tiff.Xy12", "~$a.json", "a_high.tiff.TMP"]
)
def test_a_set_still_being_written_is_not_complete(lock):
    names = ["a_high.tiff", "a_low.tiff", "a.json"]
    assert scan_sets(names, CONFIG)[0].complete
    (scan,) = scan_sets([*names, lock], CONFIG)
    assert not scan.complete


@pytest.mark.parametrize(
    ("planes", "complete"),
    [("dual", False), ("single", True), ("composite", False), ("auto", False)],
)
def test_what_is_declared_decides(planes, complete):
    config = XrayPlanesConfig(id="x", url="folder:/s", planes=planes)
    assert scan_sets(["a_high.tiff", "a.json"], config)[0].complete is complete


def test_file_name_patterns_are_the_sites_own():
    config = XrayPlanesConfig(
        id="x", url="folder:/s", high=("HE-*.png",), low=("LE-*.png",), sidecar=("*-meta.xml",)
    )
    names = ["HE-77.png", "LE-77.png", "77-meta.xml"]
    assert scan_sets(names, config)[0].complete
    files = {"HE-77.png": written(".png", noise(1)), "LE-77.png": written(".png", noise(2))}
    files["77-meta.xml"] = encode_xml(SIDECAR)
    scan = only(XrayPlanesDriver(config, Origin.SENSOR).feed(encode(files), 0))
    assert np.array_equal(scan.low, noise(2))


def test_recorded_files_become_bundles_with_a_sidecar_each():
    files = dual() | {"lone_high.png": written(".png", noise(3)), "photo.jpeg": b"\xff\xd8\xffx"}
    files |= {"stray.json": encode_json(Sidecar(scan_id="stray"))}
    made = bundles_of(files, CONFIG)
    reader = driver()
    found = [item for piece in made for item in reader.feed(piece, 0)]
    assert [item.scan_id for item in found if isinstance(item, ScanSample)] == ["lone", "s-1"]
    assert len(made) == 3


def recording(name: str):
    return {row.name: row for row in KINDS[0].recordings}[name]


def test_a_bundle_file_replays_each_scan_when_it_ended():
    data = encode(dual()) + encode(dual(2))
    form = recording("xray-bundle")
    assert form.recognise("day.gxb", data[:4096])
    assert not form.recognise("day.gxb", b"x" + data[:4096])
    chunks = list(form.chunks(data))
    assert [at for at, _ in chunks] == [START_NS + 9 * 10**9] * 2
    assert b"".join(piece for _, piece in chunks) == data


@pytest.mark.parametrize(
    ("name", "form", "bits"), [("p.tiff", ".tiff", 16), ("q.png", ".png", 8), ("r", ".jpg", 8)]
)
def test_a_single_picture_replays_as_a_scan(name, form, bits):
    picture = noise() if bits == 16 else (noise() >> 8).astype(np.uint8)
    data = written(form, picture)
    reader, single = driver(), recording("xray-picture")
    assert single.recognise(name, data[:4096])
    (chunk,) = single.chunks(data, file_name=f"/some/where/{name}")
    scan = only(reader.feed(chunk[1], 0))
    assert scan.scan_id == name.split(".")[0]
    assert (scan.high is not None) == (bits == 16)
    assert list(single.chunks(b"no picture")) == []
