"""Scans as the page gets them: the very counts that were written, and what they are worth."""

import json

import numpy as np
import pytest

from edge.console.routes import API
from edge.console.scans import NoScan, Pictures, counts_of, pages_of
from edge.evidence.scans.planes import message_file, whole_file, whole_name
from tests.fusion.scan_records import pixels, scan_record


def kept(folder, made, **more):
    """A scan as the station keeps it; its name."""
    name = whole_name(made)
    (folder / "kept").mkdir(parents=True, exist_ok=True)
    data = whole_file(scan_record(made), made, name)
    (folder / "kept" / f"{name}.tif").write_bytes(data)
    return name, data


def test_every_count_comes_back(tmp_path):
    made = pixels(240, 800)
    name, _ = kept(tmp_path, made)
    pictures = Pictures(tmp_path)
    for plane, counts in (("high", made.high), ("low", made.low)):
        got = np.frombuffer(pictures.plane(name, b"", plane), "<u2").reshape(counts.shape)
        np.testing.assert_array_equal(got, counts)
    about = pictures.about(name, b"")
    assert (about.rows, about.columns) == made.high.shape
    assert [one.plane for one in about.planes] == ["high", "low"]
    assert about.binning == 1


def test_a_part_of_the_alert_stands_in_where_the_whole_is_gone(tmp_path):
    made = pixels(240, 800)
    data = message_file(scan_record(made), made, whole_name(made), [])
    pictures = Pictures(tmp_path)
    payload = json.dumps(
        {"evidence": [{"name": "planes-2.tif", "sha256": "ab" * 32}], "contributions": []}
    ).encode()
    (found,) = pictures.of(payload, lambda digest: data).scans
    assert found.sha256 == "ab" * 32
    about = pictures.about(found.sha256, data)
    raw = pictures.plane(found.sha256, data, "high")
    assert len(raw) == 2 * about.rows * about.columns
    name, _ = kept(tmp_path, made)
    (found,) = pictures.of(payload, lambda digest: data).scans
    assert (found.sha256, found.whole) == (name, True)


@pytest.mark.parametrize("cut", [0, 3, 8, 200, -40])
def test_a_damaged_file_is_no_scan_and_no_crash(tmp_path, cut):
    made = pixels(240, 800)
    _, data = kept(tmp_path / "whole", made)
    with pytest.raises(NoScan):
        pictures = Pictures(tmp_path)
        pictures.plane("cd" * 32, data[:cut], "high")


def test_bytes_that_were_changed_are_told(tmp_path):
    made = pixels(240, 800)
    _, data = kept(tmp_path, made)
    page = pages_of(data)[0]
    offset, size = page.strips[0]
    broken = data[:offset] + bytes(size) + data[offset + size :]
    with pytest.raises(NoScan, match="damaged"):
        counts_of(broken, page)


def test_what_stands_out_comes_with_the_scan(tmp_path):
    made = pixels(240, 800)
    data = message_file(scan_record(made), made, whole_name(made), [])
    place = {"from_m": 9.09, "to_m": 9.54, "bottom_m": 1.47, "top_m": 1.92}
    rows = [
        {"source": "xray-1", "kind": "xray.dense", "nats": 2.0,
         "facts": place | {"excess_g_cm2": 146.7, "material": "dense"}},
        {"source": "xray-1", "kind": "xray.dense", "nats": 1.0, "facts": place},
        {"source": "rpm-1", "kind": "gamma", "nats": 9.0, "facts": place},
        {"source": "xray-1", "kind": "xray.emptiness", "nats": 9.0, "facts": {"from_m": "x"}},
    ]  # fmt: skip
    payload = json.dumps(
        {"evidence": [{"name": "planes.tif", "sha256": "ab" * 32}], "contributions": rows}
    ).encode()
    sensor = pages_of(data)[0].told["sensor"]
    payload = payload.replace(b"xray-1", sensor.encode())
    (found,) = Pictures(tmp_path).of(payload, lambda digest: data).scans
    (box,) = found.boxes
    assert (box.number, box.from_m, box.top_m) == (1, 9.09, 1.92)
    assert (box.areal_g_cm2, box.material) == (146.7, "dense")


def test_the_routes_say_what_there_is_not(station):
    client = station.client("operator")
    assert client.get(f"{API}/alerts/A9/scans").status_code == 404
    for path in (f"/scans/{'0' * 64}/about", f"/scans/{'0' * 64}/planes/high", "/scans/x/about"):
        assert client.get(API + path).status_code == 404
