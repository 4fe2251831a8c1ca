"""Events of ground motion made by hand, for tests of what is made of them."""

import numpy as np

from fusion.seismic_clip import BEFORE_NS, LONGEST_NS
from fusion.types import SECOND_NS
from fusion.wave_record import WaveRecord, WaveTrace
from tests.fusion.makers import START_UTC_NS

COUNTS_PER_M_S = 4.0e8
LEAD_S = 14.0  # of packets before the event
CLASSES = (
    "person", "group", "animal", "vehicle", "digging", "aircraft", "weather", "machinery", "unknown"
)  # fmt: skip


def motion(seconds, *, rate_hz=200.0, cadence_hz=1.8, tone_hz=0.0, seed=1):
    """Counts: noise, a step of 20 ms at 25 Hz at that cadence or a tone, from LEAD_S on."""
    random = np.random.default_rng(seed)
    at_s = np.arange(round((LEAD_S + seconds) * rate_hz)) / rate_hz
    counts = random.normal(0.0, 60.0, len(at_s))
    since_s = at_s - LEAD_S
    near = np.exp(-(((since_s - seconds / 2) / (0.4 * seconds)) ** 2))
    if cadence_hz:
        phase_s = np.where(since_s >= 0, since_s % (1.0 / cadence_hz), 9.0)
        counts += 4000 * near * np.exp(-phase_s / 0.04) * np.sin(50 * np.pi * phase_s)
    if tone_hz:
        counts += np.where(since_s >= 0, 900 * near * np.sin(2 * np.pi * tone_hz * at_s), 0.0)
    return np.rint(counts + 16_000).astype(np.int32)


def facts_of(name="person", seconds=30.0, *, cadence_hz=1.8, calibrated=True):
    """As a station tells them."""
    others = {each: 0.02 for each in CLASSES if each != name}
    facts = {
        "channel": "EHZ",
        "class": name,
        "classes": {name: 0.84, **others},
        "peak_um_s" if calibrated else "peak_counts": 9.3,
        "ratio": 12.4,
        "duration_s": seconds,
        "cadence_hz": cadence_hz,
        "why": {"chain_nats": 2.31, "cadence": 1.4, "band_12_25": 0.8, "kurtosis": 0.31},
    }
    if cadence_hz:
        count = int(seconds * cadence_hz)
        facts["footfalls_s"] = tuple(round(n / cadence_hz + 0.02, 2) for n in range(count))
    return facts


def trace_of(counts, *, rate_hz=200.0, channel="EHZ", calibrated=True, lost=(), packet_s=0.25):
    """The counts in packets; the numbered ones never came."""
    size = round(packet_s * rate_hz)
    packets = [
        (START_UTC_NS + round(at * SECOND_NS / rate_hz), counts[at : at + size])
        for number, at in enumerate(range(0, len(counts), size))
        if number not in lost
    ]
    return WaveTrace(
        channel=channel,
        rate_hz=rate_hz,
        counts_per_m_s=COUNTS_PER_M_S if calibrated else 1.0,
        calibrated=calibrated,
        packets=tuple(packets),
    )


def wave_record(
    *,
    sensor_id="geo-1",
    seconds=30.0,
    final=False,
    name="person",
    rate_hz=200.0,
    channel="EHZ",
    calibrated=True,
    cadence_hz=1.8,
    tone_hz=0.0,
    lost=(),
    more=(),
    facts=None,
    seed=1,
):
    """A walker who is nearest in the middle; `more` are further traces."""
    counts = motion(seconds, rate_hz=rate_hz, cadence_hz=cadence_hz, tone_hz=tone_hz, seed=seed)
    trace = trace_of(counts, rate_hz=rate_hz, channel=channel, calibrated=calibrated, lost=lost)
    start_ns = START_UTC_NS + round(LEAD_S * SECOND_NS)
    end_ns = start_ns + round(seconds * SECOND_NS)
    told = facts_of(name, seconds, cadence_hz=cadence_hz, calibrated=calibrated)
    return WaveRecord(
        sensor_id=sensor_id,
        start_utc_ns=start_ns,
        end_utc_ns=end_ns,
        begin_utc_ns=max(start_ns - BEFORE_NS, end_ns - LONGEST_NS),
        final=final,
        band_hz=(5.0, 40.0),
        traces=(trace, *more),
        facts=told if facts is None else facts,
    )
