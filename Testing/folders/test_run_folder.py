"""A folder of cases: all are done, none twice, none stops the others, and what was killed goes on."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from folders.conftest import PROGRAM, processes, starts
from mri2mesh.cli import main
from mri2mesh.commands.reconstruct_folder import FolderRequest, reconstruct_folder
from mri2mesh.errors import InputError
from mri2mesh.folders.table import COLUMNS

DRIVER = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell may have it ignored
    "from pathlib import Path; from mri2mesh.commands.reconstruct_folder import *\n"
    "sys.exit(reconstruct_folder(FolderRequest(Path(sys.argv[1]), Path(sys.argv[2]), 'mri2mesh', {}, 2, None,"
    " tuple(sys.argv[3:]))))"
)


def table(out: Path) -> dict[str, dict[str, str]]:
    with (out / "cases.csv").open(newline="", encoding="utf-8") as file:
        return {row["case"]: row for row in csv.DictReader(file)}


def statuses(out: Path) -> dict[str, str]:
    return {name: row["status"] for name, row in table(out).items()}


def wait_until(true, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.02)


def gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    # a zombie that nobody waits for has ended too
    return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"


def folder_request(images: Path, out: Path, jobs: int = 3) -> FolderRequest:
    return FolderRequest(images, out, "mri2mesh", {}, jobs, None, PROGRAM)


def test_twelve_cases_with_their_checks_measures_and_time(images, started, tmp_path, capsys):
    out = tmp_path / "out"
    assert reconstruct_folder(folder_request(images, out)) == 0
    rows = table(out)
    assert list(rows) == [f"case_{number:02}.nii.gz" for number in range(1, 13)]
    for row in rows.values():
        assert row["status"] == "done" and row["structures"] == "1" and row["checks_failed"] == "0"
        assert 0.2 < float(row["seconds"]) < 60
        assert float(row["L3 canal_depth, mm"]) == pytest.approx(17.0, abs=0.1)
        assert float(row["L3 pedicle_width left, mm"]) == pytest.approx(9.0, abs=0.1)
    said = capsys.readouterr()
    assert said.out.startswith("12 done, 0 done but to be looked at, 0 failed")
    assert "12 of 12: case_" in said.err


@pytest.mark.skipif(sys.platform == "win32", reason="processes are killed by signals")
def test_killed_in_the_middle_it_goes_on_where_it_ended(images, started, tmp_path):
    out = tmp_path / "out"
    driver = subprocess.Popen([sys.executable, "-c", DRIVER, str(images), str(out), *PROGRAM])
    try:
        wait_until(lambda: (out / "cases.csv").is_file() and list(statuses(out).values()).count("done") >= 4)
    finally:
        driver.kill()
        driver.wait()
    wait_until(lambda: all(gone(process) for process in processes(started)), 10)
    before = starts(started)
    finished = {path.name for path in out.iterdir() if (path / "report.json").is_file()}
    assert 4 <= len(finished) < 12
    reconstruct_folder(folder_request(images, out))
    assert list(statuses(out).values()) == ["done"] * 12
    assert len([path for path in out.iterdir() if path.is_dir() and not path.name.startswith(".")]) == 12
    after = starts(started)
    for name in finished:
        assert after[f"{name}.nii.gz"] == before[f"{name}.nii.gz"] == 1, "what was done is not done again"
    assert set(after) == set(statuses(out))


def test_what_fails_stops_no_other_and_says_why(images, started, tmp_path, capsys):
    shutil.move(images / "case_02.nii.gz", images / "bad.nii.gz")
    shutil.move(images / "case_03.nii.gz", images / "crash.nii.gz")
    out = tmp_path / "out"
    assert reconstruct_folder(folder_request(images, out)) == 1
    rows = table(out)
    assert rows["bad.nii.gz"]["why"] == "the image cannot be read"
    assert rows["crash.nii.gz"]["why"].startswith("its process ended before it was done")
    assert sorted(statuses(out).values()) == ["done"] * 10 + ["failed"] * 2
    assert "10 done, 0 done but to be looked at, 2 failed" in capsys.readouterr().out


def test_failed_and_changed_cases_are_done_again_and_others_not(images, started, tmp_path):
    shutil.move(images / "case_02.nii.gz", images / "bad.nii.gz")
    out = tmp_path / "out"
    reconstruct_folder(folder_request(images, out))
    os.utime(images / "case_05.nii.gz", (1, 1))
    reconstruct_folder(folder_request(images, out))
    again = {name for name, count in starts(started).items() if count == 2}
    assert again == {"bad.nii.gz", "case_05.nii.gz"}
    options = {"level_shift": 1.0}
    reconstruct_folder(FolderRequest(images, out, "mri2mesh", options, 3, None, PROGRAM))
    assert starts(started)["case_01.nii.gz"] == 2, "asked otherwise, it is another result"


def test_interrupted_it_keeps_what_is_done(images, started, tmp_path):
    out = tmp_path / "out"
    driver = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(images), str(out), *PROGRAM], stderr=subprocess.PIPE
    )
    wait_until(lambda: (out / "cases.csv").is_file() and "done" in statuses(out).values())
    driver.send_signal(signal.SIGINT)
    driver.communicate(timeout=30)
    assert driver.returncode != 0
    assert len(starts(started)) < 12
    assert (out / "cases.csv").read_text(encoding="utf-8").startswith(",".join(COLUMNS))


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--folder", "{images}", "image.nii"], "either images or --folder"),
        (["--folder", "{images}/nothing"], "no such folder"),
        (["--folder", "{images}", "--jobs", "0"], "--jobs must be at least 1"),
        (["--folder", "{images}", "--jobs", "2", "--scheduler", "tcp://localhost:1"], "give one of them"),
        (["image.nii", "--jobs", "2"], "give it with --folder"),
        ([], "name an image"),
        (["--folder", "{images}", "--camera", "c.json", "--engine", "xray-fit"], "beside the image as NAME.camera"),
        (["--folder", "{images}", "--anatomy", "L3"], "has no use for --anatomy"),
    ],
)  # fmt: skip
def test_bad_usage_is_one_line_and_writes_nothing(images, tmp_path, capsys, arguments, said):
    given = [argument.format(images=images) for argument in arguments]
    assert main(["reconstruct", *given, "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_table_of_another_program_is_left_alone(images, started, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "cases.csv").write_text("patient,age\nsomebody,50\n")
    with pytest.raises(InputError, match="not of this program"):
        reconstruct_folder(folder_request(images, out))
    assert (out / "cases.csv").read_text() == "patient,age\nsomebody,50\n"


def test_a_real_case_in_a_process_of_its_own_says_what_is_wrong_with_its_image(tmp_path, capsys):
    """The true program: a file that is no image, and one that shows no spine."""
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "letter.nii").write_text("Dear colleague")
    assert (
        main(["reconstruct", "--folder", str(folder), "--out", str(tmp_path / "out"), "--device", "cpu"]) == 1
    )
    row = table(tmp_path / "out")["letter.nii"]
    assert row["status"] == "failed" and "letter" not in row["why"] and len(row["why"]) > 10
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["cases.csv"]
