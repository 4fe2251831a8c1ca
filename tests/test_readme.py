"""The README names every command, option, metric, event source and kind; a new one must be told."""

import argparse
import re
from pathlib import Path

import pytest

from drivers.catalog import KINDS
from edge import alarm_metrics as alarm_metrics  # noqa: PLC0414 - registers its metrics
from edge import scan_metrics
from edge.commands import COMMANDS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def options() -> list[str]:
    found = []
    for command in COMMANDS:
        parser = argparse.ArgumentParser(add_help=False)
        command.arguments(parser)
        for action in parser._actions:
            found += [name for name in action.option_strings if name.startswith("--")]
    return sorted(set(found))


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_every_command_is_told(command):
    assert f"garita {command}" in README


@pytest.mark.parametrize("option", options())
def test_every_option_is_told(option):
    assert re.search(rf"{option}\b", README)


@pytest.mark.parametrize(
    "metric",
    [
        metric.name
        for metric in scan_metrics.REGISTRY.collect()
        if metric.name.startswith("garita_")
    ],
)
def test_every_metric_is_told(metric):
    assert metric in README


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_sensor_is_told(kind):
    assert f"| `{kind}` |" in README


@pytest.mark.parametrize("page", ["README.md", "README.es.md"])
def test_every_file_that_a_page_links_to_is_there(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#:]+)\)", text)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_both_pages_show_the_two_commands():
    for page in ("README.md", "README.es.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        assert "./garita demo" in text
        assert "./garita test" in text
