"""`garita calibrate PACK`: what ground sensors and scanners are worth, and how they err together.

Fitted on the pack's training seeds, shown beside what the engine has on tuning seeds: neither is
ever used by a report. The same arguments give the same file, byte by byte.
"""

import argparse
from collections.abc import Callable, Sequence

from edge import errors
from edge.protocol.contract import SOFTWARE
from edge.settings.policy_file import reasons
from edge.study.calibration_cases import Case
from edge.study.calibration_files import as_module, as_section, deliver, values_of
from edge.study.calibration_fit import CORRELATIONS, Fitted, Judged, fit, judged, known_now
from edge.study.calibration_packs import GROUND_RHO, PACKS, PAIR_RHO, material
from edge.study.fitting import TooLittle
from edge.study.reliability_chart import Panel, reliability_panels
from fusion.evidence_calibration import BY_HAND, EvidenceCalibration
from fusion.scoring_policy import ScoringPolicy

HEADER = """\
# What detections are worth and how far sensors err together, as written by `garita calibrate PACK`:
# sections of a policy, each number beside what it was fitted on. Name this file as a site's
# `policy`, or put its sections into the site's own; `garita check` reads both.
"""
TRAINING = range(500_000)
TUNING_AFTER = 500_000
"""A tuning seed is a training seed and so many: the others of those that no report uses."""
TUNING_SHARE = 3  # of so many training seeds one more is held out
NAMES = {
    "seismic.event": (
        "foot_slope",
        "foot_offset",
        "foot_clear_nats",
        "ground_slope",
        "ground_offset",
    ),
    "xray.emptiness": ("emptiness_slope", "emptiness_offset"),
    "xray.dense": ("dense_slope", "dense_offset", "dense_least_nats"),
    GROUND_RHO: (GROUND_RHO,),
    PAIR_RHO: (PAIR_RHO,),
}
"""What each test's fit changes."""
Say = Callable[[str], None]


def calibrate_pack(args: argparse.Namespace, say: Say) -> int:
    """Fit, compare, and write the numbers where they were asked for."""
    pack = PACKS[args.what]
    tests = tuple(args.only or pack.fits)
    if wrong := [name for name in tests if name not in pack.fits]:
        say(f"{args.what} does not fit {', '.join(wrong)}; it fits {', '.join(pack.fits)}")
        return errors.EXIT_USAGE
    number = pack.number if args.number is None else args.number
    seeds = range(args.seed, args.seed + number)
    if number < 1 or seeds.start not in TRAINING or seeds.stop - 1 not in TRAINING:
        say(f"seeds {seeds.start}-{seeds.stop - 1} must lie within 0-{TRAINING.stop - 1}")
        return errors.EXIT_USAGE
    say(f"{args.what}: {pack.what}; {number} {pack.unit}")
    known = known_now()
    given = material(args.what, seeds, tests, say)
    told = f"{given.simulators}, {args.what}, seeds {seeds.start}-{seeds.stop - 1}, {SOFTWARE}"
    told = f"{told}, {args.date}".rstrip(", ")
    try:
        fitted = fit(known, given, told, tests)
    except TooLittle as error:
        say(f"{error}; ask for more with --number, {_more(error, number)}")
        return errors.EXIT_USAGE
    _compare(args, seeds, (known, fitted), [t for t in tests if t not in CORRELATIONS], say)
    deliver(as_file(args, fitted), args.out, say)
    return errors.EXIT_OK


def as_file(args: argparse.Namespace, fitted: Fitted) -> str:
    """A module with all numbers, or sections of a policy with all that were ever fitted."""
    values = values_of(fitted.evidence)
    rhos: dict[str, object] = {GROUND_RHO: fitted.ground_rho, PAIR_RHO: dict(fitted.pair_rho)}
    if args.out is not None and args.out.suffix == ".py":
        return as_module({**values, **rhos}, args.what)
    provenance = fitted.evidence.provenance
    done = [test for test in NAMES if provenance.get(test, BY_HAND) != BY_HAND]
    of_test = {name: test for test in done for name in NAMES[test]}
    known = {**reasons(EvidenceCalibration), **reasons(ScoringPolicy)}

    def why(name: str) -> str:
        test = of_test.get(name)
        return f"{known[name]} Fitted: {provenance[test]}." if test else known[name]

    of_evidence = {name: value for name, value in values.items() if name in of_test}
    text = HEADER + as_section("evidence", {"provenance": provenance, **of_evidence}, why)
    if between := {name: value for name, value in rhos.items() if name in of_test}:
        text += as_section("scoring", between, why)
    return text


def _compare(
    args: argparse.Namespace,
    seeds: range,
    before_after: tuple[Fitted, Fitted],
    tests: Sequence[str],
    say: Say,
) -> None:
    """Log loss and calibration error before and after, on seeds that nothing was fitted on."""
    if not tests:
        return
    count = max(1, len(seeds) // TUNING_SHARE)
    held_out = range(TUNING_AFTER + seeds.start, TUNING_AFTER + seeds.start + count)
    say(f"held out: seeds {held_out.start}-{held_out.stop - 1}")
    known, fitted = before_after
    cases = material(args.what, held_out, tests, say).cases(known.evidence)
    panels = []
    for test in tests:
        row = []
        for word, one in (("before", known), ("after", fitted)):
            found = judged(one.evidence, cases, test)
            say(_line(test, word, found, cases))
            if found is not None:
                row.append(Panel(title=f"{test}, {word}", held=found.held))
        panels.append(row)
    if args.pictures is not None:
        args.pictures.mkdir(parents=True, exist_ok=True)
        path = args.pictures / f"calibrate-{args.what}.png"
        path.write_bytes(reliability_panels(panels))
        say(f"picture: {path}")


def _line(test: str, word: str, found: Judged | None, cases: Sequence[Case]) -> str:
    mine = sum(case.test == test for case in cases)
    if found is None:
        return f"{test:16} {word:6}  {mine} cases, all of one class"
    held = found.held
    return (
        f"{test:16} {word:6}  log loss {found.log_loss:.4f}, ECE {held.error:.4f} "
        f"(floor {held.floor:.4f}), {mine} cases"
    )


def _more(error: TooLittle, number: int) -> str:
    """How many seeds would do, at the rate of those that were played."""
    have, needed = error.have, error.needed
    if have is None or needed is None:
        return f"more than {number}"
    return f"{-(-number * (needed + 2) // max(have, 1))} or so"
