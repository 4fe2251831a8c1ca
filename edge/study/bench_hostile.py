"""Mutated N42 documents and files: what is said of every one, how long it takes, what it costs.

Most cases go the way of a machine without the library, all in one process: frames, scan, plain
reader, samples, writer. Some go through the library in its child. Large ones, of 0.3 to 1.9 MB, go
both ways.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from drivers.n42_samples import N42Samples
from drivers.spectrum_reader import SpectrumReader, installed
from drivers.wire import n42, n42_frames
from drivers.wire.malformed import Malformed
from edge.study.bench_mutations import SLOWEST_S, mutated
from edge.study.bench_n42 import a_pass
from edge.study.figures import Figure, Options, at_least, at_most, plain
from fusion.types import Origin, Sample

PLAIN_CASES = 95_000
CHILD_CASES = 5_000
GROWTH_MB = 64  # resident, over all cases: arenas that CPython keeps for the next large document
LARGE_CASES = 150  # each way
LARGE_SLOWEST_S = 5.0  # a second of processor time per MB, and a new child after each end
WINDOW = 20_000  # bytes of a large document that are harmed
LARGE_CHILD_MB = 2048  # what it may have at all
CHILD_MB = 512  # a document may announce 65,536 channels a spectrum with a few bytes

Outcome = list[Sample | Malformed]

# What a number, an attribute or an element may become when somebody means harm.
NUMBERS = (
    b"-1", b"1e308", b"-1e308", b"NaN", b"INF", b"0x10", b"4294967295", b"99999999999999999999",
    b"1e-320", b"PT0S", b"PT-1S", b"P99999999D", b"0 4294967295", b"0 0 0 0", b"9999-99-99T99:99",
    b"1" * 400, b"",
)  # fmt: skip
SNIPPETS = (
    b'<!DOCTYPE a [<!ENTITY b "cccc"><!ENTITY d "&b;&b;&b;&b;">]>',
    b'<!DOCTYPE a SYSTEM "file:///etc/passwd">',
    b"&b;", b"<a>" * 80, b"<a/>" * 200, b"<![CDATA[", b"]]>", b"<?x?>", b"<!--", b"-->", b"\x00",
    b"\x02", b"\x03", b"\xff\xfe", b"\xed\xa0\x80", b"xmlns:q='q' ",
    b"<Fault/>", b"<Spectrum/>", b"<ChannelData/>", b"<GrossCounts/>", b"<RadMeasurement/>",
)  # fmt: skip
_NUMBER = re.compile(rb"(?<=[>\s])[0-9][0-9.eE+-]*(?=[<\s])|(?<=>)PT[^<]*(?=<)")
_ELEMENT = re.compile(rb"<([A-Za-z]+)[^<>]*>[^<>]*</\1>")


def run(options: Options) -> list[Figure]:
    """Figures of both ways."""
    documents = samples()
    options.say(f"hostile: {PLAIN_CASES:,} mutated N42 documents, plain reader")
    reader = SpectrumReader(use_library=False)
    figures = attack("n42", _all_of_it(reader), documents, Random(options.seed), PLAIN_CASES)
    options.say(f"hostile: {LARGE_CASES:,} large ones, plain reader")
    figures += attack_large("n42.large", reader, options.seed, LARGE_CASES)
    if not installed():
        return figures
    options.say(f"hostile: {CHILD_CASES:,} mutated N42 documents, sandiaspecutils in its child")
    reader = SpectrumReader(use_library=True)
    try:
        read = _all_of_it(reader)
        figures += attack("n42.child", read, documents, Random(options.seed), CHILD_CASES)
        figures.append(peak("n42.child.peak", reader, CHILD_MB))
        options.say(f"hostile: {LARGE_CASES:,} large ones, sandiaspecutils in its child")
        figures += attack_large("n42.child.large", reader, options.seed, LARGE_CASES)
        figures.append(peak("n42.child.large.peak", reader, LARGE_CHILD_MB))
    finally:
        reader.close()
    return figures


def peak(name: str, reader: SpectrumReader, limit_mb: float) -> Figure:
    """The most memory of any child; missed where none was seen."""
    how = "the most of all children; each may have 2 GB of addresses"
    figure = at_most(name, reader.child_peak_mb, limit_mb, "MB", how)
    return replace(figure, reached=0.0 < figure.value <= limit_mb)


def attack_large(name: str, reader: SpectrumReader, seed: int, cases: int) -> list[Figure]:
    """The same with documents of 0.3 to 1.9 MB."""
    return attack(
        name,
        _all_of_it(reader),
        large_samples(),
        Random(seed),
        cases,
        harm=harmed_somewhere,
        slowest_s=LARGE_SLOWEST_S,
        how=f"{cases:,} mutated documents of 0.3 to 1.9 MB, seeded",
    )


def large_samples() -> tuple[bytes, ...]:
    """Few channels in many numbers; many channels in few numbers; many elements of no use."""
    dense = n42.write(a_pass(slices=120, detectors=8, channels=1024, cps=2e5))
    empty = n42.write(a_pass(slices=150, detectors=8, channels=65_536, cps=0.0))
    small = n42.write(a_pass(slices=2, detectors=2, channels=16, cps=500.0))
    end = small.rindex(b"</")
    remarks = small[:end] + b"<Remark>none</Remark>" * 60_000 + small[end:]
    return dense, empty, remarks


def samples() -> tuple[bytes, ...]:
    """Clean documents of several forms: a pass, its text of 2006, panels that only count."""
    small = a_pass(slices=2, detectors=2, channels=16, cps=500.0)
    panels = n42.Document(
        instrument=small.instrument,
        detectors=(n42.Detector(name="p1", kind="PVT"),),
        measurements=tuple(
            n42.Measurement(
                class_code=code,
                start_utc_ns=one.start_utc_ns,
                real_s=0.2,
                gross=(n42.Gross(detector="p1", live_s=0.2, counts=(50.0,)),),
                occupied=code == "Foreground",
                faults=(n42.Fault(code="tamper", description="door open"),),
            )
            for code, one in zip(("Background", "Foreground"), small.measurements, strict=True)
        ),
    )
    return n42.write(small), n42.write(panels), OLD


OLD = b"""<?xml version="1.0"?><N42InstrumentData><Measurement><InstrumentInformation>
<InstrumentModel>P</InstrumentModel></InstrumentInformation><DetectorData>
<StartTime>2010-04-17T17:33:19.409-06:00</StartTime><SampleRealTime>PT1S</SampleRealTime>
<Occupied>1</Occupied><Speed Units="mph">5</Speed><DetectorMeasurement><SpectrumMeasurement>
<CountDoseData DetectorType="Neutron"><Counts>3</Counts></CountDoseData>
<Spectrum Detector="A1" SampleNumber="1"><RealTime>PT1S</RealTime><LiveTime>PT0.9S</LiveTime>
<SourceType>Item</SourceType><DetectorType>HPGe 50%</DetectorType><Calibration Type="Energy">
<Equation Model="Polynomial"><Coefficients>0.1 3.0 1e-9</Coefficients></Equation></Calibration>
<ChannelData Compression="CountedZeroes">0 5 3 2 0 6 1</ChannelData></Spectrum>
</SpectrumMeasurement></DetectorMeasurement></DetectorData></Measurement></N42InstrumentData>"""


@dataclass(slots=True)
class _Tally:
    reasons: Counter[str] = field(default_factory=Counter)
    raised: int = 0
    unaccounted: int = 0
    read: int = 0
    slowest_s: float = 0.0


def attack(
    name: str,
    read: Callable[[bytes], Outcome],
    documents: Sequence[bytes],
    random: Random,
    cases: int,
    *,
    harm: Callable[[bytes, Random], bytes] | None = None,
    slowest_s: float = SLOWEST_S,
    how: str = "",
) -> list[Figure]:
    """One mutated document after the other; each is read, or a reason is given.

    One that takes too long is read again, and the faster of the two counts: what a document causes
    happens again, what another program on the machine causes does not.
    """
    tally = _Tally()
    before = _resident_mb()
    for _ in range(cases):
        data = (harm or harmed)(random.choice(documents), random)
        began = time.perf_counter()
        try:
            found = read(data)
        except Exception:  # noqa: BLE001 - the very thing that is counted here
            tally.raised += 1
            continue
        took_s = time.perf_counter() - began
        if took_s > slowest_s:
            began = time.perf_counter()
            read(data)
            took_s = min(took_s, time.perf_counter() - began)
        tally.slowest_s = max(tally.slowest_s, took_s)
        bad = [one.reason for one in found if isinstance(one, Malformed)]
        tally.reasons.update(bad)
        tally.read += not bad
        tally.unaccounted += not found
    how = how or f"{cases:,} mutated documents of 0.3 to 5 kB, seeded"
    told = sorted(tally.reasons.items())
    return [
        at_least(f"{name}.cases", cases, cases, "", how),
        at_most(f"{name}.exceptions", tally.raised, 0, "", how),
        at_most(f"{name}.slowest", tally.slowest_s * 1e3, slowest_s * 1e3, "ms", "one case"),
        at_most(f"{name}.grown", _resident_mb() - before, GROWTH_MB, "MB", "resident, after all"),
        at_most(f"{name}.unaccounted", tally.unaccounted, 0, "", "neither samples nor a reason"),
        plain(f"{name}.read", tally.read, "", "still a document"),
        *(plain(f"{name}.{reason}", count, "", "told") for reason, count in told),
    ]


def harmed(document: bytes, random: Random) -> bytes:
    """The document with numbers made absurd, elements repeated or lost, harm put in, or noise."""
    form = random.randrange(5)
    if form == 0:
        return mutated(document, random)
    for _ in range(random.randrange(1, 4)):
        if form in {1, 2}:
            found = [one.span() for one in _NUMBER.finditer(document)]
            given = random.choice(NUMBERS)
        elif form == 3:
            found = [one.span() for one in _ELEMENT.finditer(document)]
            given = b""
        else:
            at = random.randrange(len(document) + 1)
            found, given = [(at, at)], random.choice(SNIPPETS)
        if not found:
            break
        begin, end = random.choice(found)
        if form == 3 and random.random() < 0.5:
            given = document[begin:end] * random.choice((2, 2, 50))
        document = document[:begin] + given + document[end:]
    return document


def harmed_somewhere(document: bytes, random: Random) -> bytes:
    """The same in one part of a large document."""
    at = random.randrange(len(document))
    return document[:at] + harmed(document[at : at + WINDOW], random) + document[at + WINDOW :]


def _all_of_it(reader: SpectrumReader) -> Callable[[bytes], Outcome]:
    """Bytes as they come over TCP to samples, and to a document of our own."""
    frames = n42_frames.FrameDecoder()
    samples = N42Samples("srpm-1", Origin.SIMULATOR, closes=True, max_ahead_s=5.0)

    def read(data: bytes) -> Outcome:
        found: Outcome = []
        for record in frames.feed(n42_frames.encode(data)):
            document = record if isinstance(record, Malformed) else reader.read(record)
            if isinstance(document, Malformed):
                found.append(document)
                continue
            told = samples.of(document, 0)
            n42.write(document)
            # Right, and yet it says nothing: a measurement without counts is one.
            found += told or [Malformed("no-sample", "")]
        return found

    return read


def _resident_mb() -> float:
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
