"""Requests in and events out as JSON lines, on descriptors that nothing else in the process writes to or reads."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import threading
from collections.abc import Iterator
from typing import Any


class Channel:
    """Takes standard input and output for itself: afterwards what prints goes to standard error, compiled code
    included, and what reads finds the end."""

    def __init__(self) -> None:
        self._requests = os.fdopen(os.dup(0), "rb")
        self._events = os.fdopen(os.dup(1), "wb", buffering=0)
        self._lock = threading.Lock()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(encoding="utf-8", errors="replace", line_buffering=True)

    def send(self, event: dict[str, Any]) -> None:
        """One event; silent where nobody listens any more."""
        line = json.dumps(event, ensure_ascii=False) + "\n"
        with self._lock, contextlib.suppress(OSError):
            self._events.write(line.encode("utf-8", errors="replace"))

    def requests(self) -> Iterator[dict[str, Any] | None]:
        """Each request until the input ends; None for a line that is not a JSON object."""
        for line in self._requests:
            if not line.strip():
                continue
            try:
                request = json.loads(line.decode("utf-8", errors="replace"))
            except (ValueError, RecursionError):
                request = None
            yield request if isinstance(request, dict) else None
