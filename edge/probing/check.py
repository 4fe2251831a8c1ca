"""`garita check FILE`: is a configuration right, and does everything it names answer?"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from edge import errors
from edge.config import Config, load_config, load_policy
from edge.errors import ConfigError, Mistake
from edge.probing.brokers import broker_probes
from edge.probing.machine import machine_probes
from edge.probing.run import Finding, run
from edge.probing.sensors import sensor_probes
from edge.probing.verdict import FAIL, OK, WARN
from edge.settings.inhibits import check_times, utc_now
from edge.settings.lines import read_yaml


def main(arguments: argparse.Namespace) -> int:
    """Tell every mistake of the file, or how everything it names does."""
    path: Path = arguments.file
    try:
        config = checked(path)
        if config.policy is not None:  # the defaults are right, and slow to import
            places = [lane.id for lane in config.lanes] + [zone.id for zone in config.zones]
            load_policy(config.policy, places)
    except ConfigError as error:
        sys.stdout.write(mistakes_text(error))
        return errors.EXIT_CONFIG
    sys.stdout.write(f"{path}: no mistakes\n\n")
    sys.stdout.flush()  # the probes may take some seconds
    findings = probe(config)
    sys.stdout.write(findings_text(findings))
    return exit_code(findings)


def checked(path: Path) -> Config:
    """The configuration, where it is right now. ConfigError carries every mistake."""
    mistakes = list(check_times(read_yaml(path), utc_now()))
    try:
        config = load_config(path)
    except ConfigError as error:
        mistakes += error.mistakes
    if mistakes:
        raise ConfigError(path, sorted(mistakes, key=lambda mistake: mistake.line or 0))
    return config


def probe(config: Config) -> list[Finding]:
    """Ask everything at once; returns within the longest timeout."""
    brokers = broker_probes(config.sides.items(), site=config.site.id)
    return run([*sensor_probes(config.sensors), *brokers, *machine_probes(config)])


def exit_code(findings: Sequence[Finding]) -> int:
    """What failed: a broker before a sensor, since without one nobody is told anything."""
    failed = {finding.group for finding in findings if finding.status == FAIL}
    if "broker" in failed:
        return errors.EXIT_BROKER
    if "sensor" in failed:
        return errors.EXIT_SENSOR
    return errors.EXIT_CONFIG if failed else errors.EXIT_OK


def mistakes_text(error: ConfigError) -> str:
    """Every mistake as where, what and how to mend it."""
    count = len(error.mistakes)
    blocks = [f"{error.path}: {count} mistake{'' if count == 1 else 's'}"]
    return "\n\n".join([*blocks, *map(_mistake_text, error.mistakes)]) + "\n"


def findings_text(findings: Sequence[Finding]) -> str:
    """A table with the verdict in words, and a line that sums it up."""
    name_width = max(len(finding.name) for finding in findings)
    lines = []
    for group in ("sensor", "broker", "machine"):
        lines.append(f"{group}s" if group != "machine" else "this machine")
        lines += [
            f"  {finding.status:4}  {finding.name:{name_width}}  {finding.text}"
            for finding in findings
            if finding.group == group
        ]
    counts = [
        f"{sum(finding.status == status for finding in findings)} {status}"
        for status in (OK, WARN, FAIL)
    ]
    return "\n".join([*lines, "", ", ".join(counts)]) + "\n"


def _mistake_text(mistake: Mistake) -> str:
    where = f"line {mistake.line}" if mistake.line is not None else "file"
    what = f"{mistake.key} = {mistake.value}" if mistake.value else mistake.key
    lines = [f"{where}: {what}".rstrip(": "), f"    {mistake.message}"]
    if mistake.mend:
        lines.append(f"    mend: {mistake.mend}")
    return "\n".join(lines)
