"""Two countries on one machine: certificates, brokers on free ports, all ended by pid."""

import datetime

import pytest

from edge.delivery.broker_rules import access_list, principals
from edge.delivery.certificates import Authority
from edge.delivery.sides import TlsFiles


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """A certificate authority for each country."""
    made = {}

    def of(country):
        if country not in made:
            folder = tmp_path_factory.mktemp(f"keys-{country}")
            made[country] = Authority(folder, valid_for=datetime.timedelta(days=1))
        return made[country]

    return of


@pytest.fixture
def files_for(authority):
    """The TLS files of a client of a country's broker."""

    def issue(country, name):
        pair = authority(country).issue(name)
        return TlsFiles(ca=authority(country).ca, cert=pair.cert, key=pair.key)

    return issue


@pytest.fixture
def secure_mosquitto(mosquitto, authority, tmp_path):
    """Starts a side's broker with mutual TLS 1.3, the certificate's name as user, and rules."""

    def start(side, **options):
        files = authority(side).issue("broker", server=True)
        rules = tmp_path / f"{side}.acl"
        rules.write_text(access_list(side, principals(side, ["mariposa"])))
        return mosquitto(
            **{
                "allow_anonymous": "false",
                "cafile": authority(side).ca,
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
