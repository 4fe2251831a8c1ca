import datetime

import pytest

from edge.delivery.certificates import Authority, certificate_expires_utc_ns
from edge.delivery.expiry import expiries
from edge.delivery.sides import TlsFiles

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
