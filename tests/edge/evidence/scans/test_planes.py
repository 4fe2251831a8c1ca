import hashlib
import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.evidence.document import MAX_BYTES
from edge.evidence.scans.planes import message_file, whole_file, whole_name
from edge.evidence.scans.tiff import Page, packed, tiff
from tests.fusion.scan_records import composite_pixels, pixels, scan_record

tifffile = pytest.importorskip("tifffile", reason="tifffile is what the planes are read with")
pytest.importorskip("imagecodecs", reason="imagecodecs unpacks Zstandard for tifffile")

REGIONS = ((14.0, 14.6, 1.6, 2.2), (12.0, 13.2, 1.6, 2.8))


def opened(data):
    """(counts, description) of every page."""
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        return [(page.asarray(), json.loads(page.description)) for page in file.pages]


@pytest.fixture(scope="module")
def record():
    return scan_record()


def test_the_whole_planes_come_back_bit_by_bit(record):
    name = whole_name(record.pixels)
    (high, told), (low, _) = opened(whole_file(record, record.pixels, name))
    assert (high == record.pixels.high).all()
    assert (low == record.pixels.low).all()
    assert hashlib.sha256(high.tobytes() + low.tobytes()).hexdigest() == name
    assert told["whole"] == {"name": f"{name}.tif", "rows": 1200, "columns": 4000}


def test_a_message_carries_both_planes_and_what_stands_out_in_full(record):
    data = message_file(record, record.pixels, "abc", REGIONS)
    assert 0.5 * MAX_BYTES < len(data) <= MAX_BYTES
    pages = opened(data)
    kinds = [(told["content"], told["plane"]) for _, told in pages]
    assert kinds[:2] == [("whole", "high"), ("whole", "low")]
    assert kinds[2:] == [("region", "high"), ("region", "low")] * 2
    for counts, told in pages:
        plane = getattr(record.pixels, told["plane"])
        row, column, side = told["first_row"], told["first_column"], told["binning"]
        assert counts.shape == (told["rows"], told["columns"])
        part = plane[row : row + side * counts.shape[0], column : column + side * counts.shape[1]]
        if side == 1:
            assert (counts == part).all()
        else:
            inner = counts[:-1, :-1]  # the last ones have fewer pixels
            square = part[: side * inner.shape[0], : side * inner.shape[1]]
            means = square.reshape(inner.shape[0], side, -1, side).mean(axis=(1, 3))
            assert np.abs(inner - means).max() <= 0.5
            assert told["pitch_x_mm"] == pytest.approx(side * record.pitch_x_mm)


def test_a_region_is_cut_where_it_is(record):
    pages = opened(message_file(record, record.pixels, "abc", REGIONS))
    told = pages[2][1]
    first_m = (told["first_column"] - told["front_column"]) * told["pitch_x_mm"] / 1000
    assert first_m == pytest.approx(14.0 - 0.15, abs=0.01)
    top_m = (told["bottom_row"] - told["first_row"]) * told["pitch_y_mm"] / 1000
    assert top_m == pytest.approx(2.2 + 0.15, abs=0.01)
    assert pages[2][0].min() < 1100  # the block's e**-5 of the air


@pytest.mark.parametrize(
    ("rows", "columns", "low", "binning"),
    [(1200, 4000, False, 4), (600, 2000, True, 3), (240, 800, True, 1), (150, 400, False, 1)],
)
def test_scans_are_carried_with_as_many_pixels_as_there_is_room_for(rows, columns, low, binning):
    record = scan_record(pixels(rows, columns, low=low))
    data = message_file(record, record.pixels, "abc", REGIONS)
    assert len(data) <= MAX_BYTES
    (high, told), *_ = opened(data)
    assert told["binning"] == binning
    if binning == 1:
        assert (high == record.pixels.high).all()


def test_pure_noise_still_fits():
    random = np.random.default_rng(1)
    made = pixels(600, 1500)
    for plane in (made.high, made.low):
        plane[:] = random.integers(0, 65_536, plane.shape)
    record = scan_record(made)
    assert len(message_file(record, made, "abc", REGIONS * 3)) <= MAX_BYTES


def test_a_region_larger_than_the_room_is_binned_or_left_to_the_whole(record):
    large, vast = (12.0, 15.0, 1.6, 3.2), (0.0, 17.5, 0.0, 4.2)
    pages = opened(message_file(record, record.pixels, "abc", [vast, large]))
    assert [told["content"] for _, told in pages] == ["whole"] * 2 + ["region"] * 2
    assert pages[2][1]["binning"] == 2


def test_a_picture_of_eight_bits_stays_one():
    record = scan_record(composite_pixels())
    ((grey, told),) = opened(message_file(record, record.pixels, "abc", ()))
    assert grey.dtype == np.uint8
    assert told["plane"] == "composite"
    assert (grey == record.pixels.composite).all()


def test_a_partial_scan_and_lost_lines_are_told():
    record = scan_record(pixels(240, 800), partial=True, lost_columns=((300, 340),))
    told = opened(message_file(record, record.pixels, "abc", ()))[0][1]
    assert told["partial"] is True
    assert told["lost_columns"] == [[300, 340]]


@given(st.integers(1, 70), st.integers(1, 70), st.sampled_from([np.uint8, np.uint16]), st.data())
@settings(max_examples=30)
def test_any_picture_comes_back(rows, columns, kind, data):
    seed = data.draw(st.integers(0, 1000))
    random = np.random.default_rng(seed)
    sheets = [
        random.integers(0, np.iinfo(kind).max + 1, (rows + n, columns)).astype(kind)
        for n in range(data.draw(st.integers(1, 3)))
    ]
    pages = [Page(counts=one, description='{"a": 1}', pitch_mm=(4.0, 5.0)) for one in sheets]
    found = opened(tiff([packed(page) for page in pages], "test"))
    assert all((one == sheet).all() for (one, _), sheet in zip(found, sheets, strict=True))


def test_libtiff_reads_every_page(record):
    """Pillow brings a libtiff that has Zstandard."""
    image_of = pytest.importorskip("PIL.Image", reason="Pillow reads with libtiff")
    data = message_file(record, record.pixels, "abc", REGIONS)
    with image_of.open(io.BytesIO(data)) as picture:
        for number, (counts, _) in enumerate(opened(data)):
            picture.seek(number)
            assert (np.asarray(picture) == counts).all()


def test_the_pitch_stands_in_the_tags_too(record):
    with tifffile.TiffFile(io.BytesIO(whole_file(record, record.pixels, "abc"))) as file:
        tags = file.pages[0].tags
        numerator, denominator = tags["XResolution"].value
        assert 10 * denominator / numerator == pytest.approx(record.pitch_x_mm)
        assert tags["Software"].value.startswith("garita")
