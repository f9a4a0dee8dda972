"""The worker's two threads: one listens, one works."""

from __future__ import annotations

import gc
import os
import queue
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mri2mesh import __version__
from mri2mesh.atomic import remove_unfinished
from mri2mesh.engines.model_cache import ModelCache
from mri2mesh.errors import explain
from mri2mesh.process_tree import kill_tree
from mri2mesh.worker.channel import Channel
from mri2mesh.worker.jobs import JOBS, Cancelled

LEAST_INTERVAL_S = 0.05
"""Least time between two progress events of one stage."""


class Worker:
    """Jobs from a channel, one at a time, in the order they come. temporary: the process's own folder, which goes with
    it."""

    def __init__(self, channel: Channel, temporary: Path) -> None:
        self._channel = channel
        self._temporary = temporary
        self._jobs: queue.Queue[Mapping[str, Any]] = queue.Queue()
        self._unwanted: set[str] = set()
        self._known: set[str] = set()
        self._out: str | None = None
        self._cache = ModelCache()

    def serve(self) -> None:
        """Runs until the process ends, which is when the channel ends."""
        self._channel.send({"event": "ready", "version": __version__, "pid": os.getpid()})
        threading.Thread(target=self._listen, daemon=True).start()
        while True:
            self._do(self._jobs.get())

    def _listen(self) -> None:
        try:
            for request in self._channel.requests():
                if request is None:
                    self._fail("", "input", "a request must be a JSON object in one line")
                elif request.get("command") == "quit":
                    break
                else:
                    self._take(request)
        finally:
            self._end()

    def _take(self, request: Mapping[str, Any]) -> None:
        command, job = request.get("command"), request.get("id")
        if command == "cancel":
            if job in self._known:
                self._unwanted.add(str(job))
        elif not isinstance(job, str) or not job or job in self._known:
            self._fail("", "input", "a request needs an id of its own, a text")
        elif command not in JOBS:
            self._fail(job, "input", f"unknown command: use one of {', '.join(JOBS)}, cancel, quit")
        else:
            self._known.add(job)
            self._channel.send({"id": job, "event": "progress", "stage": "load the program", "fraction": 0.0})
            self._jobs.put(request)

    def _do(self, request: Mapping[str, Any]) -> None:
        job = str(request["id"])
        out = request.get("out")
        self._out = out if isinstance(out, str) else None
        end = self._outcome(job, request)
        self._out = None
        self._known.discard(job)  # before the end is reported: the id may be used again then
        self._unwanted.discard(job)
        self._channel.send({"id": job, **end})
        _release_memory()

    def _outcome(self, job: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Does the job; the event that ends it."""
        try:
            context = _JobContext(job, self._cache, lambda: job not in self._unwanted, self._channel.send)
            context.check()
            return {"event": "done", **JOBS[request["command"]](request, context)}
        except Cancelled:
            return {"event": "cancelled"}
        except Exception as error:
            kind, message = explain(error)
            if kind == "internal":  # the frames alone: the text may quote a path
                print("".join(traceback.format_tb(error.__traceback__)), message, file=sys.stderr)
            return {"event": "error", "kind": kind, "message": message}

    def _fail(self, job: str, kind: str, message: str) -> None:
        self._channel.send({"id": job, "event": "error", "kind": kind, "message": message})

    def _end(self) -> None:
        """At once, and with whatever a job has started; nothing half-written stays."""
        out = self._out
        shutil.rmtree(self._temporary, ignore_errors=True)
        if out is not None:
            remove_unfinished(out, os.getpid())
            kill_tree(os.getpid())
            if sys.platform == "win32":
                time.sleep(3)  # for it needs this process to find the children by
        os._exit(0)


class _JobContext:
    """`jobs.Context` of one job. wanted: False once it is cancelled."""

    def __init__(
        self, job: str, cache: ModelCache, wanted: Callable[[], bool], send: Callable[[dict[str, Any]], None]
    ) -> None:
        self.cache = cache
        self._job, self._wanted, self._send_event = job, wanted, send
        self._stage, self._next = "", 0.0

    def progress(self, stage: str, fraction: float) -> None:
        self.check()
        now = time.monotonic()
        if stage == self._stage and now < self._next:
            return
        self._stage, self._next = stage, now + LEAST_INTERVAL_S
        self.send("progress", stage=stage, fraction=round(min(max(fraction, 0.0), 1.0), 4))

    def check(self) -> None:
        if not self._wanted():
            raise Cancelled

    def send(self, event: str, **values: Any) -> None:
        self._send_event({"id": self._job, "event": event, **values})


def _release_memory() -> None:
    """What a job leaves behind in cycles, and what torch holds of a GPU that others may need."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
