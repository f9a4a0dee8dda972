"""The client of the worker, as the panel uses it: Qt's processes, real workers, and some that misbehave."""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

pytest.importorskip("PySide6", reason="the client's tests need PySide6-Essentials")

from mri2mesh_slicer.jobs.jobs import Command, WorkerClient
from worker.qt_host import install, process_events
from worker.talking import alive, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="looks for processes as Unix lists them")


@pytest.fixture(scope="module")
def qt_process():
    return install()


@dataclass
class Heard:
    """What the callbacks of a job were called with, in order."""

    progress: list[tuple[str, float, float | None]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    surfaces: list[dict] = field(default_factory=list)
    ends: list[tuple[str, object]] = field(default_factory=list)

    def callbacks(self) -> dict:
        return {
            "on_progress": lambda *values: self.progress.append(values),
            "on_warning": self.warnings.append,
            "on_surface": self.surfaces.append,
            "on_done": lambda event: self.ends.append(("done", event)),
            "on_failed": lambda message: self.ends.append(("failed", message)),
            "on_cancelled": lambda: self.ends.append(("cancelled", None)),
        }

    def stages(self) -> set[str]:
        return {stage for stage, _, _ in self.progress}


def wait(condition) -> None:
    until(condition, process_events)


def settle(seconds: float = 0.3) -> None:
    """Long enough for whatever is still on its way."""
    end = time.monotonic() + seconds
    wait(lambda: time.monotonic() > end)


def start(client: WorkerClient, request: dict) -> Heard:
    heard = Heard()
    client.run(request, **heard.callbacks())
    return heard


@pytest.fixture(scope="module")
def client(qt_process):
    """Of a real worker, warm from the second test on."""
    client = qt_process.worker_client()
    yield client
    client.shutdown()


@pytest.fixture
def misbehaving(qt_process, tmp_path):
    """Clients of a Python program given as text, which stands for a worker gone wrong."""
    clients = []

    def make(program: str, grace_s: float = 0.2) -> WorkerClient:
        beginning = "import json, os, signal, subprocess, sys, time\nos.setpgid(0, 0)\n"
        beginning += "print(json.dumps({'event': 'ready', 'pid': os.getpid()}), flush=True)\n"
        command = Command(sys.executable, ("-c", beginning + program), {})
        clients.append(WorkerClient(qt_process.QtProcess, command, qt_process.call_later, grace_s=grace_s))
        return clients[-1]

    yield make
    for client in clients:
        client.shutdown()


def test_a_job_is_done_and_the_next_one_finds_the_worker_warm(client, noise, tmp_path):
    pids = set()
    for name in ("a", "b"):
        heard = start(client, {"command": "reconstruct", "inputs": [str(noise)], "out": str(tmp_path / name)})
        assert client.busy
        assert heard == Heard(), "nothing is called before run has returned"
        wait(lambda: not client.busy)
        ((end, event),) = heard.ends
        assert end == "done"
        assert Path(event["report"]).is_file()
        assert heard.progress[0] == ("load the program", 0.0, None)
        pids.add(client.pid)
    assert len(pids) == 1


def test_one_job_at_a_time(client, noise):
    first = start(client, {"command": "describe", "inputs": [str(noise)]})
    with pytest.raises(RuntimeError, match="one job at a time"):
        start(client, {"command": "describe", "inputs": [str(noise)]})
    wait(lambda: first.ends)
    assert [end for end, _ in first.ends] == ["done"]


def test_bad_input_fails_in_one_line(client, tmp_path):
    heard = start(client, {"command": "reconstruct", "inputs": ["/none.nii"], "out": str(tmp_path / "out")})
    wait(lambda: heard.ends)
    assert heard.ends == [("failed", "no such file or folder: check the path of the image")]


def test_time_left_is_reported(client, three_levels, tmp_path):
    request = {"command": "reconstruct", "inputs": [str(three_levels)], "out": str(tmp_path / "out")}
    heard = start(client, request)
    wait(lambda: any(seconds is not None for _, _, seconds in heard.progress) or heard.ends)
    assert min(seconds for _, _, seconds in heard.progress if seconds is not None) > 0
    client.cancel()
    wait(lambda: heard.ends)


def test_cancelled_in_mid_run_the_worker_stays_and_nothing_is_written(client, fit, tmp_path):
    options = {**fit["options"], "live": True}
    heard = start(client, {**fit, "out": str(tmp_path / "out"), "options": options})
    wait(lambda: heard.surfaces)
    assert heard.surfaces[0]["files"].keys() == {"L3"}
    pid = client.pid
    client.cancel()
    client.cancel()
    assert client.busy
    wait(lambda: not client.busy)
    assert heard.ends == [("cancelled", None)]
    assert list(tmp_path.iterdir()) == []
    assert client.pid == pid, "a fit hears that it is cancelled: no need to kill its process"


def test_cancelled_at_once_nothing_comes_of_it(qt_process, fit, tmp_path):
    client = qt_process.worker_client()
    heard = start(client, {**fit, "out": str(tmp_path / "out")})
    client.cancel()
    wait(lambda: not client.busy)
    client.shutdown()
    assert heard.ends == [("cancelled", None)]
    assert heard.progress == []
    assert list(tmp_path.iterdir()) == []


def test_a_worker_killed_from_outside_is_reported_with_its_likely_reason_and_started_again(
    client, noise, tmp_path
):
    heard = start(client, {"command": "reconstruct", "inputs": [str(noise)], "out": str(tmp_path / "out")})
    wait(lambda: "write the results" in heard.stages())
    os.kill(client.pid, signal.SIGKILL)
    wait(lambda: not client.busy)
    ((end, message),) = heard.ends
    assert end == "failed"
    assert "killed by the system (signal 9); memory most likely ran out" in message
    assert list(tmp_path.iterdir()) == [], "nothing half-written, not even hidden"
    again = start(client, {"command": "describe", "inputs": [str(noise)]})
    wait(lambda: again.ends)
    assert again.ends[0][0] == "done"


def test_shutdown_in_mid_run_ends_everything_silently(qt_process, noise, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    client = qt_process.worker_client()
    heard = start(client, {"command": "reconstruct", "inputs": [str(noise)], "out": str(tmp_path / "out")})
    wait(lambda: "write the results" in heard.stages())
    pid = client.pid
    client.shutdown()
    assert not alive(pid)
    assert not client.busy
    settle()
    assert heard.ends == []
    assert list(tmp_path.iterdir()) == []


def test_a_job_that_does_not_listen_is_killed_with_its_children(misbehaving, tmp_path):
    client = misbehaving(
        f"child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(1000)'])\n"
        f"open({str(tmp_path / 'child')!r}, 'w').write(str(child.pid))\n"
        "job = json.loads(input())['id']\n"
        "print(json.dumps({'id': job, 'event': 'progress', 'stage': 'deaf', 'fraction': 0.5}), flush=True)\n"
        "time.sleep(1000)"
    )
    heard = start(client, {"command": "reconstruct", "inputs": ["a"], "out": str(tmp_path / "out")})
    wait(lambda: heard.progress)
    pid, child = client.pid, int((tmp_path / "child").read_text())
    assert alive(child)
    client.cancel()
    wait(lambda: heard.ends)
    assert heard.ends == [("cancelled", None)]
    wait(lambda: not alive(pid) and not alive(child))


@pytest.mark.parametrize(
    ("program", "says"),
    [
        ("input(); os.kill(os.getpid(), signal.SIGSEGV)", "crashed (SIGSEGV, invalid memory access)"),
        (
            "input(); sys.exit('ImportError: no torch in /home/DOE^JANE/x')",
            "(exit code 1); it said: ImportError",
        ),
        ("input(); print('not JSON'); print('[]'); sys.exit(3)", "ended too early (exit code 3)"),
        ("input(); open('/data/DOE^JANE/ct')", "it said: FileNotFoundError"),
    ],
)
def test_a_crash_is_reported_with_its_reason_and_without_names(misbehaving, program, says):
    client = misbehaving(program)
    heard = start(client, {"command": "describe", "inputs": ["/data/DOE^JANE/ct"]})
    wait(lambda: heard.ends)
    ((end, message),) = heard.ends
    assert end == "failed"
    assert says in message
    assert "DOE" not in message
    assert "\n" not in message


def test_what_outlives_a_crash_is_ended_too(misbehaving, tmp_path):
    client = misbehaving(
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(1000)'], stdout=2)\n"
        f"open({str(tmp_path / 'child')!r}, 'w').write(str(child.pid))\n"
        "input(); os.abort()"
    )
    heard = start(client, {"command": "describe", "inputs": ["a"]})
    wait(lambda: heard.ends)
    assert "SIGABRT" in heard.ends[0][1]
    wait(lambda: not alive(int((tmp_path / "child").read_text())))


def test_a_job_that_is_done_before_it_hears_of_the_cancel_leaves_no_result(misbehaving, tmp_path):
    out = tmp_path / "out"
    client = misbehaving(
        "job = json.loads(input())['id']\ninput()\n"
        f"os.mkdir({str(out)!r})\n"
        "print(json.dumps({'id': job, 'event': 'done', 'status': 0}), flush=True)\ntime.sleep(1000)",
        grace_s=300,
    )
    heard = start(client, {"command": "reconstruct", "inputs": ["a"], "out": str(out)})
    client.cancel()
    wait(lambda: heard.ends)
    assert heard.ends == [("cancelled", None)]
    assert not out.exists()


def test_a_program_that_is_not_there_is_reported(qt_process):
    command = Command("/nowhere/python", (), {})
    client = WorkerClient(qt_process.QtProcess, command, qt_process.call_later)
    heard = start(client, {"command": "describe", "inputs": ["a"]})
    wait(lambda: heard.ends)
    ((end, message),) = heard.ends
    assert end == "failed"
    assert "could not be started" in message


def test_a_client_that_was_shut_down_starts_again(misbehaving):
    client = misbehaving(
        "job = json.loads(input())['id']\nprint(json.dumps({'id': job, 'event': 'done'}), flush=True)\ninput()"
    )
    assert [describe(client) for _ in range(2)] == ["done", "done"]


def describe(client: WorkerClient) -> str:
    """How one job ends; afterwards the client is shut down."""
    heard = start(client, {"command": "describe", "inputs": ["a"]})
    wait(lambda: heard.ends)
    client.shutdown()
    return heard.ends[0][0]
