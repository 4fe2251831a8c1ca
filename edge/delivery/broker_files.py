"""The files of a side's broker: certificates, access list, configuration, and how to start it."""

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edge.delivery.broker_rules import (
    BROKER,
    Principal,
    access_list,
    carried,
    checked_site,
    other,
    principals,
)
from edge.delivery.certificates import (
    Authority,
    Pair,
    authority_expires_utc_ns,
    certificate_expires_utc_ns,
)

AUTHORITY_DAYS = 3650
CERTIFICATES, DATA, BRIDGE = "certificates", "data", "bridge"  # folders below the broker's own
MAX_PACKET_BYTES = 16 * 1024 * 1024  # an alert's file may have a megabyte or two
ACL_PLUGIN = "/usr/lib/mosquitto_acl_file.so"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerPlan:
    """What a side's broker is to be."""

    side: str
    sites: tuple[str, ...]
    folder: Path
    """Where its files go; its paths stand in the configuration."""
    version: Literal["2.0", "2.1"] = "2.0"
    port: int = 8883
    hosts: tuple[str, ...] = ()
    """Names and addresses that its certificate is for, besides the loopback."""
    bridge_to: str | None = None
    """HOST:PORT of the other side's broker, for one that carries our sites' messages there."""
    bridge_from: bool = False
    """The other side's broker may come with its sites' messages."""
    user: str = "mosquitto"
    """Who the broker becomes where root starts it."""
    days: int = 365

    def __post_init__(self) -> None:
        for site in self.sites:
            checked_site(site)
        if self.bridge_to is not None:
            host_and_port(self.bridge_to)
            if self.bridge_from:
                # Two bridges would each carry back what the other has brought, for ever.
                raise ValueError("one of the two brokers has the bridge, the other lets it in")

    @property
    def principals(self) -> tuple[Principal, ...]:
        """Who gets a certificate and rights."""
        return principals(self.side, self.sites, bridged=self.bridge_from)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What became of one file."""

    path: Path
    outcome: Literal["written", "kept", "kept, though it would differ"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A certificate of a broker's folder, and until when it is good."""

    name: str
    path: Path
    ends_utc_ns: int


def host_and_port(text: str) -> tuple[str, int]:
    """The parts of HOST:PORT. ValueError."""
    host, _, port = text.rpartition(":")
    if not host or any(each.isspace() for each in host) or not port.isdecimal():
        raise ValueError(f"{text!r} is no address; write HOST:PORT")
    return host, int(port)


def write_broker(plan: BrokerPlan, *, force: bool = False) -> list[Made]:
    """Write what is missing below the plan's folder. OSError, ValueError.

    Keys and certificates that are there always stay; `force` writes the text files again.
    """
    plan.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (plan.folder / DATA).mkdir(mode=0o700, exist_ok=True)
    made = _write_certificates(plan)
    for name, text in (
        ("access-list", access_list(plan.side, plan.principals)),
        ("mosquitto.conf", configuration(plan)),
        ("README.txt", read_me(plan)),
    ):
        made.append(_write_text(plan.folder / name, text, force=force))
    return made


def _write_certificates(plan: BrokerPlan) -> list[Made]:
    folder = plan.folder.resolve() / CERTIFICATES
    known = (folder / "ca.pem").exists()
    authority = Authority(
        folder,
        valid_for=datetime.timedelta(days=AUTHORITY_DAYS),
        name=f"Garita broker authority {plan.side}",
    )
    made = [Made(path=authority.ca, outcome="kept" if known else "written")]
    valid_for = datetime.timedelta(days=plan.days)
    for name in (BROKER, *(principal.name for principal in plan.principals)):
        pair = authority.pair(name)
        there = pair.cert.exists() and pair.key.exists()
        if not there:
            server = name == BROKER
            authority.issue(name, server=server, hosts=plan.hosts, valid_for=valid_for)
        made.append(Made(path=pair.cert, outcome="kept" if there else "written"))
    return made


def _write_text(path: Path, text: str, *, force: bool) -> Made:
    if path.exists() and not force:
        same = path.read_text(encoding="utf-8") == text
        return Made(path=path, outcome="kept" if same else "kept, though it would differ")
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
    return Made(path=path, outcome="written")


def configuration(plan: BrokerPlan) -> str:
    """The text of mosquitto.conf."""
    folder = plan.folder.resolve()
    certificates = folder / CERTIFICATES
    modern = plan.version == "2.1"
    lines = [
        f"# Broker of the {plan.side} side, for Mosquitto {plan.version}; "
        "written by `garita broker init`.",
        "",
        "# Where root starts it, it becomes this user, who must own this folder.",
        f"user {plan.user}",
        "",
        "# A snapshot every second is what survives a crash; by default there is one in 1,800 s.",
        "persistence true",
        f"persistence_location {folder / DATA}/",
        "autosave_interval 1",
        "# A centre that is away for a night finds everything: 1,000 is the default.",
        "max_queued_messages 100000",
        "max_inflight_messages 100",
        "# Files of alerts are larger than the 2,000,000 bytes that 2.1 takes by default.",
        f"max_packet_size {MAX_PACKET_BYTES}",
        "# Without it a message may wait 40 ms for Nagle's algorithm.",
        "set_tcp_nodelay true",
        "",
        "# Who may write and read what.",
        *(_rules_2_1(folder) if modern else _rules_2_0(folder)),
        "",
        "# Only TLS 1.3, only with a certificate, and its common name is the user.",
        f"listener {plan.port}",
        *(["listener_allow_anonymous false"] if modern else []),
        f"cafile {certificates / 'ca.pem'}",
        f"certfile {certificates / f'{BROKER}.pem'}",
        f"keyfile {certificates / f'{BROKER}.key'}",
        "tls_version tlsv1.3",
        "require_certificate true",
        "use_identity_as_username true",
        "",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        "log_type notice",
    ]
    return "\n".join([*lines, *_bridge(plan, folder)]) + "\n"


def _rules_2_0(folder: Path) -> list[str]:
    return ["allow_anonymous false", f"acl_file {folder / 'access-list'}"]


def _rules_2_1(folder: Path) -> list[str]:
    return [
        "# 2.1 has moved the option acl_file into a plugin; where the plugin is, your",
        "# distribution decides.",
        f"global_plugin {ACL_PLUGIN}",
        f"plugin_opt_acl_file {folder / 'access-list'}",
    ]


def _bridge(plan: BrokerPlan, folder: Path) -> list[str]:
    if plan.bridge_to is None:
        return []
    host, port = host_and_port(plan.bridge_to)
    name = f"bridge-{plan.side}"
    files = Pair(cert=folder / BRIDGE / f"{name}.pem", key=folder / BRIDGE / f"{name}.key")
    outward, inward = carried(plan.side, plan.sites)
    return [
        "",
        f"# What our sites say goes to the {other(plan.side)} side's broker, what its centre asks "
        "comes here.",
        "# No topic goes both ways, so nothing goes round in a loop.",
        f"connection {name}",
        f"address {host}:{port}",
        "bridge_protocol_version mqttv50",
        f"remote_clientid {name}",
        f"local_clientid {name}-local",
        "# What it could not deliver waits, also over a restart.",
        "cleansession false",
        "notifications false",
        "try_private true",
        "restart_timeout 1 30",
        "keepalive_interval 10",
        f"bridge_cafile {folder / BRIDGE / 'ca.pem'}",
        f"bridge_certfile {files.cert}",
        f"bridge_keyfile {files.key}",
        "bridge_tls_version tlsv1.3",
        *(f"topic {topic} out 1" for topic, _ in outward),
        *(f"topic {topic} in 1" for topic, _ in inward),
    ]


def read_me(plan: BrokerPlan) -> str:
    """What each file is for, and how the broker is started."""
    folder = plan.folder.resolve()
    rows = [
        ("mosquitto.conf", f"the configuration, for Mosquitto {plan.version}"),
        ("access-list", "who may write and read what, each right with its reason"),
        (f"{DATA}/", "what the broker keeps over a restart"),
        (f"{CERTIFICATES}/ca.pem", "what all who connect must trust; give it to everybody"),
        (f"{CERTIFICATES}/ca.key", "signs certificates; whoever has it can be anybody: keep it"),
        ("", "offline, and bring it back for `garita broker init` and `renew`"),
        (f"{CERTIFICATES}/{BROKER}.pem, .key", "the broker's own certificate and key"),
    ]
    rows += [(f"{CERTIFICATES}/{each.name}.pem, .key", each.what) for each in plan.principals]
    width = max(len(name) for name, _ in rows)
    lines = [
        f"Broker of the {plan.side} side, port {plan.port}.",
        "",
        "Start it:",
        f"  chown -R {plan.user}: {folder}          (where root starts it)",
        f"  mosquitto -c {folder}/mosquitto.conf",
        "After `garita broker renew` or a change of access-list it reads its files again:",
        "  kill -HUP PID",
        "",
        "Each client gets ca.pem, its own .pem and its own .key (by hand, not by mail), and says",
        f"  broker: mqtts://HOST:{plan.port}    tls: {{ca: ca.pem, cert: NAME.pem, key: NAME.key}}",
        "",
        "See until when the certificates are good, and make new ones in time:",
        f"  garita broker ls {folder}",
        f"  garita broker renew {folder}",
        "",
        "Files:",
        *(f"  {name:{width}}  {what}".rstrip() for name, what in rows),
    ]
    if plan.bridge_from:
        lines += [
            "",
            f"The {other(plan.side)} side's broker comes as bridge-{other(plan.side)}: give its",
            f"people ca.pem and that certificate and key, for their folder {BRIDGE}/.",
        ]
    if plan.bridge_to is not None:
        lines += [
            "",
            f"This broker carries what its sites say to {plan.bridge_to}. Put into {BRIDGE}/ what",
            f"its people give you: ca.pem, bridge-{plan.side}.pem and bridge-{plan.side}.key.",
            "The bridge knows no release policy: whatever this side is told goes on, whole. A site",
            "that publishes to both sides itself needs no bridge, and sends twice with one.",
        ]
    return "\n".join(lines) + "\n"


def shown(folder: Path) -> list[Shown]:
    """The certificates of a broker's folder, by their end. OSError, ValueError."""
    found = []
    for path in sorted((folder / CERTIFICATES).glob("*.pem")):
        ends = authority_expires_utc_ns if path.stem == "ca" else certificate_expires_utc_ns
        found.append(Shown(name=path.stem, path=path, ends_utc_ns=ends(path)))
    if not found:
        raise FileNotFoundError(f"{folder / CERTIFICATES}: no certificates here")
    return sorted(found, key=lambda each: each.ends_utc_ns)


def renew(folder: Path, *, before_utc_ns: int, days: int) -> list[Shown]:
    """New certificates for those that end before a time; returns them. OSError, ValueError."""
    due = [each.name for each in shown(folder) if each.ends_utc_ns < before_utc_ns]
    if not due:
        return []
    authority = Authority(folder / CERTIFICATES, valid_for=datetime.timedelta(days=days))
    if "ca" in due:
        authority.renew_itself(datetime.timedelta(days=AUTHORITY_DAYS))
    for name in due:
        if name != "ca":
            authority.renew(name, datetime.timedelta(days=days))
    return [each for each in shown(folder) if each.name in due]
