"""A real worker process, talked to through its pipes."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mri2mesh

LIBRARY = str(Path(mri2mesh.__file__).resolve().parents[1])
PATIENCE_S = 100.0
"""Seconds before a test gives up; nothing that works comes near it, even on a busy machine."""


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": LIBRARY}


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent to look does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    try:
        return (
            not status.parent.parent.is_dir() or status.read_text().rpartition(")")[2].split()[0] not in "ZX"
        )
    except OSError:
        return False


def until(condition: Callable[[], Any], each: Callable[[], None] = lambda: None) -> None:
    """Waits; fails where it takes for ever."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "this never happened"
        each()
        time.sleep(0.01)


class Talk:
    """Sends requests, waits for events. Ends with the worker."""

    def __init__(self, *arguments: str) -> None:
        self._events: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._count = 0
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mri2mesh", "worker", *arguments],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.errors: list[bytes] = []
        threading.Thread(target=self._listen, daemon=True).start()
        threading.Thread(target=lambda: self.errors.extend(self.process.stderr), daemon=True).start()
        self.ready = self.next()

    def __enter__(self) -> Talk:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        self.process.wait(PATIENCE_S)

    def send(self, request: dict[str, Any] | bytes) -> None:
        line = request if isinstance(request, bytes) else json.dumps(request).encode()
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def next(self) -> dict[str, Any]:
        """The next event, whosever."""
        event = self._events.get(timeout=PATIENCE_S)
        assert event is not None, b"".join(self.errors).decode()
        return event

    def ask(self, request: dict[str, Any], each: Callable[[dict], None] = lambda event: None) -> list[dict]:
        """All events of a job, the last of which ends it. each: called with every event as it comes."""
        self._count += 1
        job = str(self._count)
        self.send({**request, "id": job})
        events: list[dict] = []
        while not events or events[-1]["event"] not in ("done", "error", "cancelled"):
            event = self.next()
            assert event["id"] == job
            events.append(event)
            each(event)
        return events

    def _listen(self) -> None:
        for line in self.process.stdout:
            self._events.put(json.loads(line))
        self._events.put(None)
