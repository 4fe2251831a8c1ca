"""The command line. A command's handler is imported only when it is chosen.

Nothing here may import what is slow: `garita --help` answers within 150 ms on a small box.
"""

import argparse
import gc
import importlib
import os
import sys
from collections.abc import Callable, Sequence

from edge import errors
from edge.commands import COMMANDS
from edge.kernel_cache import use_kernel_cache

_EPILOG = """\
Start here:
  garita demo                        everything at once, nothing attached
  garita check configs/demo.yaml     is this configuration right, does everything answer?
  garita COMMAND --help              what a command takes, with examples

Exit codes: 0 ok, 2 usage, 3 config, 4 broker, 5 sensor.
Data goes to stdout, everything else to stderr."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    if sys.stderr is None:  # closed by whoever started us: nobody reads it
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    if sys.stdout is None:
        # The next file or socket that is opened would take its number, and our data with it.
        print("garita: stdout is closed; send it to /dev/null instead", file=sys.stderr)  # noqa: T201
        return errors.EXIT_USAGE
    try:
        arguments = parser().parse_args(argv)
    except SystemExit as end:  # argparse has said what is wrong, or shown the help
        _let_go_of_stdout()
        return int(end.code or 0)
    try:
        use_kernel_cache()
        code = _handler(arguments.handler)(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return errors.EXIT_INTERRUPTED
    except BrokenPipeError:
        _let_go_of_stdout()  # its reader has seen enough
        return errors.EXIT_OK
    except Exception as error:
        known = _exit_code(error)
        if known is None:
            raise
        print(f"garita {arguments.command}: {_words(error)}", file=sys.stderr)  # noqa: T201
        _let_go_of_stdout()
        return known
    return code


class _Overview(argparse.RawDescriptionHelpFormatter):
    """Knows how far the commands are indented, so that the longest has its summary beside it."""

    def add_argument(self, action: argparse.Action) -> None:
        super().add_argument(action)
        longest = max(len(command.name) for command in COMMANDS) + 2 * self._indent_increment
        self._action_max_length = max(self._action_max_length, longest)


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    root = argparse.ArgumentParser(
        prog="garita",
        description="Sensor fusion for border checkpoints: seismic, radiation and cargo X-ray in, "
        "explained alerts to both countries out.",
        epilog=_EPILOG,
        formatter_class=_Overview,
    )
    commands = root.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        sub = commands.add_parser(
            command.name,
            help=command.summary,
            description=command.description,
            epilog=command.examples and f"Examples:\n{command.examples}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.arguments(sub)
        sub.set_defaults(handler=command.handler)
    return root


def run_tests(arguments: argparse.Namespace) -> int:
    """Say where the tests are run: the launcher prepares what they need."""
    print("garita test: run ./garita test in the source tree", file=sys.stderr)  # noqa: T201
    return errors.EXIT_USAGE


def _handler(name: str) -> Callable[[argparse.Namespace], int]:
    module, _, function = name.partition(":")
    # Nothing of what is imported is garbage, and looking for some costs a quarter of a second.
    gc.disable()
    try:
        loaded = importlib.import_module(module)
    finally:
        gc.enable()
    handler: Callable[[argparse.Namespace], int] = getattr(loaded, function)
    return handler


def _exit_code(error: Exception) -> int | None:
    """The exit code of an error that a person can do something about."""
    from drivers.base import SensorUnavailable  # noqa: PLC0415 - brings NumPy; only on errors

    codes = {
        errors.ConfigError: errors.EXIT_CONFIG,
        errors.BrokerUnavailable: errors.EXIT_BROKER,
        SensorUnavailable: errors.EXIT_SENSOR,
        # What the system refuses is mostly a path or an address of the command line; where the
        # configuration or a device is to blame, one of the above has said so.
        OSError: errors.EXIT_USAGE,
    }
    return next((code for kind, code in codes.items() if isinstance(error, kind)), None)


def _words(error: Exception) -> str:
    """What is wrong, without the system's number for it."""
    if not isinstance(error, OSError) or not error.strerror:
        return str(error) or type(error).__name__
    return f"{error.filename}: {error.strerror}" if error.filename else error.strerror


def _let_go_of_stdout() -> None:
    """Whatever is left for a stdout that takes no more must not fail again at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
