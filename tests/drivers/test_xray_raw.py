import struct
from functools import partial

import cv2
import numpy as np
import pytest

from drivers.wire.bundle import encode
from drivers.wire.malformed import Malformed
from drivers.wire.raw_plane import RawLayout
from drivers.wire.sidecar import Sidecar, encode_json, encode_xml, parse_sidecar
from drivers.xray import XrayPlanesConfig, XrayPlanesDriver, bundles_of, scan_sets
from drivers.xray_files import is_whole
from drivers.xray_pictures import PictureReader
from fusion.types import Origin, ScanSample

ROWS, COLUMNS = 6, 9
SIDE = {"s.json": encode_json(Sidecar(scan_id="s"))}
HEADED = {
    "raw_header_bytes": 16,
    "raw_width_at": 0,
    "raw_height_at": 4,
    "raw_bits_at": 8,
}


def plane(seed=1, bits=16):
    draw = np.random.default_rng(seed).integers(1, 2**bits, (ROWS, COLUMNS))
    return draw.astype(np.uint16 if bits == 16 else np.uint8)


def headed(picture, order="<", **changes):
    numbers = {"width": picture.shape[1], "height": picture.shape[0], "bits": picture.itemsize * 8}
    head = struct.pack(f"{order}IIII", *(numbers | changes).values(), 7)
    return head + picture.astype(picture.dtype.newbyteorder(order)).tobytes()


def read(files, **keys):
    config = XrayPlanesConfig(id="x", lane="l", url="folder:/x", **keys)
    (found,) = XrayPlanesDriver(config, Origin.SENSOR).feed(encode(files), 0)
    return found


def test_sibling_planes_are_read_by_their_declared_layout():
    files = {"s_high.raw": headed(plane(1)), "s_low.raw": headed(plane(2)), **SIDE}
    scan = read(files, **HEADED)
    assert np.array_equal(scan.high, plane(1))
    assert np.array_equal(scan.low, plane(2))
    assert scan.high.dtype == np.uint16
    assert scan.high.flags.c_contiguous
    assert (scan.pitch_known, scan.pitch_x_mm, scan.energies_mev) == (False, 8.0, (6, 4))


def test_the_order_of_bytes_and_of_lines_is_declared():
    files = {"s_high.raw": headed(plane(), ">"), **SIDE}
    assert np.array_equal(read(files, **HEADED, raw_order="big").high, plane())
    by_line = np.ascontiguousarray(plane().T).astype("<u2").tobytes()
    keys = {"raw_width": COLUMNS, "raw_column_major": True}
    assert np.array_equal(read({"s_high.raw": by_line, **SIDE}, **keys).high, plane())
    assert np.array_equal(
        read({"s_high.raw": by_line, **SIDE}, raw_height=ROWS, raw_column_major=True).high, plane()
    )


def test_planes_of_8_bits_are_a_display_picture_and_so_is_a_raw_composite():
    eight = plane(bits=8)
    files = {"s_high.raw": headed(eight), "s_low.raw": headed(plane(bits=8)), **SIDE}
    scan = read(files, **HEADED)
    assert (scan.high, scan.low, scan.notes) == (None, None, ("eight-bits",))
    assert np.array_equal(scan.composite, eight)
    files["s_low.raw"] = headed(plane())
    assert read(files, **HEADED).reason == "dimension-mismatch"
    keys = {"raw_width": COLUMNS, "raw_bits": 8, "composite": ("*.grey",)}
    assert np.array_equal(read({"s.grey": eight.tobytes(), **SIDE}, **keys).composite, eight)


def test_a_material_plane_is_kept_but_not_read():
    files = {"s_high.raw": headed(plane()), "s_material.raw": b"anything", **SIDE}
    assert [name for name, _ in read(files, **HEADED).digests] == sorted(files)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (headed(plane())[:-1], "truncated"),
        (headed(plane())[:9], "truncated"),
        (headed(plane()) + b"\0\0", "dimension-mismatch"),
        (headed(plane(), width=0), "bad-header"),
        (headed(plane(), bits=12), "unsupported"),
        (headed(plane(), width=2**31, height=2**31), "too-large"),
        (headed(plane(), width=16_384, height=16_384), "too-large"),
        (headed(plane(), height=5000), "truncated"),
    ],
)
def test_a_header_that_lies_is_malformed(data, reason):
    bad = read({"s_high.raw": data, **SIDE}, **HEADED)
    assert isinstance(bad, Malformed)
    assert bad.reason == reason


def test_siblings_of_different_sizes_do_not_go_together():
    files = {"s_high.raw": headed(plane()), "s_low.raw": headed(plane()[:3]), **SIDE}
    assert read(files, **HEADED).reason == "dimension-mismatch"


def test_raw_planes_without_a_declared_layout_are_none():
    assert read({"s_high.raw": headed(plane()), **SIDE}).reason == "bad-header"


def test_a_layout_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="beyond the header of 4"):
        XrayPlanesConfig(id="x", url="folder:/x", raw_header_bytes=4, raw_width_at=2)


def test_recorded_planes_are_sorted_by_what_their_names_sound_like():
    names = ["high.raw", "low.raw", "A7-HE.bin", "A7-LE.bin", "A7-mat.bin", "b.dat"]
    config = XrayPlanesConfig(id="x", url="folder:/x", raw_width=COLUMNS)
    files = {name: plane(at + 1).tobytes() for at, name in enumerate(names)}
    scans = {}
    for bundle in bundles_of(files, config):
        (scan,) = XrayPlanesDriver(config, Origin.REPLAY).feed(bundle, 0)
        scans[scan.scan_id] = scan
    assert sorted(scans) == ["A7", "b", "scan"]
    assert np.array_equal(scans["scan"].low, plane(2))
    assert np.array_equal(scans["A7"].high, plane(3))
    assert np.array_equal(scans["A7"].low, plane(4))
    assert scans["b"].low is None


def pages(*pictures):
    return cv2.imencodemulti(".tiff", list(pictures))[1].tobytes()


def test_the_pages_of_one_file_are_its_planes():
    data = pages(plane(1), plane(2), plane(3)[:2])
    scan = read({"s_planes.tiff": data, **SIDE})
    assert np.array_equal(scan.high, plane(1))
    assert np.array_equal(scan.low, plane(2))
    turned = read({"s_planes.tiff": data, **SIDE}, pages=("low", "high"))
    assert np.array_equal(turned.high, plane(2))
    assert read({"s_planes.tiff": data, **SIDE}, pages=("skip", "high")).low is None
    assert read({"s_planes.tiff": pages(plane()), **SIDE}).low is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (pages(plane(), plane()[:2]), "dimension-mismatch"),
        (pages(plane(), plane(bits=8)), "unsupported"),
        (pages(*[plane()] * 17), "too-large"),
        (pages(plane(), plane())[:-40], "truncated"),
    ],
)
def test_pages_that_do_not_fit_are_malformed(data, reason):
    assert read({"s_planes.tiff": data, **SIDE}).reason == reason


def test_a_chain_of_pages_that_bites_its_tail_ends():
    data = bytearray(pages(plane(), plane(2)))
    (first,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, first)
    (second,) = struct.unpack_from("<I", data, first + 2 + 12 * count)
    (count,) = struct.unpack_from("<H", data, second)
    struct.pack_into("<I", data, second + 2 + 12 * count, first)
    assert read({"s_planes.tiff": bytes(data), **SIDE}).reason == "bad-header"


def test_a_set_of_pages_is_complete_by_itself():
    config = XrayPlanesConfig(id="x", url="folder:/x")
    (one,) = scan_sets(["s_planes.tif", "s.json"], config)
    assert one.complete
    triple = XrayPlanesConfig(id="x", url="folder:/x", planes="triple")
    (waiting,) = scan_sets(["s_high.raw", "s_low.raw", "s.json"], triple)
    assert waiting.missing == ("material",)


@pytest.mark.parametrize("write", [encode_json, encode_xml])
def test_a_sidecar_says_the_energies_of_the_pair(write):
    told = Sidecar(scan_id="s", energies_mev=(9.0, 6.0), pitch_x_mm=5.0)
    assert parse_sidecar(write(told)) == told
    scan = read({"s_high.raw": headed(plane()), "s.json": write(told)}, **HEADED)
    assert (scan.energies_mev, scan.pitch_known) == ((9.0, 6.0), True)


@pytest.mark.parametrize("text", ["4/6", "6 4", "4,6", "6 / 4"])
def test_energies_are_read_however_they_are_written(text):
    found = parse_sidecar(f"<a><id>s</id><Energies-MeV>{text}</Energies-MeV></a>".encode())
    assert found.energies_mev == (6.0, 4.0)


@pytest.mark.parametrize("value", ["[6]", "[4,6,9]", "[0,6]", '"6 MeV"', "[4,1000]"])
def test_energies_that_cannot_be_spoil_a_sidecar(value):
    found = parse_sidecar(f'{{"scan_id":"s","energies_mev":{value}}}'.encode())
    assert found.reason == "bad-sidecar"


def test_a_file_says_itself_whether_it_is_all_there():
    whole = partial(is_whole, sidecar=False)
    tiff = cv2.imencode(".tiff", plane())[1].tobytes()
    jpeg = cv2.imencode(".jpg", plane(bits=8))[1].tobytes()
    png = cv2.imencode(".png", plane())[1].tobytes()
    layout = XrayPlanesConfig(id="x", url="folder:/x", **HEADED).raw
    for data, how in ((tiff, None), (jpeg, None), (png, None), (headed(plane()), layout)):
        assert whole(data, how) is True
        assert whole(data[:-9], how) is False
        assert whole(data[: len(data) // 2] + bytes(9000), how) is False  # size set, not filled
    open_ended = XrayPlanesConfig(id="x", url="folder:/x", raw_width=COLUMNS).raw
    assert whole(plane().tobytes(), open_ended) is None
    assert is_whole(SIDE["s.json"], None, sidecar=True) is True
    assert is_whole(SIDE["s.json"][:-1], None, sidecar=True) is False


def test_planes_are_samples_of_their_kind():
    assert isinstance(read({"s_high.raw": headed(plane()), **SIDE}, **HEADED), ScanSample)


@pytest.mark.parametrize("start", [b"P5\n\x35", b"P2 \x30", b"BM\0\0\0\0\0\0\0\0"])
def test_pixels_that_begin_as_a_picture_would_are_pixels(start):
    data = start + bytes(range(1, 121 - len(start)))
    told = RawLayout(width=12, height=5)
    assert is_whole(data, told, sidecar=False)
    found = PictureReader(layout=told).read({"high": data})
    assert found.planes["high"].tobytes() == data
