"""The common record at 100,000 entries: append, prove, and find whatever one change was made.

The reference is the proof without kept hashes: all leaves hashed anew, from the entries, for each.
Changes are tried on the site's own copy and on a centre's, each alone, by forgers of two kinds: one
who only changes, and one who also mends the places of all entries behind and the list of hashes.
"""

import hashlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from random import Random

import msgspec

from edge.record import merkle
from edge.record.audit import audit
from edge.record.carried import Carried, export, read_carried
from edge.record.entries import Draft, decode, encode
from edge.record.record import Record
from edge.record.witness import Mirror, site_key
from edge.study.figures import Figure, Options, at_least, at_most, percentile, plain
from edge.trust.keys import Keyring, Signer, make_signer

SITE = "mariposa"
ENTRIES = 100_000
BATCH = 20  # alerts/s of the figures
SIGN_EVERY = 100  # entries, as a checkpoint does
TRIES = 80
PROOFS = 1_000
NAIVE = 5
APPEND_US, PROOF_MS = 50.0, 5.0
NOW_UTC_NS = 1_795_000_000 * 10**9
YEAR_NS = 365 * 86_400 * 10**9
CHANGES = ("edited", "removed", "moved", "inserted")


@dataclass(slots=True, kw_only=True)
class _Found:
    tries: int = 0
    found: int = 0
    named: int = 0
    seconds: float = 0.0


def run(options: Options) -> list[Figure]:
    """Measure here and now; `times` is how many changes are tried."""
    with tempfile.TemporaryDirectory(prefix="garita-record-") as folder:
        return _run(Path(folder), options)


def _run(folder: Path, options: Options) -> list[Figure]:
    edge, north = _signer(folder, "edge"), _signer(folder, "north")
    keyring = Keyring([edge.public, north.public])
    clock = iter(range(NOW_UTC_NS, NOW_UTC_NS + YEAR_NS, 50_000_000 * BATCH))
    record = Record(folder / "record.db", site=SITE, now_utc_ns=lambda: next(clock))
    options.say(f"{ENTRIES:,} entries in batches of {BATCH}, signed every {SIGN_EVERY}")
    times_s = _append(record, edge, options.seed)
    proofs_s, naive_s = _proofs(record, Random(options.seed))
    copy = Record(folder / "north.db", site=SITE, now_utc_ns=lambda: NOW_UTC_NS)
    _follow(record, copy, edge, north)
    export(folder / "record.db", folder / "stick", keyring)
    copies = {"site": folder / "stick", "north": folder / "north.db"}
    began = time.perf_counter()
    honest = sum(
        one.kind == "wrong"
        for path in copies.values()
        for one in audit(read_carried(path), keyring)
    )
    verify_s = (time.perf_counter() - began) / len(copies)
    tries = options.times or TRIES
    options.say(f"{tries} changes, on the site's stick and on the north's copy")
    found = _tamper(copies, keyring, tries, options)
    record.close()
    copy.close()
    median_ms, naive_ms = statistics.median(proofs_s) * 1e3, statistics.median(naive_s) * 1e3
    how = f"{ENTRIES:,} entries of alerts, batches of {BATCH}, a signature every {SIGN_EVERY}"
    return [
        at_most("record.append", sum(times_s) / ENTRIES * 1e6, APPEND_US, "us/entry", how),
        plain("record.append.p99", percentile(times_s, 0.99) / BATCH * 1e6, "us/entry", how),
        at_most(
            "record.proof",
            percentile(proofs_s, 0.99) * 1e3,
            PROOF_MS,
            "ms",
            f"p99 of {PROOFS:,} inclusion and {PROOFS:,} consistency proofs, each verified",
        ),
        plain("record.proof.median", median_ms, "ms", "of the same"),
        plain("record.proof.naive", naive_ms, "ms", f"median of {NAIVE}: every entry hashed anew"),
        plain("record.proof.ratio", naive_ms / median_ms, "x", "naive / ours, this run"),
        plain("record.verify", verify_s, "s", f"a whole audit of {ENTRIES:,} entries"),
        at_most("record.honest", honest, 0, "", "called wrong in unchanged copies"),
        *(
            at_least(f"record.{name}", one.found, one.tries, "", f"found of {one.tries} {name}")
            for name, one in found.items()
        ),
        plain(
            "record.named",
            sum(one.named for one in found.values()),
            "",
            "of them with the very first wrong entry named",
        ),
    ]


def _append(record: Record, edge: Signer, seed: int) -> list[float]:
    times_s = []
    for first in range(0, ENTRIES, BATCH):
        drafts = [_alert(number, seed) for number in range(first + 1, first + BATCH + 1)]
        began = time.perf_counter()
        record.append(drafts)
        if (first + BATCH) % SIGN_EVERY == 0:
            record.signed_checkpoint(edge)
        times_s.append(time.perf_counter() - began)
    return times_s


def _proofs(record: Record, random: Random) -> tuple[list[float], list[float]]:
    """Times of ours and of the naive ones. AssertionError where one does not verify."""
    size, root, ours, naive = record.size, record.root(), [], []
    lines = record.entries(0, size)
    for _ in range(PROOFS):
        index, old = random.randrange(size), random.randrange(1, size)
        began = time.perf_counter()
        proof = record.inclusion_proof(index)
        ours.append(time.perf_counter() - began)
        leaf = merkle.leaf_hash(lines[index])
        assert merkle.verify_inclusion(leaf, index, size, proof, root)
        began = time.perf_counter()
        proof = record.consistency_proof(old)
        ours.append(time.perf_counter() - began)
        assert merkle.verify_consistency(old, size, record.root(old), root, proof)
    for _ in range(NAIVE):
        index = random.randrange(size)
        began = time.perf_counter()
        found = _naive(lines, index)
        naive.append(time.perf_counter() - began)
        assert found == record.inclusion_proof(index)
    return ours, naive


def _naive(lines: Sequence[bytes], index: int) -> list[bytes]:
    """An inclusion proof level by level from the entries, keeping nothing."""
    level = [hashlib.sha256(b"\x00" + line).digest() for line in lines]
    proof = []
    while len(level) > 1:
        if index ^ 1 < len(level):
            proof.append(level[index ^ 1])
        paired = zip(level[::2], level[1::2], strict=False)
        above = [hashlib.sha256(b"\x01" + left + right).digest() for left, right in paired]
        level = above + level[len(level) & ~1 :]
        index >>= 1
    return proof


def _follow(record: Record, copy: Record, edge: Signer, north: Signer) -> None:
    """The north takes all entries and vouches for them."""
    mirror = Mirror(copy, "north", [site_key(SITE, edge.public.raw)])
    told = str(record.signed_checkpoint(edge))
    mirror.take(told, record.entries(0, record.size))
    vouched = mirror.cosign(told, north, NOW_UTC_NS)
    record.store_witness("north", record.size, NOW_UTC_NS, str(vouched))


def _tamper(
    copies: dict[str, Path], keyring: Keyring, tries: int, options: Options
) -> dict[str, _Found]:
    tally = {name: _Found() for name in CHANGES}
    random = Random(options.seed + 1)
    held = {name: read_carried(path) for name, path in copies.items()}
    lines = list(next(iter(held.values())).lines())
    hashes = [merkle.leaf_hash(line) for line in lines]
    for number in range(tries):
        change, mends = CHANGES[number % len(CHANGES)], number // len(CHANGES) % 2 == 1
        carried = list(held.values())[number // (2 * len(CHANGES)) % len(held)]
        first, forged = _forged(carried, lines, hashes, change, mends=mends, random=random)
        one = tally[change]
        found = [each for each in audit(forged, keyring) if each.kind == "wrong"]
        one.tries += 1
        one.found += bool(found)
        one.named += any(each.index == first for each in found)
        if (number + 1) % 50 == 0:
            options.say(f"{number + 1} of {tries}")
    return tally


def _forged(
    carried: Carried,
    lines: Sequence[bytes],
    hashes: Sequence[bytes],
    change: str,
    *,
    mends: bool,
    random: Random,
) -> tuple[int, Carried]:
    """The first entry that is another one now, and what the forger brings."""
    at, to = sorted(random.sample(range(len(lines)), 2))
    changed = partial(_changed, lines, at, to, change)
    mended = partial(_mended, changed, lines, at)
    if not mends:
        return at, replace(carried, lines=changed, hashes=lambda: iter(hashes))
    return at, replace(
        carried, lines=mended, hashes=lambda: (merkle.leaf_hash(line) for line in mended())
    )


def _changed(lines: Sequence[bytes], at: int, to: int, change: str) -> Iterator[bytes]:
    yield from islice(lines, at)
    match change:
        case "edited":
            yield lines[at].replace(b'"level":3', b'"level":2')
        case "moved":
            yield from islice(lines, at + 1, to + 1)
            yield lines[at]
            yield from islice(lines, to + 1, None)
            return
        case "inserted":
            yield lines[to]
            yield lines[at]
        case _:
            pass
    yield from islice(lines, at + 1, None)


def _mended(
    changed: Callable[[], Iterator[bytes]], lines: Sequence[bytes], at: int
) -> Iterator[bytes]:
    """With every entry at the place that it says."""
    for index, line in enumerate(changed()):
        if index < at or line is lines[min(index, len(lines) - 1)]:
            yield line
        else:
            yield encode(msgspec.structs.replace(decode(line), index=index))


def _alert(number: int, seed: int) -> Draft:
    digest = hashlib.sha256(f"{seed} {number}".encode()).hexdigest()
    return Draft(
        kind="alert",
        place="nb-01",
        facts={
            "id": digest[:26],
            "revision": 1,
            "seq": number,
            "epoch": "01JD0000000000000000000000",
            "event": "RAD_THREAT",
            "level": 3,
            "direction": "northbound",
            "msg_type": "Alert",
            "exercise": True,
            "onset": "2026-11-23T05:00:00.000000Z",
            "digests": {"north": digest, "south": digest},
        },
    )


def _signer(folder: Path, owner: str) -> Signer:
    return make_signer(
        folder / f"{owner}.pem",
        owner=f"edge/{SITE}" if owner == "edge" else owner,
        role="edge" if owner == "edge" else "centre",
        not_before_utc_ns=NOW_UTC_NS,
        not_after_utc_ns=NOW_UTC_NS + YEAR_NS,
    )
