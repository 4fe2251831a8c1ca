"""The page's own tests, its size, and that nothing of it comes from elsewhere."""

import gzip
import re
import subprocess

import pytest

from edge.console.build import BUILT, WEB, BuildError, build, find_node, is_current

MOST_BYTES = 150_000
"""Compressed, without pictures."""


@pytest.fixture(scope="module")
def node():
    try:
        found, _ = find_node()
    except BuildError as error:
        pytest.skip(str(error))
    if not is_current():
        build(print)
    return found


def test_its_arithmetic_is_right(node):
    done = subprocess.run(
        [node, "node_modules/vitest/vitest.mjs", "run"],
        cwd=WEB, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]


def test_it_is_small(node):
    files = [path for path in BUILT.rglob("*") if path.suffix in {".js", ".css", ".html"}]
    assert files
    assert sum(len(gzip.compress(path.read_bytes())) for path in files) <= MOST_BYTES


def test_nothing_is_asked_of_another_host(node):
    for path in BUILT.rglob("*"):
        if path.suffix in {".js", ".css", ".html"}:
            urls = re.findall(r"https?://[\w.-]+", path.read_text("utf-8"))
            assert {one for one in urls if "w3.org" not in one} == set(), path.name


def test_no_source_names_a_registry():
    for path in (WEB / "package-lock.json", WEB / "package.json", WEB / ".npmrc"):
        assert not re.search(r"https?://", path.read_text("utf-8")), path.name
