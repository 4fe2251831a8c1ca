import random

import msgspec
import pytest
from securesystemslib.dsse import Envelope

from edge.protocol.messages import rfc3339, utc_ns
from edge.trust import changes, keys
from edge.trust.changes import Change
from edge.trust.keys import KeyFileError, Keyring, Refused

NOW = utc_ns("2026-11-23T12:00:00.000000Z")
DAY_NS = 86_400 * 10**9


@pytest.fixture
def make(tmp_path):
    def one(owner, role="officer", *, name="", days=30):
        return keys.make_signer(
            tmp_path / f"{owner}-{role}{name}.pem",
            owner=owner,
            role=role,
            not_before_utc_ns=NOW - 9 * DAY_NS,
            not_after_utc_ns=NOW + days * DAY_NS,
        )

    return one


def unsigned(**given):
    facts = {
        "site": "mariposa",
        "what": ["thresholds"],
        "before": "a" * 64,
        "after": "b" * 64,
        "reason": "works",
        "created": rfc3339(NOW),
        "not_after": rfc3339(NOW + 7 * DAY_NS),
    }
    return changes.new_envelope(msgspec.convert({**facts, **given}, Change))


def signed(*signers, **given):
    envelope = unsigned(**given)
    for signer in signers:
        changes.sign(envelope, signer)
    return envelope


def code(envelope, ring, at=NOW):
    try:
        changes.approve(envelope, ring, at)
    except Refused as error:
        return error.code
    return ""


def test_a_change_needs_an_officer_of_each_side(make):
    north, other, south = make("north"), make("north", name="2"), make("south")
    old, stranger = make("south", name="old", days=-1), make("south", name="stranger")
    ring = Keyring([north.public, other.public, south.public, old.public])
    assert code(signed(south, north), ring) == ""
    assert [k.owner for k in changes.approve(signed(south, north), ring, NOW).signers] == [
        "north",
        "south",
    ]
    assert code(unsigned(), ring) == "not-both"
    assert code(signed(north), ring) == "not-both"
    assert code(signed(north, other), ring) == "one-side-twice"
    assert code(signed(north, other, south), ring) == "one-side-twice"
    assert code(signed(north, stranger), ring) == "unknown-key"
    assert code(signed(north, old), ring) == "expired"
    with pytest.raises(Refused, match="signed it already"):
        signed(north, north)
    with pytest.raises(Refused, match="wrong-role"):
        signed(make("south", "centre"))


def test_a_centre_key_that_signs_around_the_command_is_refused(make):
    north, centre = make("north"), make("south", "centre")
    envelope = signed(north)
    envelope.sign(changes.CryptoSigner(centre.private_key, changes._key(centre.public)))
    assert code(envelope, Keyring([north.public, centre.public])) == "wrong-role"


def test_it_can_be_taken_in_its_time_only(make):
    signers = make("north"), make("south")
    ring = Keyring([signer.public for signer in signers])
    assert code(signed(*signers), ring, NOW - DAY_NS) == "not-yet-valid"
    assert code(signed(*signers), ring, NOW + 6 * DAY_NS) == ""
    assert code(signed(*signers), ring, NOW + 7 * DAY_NS) == "expired"


def test_a_key_that_signs_twice_in_a_file_is_refused(make):
    found = signed(make("north")).to_dict()
    found["signatures"] *= 2
    with pytest.raises(ValueError, match="Multiple"):
        changes.envelope_of(found)


def test_files_come_back_and_what_is_no_change_is_told(make, tmp_path):
    envelope, path = signed(make("north"), make("south")), tmp_path / "change.json"
    changes.write_change(path, envelope)
    assert changes.read_change(path) == envelope
    for broken in (b"", b"{}", b"[]", b'{"payload":1}', b" " * 300_000, path.read_bytes()[:-9]):
        path.write_bytes(broken)
        with pytest.raises(KeyFileError, match=r"change\.json"):
            changes.read_change(path)


def test_of_two_thousand_altered_changes_none_is_approved(make):
    signers = make("north"), make("south")
    ring = Keyring([signer.public for signer in signers])
    good, draw, approved = signed(*signers), random.Random(7), 0
    for n in range(2_000):
        found = Envelope(good.payload, good.payload_type, dict(good.signatures))
        if n % 3 == 0:
            at = draw.randrange(len(good.payload))
            flipped = bytes([good.payload[at] ^ 1 << draw.randrange(8)])
            found.payload = good.payload[:at] + flipped + good.payload[at + 1 :]
        elif n % 3 == 1:
            found.payload_type += "x"
        else:
            one, other = draw.sample(sorted(good.signatures), 2)
            stolen = changes.envelope_of(good.to_dict()).signatures[other]
            stolen.keyid = one
            found.signatures[one] = stolen
        approved += code(found, ring) == ""
    assert approved == 0
