"""Whose command it is: the side's that it came from, by a key for that, once and fresh."""

from dataclasses import replace

import pytest

from edge.delivery.hooks import Command
from edge.study.command_site import START_NS, signer
from edge.together.people import Author
from edge.together.vouching import Vouching
from edge.trust.keys import Keyring
from edge.trust.signatures import command_properties
from fusion.types import SECOND_NS

NORTH, SOUTH, OFFICER = signer("north"), signer("south"), signer("north", role="officer")
OLD, STRANGER = signer("north", ended=True), signer("north")


@pytest.fixture
def vouching():
    keyring = Keyring([one.public for one in (NORTH, SOUTH, OFFICER, OLD)])
    return Vouching(keyring, lambda: START_NS)


def command(by=NORTH, issued_utc_ns=START_NS, side="north", correlation=b"7"):
    said = {
        "topic": "garita/v1/mariposa/cmd/ack",
        "payload": b'{"alert":"01JD8"}',
        "correlation": correlation,
        "response_topic": "garita/v1/mariposa/answer/7",
    }
    properties = command_properties(by, issued_utc_ns=issued_utc_ns, **said)
    return Command(side=side, user_properties=tuple(properties), **said)


def test_who_signs_for_its_own_side_is_believed_with_its_key(vouching):
    assert vouching(command()) == Author(side="north", key=NORTH.key_id)
    other = command(SOUTH, side="south", correlation=b"8")
    assert vouching(other) == Author(side="south", key=SOUTH.key_id)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (replace(command(), user_properties=()), "unsigned"),
        (replace(command(), payload=b'{"alert":"01JD9"}'), "bad-signature"),
        (replace(command(), topic="garita/v1/mariposa/cmd/dispatch"), "bad-signature"),
        (replace(command(), topic="garita/v1/nogales/cmd/ack"), "bad-signature"),
        (replace(command(), response_topic="elsewhere"), "bad-signature"),
        (replace(command(), response_topic="\ud800"), "bad-signature"),
        (replace(command(), correlation=b"8"), "bad-signature"),
        (command(side="south"), "wrong-owner"),
        (command(OFFICER), "wrong-role"),
        (command(OLD), "expired"),
        (command(STRANGER), "unknown-key"),
        (command(issued_utc_ns=START_NS - 301 * SECOND_NS), "stale"),
        (command(issued_utc_ns=START_NS + 301 * SECOND_NS), "stale"),
    ],
)
def test_who_is_not_believed_is_told_why(vouching, asked, why):
    assert vouching(asked).why == why


def test_the_same_command_is_meant_once(vouching):
    once = command()
    assert vouching(once) == Author(side="north", key=NORTH.key_id)
    assert vouching(once).why == "replayed"


def test_a_key_that_is_taken_back_is_believed_no_more(vouching):
    vouching.keyring = Keyring([SOUTH.public])
    assert vouching(command()).why == "unknown-key"
