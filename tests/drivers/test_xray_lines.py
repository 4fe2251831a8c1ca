import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.wire.malformed import Malformed
from drivers.wire.sidecar import Sidecar, encode_json
from drivers.wire.xray_lines import ALIVE, BEGIN, END, LineFrame, encode
from drivers.xray_lines import XrayLinesConfig, XrayLinesDriver
from drivers.xray_lines_file import LineFile
from fusion.types import Origin, ScanLines, ScanSample

START_NS = 1_795_000_000 * 10**9
LINE_NS = 2_000_000
SECOND_NS = 10**9
ROWS, COLUMNS = 5, 300
SIDECAR = Sidecar(
    scan_id="s-1",
    pitch_x_mm=5.0,
    pitch_y_mm=6.0,
    energies_mev=(9.0, 6.0),
    declared="empty",
    container="CSQU3054383",
)


def planes(columns=COLUMNS, energies=2):
    draw = np.random.default_rng(3).integers(1, 65_536, (energies, ROWS, columns))
    return draw.astype(np.uint16)


def begin(number=7, sidecar=SIDECAR, energies=2, rows=ROWS):
    return LineFrame(number, 0, START_NS, energies, rows, BEGIN, encode_json(sidecar))


def end(number=7, columns=COLUMNS):
    return LineFrame(number, columns, START_NS + columns * LINE_NS, 0, 0, END)


def alive(at_ns=0):
    return LineFrame(0, 0, at_ns, 0, 0, ALIVE)


def lines(number=7, which=None, energies=2, columns=COLUMNS):
    both = planes(columns, energies)
    return [
        LineFrame(
            number, c, START_NS + c * LINE_NS, e, ROWS, 0, both[e, :, c].astype("<u2").tobytes()
        )
        for c in (range(columns) if which is None else which)
        for e in range(energies)
    ]


def driver(**keys):
    return XrayLinesDriver(
        XrayLinesConfig(id="x", lane="l", url="tcp://h:1", **keys), Origin.SENSOR
    )


def fed(frames, at_ns=START_NS + 10 * SECOND_NS, reader=None, **keys):
    return (reader or driver(**keys)).feed(b"".join(map(encode, frames)), at_ns)


def scans(found):
    return [one for one in found if isinstance(one, ScanSample)]


def reasons(found):
    return [one.reason for one in found if isinstance(one, Malformed)]


def whole(found):
    (scan,) = scans(found)
    both = planes()
    assert np.array_equal(scan.high, both[0])
    assert np.array_equal(scan.low, both[1])
    assert not scan.partial
    assert scan.lost_columns == ()
    return scan


def test_lines_become_blocks_and_a_scan():
    found = fed([begin(), *lines(), end()])
    scan = whole(found)
    assert (scan.scan_id, scan.container, scan.declared) == ("s-1", "CSQU3054383", "empty")
    assert (scan.pitch_x_mm, scan.pitch_y_mm, scan.energies_mev) == (5.0, 6.0, (9.0, 6.0))
    assert (scan.start_utc_ns, scan.duration_ms, scan.pitch_known) == (START_NS, 598, True)
    blocks = [one for one in found if isinstance(one, ScanLines)]
    assert [one.first_column for one in blocks] == [0, 64, 128, 192, 256]
    assert np.array_equal(np.concatenate([one.low for one in blocks], axis=1), scan.low)
    assert {(one.declared, one.container) for one in blocks} == {("empty", "CSQU3054383")}
    assert [one.start_utc_ns for one in blocks][:2] == [START_NS, START_NS + 64 * LINE_NS]
    assert len(found) == 6
    assert (
        dict(scan.digests)["lines"] == dict(whole(fed([begin(), *lines(), end()])).digests)["lines"]
    )


def test_blocks_come_while_the_scan_goes_on():
    reader = driver()
    assert len(fed([begin(), *lines(which=range(130))], reader=reader)) == 2


def test_one_energy_is_a_scan_without_a_low_plane():
    (scan,) = scans(fed([begin(energies=1), *lines(energies=1), end()]))
    assert scan.low is None
    assert np.array_equal(scan.high, planes(energies=1)[0])


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32), where=st.integers(1, 602))
def test_any_order_within_64_lines_and_duplicates_are_taken(seed, where):
    chance = random.Random(seed)
    sent = [begin(), *lines(), end()]
    # A frame moves back by no more than 64 lines, which are 128 frames.
    keyed = [(at + chance.uniform(0, 127), at) for at in range(len(sent))]
    shuffled = [sent[at] for _, at in sorted(keyed)]
    shuffled.insert(where, chance.choice(shuffled[:where]))
    reader = driver()
    found = fed(shuffled, reader=reader) + fed([alive()], START_NS + 12 * SECOND_NS, reader)
    scan = whole([one for one in found if not isinstance(one, Malformed)])
    assert scan.scan_id == "s-1"
    assert set(reasons(found)) <= {"scan-ended"}  # the duplicate, where it came last


def without(*gone):
    return [begin(), *lines(which=[c for c in range(COLUMNS) if c not in gone]), end()]


def test_gaps_are_marked_and_hold_zeros():
    found = fed(without(3, 100, 101))
    (scan,) = scans(found)
    assert scan.lost_columns == ((3, 4), (100, 102))
    assert not scan.high[:, [3, 100, 101]].any()
    assert np.array_equal(scan.low[:, 102:], planes()[1][:, 102:])
    assert not scan.partial
    assert reasons(found) == ["lines-lost"]


def test_half_a_line_is_none():
    sent = [begin(), *lines(), end()]
    del sent[1 + 2 * 50]  # the high energy of one line
    (scan,) = scans(fed(sent))
    assert scan.lost_columns == ((50, 51),)
    assert not scan.low[:, 50].any()


def test_a_gap_that_hides_a_parcel_makes_the_scan_partial():
    assert not scans(fed(without(*range(100, 120))))[0].partial  # 0.1 m
    assert scans(fed(without(*range(100, 121))))[0].partial


def test_a_lost_line_just_before_the_end_is_waited_for():
    reader = driver()
    assert not scans(fed(without(280), reader=reader))
    assert whole(fed(lines(which=[280]), reader=reader))
    assert not scans(fed(without(280), reader=reader, at_ns=START_NS))
    reader = driver()
    assert not scans(fed(without(280), START_NS, reader))
    assert not scans(fed([alive()], START_NS + SECOND_NS - 1, reader))
    (scan,) = scans(fed([alive()], START_NS + SECOND_NS, reader))
    assert (scan.lost_columns, scan.partial) == (((280, 281),), False)


def test_an_end_that_is_said_twice_is_no_more_of_the_scan():
    found = fed([begin(), *lines(), end(), end()])
    whole(found)
    assert reasons(found) == []


@pytest.mark.parametrize("cut", [b"", encode(lines()[0])[:9]])
def test_a_scan_survives_a_cut_and_goes_on(cut):
    reader = driver()
    first = fed([begin(), *lines(which=range(150))], START_NS, reader)
    if cut:
        reader.feed(cut, START_NS)
    first += reader.feed(b"", START_NS + SECOND_NS)
    # The scanner begins again a little earlier.
    later = fed(
        [begin(), *lines(which=range(130, COLUMNS)), end()], START_NS + 9 * SECOND_NS, reader
    )
    whole([one for one in first + later if not isinstance(one, Malformed)])
    assert set(reasons(first + later)) <= {"truncated"}


@pytest.mark.parametrize("data", [b"", encode(alive())])
def test_a_scan_that_stops_is_partial(data):
    reader = driver(scan_timeout_s=4.0)
    fed([begin(), *lines(which=range(150))], START_NS, reader)
    assert scans(reader.feed(data, START_NS + 4 * SECOND_NS - 1)) == []
    found = reader.feed(data, START_NS + 4 * SECOND_NS)
    (scan,) = scans(found)
    assert scan.partial
    assert scan.high.shape == (ROWS, 150)
    assert reasons(found) == ["scan-broken-off"]
    assert reader.feed(data, START_NS + 40 * SECOND_NS) == []
    rest = fed(lines(which=range(150, COLUMNS)), START_NS + 41 * SECOND_NS, reader)
    assert reasons(rest) == ["scan-ended"]  # once, and nothing is made of it
    assert len(rest) == 1
    assert whole(fed([begin(), *lines(), end()], START_NS + 50 * SECOND_NS, reader))


def test_another_scan_ends_one_that_did_not():
    reader = driver()
    fed([begin(), *lines(which=range(150))], reader=reader)
    found = fed([begin(8), *lines(8), end(8)], reader=reader)
    first, second = scans(found)
    assert (first.partial, second.partial) == (True, False)
    assert reasons(fed(lines(), reader=reader)) == ["scan-ended"]


def test_a_scan_is_read_without_its_first_frame():
    (scan,) = scans(fed([*lines(), end()]))
    assert (scan.scan_id, scan.container, scan.pitch_x_mm, scan.pitch_known) == (
        "7",
        "",
        8.0,
        False,
    )
    assert scans(fed([*lines(which=range(40, COLUMNS)), end()]))[0].partial


def test_a_rear_first_scan_is_turned_round_and_its_lines_are_told_as_they_come():
    rear = Sidecar(scan_id="s-1", direction="rear-first", pitch_x_mm=5.0)
    found = fed([begin(sidecar=rear), *lines(which=[c for c in range(COLUMNS) if c != 9]), end()])
    (scan,) = scans(found)
    assert np.array_equal(scan.high[:, :-10], planes()[0][:, :9:-1])
    assert scan.lost_columns == ((290, 291),)
    blocks = [one for one in found if isinstance(one, ScanLines)]
    assert [one.first_column for one in blocks] == [0, 64, 128, 192, 256]
    assert np.array_equal(blocks[1].high, planes()[0][:, 64:128])
    assert {one.rear_first for one in blocks} == {True}


def test_lines_say_whether_anybody_knows_their_pitch():
    for sidecar, known in ((SIDECAR, True), (Sidecar(), False)):
        found = fed([begin(sidecar=sidecar), *lines()])
        blocks = [one for one in found if isinstance(one, ScanLines)]
        assert {(one.pitch_known, one.rear_first) for one in blocks} == {(known, False)}


def test_a_clock_that_is_ahead_is_told_and_set_right():
    found = fed([begin(), *lines(), end()], START_NS - 60 * SECOND_NS)
    assert scans(found)[0].start_utc_ns == START_NS - 60 * SECOND_NS
    assert reasons(found) == ["clock-ahead"]


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (LineFrame(7, 20_000, 0, 0, ROWS, 0, bytes(2 * ROWS)), "bad-line"),
        (LineFrame(7, 0, 0, 2, ROWS, 0, bytes(2 * ROWS)), "bad-line"),
        (LineFrame(7, 0, 0, 0, 9, 0, bytes(18)), "dimension-mismatch"),
        (LineFrame(7, 3, 0, 2, ROWS, BEGIN, b"{"), "bad-sidecar"),
        (LineFrame(7, 10, 0, 0, 0, END), "bad-line"),
    ],
)
def test_what_cannot_be_is_refused_and_told_once(frame, reason):
    reader = driver()
    first = [begin()] if reason != "bad-sidecar" else []
    fed([*first, *lines(which=range(20))], reader=reader)
    assert reasons(fed([frame, frame], reader=reader)) == [reason]


def test_lines_of_a_huge_picture_are_refused_before_they_cost_memory():
    tall = LineFrame(7, 2048, 0, 0, 16_384, 0, bytes(2 * 16_384))
    assert reasons(fed([tall])) == ["too-large"]
    assert reasons(fed([begin(rows=16_384), end(columns=16_000)])) == ["bad-line"]


def test_a_recorded_stream_is_read_with_its_times():
    data = b"".join(map(encode, [begin(), *lines(which=range(200))]))
    form, reader = LineFile(), driver()
    assert form.recognise("x.bin", data[:4096])
    found, times = [], []
    for at_ns, piece in form.chunks(data):
        times.append(at_ns)
        found += reader.feed(piece, at_ns)
    assert times[0] == START_NS + 199 * LINE_NS
    (scan,) = scans(found)
    assert scan.partial


def test_scans_of_a_recording_with_hours_of_nothing_between_them_are_whole():
    later = [alive(START_NS + minute * 60 * SECOND_NS) for minute in range(1, 200)]
    data = b"".join(map(encode, [begin(), *lines(), end(), *later]))
    reader = driver()
    found = [one for at_ns, piece in LineFile().chunks(data) for one in reader.feed(piece, at_ns)]
    whole(found)
    assert reasons(found) == []
    assert b"".join(piece for _, piece in LineFile().chunks(data)) == data


# A scanner that was started again, whose scan numbers begin anew


def later(frames, by_s, number=7):
    """The same frames, of lines taken so much later."""
    return [replace(one, scan_id=number, t_ns=one.t_ns + by_s * SECOND_NS) for one in frames]


def hello(session):
    return LineFrame(session, 0, 0, 0, 0, ALIVE)


SCAN = [begin(), *lines(), end()]


def test_a_scan_with_a_number_that_was_there_before_is_another_one():
    reader = driver()
    whole(fed(SCAN, reader=reader))
    for hours in (1, 2):
        found = fed(later(SCAN, 3600 * hours), START_NS + 3600 * hours * SECOND_NS, reader)
        scan = whole(found)
        assert (scan.start_utc_ns, scan.scan_id) == (START_NS + 3600 * hours * SECOND_NS, "s-1")
        assert reasons(found) == []


def test_its_begin_frame_counts_though_a_line_has_to_say_that_it_is_new():
    reader = driver()
    fed(SCAN, reader=reader)
    other = begin(sidecar=Sidecar(scan_id="s-2", pitch_x_mm=6.0))
    found = fed(later([other, *lines(), end()], 60), START_NS + 60 * SECOND_NS, reader)
    scan = whole(found)
    assert (scan.scan_id, scan.pitch_x_mm, scan.container) == ("s-2", 6.0, "")


def test_a_scan_said_once_more_is_no_other_one():
    reader = driver()
    whole(fed(SCAN, reader=reader))
    again = fed(SCAN, START_NS + 60 * SECOND_NS, reader)
    assert (scans(again), reasons(again)) == ([], ["scan-ended"])


def test_a_scanner_that_has_no_clock_says_its_session():
    reader = driver()
    whole(fed([hello(1), *SCAN], reader=reader))
    assert scans(fed([hello(1), *SCAN], reader=reader)) == []
    found = fed([hello(2), *SCAN], reader=reader)  # the very same times
    whole(found)
    assert reasons(found) == []


def test_a_clock_that_is_set_back_by_the_start_is_told_from_a_scan_said_once_more():
    reader = driver()
    whole(fed(SCAN, reader=reader))
    whole(fed(later(SCAN, -86_400), reader=reader))


@pytest.mark.parametrize("greeting", [[], [hello(2)]])
def test_a_scanner_that_is_started_anew_within_a_scan_ends_it(greeting):
    """Its scan has the number of the one that it broke off in."""
    reader = driver()
    first = fed([hello(1), begin(), *lines(which=range(150))], START_NS, reader)
    again = [*greeting, *later(SCAN, 5)]
    found = first + fed(again, START_NS + 5 * SECOND_NS, reader)
    broken, second = scans(found)
    assert (broken.partial, broken.high.shape[1]) == (True, 150)
    assert reasons(found) == ["scan-broken-off"]
    whole([second])
    assert second.start_utc_ns == START_NS + 5 * SECOND_NS


def test_a_resume_that_dates_its_begin_frame_anew_goes_on_with_the_scan():
    reader = driver()
    fed([begin(), *lines(which=range(150))], START_NS, reader)
    reader.feed(b"", START_NS + SECOND_NS)
    rest = [*later([begin()], 8), *lines(which=range(130, COLUMNS)), end()]
    whole(fed(rest, START_NS + 8 * SECOND_NS, reader))


# What an adversary or a bad card sends


def test_lines_later_than_64_are_lost_and_the_gap_is_marked():
    late = [c for c in range(COLUMNS) if c not in range(10, 40)]
    late[late.index(200) : late.index(200)] = range(10, 40)  # 160 lines late
    (scan,) = scans(fed([begin(), *lines(which=late), end()]))
    assert scan.lost_columns == ((10, 40),)
    assert scan.partial  # 0.15 m


def test_frames_of_two_scanners_on_one_link_make_nothing_clear():
    """Each ends the other's scan; what is whole in the end came whole."""
    reader = driver()
    both = [one for pair in zip(lines(7), lines(8), strict=True) for one in pair]
    found = fed([begin(7), begin(8), *both, end(7), end(8)], reader=reader)
    first, *others = scans(found)
    assert first.partial
    assert len(others) == 1
    assert np.array_equal(others[0].high, planes()[0])
    assert set(reasons(found)) == {"no-lines", "no-low-plane", "scan-broken-off", "scan-ended"}


def test_a_slow_sender_has_all_the_time_between_two_lines():
    reader, found = driver(scan_timeout_s=4.0), []
    for at, one in enumerate([begin(), *lines(which=range(70)), end(columns=70)]):
        found += fed([one], START_NS + at * 3 * SECOND_NS, reader)
    (scan,) = scans(found)
    assert (scan.partial, scan.high.shape[1]) == (False, 70)


def test_a_sender_that_stops_within_a_frame_leaves_a_partial_scan():
    reader = driver(scan_timeout_s=4.0)
    sent = b"".join(map(encode, [begin(), *lines(which=range(100))]))
    assert scans(reader.feed(sent[:-7], START_NS)) == []
    found = reader.feed(b"", START_NS + 5 * SECOND_NS)
    (scan,) = scans(found)
    assert scan.partial
    assert scan.lost_columns == ((99, 100),)  # its second energy never came
    assert "truncated" in reasons(found)


def test_a_belt_that_never_stops_gives_a_partial_scan_and_no_more():
    reader, found, kept = driver(), [], []
    pixels = bytes(2 * ROWS)
    for first in range(0, 40_000, 500):
        sent = [LineFrame(7, c, START_NS, 0, ROWS, 0, pixels) for c in range(first, first + 500)]
        found += fed([begin(energies=1), *sent] if not first else sent, reader=reader)
        kept.append(0 if reader._scan is None else len(reader._scan._high))
    (scan,) = scans(found)
    assert (scan.partial, scan.high.shape[1]) == (True, 16_384)
    assert reasons(found) == ["scan-too-long", "scan-broken-off", "scan-ended"]
    assert max(kept) <= 16_384 // 64
    assert kept[-1] == 0


def test_lines_of_other_heights_are_refused_and_end_the_scan_when_nothing_else_comes():
    reader = driver(scan_timeout_s=4.0)
    fed([begin(), *lines(which=range(100))], START_NS, reader)
    found = []
    for second in range(1, 8):
        taller = [LineFrame(7, 100 + second, START_NS, 0, 9, 0, bytes(18))]
        found += fed(taller, START_NS + second * SECOND_NS, reader)
    (scan,) = scans(found)
    assert (scan.partial, scan.high.shape) == (True, (ROWS, 100))
    assert reasons(found)[:2] == ["dimension-mismatch", "scan-broken-off"]


def test_a_counter_that_wraps_within_a_scan_is_no_line_of_it():
    """32 bits last 1,700 hours; a card with 16 or fewer of its own wraps within one."""
    wrapped = [replace(one, line_no=one.line_no % 256) for one in lines()]
    reader = driver()
    found = fed([begin(), *wrapped, end()], START_NS, reader)
    found += fed([alive()], START_NS + 2 * SECOND_NS, reader)
    (scan,) = scans(found)
    assert np.array_equal(scan.high[:, :256], planes()[0][:, :256])
    assert scan.lost_columns == ((256, 300),)
    assert scan.partial
    highest = LineFrame(7, 2**32 - 1, 0, 0, ROWS, 0, bytes(2 * ROWS))
    assert reasons(fed([begin(), highest])) == ["bad-line"]


def test_a_scan_without_a_line_is_told():
    assert reasons(fed([begin(), end(columns=0)])) == ["no-lines"]
    reader = driver(scan_timeout_s=4.0)
    fed([begin()], START_NS, reader)
    assert reasons(fed([alive()], START_NS + 5 * SECOND_NS, reader)) == ["no-lines"]


def test_one_wrong_number_costs_no_more_than_its_line():
    leap = replace(lines(which=[150])[0], line_no=9000)
    found = fed([begin(), *lines(which=range(150)), leap, *lines(which=range(150, 300)), end()])
    assert reasons(found) == ["bad-line"]
    whole([one for one in found if not isinstance(one, Malformed)])


def test_lines_that_were_lost_while_the_link_was_cut_are_no_leap():
    reader = driver()
    found = fed([begin(), *lines(which=[*range(100), *range(290, 300)]), end()], reader=reader)
    found += fed([alive()], START_NS + 20 * SECOND_NS, reader)
    (scan,) = scans(found)
    assert scan.lost_columns == ((100, 290),)
    assert scan.partial


def test_a_scan_whose_low_plane_never_comes_keeps_its_high_one():
    reader = driver()
    found = fed([begin(), *(one for one in lines() if one.energy == 0), end()], reader=reader)
    found += fed([alive()], START_NS + 20 * SECOND_NS, reader)
    (scan,) = scans(found)
    assert scan.low is None
    assert np.array_equal(scan.high, planes()[0])
    assert (scan.lost_columns, reasons(found)) == ((), ["no-low-plane"])


def test_scans_of_a_clock_that_was_set_back_are_of_the_time_at_which_they_came():
    """Two of one time would be taken for one vehicle."""
    reader, starts = driver(), []
    fed(SCAN, START_NS + SECOND_NS, reader)
    for number in (8, 9):
        sent = later(SCAN, -3600, number)
        found = fed(sent, START_NS + number * 60 * SECOND_NS, reader)
        assert reasons(found) == ["clock-behind"]
        starts += [one.start_utc_ns for one in scans(found)]
    assert starts == [START_NS + number * 60 * SECOND_NS for number in (8, 9)]


def test_lines_that_waited_for_their_reader_with_a_minute_of_nothing_behind_them_are_in_time():
    reader = driver()
    fed([begin(), *lines(which=range(150))], START_NS, reader)
    idle = [alive(START_NS + second * SECOND_NS) for second in range(60)]
    sent = [*lines(which=range(150, COLUMNS)), end(), *idle]
    found = fed(sent, START_NS + 60 * SECOND_NS, reader)
    assert reasons(found) == []
    assert not scans(found)[0].partial


def test_frames_of_no_scan_keep_none_waiting():
    reader = driver()
    fed([begin(), *lines(which=range(150))], START_NS, reader)
    (scan,) = scans(reader.feed(b"noise", START_NS + 11 * SECOND_NS))
    assert scan.partial


def test_the_high_energy_comes_first():
    with pytest.raises(ValueError, match="high plane's comes first"):
        driver(energies_mev=(4.0, 6.0))
