"""Installs packages in a process of its own, with the standard library alone.

Run as ``python -m mri2mesh_slicer.installation.pip_process REQUEST``.

REQUEST is JSON: ``{"torch": REQUIREMENT or null, "fitting": whether light-the-torch chooses the build that fits the
graphics driver, "others": [REQUIREMENT, ...]}``. PyTorch comes first. What pip then resolves for the others is
installed without what is in `NEVER`, and where that is there it stays as it is: a dependency brings no second PyTorch,
and no VTK or NumPy beside Slicer's. Standard output has a JSON object per line: ``{"part": "torch" | "others",
"fraction", "what"}``; standard error what pip said. The exit status is that of the first pip that failed, or 0.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from mri2mesh.process_tree import lead_own_group

NEVER = ("torch", "torchvision", "torchaudio", "vtk", "numpy")
"""Packages that no dependency may bring: Slicer's own, and PyTorch, which is installed by itself."""
LOOKED_UP = 0.3
"""Fraction of the whole that is done when it is known what is to be installed."""

ReportProgress = Callable[[float, str], None]
"""Called with the fraction of the part, and what is being done."""


class PipError(Exception):
    """A pip that failed; its argument is the exit status."""


def main(arguments: Sequence[str]) -> int:
    lead_own_group()
    request = json.loads(arguments[0])

    def reporting(part: str) -> ReportProgress:
        return lambda fraction, what: print(
            json.dumps({"part": part, "fraction": round(fraction, 3), "what": what}), flush=True
        )

    try:
        if request["torch"] and request["fitting"]:
            _install_fitting_torch(request["torch"], reporting("torch"))
        elif request["torch"]:
            _install([request["torch"]], reporting("torch"), never=NEVER[3:])
        if request["others"]:
            _install(request["others"], reporting("others"), never=NEVER)
    except PipError as error:
        return int(error.args[0])
    return 0


def _install_fitting_torch(requirement: str, report_progress: ReportProgress) -> None:
    """As the PyTorch extension does it, for all extensions: with torchvision, as their builds go together."""
    report_progress(0.0, "light-the-torch")
    _follow(["pip", "install", *_OPTIONS, "light-the-torch>=0.5"], report_progress, 0.0, 0.05)
    _follow(["light_the_torch", "install", requirement, "torchvision"], report_progress, 0.05, 1.0)


def _install(requirements: Sequence[str], report_progress: ReportProgress, *, never: Sequence[str]) -> None:
    report_progress(0.0, "")
    with tempfile.TemporaryDirectory() as folder:
        kept, report = Path(folder) / "kept.txt", Path(folder) / "report.json"
        kept.write_text("".join(f"{line}\n" for line in _installed(NEVER)))
        look_up = ["pip", "install", *_OPTIONS, "--dry-run", "--report", str(report)]
        _follow([*look_up, "--constraint", str(kept), *requirements], report_progress, 0.0, LOOKED_UP)
        found = json.loads(report.read_text(encoding="utf-8"))["install"]
    wanted = [one["metadata"] for one in found if _plain(one["metadata"]["name"]) not in never]
    pinned = [f"{one['name']}=={one['version']}" for one in wanted]
    if pinned:
        # All versions are known: what is left out stays out.
        _follow(
            ["pip", "install", *_OPTIONS, "--no-deps", *pinned],
            report_progress,
            LOOKED_UP,
            1.0,
            count=len(pinned),
        )


def _bar() -> str:
    """Numbers instead of a bar, since pip 24.1."""
    version = tuple(int(number) for number in re.findall(r"\d+", importlib.metadata.version("pip"))[:2])
    return "raw" if version >= (24, 1) else "off"


_OPTIONS = ("--no-input", "--disable-pip-version-check", "--no-color", "--progress-bar", _bar())


def _installed(names: Sequence[str]) -> Iterator[str]:
    """Requirements that only the versions there now meet."""
    for name in names:
        try:
            yield f"{name}=={importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            continue


def _follow(
    command: Sequence[str],
    report_progress: ReportProgress,
    start: float,
    end: float,
    *,
    count: int | None = None,
) -> None:
    """Runs a module of this Python, reports what pip says it fetches, and passes its words on.

    count: how many packages there are; where it is not known, each brings the end nearer by the same share of the rest.
    """
    process: Any = subprocess.Popen(
        [sys.executable, "-m", *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    seen, what = 0.0, ""
    for line in process.stdout:
        fetched = re.match(r"\s*(?:Collecting|Processing|Downloading|Using cached) (\S+)(.*)", line)
        loaded = re.match(r"\s*Progress (\d+) of ([1-9]\d*)", line)
        if loaded:
            part = int(loaded[1]) / int(loaded[2])
        else:
            print(line.rstrip(), file=sys.stderr, flush=True)
            part = 0.0
        if fetched:
            what = (Path(fetched[1]).name + fetched[2]).strip()
            seen += count is None or not line.startswith("Collecting")
        if fetched or loaded:
            share = min((seen - 1 + part) / count, 0.95) if count else 1 - 0.93 ** (seen + part)
            report_progress(start + (end - start) * max(share, 0.0), what)
        elif line.startswith("Installing collected packages"):
            report_progress(start + (end - start) * 0.95, "")
    status = process.wait()
    if status:
        raise PipError(status)
    report_progress(end, "")


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
