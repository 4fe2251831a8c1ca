"""Nothing that was altered, moved, renumbered or signed by another is ever believed."""

import base64
import hashlib
import random
from dataclasses import replace

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from structlog.testing import capture_logs

from edge.delivery.centre import Centre
from edge.delivery.centre_store import CentreStore, Verdict
from edge.delivery.flow import LIVE, file_properties, user_properties
from edge.delivery.happenings import Received
from edge.delivery.rows import ORIGIN, Attachment, Mark, Row
from edge.delivery.seals import Gate, Seals
from edge.delivery.sides import SideSettings
from edge.protocol import topics
from edge.protocol.messages import rfc3339
from edge.trust.keys import Keyring, PublicKey, Refused, Signer, raw_of

SITE, EPOCH = "mariposa", "01JC"
NOW_UTC_NS = 1_795_000_000 * 10**9
DAY_NS = 86_400 * 10**9
ATTACKS = 10_000


def signer(owner=f"edge/{SITE}", role="edge", begins_d=-30, ends_d=30):
    private = Ed25519PrivateKey.generate()
    public = PublicKey(
        owner=owner,
        role=role,
        raw=raw_of(private.public_key()),
        not_before_utc_ns=NOW_UTC_NS + begins_d * DAY_NS,
        not_after_utc_ns=NOW_UTC_NS + ends_d * DAY_NS,
    )
    return Signer(private, public)


EDGE = signer()
OTHERS = {
    "unknown-key": signer(),
    "wrong-role": signer("north", "centre"),
    "wrong-owner": signer("edge/nogales"),
    "expired": signer(ends_d=-1),
}
KEYRING = Keyring([EDGE.public, *(v.public for k, v in OTHERS.items() if k != "unknown-key")])


def row_of(seq, *, place="nb-01", exercise=False):
    root = topics.root(exercise)
    payload = msgspec.json.encode(
        {
            "id": f"A{seq}",
            "site": SITE,
            "lane": place,
            "zone": None,
            "status": "Exercise" if exercise else "Actual",
            "seq": seq,
            "epoch": EPOCH,
            "level": 4,
            "updated": rfc3339(NOW_UTC_NS + seq),
        }
    )
    file = Attachment(
        n=1,
        topic=topics.evidence_topic(root, SITE, f"A{seq}", 1),
        name="pass.n42",
        media_type="application/xml",
        sha256=hashlib.sha256(b"file %d" % seq).hexdigest(),
        payload=b"file %d" % seq,
    )
    return Row(
        seq=seq,
        epoch=EPOCH,
        exercise=exercise,
        topic=topics.alert_topic(root, SITE, place),
        payload=payload,
        active_topic="",
        active_payload=b"",
        level=4,
        created_utc_ns=NOW_UTC_NS + seq,
        attachments=(file,),
    )


def received(topic, payload, properties):
    return Received(
        topic=topic,
        payload=payload,
        retained=False,
        mid=1,
        qos=1,
        user_properties=tuple(properties),
        response_topic="",
        correlation=b"",
    )


def sent(row, key=EDGE, side="north", after=None):
    """The messages of a row, its file first."""
    seals = Seals(side, key)
    after = after or (ORIGIN if row.seq == 1 else Mark(epoch=EPOCH, seq=row.seq - 1))
    (file,) = row.attachments
    return [
        received(each.topic, each.payload, seals.message(each.topic, each.payload, told))
        for each, told in (
            (file, file_properties(row, file)),
            (row, user_properties(row, after, row.attachments)),
        )
    ]


ROWS = [row_of(seq, exercise=seq % 3 == 0) for seq in range(1, 41)]
HONEST = [message for row in ROWS for message in sent(row)]


@pytest.fixture
def centre(tmp_path):
    settings = SideSettings(name="north", host="127.0.0.1", port=1)
    return Centre(settings, tmp_path / "centre.db", keyring=KEYRING)


def put(message, **properties):
    told = {**dict(message.user_properties), **properties}
    return replace(message, user_properties=tuple((k, v) for k, v in told.items() if v is not None))


def flipped(data, chance):
    at, bit = chance.randrange(len(data)), 1 << chance.randrange(8)
    return data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]


def altered(message, chance):
    return replace(message, payload=flipped(message.payload, chance))


def altered_with_its_digest(message, chance):
    payload = flipped(message.payload, chance)
    return put(
        replace(message, payload=payload),
        sha256=hashlib.sha256(payload).hexdigest(),
    )


def lowered(message, chance):
    return replace(message, payload=message.payload.replace(b'"level":4', b'"level":1') + b" ")


def unsigned(message, chance):
    return put(message, **{chance.choice(["key", "signature", "order"]): None})


def moved(message, chance):
    return replace(message, topic=chance.choice(HONEST).topic.replace("nb-01", "sb-09"))


def to_another_root_or_site(message, chance):
    old, new = chance.choice([("garita/", "garita-exercise/"), (SITE, "nogales")])
    topic = message.topic.replace("garita-exercise/", "garita/") if old == "garita/" else ""
    return replace(message, topic=(topic or message.topic).replace(old, new) + "")


def renumbered(message, chance):
    return put(message, **chance.choice([{"seq": "999"}, {"epoch": "01JX"}]))


def a_row_left_out(message, chance):
    seq = int(dict(message.user_properties)["seq"])
    return put(message, after=f"{EPOCH}/{seq + 7}")


def a_file_left_out(message, chance):
    return put(message, evidence=chance.choice([None, "", "00"]), name="other.n42")


def signed_for_another(message, chance):
    other = dict(chance.choice(HONEST).user_properties)
    taken = chance.choice([("signature",), ("order",), ("signature", "order")])
    return put(message, **{name: other[name] for name in taken})


def a_signature_broken(message, chance):
    name = chance.choice(["signature", "order"])
    raw = base64.b64decode(dict(message.user_properties)[name])
    bad = chance.choice([flipped(raw, chance), raw[:-1], b"", bytes(64)])
    return put(message, **{name: base64.b64encode(bad).decode()})


def named_by_another_key(message, chance):
    return put(message, key=chance.choice([k.key_id for k in OTHERS.values()]))


def said_twice(message, chance):
    extra = chance.choice(message.user_properties)
    return replace(message, user_properties=(*message.user_properties, extra))


def split_lines(message, chance):
    return put(message, after=dict(message.user_properties).get("after", "") + "\n")


def ahead_of_its_turn(message, chance):
    return put(message, lane=LIVE)


BY_OTHERS = [m for key in OTHERS.values() for row in ROWS[:10] for m in sent(row, key)]
FOR_SOUTH = [m for row in ROWS for m in sent(row, side="south")]
ALTERING = [
    altered, altered_with_its_digest, lowered, unsigned, moved, to_another_root_or_site, renumbered,
    a_row_left_out, a_file_left_out, signed_for_another, a_signature_broken, named_by_another_key,
    said_twice, split_lines, ahead_of_its_turn,
]  # fmt: skip


def attack(chance):
    """A message that no honest edge has sent to this side."""
    kind = chance.choice([*ALTERING, "by-another", "for-the-other-side"])
    if kind == "by-another":
        return chance.choice(BY_OTHERS)
    if kind == "for-the-other-side":
        return chance.choice(FOR_SOUTH)
    while (message := kind(chance.choice(HONEST), chance)) in HONEST:
        pass
    return message


def test_of_ten_thousand_attacks_none_is_believed(centre, tmp_path):
    chance = random.Random(7)
    with capture_logs() as logs:
        arrived = centre.reading.read(attack(chance) for _ in range(ATTACKS))
    assert (arrived.alerts, arrived.files, arrived.fresh) == ([], [], [])
    assert centre.reading.refused.total() == ATTACKS
    assert centre.reading.refused.keys() >= {
        "unsigned", "unknown-key", "wrong-role", "wrong-owner", "expired", "bad-signature",
        "unreadable", "misplaced", "misnumbered",
    }  # fmt: skip
    assert len(logs) <= 2 * len(centre.reading.refused)


def test_what_the_edge_sent_is_believed_and_stored_in_order(centre, tmp_path):
    arrived = centre.reading.read(HONEST)
    assert not centre.reading.refused
    store = CentreStore(tmp_path / "centre.db")
    assert set(store.store(arrived.alerts, arrived.files)) == {Verdict.STORED}
    # A replay is a duplicate, and with a row hidden from it the centre stays where it is.
    again = centre.reading.read(HONEST)
    assert set(store.store(again.alerts, again.files)) == {Verdict.DUPLICATE}
    hidden = centre.reading.read(sent(row_of(42)))
    assert store.store(hidden.alerts, hidden.files) == [Verdict.AHEAD]
    assert store.cursors()[SITE] == Mark(epoch=EPOCH, seq=40)
    key, signature = store.seal(SITE, Mark(epoch=EPOCH, seq=3))
    KEYRING.verify(
        key, ROWS[2].payload, base64.b64decode(signature), at_utc_ns=NOW_UTC_NS, role="edge"
    )
    store.close()


def test_an_alert_that_waited_may_be_signed_by_a_key_younger_than_itself():
    young = signer(begins_d=5, ends_d=30)
    Gate("north", Keyring([young.public])).check(sent(ROWS[0], young)[1])


def test_a_withheld_place_is_the_one_of_its_topic():
    payload = ROWS[0].payload.replace(b'"nb-01"', b"null")[:-1] + b',"withheld":{"lane":{}}}'
    topic = topics.alert_topic(topics.ROOT, SITE, topics.WITHHELD)
    row = replace(ROWS[0], payload=payload, topic=topic)
    Gate("north", KEYRING).check(sent(row)[1])
    with pytest.raises(Refused, match="misplaced"):
        Gate("north", KEYRING).check(sent(replace(row, topic=ROWS[0].topic))[1])


def test_without_a_signer_nothing_is_added():
    told = [("epoch", "E")]
    assert Seals("north").message("t", b"p", told) == told
    assert Seals("north").document(b"p") == []
    assert Seals("north", EDGE).document(b"") == []
