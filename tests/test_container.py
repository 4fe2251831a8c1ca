"""What can be told of the container and of the systemd unit without Docker and without systemd.

Built and run, both were tried by hand: buildah builds the image, runc starts it as `docker run`
would, and systemd-nspawn boots a Debian that has the unit.
"""

import json
import re
import subprocess
import sys
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from edge import service
from edge.arguments import HTTP_PORT
from edge.cli import parser

ROOT = Path(__file__).parents[1]
DOCKERFILE = ROOT / "Dockerfile"
ENTRYPOINT = ROOT / "configs/deploy/entrypoint.sh"
UNIT = ROOT / "configs/deploy/garita.service"
HOST_NAME = re.compile(r"://(?!127\.0\.0\.1)|\b[\w-]+\.(com|org|net|io|dev|cloud)\b")


def instructions():
    """(word, rest) of every instruction, continued lines joined and comments left out."""
    lines = [
        line
        for line in DOCKERFILE.read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    ]
    whole = "\n".join(lines).replace("\\\n", " ")
    return [tuple(line.split(None, 1)) for line in whole.splitlines() if line.strip()]


def said(word):
    return [rest for name, rest in instructions() if name == word]


def position(word, part=""):
    return next(
        at for at, (name, rest) in enumerate(instructions()) if name == word and part in rest
    )


def copied():
    """What of the repository gets into the build, once each."""
    ours = [rest for rest in said("COPY") if not rest.startswith("--from=")]
    return list(dict.fromkeys(source for rest in ours for source in rest.split()[:-1]))


def probe(port):
    """The HEALTHCHECK's command line, asking another port and run by this Python."""
    interpreter, *words = json.loads(said("HEALTHCHECK")[0].partition("CMD")[2])
    assert interpreter == "/opt/garita/.venv/bin/python"
    assert str(HTTP_PORT) in words[-1]
    return [sys.executable, *(word.replace(str(HTTP_PORT), str(port)) for word in words)]


def entrypoint(run_dir, tmp_path, *words):
    """The entrypoint with its folders elsewhere and `printf` in place of the service."""
    script = ENTRYPOINT.read_text(encoding="utf-8").replace("/run/garita", str(run_dir))
    script = script.replace("exec /opt/garita/.venv/bin/python", r"printf '%s\n' $NUMBA_CACHE_DIR")
    built = tmp_path / "built"
    (built / "kernels_1").mkdir(parents=True)
    (built / "kernels_1" / "fit.nbi").write_bytes(b"compiled")
    return subprocess.run(
        ["sh", "-c", script, "entrypoint.sh", *words],
        env={"PATH": "/usr/bin:/bin", "NUMBA_CACHE_DIR": str(built)},
        capture_output=True,
        text=True,
        check=False,
    )


def unit(key):
    """The value of a key that stands once in the unit."""
    (value,) = re.findall(rf"^{key}=(.*)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE)
    return value


def test_it_does_not_run_as_root():
    user, _, group = said("USER")[-1].partition(":")
    assert int(user) > 0
    assert int(group) > 0
    assert position("USER") < position("ENTRYPOINT")
    assert unit("User") == "garita"


def test_it_ends_on_sigterm_and_tini_hands_it_on():
    assert said("STOPSIGNAL") == ["SIGTERM"]
    assert json.loads(said("ENTRYPOINT")[0])[:2] == ["tini", "--"]


def test_the_kernels_are_compiled_when_it_is_built():
    warmed = position("RUN", "-m edge.station.warmup")
    assert max(position("COPY", source) for source in copied()) < warmed
    assert position("ENV", "NUMBA_CPU_NAME=generic") < warmed
    assert position("ENV", "NUMBA_CACHE_DIR=") < warmed < position("USER")


def test_a_tmpfs_over_the_run_folder_can_be_written():
    # Docker's runtime gives it to root, with the mode of the folder that it covers.
    assert position("RUN", "install -d -m 1777 /run/garita") < position("USER")


def test_everything_that_is_copied_is_there():
    assert [source for source in copied() if not (ROOT / source).exists()] == []


def test_every_room_is_copied():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(project["tool"]["mypy"]["packages"]) <= set(copied())


def test_the_page_is_built_beside_the_image_and_taken_over():
    built = "edge/console/web/dist"
    (taken,) = [rest.split() for rest in said("COPY") if rest.startswith("--from=")]
    assert taken == ["--from=page", f"/opt/garita/{built}", built]
    assert position("RUN", "edge.console.build") < position("COPY", "--from=page")


def test_nothing_but_what_is_copied_is_sent_to_the_build():
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert sorted(rule[1:] for rule in rules if rule.startswith("!")) == sorted(copied())


@pytest.mark.parametrize("path", [DOCKERFILE, ROOT / ".dockerignore", *ENTRYPOINT.parent.iterdir()])
def test_no_host_is_named(path):
    assert HOST_NAME.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_health_check_says_what_healthz_says(status, code):
    asked = []

    class Healthz(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Healthz) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        # A proxy in the environment, as Docker may put it there, is not asked.
        environment = {"http_proxy": "http://127.0.0.1:9"}
        ended = subprocess.run(probe(server.server_port), env=environment, check=False, timeout=20)
    assert ended.returncode == code
    assert asked == ["/healthz"]


def test_the_health_check_fails_where_nothing_answers():
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        port = server.server_port
    ended = subprocess.run(probe(port), capture_output=True, check=False, timeout=20)
    assert ended.returncode == 1


def test_the_entrypoint_is_a_program_and_the_image_starts_it():
    assert ENTRYPOINT.stat().st_mode & 0o111 == 0o111
    subprocess.run(["sh", "-n", ENTRYPOINT], check=True)
    started = Path(json.loads(said("ENTRYPOINT")[0])[-1])
    assert started.relative_to("/opt/garita") == ENTRYPOINT.relative_to(ROOT)


def test_the_entrypoint_hands_the_service_a_copy_of_the_cache(tmp_path):
    ended = entrypoint(tmp_path / "run", tmp_path, "run", "--config", "a file.yaml")
    cache = tmp_path / "run/kernel-cache"
    words = ["-P", "-m", "edge", "run", "--config", "a file.yaml"]
    assert ended.stdout.splitlines() == [str(cache), *words]
    assert (cache / "kernels_1/fit.nbi").read_bytes() == b"compiled"


def test_the_entrypoint_says_what_to_do_where_nothing_can_be_written(tmp_path):
    file = tmp_path / "file"
    file.touch()
    ended = entrypoint(file, tmp_path)
    assert ended.returncode == 2
    assert f"--tmpfs {file}" in ended.stderr


def test_what_the_image_and_the_unit_start_is_a_command():
    in_image = json.loads(said("CMD")[0])
    launcher, *in_unit = unit("ExecStart").split()
    assert launcher == "/opt/garita/garita"
    assert parser().parse_args(in_image) == parser().parse_args(in_unit)


def test_the_unit_gives_the_service_the_time_to_end():
    assert float(unit("TimeoutStopSec")) > service.END_S


def test_the_unit_lets_files_be_sorted_in_every_folder_of_the_example():
    # Also in those that are only shown, in comments.
    example = (ROOT / "configs/checkpoint.yaml").read_text(encoding="utf-8")
    folders = re.findall(r"folder:(/[\w/-]+)", example)
    assert len(folders) > 1
    (writable,) = unit("ReadWritePaths").split()
    assert [one for one in folders if not one.startswith(f"{writable.removeprefix('-')}/")] == []


def test_the_unit_has_a_place_for_the_kernels():
    # The tree that it runs from is not writable, and Numba needs a cache that is.
    assert unit("Environment") == f"NUMBA_CACHE_DIR=/var/cache/{unit('CacheDirectory')}"
    assert "MemoryDenyWriteExecute=" not in UNIT.read_text(encoding="utf-8")
