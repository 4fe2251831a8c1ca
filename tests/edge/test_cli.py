"""The command line."""

import argparse
import subprocess
import sys
from pathlib import Path

import pytest

from drivers.base import SensorUnavailable
from edge import cli
from edge.arguments import default_language, duration_s, port, setting, speed
from edge.commands import COMMANDS, Command
from edge.errors import BrokerUnavailable, ConfigError

ROOT = Path(__file__).parents[2]
SLOW = ("numpy", "numba", "cv2", "pydantic", "paho", "structlog", "rich", "prometheus_client")


def run(*arguments, **options):
    return subprocess.run(
        [sys.executable, *arguments],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        **options,
    )


@pytest.fixture
def handled_by(monkeypatch):
    """A command named `try` whose handler is the given function."""

    def handle(handler):
        monkeypatch.setattr(sys.modules[__name__], "_try", handler, raising=False)
        command = Command(
            name="try",
            handler=f"{__name__}:_try",
            summary="",
            description="",
            examples="",
            arguments=lambda sub: None,
        )
        monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
        monkeypatch.setattr(cli, "COMMANDS", (command,))
        return cli.main(["try"])

    return handle


def test_help_imports_nothing_slow():
    code = (
        "import sys; from edge.cli import main; main(['--help']); main(['demo', '--help']);"
        f"print(sorted(set({SLOW!r}) & set(sys.modules)), file=sys.stderr)"
    )
    done = run("-c", code)
    assert done.stderr.strip() == "[]"


def test_help_names_every_command_and_the_exit_codes():
    done = run("-m", "edge", "--help")
    assert done.returncode == 0
    for command in COMMANDS:
        assert f"    {command.name} " in done.stdout
    assert "3 config, 4 broker, 5 sensor" in done.stdout


def test_the_commands_are_those_of_the_design():
    names = (
        "demo run check replay record simulate watch centre command report broker keys console"
        " change release audit outbox schema templates evaluate calibrate bench test"
    )
    assert [command.name for command in COMMANDS] == names.split()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_explains_itself_with_an_example(command, capsys):
    assert cli.main([command.name, "--help"]) == 0
    shown = capsys.readouterr().out
    assert command.description.splitlines()[0] in shown
    assert f"  garita {command.name}" in shown or command.name == "test"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_has_a_handler_in_a_file_of_ours(command):
    module, _, function = command.handler.partition(":")
    source = ROOT / f"{module.replace('.', '/')}.py"
    assert f"def {function}(" in source.read_text()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["demmo"],
        ["run"],
        ["demo", "--for", "soon"],
        ["demo", "--for", "0s"],
        ["demo", "--north-port", "70000"],
        ["demo", "--language", "fr"],
        ["replay", "x", "--speed", "0x"],
        ["replay", "x", "--set", "panels"],
        ["simulate", "--scenario", "demo", "--out", "x", "--serve"],
    ],
)
def test_wrong_usage_is_exit_code_2_with_the_usage(arguments, capsys):
    assert cli.main(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "usage: garita" in shown.err


def test_the_demo_has_the_addresses_of_the_contract():
    arguments = cli.parser().parse_args(["demo"])
    ports = arguments.north_port, arguments.south_port, arguments.http_port
    assert ports == (18831, 18832, 8088)
    assert arguments.for_s is None


def test_replay_takes_what_the_design_says():
    arguments = cli.parser().parse_args(
        ["replay", "a", "b", "--show", "samples", "--speed", "10x", "--set", "panels=2"]
    )
    assert arguments.inputs == [Path("a"), Path("b")]
    assert (arguments.show, arguments.speed) == ("samples", 10.0)
    assert arguments.settings == [("panels", "2")]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("60s", 60), ("5m", 300), ("1h", 3600), ("1h30m", 5400), ("90", 90), ("0.5s", 0.5)],
)
def test_a_duration_is_written_as_people_do(text, seconds):
    assert duration_s(text) == seconds


@pytest.mark.parametrize(
    ("read", "text"),
    [
        *((duration_s, text) for text in ("", "x", "-5s", "5d", "s", "0")),
        *((port, text) for text in ("0", "-1", "65536", "http", "")),
        *((speed, text) for text in ("0x", "-1x", "fast", "inf", "nan")),
        *((setting, text) for text in ("", "a", "=1")),
    ],
)
def test_what_cannot_be_meant_is_refused(read, text):
    with pytest.raises(argparse.ArgumentTypeError):
        read(text)


def test_a_speed_is_a_factor_or_as_fast_as_can_be():
    assert (speed("max"), speed("1x"), speed("2.5x"), speed("3")) == (None, 1.0, 2.5, 3.0)


def test_the_language_is_the_terminals(monkeypatch):
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.setenv("LANG", "es_MX.UTF-8")
    assert default_language() == "es-MX"
    monkeypatch.setenv("LANG", "C")
    assert default_language() == "en-US"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("site.yaml", []), 3),
        (BrokerUnavailable("north: nothing answers"), 4),
        (SensorUnavailable("rpm-1: nothing answers"), 5),
    ],
)
def test_an_error_of_ours_is_a_message_and_an_exit_code(handled_by, capsys, error, code):
    def fail(arguments):
        raise error

    assert handled_by(fail) == code
    shown = capsys.readouterr()
    assert str(error) in shown.err
    assert "Traceback" not in shown.err
    assert shown.out == ""


def test_an_interrupt_is_quiet(handled_by, capsys):
    def fail(arguments):
        raise KeyboardInterrupt

    assert handled_by(fail) == 130
    assert capsys.readouterr().err == ""


def test_an_error_that_nobody_expected_is_not_hidden(handled_by):
    def fail(arguments):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        handled_by(fail)


def test_a_reader_that_goes_away_is_no_error():
    code = (
        "import sys; from edge import cli; cli._handler = lambda name: write\n"
        "def write(arguments):\n"
        "    for _ in range(100_000): sys.stdout.write('a line of data\\n')\n"
        "    return 0\n"
        "sys.exit(cli.main(['schema']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(20) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("schema --out /proc/garita", "/proc/garita: "),
        ("schema --out /etc/passwd", "/etc/passwd: File exists"),
        ("schema > /dev/full", "No space left on device"),
        ("check configs/none.yaml > /dev/full", "No space left on device"),
        ("replay README.md >&-", "stdout is closed"),
        ("simulate --scenario demo --serve --base-port 65530", "choose 65"),
    ],
)
def test_what_the_system_refuses_is_one_line_and_exit_code_2(words, said):
    done = subprocess.run(
        ["bash", "-c", f"exec {sys.executable} -m edge {words}"],
        check=False,
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("garita")


def test_a_closed_stderr_changes_no_exit_code():
    words = f"exec {sys.executable} -m edge replay configs/none 2>&-"
    assert subprocess.run(["bash", "-c", words], check=False, cwd=ROOT, timeout=60).returncode == 2


def test_the_ports_of_simulate_are_what_the_help_says(capsys):
    assert cli.parser().parse_args(["simulate", "--scenario", "demo"]).base_port == 16010
    cli.main(["simulate", "--help"])
    assert "first port to serve on (default: 16010)" in " ".join(capsys.readouterr().out.split())


def test_tests_are_run_by_the_launcher(capsys):
    assert cli.main(["test"]) == 2
    assert "./garita test" in capsys.readouterr().err


def test_check_of_a_missing_file_is_exit_code_3(tmp_path):
    done = run("-m", "edge", "check", str(tmp_path / "none.yaml"))
    assert done.returncode == 3
    assert "No such file" in done.stdout
