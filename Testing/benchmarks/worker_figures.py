"""What the worker costs and whether it leaves anything: start to first progress, memory over many runs, orphans.

    PYTHONPATH=MRI2MeshExtension:Testing python Testing/benchmarks/worker_figures.py [--runs 200] [--cancels 50]

Real workers with the shipped weights, driven by the panel's own client through Qt. Runs are of the bundled MRI, cut to
three levels; of those for memory, every tenth: the others are of a volume that the networks look at and refuse.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK

from mri2mesh.samples import LUMBAR_T2
from worker.qt_host import install, process_events
from worker.talking import alive

PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20


class Job:
    """A job in the client, and when it heard what."""

    def __init__(self, client, image: Path, out: Path) -> None:
        self.client, self.end = client, ""
        self.stages: dict[str, float] = {}
        self.began = time.perf_counter()
        client.run(
            {"command": "reconstruct", "inputs": [str(image)], "out": str(out)},
            on_progress=lambda stage, fraction, left: self.stages.setdefault(stage, self.seconds()),
            on_done=lambda event: self.ended("done"),
            on_failed=self.ended,
            on_cancelled=lambda: self.ended("cancelled"),
        )

    def seconds(self) -> float:
        return time.perf_counter() - self.began

    def ended(self, how: str) -> None:
        self.end = how

    def wait(self, enough: Callable[[], bool] | None = None) -> Job:
        while not self.end and not (enough is not None and enough()):
            process_events()
            time.sleep(0.002)
        return self


def resident_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_MB


def living_of(groups: set[int]) -> list[int]:
    """Processes of these process groups."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            group = int((folder / "stat").read_text().rpartition(")")[2].split()[2])
        except OSError:
            continue
        if group in groups and alive(int(folder.name)):
            found.append(int(folder.name))
    return found


def starts(qt_process, image: Path, folder: Path, times: int = 5) -> None:
    cold, warm = [], []
    for n in range(times):
        client = qt_process.worker_client()
        cold.append(Job(client, image, folder / f"cold{n}").wait().stages)
        warm.append(Job(client, image, folder / f"warm{n}").wait().stages)
        client.shutdown()
    for name, found in (("cold", cold), ("warm", warm)):
        for stage in ("load the program", "read the images", "load weights"):
            seconds = [stages[stage] for stages in found]
            print(
                f"{name} start to {stage!r}: median {np.median(seconds):.2f} s, most {max(seconds):.2f} s",
                flush=True,
            )


def memory(qt_process, volume: Path, noise: Path, folder: Path, runs: int) -> None:
    client = qt_process.worker_client()
    sizes = []
    for n in range(runs):
        job = Job(client, volume if n % 10 == 0 else noise, folder / "out").wait()
        assert job.end == "done", job.end
        sizes.append(resident_mb(client.pid))
        if n in (0, 9, 10, 19) or (n + 1) % 20 == 0:
            print(f"memory after run {n + 1}: {sizes[-1]:.0f} MB", flush=True)
    half = len(sizes) // 2
    slope = np.polyfit(np.arange(half), sizes[half:][:half], 1)[0]
    print(f"memory over the last {half} runs: {slope:+.3f} MB per run", flush=True)
    client.shutdown()


def cancels(qt_process, volume: Path, folder: Path, times: int) -> None:
    client, groups, took, chance = qt_process.worker_client(), set(), [], random.Random(0)
    for n in range(times):
        job = Job(client, volume, folder / f"cancel{n}")
        at = chance.uniform(0, 12)
        job.wait(lambda job=job, at=at: job.seconds() > at)
        groups |= {client.pid} - {None}
        asked = time.perf_counter()
        client.cancel()
        job.wait()
        took.append(time.perf_counter() - asked)
        assert job.end in ("cancelled", "done"), job.end
    still = {client.pid} - {None}
    print(
        f"{times} cancels: {len(groups)} workers used, {np.median(took):.2f} s to the end, at most {max(took):.2f} s"
    )
    print(
        f"  orphans: {len(living_of(groups - still))}; with the worker itself: {len(living_of(groups))}",
        flush=True,
    )
    client.shutdown()
    time.sleep(0.5)
    print(
        f"  after shutdown: {len(living_of(groups))}; left in the folder: {left(folder, 'cancel')}",
        flush=True,
    )


def kills(qt_process, volume: Path, folder: Path, times: int) -> None:
    client, groups, reasons, chance = qt_process.worker_client(), set(), set(), random.Random(1)
    for n in range(times):
        job = Job(client, volume, folder / f"kill{n}")
        job.wait(lambda: client.pid is not None)
        groups.add(client.pid)
        at = job.seconds() + chance.uniform(0, 15)
        job.wait(lambda job=job, at=at: job.seconds() > at)
        if not job.end:
            os.kill(client.pid, signal.SIGKILL)
        job.wait()
        reasons.add(job.end)
    client.shutdown()
    time.sleep(0.5)
    print(
        f"{times} kills: orphans {len(living_of(groups))}; left in the folder: {left(folder, 'kill')}; said: {reasons}"
    )


def left(folder: Path, prefix: str) -> list[str]:
    """Hidden leftovers, and results without a report."""
    return [
        path.name
        for path in folder.iterdir()
        if path.name.startswith(".")
        or (path.name.startswith(prefix) and not (path / "report.json").is_file())
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    for name, number in (("starts", 5), ("runs", 200), ("cancels", 50), ("kills", 20)):
        parser.add_argument(f"--{name}", type=int, default=number)
    options = parser.parse_args()
    qt_process = install()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        noise, volume = folder / "noise.nii.gz", folder / "volume.nii.gz"
        values = np.random.default_rng(0).normal(100, 20, (12, 70, 70)).astype(np.float32)
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(values), str(noise))
        SimpleITK.WriteImage(SimpleITK.ReadImage(str(LUMBAR_T2))[:, 40:210, 55:160], str(volume))
        if options.starts:
            starts(qt_process, noise, folder, options.starts)
        if options.cancels:
            cancels(qt_process, volume, folder, options.cancels)
        if options.kills:
            kills(qt_process, volume, folder, options.kills)
        if options.runs:
            memory(qt_process, volume, noise, folder, options.runs)


if __name__ == "__main__":
    main()
