"""Certificates for a broker with mutual TLS: an authority, and who it vouches for.

Elliptic curves (P-256), short-lived, one file per key with mode 600.
"""

import datetime
import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_SIGNS_CERTIFICATES = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=True,
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)
SKEW = datetime.timedelta(hours=1)  # the other end's clock may be behind ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A certificate and its private key, as PEM files."""

    cert: Path
    key: Path


class Authority:
    """Signs certificates below one folder, the same one each time that the folder is opened.

    OSError where the folder cannot be written, ValueError where its files are not what they
    should be.
    """

    def __init__(
        self, folder: Path, *, valid_for: datetime.timedelta, name: str = "Garita test authority"
    ) -> None:
        """`valid_for` and `name` are a new authority's; one that is there keeps its own."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._valid_for = valid_for
        self.ca = folder / "ca.pem"
        """What both ends trust."""
        self._key_file = folder / "ca.key"
        if self.ca.exists() != self._key_file.exists():
            there, gone = sorted((self.ca, self._key_file), key=Path.exists, reverse=True)
            raise ValueError(f"{there} is there, but {gone} is not; bring it back, or start anew")
        if self.ca.exists():
            self._key = _read_key(self._key_file)
            self._certificate = _read(self.ca)[0]
            if self._certificate.public_key() != self._key.public_key():
                raise ValueError(f"{self._key_file} is not the key of {self.ca}")
            self._name = self._certificate.subject
        else:
            self._key = ec.generate_private_key(ec.SECP256R1())
            self._name = _name(name)
            _write_key(self._key_file, self._key)
            self.renew_itself(valid_for)

    def renew_itself(self, valid_for: datetime.timedelta) -> None:
        """A new certificate for the same key: what it has signed stays valid."""
        constraint = x509.BasicConstraints(ca=True, path_length=0)
        self._certificate = (
            self._builder(self._name, self._key.public_key(), _now() + valid_for)
            .add_extension(constraint, critical=True)
            # Python 3.13 verifies strictly, and refuses an authority that does not say this.
            .add_extension(_SIGNS_CERTIFICATES, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        _write(self.ca, self._certificate.public_bytes(serialization.Encoding.PEM), 0o644)

    def pair(self, name: str) -> Pair:
        """Where the certificate and key of a name are, or would be."""
        return Pair(cert=self._folder / f"{name}.pem", key=self._folder / f"{name}.key")

    def issue(
        self,
        name: str,
        *,
        server: bool = False,
        hosts: Sequence[str] = (),
        valid_for: datetime.timedelta | None = None,
    ) -> Pair:
        """A new key and a certificate whose common name is `name`; replaces what is there.

        server     for this machine's loopback and for `hosts`, names or addresses
        valid_for  the authority's own time without it, and never longer than the authority
        """
        key = ec.generate_private_key(ec.SECP256R1())
        usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
        ends = min(_now() + (valid_for or self._valid_for), self._certificate.not_valid_after_utc)
        builder = self._builder(_name(name), key.public_key(), ends).add_extension(
            x509.ExtendedKeyUsage([usage]), critical=False
        )
        if server:
            unique = dict.fromkeys(("localhost", "127.0.0.1", *hosts))
            names = x509.SubjectAlternativeName([_host(host) for host in unique])
            builder = builder.add_extension(names, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        pair = self.pair(name)
        _write_key(pair.key, key)
        _write(pair.cert, certificate.public_bytes(serialization.Encoding.PEM), 0o644)
        return pair

    def renew(self, name: str, valid_for: datetime.timedelta) -> Pair:
        """The same again with a new key: a server stays one, for the same hosts."""
        extensions = _read(self.pair(name).cert)[0].extensions
        usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        server = ExtendedKeyUsageOID.SERVER_AUTH in usage
        hosts: list[str] = []
        if server:
            names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            hosts += names.get_values_for_type(x509.DNSName)
            hosts += [str(each) for each in names.get_values_for_type(x509.IPAddress)]
        return self.issue(name, server=server, hosts=hosts, valid_for=valid_for)

    def _builder(
        self, subject: x509.Name, public_key: ec.EllipticCurvePublicKey, ends: datetime.datetime
    ) -> x509.CertificateBuilder:
        # One that ends in the past is for tests; it has begun before, too.
        begins = min(_now(), ends) - SKEW
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )


def certificate_expires_utc_ns(path: Path) -> int:
    """When the first of a file ends, the one that its owner shows. OSError, ValueError."""
    return _utc_ns(_read(path)[0].not_valid_after_utc)


def authority_expires_utc_ns(path: Path) -> int:
    """When the last certificate of a file ends: until then it has something to trust.

    An old authority may stand beside its successor while certificates move from one to the
    other. OSError, ValueError.
    """
    return _utc_ns(max(each.not_valid_after_utc for each in _read(path)))


def _utc_ns(at: datetime.datetime) -> int:
    return round(at.timestamp()) * 1_000_000_000


def _read(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} holds no certificate ({error})") from error


def _read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} holds no private key that can be read ({error})") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{path} holds a key of another kind than ours (an elliptic curve's)")
    return key


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    content = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write(path, content, 0o600)


def _write(path: Path, content: bytes, mode: int) -> None:
    """Whole or not at all: who connects meanwhile reads the old file or the new one."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
