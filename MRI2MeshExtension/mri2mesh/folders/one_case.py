"""One case in a process of its own: ``python -m mri2mesh.folders.one_case``, its request as a line of JSON on standard
input, its end as one on standard output. So what ends a process ends one case and no other.

The request is that of the worker's ``reconstruct`` (`mri2mesh.worker.requests`). The process ends at once when its
standard input is closed, so that nothing goes on computing for a program, or a machine of a cluster, that has gone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from mri2mesh.errors import explain

PROGRAM = (sys.executable, "-m", "mri2mesh.folders.one_case")
THREADS = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
ENDED = "its process ended before it was done: the memory may have run out"


def run_case(request: Mapping[str, Any], threads: int | None = None, program: Sequence[str] = ()) -> str:
    """Why a case failed; empty where it has a result. It runs in a new process, which ends with this one.

    request: plain JSON types. threads: how many it may use; all by default. program: another one, that does the same.
    """
    environment = dict(os.environ)
    if threads is not None:
        environment.update(dict.fromkeys(THREADS, str(threads)))
    with subprocess.Popen(
        list(program or PROGRAM),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        text=True,
        encoding="utf-8",
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            said = [line for line in process.stdout if line.startswith("{")]
        except OSError:
            said = []
        except BaseException:
            process.kill()
            raise
    try:
        return str(json.loads(said[-1])["failed"])
    except (IndexError, ValueError, KeyError):
        return ENDED


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
        run(request)
    except Exception as error:
        failed = explain(error)[1]
    print(json.dumps({"failed": failed}), file=answer, flush=True)
    return 0


def _end_with_the_input() -> None:
    """Waits on the descriptor itself: a lock of ``sys.stdin`` held here would stop the interpreter from ending."""
    while os.read(0, 1024):
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
