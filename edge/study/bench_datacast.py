"""The datacast over a bad network: is every lost packet told, where it is missing, and once?

An hour of a station whose datagrams are lost, come twice and overtake each other, and whose
clock is set ahead and back meanwhile. What was lost is known here, so it can be compared.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from drivers.seismic_shake import ShakeDriver
from drivers.seismic_shake_config import ShakeConfig
from drivers.wire.datacast import ShakePacket, encode
from drivers.wire.malformed import Malformed
from edge.study.figures import Figure, Options, at_most, plain
from fusion.types import MILLISECOND_NS, SECOND_NS, Origin, WaveformSample

HOURS = 10
PACKETS = 14_400  # an hour at four a second
SAMPLES = 25
PACKET_NS = SECOND_NS // 4
START_UTC_NS = 1_800_000_000 * SECOND_NS
LATENCY_NS = 5 * MILLISECOND_NS
SHARE = 0.01
"""Of datagrams that are lost; as many come twice, and as many are overtaken by the next."""
STEPS = ((PACKETS // 3, 3 * SECOND_NS), (2 * PACKETS // 3, -2 * SECOND_NS))
"""From which packet on the device's clock differs by how much more."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What the driver made of one storm."""

    lost: int
    """Packets that never came, but for those that nothing can show: the first, the last, and those
    on either side of a clock that was set."""
    untold: int
    """Of these, those for which no gap was told where they were missing."""
    false: int
    """Packets told as missing that were not lost."""
    twice: int
    """Packets whose samples came more than once."""
    unread: int
    """Packets that came, and whose samples did not."""
    back: int
    """Samples that began before the ones before them."""
    reasons: Counter[str]
    """Of what was not read."""


def run(options: Options) -> list[Figure]:
    """Ten hours without and ten with a clock that is set."""
    figures: list[Figure] = []
    for name, steps in (("", ()), (".clock-set", STEPS)):
        options.say(
            f"datacast: {HOURS} hours of one channel{', clock set twice each' * bool(name)}"
        )
        tallies = [storm(options.seed + hour, PACKETS, steps) for hour in range(HOURS)]
        lost = sum(tally.lost for tally in tallies)
        how = (
            f"{HOURS} x {PACKETS:,} packets, {SHARE:.0%} lost ({lost:,}), {SHARE:.0%} twice, "
            f"{SHARE:.0%} overtaken"
        )
        figures += [
            at_most(f"datacast{name}.untold", sum(one.untold for one in tallies), 0, "gaps", how),
            at_most(f"datacast{name}.false", sum(one.false for one in tallies), 0, "gaps", how),
            at_most(f"datacast{name}.twice", sum(one.twice for one in tallies), 0, "packets", how),
            at_most(
                f"datacast{name}.unread", sum(one.unread for one in tallies), 0, "packets", how
            ),
            at_most(f"datacast{name}.back", sum(one.back for one in tallies), 0, "samples", how),
            plain(f"datacast{name}.lost", lost, "packets", how),
        ]
    return figures


def storm(seed: int, packets: int, steps: Sequence[tuple[int, int]] = ()) -> Tally:
    """Send so many packets through a driver as a bad network delivers them, and compare."""
    random = Random(seed)
    lost: set[int] = set()
    arrivals: list[tuple[int, int, bytes]] = []
    for number in range(packets):
        due_ns = START_UTC_NS + (number + 1) * PACKET_NS + LATENCY_NS
        data = encode(_packet(number, sum(step for first, step in steps if number >= first)))
        fate = random.random()
        if fate < SHARE:
            lost.add(number)
        elif fate < 2 * SHARE:
            again_ns = random.choice((MILLISECOND_NS, PACKET_NS // 2, 2 * PACKET_NS))
            arrivals += [(due_ns, number, data), (due_ns + again_ns, number, data)]
        elif fate < 3 * SHARE:
            arrivals.append((due_ns + random.randint(PACKET_NS + 1, 2 * PACKET_NS), number, data))
        else:
            arrivals.append((due_ns, number, data))
    driver = ShakeDriver(ShakeConfig(id="storm", url="udp://127.0.0.1:1"), Origin.SIMULATOR)
    samples: list[WaveformSample] = []
    reasons: Counter[str] = Counter()
    for at_ns, _, data in sorted(arrivals):
        for one in driver.feed(data, at_ns):
            if isinstance(one, WaveformSample):
                samples.append(one)
            elif isinstance(one, Malformed):
                reasons[one.reason] += 1
    set_at = {number for first, _ in steps for number in (first - 1, first)}
    return _compared(packets, lost, set_at, samples, reasons)


def _compared(
    packets: int,
    lost: set[int],
    set_at: set[int],
    samples: list[WaveformSample],
    reasons: Counter[str],
) -> Tally:
    came = [int(sample.counts[0]) // SAMPLES for sample in samples]
    told: set[int] = set()
    for number, sample in zip(came, samples, strict=True):
        told.update(range(number - sample.missing // SAMPLES, number))
    starts = [sample.start_utc_ns for sample in samples]
    # Before the first sample, after the last and where a clock was set nothing can show a gap.
    known = {number for number in lost - set_at if came[0] < number < max(came)}
    # The last two may still be waiting for the one before them.
    return Tally(
        lost=len(known),
        untold=len(known - told),
        false=len(told - lost),
        twice=len(came) - len(set(came)),
        unread=len(set(range(came[0], packets - 3)) - set(came) - lost),
        back=sum(after <= before for before, after in pairwise(starts)),
        reasons=reasons,
    )


def _packet(number: int, shift_ns: int) -> ShakePacket:
    first = number * SAMPLES
    start_utc_ns = START_UTC_NS + number * PACKET_NS + shift_ns
    return ShakePacket("EHZ", start_utc_ns, tuple(range(first, first + SAMPLES)))
