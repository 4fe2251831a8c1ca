import datetime

import pytest

from edge.delivery.certificates import Authority, certificate_expires_utc_ns
from edge.delivery.expiry import expiries, key_expiries
from edge.delivery.sides import TlsFiles
from edge.trust.keys import Keyring, PublicKey

DAY = datetime.timedelta(days=1)
DAY_NS = 86_400 * 1_000_000_000


@pytest.fixture
def tls(tmp_path):
    authority = Authority(tmp_path, valid_for=1000 * DAY)
    pair = authority.issue("mariposa", valid_for=100 * DAY)
    return TlsFiles(ca=authority.ca, cert=pair.cert, key=pair.key)


@pytest.mark.parametrize(
    ("days_left", "said"),
    [
        (15, ""),
        (13, "ends in 13 days"),
        (1, "ends in two days or less"),
        (0, "has ended"),
        (-3, "has ended"),
    ],
)
def test_what_ends_soon_is_told_in_time(tls, days_left, said):
    now_utc_ns = certificate_expires_utc_ns(tls.cert) - days_left * DAY_NS
    own, ca = expiries(tls, now_utc_ns)
    assert own.left_s == pytest.approx(days_left * 86_400)
    trouble = own.trouble(now_utc_ns)
    assert said in trouble
    assert bool(said) == (str(tls.cert) in trouble)
    assert ca.trouble(now_utc_ns) == ""


def test_an_authority_that_ends_is_told_by_its_name(tls):
    own, ca = expiries(tls, now_utc_ns := certificate_expires_utc_ns(tls.ca) + 1)
    assert ca.trouble(now_utc_ns).startswith(f"the authority's certificate {tls.ca} has ended")
    assert own.trouble(now_utc_ns).startswith(f"our certificate {tls.cert} has ended")


def test_a_file_that_cannot_be_read_is_told(tls):
    tls.cert.unlink()
    tls.ca.write_text("nothing")
    troubles = [each.trouble(0) for each in expiries(tls, 0)]
    assert "our certificate cannot be read" in troubles[0]
    assert str(tls.cert) in troubles[0]
    assert "ca.pem holds no certificate" in troubles[1]
    assert [each.left_s for each in expiries(tls, 0)] == [None, None]


def test_what_is_not_there_does_not_end():
    assert list(expiries(None, 0)) == []
    assert list(expiries(TlsFiles(), 0)) == []


def key(owner, role, days, number):
    return PublicKey(
        owner=owner,
        role=role,
        raw=bytes([number]) * 32,
        not_before_utc_ns=0,
        not_after_utc_ns=days * DAY_NS,
    )


OURS = key("edge/mariposa", "edge", 20, 1)
OWNERS = {"north", "south", "edge/mariposa"}


@pytest.mark.parametrize(
    ("days_left", "said"),
    [
        (15, []),
        (13, ["ends in 13 days, on 1970-01-21 00:00 UTC"]),
        (-1, ["has ended on 1970-01-21 00:00 UTC, nothing that it signs is believed"]),
    ],
)
def test_a_key_that_ends_soon_is_told_in_time(days_left, said):
    now_utc_ns = (20 - days_left) * DAY_NS
    (one,) = key_expiries(OURS, None, OWNERS, now_utc_ns)
    assert one.left_s == days_left * 86_400
    name = f"our key {OURS.key_id} of edge/mariposa"
    mend = "(make a successor: `garita keys rotate`)"
    told = [one.trouble(now_utc_ns)] if one.trouble(now_utc_ns) else []
    assert told == [f"{name} {each} {mend}" for each in said]


def test_of_each_role_the_key_that_lasts_longest_counts_but_of_ours_what_we_sign_with():
    ring = Keyring(
        [
            key("edge/mariposa", "edge", 400, 2),  # our successor, which we do not sign with yet
            key("edge/elsewhere", "edge", 1, 3),
            key("north", "centre", 5, 4),
            key("north", "centre", 300, 5),
            key("south", "centre", 5, 6),
            key("south", "officer", 300, 7),
        ]
    )
    found = key_expiries(OURS, ring, OWNERS, 0)
    told = [(one.key.owner, one.key.role, one.left_s / 86_400) for one in found]
    assert told == [
        ("edge/mariposa", "edge", 20),
        ("north", "centre", 300),
        ("south", "centre", 5),
        ("south", "officer", 300),
    ]
    assert [one.ours for one in found] == [True, False, False, False]
    (trouble,) = [each.trouble(0) for each in found if each.trouble(0)]
    assert trouble.startswith("centre key") and "of south ends in 5 days" in trouble


def test_without_keys_none_ends():
    assert list(key_expiries(None, None, OWNERS, 0)) == []
