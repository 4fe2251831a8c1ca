"""What the commands take: types of arguments, and a function per command that adds its own."""

import argparse
import os
import re
from pathlib import Path

LANGUAGES = ("en-US", "es-MX")
NORTH_PORT, SOUTH_PORT, HTTP_PORT = 18831, 18832, 8088  # the demo's addresses are a contract
REPORT_SEED = 1_000_000  # as in edge.study.packs, which is slow to import
CROSSING_SEED = 9_100_000
CALIBRATION_SEED = 100_000
CALIBRATION_PACKS = ("quiet-day", "busy-day", "smuggling", "footpaths", "loads")
CALIBRATION_TESTS = ("seismic.event", "xray.emptiness", "xray.dense", "ground_rho", "pair_rho")
"""As in edge.study.calibration_packs, which brings all simulators."""
BASE_PORT = 16010  # of `simulate --serve`; in no registry's list
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?")


def duration_s(text: str) -> float:
    """`90`, `60s`, `5m` or `1h30m` in seconds."""
    match = _DURATION.fullmatch(text.strip().lower())
    if not match or not any(match.groups()):
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; write 60s, 5m or 1h30m")
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    total = hours * 3600 + minutes * 60 + seconds
    if total <= 0:
        raise argparse.ArgumentTypeError("a duration is more than nothing")
    return total


def port(text: str) -> int:
    """A TCP or UDP port."""
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; write a number from 1 to 65535")
    return int(text)


def speed(text: str) -> float | None:
    """`max` as None, `10x` as 10.0."""
    if text == "max":
        return None
    try:
        factor = float(text.removesuffix("x"))
    except ValueError:
        factor = 0.0
    if not 0 < factor < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no speed; write max, 1x or 10x")
    return factor


def setting(text: str) -> tuple[str, str]:
    """`key=value`."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is no setting; write key=value")
    return key.strip(), value.strip()


def default_language() -> str:
    """Spanish where the terminal speaks it, else English."""
    locale = next((os.environ[key] for key in ("LC_ALL", "LANG") if os.environ.get(key)), "")
    return "es-MX" if locale.startswith("es") else "en-US"


def _language(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "--language",
        choices=LANGUAGES,
        default=default_language(),
        help="language of the alerts on the screen (default: the terminal's, here %(default)s)",
    )


def demo_arguments(sub: argparse.ArgumentParser) -> None:
    """Arguments of `garita demo`."""
    sub.add_argument(
        "--for",
        dest="for_s",
        type=duration_s,
        metavar="TIME",
        help="stop after 60s, 5m, ...; without it the demo runs until Ctrl+C",
    )
    for name, default in (("north", NORTH_PORT), ("south", SOUTH_PORT)):
        sub.add_argument(
            f"--{name}-port",
            type=port,
            default=default,
            metavar="PORT",
            help=f"where the {name} broker listens on 127.0.0.1 (default: %(default)s)",
        )
    sub.add_argument(
        "--http-port",
        type=port,
        default=HTTP_PORT,
        metavar="PORT",
        help="/metrics, /healthz and /readyz on 127.0.0.1 (default: %(default)s)",
    )
    _language(sub)
    sub.add_argument("--seed", type=int, default=1, help="another seed is another day (default: 1)")


def run_arguments(sub: argparse.ArgumentParser) -> None:
    """Arguments of `garita run`."""
    _config(sub, required=True)
    sub.add_argument(
        "--record", type=Path, metavar="DIR", help="keep the raw sensor bytes there, as MCAP files"
    )


def check_arguments(sub: argparse.ArgumentParser) -> None:
    """Arguments of `garita check`."""
    sub.add_argument("file", type=Path, metavar="FILE", help="the configuration, a YAML file")


def replay_arguments(sub: argparse.ArgumentParser) -> None:
    """Arguments of `garita replay`."""
    sub.add_argument(
        "inputs",
        type=Path,
        nargs="+",
        metavar="INPUT",
        help="a Garita recording, a folder of them, or a recorded device file",
    )
    _config(sub, required=False)
    sub.add_argument(
        "--show",
        choices=("alerts", "detections", "samples"),
        default="alerts",
        help="what stands on stdout, one JSON object a line (default: alerts)",
    )
    sub.add_argument(
        "--speed", type=speed, default=None, metavar="max|10x", help="default: max, no waiting"
    )
    sub.add_argument(
        "--kind", help="the kind of device file, where it is not recognised (see README)"
    )
    sub.add_argument(
        "--set",
        dest="settings",
        type=setting,
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a key of the device's configuration, such as panels=2; may be repeated",
    )
    sub.add_argument(
        "--as-recorded",
        action="store_true",
        help="keep the origin of the recording, to compare its alerts byte by byte; "
        "without it every alert is an exercise",
    )
    sub.add_argument(
        "--console",
        action="store_true",
        help="show it on an operator's console too, marked as an exercise; a link is printed",
    )
    sub.add_argument(
        "--port", type=int, default=0, metavar="PORT", help="of that console (default: a free one)"
    )
    sub.add_argument(
        "--for",
        dest="for_s",
        type=duration_s,
        metavar="TIME",
        help="how long the console stays after the last alert (default: until Ctrl+C)",
    )
    _evidence(sub)


def record_arguments(sub: argparse.ArgumentParser) -> None:
    """Arguments of `garita record`."""
    _config(sub, required=True)
    sub.add_argument(
        "--out", type=Path, metavar="DIR", help="where to (default: recording.dir of the config)"
    )


def simulate_arguments(sub: argparse.ArgumentParser) -> None:
    """Arguments of `garita simulate`."""
    sub.add_argument(
        "--scenario", required=True, metavar="NAME", help="such as demo; an unknown name lists all"
    )
    sub.add_argument("--seed", type=int, default=1, help="the same seed gives the same bytes")
    where = sub.add_mutually_exclusive_group()
    where.add_argument(
        "--out", type=Path, metavar="DIR", help="write recordings and the truth labels there"
    )
    where.add_argument("--serve", action="store_true", help="send live, on the addresses it prints")
    sub.add_argument(
        "--for", dest="for_s", type=duration_s, metavar="TIME", help="default: the whole scenario"
    )
    _config(sub, required=False)
    sub.add_argument(
        "--base-port",
        type=port,
        default=BASE_PORT,
        metavar="PORT",
        help="first port to serve on (default: %(default)s)",
    )
    sub.add_argument(
        "--hold",
        action="store_true",
        help="with --serve: open the wires at once, play when a line comes on stdin",
    )
    sub.add_argument(
        "--pty",
        action="store_true",
        help="serve portals and serial ground sensors on pseudo-terminals instead of TCP",
    )


def watch_arguments(sub: argparse.ArgumentParser) -> None:
    """Arguments of `garita watch`."""
    sub.add_argument(
        "urls",
        nargs="+",
        metavar="URL",
        help="a broker, such as mqtt://127.0.0.1:18831, or of both sides, "
        "such as north=mqtts://a.example south=mqtts://b.example",
    )
    _language(sub)
    sub.add_argument("--site", help="only that site's alerts (default: all)")
    sub.add_argument("--for", dest="for_s", type=duration_s, metavar="TIME", help="stop after that")
    sub.add_argument("--json", action="store_true", help="JSON Lines, for a program")
    _evidence(sub)
    _access(sub)


def centre_arguments(sub: argparse.ArgumentParser) -> None:
    """Arguments of `garita centre`."""
    sub.add_argument("--side", required=True, choices=("north", "south"), help="whose centre it is")
    sub.add_argument("--url", required=True, help="mqtt://HOST:PORT or mqtts://HOST:PORT")
    sub.add_argument(
        "--store", type=Path, metavar="FILE", help="a SQLite file (default: centre-SIDE.db)"
    )
    sub.add_argument(
        "--keyring",
        type=Path,
        metavar="FILE",
        help="whose signatures are believed; without it nothing is verified",
    )
    sub.add_argument(
        "--signing-key",
        type=Path,
        metavar="FILE",
        help="the centre's private key: with it and a keyring it vouches for the common record",
    )
    _language(sub)
    sub.add_argument("--json", action="store_true", help="JSON Lines, for a program")
    sub.add_argument("--quiet", action="store_true", help="store only, and print nothing")
    sub.add_argument(
        "--forward", metavar="COMMAND", help="a program that gets all that is stored, on stdin"
    )
    sub.add_argument("--for", dest="for_s", type=duration_s, metavar="TIME", help="stop after that")
    _access(sub)


def _access(sub: argparse.ArgumentParser) -> None:
    for name, what in (
        ("ca", "certificates that may sign the broker's (default: the system's)"),
        ("cert", "this reader's certificate"),
        ("key", "its private key"),
        ("password-file", "a file whose first line is the password"),
    ):
        sub.add_argument(f"--{name}", type=Path, metavar="FILE", help=what)
    sub.add_argument("--username", help="where the broker asks for one")


def command_arguments(sub: argparse.ArgumentParser) -> None:
    """Arguments of `garita command`."""
    sub.add_argument("--side", required=True, choices=("north", "south"), help="whose centre asks")
    sub.add_argument("--url", required=True, help="mqtt://HOST:PORT or mqtts://HOST:PORT")
    sub.add_argument("--site", required=True, help="the checkpoint that is asked")
    sub.add_argument(
        "--signing-key",
        type=Path,
        metavar="FILE",
        help="the centre's private key, a .pem of `garita keys`; without it nothing is signed",
    )
    sub.add_argument("--exercise", action="store_true", help="of alerts of drills")
    _access(sub)
    sub.add_argument("verb", metavar="VERB", help="such as ack")
    sub.add_argument("fields", nargs="*", metavar="FIELD", help="an alert's id, or NAME=VALUE")


def audit_arguments(sub: argparse.ArgumentParser) -> None:
    """Arguments of `garita audit`."""
    actions = sub.add_subparsers(dest="action", metavar="ACTION", required=True)
    export = actions.add_parser("export", help="write a record to a folder, such as a USB stick")
    source = export.add_mutually_exclusive_group(required=True)
    source.add_argument("--state", type=Path, metavar="DIR", help="the state folder of a site")
    source.add_argument("--record", type=Path, metavar="FILE", help="a record, or a centre's copy")
    export.add_argument("out", type=Path, metavar="OUT_DIR", help="a new or empty folder")
    verify = actions.add_parser("verify", help="prove a record, offline; exit code 1: it is not so")
    listing = actions.add_parser("ls", help="its entries; JSON Lines where nobody looks on")
    for one in (verify, listing):
        one.add_argument("path", type=Path, metavar="DIR|FILE", help="an export, or a record")
        one.add_argument("--json", action="store_true", help="JSON Lines, for a program")
    for one in (export, verify):
        one.add_argument("--keys", type=Path, metavar="FILE", help="a keyring: whom to believe")
    verify.add_argument(
        "--against",
        type=Path,
        metavar="DIR|FILE",
        action="append",
        default=[],
        help="an older or another copy, or a signed checkpoint; may be repeated",
    )
    for name, dest, what in (("from", "start", "from"), ("to", "end", "before")):
        listing.add_argument(
            f"--{name}", dest=dest, metavar="TIME", help=f"entered {what} then; without zone: UTC"
        )


def outbox_arguments(sub: argparse.ArgumentParser) -> None:
    """Arguments of `garita outbox`."""
    actions = sub.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("ls", help="what waits for each side, and its dead letters")
    retry = actions.add_parser("retry", help="try dead letters again; exit code 1: there are none")
    export = actions.add_parser("export", help="a side's alerts as JSON Lines, as it gets them")
    for one in (listing, retry, export):
        one.add_argument(
            "--state", required=True, type=Path, metavar="DIR", help="the state folder of a site"
        )
        one.add_argument("--side", required=one is not listing, help="such as north")
    listing.add_argument("--json", action="store_true", help="a line of JSON a side, for a program")
    retry.add_argument("--seq", type=int, metavar="N", help="one alert (default: all)")
    export.add_argument(
        "--from", dest="first", type=int, default=1, metavar="N", help="the first (default: 1)"
    )
    export.add_argument("--to", dest="last", type=int, metavar="N", help="the last (default: all)")


def schema_arguments(sub: argparse.ArgumentParser) -> None:
    """Arguments of `garita schema`."""
    sub.add_argument(
        "--out", type=Path, metavar="DIR", help="write one file each; default: all on stdout"
    )


def bench_arguments(sub: argparse.ArgumentParser) -> None:
    """Arguments of `garita bench`."""
    sub.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="decoders, stages, replay (these without a name), hostile, n42, spectra, first-alert, "
        "load, footfalls, seismic, xray-alert, xray, xray-lines, xray-hostile, datacast, anyshake, "
        "kills, faults, harms, fusion, record, commands, console, delivery, backlog",
    )
    sub.add_argument("--json", action="store_true", help="figures for a program, on stdout")
    sub.add_argument(
        "--times",
        type=int,
        metavar="N",
        help="kills of kills, faults of faults, starts of first-alert, seconds of load, replay "
        "and console, messages of commands",
    )
    sub.add_argument("--seed", type=int, default=1, help="of everything random (default: 1)")


def evaluate_arguments(sub: argparse.ArgumentParser) -> None:
    """Arguments of `garita evaluate`."""
    sub.add_argument(
        "packs", nargs="*", metavar="PACK", help="what to evaluate; without a name lists all"
    )
    sub.add_argument("--json", action="store_true", help="figures for a program, on stdout")
    sub.add_argument(
        "--seed",
        type=int,
        help=f"first of the seeds (default: {REPORT_SEED}, of hours at the crossing "
        f"{CROSSING_SEED}; smaller ones than {REPORT_SEED} were used for tuning)",
    )
    sub.add_argument(
        "--number",
        type=int,
        metavar="N",
        help="how many cases, of a crossing hours (default: what the figure asks for)",
    )
    sub.add_argument(
        "--data", type=Path, metavar="DIR", help="recordings with known truth, where a pack asks"
    )
    sub.add_argument(
        "--pictures", type=Path, metavar="DIR", help="put pictures of the results there"
    )


def calibrate_arguments(sub: argparse.ArgumentParser) -> None:
    """Arguments of `garita calibrate`."""
    sub.add_argument(
        "what", choices=("portals", *CALIBRATION_PACKS), help="what to fit, or on what"
    )
    sub.add_argument(
        "--kind",
        choices=("rpm-tsa", "rpm-n42"),
        help="of portals: only this kind, one that counts or one that takes spectra; default: both",
    )
    sub.add_argument(
        "--only",
        nargs="+",
        choices=CALIBRATION_TESTS,
        metavar="TEST",
        help=f"of a pack: only these of what it fits ({', '.join(CALIBRATION_TESTS)})",
    )
    sub.add_argument(
        "--seed",
        type=int,
        default=CALIBRATION_SEED,
        help="first of the seeds (default: %(default)s; of a pack 0-499999)",
    )
    sub.add_argument(
        "--number",
        type=int,
        metavar="N",
        help="of portals clean passes, the others follow in proportion; of a pack hours, or loads "
        "(default: what the fit needs)",
    )
    sub.add_argument(
        "--date", default="", help="of the fit, for its provenance; nothing here asks a clock"
    )
    sub.add_argument(
        "--pictures",
        type=Path,
        metavar="DIR",
        help="of a pack: put a picture there of what was told against what was so",
    )
    sub.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="a policy section, or with .py the engine's own defaults; default: on stdout",
    )


def _evidence(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "--evidence",
        type=Path,
        metavar="DIR",
        help="put the alerts' files there (N42, miniSEED, pictures), in a folder for each alert",
    )


def report_arguments(sub: argparse.ArgumentParser) -> None:
    """Arguments of `garita report`."""
    sub.add_argument(
        "--from", dest="begin", required=True, metavar="TIME", help="2026-11-01, or with a time"
    )
    sub.add_argument(
        "--to", dest="end", required=True, metavar="TIME", help="2026-11-30: to the end of that day"
    )
    source = sub.add_mutually_exclusive_group(required=True)
    source.add_argument("--record", type=Path, metavar="FILE", help="a record, or a copy of one")
    source.add_argument("--state", type=Path, metavar="DIR", help="state folder of a service")
    source.add_argument(
        "--entries", type=Path, metavar="FILE", help="exported entries, one JSON object a line"
    )
    sub.add_argument(
        "--out", type=Path, metavar="DIR", help="where to (default: report-FROM-TO, made here)"
    )
    sub.add_argument(
        "--language",
        choices=(*LANGUAGES, "both"),
        default="both",
        help="of the pages; tables are always in both (default: both)",
    )


def keys_arguments(sub: argparse.ArgumentParser) -> None:
    """Arguments of `garita keys`."""
    actions = sub.add_subparsers(dest="action", metavar="make|ls|rotate|add", required=True)
    make = actions.add_parser("make", help="a new key: the private file and its description")
    make.add_argument("--out", required=True, type=Path, metavar="DIR", help="where they go")
    make.add_argument("--owner", required=True, help="north, south or edge/SITE")
    make.add_argument(
        "--role",
        required=True,
        choices=("edge", "centre", "officer"),
        help="signs alerts, commands, or changes that need two",
    )
    make.add_argument("--name", help="of the files, such as of a second officer (default: its use)")
    shown = actions.add_parser("ls", help="whose keys there are, until when")
    shown.add_argument(
        "paths", type=Path, nargs="+", metavar="FILE|DIR", help="a keyring, a key, or a folder"
    )
    rotate = actions.add_parser("rotate", help="a successor; both are believed for a while")
    rotate.add_argument("key", type=Path, metavar="KEY", help="the private key to be followed")
    rotate.add_argument("--keyring", type=Path, metavar="FILE", help="gets both")
    rotate.add_argument(
        "--overlap-days", type=int, default=30, metavar="N", help="of both (default: 30)"
    )
    for each in (make, rotate):
        each.add_argument("--days", type=int, default=365, metavar="N", help="default: 365")
    add = actions.add_parser("add", help="put public keys into a keyring")
    add.add_argument("keyring", type=Path, metavar="KEYRING", help="made where there is none")
    add.add_argument("public", type=Path, nargs="+", metavar="PUBLIC", help="a .pub.json")


def console_arguments(sub: argparse.ArgumentParser) -> None:
    """Arguments of `garita console`."""
    actions = sub.add_subparsers(dest="action", metavar="add|change|remove|ls|build", required=True)
    add = actions.add_parser("add", help="let somebody log in")
    change = actions.add_parser("change", help="another role or password for somebody")
    remove = actions.add_parser("remove", help="let somebody in no more; ends their sessions")
    shown = actions.add_parser("ls", help="who may log in, as what")
    for each in (add, change, remove, shown):
        where = each.add_mutually_exclusive_group(required=True)
        where.add_argument("--config", type=Path, metavar="FILE", help="of the checkpoint")
        where.add_argument("--people", type=Path, metavar="FILE", help="the file itself")
    for each in (add, change, remove):
        each.add_argument("login", help="small letters, digits, dots, hyphens")
    for each in (add, change):
        each.add_argument(
            "--role",
            required=True,
            choices=("operator", "supervisor", "engineer", "auditor"),
            help="answers alerts; shelves and hands over too; replays; reads",
        )
        each.add_argument("--language", choices=("en-US", "es-MX"), default="en-US")
        each.add_argument(
            "--password-file", type=Path, metavar="FILE", help="first line; asked for without it"
        )
    build = actions.add_parser("build", help="the page, with Node; done at install where that is")
    build.add_argument("--force", action="store_true", help="though it is current")
    build.add_argument("--check", action="store_true", help="only whether it is; 1: it is not")


def change_arguments(sub: argparse.ArgumentParser) -> None:
    """Arguments of `garita change`."""
    actions = sub.add_subparsers(dest="action", metavar="new|sign|show", required=True)
    new = actions.add_parser("new", help="what a configuration needs both sides for, unsigned")
    _config(new, required=True)
    new.add_argument("--out", required=True, type=Path, metavar="FILE", help="the change")
    new.add_argument("--reason", required=True, metavar="TEXT", help="why; both sides sign it")
    new.add_argument(
        "--days", type=int, default=7, metavar="N", help="it can be taken for (default: 7)"
    )
    sign = actions.add_parser("sign", help="add an officer's signature, after reading it")
    sign.add_argument("file", type=Path, metavar="FILE", help="the change")
    sign.add_argument("--key", required=True, type=Path, metavar="KEY", help="the private key")
    show = actions.add_parser("show", help="what it asks for, and who has signed")
    show.add_argument("file", type=Path, metavar="FILE", help="the change")
    show.add_argument("--keyring", type=Path, metavar="FILE", help="whose signatures are believed")
    show.add_argument(
        "--config", type=Path, metavar="FILE", help="your own copy: is it what is asked for?"
    )


def release_arguments(sub: argparse.ArgumentParser) -> None:
    """Arguments of `garita release`."""
    actions = sub.add_subparsers(dest="action", metavar="explain|tell|check", required=True)
    ask = actions.add_parser("explain", help="what each side is not told of an alert, and why")
    _config(ask, required=True)
    ask.add_argument("--side", choices=("north", "south"), help="only of this side")
    ask.add_argument("--alert", type=Path, metavar="FILE", help="a whole alert; - for stdin")
    ask.add_argument("--event", metavar="CODE", help="such as RAD_THREAT")
    ask.add_argument("--lane", metavar="ID", help="the lane; its direction follows")
    ask.add_argument("--direction", metavar="NAME", help="northbound or southbound")
    ask.add_argument("--level", type=int, choices=range(1, 5), help="how urgent, 1 to 4")
    ask.add_argument(
        "--exercise", action=argparse.BooleanOptionalAction, help="a drill, or what is real"
    )
    ask.add_argument("--json", action="store_true", help="one JSON object a side")
    tell = actions.add_parser("tell", help="a withheld value with its salt, for the partner")
    tell.add_argument("file", type=Path, metavar="WHOLE", help="the whole alert")
    tell.add_argument("--field", required=True, metavar="NAME", help="as `withheld` names it")
    _config(tell, required=True)
    tell.add_argument(
        "--told", type=Path, metavar="FILE", help="what the partner got: checked first"
    )
    check = actions.add_parser("check", help="is it what the alert withheld?")
    check.add_argument("file", type=Path, metavar="TOLD", help="the alert as this side got it")
    check.add_argument("disclosure", type=Path, metavar="FILE", help="what `tell` wrote")


def broker_arguments(sub: argparse.ArgumentParser) -> None:
    """Arguments of `garita broker`."""
    actions = sub.add_subparsers(dest="action", metavar="init|renew|ls", required=True)
    init = actions.add_parser(
        "init", help="write what a side's broker needs, and keep what is there"
    )
    init.add_argument(
        "--side", required=True, choices=("north", "south"), help="whose broker it is"
    )
    init.add_argument(
        "--site", required=True, action="append", metavar="ID", help="who publishes; repeatable"
    )
    init.add_argument("--out", required=True, type=Path, metavar="DIR", help="where the files go")
    init.add_argument(
        "--mosquitto", choices=("2.0", "2.1"), default="2.0", help="its version (default: 2.0)"
    )
    init.add_argument(
        "--port", type=port, default=8883, metavar="PORT", help="where it listens (default: 8883)"
    )
    init.add_argument(
        "--host", action="append", default=[], metavar="NAME", help="its names and addresses"
    )
    init.add_argument(
        "--bridge-to", metavar="HOST:PORT", help="carry the sites' messages to the other side's"
    )
    init.add_argument(
        "--bridge-from", action="store_true", help="let the other side's broker bring messages"
    )
    init.add_argument(
        "--user",
        default="mosquitto",
        help="whom it becomes when root starts it (default: mosquitto)",
    )
    init.add_argument(
        "--force", action="store_true", help="write text files again; never keys or certificates"
    )
    renew = actions.add_parser("renew", help="new certificates by the same authority")
    renew.add_argument(
        "--within-days",
        type=int,
        default=30,
        metavar="N",
        help="those that end within (default: 30)",
    )
    for each in (init, renew):
        each.add_argument(
            "--days",
            type=int,
            default=365,
            metavar="N",
            help="new ones are good for (default: 365)",
        )
    for each in (renew, actions.add_parser("ls", help="whose certificates, until when")):
        each.add_argument("dir", type=Path, metavar="DIR", help="what init has written")


def templates_arguments(sub: argparse.ArgumentParser) -> None:
    """Arguments of `garita templates`."""
    sub.add_argument(
        "--detector",
        metavar="NAME",
        help="nai-2x4x16 (default), nai-3x3, csi, labr3 or hpge; with --config the id of a sensor",
    )
    _config(sub, required=False)
    sub.add_argument(
        "--out", type=Path, metavar="DIR", help="write the library there, as JSON Lines"
    )
    sub.add_argument(
        "--pictures", type=Path, metavar="DIR", help="draw each nuclide's family there, as PNG"
    )


def nothing_arguments(sub: argparse.ArgumentParser) -> None:
    """No arguments."""


def _config(sub: argparse.ArgumentParser, *, required: bool) -> None:
    sub.add_argument(
        "--config",
        type=Path,
        required=required,
        metavar="FILE",
        help="the checkpoint, such as configs/checkpoint.yaml",
    )
