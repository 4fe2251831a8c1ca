import math
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.indicators.count import TABLES, count
from edge.indicators.figures import Window, ranges
from edge.record.entries import Kind
from tests.edge.indicators.month import DAY, DECEMBER, NOVEMBER, SECOND, Writer, months, november

GOLDEN = Path(__file__).parents[2] / "golden" / "report"
WHOLE = Window(from_utc_ns=NOVEMBER, to_utc_ns=DECEMBER)


def line(figure):
    """A figure for a person to read."""
    row = " / ".join(code for _, code in figure.row)
    value = "unknown" if figure.value is None else f"{figure.value:.10g}"
    unit = {"time": " s", "share": "", "number": ""}[figure.unit]
    of = "" if figure.of is None else f" of {figure.of}"
    bounds = "" if figure.bounds is None else " [{:.4f}, {:.4f}]".format(*figure.bounds)
    entries = " ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in figure.entries)
    return f"{figure.table}: {row}: {figure.column[1]} = {value}{unit}{of}{bounds} <- {entries}"


def lines(counted):
    return "".join(line(figure) + "\n" for figure in counted.figures)


def by_key(counted):
    found = {}
    for figure in counted.figures:
        key = (figure.table, figure.row, figure.column)
        assert key not in found, "a figure stands twice"
        found[key] = figure
    return found


def figure(counted, table, row, column):
    rows = [
        each
        for each in counted.of(table)
        if tuple(code for _, code in each.row) == row and each.column[1] == column
    ]
    assert len(rows) == 1
    return rows[0]


def test_the_month_has_every_kind_of_entry():
    assert {entry.kind for entry in november()} == set(Kind.__args__)


def test_the_month_counts_as_a_person_counted_it():
    golden = GOLDEN / "november.txt"
    assert lines(count(november(), WHOLE)) == golden.read_text("utf-8")


def test_every_table_has_a_figure_in_the_month():
    filled = {each.table for each in count(november(), WHOLE).figures}
    assert set(TABLES) - filled == {"drill-hand-overs"}


@settings(max_examples=40)
@given(months(), st.lists(st.integers(0, 30 * 86_400), max_size=3))
def test_windows_without_overlap_add_up(entries, cuts):
    edges = [NOVEMBER, *sorted(NOVEMBER + cut * SECOND for cut in cuts), DECEMBER]
    parts = [by_key(count(entries, Window(from_utc_ns=a, to_utc_ns=b))) for a, b in pairwise(edges)]
    whole = by_key(count(entries, WHOLE))
    for key in {key for part in (whole, *parts) for key in part}:
        named = [part[key] for part in (whole, *parts) if key in part]
        if not named[0].adds:
            continue
        total = sum(part[key].value or 0 for part in parts if key in part)
        expected = whole[key].value or 0 if key in whole else 0
        assert math.isclose(total, expected, abs_tol=1e-6), key


@settings(max_examples=40)
@given(months())
def test_every_entry_that_a_figure_names_is_there(entries):
    indexes = {entry.index for entry in entries}
    for each in count(entries, WHOLE).figures:
        assert all(set(range(a, b + 1)) <= indexes for a, b in each.entries)
        assert list(each.entries) == sorted(each.entries)


@settings(max_examples=40)
@given(months())
def test_a_count_is_of_as_many_entries_as_it_says(entries):
    other = {"missing", "passages", "scans", "missing-entries", "missing-alerts"}
    for each in count(entries, WHOLE).figures:
        if each.unit == "number" and each.value is not None and each.table != "refused":
            codes = {code for _, code in (*each.row, each.column)}
            if not codes & other:
                assert each.value == sum(b - a + 1 for a, b in each.entries), each


@settings(max_examples=40)
@given(months())
def test_the_same_entries_give_the_same_figures(entries):
    assert count(entries, WHOLE) == count(list(entries), WHOLE)


@settings(max_examples=40)
@given(months())
def test_states_of_a_sensor_fill_the_window(entries):
    filled = {}
    for each in count(entries, WHOLE).figures:
        if each.column[0] == "state":
            key = each.table, each.row
            filled[key] = filled.get(key, 0.0) + (each.value or 0.0)
    for total in filled.values():
        assert math.isclose(total, 30 * 86_400, abs_tol=1e-3)


def test_nobody_having_decided_is_not_zero():
    w = Writer()
    w.alert("2 08:00", "a", 1, "RAD_THREAT", 3)
    counted = count(w.entries, WHOLE)
    assert figure(counted, "precision", ("all",), "ppv").value is None
    assert figure(counted, "precision", ("all",), "adjudicated").value == 0
    assert figure(counted, "times", ("ack", "either"), "median").value is None
    assert figure(counted, "passages", ("all",), "passages").value is None
    assert figure(counted, "passages", ("all",), "inspection-rate").value is None


def test_a_drill_is_never_among_the_real():
    w = Writer()
    w.alert("2 08:00", "d", 1, "RAD_THREAT", 4, exercise=True)
    w.add("2 08:01", "adjudicate", by="north", alert="d", code="CONFIRMED_THREAT")
    counted = count(w.entries, WHOLE)
    assert figure(counted, "alerts", ("all",), "all").value == 0
    assert counted.of("precision") == []
    assert figure(counted, "drill-alerts", ("all",), "all").value == 1
    assert figure(counted, "passages", ("all",), "examined").entries == ()


def test_an_answer_from_before_the_record_belongs_to_no_alert():
    w = Writer()
    w.add("2 08:00", "ack", by="north", alert="a")
    w.alert("2 08:01", "a", 1, "PERSON", 2)
    counted = count(w.entries, WHOLE)
    assert figure(counted, "holes", ("orphans",), "all").value == 1
    assert figure(counted, "times", ("ack", "either"), "answered").value == 0


def test_what_was_up_before_the_window_is_up_in_it():
    w = Writer()
    w.add(NOVEMBER - 2 * DAY, "start", epoch="e", first_seq=1)
    w.add(NOVEMBER - DAY, "sensor", sensor="rpm", up=True)
    w.add("3 00:00", "sensor", sensor="rpm", up=False)
    w.add("5 00:00", "stop", clean=True)
    counted = count(w.entries, WHOLE)
    assert figure(counted, "sensors", ("rpm",), "up").value == 2 * 86_400
    assert figure(counted, "sensors", ("rpm",), "down").value == 2 * 86_400
    assert figure(counted, "sensors", ("rpm",), "unknown").value == 26 * 86_400
    assert figure(counted, "sensors", ("rpm",), "up-share").value == 0.5


def test_a_simulator_in_its_place_is_no_sensor():
    w = Writer()
    w.add("1 00:00", "start", epoch="e", first_seq=1)
    w.add("1 00:00", "fallback", sensor="rpm", kind="rpm-tsa")
    w.add("1 00:00", "sensor", sensor="rpm", up=True)
    w.add("2 00:00", "stop", clean=True)
    counted = count(w.entries, WHOLE)
    assert figure(counted, "sensors", ("rpm",), "simulated").value == 86_400
    assert figure(counted, "sensors", ("rpm",), "up-share").value == 0


def test_the_time_between_a_crash_and_the_next_start_is_unknown():
    w = Writer()
    w.add("1 00:00", "start", epoch="boot-1", first_seq=1)
    w.add("1 00:00", "sensor", sensor="rpm", up=True)
    w.alert("2 00:00", "a", 1, "PERSON", 2)
    w.alert("5 00:00", "left over, entered at the start", 2, "PERSON", 2)
    w.add("5 00:00", "start", epoch="boot-2", first_seq=3)
    w.add("5 00:00:02", "sensor", sensor="rpm", up=False)
    w.add("5 00:00:03", "sensor", sensor="rpm", up=True)
    w.add("5 01:00", "sensor", sensor="rpm", up=False)
    w.add("5 02:00", "stop", clean=True)
    counted = count(w.entries, WHOLE)
    assert figure(counted, "sensors", ("rpm",), "up").value == 86_400 + 3_597
    assert figure(counted, "sensors", ("rpm",), "down").value == 3_601
    assert figure(counted, "sensors", ("rpm",), "failures").entries == ((7, 7),)
    assert figure(counted, "holes", ("crashes",), "all").entries == ((2, 2),)


def test_an_attempt_to_start_otherwise_than_agreed_is_no_time_of_the_run_that_crashed():
    w = Writer()
    w.add("1 00:00", "start", epoch="boot-1", first_seq=1)
    w.add("1 00:00", "sensor", sensor="rpm", up=True)
    w.alert("2 00:00", "a", 1, "PERSON", 2)
    w.add("4 00:00", "change-refused", what=["thresholds"], digest="d", signers=[], why="unsigned")
    w.add("5 00:00", "start", epoch="boot-2", first_seq=2)
    w.add("5 00:00", "stop", clean=True)
    counted = count(w.entries, WHOLE)
    assert figure(counted, "sensors", ("rpm",), "up").value == 86_400


def test_numbers_that_cannot_be_are_none():
    w = Writer()
    w.alert("2 08:00", "a", 10**400, "PERSON", 99)
    w.add("2 08:00", "gap", sensor="rpm", missing=10**400)
    w.add("2 08:00", "count", lanes={"nb-01": {"passages": -7, "scans": True}})
    counted = count(w.entries, WHOLE)
    assert figure(counted, "alerts", ("PERSON", "0"), "all").value == 1
    assert figure(counted, "sensors", ("rpm",), "missing").value == 0
    assert figure(counted, "passages", ("nb-01",), "passages").value == 0


def test_many_refusals_alike_are_one_entry_and_counted_all():
    w = Writer()
    w.add("2 08:00", "refused", by="south", verb="ack", why="unsigned", count=1)
    w.add("2 08:00:10", "refused", by="south", verb="ack", why="unsigned", count=999)
    counted = count(w.entries, WHOLE)
    assert figure(counted, "refused", ("ack", "unsigned"), "south").value == 1000


def test_alerts_left_over_at_a_crash_are_no_gap():
    w = Writer()
    w.alert("1 01:00", "a", 1, "PERSON", 2)
    w.add("1 02:00", "start", epoch="boot-2", first_seq=3)
    w.alert("1 02:00", "b", 2, "PERSON", 2)
    w.alert("1 02:01", "c", 3, "PERSON", 2, epoch="boot-2")
    w.alert("1 02:02", "d", 6, "PERSON", 2, epoch="boot-2")
    missing = figure(count(w.entries, WHOLE), "holes", ("missing-alerts",), "all")
    assert (missing.value, missing.entries) == (2, ((4, 4),))


def test_entries_out_of_order_are_refused():
    entries = november()
    with pytest.raises(ValueError, match="entry 3 stands behind entry 4"):
        count([entries[4], entries[3]], WHOLE)


@given(st.sets(st.integers(0, 200)))
@settings(max_examples=50)
def test_ranges_hold_the_same_indexes(indexes):
    found = ranges(indexes)
    assert {index for a, b in found for index in range(a, b + 1)} == indexes
    assert all(b + 1 < c for (_, b), (c, _) in pairwise(found))
