"""One case in a process of its own: ``python -m mri2mesh.folders.one_case``, its request as a line of JSON on standard
input; on standard output a line for each stage, ``{"stage", "fraction"}``, and one for the end, ``{"failed"}``. So what
ends a process ends one case and no other.

The request is that of the worker's ``reconstruct`` (`mri2mesh.worker.requests`). The process ends at once when its
standard input is closed, so that nothing goes on computing for a program, or a machine of a cluster, that has gone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any, TextIO

from mri2mesh.errors import explain
from mri2mesh.process_tree import kill_tree

PROGRAM = (sys.executable, "-m", "mri2mesh.folders.one_case")
THREADS = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)
"""Windows: else a black window opens for each case that a program with windows starts."""
LOOK_EVERY_S = 0.05
ENDED = "its process ended before it was done: the memory may have run out"


CANCELLED = "cancelled"


@dataclass(frozen=True)
class Watch:
    """For whoever runs cases in threads of its own process: what it hears of them, and how it ends them.

    report_progress: called with the name of the case, the stage and the fraction, in the thread of the case. stop: once
    it is set, a case that runs is ended at once, and none is begun.
    """

    report_progress: Callable[[str, str, float], None] = lambda case, stage, fraction: None
    stop: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class Program:
    """What does a case. command: program and arguments; empty for this module in this Python. environment: variables
    to add. threads: how many a case may use; all by default. Plain types: it may travel to another machine."""

    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    threads: int | None = None

    def start(self) -> subprocess.Popen[str]:
        added = {} if self.threads is None else dict.fromkeys(THREADS, str(self.threads))
        return subprocess.Popen(
            list(self.command or PROGRAM),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **self.environment, **added},
            text=True,
            encoding="utf-8",
            creationflags=NO_WINDOW,
        )


def run_case(
    request: Mapping[str, Any], program: Program | None = None, name: str = "", watch: Watch | None = None
) -> str:
    """Why a case failed; empty where it has a result. It runs in a new process, which ends with this one.

    request: plain JSON types. name: of the case, for the watch.
    """
    if watch is not None:
        watch.report_progress(name, "load the program", 0.0)
    with (program or Program()).start() as process:
        assert process.stdin is not None and process.stdout is not None
        guard = nullcontext() if watch is None else _ended_on(watch.stop, process)
        last = ""
        try:
            with guard:
                process.stdin.write(json.dumps(request) + "\n")
                process.stdin.flush()
                for line in process.stdout:
                    if line.startswith("{"):
                        last = line
                        _pass_on(line, name, watch)
        except OSError:
            last = ""
        except BaseException:
            process.kill()
            raise
    if watch is not None and watch.stop.is_set():
        return CANCELLED
    try:
        return str(json.loads(last)["failed"])
    except (ValueError, KeyError):
        return ENDED


@contextmanager
def _ended_on(stop: threading.Event, process: subprocess.Popen[str]) -> Iterator[None]:
    """Kills the process when the event is set within the block."""
    is_over = threading.Event()

    def look() -> None:
        while not is_over.wait(LOOK_EVERY_S):
            if stop.is_set():
                kill_tree(process.pid)
                process.kill()
                return

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _pass_on(line: str, name: str, watch: Watch | None) -> None:
    if watch is None:
        return
    with suppress(ValueError, KeyError, TypeError):
        said = json.loads(line)
        watch.report_progress(name, str(said["stage"]), float(said["fraction"]))


def main() -> int:
    """Runs the request of standard input; 0 whatever came out, for the line on standard output says it."""
    line = sys.stdin.readline()
    threading.Thread(target=_end_with_the_input, daemon=True).start()
    answer, sys.stdout = sys.stdout, sys.stderr
    failed = ""
    try:
        from mri2mesh.run import run
        from mri2mesh.worker.requests import reconstruction_of

        request, _live = reconstruction_of(json.loads(line))
        run(request, progress=lambda stage, fraction: _say(answer, stage=stage, fraction=fraction))
    except Exception as error:
        failed = explain(error)[1]
    _say(answer, failed=failed)
    return 0


def _say(answer: TextIO, **values: Any) -> None:
    print(json.dumps(values), file=answer, flush=True)


def _end_with_the_input() -> None:
    """Waits on the descriptor itself: a lock of ``sys.stdin`` held here would stop the interpreter from ending."""
    while os.read(0, 1024):
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
