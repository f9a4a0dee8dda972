"""Jobs in the worker process, one at a time, with callbacks on the window's thread.

Neither Qt nor MRML is imported here: the process is injected (`qt_process` has Qt's), as is what calls later.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mri2mesh.atomic import remove_unfinished
from mri2mesh.process_tree import kill_tree
from mri2mesh_slicer.jobs.process_end import describe_end
from mri2mesh_slicer.jobs.time_left import TimeLeft

GRACE_S = 2.0
"""How long a job that is cancelled may take to end by itself before its process is killed."""
END_S = 3.0
"""How long a killed process may take to go before it is not waited for any more."""
REMEMBERED_LINES = 60

Event = dict[str, Any]


class Process(Protocol):
    """A process that passes its output, its error output and its end to the callbacks its factory was given."""

    def start(self, program: str, arguments: list[str], environment: Mapping[str, str]) -> None:
        """environment: variables to add. A program that cannot be started ends with the code None."""

    def write(self, data: bytes) -> None: ...

    def kill_tree(self) -> None:
        """At once, children included; the end is reported soon after."""

    def wait(self, seconds: float) -> None:
        """Until it has ended and that was reported, at most so long."""


ProcessFactory = Callable[
    [Callable[[bytes], None], Callable[[bytes], None], Callable[[int | None, bool], None]], Process
]
"""(on output, on error output, on end: exit code and whether it crashed) -> a process, not started yet."""


@dataclass(frozen=True)
class Command:
    """How the worker is started. environment: variables to add to the present ones."""

    program: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]


@dataclass
class _Job:
    id: str
    out: Path | None
    out_is_new: bool
    private: tuple[str, ...]
    time_left: TimeLeft
    progress: Callable[[str, float, float | None], None]
    done: Callable[[Event], None]
    failed: Callable[[str], None]
    cancelled: Callable[[], None]
    warning: Callable[[str], None]
    surface: Callable[[Event], None]
    cancelling: bool = False


def _ignore(*_arguments: Any) -> None:
    pass


class WorkerClient:
    """The worker's one client: starts it when first needed, keeps it warm, starts another after a crash.

    call_later: (seconds, action), once. Exactly one of done, failed and cancelled is called per job, and none of
    them before `run` has returned.
    """

    def __init__(
        self,
        process_factory: ProcessFactory,
        command: Command,
        call_later: Callable[[float, Callable[[], None]], None],
        *,
        grace_s: float = GRACE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._factory, self._command, self._call_later = process_factory, command, call_later
        self._grace_s, self._clock = grace_s, clock
        self._process: Process | None = None
        self._pid: int | None = None
        self._temporary: Path | None = None
        self._job: _Job | None = None
        self._unfinished: Path | None = None
        self._output = b""
        self._error_output: deque[str] = deque(maxlen=REMEMBERED_LINES)
        self._count = 0

    @property
    def busy(self) -> bool:
        """Whether a job runs; a job that is being cancelled does until `on_cancelled` is called."""
        return self._job is not None

    @property
    def pid(self) -> int | None:
        """Of the worker, once it is ready."""
        return self._pid

    def run(
        self,
        request: Mapping[str, Any],
        *,
        on_done: Callable[[Event], None],
        on_failed: Callable[[str], None],
        on_cancelled: Callable[[], None],
        on_progress: Callable[[str, float, float | None], None] = _ignore,
        on_warning: Callable[[str], None] = _ignore,
        on_surface: Callable[[Event], None] = _ignore,
    ) -> None:
        """Starts a job. request: as `mri2mesh.worker` says, without an id. progress: stage, fraction, seconds left or
        None. done: the event. failed: one line. surface: the event, its ``files`` there for a moment only.

        Raises RuntimeError while another job runs.
        """
        if self.busy:
            raise RuntimeError("one job at a time")
        out = Path(request["out"]) if request.get("out") else None
        self._unfinished = out
        self._job = _Job(
            id=self._next_id(),
            out=out,
            out_is_new=out is not None and not out.exists(),
            private=_names(request),
            time_left=TimeLeft(self._clock),
            progress=on_progress,
            done=on_done,
            failed=on_failed,
            cancelled=on_cancelled,
            warning=on_warning,
            surface=on_surface,
        )
        self._send({**request, "id": self._job.id})

    def warm(self, engine: str | None = None) -> None:
        """Starts the worker and has it load what an engine needs, so that the next job begins sooner."""
        if not self.busy:
            self._send({"id": self._next_id(), "command": "warm", "engine": engine})

    def cancel(self) -> None:
        """Asks the job to end, and kills the process where it does not within the grace; `on_cancelled` follows."""
        job = self._job
        if job is None or job.cancelling:
            return
        job.cancelling = True
        self._send({"command": "cancel", "id": job.id})
        self._call_later(self._grace_s, lambda: self._kill() if self._job is job else None)

    def shutdown(self) -> None:
        """Ends the worker and all it started, now; the job's callbacks are not called any more."""
        self._job = None
        if (process := self._process) is not None:
            self._kill()
            process.wait(END_S)
            self._forget_process()  # where it takes longer to go: nothing of it is heard any more

    def _next_id(self) -> str:
        self._count += 1
        return str(self._count)

    def _send(self, message: Event) -> None:
        if self._process is None:
            self._start()
        if self._process is not None:
            self._process.write(json.dumps(message).encode("ascii") + b"\n")

    def _start(self) -> None:
        self._output = b""
        self._error_output.clear()
        self._temporary = Path(tempfile.mkdtemp(prefix="mri2mesh-worker-"))
        arguments = [*self._command.arguments, "--temporary", str(self._temporary)]
        process: Process | None = None

        def of(callback: Callable[..., None]) -> Callable[..., None]:
            """Of this process: what an earlier one still says is not heard."""
            return lambda *values: callback(*values) if process is self._process else None

        process = self._factory(of(self._read), of(self._read_errors), of(self._ended))
        self._process = process
        process.start(self._command.program, arguments, self._command.environment)

    def _kill(self) -> None:
        if self._pid is not None:
            kill_tree(self._pid)  # where a launcher stands between: its child
        if self._process is not None:
            self._process.kill_tree()

    def _read(self, data: bytes) -> None:
        *lines, self._output = (self._output + data).split(b"\n")
        for line in lines:
            with contextlib.suppress(ValueError):
                event = json.loads(line.decode("utf-8", errors="replace"))
                if isinstance(event, dict):
                    self._take(event)

    def _read_errors(self, data: bytes) -> None:
        self._error_output.extend(data.decode("utf-8", errors="replace").splitlines())

    def _take(self, event: Event) -> None:
        kind, job = event.get("event"), self._job
        if kind == "ready":
            self._pid = event["pid"]
        if job is None or event.get("id") != job.id:
            return
        if kind in ("done", "error", "cancelled"):
            self._finish(job, event)
        elif job.cancelling:
            return
        elif kind == "progress":
            job.progress(event["stage"], event["fraction"], job.time_left.update(event["fraction"]))
        elif kind == "warning":
            job.warning(event["message"])
        elif kind == "surface":
            job.surface(event)

    def _finish(self, job: _Job, event: Event) -> None:
        self._job = None
        if job.cancelling:
            if event["event"] == "done" and job.out is not None and job.out_is_new:
                shutil.rmtree(job.out, ignore_errors=True)  # it was done before it heard
            job.cancelled()
        elif event["event"] == "done":
            job.done(event)
        else:
            job.failed(str(event.get("message", "cancelled by another program")))

    def _ended(self, code: int | None, crashed: bool) -> None:
        job, self._job = self._job, None
        if self._pid is not None:
            kill_tree(self._pid)  # what outlived a crash
        self._forget_process()
        if job is None:
            return
        if job.cancelling:
            job.cancelled()
        else:
            job.failed(describe_end(code, crashed, list(self._error_output), job.private))

    def _forget_process(self) -> None:
        """And what it left: temporary files, and a result that it did not finish."""
        if self._pid is not None and self._unfinished is not None:
            remove_unfinished(self._unfinished, self._pid)
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
        self._process = self._pid = self._temporary = None


def _names(request: Mapping[str, Any]) -> tuple[str, ...]:
    """Every path of a request and the names in it: what a message must not quote."""

    def texts(value: Any) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            yield from texts(list(value.values()))
        elif isinstance(value, (list, tuple)):
            for item in value:
                yield from texts(item)

    paths = [Path(text) for text in texts(request) if "/" in text or "\\" in text]
    return tuple(
        {str(path) for path in paths} | {path.name for path in paths} | {path.stem for path in paths}
    )
