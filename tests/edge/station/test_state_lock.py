"""Who may use a state folder, asked with real processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge.errors import ConfigError
from edge.station.state_lock import LOCK_FILE, StateLock

ROOT = Path(__file__).parents[3]
HOLD = (
    "import sys, time; from pathlib import Path\n"
    "from edge.station.state_lock import StateLock\n"
    "lock = StateLock(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()\n"
)


@pytest.fixture
def holder(tmp_path):
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdout.readline() == b"held\n"
    yield child
    child.kill()
    child.communicate()


def test_a_folder_in_use_is_refused_with_the_number_of_its_user(tmp_path, holder):
    with pytest.raises(ConfigError, match=f"state_dir = {tmp_path}: is in use by pid {holder.pid}"):
        StateLock(tmp_path)
    # Asking does not take the name of the holder away.
    assert (tmp_path / LOCK_FILE).read_text() == f"{holder.pid}\n"


def test_a_killed_user_leaves_the_folder_free(tmp_path, holder):
    holder.kill()
    holder.wait()
    lock = StateLock(tmp_path)
    assert (tmp_path / LOCK_FILE).read_text() == f"{os.getpid()}\n"
    lock.release()
    StateLock(tmp_path).release()


def test_a_folder_below_a_file_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"state_dir.*cannot be made"):
        StateLock(tmp_path / "file" / "state")
