import hashlib
import io
from dataclasses import replace

import numpy as np
import pytest

from edge.evidence.document import MAX_BYTES
from edge.evidence.ground.clip import clip, source_of
from edge.evidence.ground.segments import segments
from fusion.seismic_clip import MAX_SAMPLES
from fusion.types import SECOND_NS
from tests.fusion.makers import START_UTC_NS
from tests.fusion.wave_records import motion, trace_of, wave_record

obspy = pytest.importorskip("obspy", reason="ObsPy is what the clips are checked against")


def opened(record):
    """ObsPy's traces, each with a start in ns."""
    return list(obspy.read(io.BytesIO(clip(record)), format="MSEED"))


def sent(record, begin_utc_ns, end_utc_ns):
    """Sample by sample: UTC ns and count, straight from the packets of the first trace."""
    trace = record.traces[0]
    return {
        round(start + n * SECOND_NS / trace.rate_hz): int(count)
        for start, counts in trace.packets
        for n, count in enumerate(counts)
        if begin_utc_ns <= round(start + n * SECOND_NS / trace.rate_hz) < end_utc_ns
    }


def read_samples(traces):
    return {
        round(trace.stats.starttime.ns + n * SECOND_NS / trace.stats.sampling_rate): int(count)
        for trace in traces
        for n, count in enumerate(trace.data)
    }


@pytest.mark.parametrize("rate_hz", [50.0, 100.0, 200.0, 250.0, 500.0, 4300.0])
def test_obspy_reads_every_sample_at_its_time(rate_hz):
    record = wave_record(seconds=12.0, rate_hz=rate_hz)
    wanted = sent(record, record.begin_utc_ns, record.end_utc_ns)
    found = read_samples(opened(record))
    assert list(found.values()) == list(wanted.values())
    # miniSEED 2 tells times to a microsecond.
    assert max(abs(a - b) for a, b in zip(found, wanted, strict=True)) <= 1000


def test_a_crooked_rate_is_kept_to_a_millionth():
    record = wave_record(seconds=12.0, rate_hz=495.3)
    (trace,) = opened(record)
    assert trace.stats.sampling_rate == pytest.approx(495.3, rel=1e-6)
    wanted = sent(record, record.begin_utc_ns, record.end_utc_ns)
    assert trace.data.tolist() == list(wanted.values())


def test_gaps_stay_gaps():
    record = wave_record(seconds=20.0, lost=[*range(60, 64), 90])
    whole = wave_record(seconds=20.0)
    traces = opened(record)
    assert len(traces) == 3
    assert list(read_samples(traces).values()) == list(
        sent(record, record.begin_utc_ns, record.end_utc_ns).values()
    )
    lost = len(sent(whole, whole.begin_utc_ns, whole.end_utc_ns)) - len(read_samples(traces))
    assert lost == 5 * 50


def test_a_packet_that_is_off_by_half_a_sample_has_a_time_of_its_own():
    record = wave_record(seconds=5.0)
    early, late = record.traces[0].packets[:40], record.traces[0].packets[40:]
    for off_ns, pieces in ((2_400_000, 1), (2_500_000, 2), (-2_500_000, 2)):
        moved = tuple((start + off_ns, counts) for start, counts in late)
        trace = replace(record.traces[0], packets=early + moved)
        found = segments(trace, 0, record.end_utc_ns + SECOND_NS)
        assert len(found) == pieces
        assert found[-1].start_utc_ns == (moved[0][0] if pieces == 2 else early[0][0])


def test_the_clip_begins_before_the_event_and_ends_with_it():
    record = wave_record(seconds=8.0)
    traces = opened(record)
    assert traces[0].stats.starttime.ns == record.begin_utc_ns
    assert traces[0].stats.endtime.ns == record.end_utc_ns - SECOND_NS // 200
    assert record.start_utc_ns - record.begin_utc_ns == 10 * SECOND_NS


def test_all_channels_are_in_the_clip():
    more = trace_of(motion(5.0, cadence_hz=0.0, seed=2), channel="EHN")
    record = wave_record(seconds=5.0, more=(more,))
    assert [trace.stats.channel for trace in opened(record)] == ["EHZ", "EHN"]


def test_counts_whose_differences_do_not_fit_are_kept_plain():
    record = wave_record(seconds=5.0)
    wild = np.random.default_rng(1).integers(-(2**31), 2**31, 4000).astype(np.int32)
    record = replace(record, traces=(trace_of(wild),))
    (trace,) = opened(record)
    assert trace.stats.mseed.encoding == "INT32"
    assert trace.data.tolist() == list(
        sent(record, record.begin_utc_ns, record.end_utc_ns).values()
    )


def test_the_largest_clip_is_small_enough_to_be_sent():
    for span in (2**28, 2**31):  # what Steim 2 packs worst, and what it cannot pack
        wild = np.random.default_rng(1).integers(-span, span, MAX_SAMPLES).astype(np.int32)
        record = replace(wave_record(seconds=5.0), traces=(trace_of(wild, rate_hz=5000.0),))
        assert (
            len(clip(replace(record, end_utc_ns=record.start_utc_ns + 40 * SECOND_NS))) <= MAX_BYTES
        )


@pytest.mark.parametrize("channels", [1, 2])
def test_a_clock_that_stumbles_costs_the_other_channels_and_the_beginning(channels):
    wild = np.random.default_rng(1).integers(-(2**28), 2**28, MAX_SAMPLES // channels)
    trace = trace_of(wild.astype(np.int32), rate_hz=5000.0, packet_s=0.09)
    moved = tuple((ns + n % 2 * 10**6, counts) for n, (ns, counts) in enumerate(trace.packets))
    trace = replace(trace, packets=moved)
    record = wave_record(seconds=5.0)
    end_ns = START_UTC_NS + 40 * SECOND_NS // channels
    record = replace(
        record, traces=(trace,) * channels, begin_utc_ns=START_UTC_NS, end_utc_ns=end_ns
    )
    data = clip(record)
    assert 0 < len(data) <= MAX_BYTES
    assert opened(record)[-1].stats.endtime.ns > record.end_utc_ns - SECOND_NS


def test_a_record_without_samples_is_no_clip():
    record = wave_record(seconds=5.0)
    assert clip(replace(record, traces=(replace(record.traces[0], packets=()),))) == b""


@pytest.mark.parametrize(
    ("sensor_id", "channel", "rate_hz", "codes"),
    [
        ("geo-nb-01", "EHZ", 100.0, ("XX", "ONB01", "", "EHZ")),
        ("g1", "ch0", 4300.0, ("XX", "G1", "", "GH0")),
        ("geo-1", "counts", 250.0, ("XX", "GEO1", "", "DHS")),
        ("geo-1", "Z", 100.0, ("XX", "GEO1", "", "EHZ")),
        ("geo-1", "z", 20.0, ("XX", "GEO1", "", "SHZ")),
        ("---", "", 1.0, ("XX", "X", "", "MHZ")),
    ],
)
def test_codes_are_made_by_the_stated_rule(sensor_id, channel, rate_hz, codes):
    trace = trace_of(np.zeros(10, np.int32), rate_hz=rate_hz, channel=channel, packet_s=1.0)
    assert source_of(sensor_id, trace) == codes


def test_the_bytes_are_these_on_every_machine():
    """Packed by libmseed: another version of it may pack otherwise, and is pinned for that."""
    digests = [
        hashlib.sha256(clip(wave_record(seconds=20.0, **keys))).hexdigest()[:16]
        for keys in ({}, {"lost": range(60, 64)}, {"rate_hz": 4300.0, "channel": "ch0"})
    ]
    assert digests == GOLDEN


GOLDEN = ["688a75a5ee14d4bc", "50e931a70708228c", "e04c314ba060ee79"]
