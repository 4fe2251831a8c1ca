"""`garita calibrate portals`: fits what the radiation detections are worth, on simulated traffic.

The passes come through simulator bytes, driver and engine like those of a report, on seeds that no
report uses. What comes out is a section of a policy file, or with `--out FILE.py` the engine's own
defaults.
"""

import argparse
import json
import sys
import textwrap
from dataclasses import fields

from edge import errors
from edge.study.fitting import TooLittle
from edge.study.packs import REPORT_SEED
from edge.study.portal_fit import SHARES, Plan, fit_portal
from fusion.radiation_calibration import RadiationCalibration

SECTION = "radiation_evidence"
WIDTH = 84  # of a text in the module


def main(args: argparse.Namespace) -> int:
    """Fit, and write the numbers where they were asked for."""
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
    if args.out is None:
        sys.stdout.write(as_section(fitted))
    else:
        text = as_module(fitted) if args.out.suffix == ".py" else as_section(fitted)
        args.out.write_text(text, "utf-8")
        say(f"written to {args.out}")
    return errors.EXIT_OK


def as_section(fitted: RadiationCalibration) -> str:
    """As it stands in a policy file."""
    why = "; ".join(fitted.provenance[kind] for kind in sorted(fitted.provenance))
    lines = [f"{SECTION}:"]
    for part in fields(fitted):
        lines.append(f"  {part.name}:")
        value = getattr(fitted, part.name)
        if isinstance(value, dict):
            lines.append("    value:")
            lines += [f"      {key}: {json.dumps(one)}" for key, one in value.items()]
        else:
            lines.append(f"    value: {json.dumps(value)}")
        lines.append(f"    why: {json.dumps(why)}")
    return "\n".join(lines) + "\n"


def as_module(fitted: RadiationCalibration) -> str:
    """As the engine's own defaults, fusion/radiation_fitted.py."""
    lines = [
        '"""Fitted numbers, as written by `garita calibrate portals --out FILE.py`."""',
        "",
        "from collections.abc import Mapping",
        "",
    ]
    for part in fields(fitted):
        value = getattr(fitted, part.name)
        name = part.name.upper()
        if isinstance(value, dict):
            kind = "str" if all(isinstance(one, str) for one in value.values()) else "float"
            lines.append(f"{name}: Mapping[str, {kind}] = {{")
            for key, one in value.items():
                lines.append(f"    {json.dumps(key)}: {_literal(one)},")
            lines.append("}")
        else:
            lines.append(f"{name} = {value!r}")
    return "\n".join(lines) + "\n"


def _literal(value: object) -> str:
    """A number, or a text on as many lines as it takes."""
    if not isinstance(value, str):
        return repr(value)
    parts = textwrap.wrap(value, WIDTH, drop_whitespace=False) or [""]
    inner = "\n".join(f"        {json.dumps(part)}" for part in parts)
    return f"(\n{inner}\n    )"


def say(text: str) -> None:
    """A line of progress, on stderr so that pipes work."""
    sys.stderr.write(f"calibrate: {text}\n")
    sys.stderr.flush()
