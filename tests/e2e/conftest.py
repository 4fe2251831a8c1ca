"""Two countries on one machine: certificates, brokers on free ports, all ended by pid."""

import contextlib
import datetime
import ipaddress
import socket
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from edge.delivery.broker import find_mosquitto, start_broker
from edge.delivery.sides import TlsFiles


@pytest.fixture
def free_port():
    """Gives loopback ports that nobody listens on, each only once."""
    given = set()

    def find():
        while True:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            if port not in given:
                given.add(port)
                return port

    return find


@pytest.fixture
def until():
    """Waits for a condition; what it last was is the test's failure."""

    def wait(reached, within_s=15.0):
        deadline = time.monotonic() + within_s
        while not (value := reached()):
            assert time.monotonic() < deadline, f"not reached within {within_s} s: {value!r}"
            time.sleep(0.005)
        return value

    return wait


@pytest.fixture
def mosquitto(tmp_path, free_port):
    """Starts real brokers, each in a folder of its own; every one is ended."""
    if find_mosquitto() is None:
        pytest.skip("mosquitto is not installed")
    with contextlib.ExitStack() as stack:

        def start(port=None, **options):
            port = port or free_port()
            broker = start_broker(
                port, tmp_path / f"broker-{port}", kind="mosquitto", options=options
            )
            stack.callback(broker.kill)
            return broker

        yield start


@dataclass(frozen=True)
class Authority:
    """A certificate authority and the folder its certificates are in."""

    folder: Path
    name: str
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def ca(self):
        return self.folder / f"{self.name}.crt"

    def issue(self, common_name):
        """A certificate for a server on the loopback, or for a client of that name."""
        key = ec.generate_private_key(ec.SECP256R1())
        usage = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        alternatives = [
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        ]
        certificate = (
            _builder(common_name, self.name, key)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .add_extension(x509.ExtendedKeyUsage(usage), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
            .sign(self.key, hashes.SHA256())
        )
        path = self.folder / f"{self.name}-{common_name}"
        _write(path, key, certificate)
        return TlsFiles(ca=self.ca, cert=path.with_suffix(".crt"), key=path.with_suffix(".key"))


def _builder(subject, issuer, key):
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
    )


def _write(path, key, certificate):
    path.with_suffix(".crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    path.with_suffix(".key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """Makes certificate authorities, one for each country."""
    folder = tmp_path_factory.mktemp("keys")
    made = {}

    def make(name):
        if name not in made:
            key = ec.generate_private_key(ec.SECP256R1())
            usage = x509.KeyUsage(
                digital_signature=True, key_cert_sign=True, crl_sign=True,
                content_commitment=False, key_encipherment=False, data_encipherment=False,
                key_agreement=False, encipher_only=False, decipher_only=False,
            )  # fmt: skip
            certificate = (
                _builder(name, name, key)
                .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
                .add_extension(usage, critical=True)
                .add_extension(
                    x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
                )
                .sign(key, hashes.SHA256())
            )
            _write(folder / name, key, certificate)
            made[name] = Authority(folder, name, key, certificate)
        return made[name]

    return make


RULES = """\
user mariposa
topic write garita/v1/mariposa/#
topic write garita-exercise/v1/mariposa/#
topic read garita/v1/mariposa/cmd/#
topic read garita-exercise/v1/mariposa/cmd/#
topic read garita/v1/ops/#
user centre
topic read garita/v1/#
topic read garita-exercise/v1/#
topic write garita/v1/ops/{side}/#
topic write garita/v1/mariposa/cmd/#
"""
"""Who may what: an edge writes below its own name, a centre below its own side."""


@pytest.fixture
def secure_mosquitto(mosquitto, authority, tmp_path):
    """Starts a side's broker with mutual TLS 1.3, the certificate's name as user, and rules."""

    def start(side, **options):
        files = authority(side).issue("broker")
        rules = tmp_path / f"{side}.acl"
        rules.write_text(RULES.format(side=side))
        return mosquitto(
            **{
                "allow_anonymous": "false",
                "cafile": files.ca,
                "certfile": files.cert,
                "keyfile": files.key,
                "require_certificate": "true",
                "use_identity_as_username": "true",
                "tls_version": "tlsv1.3",
                "acl_file": rules,
                **options,
            }
        )

    return start
