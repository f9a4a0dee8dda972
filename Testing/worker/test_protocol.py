"""What goes over the worker's pipes: whatever comes in, one line of JSON comes out, and nothing else ever does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile

import pytest

import mri2mesh
from worker.talking import PATIENCE_S, Talk, alive, environment, until

JOB = {"command": "reconstruct", "id": "x", "inputs": ["a.nii"], "out": "b"}


def test_the_worker_says_at_once_who_it_is(worker):
    ready = {"event": "ready", "version": mri2mesh.__version__, "pid": worker.process.pid}
    assert worker.ready == ready


@pytest.mark.parametrize(
    "line", [b"not JSON", b"[1, 2]", b'"text"', b"\xff\xfe\x00", b"[" * 100_000, '{"é'.encode("latin-1")]
)
def test_a_line_that_is_no_request_is_reported_and_the_worker_goes_on(worker, line):
    worker.send(line)
    event = worker.next()
    assert (event["event"], event["kind"]) == ("error", "input")
    assert "one line" in event["message"]


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ({"command": "describe"}, "id"),
        ({"command": "describe", "id": 7}, "id"),
        ({"command": "dance", "id": "x"}, "unknown command"),
        ({"id": "x"}, "unknown command"),
        ({"command": "describe", "id": "x"}, "inputs must be a list"),
        ({"command": "describe", "id": "x", "inputs": []}, "names no input"),
        ({**JOB, "inputs": ["a"], "out": None}, "out must be a path"),
        ({**JOB, "inputs": [3]}, "inputs must be a path"),
        ({**JOB, "options": 1}, "JSON object"),
        ({**JOB, "options": {"levle_shift": 1}}, "levle_shift"),
        ({**JOB, "options": {"level_shift": "1"}}, "level_shift must be a whole number"),
        ({**JOB, "options": {"cameras": "a.json"}}, "cameras must be a list"),
        ({**JOB, "engine": "magic"}, "no engine"),
        ({"command": "warm", "id": "x", "engine": "magic"}, "no engine"),
    ],
)
def test_a_request_that_does_not_fit_is_reported_in_one_line(worker, request_, says):
    worker.send(request_)
    event = worker.next()
    while event["event"] == "progress":
        event = worker.next()
    assert (event["event"], event["kind"]) == ("error", "input")
    assert says in event["message"]
    assert "\n" not in event["message"]


def test_cancelling_what_is_not_there_is_no_error(worker, noise):
    worker.send({"command": "cancel", "id": "never"})
    assert worker.ask({"command": "describe", "inputs": [str(noise)]})[-1]["event"] == "done"


def test_a_job_cancelled_before_its_turn_never_begins(worker, noise, tmp_path):
    job = {"command": "reconstruct", "inputs": [str(noise)], "out": str(tmp_path / "out")}
    worker.send({**job, "id": "first"})
    worker.send({**job, "id": "second"})
    worker.send({"command": "cancel", "id": "second"})
    worker.send({"command": "cancel", "id": "first"})
    ends = {}
    while len(ends) < 2:
        event = worker.next()
        if event["event"] != "progress":
            ends[event["id"]] = event["event"]
    assert ends == {"first": "cancelled", "second": "cancelled"}
    assert not list(tmp_path.iterdir())


def test_what_libraries_print_never_comes_between_the_events():
    script = """
import os, subprocess, sys
from mri2mesh.worker.channel import Channel
channel = Channel()
print("stray é ☃", flush=True)
os.write(1, b"from compiled code")
subprocess.run([sys.executable, "-c", "print('from a child'); print(repr(input()))"])
channel.send({"text": "é ☃ \\ud800"})
for request in channel.requests():
    channel.send({"heard": request})
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**environment(), "PYTHONIOENCODING": "ascii:strict"},
        input='{"name": "腰椎"}\n'.encode(),
        capture_output=True,
        timeout=PATIENCE_S,
        check=True,
    )
    events = [json.loads(line) for line in done.stdout.decode("utf-8").splitlines()]
    assert events == [{"text": "é ☃ ?"}, {"heard": {"name": "腰椎"}}]
    for words in (b"stray", b"from compiled code", b"from a child", b"EOFError"):
        assert words in done.stderr


@pytest.mark.parametrize("end", ["quit", "end of input"])
def test_the_worker_leaves_when_asked_and_when_its_parent_is_gone(end, tmp_path):
    talk = Talk("--temporary", str(tmp_path / "temporary"))
    assert (tmp_path / "temporary").is_dir()
    if end == "quit":
        talk.send({"command": "quit"})
    else:
        talk.process.stdin.close()
    assert talk.process.wait(PATIENCE_S) == 0
    assert not (tmp_path / "temporary").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="looks for processes as Unix lists them")
def test_a_worker_whose_parent_is_killed_in_the_middle_of_a_job_ends_and_leaves_nothing(
    three_levels, tmp_path
):
    out = tmp_path / "out"
    request = {"id": "1", "command": "reconstruct", "inputs": [str(three_levels)], "out": str(out)}
    parent_script = f"""
import subprocess, sys, time
worker = subprocess.Popen([sys.executable, "-m", "mri2mesh", "worker", "--temporary", {str(tmp_path / "t")!r}],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE)
print(worker.pid, flush=True)
worker.stdin.write({json.dumps(request).encode()!r} + b"\\n"); worker.stdin.flush()
for line in worker.stdout:
    print(line.decode(), end="", flush=True)
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", parent_script], env=environment(), stdout=subprocess.PIPE
    )
    pid = int(parent.stdout.readline())
    until(lambda: b"find the spine" in parent.stdout.readline())
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    until(lambda: not alive(pid))
    assert list(tmp_path.iterdir()) == []


def test_temporary_files_go_to_a_folder_of_the_worker(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with Talk():
        (folder,) = tmp_path.iterdir()
        assert folder.name.startswith("mri2mesh-worker-")
    assert list(tmp_path.iterdir()) == []
