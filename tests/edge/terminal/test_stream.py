import dataclasses
import io
import json
import re
from datetime import UTC
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from edge.protocol.contract import SensorHealth, SideHealth
from edge.protocol.messages import decode_alert
from edge.terminal.board import Entry, Link, Notice, Status
from edge.terminal.stream import PlainScreen, TerminalScreen, Wording, age_text, open_screen
from edge.text import LANGUAGES
from edge.text.catalogue import catalogue

GOLDEN = Path(__file__).parents[2] / "golden" / "messages"
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def entry(golden="alert", *, sides=("north", "south"), active=False, **changes):
    payload = json.loads((GOLDEN / f"{golden}.json").read_bytes()) | changes
    message = decode_alert(json.dumps(payload).encode())
    return Entry(
        message=message,
        payload=json.dumps(payload).encode(),
        exercise=message.status == "Exercise",
        sides=sides,
        already_active=active,
    )


def sensor(name, *, up=True, origin="simulator"):
    return SensorHealth(
        id=name, kind="rpm-tsa", family="radiation", origin=origin, up=up, last_sample_age_s=1.0
    )


STATUS = Status(
    states=(("mariposa", "north", "ready"),),
    sensors=(sensor("rpm-01"), sensor("rpm-02", origin="sensor"), sensor("geo-03", up=False)),
    links=(
        Link(
            side="north",
            connected=True,
            delivery=SideHealth(side="north", connected=True, outbox_depth=0, oldest_age_s=None),
        ),
        Link(
            side="south",
            connected=False,
            delivery=SideHealth(
                side="south", connected=False, outbox_depth=12, oldest_age_s=240.0, dead_letters=1
            ),
        ),
    ),
    last_alert_age_s=4.2,
    unreadable=0,
)


def plain(language, *items, **options):
    out = io.StringIO()
    screen = PlainScreen(Wording(language, zone=UTC, **options), out)
    screen.show(items)
    return out.getvalue()


def test_an_alert_reads_like_this_in_english():
    assert plain("en-US", entry("exercise")) == (
        "18:03:19  ■ CRITICAL     [EXERCISE]  nb-01  Radioactive source in the middle third  N+S"
        "\n            81 % gamma 11 σ above this lane's background, "
        "in the middle third, 9.6 m behind the front\n"
        "            19 % neutrons 3 σ above background, 7 counted, 1.5 expected\n"
        "           Do: Stop the vehicle. Keep people 30 m away. Do not open it. "
        "Call the radiation officer.\n"
    )


def test_an_alert_reads_like_this_in_spanish():
    lines = plain("es-MX", entry("exercise")).splitlines()
    assert lines[0] == (
        "18:03:19  ■ CRÍTICA      [SIMULACRO]  nb-01  Fuente radiactiva en el tercio central  N+S"
    )
    assert lines[-1].strip().startswith("Acción: Detenga el vehículo.")


def test_updates_and_ends_are_shown_as_such():
    assert plain("en-US", entry()).splitlines()[0].endswith("N+S  update 2")
    assert "Do:" not in plain("en-US", entry())
    over = plain("en-US", entry("clear")).splitlines()[0]
    assert "Over: " in over
    assert over.endswith("over")


def test_an_alert_from_before_says_since_when():
    told = plain("en-US", entry(active=True, sides=("south",)))
    assert told.splitlines()[0].endswith("  S  active since 18:03:11")


@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_a_level_is_a_word_and_a_symbol_of_its_own(level):
    told = {
        language: Wording(language, zone=UTC).head(entry(level=level))[1][0]
        for language in LANGUAGES
    }
    for language, text in told.items():
        assert catalogue(language).text("level", str(level)) in text
    others = {Wording("en-US", zone=UTC).head(entry(level=n))[1][0][0] for n in range(1, 5)}
    assert len(others) == 4


def test_a_stranger_cannot_move_the_cursor_or_fake_a_line():
    info = [
        {
            "language": "en-US",
            "headline": "a\x1b[2J\nb\u202ec",
            "description": "",
            "instruction": "x\r\x07y",
        }
    ]
    rows = [
        {
            "source": "\x1b]0;x\x07",
            "kind": "odd.\x1b[1mkind",
            "explanation": "threat-source",
            "nats": 3.0,
            "age_s": 0.0,
            "capped": False,
            "facts": {"gamma_sigma": "\x1b[31m"},
        }
    ]
    told = plain("en-US", entry("exercise", info=info, contributions=rows, msg_type="Alert"))
    assert not CONTROL.search(told)
    assert "\u202e" not in told
    assert len(told.splitlines()) == 3


@pytest.mark.parametrize("nats", [1e308, -1e308, 0.0])
def test_absurd_evidence_does_not_break_a_line(nats):
    rows = [
        {
            "source": "rpm",
            "kind": "gamma.profile",
            "explanation": "threat-source",
            "nats": nats,
            "age_s": 0.0,
            "capped": False,
            "facts": {"gamma_sigma": 10**400, "width_m": 1e300, "position": 7, "extent": [1]},
        }
    ] * 2
    assert len(plain("en-US", entry("exercise", contributions=rows)).splitlines()[0]) < 120


def test_an_edge_of_another_language_is_shown_in_its_own():
    info = [{"language": "fr-CA", "headline": "Source", "description": "", "instruction": "Non"}]
    assert "Source" in plain("es-MX", entry(info=info))
    assert "RAD_THREAT" in plain("es-MX", entry(info=[]))


def test_the_status_line_says_everything_in_words():
    pieces = [text for text, _ in Wording("en-US", zone=UTC).status(STATUS)]
    assert pieces == [
        "2 sensors up (1 simulated)",
        "1 DOWN: geo-03",
        "north connected, 0 waiting",
        "south NOT CONNECTED, 12 waiting, oldest 4 min",
        "1 refused",
        "last alert 4 s ago",
    ]
    spanish = " ".join(text for text, _ in Wording("es-MX", zone=UTC).status(STATUS))
    assert "sur SIN CONEXIÓN, 12 en espera, desde hace 4 min" in spanish


def test_in_a_pipe_the_status_is_told_at_changes_and_now_and_then():
    out = io.StringIO()
    screen = PlainScreen(Wording("en-US", zone=UTC), out)
    for now_s in (0.0, 0.1, 29.0, 31.0, 31.1):
        screen.status(STATUS, now_s)
    assert len(out.getvalue().splitlines()) == 2
    changed = msgspec.structs.replace(sensor("rpm-01"), up=False)
    for now_s in (32.0, 35.0, 35.1):
        screen.status(dataclasses.replace(STATUS, sensors=(changed,)), now_s)
    assert len(out.getvalue().splitlines()) == 3


def test_every_notice_has_words_in_both_languages():
    for language in LANGUAGES:
        for name in ("link_up", "link_down", "caught_up", "edge_ready", "edge_lost", "dropped"):
            notice = Notice(name=name, facts={"side": "south", "n": 3, "site": "mariposa"})
            told = Wording(language, zone=UTC).notice(notice)
            assert len(told) > 10
            assert not re.search(r"[{}\[\]]|\s\s", told)


def test_a_pipe_gets_no_control_codes_and_a_terminal_a_live_line():
    out = io.StringIO()
    assert isinstance(open_screen("en-US", out), PlainScreen)
    console = Console(file=out, force_terminal=True, width=100, _environ={"TERM": "xterm"})
    screen = TerminalScreen(Wording("en-US", zone=UTC), console)
    screen.status(STATUS, 1.0)
    screen.show([entry("exercise"), Notice(name="link_up", facts={"side": "north"})])
    screen.close()
    told = out.getvalue()
    assert "Radioactive source" in told
    assert "81 %" in told
    assert told.rstrip().endswith("\x1b[?25h") or "\x1b[?25h" in told  # the cursor is back


def test_an_old_terminal_gets_other_symbols():
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    screen = open_screen("es-MX", out)
    screen.show([entry("exercise")])
    assert b"# CR?TICA" in raw.getvalue()


@pytest.mark.parametrize(
    ("age_s", "text"), [(-1.0, "0 s"), (4.2, "4 s"), (240, "4 min"), (7200, "2 h")]
)
def test_ages_are_short(age_s, text):
    assert age_text(age_s) == text
