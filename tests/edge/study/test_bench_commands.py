"""The short form of the attack, and that it counts what it says."""

from dataclasses import replace

import pytest

from edge.study import command_fuzz
from edge.study.bench_commands import attack
from edge.study.command_site import CommandSite
from edge.together.people import Author


def figures_of(site, cases, seed):
    return {one.name: one for one in attack(site, cases, seed)}


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_of_twenty_thousand_messages_only_honest_ones_change_anything(seed):
    site = CommandSite()
    found = figures_of(site, 5_000, seed)
    assert [one.name for one in found.values() if one.reached is False] == []
    assert found["commands.carried_out"].value > 20
    for why in ("unsigned", "bad-signature", "replayed", "stale", "unreadable", "wrong-owner"):
        assert found[f"commands.{why}"].value > 100
    assert site.refusals < 150, "garbage is a few entries"


def test_a_site_that_believes_anybody_is_found_out():
    site = CommandSite()
    site.asking._vouch = lambda command: Author(side=command.side)
    found = figures_of(site, 400, 1)
    assert found["commands.changed"].reached is False
    assert found["commands.believed"].reached is False


def test_an_exception_is_counted():
    site = CommandSite()

    def breaks(command):
        raise KeyError(command.topic)

    site.asking._vouch = breaks
    found = figures_of(site, 100, 1)
    assert found["commands.exceptions"].value > 50


def test_each_honest_command_is_understood_and_each_alteration_is_one():
    site = CommandSite()
    for verb, payload in command_fuzz.valid_payloads(site):
        assert command_fuzz.understood(verb, payload)
        command = site.signed("north", command_fuzz.topic_of(verb), payload)
        site.asking.take(replace(command, payload=payload + b" "))
        assert b'"refusal":"bad-signature"' in site.answer
        site.asking.take(command)
        assert b'"bad-signature"' not in site.answer
