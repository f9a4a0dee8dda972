"""What is published is one commit, small enough for the Extensions Index."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

MEGABYTE = 2**20
LIMIT = 80 * MEGABYTE
"""Bytes of the published files and of the pack that a clone fetches, together; the index refuses clones of 100 MB."""

pytestmark = pytest.mark.skipif(
    not (shutil.which("git") and shutil.which("make")), reason="needs git and make"
)


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture(scope="module")
def checkout(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this repository, in which branches can be made."""
    if not (repository / ".git").exists():
        pytest.skip("the files did not come with their history")
    folder = tmp_path_factory.mktemp("publishing") / "checkout"
    subprocess.run(["git", "clone", "--quiet", "--shared", str(repository), str(folder)], check=True)
    return folder


def publish(checkout: Path) -> subprocess.CompletedProcess:
    who = {"GIT_AUTHOR_NAME": "test", "GIT_AUTHOR_EMAIL": "test@example.org"}
    who |= {key.replace("AUTHOR", "COMMITTER"): value for key, value in who.items()}
    return subprocess.run(
        ["make", "publish"], cwd=checkout, env={**os.environ, **who}, capture_output=True, text=True
    )


def test_what_is_published_is_one_commit_with_the_files_of_this_one(checkout):
    done = publish(checkout)
    assert done.returncode == 0, done.stderr
    assert git(checkout, "rev-list", "--count", "publish") == "1"
    assert git(checkout, "rev-parse", "publish^{tree}") == git(checkout, "rev-parse", "HEAD^{tree}")
    assert git(checkout, "log", "-1", "--format=%s", "publish").startswith("MRI2Mesh ")


def test_the_published_files_and_their_pack_are_small(checkout, tmp_path):
    assert publish(checkout).returncode == 0
    clone = tmp_path / "clone"
    branch = ["--single-branch", "--branch", "publish", "--no-local"]
    subprocess.run(["git", "clone", "--quiet", *branch, checkout.as_uri(), str(clone)], check=True)
    assert sum(path.stat().st_size for path in clone.rglob("*") if path.is_file()) < LIMIT


def test_nothing_is_published_while_changes_are_not_committed(checkout):
    readme = checkout / "README.md"
    text = readme.read_bytes()
    readme.write_bytes(text + b"changed")
    done = publish(checkout)
    readme.write_bytes(text)
    assert done.returncode != 0 and "commit them first" in done.stdout
