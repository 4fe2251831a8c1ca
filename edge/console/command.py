"""`garita console`: who may use the operator's console, and building its page."""

import argparse
import getpass
import sys
from pathlib import Path

from edge.config import load_config
from edge.console.build import BuildError, build, is_current
from edge.console.people import PEOPLE_FILE, People, PeopleError
from edge.errors import EXIT_OK, EXIT_USAGE

EXIT_NOT_BUILT = 1


def main(arguments: argparse.Namespace) -> int:
    """Do what was asked; 2 where it cannot be done, 1 where the page cannot be built."""
    if arguments.action == "build":
        if arguments.check:
            return EXIT_OK if is_current() else EXIT_NOT_BUILT
        return _build(force=arguments.force)
    try:
        people = People(_path(arguments))
        match arguments.action:
            case "add" | "change":
                person = people.put(
                    arguments.login,
                    arguments.role,
                    _password(arguments.password_file),
                    language=arguments.language,
                    replace=arguments.action == "change",
                )
                sys.stderr.write(f"{person.login}: {person.role}, in {people.path}\n")
            case "remove":
                people.remove(arguments.login)
            case _:
                for person in people.all():
                    sys.stdout.write(f"{person.login}\t{person.role}\t{person.language}\n")
    except (PeopleError, OSError, EOFError) as error:
        sys.stderr.write(f"garita console {arguments.action}: {error}\n")
        return EXIT_USAGE
    return EXIT_OK


def _build(*, force: bool) -> int:
    try:
        done = build(lambda text: sys.stderr.write(f"garita: {text}\n"), force=force)
    except BuildError as error:
        sys.stderr.write(f"garita console build: {error}\n")
        return EXIT_NOT_BUILT
    sys.stderr.write("garita: the page is built\n" if done else "garita: the page is current\n")
    return EXIT_OK


def _path(arguments: argparse.Namespace) -> Path:
    if arguments.people is not None:
        return Path(arguments.people)
    config = load_config(arguments.config)
    named = None if config.console is None else config.console.people
    return named or config.state_dir / PEOPLE_FILE


def _password(file: Path | None) -> str:
    if file is not None:
        return file.read_text("utf-8").split("\n", 1)[0].rstrip("\r")
    first = getpass.getpass("password: ")
    if getpass.getpass("once more: ") != first:
        raise PeopleError("the two are not the same")
    return first
