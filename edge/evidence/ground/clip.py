"""The clip of an event as miniSEED 2: exact counts and times, gaps left open.

Stations know no network of their own, so their codes are made: network `XX`, which the FDSN
keeps for what is not registered; as station the last five letters and digits of the sensor's
id; no location; the device's channel code where it has the three characters of SEED, else one
made of the rate (band code of SEED 2.4, appendix A, for short-period instruments), `H` and the last
character of the channel's name.
"""

from drivers.wire.miniseed import encode
from edge.evidence.document import MAX_BYTES
from edge.evidence.ground.segments import Segment, segments
from fusion.wave_record import WaveRecord, WaveTrace

NETWORK = "XX"
STATION_LETTERS = 5
RECORD_BYTES = 4096
SHORT_BYTES = 512  # of a segment that would leave a long record empty
SHORT_SAMPLES = 400  # which a short record of geophone data holds (facts/seismic.md 1.4)
BANDS = ((1000.0, "G"), (250.0, "D"), (80.0, "E"), (10.0, "S"))
SLOWEST = "M"
STEIM_2_BITS = 29
"""Differences that take more (sign apart) cannot be packed."""


def clip(record: WaveRecord) -> bytes:
    """All channels of the record, one after another.

    A clock that stumbles with every packet makes a record of each, and those fill badly: where
    the file would be too large to send, it has the best channel alone, and of that the end.
    """
    begin_utc_ns, traces = record.begin_utc_ns, record.traces
    data = _packed(record, traces, begin_utc_ns)
    while len(data) > MAX_BYTES:
        if len(traces) > 1:
            traces = traces[:1]
        else:
            begin_utc_ns += (record.end_utc_ns - begin_utc_ns) // 4
        data = _packed(record, traces, begin_utc_ns)
    return data


def _packed(record: WaveRecord, traces: tuple[WaveTrace, ...], begin_utc_ns: int) -> bytes:
    return b"".join(
        b"".join(_records(source_of(record.sensor_id, trace), trace.rate_hz, segment))
        for trace in traces
        for segment in segments(trace, begin_utc_ns, record.end_utc_ns)
    )


def source_of(sensor_id: str, trace: WaveTrace) -> tuple[str, str, str, str]:
    """Network, station, location, channel."""
    station = "".join(filter(_is_code, sensor_id.upper()))[-STATION_LETTERS:]
    return NETWORK, station or "X", "", _channel(trace)


def _channel(trace: WaveTrace) -> str:
    name = "".join(filter(_is_code, trace.channel.upper()))
    if len(name) == 3 and name == trace.channel:
        return name
    band = next((code for least, code in BANDS if trace.rate_hz >= least), SLOWEST)
    return f"{band}H{name[-1:] or 'Z'}"


def _is_code(letter: str) -> bool:
    return letter.isascii() and letter.isalnum()


def _records(source: tuple[str, str, str, str], rate_hz: float, segment: Segment) -> list[bytes]:
    counts = segment.counts
    steps = abs(counts[1:].astype("int64") - counts[:-1])
    steim = max(int(steps.max(initial=0)), abs(int(counts[0]))) < 1 << STEIM_2_BITS
    size = SHORT_BYTES if len(counts) <= SHORT_SAMPLES else RECORD_BYTES
    return encode(
        source, segment.start_utc_ns, rate_hz, counts, version=2, steim=steim, record_bytes=size
    )
