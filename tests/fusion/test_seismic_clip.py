import numpy as np
import pytest

from fusion.seismic import SeismicField, SeismicPolicy
from fusion.seismic_clip import (
    KEPT_NS,
    LONGEST_NS,
    MAX_CHANNELS,
    MAX_SAMPLES,
    MOST_KEPT,
    Clip,
)
from fusion.types import SECOND_NS, Detection, Family, Origin, SensorSpec, WaveformSample
from tests.fusion.makers import START_UTC_NS
from tests.fusion.wave_records import motion

SPEC = SensorSpec(sensor_id="geo-1", family=Family.SEISMIC, place="east")


def packet(at_s, counts=None, *, rate_hz=100.0, channel="EHZ", scale=4e8):
    return WaveformSample(
        sensor_id="geo-1",
        origin=Origin.SENSOR,
        start_utc_ns=START_UTC_NS + round(at_s * SECOND_NS),
        rate_hz=rate_hz,
        channel=channel,
        counts=np.zeros(round(rate_hz), np.int32) if counts is None else counts,
        counts_per_m_s=scale,
    )


def event(start_s, end_s, *, channel="EHZ", final=False):
    return Detection(
        sensor_id="geo-1",
        family=Family.SEISMIC,
        origin=Origin.SENSOR,
        kind="seismic.event",
        start_utc_ns=START_UTC_NS + round(start_s * SECOND_NS),
        end_utc_ns=START_UTC_NS + round(end_s * SECOND_NS),
        facts={"channel": channel, "class": "person"},
        final=final,
    )


def kept(packets):
    clip = Clip(SPEC)
    for each in packets:
        clip.keep(each)
    return clip


def record_of(clip, *where, **keys):
    (told,) = clip.with_records([event(*where, **keys)])
    return told.record


def test_a_detection_carries_its_samples_by_reference_from_ten_seconds_before():
    samples = [packet(second) for second in range(40)]
    record = record_of(kept(samples), 25, 33)
    assert record.begin_utc_ns == START_UTC_NS + 15 * SECOND_NS
    assert record.end_utc_ns == START_UTC_NS + 33 * SECOND_NS
    (trace,) = record.traces
    assert all(
        counts is sample.counts for (_, counts), sample in zip(trace.packets, samples, strict=True)
    )
    assert (record.band_hz, record.facts["class"]) == ((5.0, 40.0), "person")


def test_a_detection_of_a_channel_that_nobody_heard_carries_nothing():
    assert record_of(kept([packet(0)]), 0, 1, channel="EHN") is None
    assert record_of(Clip(SPEC), 0, 1) is None


def test_of_a_long_event_the_last_part_is_kept():
    record = record_of(kept(packet(second) for second in range(300)), 20, 299)
    assert record.end_utc_ns - record.begin_utc_ns == LONGEST_NS
    first_ns = record.traces[0].packets[0][0]
    assert record.begin_utc_ns - KEPT_NS < first_ns <= record.begin_utc_ns


def test_what_is_kept_is_bounded_in_samples_at_any_rate():
    for rate_hz in (50.0, 5000.0):
        clip = kept(packet(second, rate_hz=rate_hz) for second in range(200))
        record = record_of(clip, 150, 199)
        held = sum(len(counts) for _, counts in record.traces[0].packets)
        assert held <= min(MOST_KEPT, 76 * rate_hz) + rate_hz
        wanted = (record.end_utc_ns - record.begin_utc_ns) * rate_hz / SECOND_NS
        assert wanted <= MAX_SAMPLES
        assert record.traces[0].packets[0][0] <= record.begin_utc_ns


def test_one_packet_of_an_hour_is_kept_whole():
    record = record_of(kept([packet(0, np.zeros(360_000, np.int32))]), 1800, 1830)
    assert len(record.traces[0].packets) == 1


def test_all_channels_come_along_where_they_fit_the_one_that_hears_best_first():
    def station(rate_hz):
        return kept(
            packet(second, rate_hz=rate_hz, channel=name)
            for second in range(90)
            for name in ("EHE", "EHN", "EHZ")
        )

    assert [t.channel for t in record_of(station(100.0), 30, 80).traces] == ["EHZ", "EHE", "EHN"]
    assert [t.channel for t in record_of(station(2500.0), 30, 80).traces] == ["EHZ"]


def test_channels_that_a_stranger_invents_are_not_kept_without_end():
    clip = kept(packet(0, channel=f"C{n:02d}") for n in range(50))
    assert record_of(clip, 0, 1, channel="C00") is not None
    assert len(record_of(clip, 0, 1, channel="C00").traces) == MAX_CHANNELS
    assert record_of(clip, 0, 1, channel="C49") is None


@pytest.mark.parametrize(
    "after",
    [packet(3.0), packet(5.0, rate_hz=200.0), packet(5.0, scale=1e8)],
    ids=["back", "rate", "scale"],
)
def test_a_clock_set_back_and_new_units_begin_anew(after):
    clip = kept([*(packet(second) for second in range(5)), after])
    assert len(record_of(clip, 2, 6).traces[0].packets) == 1


def walk():
    counts = motion(25.0, rate_hz=100.0)
    return [packet(at / 100.0, counts[at : at + 25]) for at in range(0, len(counts), 25)]


def test_events_of_a_station_carry_what_it_sent():
    field = SeismicField((SPEC,), SeismicPolicy())
    samples = walk()
    told = [each for sample in samples for each in field.feed(sample)]
    told += field.tick(samples[-1].start_utc_ns + 60 * SECOND_NS)
    assert told
    assert told[-1].final
    for each in told:
        assert each.record.start_utc_ns == each.start_utc_ns
        assert each.record.facts is each.facts
        (trace,) = each.record.traces
        whole = np.concatenate([counts for _, counts in trace.packets])
        begun = round((trace.packets[0][0] - START_UTC_NS) / SECOND_NS * 100)
        sent = np.concatenate([sample.counts for sample in samples])
        assert (whole == sent[begun : begun + len(whole)]).all()
