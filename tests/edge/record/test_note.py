import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from edge.record import note
from edge.record.note import COSIGNATURE_V1, Checkpoint, Note, NoteKey

SITE = Ed25519PrivateKey.from_private_bytes(b"\1" * 32)
NORTH = Ed25519PrivateKey.from_private_bytes(b"\2" * 32)
AT = Checkpoint(origin="garita/mariposa", size=12, root=b"\3" * 32)
NAME = "garita/mariposa"


def key(private, name, kind=note.ED25519):
    return NoteKey(name=name, raw=private.public_key().public_bytes_raw(), kind=kind)


def signed(checkpoint=AT, private=SITE, name=NAME):
    text = str(checkpoint)
    return Note(text=text, signatures=(note.sign(text, name, private),))


def test_a_checkpoint_is_three_lines_that_a_person_can_read():
    assert str(AT) == "garita/mariposa\n12\nAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=\n"
    assert note.read_checkpoint(str(AT)) == AT


def test_a_signed_note_comes_back_and_is_its_signers_alone():
    one = signed()
    assert note.read_note(str(one)) == one
    assert note.is_signed(one, [key(SITE, NAME)])
    assert not note.is_signed(one, [key(NORTH, NAME)])
    assert not note.is_signed(one, [key(SITE, "garita/other")])
    assert not note.is_signed(one, [])


def test_a_cosignature_says_when():
    one = signed()
    own = note.cosign(AT, "north", NORTH, 1_700_000_000)
    both = note.read_note(str(Note(text=one.text, signatures=(*one.signatures, own))))
    assert note.is_signed(both, [key(SITE, NAME)])
    north = key(NORTH, "north", COSIGNATURE_V1)
    assert note.cosigned_utc_s(both, [north]) == 1_700_000_000
    assert note.cosigned_utc_s(one, [north]) is None
    assert note.cosigned_utc_s(both, [key(SITE, "north", COSIGNATURE_V1)]) is None


def test_a_key_signs_only_what_its_kind_is_for():
    own = note.cosign(AT, NAME, SITE, 1_700_000_000)
    assert not note.is_signed(Note(text=str(AT), signatures=(own,)), [key(SITE, NAME)])


@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_one_bit_anywhere_is_noticed(at, bit):
    text = str(signed()).encode()
    at %= len(text)
    changed = bytearray(text)
    changed[at] ^= 1 << bit
    try:
        read = note.read_note(changed.decode())
    except ValueError:
        return
    assert not note.is_signed(read, [key(SITE, NAME)])


@given(st.text(max_size=300))
def test_garbage_is_a_value_error_or_no_checkpoint_of_ours(text):
    try:
        read = note.read_note(text)
        note.read_checkpoint(read.text)
    except ValueError:
        return
    assert not note.is_signed(read, [key(SITE, NAME)])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "garita\n1\n\n",
        "garita\n01\nAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=\n",
        "garita\n-1\nAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=\n",
        "garita\n99999999999999999999\nAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=\n",
        "garita\n1\nAwMD\n",
        "\n1\nAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=\n",
        "garita\n1\nAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=\nmore\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text):
    with pytest.raises(ValueError, match=r"checkpoint|base64|entries"):
        note.read_checkpoint(text)


def test_the_example_of_the_specification_verifies():
    example = NoteKey(
        name="example.com/foo",
        raw=base64.b64decode("AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")[1:],
    )
    assert str(example) == "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    text = (
        "This is an example message.\n\n\N{EM DASH} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1Y"
        "Eq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
    )
    read = note.read_note(text)
    assert str(read) == text
    assert note.is_signed(read, [example])
    altered = Note(text="This is an altered message.\n", signatures=read.signatures)
    assert not note.is_signed(altered, [example])
