import os
from pathlib import Path

import pytest

from edge.kernel_cache import VARIABLE, use_kernel_cache


@pytest.fixture
def tree(tmp_path, monkeypatch) -> Path:
    # setenv first, so that what the call sets is taken back as well.
    monkeypatch.setenv(VARIABLE, "")
    kernels = tmp_path / "fusion" / "kernels"
    kernels.mkdir(parents=True)
    (kernels / "a.py").write_text("N = 1\n")
    (kernels / "b.py").write_text("from a import N\n")
    return tmp_path


def test_the_folder_changes_with_any_source(tree, monkeypatch):
    first = use_kernel_cache(tree)
    monkeypatch.setenv(VARIABLE, "")
    assert use_kernel_cache(tree) == first
    (tree / "fusion" / "kernels" / "a.py").write_text("N = 2\n")
    monkeypatch.setenv(VARIABLE, "")
    assert use_kernel_cache(tree) != first


def test_numba_is_told(tree):
    folder = use_kernel_cache(tree)
    assert os.environ[VARIABLE] == str(folder)
    assert folder.is_dir()


def test_a_folder_chosen_from_outside_stays(tree, monkeypatch):
    monkeypatch.setenv(VARIABLE, "/somewhere")
    assert use_kernel_cache(tree) == Path("/somewhere")


def test_a_tree_that_cannot_be_written_is_left_alone(tree, monkeypatch, tmp_path):
    (tree / ".kernels").write_text("a file is in the way")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = use_kernel_cache(tree)
    assert folder.parent == tmp_path
    assert folder.stat().st_mode & 0o777 == 0o700


def test_the_folder_changes_with_a_kernel_of_the_codecs(tree, monkeypatch):
    first = use_kernel_cache(tree)
    codecs = tree / "drivers" / "wire" / "kernels"
    codecs.mkdir(parents=True)
    (codecs / "c.py").write_text("N = 1\n")
    monkeypatch.setenv(VARIABLE, "")
    assert use_kernel_cache(tree) != first
