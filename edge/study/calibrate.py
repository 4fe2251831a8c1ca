"""`garita calibrate WHAT`: fits what detections are worth, on simulated days of known truth.

`portals` fits the radiation detections on traffic through one portal (`edge.study.portal_fit`); a
pack fits those of ground sensors and scanners, and how far sensors err together. Either way cases
come through simulator bytes, driver and detectors like those of a report, on seeds that no report
uses. What comes out is a section of a policy file, or with `--out FILE.py` the engine's own
defaults.
"""

import argparse
import sys

from edge import errors
from edge.study.calibration_files import as_module, as_section, deliver, values_of
from edge.study.fitting import TooLittle
from edge.study.packs import REPORT_SEED
from edge.study.portal_fit import SHARES, Plan, fit_portal
from fusion.radiation_calibration import RadiationCalibration

PORTALS = "portals"
SECTION = "radiation_evidence"


def main(args: argparse.Namespace) -> int:
    """Fit, and write the numbers where they were asked for."""
    if args.what == PORTALS:
        return _portals(args)
    from edge.study.calibrate_pack import calibrate_pack  # noqa: PLC0415 - imports all simulators

    return calibrate_pack(args, say)


def _portals(args: argparse.Namespace) -> int:
    fitted = RadiationCalibration()
    for kind in SHARES if args.kind is None else (args.kind,):
        plan = Plan(kind=kind, seed=args.seed, number=args.number, date=args.date)
        if not 0 <= plan.seed <= plan.last_seed < REPORT_SEED:
            say(f"seeds {plan.seed}-{plan.last_seed} must lie within 0-{REPORT_SEED - 1}")
            return errors.EXIT_USAGE
        try:
            fitted = fit_portal(fitted, plan, say)
        except TooLittle as error:
            say(f"{error}; ask for more with --number")
            return errors.EXIT_USAGE
    if args.out is not None and args.out.suffix == ".py":
        text = as_module(values_of(fitted), PORTALS)
    else:
        why = "; ".join(fitted.provenance[kind] for kind in sorted(fitted.provenance))
        text = as_section(SECTION, values_of(fitted), lambda name: why)
    deliver(text, args.out, say)
    return errors.EXIT_OK


def say(text: str) -> None:
    """A line of progress, on stderr so that pipes work."""
    sys.stderr.write(f"calibrate: {text}\n")
    sys.stderr.flush()
