import base64
import random
import threading

import msgspec
import pytest

from edge.protocol.messages import utc_ns
from edge.trust import keys, signatures
from edge.trust.keys import KeyFileError, Keyring, Refused
from edge.trust.seen_notes import SeenNotes
from edge.trust.signatures import SeenSignatures

NOW = utc_ns("2026-11-23T12:00:00.000000Z")
DAY_NS = 86_400 * 10**9
TOPIC = "garita/v1/mariposa/cmd/ack"


@pytest.fixture
def make(tmp_path):
    def one(owner="north", role="centre", *, days=(-1, 30), name=None):
        return keys.make_signer(
            tmp_path / f"{name or owner.replace('/', '-') + '-' + role}.pem",
            owner=owner,
            role=role,
            not_before_utc_ns=NOW + days[0] * DAY_NS,
            not_after_utc_ns=NOW + days[1] * DAY_NS,
        )

    return one


def refused(keyring, data, signer, *, at=NOW, role="centre", owner="north", signature=None):
    with pytest.raises(Refused) as caught:
        keyring.verify(
            signer.key_id,
            data,
            signer.sign(data) if signature is None else signature,
            at_utc_ns=at,
            role=role,
            owner=owner,
        )
    return caught.value.code


def test_what_is_signed_is_believed_of_its_owner_in_its_role_and_time_only(make):
    north, south = make(), make("south")
    ring = Keyring([north.public])
    key = ring.verify(
        north.key_id, b"x", north.sign(b"x"), at_utc_ns=NOW, role="centre", owner="north"
    )
    assert key == north.public
    assert refused(ring, b"x", south) == "unknown-key"
    assert refused(ring, b"x", north, role="officer") == "wrong-role"
    assert refused(ring, b"x", north, owner="south") == "wrong-owner"
    assert refused(ring, b"x", north, at=NOW - 2 * DAY_NS) == "not-yet-valid"
    assert refused(ring, b"x", north, at=NOW + 30 * DAY_NS) == "expired"
    assert refused(ring, b"x", north, signature=north.sign(b"y")) == "bad-signature"


def test_files_come_back_and_are_never_overwritten(make, tmp_path):
    signer = make()
    read = keys.read_signer(tmp_path / "north-centre.pem")
    assert read.public == signer.public
    assert read.sign(b"x") == signer.sign(b"x")
    assert (tmp_path / "north-centre.pem").stat().st_mode & 0o777 == 0o600
    with pytest.raises(KeyFileError, match="never overwritten"):
        make()
    keys.write_keyring(tmp_path / "keyring.json", [signer.public])
    assert keys.read_keyring(tmp_path / "keyring.json").keys == (signer.public,)


def test_a_key_that_is_twice_in_a_keyring_is_refused(make, tmp_path):
    one = keys.key_message(make().public)
    path = tmp_path / "keyring.json"
    path.write_bytes(msgspec.json.encode(keys.KeyringMessage(keys=[one, one])))
    with pytest.raises(KeyFileError, match="more than once"):
        keys.read_keyring(path)


def test_a_key_that_others_may_read_is_refused_with_how_to_mend_it(make, tmp_path):
    make()
    (tmp_path / "north-centre.pem").chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        keys.read_signer(tmp_path / "north-centre.pem")


def test_a_lost_key_is_named(tmp_path):
    with pytest.raises(KeyFileError, match="gone"):
        keys.read_signer(tmp_path / "gone.pem")


def test_a_description_of_another_key_is_refused(make, tmp_path):
    make()
    make("south")
    (tmp_path / "south-centre.pub.json").replace(tmp_path / "north-centre.pub.json")
    with pytest.raises(KeyFileError, match="not of one pair"):
        keys.read_signer(tmp_path / "north-centre.pem")


def command(signer, payload=b"{}", *, at=NOW, topic=TOPIC):
    return signatures.command_properties(signer, topic=topic, payload=payload, issued_utc_ns=at)


def taken(ring, properties, seen, payload=b"{}", *, at=NOW, topic=TOPIC, owner="north", more=b""):
    try:
        signatures.verify_command(
            ring,
            properties,
            topic=topic,
            payload=payload,
            correlation=more,
            response_topic="",
            owner=owner,
            at_utc_ns=at,
            seen=seen,
        )
    except Refused as error:
        return error.code
    return ""


def test_a_command_is_taken_once_here_and_now(make):
    north = make()
    ring, seen = Keyring([north.public]), SeenSignatures()
    properties = command(north)
    assert taken(ring, properties, seen) == ""
    assert taken(ring, properties, seen) == "replayed"
    later = command(north, at=NOW + 10**6)
    assert taken(ring, later, seen, topic="garita/v1/lukeville/cmd/ack") == "bad-signature"
    assert taken(ring, later, seen, b"{ }") == "bad-signature"
    assert taken(ring, later, seen, more=b"1") == "bad-signature"
    assert taken(ring, later, seen, owner="south") == "wrong-owner"
    assert taken(ring, later, seen, at=NOW + DAY_NS) == "stale"
    assert taken(ring, later, seen, at=NOW - DAY_NS) == "stale"
    assert taken(ring, later[:-1], seen) == "unsigned"
    assert taken(ring, later + later, seen) == "unsigned"
    assert taken(ring, later, seen) == ""


def test_what_had_to_be_forgotten_is_not_taken_again(make):
    north = make()
    ring, seen = Keyring([north.public]), SeenSignatures(limit=3)
    all_of_them = [command(north, at=NOW + n * 10**9) for n in range(5)]
    assert [taken(ring, one, seen) for one in all_of_them] == [""] * 5
    assert {taken(ring, one, seen) for one in all_of_them} == {"replayed"}


@pytest.fixture
def remembering(tmp_path):
    """Makes what has been seen, each time as after a restart."""
    notes = []

    def start(**options):
        notes.append(SeenNotes(tmp_path / "commands.db", forget_until_utc_ns=NOW + 600 * 10**9))
        return SeenSignatures(notes=notes[-1], **options)

    start.notes = notes
    yield start
    for each in notes:
        each.close()


def test_what_was_taken_before_a_restart_is_not_taken_again(make, remembering):
    north = make()
    ring = Keyring([north.public])
    first, second = command(north), command(north, at=NOW + 10**9)
    assert taken(ring, first, remembering()) == ""
    seen = remembering()
    assert taken(ring, first, seen) == "replayed"
    assert taken(ring, second, seen) == ""
    assert {taken(ring, one, remembering()) for one in (first, second)} == {"replayed"}


def test_what_had_to_be_forgotten_is_not_taken_again_after_a_restart(make, remembering):
    north = make()
    ring, seen = Keyring([north.public]), remembering(limit=3)
    all_of_them = [command(north, at=NOW + n * 10**9) for n in range(5)]
    assert [taken(ring, one, seen) for one in all_of_them] == [""] * 5
    seen = remembering(limit=3)
    assert {taken(ring, one, seen) for one in all_of_them} == {"replayed"}
    assert len(remembering.notes[-1].seen) == 3


def test_notes_are_dropped_once_their_commands_are_stale(make, remembering):
    north = make()
    ring, seen = Keyring([north.public]), remembering()
    later = NOW + 601 * 10**9
    assert taken(ring, command(north), seen) == ""
    assert taken(ring, command(north, at=later), seen, at=later) == ""
    remembering()
    assert len(remembering.notes[-1].seen) == 1


def test_with_damaged_notes_nothing_is_taken_that_may_have_been_before(make, remembering, tmp_path):
    (tmp_path / "commands.db").write_bytes(b"no database " * 500)
    north = make()
    ring, later = Keyring([north.public]), NOW + 601 * 10**9
    assert taken(ring, command(north), remembering()) == "replayed"
    seen = remembering()  # nor after one restart more
    assert taken(ring, command(north, at=NOW + 10**9), seen) == "replayed"
    assert taken(ring, command(north, at=later), seen, at=later) == ""


def test_what_cannot_be_noted_is_not_taken(make, remembering):
    north = make()
    ring, seen = Keyring([north.public]), remembering()
    remembering.notes[0].close()
    assert taken(ring, command(north), seen) == "not-recorded"
    assert taken(ring, command(north), remembering()) == ""


def test_notes_may_be_closed_while_a_command_comes(make, remembering):
    north = make()
    ring, seen, came = Keyring([north.public]), remembering(), []

    def take():
        while "not-recorded" not in came:
            came.append(taken(ring, command(north, at=NOW + len(came) * 1000), seen))

    thread = threading.Thread(target=take)
    thread.start()
    while len(came) < 20:
        pass
    remembering.notes[0].close()
    thread.join()
    assert set(came) == {"", "not-recorded"}


def test_of_ten_thousand_attacks_none_is_accepted(make):
    draw = random.Random(7)
    north, old = make(), make(days=(-9, -1), name="old")
    stranger, south = make(name="stranger"), make("south")
    ring = Keyring([north.public, south.public, old.public])
    seen = SeenSignatures()
    good = [(command(north, b'{"n":%d}' % n), b'{"n":%d}' % n) for n in range(100)]
    assert [taken(ring, properties, seen, payload) for properties, payload in good] == [""] * 100
    accepted = 0
    for n in range(10_000):
        properties, payload = draw.choice(good)
        match n % 6:
            case 0:  # replayed
                pass
            case 1:  # altered
                at = draw.randrange(len(payload))
                payload = payload[:at] + bytes([payload[at] ^ 1 << n % 8]) + payload[at + 1 :]
            case 2:  # another's signature in its place
                other = draw.choice(good)[0]
                properties = [*properties[:2], ("signature", other[2][1])]
                payload += b" "
            case 3:  # one bit of the signature
                raw = bytearray(base64.b64decode(properties[2][1]))
                raw[draw.randrange(64)] ^= 1 << draw.randrange(8)
                text = base64.b64encode(raw).decode()
                properties = [*properties[:2], ("signature", text)]
            case 4:
                properties = command(draw.choice([stranger, old, south]), payload)
            case _:  # another time
                properties = [
                    properties[0],
                    ("issued", f"2026-11-23T12:0{draw.randrange(5)}:01.000000Z"),
                    properties[2],
                ]
        accepted += taken(ring, properties, seen, payload) == ""
    assert accepted == 0
