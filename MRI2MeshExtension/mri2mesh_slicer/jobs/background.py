"""Work that takes longer than a blink, off the window's thread: reading and writing files, never the scene."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import qt

LOOK_EVERY_MS = 5
LEND_S = 0.012
"""How long the window's thread waits for the others at a time: inside Slicer, Python's threads run only while it is
inside Python and waits."""


class Background:
    """Runs one function after the other in a thread and reports the outcome on the window's thread."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="mri2mesh")
        self._waiting: list[tuple[Future, Callable[[Any], None], Callable[[Exception], None]]] = []
        self._timer = qt.QTimer()
        self._timer.setInterval(LOOK_EVERY_MS)
        self._timer.timeout.connect(self._look)

    def run(
        self, work: Callable[[], Any], done: Callable[[Any], None], failed: Callable[[Exception], None]
    ) -> None:
        """``work()`` in the thread, touching neither Qt nor MRML; then ``done(result)`` or ``failed(error)``."""
        self._waiting.append((self._pool.submit(work), done, failed))
        self._timer.start()

    def forget(self) -> None:
        """What is running or waiting is not reported any more."""
        for future, _, _ in self._waiting:
            future.cancel()
        self._waiting = []
        self._timer.stop()

    def close(self) -> None:
        self.forget()
        self._pool.shutdown(wait=False)

    def _look(self) -> None:
        if not self._waiting:
            self._timer.stop()
            return
        future, done, failed = self._waiting[0]
        if not future.done():
            wait([future], LEND_S)  # the outcome is reported in a turn of its own: it takes time too
            return
        self._waiting.pop(0)
        error = future.exception()
        if error is None:
            done(future.result())
        else:
            failed(error)  # type: ignore[arg-type]
