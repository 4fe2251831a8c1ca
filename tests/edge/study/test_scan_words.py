"""What a person reads of a scan."""

from edge.study.played import Tried
from edge.study.scan_words import table
from fusion.types import Detection, Family, Origin

REGION = {
    "from_m": 5.1,
    "to_m": 5.9,
    "bottom_m": 1.2,
    "top_m": 1.8,
    "excess_g_cm2": 64.4,
    "sigma": 14.0,
    "material": "dense",
    "material_share": 0.7,
    "mass_kg": 139.2,
}
FACTS = {
    "empty": False,
    "fill": 0.4818,
    "regions": (REGION,),
    "unpenetrated": 0.012,
    "mass_kg": 20_748.7,
    "mass_sd_kg": 1_334.5,
    "sure": {"empty": 1.0, "fill": 0.95, "geometry": 0.9},
    "geometry": {
        "box_from_m": 4.2,
        "box_to_m": 16.3,
        "deck_m": 1.1,
        "roof_m": 3.6,
        "container_ft": 40.0,
        "boxes": 1.0,
    },
    "quality": {"air_counts": 57_670.0, "dead_rows": 2.0, "penetration_mm": 331.0, "quanta": 1.0},
    "scan_id": "a",
    "length_m": 16.7,
    "notes": ("no-low-plane", "pitch-assumed", "of-tomorrow"),
}


def lines(files=None, **facts):
    told = Detection(
        sensor_id="x",
        family=Family.XRAY,
        origin=Origin.REPLAY,
        kind="xray.scan",
        start_utc_ns=0,
        end_utc_ns=0,
        facts={**FACTS, **facts},
    )
    return list(table(files or Tried("a.tif", "9 x 8, 16 bits, grey", "one plane"), told))


def test_a_scan_is_a_table_of_values_units_and_how_sure():
    assert [" ".join(line.split()) for line in lines()] == [
        "a.tif (9 x 8, 16 bits, grey): taken for one plane: no materials",
        "empty no 99% sure",
        "fill 48% of the box, seen from the side 95% sure",
        "geometry 40 ft box, 4.20 to 16.30 m from the front, 1.10 to 3.60 m up 90% sure",
        "regions 5.10 to 5.90 m from the front, 1.20 to 1.80 m up",
        "64 g/cm² over its surroundings, dense (70% sure), 139 kg",
        "unpenetrated 1.2% of the box too dark to judge",
        "mass 20,749 kg, give or take 1,334 kg",
        "quality air 57670 counts, 2 dead rows, sees through 331 mm of steel",
        "noted nobody said how large a pixel is: lengths may be wrong (--set pitch_x_mm=)",
        "of-tomorrow",
    ]


def test_where_nothing_was_found_nothing_is_claimed():
    told = lines(length_m=0.0, sure={}, quality={}, notes=("no-picture",))
    assert [" ".join(line.split()) for line in told[1:]] == [
        "result none: neither empty nor loaded",
        "quality not measured",
        "noted too few pixels to measure anything",
    ]


def test_two_boxes_no_box_and_a_box_of_no_standard_are_told_apart():
    geometry = FACTS["geometry"]
    assert "2 boxes of 20 ft" in lines(geometry={**geometry, "boxes": 2.0})[3]
    assert "no ISO box" in lines(geometry={**geometry, "container_ft": 0.0})[3]
    assert "no box; 16.7 m long" in lines(geometry={})[3]


def test_of_a_display_picture_no_dense_place_is_claimed_not_to_be_there():
    told = lines(regions=(), mass_kg=None, notes=("composite-only",))
    assert any(line.endswith("not looked for") for line in told)
    assert not any("mass  " in line for line in told)


def test_what_else_is_to_be_told_of_the_files_stands_below_their_names():
    assert lines(Tried("a_low.tif", note="its name says low"))[1] == "  its name says low"
