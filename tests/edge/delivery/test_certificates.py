import datetime
import ssl

import pytest
from cryptography import x509

from edge.delivery.certificates import (
    Authority,
    authority_expires_utc_ns,
    certificate_expires_utc_ns,
)

DAY = datetime.timedelta(days=1)
DAY_NS = 86_400 * 1_000_000_000


def certificate(path):
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_an_authority_that_is_there_stays_the_same(tmp_path):
    first = Authority(tmp_path, valid_for=DAY)
    known = first.ca.read_bytes()
    issued = Authority(tmp_path, valid_for=DAY).issue("mariposa")
    assert first.ca.read_bytes() == known
    certificate(issued.cert).verify_directly_issued_by(certificate(first.ca))


def test_keys_are_for_their_owner_alone(tmp_path):
    authority = Authority(tmp_path / "new", valid_for=DAY)
    authority.issue("mariposa")
    authority.issue("mariposa")
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "new").iterdir()}
    assert modes == {"ca.pem": 0o644, "ca.key": 0o600, "mariposa.pem": 0o644, "mariposa.key": 0o600}
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("gone", ["ca.pem", "ca.key"])
def test_half_an_authority_is_not_replaced(tmp_path, gone):
    Authority(tmp_path, valid_for=DAY)
    (tmp_path / gone).unlink()
    with pytest.raises(ValueError, match=f"{gone} is not; bring it back"):
        Authority(tmp_path, valid_for=DAY)


def test_a_key_of_another_authority_is_not_taken(tmp_path):
    Authority(tmp_path / "a", valid_for=DAY)
    Authority(tmp_path / "b", valid_for=DAY)
    (tmp_path / "a" / "ca.key").write_bytes((tmp_path / "b" / "ca.key").read_bytes())
    with pytest.raises(ValueError, match="is not the key of"):
        Authority(tmp_path / "a", valid_for=DAY)


def test_what_is_no_key_says_so(tmp_path):
    Authority(tmp_path, valid_for=DAY)
    (tmp_path / "ca.key").write_text("nothing")
    with pytest.raises(ValueError, match=r"ca\.key holds no private key"):
        Authority(tmp_path, valid_for=DAY)


def test_nothing_outlasts_its_authority(tmp_path):
    authority = Authority(tmp_path, valid_for=DAY)
    pair = authority.issue("mariposa", valid_for=100 * DAY)
    assert certificate_expires_utc_ns(pair.cert) == certificate_expires_utc_ns(authority.ca)


def test_a_renewed_certificate_is_for_the_same_hosts_with_another_key(tmp_path):
    authority = Authority(tmp_path, valid_for=100 * DAY)
    pair = authority.issue("broker", server=True, hosts=["mqtt.example", "10.1.2.3"], valid_for=DAY)
    before = certificate(pair.cert)
    authority.renew("broker", 10 * DAY)
    after = certificate(pair.cert)
    for kind in (x509.SubjectAlternativeName, x509.ExtendedKeyUsage):
        old, new = (each.extensions.get_extension_for_class(kind) for each in (before, after))
        assert old == new
    assert after.public_key() != before.public_key()
    assert after.not_valid_after_utc - before.not_valid_after_utc >= 9 * DAY
    ssl.create_default_context().load_cert_chain(pair.cert, pair.key)


def test_an_authority_that_is_renewed_still_vouches_for_what_it_has_signed(tmp_path):
    authority = Authority(tmp_path, valid_for=DAY)
    pair = authority.issue("mariposa")
    authority.renew_itself(10 * DAY)
    certificate(pair.cert).verify_directly_issued_by(certificate(authority.ca))


def test_of_a_file_of_authorities_the_last_to_end_counts_of_a_chain_the_first(tmp_path):
    old = Authority(tmp_path / "old", valid_for=DAY)
    new = Authority(tmp_path / "new", valid_for=10 * DAY)
    both = tmp_path / "both.pem"
    both.write_bytes(old.ca.read_bytes() + new.ca.read_bytes())
    assert authority_expires_utc_ns(both) == certificate_expires_utc_ns(new.ca)
    assert certificate_expires_utc_ns(both) == certificate_expires_utc_ns(old.ca)


def test_what_is_no_certificate_says_so(tmp_path):
    path = tmp_path / "own.pem"
    path.write_text("nothing")
    with pytest.raises(ValueError, match=r"own\.pem holds no certificate"):
        certificate_expires_utc_ns(path)
