import codecs
from datetime import datetime

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wire.iso6346 import check_digit, normalise_number
from drivers.wire.malformed import Malformed
from drivers.wire.rfc3339 import format_utc_ns, parse_utc_ns
from drivers.wire.sidecar import (
    MAX_SIDECAR_BYTES,
    REAR_FIRST,
    Sidecar,
    encode_json,
    encode_xml,
    parse_sidecar,
)

texts = st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), max_size=40)
times_ns = st.integers(0, 7_000_000_000 * 10**9)
sidecars = st.builds(
    Sidecar,
    scan_id=texts,
    start_utc_ns=st.none() | st.integers(0, 10**18),
    end_utc_ns=st.none() | st.integers(10**18, 2 * 10**18),
    pitch_x_mm=st.none() | st.floats(0.5, 50),
    pitch_y_mm=st.none() | st.floats(0.5, 50),
    declared=texts.map(str.lower),
    container=st.just("CSQU3054383"),
    container_as_read=st.just("CSQU3054383"),
    direction=st.sampled_from(["front-first", "rear-first"]),
)

ENTITIES = "".join(
    f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' if n else '<!ENTITY l0 "lol">' for n in range(10)
)
BOMB = f"<?xml version='1.0'?><!DOCTYPE scan [{ENTITIES}]><scan><id>&l9;</id></scan>".encode()
EXTERNAL = b'<!DOCTYPE scan SYSTEM "file:///etc/passwd"><scan><id>1</id></scan>'


@given(sidecar=sidecars)
def test_both_forms_carry_the_same_fields(sidecar):
    assert parse_sidecar(encode_json(sidecar)) == sidecar
    assert parse_sidecar(encode_xml(sidecar)) == sidecar


def test_xml_of_another_maker_is_read():
    data = b"""\xef\xbb\xbf<?xml version="1.0"?>
    <v:Inspection xmlns:v="urn:x"><v:Scan-ID>77</v:Scan-ID><v:ContainerNumber>csqu 305438-3
    </v:ContainerNumber><v:ScanTime>2026-11-21T12:03:11-06:00</v:ScanTime>
    <v:Operator><v:Id>nobody</v:Id></v:Operator></v:Inspection>"""
    assert parse_sidecar(data) == Sidecar(
        scan_id="77",
        start_utc_ns=parse_utc_ns("2026-11-21T18:03:11Z"),
        container="CSQU3054383",
        container_as_read="csqu 305438-3",
    )


def test_unknown_json_keys_are_left_alone():
    data = b'{"scan_id": 12, "operator": {"name": "x"}, "direction": "Rear-First"}'
    assert parse_sidecar(data) == Sidecar(scan_id="12", direction=REAR_FIRST)


def test_a_wrong_check_digit_leaves_no_container_but_what_was_read():
    sidecar = parse_sidecar(b'{"scan_id":"1","container":"CSQU3054384"}')
    assert (sidecar.container, sidecar.container_as_read) == ("", "CSQU3054384")


SAID = '<?xml version="1.0" encoding="{}"?><scan><id>ñ-7</id></scan>'


@pytest.mark.parametrize(
    "data",
    [
        SAID.format("UTF-8").encode("utf-8-sig"),
        SAID.format("UTF-16").encode("utf-16"),
        codecs.BOM_UTF16_BE + SAID.format("UTF-16").encode("utf-16-be"),
        SAID.format("UTF-8").encode("utf-16"),
        SAID.format("ISO-8859-1").encode("latin-1"),
        SAID.format("windows-1252").encode("cp1252"),
        SAID.format("UTF-8").encode("cp1252"),
        SAID.format("UTF-8").partition("?>")[2].encode("cp1252"),
        '{"scan_id": "ñ-7"}'.encode("utf-8-sig"),
        '{"scan_id": "ñ-7"}'.encode("utf-16"),
        '{"scan_id": "ñ-7"}'.encode("cp1252"),
        "\r\n <scan><SCAN-ID> ñ-7 </SCAN-ID></scan>\r\n".encode(),
        "<x:scan xmlns:x='urn:x'><x:scan_id>ñ-7</x:scan_id></x:scan>".encode(),
    ],
    ids=range(13),
)
def test_a_sidecar_of_any_encoding_is_read(data):
    assert parse_sidecar(data) == Sidecar(scan_id="ñ-7")


def test_of_a_field_that_comes_twice_the_first_that_says_something_counts():
    data = b"<s><id/><id>1</id><scan_id>2</scan_id><container>CSQU3054383</container>"
    data += b"<container>MSCU6639870</container></s>"
    assert parse_sidecar(data) == Sidecar(
        scan_id="1", container="CSQU3054383", container_as_read="CSQU3054383"
    )


@pytest.mark.parametrize(
    "data", [b"<html><body><h1>503</h1></body></html>", b"<s><a><id>1</id></a></s>", b"<id>1</id>"]
)
def test_a_document_of_something_else_says_nothing(data):
    assert parse_sidecar(data) == Sidecar()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"scan_id": [1]}',
        b'{"start": "yesterday"}',
        b'{"start": "2026-02-01T10:00:00Z", "end": "2026-02-01T09:00:00Z"}',
        b'{"pitch_x_mm": 0}',
        b'{"pitch_x_mm": -1e300}',
        b'{"pitch_y_mm": "wide"}',
        b'{"direction": "sideways"}',
        b'{"scan_id": "' + b"x" * MAX_SIDECAR_BYTES + b'"}',
        b"[" * 100_000,
        b"<scan>",
        b"<scan><id>1</scan>",
        b"<scan><pitch_x_mm>nan</pitch_x_mm></scan>",
        b"<a>" * 20 + b"</a>" * 20,
        b"<a>" + b"<b/>" * 5000 + b"</a>",
        b"<!ENTITY",
        BOMB,
        EXTERNAL,
        BOMB.decode().encode("utf-16"),
        BOMB.decode().encode("utf-8-sig") + b"\xff",
        b"\x00\x01\x02",
        b"<\xff\xfe>",
    ],
    ids=lambda data: repr(data[:24]),
)
def test_a_bad_sidecar_is_malformed(data):
    result = parse_sidecar(data)
    assert isinstance(result, Malformed)
    assert result.reason == "bad-sidecar"


@given(data=st.binary(max_size=200))
def test_any_bytes_give_a_sidecar_or_malformed(data):
    for candidate in (data, b"<" + data, b'{"scan_id":"' + data):
        assert isinstance(parse_sidecar(candidate), Sidecar | Malformed)


def test_a_million_mutated_bytes_raise_nothing():
    random = np.random.default_rng(3)
    whole = Sidecar(scan_id="a-1", start_utc_ns=10**18, pitch_x_mm=8.0, container="CSQU3054383")
    samples = [encode_json(whole), encode_xml(whole), BOMB[:600]]
    seen = 0
    while seen < 1_000_000:
        data = bytearray(samples[random.integers(len(samples))])
        for at in random.integers(0, len(data), 3):
            data[at] = random.integers(0, 256)
        assert isinstance(parse_sidecar(bytes(data)), Sidecar | Malformed)
        seen += len(data)


@given(utc_ns=times_ns)
def test_times_read_back_as_written_and_as_the_standard_library_reads_them(utc_ns):
    text = format_utc_ns(utc_ns)
    assert parse_utc_ns(text) == utc_ns
    assert int(datetime.fromisoformat(text).timestamp()) == utc_ns // 10**9


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2026-11-21T18:03:11.2Z", "2026-11-21T18:03:11.200000000Z"),
        ("2026-11-21 12:03:11,25-06:00", "2026-11-21T18:03:11.250000000Z"),
        ("2028-02-29t00:00:00z", "2028-02-29T00:00:00.000000000Z"),
        ("2026-11-21T23:59:60Z", "2026-11-22T00:00:00.000000000Z"),
    ],
)
def test_times_of_other_writers_are_read(text, same):
    assert format_utc_ns(parse_utc_ns(text)) == same


@pytest.mark.parametrize(
    "text",
    ["", "2026-11-21", "2026-11-21T18:03:11", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00Z"],
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match="no"):
        parse_utc_ns(text)


# Public examples: the standard's own, and numbers printed in carriers' documentation.
@pytest.mark.parametrize("number", ["CSQU3054383", "MSCU6639870", "TGHU7599330", "HLXU2008419"])
def test_real_container_numbers_pass(number):
    assert normalise_number(number.lower()) == number


@given(place=st.integers(4, 10), by=st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(place, by):
    number = "CSQU3054383"
    wrong = number[:place] + str((int(number[place]) + by) % 10) + number[place + 1 :]
    # A remainder of 10 is written as 0, so that one pair of digits cannot be told apart.
    if place == 10 or check_digit(wrong[:10]) != 3:
        assert normalise_number(wrong) == ""


def test_json_numbers_beyond_reason_are_malformed():
    assert isinstance(parse_sidecar(msgspec.json.encode({"start": 5})), Malformed)
