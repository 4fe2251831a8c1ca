"""Drawn scans with known truth, and what the analysis says of them: for the packs of the scanner.

Seeds for tuning see the cargo families for tuning, those for reports only families that no
threshold knows.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from edge.study.packs import REPORT_SEED
from fusion.types import Origin, ScanFinding, ScanSample
from fusion.xray import XrayPolicy, analyse
from simulators.xray import KINDS
from simulators.xray_cases import (
    REPORT_FAMILIES,
    SETTINGS,
    TUNING_FAMILIES,
    CaseOptions,
    CaseTruth,
    XrayCase,
    case,
)

VERSION = KINDS[0].version
TOGETHER = 2  # threads: drawing and analysing let go of the interpreter; more only waste memory
OTHER_SHARE = 4  # of as many scans one more by another scanner

Options = Callable[[int], CaseOptions]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One scan, what is true of it, and what was found."""

    seed: int
    options: CaseOptions
    truth: CaseTruth
    finding: ScanFinding
    setting: str
    """Name of the scanner's setting; empty: the usual one."""


def families(seed: int) -> tuple[str, ...]:
    """Which cargo a seed may draw."""
    return REPORT_FAMILIES if seed >= REPORT_SEED else TUNING_FAMILIES


def runs(
    seeds: Sequence[int],
    options: Options,
    *,
    setting: str = "",
    declared: Callable[[CaseTruth], str] | None = None,
    policy: XrayPolicy | None = None,
) -> Iterator[Run]:
    """In the order of the seeds, each drawn and analysed as it is asked for.

    declared  what the papers of a load say; nothing by default
    """
    judged_by = policy or XrayPolicy()

    def one(seed: int) -> Run:
        asked = replace(options(seed), families=families(seed))
        if setting:
            asked = replace(asked, scanner=SETTINGS[setting])
        drawn = case(seed, asked)
        scan = sample(drawn, declared(drawn.truth) if declared else "")
        found = replace(analyse(scan, judged_by), record=None)
        # The masks alone would fill the memory over a thousand scans.
        threats = tuple(replace(threat, mask=threat.mask[:0]) for threat in drawn.truth.threats)
        truth = replace(drawn.truth, threats=threats)
        return Run(seed=seed, options=asked, truth=truth, finding=found, setting=setting)

    with ThreadPoolExecutor(TOGETHER) as pool:
        for start in range(0, len(seeds), 4 * TOGETHER):
            yield from pool.map(one, seeds[start : start + 4 * TOGETHER])


def sample(drawn: XrayCase, declared: str = "") -> ScanSample:
    """A drawn case as its driver would hand it over."""
    return ScanSample(
        sensor_id="xray",
        origin=Origin.SIMULATOR,
        start_utc_ns=0,
        duration_ms=9000,
        scan_id=f"case-{drawn.truth.seed}",
        high=drawn.high,
        low=drawn.low,
        composite=None,
        pitch_x_mm=drawn.pitch_mm[0],
        pitch_y_mm=drawn.pitch_mm[1],
        declared=declared,
        container="",
        digests=(),
        energies_mev=drawn.energies_mev,
    )


def how(seeds: Sequence[int], setting: str = "") -> str:
    """Of what the figure was made."""
    scanner = f", scanner {setting}" if setting else ""
    kind = "report" if seeds[0] >= REPORT_SEED else "tuning"
    return f"simulator {VERSION}, {kind} families, seeds {seeds[0]:,}-{seeds[-1]:,}{scanner}"
