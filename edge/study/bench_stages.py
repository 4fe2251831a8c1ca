"""Each stage against a named reference, in turn within one run: ratios, for machines are noisy."""

import csv
import importlib.util
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from drivers.wire.datacast import DatacastDecoder
from drivers.wire.tsa import TsaDecoder
from edge.delivery.outbox import Outbox
from edge.delivery.rows import Row
from edge.protocol.messages import alert_message, encode_alert
from edge.station.warmup import example_scan, warm_up
from edge.study.figures import Figure, Options, at_least, at_most, plain
from fusion.seismic import SeismicField, SeismicPolicy
from fusion.types import SECOND_NS, Family, Origin, SensorSpec, WaveformSample
from fusion.xray import XrayPolicy, analyse
from simulators.catalog import KINDS
from simulators.scripts import demo

ROUNDS = 5  # the two take turns, so that a noisy neighbour hits both
SEISMIC_S = 12  # of one round
STATIONS = 64  # as many as the reference checkpoint has
PACKETS_PER_S = 4  # 50 samples at 200 Hz, about what a Shake sends
START_UTC_NS = 1_790_000_000 * SECOND_NS


def run(options: Options) -> list[Figure]:
    """Ratios of every stage; above 1 is faster than the reference."""
    # It takes its timing from here.
    from edge.study.bench_evidence import evidence  # noqa: PLC0415 - see above

    figures = []
    for name, bench in (
        ("datacast", datacast),
        ("tsa", tsa),
        ("seismic", seismic),
        ("xray", xray),
        ("message", message),
        ("evidence", evidence),
        ("outbox", outbox),
    ):
        options.say(f"stages: {name}")
        figures += bench()
    return figures


def in_turn(ours: Callable[[], object], reference: Callable[[], object]) -> tuple[float, float]:
    """Best seconds of each, taken in turn after one warm-up."""
    best = [float("inf"), float("inf")]
    for number in range(ROUNDS + 1):
        for index, work in enumerate((ours, reference)):
            began = time.perf_counter()
            work()
            took = time.perf_counter() - began
            best[index] = min(best[index], took) if number else best[index]
    return best[0], best[1]


def datacast() -> list[Figure]:
    """A datagram to integers against the standard library's JSON parser on the same numbers."""
    scenario = demo(1, START_UTC_NS)
    data = KINDS["shake-udp"].build(scenario, "geo-ef-01").step(20_000)
    packets = KINDS["shake-udp"].packets(data)
    lists = [b"[" + packet[1:-1].split(b",", 1)[1] + b"]" for packet in packets]

    def reference() -> None:
        for numbers in lists:
            np.array(json.loads(numbers), dtype=np.int32)

    ours_s, reference_s = in_turn(lambda: DatacastDecoder().feed(data), reference)
    how = f"stdlib json + numpy on the same {len(packets)} packets, numbers alone"
    return [at_least("stage.decode.datacast", reference_s / ours_s, 1, "x", how)]


def tsa() -> list[Figure]:
    """A portal's lines to records against the csv module and int()."""
    data = KINDS["rpm-tsa"].build(demo(1, START_UTC_NS), "rpm-nb-02").step(60_000)
    lines = data.decode().splitlines()

    def reference() -> None:
        for row in csv.reader(lines):
            [int(field) for field in row[1:] if field.isdigit()]

    ours_s, reference_s = in_turn(lambda: TsaDecoder().feed(data), reference)
    how = f"stdlib csv + int() on the same {len(lines)} lines, nothing checked"
    return [plain("stage.decode.tsa", reference_s / ours_s, "x", how)]


def seismic() -> list[Figure]:
    """All ground sensors of the reference checkpoint, packet by packet, against STA/LTA alone.

    Packets wait until each station has one, and are then worked on together: only whole seconds
    are timed. The stations go on from round to round; the first, which is not counted, is longer
    than the long-term average takes to settle.
    """
    random = np.random.default_rng(1)
    counts = random.normal(0.0, 60.0, (SEISMIC_S * PACKETS_PER_S, STATIONS, 50)).astype(np.int32)
    names = [f"geo-{number:02d}" for number in range(STATIONS)]
    specs = [SensorSpec(sensor_id=name, family=Family.SEISMIC, place="zone") for name in names]
    field = SeismicField(specs, SeismicPolicy())
    first = WaveformSample(
        sensor_id="",
        origin=Origin.SIMULATOR,
        start_utc_ns=START_UTC_NS,
        rate_hz=200.0,
        channel="EHZ",
        counts=counts[0, 0],
        counts_per_m_s=4e8,
    )
    packets = len(counts) * STATIONS
    samples = [
        replace(
            first,
            sensor_id=name,
            start_utc_ns=START_UTC_NS + i * SECOND_NS // PACKETS_PER_S,
            counts=counts[i % len(counts), station],
        )
        for i in range((ROUNDS + 1) * len(counts))
        for station, name in enumerate(names)
    ]
    rounds = iter([samples[i : i + packets] for i in range(0, len(samples), packets)])

    def ours() -> None:
        for sample in next(rounds):
            field.feed(sample)

    name, reference = _sta_lta(counts.transpose(1, 0, 2).reshape(-1).astype(np.float64))
    ours_s, reference_s = in_turn(ours, reference)
    how = (
        f"{name} over the last 10 s for each packet of 50, as live monitors do; ours with "
        f"features, five times a second; both over {packets} packets of {STATIONS} stations"
    )
    mean = f"mean of {packets} packets of 50 samples, {STATIONS} stations"
    return [
        at_least("stage.seismic", reference_s / ours_s, 1, "x", how),
        plain("stage.seismic.packet", ours_s / packets * 1e6, "us", mean),
    ]


def _sta_lta(trace: NDArray[np.float64]) -> tuple[str, Callable[[], None]]:
    """STA 0.5 s and LTA 10 s at 200 Hz, over the window that ends with each packet."""
    if importlib.util.find_spec("obspy") is not None:
        trigger: Any = importlib.import_module("obspy.signal.trigger")
        name, over = "obspy recursive_sta_lta", trigger.recursive_sta_lta
    else:
        name, over = "NumPy running sums", _running_sums

    def reference() -> None:
        for end in range(50, len(trace) + 1, 50):
            over(trace[max(0, end - 2050) : end], 100, 2000)

    return name, reference


def _running_sums(trace: NDArray[np.float64], sta: int, lta: int) -> NDArray[np.float64]:
    sums = np.cumsum(trace**2)
    long_term = np.maximum(sums[lta:] - sums[:-lta], 1e-9) / lta
    result: NDArray[np.float64] = (sums[lta:] - sums[lta - sta : -sta]) / sta / long_term
    return result


def xray() -> list[Figure]:
    """A whole scan of 1200 x 4000 against the first four steps of it in NumPy."""
    scan = example_scan(rows=1200, columns=4000)
    assert scan.high is not None
    assert scan.low is not None
    planes = (scan.high, scan.low)

    def reference() -> None:
        logs = []
        for plane in planes:
            air = np.median(plane[:20], axis=0)
            transmission = np.clip(plane / air, 1e-5, None)
            attenuation = -np.log(transmission)
            logs.append(attenuation.reshape(150, 8, 500, 8).mean(axis=(1, 3)))
        np.divide(logs[1], logs[0], where=logs[0] > 0.05, out=np.zeros_like(logs[0]))

    policy = XrayPolicy()
    ours_s, reference_s = in_turn(lambda: analyse(scan, policy), reference)
    how = "NumPy float64: normalise, log, pool 8 x 8, ratio; ours the whole analysis"
    return [
        at_least("stage.xray", reference_s / ours_s, 1, "x", how),
        at_most("stage.xray.scan", ours_s * 1e3, 500, "ms", "1200 x 4000, dual energy"),
    ]


def message() -> list[Figure]:
    """An alert with its words in two languages to bytes, against json.dumps of the finished one."""
    alert = warm_up()[-1]

    def ours() -> None:
        for _ in range(100):
            encode_alert(alert, seq=1, epoch="E", config_digest="d", languages=("en-US", "es-MX"))

    built = msgspec.to_builtins(
        alert_message(alert, seq=1, epoch="E", config_digest="d", languages=("en-US", "es-MX"))
    )

    def reference() -> None:
        for _ in range(100):
            json.dumps(built)

    ours_s, reference_s = in_turn(ours, reference)
    how = "json.dumps of the finished message; ours finds the words as well"
    return [
        plain("stage.message", reference_s / ours_s, "x", how),
        plain("stage.message.alert", ours_s * 1e4, "us", "words, JSON"),
    ]


def outbox() -> list[Figure]:
    """Alerts committed one by one for two sides, against append and fdatasync of the same bytes."""
    payload = bytes(1500)
    with tempfile.TemporaryDirectory(prefix="garita-bench-") as folder:
        box = Outbox(Path(folder) / "outbox.db", ("north", "south"))
        file = os.open(Path(folder) / "plain", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

        def ours() -> None:
            for _ in range(50):
                box.commit([_row(box, payload)])

        def reference() -> None:
            for _ in range(50):
                os.write(file, payload)
                os.fdatasync(file)

        ours_s, reference_s = in_turn(ours, reference)
        box.close()
        os.close(file)
    how = "write + fdatasync of the payload alone; ours is a durable transaction for two sides"
    return [
        plain("stage.outbox", reference_s / ours_s, "x", how),
        plain("stage.outbox.commit", ours_s / 50 * 1e3, "ms", "one alert a commit"),
    ]


def _row(box: Outbox, payload: bytes) -> Row:
    return Row(
        seq=box.last_seq + 1,
        epoch=box.epoch,
        exercise=True,
        topic="garita-exercise/v1/bench/nb-01/alert",
        payload=payload,
        active_topic="garita-exercise/v1/bench/nb-01/active/A",
        active_payload=payload,
        level=2,
        created_utc_ns=START_UTC_NS,
        properties=(),
    )
